"""What inputs and targets share on the way to the schema: a declared kind, and how it is read."""

from dataclasses import replace
from typing import Any, Literal

import pyarrow as pa

from superpose.columns import COMMA, conversions_of, decimals_of, is_list, is_text, one, warnings_of
from superpose.config import ColumnConfig, Config, TargetConfig
from superpose.errors import listing, location, message
from superpose.kinds import INPUT_KINDS, TARGET_KINDS

from ._column_checks import ColumnChecks, ColumnEntry
from ._guess import Guess, is_marker
from ._guessing import declared_guess, joined_by
from ._guessing_dates import declared_dates
from ._schema import NULL_WORDS, NUMBER_KINDS, ColumnSpec, blank_words, counted_words
from ._suspects import suspects


class Columns:
    """One table and its settings, with what is learned of the columns on the way.

    Args:
        table: all rows.
        config: the settings.

    Attributes:
        checks: the table and the settings, with the faults.
        ignored: columns that are not used, and why.
        divided: inputs whose words get a label each.
        warnings: what the user should know.
        conversions: what is read otherwise than it is written.
    """

    def __init__(self, table: pa.Table, config: Config) -> None:
        self.table = table
        self.config = config
        self.checks = ColumnChecks(table, config)
        self.faults = self.checks.faults
        self.ignored: dict[str, str] = {}
        self.divided: set[str] = set()
        self.warnings = warnings_of(table)
        self.conversions = conversions_of(table)

    def declared(
        self, entry: ColumnEntry[Any], kind: str, *, reason: str = "declared"
    ) -> Guess | None:
        """What is known of a column whose kind is set, or None if it can't be of that kind."""
        column = entry.column
        guess = declared_guess(kind, entry.values, column.decimal)
        if guess.fault:
            self.faults.add(self.config.at(*entry.keys), f"column {entry.name!r}: {guess.fault}")
            return None
        options = {**_separator(entry.values, kind), **column.options}
        if kind == "date":
            known = blank_words(entry.values, guess.missing)
            read = self.checks.attempt(
                entry.keys, declared_dates, entry.name, known, options=options
            )
            if read is None:
                return None
            options, conversions = read
            if not self._may_have_clock(entry, options.get("clock")):
                return None
            guess = replace(guess, conversions=conversions)
        return replace(guess, reason=reason, options=options)

    def _may_have_clock(self, entry: ColumnEntry[Any], clock: str | None) -> bool:
        """Whether a column can be the time of day of a date; it is no column of its own then."""
        if clock is None:
            return True
        if not self.checks.known(clock, *entry.keys, "clock"):
            return False
        if clock in {target.name for target in self.config.targets}:
            given = f"{clock!r} is a target, which it would give away"
            self.faults.add(self.config.at(*entry.keys, "clock"), given, fix="name another")
            return False
        self.ignored[clock] = f"the time of day of {entry.name!r}"
        return True

    def kind_told_by_values(self, entry: ColumnEntry[Any]) -> str | None:
        """The kind of a column whose options several kinds have, where its values tell which."""
        column = entry.column
        able = column.candidates
        fitting = [kind for kind in able if column.kinds[kind].accepts(entry.values)]
        if able and len(fitting) != 1:
            given = f"{listing(column.options)} given without a kind, and its values don't tell one"
            fix = "write `kind:` with the one that is meant"
            allowed = listing(fitting or able)
            self.faults.add(self.config.at(*entry.keys), given, allowed, fix=fix)
        return fitting[0] if len(fitting) == 1 else None

    def spec(self, entry: ColumnEntry[Any], guess: Guess) -> ColumnSpec:
        """The column as it will be read, with the notes on it."""
        column = entry.column
        target = isinstance(column, TargetConfig)
        role = f"{'target' if target else 'input'} {entry.name!r}"
        kind = str(guess.kind)
        self._warn_of_guess(entry, guess, role)
        # Notes on dates name their own way out.
        keep = "" if kind == "date" else "`kind: category` keeps the text"
        where = location(column=entry.name)
        self.conversions += [message(where, one, fix=keep) for one in guess.conversions]
        words = NULL_WORDS if column.missing_words is None else column.missing_words
        if column.missing is None:
            self._count_missing(entry.name, kind, (*words, *filter(is_marker, guess.missing)))
        field = self.table.schema.field(entry.name)
        decimals = None if kind in NUMBER_KINDS else decimals_of(field)
        spec = ColumnSpec(
            name=entry.name,
            kind=kind,
            options=guess.options,
            reason=guess.reason,
            weight=column.weight if target else 1.0,
            missing=tuple(dict.fromkeys([*words, *guess.missing])),
            number_format=guess.number_format,
            decimals=decimals,
            form=_form(field, decimals),
        )
        plain = blank_words(entry.values, spec.missing)
        if guess.number_format is not None and is_text(plain.type):
            read = guess.number_format.read(entry.name, one(plain.cast(pa.large_string())))
            plain = pa.chunked_array([read])
        self.warnings += suspects(role, kind, plain)
        return spec

    def _warn_of_guess(self, entry: ColumnEntry[ColumnConfig], guess: Guess, role: str) -> None:
        if guess.warning:
            target = isinstance(entry.column, TargetConfig)
            where = role if target else location(column=entry.name)
            self.warnings.append(f"{where}: {guess.warning}")
        if guess.rival:
            other = guess.rival if guess.rival in {**INPUT_KINDS, **TARGET_KINDS} else ""
            hint = f" or `kind: {other}`" if other else ", or put it under ignore"
            self.warnings.append(
                f"{role} is ambiguous: other rows of it could be taken for {guess.rival}; taken as "
                f"{guess.kind}; write `kind: {guess.kind}`{hint}"
            )

    def _count_missing(self, name: str, kind: str, words: tuple[str, ...]) -> None:
        """Notes how many cells are read as missing."""
        count = counted_words(self.table.column(name), words)
        if not count:
            return
        shown = listing(f"{number} {word!r}" for word, number in count.items())
        total = sum(count.values())
        given = f"{total} cell{'s' * (total > 1)} read as missing ({shown})"
        # Among numbers they can be nothing else.
        fix = "" if kind in NUMBER_KINDS else "`missing: []` keeps them"
        self.conversions.append(message(location(column=name), given, fix=fix))


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
