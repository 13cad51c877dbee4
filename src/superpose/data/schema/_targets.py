"""The targets of the schema: each has labels that differ, and a kind that can read them."""

from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from superpose.config import TargetConfig
from superpose.data.read._table_metadata import levels_of
from superpose.errors import listing
from superpose.kinds import TARGET_KINDS, TargetHints, TargetKind

from ._column_checks import ColumnEntry
from ._columns import Columns
from ._guess import Guess
from ._guessing import guess_target
from ._items import items_of
from ._label_inputs import LabelInputs
from ._schema import ColumnSpec


class TargetColumns:
    """Finds the targets.

    Args:
        columns: the table and its settings.
    """

    def __init__(self, columns: Columns) -> None:
        self.columns = columns
        self.checks = columns.checks
        self.config = columns.config
        self.faults = columns.faults
        self.label_inputs = LabelInputs(columns.checks, columns.ignored)

    def specs(self) -> list[ColumnSpec]:
        """The targets, in the order in which they are declared."""
        specs = [
            self.spec(self.checks.entry(("targets", index), target))
            for index, target in enumerate(self.config.targets)
            if self.checks.known(target.name, "targets", index)
        ]
        return [spec for spec in specs if spec is not None]

    def spec(self, entry: ColumnEntry[TargetConfig]) -> ColumnSpec | None:
        """One target, or None if it has a fault."""
        if not self._labelled(entry):
            return None
        before = len(self.faults.messages)
        guess = self.guess(entry)
        if guess is not None and guess.fault:
            self.faults.add(self.config.at(*entry.keys), f"target {entry.name!r}: {guess.fault}")
        if guess is None or len(self.faults.messages) > before:
            return None
        if not self._beside(entry, guess):
            return None
        if guess.kind not in TARGET_KINDS:
            # A date, an image, long text or words that all differ: an input at best.
            given = f"column {entry.name!r} can't be a target ({guess.reason})"
            fix = "choose another target, or set its `kind:`"
            self.faults.add(self.config.at(*entry.keys), given, listing(TARGET_KINDS), fix=fix)
            return None
        spec = self.columns.spec(entry, guess)
        kind = TARGET_KINDS[guess.kind]
        # Files are opened once, by the codec.
        return spec if reads_files_or_inputs(kind) else self._fitted(entry, spec, kind)

    def _beside(self, entry: ColumnEntry[TargetConfig], guess: Guess) -> bool:
        """Completes the options with the columns that labels are read with; False at a fault."""
        options = guess.options
        hints = TARGET_KINDS[guess.kind].hints if guess.kind in TARGET_KINDS else TargetHints()
        if hints.labels_of is not None:
            find = {"words": self.label_inputs.words_of, "image": self.label_inputs.image_of}
            labelled = find[hints.labels_of](entry)
            if labelled is None:
                return False
            if hints.labels_of == "words":
                self.columns.divided.add(labelled)
            options["of"] = labelled
        windows = self.config.windows
        if hints.looks_ahead and windows is not None:
            options["ahead"] = windows.horizons
            if entry.name in windows.columns:
                options.update(past=windows.name, channel=windows.columns.index(entry.name))
        event = options.get("event")
        if event is not None:
            if not self.checks.known(event, *entry.keys, "event"):
                return False
            self.columns.ignored[event] = f"it tells whether {entry.name!r} was seen"
        return True

    def _fitted(
        self, entry: ColumnEntry[TargetConfig], spec: ColumnSpec, kind: type[TargetKind]
    ) -> ColumnSpec | None:
        """The target, if its kind can be fitted to it.

        Fitting is its own best check; what it learns here is thrown away.
        """
        table = self.columns.table
        options = dict(spec.options)
        if kind.hints.has_items:
            before = len(self.faults.messages)
            if not self._free_columns(entry):
                return None
            items = self.checks.attempt(entry.keys, items_of, spec.name, spec.options, table)
            if len(self.faults.messages) > before:
                return None
            options["items"] = items
        fitted = self.checks.attempt(
            entry.keys,
            lambda name, **kept: kind.fit(name, spec.values(table), **kept),
            spec.name,
            **options,
        )
        if fitted is None:
            return None
        if fitted.constant_reason:
            self._refuse_constant(entry, fitted.constant_reason)
            return None
        if fitted.interpretation:
            spec = replace(spec, reason=f"{spec.reason}; {fitted.interpretation}")
        return spec

    def _labelled(self, entry: ColumnEntry[TargetConfig]) -> bool:
        """Whether a target has two labels that differ; if not, that is a fault."""
        known = entry.values.drop_null()
        if len(known) < 2:
            given = "no row has a label" if not len(known) else "only one row has a label"
            self.faults.add(
                self.config.at(*entry.keys),
                f"target {entry.name!r}: {given}",
                "at least 2 labelled rows",
                fix="take it out, or give more labels",
            )
            return False
        if not pa.types.is_nested(known.type) and pc.count_distinct(known).as_py() == 1:
            self._refuse_constant(entry, f"every labelled row is {known[0].as_py()!r}")
            return False
        return True

    def _refuse_constant(self, entry: ColumnEntry[TargetConfig], reason: str) -> None:
        """Keeps the fault of a target that has one value only."""
        self.faults.add(
            self.config.at(*entry.keys),
            f"target {entry.name!r} is constant: {reason}",
            "at least 2 different labels",
            fix="take it out, or give rows with another label",
        )

    def _free_columns(self, entry: ColumnEntry[TargetConfig]) -> bool:
        """Whether the columns that describe a target's items are there, and used for nothing else.

        As inputs they would give the item away.
        """
        before = len(self.faults.messages)
        inputs = [] if self.config.inputs == "auto" else self.config.inputs
        taken = {column.name for column in [*inputs, *self.config.targets]}
        for index, name in enumerate(entry.column.options.get("columns") or ()):
            where = (*entry.keys, "columns", index)
            if self.checks.known(name, *where) and name in taken:
                given = f"{name!r} is also an input or a target"
                fix = "take it out there: it would give the item away"
                self.faults.add(self.config.at(*where), given, fix=fix)
            self.columns.ignored[name] = f"it describes the items of {entry.name!r}"
        return len(self.faults.messages) == before

    def guess(self, entry: ColumnEntry[TargetConfig]) -> Guess | None:
        """The kind of a target: declared, shown by its levels, or guessed."""
        target = entry.column
        levels = levels_of(self.columns.table, entry.name)
        kind = target.declared_kind or self.columns.kind_told_by_values(entry)
        reason = "declared" if target.kind else f"{listing(target.options)} given"
        if kind is None:
            shown = self._shown_by_values(entry, levels)
            if isinstance(shown, Guess):
                return shown
            kind = shown.name
            reason = shown.hints.guess_reason
        known = self.columns.declared(entry, kind, reason=reason)
        ordered = [family.name for family in _guessed_from("ordered levels")]
        if known is not None and kind in ordered and levels is not None:
            known.options.setdefault("levels", list(levels))
        return known

    def _shown_by_values(
        self, entry: ColumnEntry[TargetConfig], levels: list[object] | None
    ) -> type[TargetKind] | Guess:
        """The kind that levels, other columns or the form of values show; else the guess."""
        shown: list[type[TargetKind]] = []
        # Two levels have no more order than yes and no.
        if levels is not None and len(levels) > 2:
            shown += _guessed_from("ordered levels")
        if not shown and self.label_inputs.lists_like(entry):
            shown += _guessed_from("word lists")
        if not shown:
            shown += [kind for kind in _guessed_from("values") if kind.accepts(entry.values)]
        if shown:
            return shown[0]
        guess = guess_target(entry.values)
        if guess.kind == "image" and self.label_inputs.images():
            shown += _guessed_from("image files")
        return shown[0] if shown else guess


def _guessed_from(sign: str) -> list[type[TargetKind]]:
    """The kinds of targets that are guessed from a sign; see `TargetHints`."""
    return [kind for kind in TARGET_KINDS.values() if kind.hints.guess_from == sign]


def reads_files_or_inputs(kind: type[TargetKind]) -> bool:
    """Whether the labels of a kind can't be read from their column alone, but beside an image."""
    return kind.hints.reads_files or kind.hints.reads_input
