"""From a table and the settings to the schema: every column gets its kind, every fault is found."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc

from superpose.columns import COMMA, conversions_of, decimals_of, is_list, is_text, one, warnings_of
from superpose.config import ColumnConfig, Config, InputConfig, TargetConfig
from superpose.data.read._reading import levels_of, sources_of
from superpose.data.read._sources import SOURCE
from superpose.errors import DataError, listing, message, place
from superpose.kinds import INPUT_KINDS, TARGET_KINDS, BinaryTarget, TargetKind

from ._column_checks import ColumnChecks
from ._guess import Guess, is_marker
from ._guessing import MOST_INPUT_LEVELS, declared_guess, guess_input, guess_target, joined_by
from ._guessing_dates import days_beside_clocks, declared_dates
from ._items import items_of
from ._label_sources import LabelSources
from ._schema import NULL_WORDS, NUMBER_KINDS, ColumnSpec, Schema, blank_words, counted_words
from ._suspects import suspects


def infer_schema(table: pa.Table, config: Config) -> Schema:
    """Gives every column its kind, declared or guessed, with the reason.

    Args:
        table: all rows, as `read_table` gives them.
        config: the settings; declared kinds are checked, the others are guessed by the rules of
            `superpose.data.schema._guessing`.

    Raises:
        DataError: names every fault of every column: not in the table, no or hardly any labels, a
            constant target, values that do not belong to the declared kind, too many levels.

    Example:
        >>> table = pa.table({"wind": ["N", "S", "W", "N"], "rain": [0.0, 0.5, 0.1, 2.5]})
        >>> schema = infer_schema(table, Config.from_arguments(targets="rain"))
        >>> [(column.name, column.kind) for column in schema.inputs + schema.targets]
        [('wind', 'category'), ('rain', 'number')]
    """
    return _Inference(table, config).schema()


class _Inference:
    """One table and its settings, with the faults and warnings found on the way."""

    def __init__(self, table: pa.Table, config: Config) -> None:
        self.table = table
        self.config = config
        self.checks = ColumnChecks(table, config)
        self.faults = self.checks.faults
        self.ignored: dict[str, str] = {}
        self.sources = LabelSources(self.checks, self.ignored)
        self.divided: set[str] = set()  # inputs whose words get a label each
        self.warnings = warnings_of(table)
        self.conversions = conversions_of(table)

    def schema(self) -> Schema:
        """The schema, once all columns are looked at."""
        for index, name in enumerate(self.config.ignore):
            if self.checks.known(name, "ignore", index):
                self.ignored[name] = "named under ignore"
        split = self.config.split.column
        # The time of a split is an input like others; a group would be learned by heart.
        known = split is None or self.checks.known(split, "split", "column")
        if split is not None and known and self.config.split.by != "time":
            self.ignored[split] = "it tells the split"
        if sources_of(self.table) is not None and not self._is_named(SOURCE):
            self.ignored[SOURCE] = "it names the sources; name it under inputs to learn from it"
        groups = self.config.split.groups
        if groups is not None and self.checks.known(groups, "split", "groups"):
            self.ignored[groups] = "it tells which rows depend on each other"
        if (windows := self.config.windows) is not None:
            self.ignored |= dict.fromkeys(windows.columns, f"a channel of {windows.name!r}")
            if windows.group is not None:
                self.ignored[windows.group] = "it tells recordings apart"
        targets = [
            spec
            for index, target in enumerate(self.config.targets)
            if (spec := self.target(index, target)) is not None
        ]
        inputs = self.inputs()
        self.faults.raise_any()
        if not inputs:
            reasons = listing(f"{name} ({why})" for name, why in self.ignored.items())
            raise DataError(
                message(
                    self.config.at("inputs"),
                    f"no input is left; not used: {reasons or 'nothing'}",
                    fix="give a table with columns to predict from",
                )
            )
        return Schema(self.optional(inputs), targets, self.ignored, self.warnings, self.conversions)

    def optional(self, inputs: list[ColumnSpec]) -> list[ColumnSpec]:
        """Marks the inputs that one of several sources has no value of: new rows may lack them."""
        sources = sources_of(self.table)
        if sources is None:
            return inputs
        every = len(pc.unique(sources))

        def lacking(name: str) -> bool:
            words = next(spec.missing for spec in inputs if spec.name == name)
            known = sources.filter(pc.is_valid(blank_words(self.table.column(name), words)))
            return len(pc.unique(known)) < every

        return [replace(spec, optional=lacking(spec.name)) for spec in inputs]

    def _is_named(self, name: str) -> bool:
        """Whether the settings say what a column is."""
        inputs = [] if self.config.inputs == "auto" else self.config.inputs
        return name in {column.name for column in [*inputs, *self.config.targets]}

    # Inputs.

    def inputs(self) -> list[ColumnSpec]:
        """The columns to predict from."""
        if self.config.inputs != "auto":
            declared: list[tuple[tuple[str | int, ...], InputConfig]] = [
                (("inputs", index), column) for index, column in enumerate(self.config.inputs)
            ]
        else:
            taken = {target.name for target in self.config.targets} | set(self.ignored)
            declared = [
                (("inputs",), InputConfig(name=name))
                for name in self.table.column_names
                if name not in taken
            ]
        specs = [
            self.input(keys, column)
            for keys, column in declared
            if self.checks.known(column.name, *keys)
        ]
        found = [spec for spec in specs if spec is not None]
        if not self.faults.found:
            self.warnings += days_beside_clocks(self.table, found)
        return found

    def input(self, keys: tuple[str | int, ...], column: InputConfig) -> ColumnSpec | None:
        """One input, or None if it is not used."""
        name, values = column.name, self.values(column)
        if name in self.divided and column.declared_kind == "pretrained-text":
            return ColumnSpec(
                name, column.declared_kind, {**column.options, "divided": True}, "declared"
            )
        if name in self.divided and column.kind in (None, "text"):
            reason = "declared" if column.kind else "its words have a label each"
            return ColumnSpec(name, "text", {**column.options, "unit": "divided"}, reason)
        windows = self.config.windows
        if (
            windows is not None
            and name == windows.name
            and column.declared_kind in (None, "series")
        ):
            if "channels" in column.options:
                given, fix = "given beside windows, whose columns they are", "remove it"
                self.faults.add(self.config.at(*keys, "channels"), given, fix=fix)
            options = {**column.options, "channels": windows.columns}
            return ColumnSpec(name, "series", options, "cut as windows says")
        if column.declared_kind is not None:
            return self.declared_input(keys, column, values, column.declared_kind)
        guess = guess_input(name, values)
        if column.candidates:
            told = guess.kind
            if told not in column.candidates:
                told = self.told_by_values(keys, column, values)
            return self.declared_input(keys, column, values, told) if told else None
        if guess.fault:
            self.faults.add(self.config.at(*keys), f"column {name!r}: {guess.fault}")
            return None
        if guess.kind is None and (self.config.inputs == "auto" or guess.otherwise is None):
            self.ignored[name] = guess.reason
            fix = (
                "" if guess.otherwise is None else "; to use it, name it and its kind under inputs"
            )
            self.warnings.append(f"column {name!r} is not used: {guess.reason}{fix}")
            return None
        kind = guess.kind or guess.otherwise
        assert kind is not None
        reason = guess.reason if guess.kind else f"named under inputs; {guess.reason}"
        return self.spec(column, values, replace(guess, kind=kind, reason=reason))

    def declared_input(
        self, keys: tuple[str | int, ...], column: InputConfig, values: pa.ChunkedArray, told: str
    ) -> ColumnSpec | None:
        """An input whose kind the user has set."""
        guess = self.declared(keys, column, values, told)
        if guess is None:
            return None
        if told in ("category", "binary") and is_text(values.type):
            levels = pc.count_distinct(values).as_py()
            if levels > MOST_INPUT_LEVELS:
                self.faults.add(
                    self.config.at(*keys, "kind"),
                    f"column {column.name!r} has {levels} different values",
                    f"at most {MOST_INPUT_LEVELS} for a category",
                    "write `kind: text` or `kind: number`, or put it under ignore",
                )
                return None
        spec, kind = self.spec(column, values, guess), INPUT_KINDS[told]
        # Files are opened once, by the codec.
        if "folder" not in kind.hints.fit_needs:
            # Whether a kind takes lists or structures at all shows in fitting it only.
            check = kind.fit if pa.types.is_nested(values.type) else kind.check
            self.checks.attempt(
                keys,
                lambda name, **kept: check(name, spec.values(self.table), **kept),
                column.name,
                **spec.options,
            )
        return spec

    # What inputs and targets share.

    def values(self, column: ColumnConfig) -> pa.ChunkedArray:
        """A column of the table, with the words for a missing value made null."""
        words = NULL_WORDS if column.missing_words is None else column.missing_words
        return blank_words(self.table.column(column.name), words)

    def declared(
        self,
        keys: Sequence[str | int],
        column: ColumnConfig,
        values: pa.ChunkedArray,
        kind: str,
        reason: str = "declared",
    ) -> Guess | None:
        """What is known of a column whose kind is set, or None if it can't be of that kind."""
        found = declared_guess(kind, values, column.decimal)
        if found.fault:
            self.faults.add(self.config.at(*keys), f"column {column.name!r}: {found.fault}")
            return None
        options = {**_separator(values, kind), **column.options}
        if kind == "date":
            known = blank_words(values, found.missing)
            read = self.checks.attempt(keys, declared_dates, column.name, known, options=options)
            if read is None:
                return None
            options, said = read
            if (clock := options.get("clock")) is not None:
                if not self.checks.known(clock, *keys, "clock"):
                    return None
                if clock in {target.name for target in self.config.targets}:
                    given = f"{clock!r} is a target, which it would give away"
                    self.faults.add(self.config.at(*keys, "clock"), given, fix="name another")
                    return None
                self.ignored[clock] = f"the time of day of {column.name!r}"
            found = replace(found, conversions=said)
        return replace(found, reason=reason, options=options)

    def spec(self, column: ColumnConfig, values: pa.ChunkedArray, guess: Guess) -> ColumnSpec:
        """The column as it will be read, with what there is to say of it noted."""
        target = isinstance(column, TargetConfig)
        role = f"{'target' if target else 'input'} {column.name!r}"
        where, kind = place(column=column.name), str(guess.kind)
        if guess.warning:
            self.warnings.append(f"{role if target else where}: {guess.warning}")
        if guess.rival:
            other = guess.rival if guess.rival in {**INPUT_KINDS, **TARGET_KINDS} else ""
            hint = f" or `kind: {other}`" if other else ", or put it under ignore"
            self.warnings.append(
                f"{role} is ambiguous: other rows of it could be taken for {guess.rival}; taken as "
                f"{kind}; write `kind: {kind}`{hint}"
            )
        # What there is to say of dates names its own way out.
        keep = "" if kind == "date" else "`kind: category` keeps the text"
        self.conversions += [message(where, one, fix=keep) for one in guess.conversions]
        words = NULL_WORDS if column.missing_words is None else column.missing_words
        missing = tuple(dict.fromkeys([*words, *guess.missing]))
        if column.missing is None:
            told = (*words, *filter(is_marker, guess.missing))
            count = counted_words(self.table.column(column.name), told)
            if count:
                shown = listing(f"{number} {word!r}" for word, number in count.items())
                total = sum(count.values())
                given = f"{total} cell{'s' * (total > 1)} read as missing ({shown})"
                # Among numbers they can be nothing else.
                fix = "" if kind in NUMBER_KINDS else "`missing: []` keeps them"
                self.conversions.append(message(where, given, fix=fix))
        decimals = decimals_of(self.table.schema.field(column.name))
        decimals = None if kind in NUMBER_KINDS else decimals
        spec = ColumnSpec(
            column.name,
            kind,
            guess.options,
            guess.reason,
            column.weight if isinstance(column, TargetConfig) else 1.0,
            missing,
            guess.number_format,
            decimals,
            _form(self.table.schema.field(column.name), decimals),
        )
        plain = blank_words(values, missing)
        if guess.number_format is not None and is_text(plain.type):
            read = guess.number_format.read(column.name, one(plain.cast(pa.large_string())))
            plain = pa.chunked_array([read])
        self.warnings += suspects(role, kind, plain)
        return spec

    # Targets.

    def target(self, index: int, target: TargetConfig) -> ColumnSpec | None:
        """One target, or None if it has a fault."""
        keys = ("targets", index)
        if not self.checks.known(target.name, *keys):
            return None
        values = self.values(target)
        if not self.labelled(keys, target.name, values):
            return None
        before = len(self.faults.found)
        guess = self.guess(keys, target, values)
        if guess is not None and guess.fault:
            self.faults.add(self.config.at(*keys), f"target {target.name!r}: {guess.fault}")
        if guess is None or len(self.faults.found) > before:
            return None
        if guess.kind == "tokens":
            source = self.sources.words_of(keys, target, values)
            if source is None:
                return None
            self.divided.add(source)
            guess.options["of"] = source
        elif guess.kind in TARGET_KINDS and "of" in TARGET_KINDS[guess.kind].options.model_fields:
            source = self.sources.image_of(keys, target)
            if source is None:
                return None
            guess.options["of"] = source
        windows = self.config.windows
        if guess.kind == "forecast" and windows is not None:
            guess.options["ahead"] = windows.horizons
            if target.name in windows.columns:
                place_ = windows.columns.index(target.name)
                guess.options.update(past=windows.name, channel=place_)
        event = guess.options.get("event")
        if event is not None:
            if not self.checks.known(event, *keys, "event"):
                return None
            self.ignored[event] = f"it tells whether {target.name!r} was seen"
        if guess.kind not in TARGET_KINDS:
            # A date, an image, long text or words that all differ: an input at best.
            given = f"column {target.name!r} can't be a target ({guess.reason})"
            fix = "choose another target, or set its `kind:`"
            self.faults.add(self.config.at(*keys), given, listing(TARGET_KINDS), fix)
            return None
        spec = self.spec(target, values, guess)
        kind = TARGET_KINDS[guess.kind]
        if reads_places(kind):
            return spec  # files are opened once, by the codec
        options = dict(spec.options)
        if kind.has_items:
            if not self.free_columns(keys, target):
                return None
            items = self.checks.attempt(keys, items_of, spec.name, spec.options, self.table)
            if len(self.faults.found) > before:
                return None
            options["items"] = items
        # Fitting a kind is its own best check; what it learns here is thrown away.
        fitted = self.checks.attempt(
            keys,
            lambda name, **kept: kind.fit(name, spec.values(self.table), **kept),
            spec.name,
            **options,
        )
        if fitted is None:
            return None
        if fitted.constant_reason:
            self.constant(keys, target.name, fitted.constant_reason)
            return None
        if isinstance(fitted, BinaryTarget):
            spec = replace(spec, reason=f"{spec.reason}; {fitted.positive!r} is positive")
        return spec

    def labelled(self, keys: tuple[str | int, ...], name: str, values: pa.ChunkedArray) -> bool:
        """Whether a target has two labels that differ; if not, that is a fault."""
        known = values.drop_null()
        if len(known) < 2:
            given = "no row has a label" if not len(known) else "only one row has a label"
            self.faults.add(
                self.config.at(*keys),
                f"target {name!r}: {given}",
                "at least 2 labelled rows",
                "take it out, or give more labels",
            )
            return False
        if not pa.types.is_nested(known.type) and pc.count_distinct(known).as_py() == 1:
            self.constant(keys, name, f"every labelled row is {known[0].as_py()!r}")
            return False
        return True

    def free_columns(self, keys: tuple[str | int, ...], target: TargetConfig) -> bool:
        """Whether the columns that describe a target's items are there, and used for nothing else.

        As inputs they would give the item away.
        """
        before = len(self.faults.found)
        inputs = [] if self.config.inputs == "auto" else self.config.inputs
        taken = {column.name for column in [*inputs, *self.config.targets]}
        for index, name in enumerate(target.options.get("columns") or ()):
            where = (*keys, "columns", index)
            if self.checks.known(name, *where) and name in taken:
                given = f"{name!r} is also an input or a target"
                fix = "take it out there: it would give the item away"
                self.faults.add(self.config.at(*where), given, fix=fix)
            self.ignored[name] = f"it describes the items of {target.name!r}"
        return len(self.faults.found) == before

    def constant(self, keys: tuple[str | int, ...], name: str, reason: str) -> None:
        """Keeps the fault of a target that has one value only."""
        self.faults.add(
            self.config.at(*keys),
            f"target {name!r} is constant: {reason}",
            "at least 2 different labels",
            "take it out, or give rows with another label",
        )

    def told_by_values(
        self, keys: Sequence[str | int], column: ColumnConfig, values: pa.ChunkedArray
    ) -> str | None:
        """The kind of a column whose options several kinds have, where its values tell which."""
        able = column.candidates
        fitting = [kind for kind in able if column.kinds[kind].holds(values)]
        if able and len(fitting) != 1:
            given = f"{listing(column.options)} given without a kind, and its values don't tell one"
            fix = "write `kind:` with the one that is meant"
            self.faults.add(self.config.at(*keys), given, listing(fitting or able), fix)
        return fitting[0] if len(fitting) == 1 else None

    def guess(
        self, keys: Sequence[str | int], target: TargetConfig, values: pa.ChunkedArray
    ) -> Guess | None:
        """The kind of a target: declared, told by its levels, or guessed."""
        levels = levels_of(self.table, target.name)
        kind = target.declared_kind or self.told_by_values(keys, target, values)
        reason = "declared" if target.kind else f"{listing(target.options)} given"
        # Two levels have no more order than yes and no.
        if kind is None and levels is not None and len(levels) > 2:
            kind, reason = "ordinal", "an ordered category in the frame"
        if kind is None and self.sources.lists_like(target.name, values):
            kind, reason = "tokens", "a list as long as that of words in every row"
        if kind is None and TARGET_KINDS["boxes"].holds(values):
            kind, reason = "boxes", "lists of objects with a class and a box"
        if kind is None:
            found = guess_target(values)
            if found.kind != "image" or not self.sources.images():
                return found
            kind, reason = "mask", "names of image files beside those of another column"
        known = self.declared(keys, target, values, kind, reason)
        if known is not None and kind == "ordinal" and levels is not None:
            known.options.setdefault("levels", list(levels))
        return known


def reads_places(kind: type[TargetKind]) -> bool:
    """Whether the labels of a kind can't be read from their column alone, but beside an image."""
    return kind.needs_folder or kind.needs_source


def _form(field: pa.Field, decimals: int | None) -> Literal["", "text", "list", "comma"]:
    """In which form new rows are to be read; empty for as they come."""
    if is_list(field.type):
        return "list"
    if COMMA.items() <= (field.metadata or {}).items():
        return "comma"
    return "text" if is_text(field.type) or decimals is not None else ""


def _separator(values: pa.ChunkedArray, kind: str) -> dict[str, Any]:
    """The option that tells how sets are joined in text, where it can be seen."""
    if kind not in ("multicategory", "multilabel") or not is_text(values.type):
        return {}
    separator = joined_by(values.drop_null())
    return {} if separator is None else {"separator": separator}
