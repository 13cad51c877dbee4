"""The inputs of the schema: declared, or guessed from all columns that nothing else uses."""

from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from superpose.columns import is_text
from superpose.config import InputConfig
from superpose.kinds import INPUT_KINDS

from ._column_checks import ColumnEntry, Keys
from ._columns import Columns
from ._guessing import MOST_INPUT_LEVELS, guess_input
from ._guessing_dates import days_beside_clocks
from ._schema import ColumnSpec


class InputColumns:
    """Finds the inputs.

    Args:
        columns: the table and its settings, once the targets are looked at.
    """

    def __init__(self, columns: Columns) -> None:
        self.columns = columns
        self.checks = columns.checks
        self.config = columns.config

    def specs(self) -> list[ColumnSpec]:
        """The columns to predict from."""
        specs = [
            self.spec(self.checks.entry(keys, column))
            for keys, column in self._named()
            if self.checks.known(column.name, *keys)
        ]
        used = [spec for spec in specs if spec is not None]
        if not self.checks.faults.messages:
            self.columns.warnings += days_beside_clocks(self.columns.table, used)
        return used

    def _named(self) -> list[tuple[Keys, InputConfig]]:
        if self.config.inputs != "auto":
            return [(("inputs", index), column) for index, column in enumerate(self.config.inputs)]
        taken = {target.name for target in self.config.targets} | set(self.columns.ignored)
        names = self.columns.table.column_names
        return [(("inputs",), InputConfig(name=name)) for name in names if name not in taken]

    def spec(self, entry: ColumnEntry[InputConfig]) -> ColumnSpec | None:
        """One input, or None if it is not used."""
        column = entry.column
        known = self._divided(column) or self._windows(entry)
        if known is not None:
            return known
        if column.declared_kind is not None:
            return self.declared(entry, column.declared_kind)
        guess = guess_input(entry.name, entry.values)
        if column.candidates:
            kind = guess.kind
            if kind not in column.candidates:
                kind = self.columns.kind_told_by_values(entry)
            return self.declared(entry, kind) if kind else None
        if guess.fault:
            where = self.config.at(*entry.keys)
            self.checks.faults.add(where, f"column {entry.name!r}: {guess.fault}")
            return None
        if guess.kind is None and (self.config.inputs == "auto" or guess.otherwise is None):
            self.columns.ignored[entry.name] = guess.reason
            fix = "; to use it, name it and its kind under inputs" if guess.otherwise else ""
            warning = f"column {entry.name!r} is not used: {guess.reason}{fix}"
            self.columns.warnings.append(warning)
            return None
        kind = guess.kind or guess.otherwise
        assert kind is not None
        reason = guess.reason if guess.kind else f"named under inputs; {guess.reason}"
        return self.columns.spec(entry, replace(guess, kind=kind, reason=reason))

    def _divided(self, column: InputConfig) -> ColumnSpec | None:
        """An input whose words get a label each."""
        if column.name not in self.columns.divided:
            return None
        if column.declared_kind == "pretrained-text":
            options = {**column.options, "divided": True}
            return ColumnSpec(column.name, column.declared_kind, options, "declared")
        if column.kind in (None, "text"):
            reason = "declared" if column.kind else "its words have a label each"
            return ColumnSpec(column.name, "text", {**column.options, "unit": "divided"}, reason)
        return None

    def _windows(self, entry: ColumnEntry[InputConfig]) -> ColumnSpec | None:
        """The input that holds the windows."""
        windows = self.config.windows
        column = entry.column
        if (
            windows is None
            or column.name != windows.name
            or column.declared_kind not in (None, "series")
        ):
            return None
        if "channels" in column.options:
            where = self.config.at(*entry.keys, "channels")
            given = "given beside windows, whose columns they are"
            self.checks.faults.add(where, given, fix="remove it")
        options = {**column.options, "channels": windows.columns}
        return ColumnSpec(column.name, "series", options, "cut as windows says")

    def declared(self, entry: ColumnEntry[InputConfig], kind: str) -> ColumnSpec | None:
        """An input whose kind the user has set."""
        guess = self.columns.declared(entry, kind)
        if guess is None:
            return None
        if kind in ("category", "binary") and is_text(entry.values.type):
            levels = pc.count_distinct(entry.values).as_py()
            if levels > MOST_INPUT_LEVELS:
                self.checks.faults.add(
                    self.config.at(*entry.keys, "kind"),
                    f"column {entry.name!r} has {levels} different values",
                    f"at most {MOST_INPUT_LEVELS} for a category",
                    fix="write `kind: text` or `kind: number`, or put it under ignore",
                )
                return None
        spec = self.columns.spec(entry, guess)
        codec = INPUT_KINDS[kind]
        # Files are opened once, by the codec.
        if "folder" not in codec.hints.fit_needs:
            # Whether a kind takes lists or structures at all shows in fitting it only.
            check = codec.fit if pa.types.is_nested(entry.values.type) else codec.check
            self.checks.attempt(
                entry.keys,
                lambda name, **kept: check(name, spec.values(self.columns.table), **kept),
                entry.name,
                **spec.options,
            )
        return spec
