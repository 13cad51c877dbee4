"""From a table to the arrays of a model and back, fitted on training rows only."""

from __future__ import annotations

import re
import warnings
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

import numpy as np
import pyarrow as pa

from superpose.columns import Column, holds_files, plain, present
from superpose.errors import DataError, Faults, did_you_mean, message, place
from superpose.kinds import INPUT_KINDS, TARGET_KINDS, InputKind, NamedClasses, TargetKind, Unknown
from superpose.stored import damaged

from ._memory import require_memory
from .read._reading import folder_of
from .schema._items import items_of
from .schema._schema import ColumnSpec, Schema, has_column


class Features(NamedTuple):
    """Inputs as trees read them.

    Args:
        matrix: float32 (N, F), NaN where missing.
        categorical: for each feature whether its numbers are codes of categories.
        names: names of the features.
    """

    matrix: np.ndarray
    categorical: list[bool]
    names: list[str]


@dataclass
class Codec:
    """The fitted kinds of all columns of a schema.

    Args:
        schema: the columns and their kinds.
        input_kinds: fitted inputs that carry something, in the order of the schema.
        target_kinds: fitted targets by name, in the order of the schema.
        warnings: what the user should know, one sentence each.
        conversions: what is read otherwise than it is written, one sentence each.
        dropped: name of each input that can't help any prediction, and why.
        gaps: share of the training rows in which each input has no value.

    Example:
        >>> from superpose.data.schema._schema import ColumnSpec, Schema
        >>> table = pa.table({"x": [1.0, 2.0, 3.0], "y": [0, 1, 0]})
        >>> schema = Schema([ColumnSpec("x", "number")], [ColumnSpec("y", "binary")])
        >>> codec = Codec.fit(table, schema, np.arange(3))
        >>> codec.inputs(table)["numbers"].shape, codec.labels(table)["y"].tolist()
        ((3, 1), [0.0, 1.0, 0.0])
    """

    schema: Schema
    input_kinds: list[InputKind]
    target_kinds: dict[str, TargetKind]
    warnings: list[str] = field(default_factory=list)
    conversions: list[str] = field(default_factory=list)
    dropped: dict[str, str] = field(default_factory=dict)
    gaps: dict[str, float] = field(default_factory=dict)

    @classmethod
    def fit(
        cls,
        table: pa.Table,
        schema: Schema,
        rows: np.ndarray,
    ) -> Self:
        """Learn every encoding from the given rows of a table.

        Args:
            table: all rows; those outside ``rows`` are only checked for values of the wrong type.
            schema: the columns and their kinds.
            rows: indices of the training rows.

        Raises:
            DataError: every wrong column at once; a constant target; no input that varies.
        """
        faults = Faults(DataError)
        picked = pa.array(np.asarray(rows, np.int64))
        codec = cls(schema, [], {})
        for spec in schema.inputs:
            try:
                codec._add_input(spec, table, picked)
            except DataError as error:
                faults.extend(error)
        for spec in schema.targets:
            try:
                codec.target_kinds[spec.name] = kind = codec._fit_target(spec, table, picked)
                codec.warnings += kind.notes
                codec.conversions += kind.conversions
            except DataError as error:
                faults.extend(error)
        faults.raise_any()
        if not codec.input_kinds:
            reasons = ", ".join(f"{name!r} ({why})" for name, why in codec.dropped.items())
            raise DataError(f"inputs: none is left to learn from: {reasons or 'none was given'}")
        return codec

    def _add_input(self, spec: ColumnSpec, table: pa.Table, picked: pa.Array) -> None:
        family = INPUT_KINDS[spec.kind]
        values = _values(spec, table, family)
        options = {**spec.options, **_folder(family, table)}
        if family.wants_map:
            options["mapped"] = any(t.options.get("of") == spec.name for t in self.schema.targets)
        family.check(spec.name, values, **options)
        seen = values.take(picked)
        kind = family.fit(spec.name, seen, **options)
        if kind.useless:
            self.dropped[spec.name] = kind.useless
            self.warnings.append(
                f"input {spec.name!r}: {kind.useless} in the training rows; it is not used"
            )
            return
        self.warnings += kind.notes
        self.conversions += kind.conversions
        self.gaps[spec.name] = 1 - float(present(seen).mean())
        self.input_kinds.append(kind)

    def _fit_target(self, spec: ColumnSpec, table: pa.Table, picked: pa.Array) -> TargetKind:
        family = TARGET_KINDS[spec.kind]
        values = _values(spec, table, family)
        options = {**spec.options, **self._layout(spec), **_folder(family, table)}
        if family.needs_source:
            source = str(spec.options["of"])
            options["source"] = self._columns(table, source)[source].take(picked)
        if family.has_items:
            options["items"] = items_of(spec.name, spec.options, table, rows=picked)
        family.check(spec.name, values, **options)
        try:
            kind = family.fit(spec.name, values.take(picked), **options)
        except DataError:
            if family.needs_source:
                # The rows that it names are those of the part; of all rows they are the table's.
                options["source"] = self._columns(table, source)[source]
                family.fit(spec.name, values, **options)
            raise
        if kind.constant_reason and not spec.options.get("levels"):
            raise DataError(
                f"target {spec.name!r}: {kind.constant_reason}; there is nothing to learn; give "
                f"other rows or another split, or take it out"
            )
        return kind

    def _layout(self, spec: ColumnSpec) -> dict[str, Any]:
        """The options that tell a target of an input how that is laid out, and its places."""
        known = {kind.column: kind for kind in self.input_kinds}
        source, past = spec.options.get("of"), spec.options.get("past")
        if source is None:
            return known[past].layout if past in known else {}
        places = known[source].places if source in known else None
        if places is None:
            why = self.dropped.get(source, "no input with a map")
            raise DataError(
                f"target {spec.name!r}: its input {source!r} can't be read place by place ({why})"
            )
        return {"places": places, **known[source].layout}

    def block_of(self, column: str) -> str:
        """Name of the array that holds an input."""
        return next(
            name
            for name, kinds in self.blocks.items()
            if any(kind.column == column for kind in kinds)
        )

    @property
    def blocks(self) -> dict[str, list[InputKind]]:
        """Name of each array for the network, and the kinds that lie side by side in it."""
        found: dict[str, list[InputKind]] = {}
        for position, kind in enumerate(self.input_kinds):
            # The names become those of modules and of exported inputs: letters and digits only.
            own = f"{kind.name}_{position}_{re.sub(r'[^0-9A-Za-z]+', '_', kind.column)}"
            found.setdefault(kind.block or own, []).append(kind)
        return found

    def _columns(self, table: pa.Table, only: str | None = None) -> dict[str, Column]:
        """Take the used inputs, or one, out of a table, whatever else it holds."""
        faults = Faults(DataError)
        specs = {spec.name: spec for spec in self.schema.inputs}
        columns = {}
        for kind in self.input_kinds:
            if only not in (None, kind.column):
                continue
            if has_column(table, kind.column):
                columns[kind.column] = _values(specs[kind.column], table, type(kind))
            elif specs[kind.column].optional:
                columns[kind.column] = pa.chunked_array([pa.nulls(table.num_rows)])
            else:
                hint = did_you_mean(kind.column, table.column_names)
                faults.add(
                    place(column=kind.column),
                    "an input of the model, but not in the table",
                    fix=hint or "add it, with empty values if it was not measured",
                )
        faults.raise_any()
        return columns

    def _encoded(self, kind: InputKind, values: Column, table: pa.Table) -> np.ndarray:
        return kind.encode(values, **_folder(type(kind), table))

    def inputs(self, table: pa.Table) -> dict[str, np.ndarray]:
        """Arrays for the network, one per block, rows first.

        Where the head of a target reads labels, and the table has them, they are a block too.

        Raises:
            DataError: every missing input column, or a value of the wrong type with its row.
        """
        columns = self._columns(table)
        self._require_room(columns, table)
        blocks = {}
        for name, kinds in self.blocks.items():
            parts = [self._encoded(kind, columns[kind.column], table) for kind in kinds]
            blocks[name] = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)
        for spec in self.schema.targets:
            if self.target_kinds[spec.name].reads_labels and has_column(table, spec.name):
                with warnings.catch_warnings():  # whoever reads the labels themselves is told
                    warnings.simplefilter("ignore", UserWarning)
                    y = self._labels_of(spec, table)
                blocks[label_block(spec.name)] = y.reshape(len(y), -1)
        return blocks

    def _require_room(self, columns: Mapping[str, Column], table: pa.Table) -> None:
        """Raise DataError where the arrays of all rows would not fit; one row tells their size."""
        each, largest = 0.0, ("", 0.0)
        for kind in self.input_kinds:
            if kind.block is None and table.num_rows > 16 and not kind.slow:
                one_row = columns[kind.column].slice(0, 1)
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    try:
                        taken = self._encoded(kind, one_row, table).nbytes
                    except DataError:  # it is told of all rows together
                        continue
                each, largest = each + taken, max(largest, (kind.column, taken), key=lambda x: x[1])
        what = f"{table.num_rows:,} rows, of which {largest[0]!r} is the largest part,"
        fix = "take fewer rows, or a smaller size, length, seconds or bins of this input"
        require_memory(each * table.num_rows, "inputs", what=what, fix=fix, error=DataError)

    def pixels(self, source: str, table: pa.Table) -> np.ndarray:
        """The images of one input as the report shows them, uint8 (N, 3, H, W)."""
        kind = next(one for one in self.input_kinds if one.column == source)
        values = self._columns(table, source)[source]
        return kind.pixels(values, **_folder(type(kind), table))

    def features(self, table: pa.Table) -> Features:
        """A matrix for trees; errors as for `inputs`."""
        columns = self._columns(table)
        matrices, categorical, names = [], [], []
        for kind in self.input_kinds:
            folder = _folder(type(kind), table)
            matrix, codes, titles = kind.features(columns[kind.column], **folder)
            matrices.append(matrix)
            categorical += codes
            names += titles
        return Features(np.concatenate(matrices, axis=1), categorical, names)

    def labels(self, table: pa.Table) -> dict[str, np.ndarray]:
        """Encoded labels by target, NaN where missing or where the table lacks the column."""
        rows, kinds = table.num_rows, self.target_kinds
        found = self.labels_of(table, kinds)
        return {t: found[t] if t in found else kinds[t].unlabelled(rows) for t in kinds}

    def labels_of(self, table: pa.Table, targets: Collection[str]) -> dict[str, np.ndarray]:
        """Encoded labels of those targets that a table has, NaN where missing."""
        return {
            spec.name: self._labels_of(spec, table)
            for spec in self.schema.targets
            if spec.name in targets and has_column(table, spec.name)
        }

    def target_values(self, table: pa.Table, targets: Collection[str]) -> dict[str, Column]:
        """Labels of those targets that a table has, as they stand, null where missing."""
        return {
            spec.name: _values(spec, table, type(self.target_kinds[spec.name]))
            for spec in self.schema.targets
            if spec.name in targets and has_column(table, spec.name)
        }

    def unknown_labels(self, values: Mapping[str, Column]) -> dict[str, Unknown]:
        """Those labels of each target that are none of its classes, where there are any.

        Args:
            values: what `target_values` gave.
        """
        kinds = {name: self.target_kinds[name] for name in values}
        found = {
            name: kind.unknown(values[name])
            for name, kind in kinds.items()
            if isinstance(kind, NamedClasses)
        }
        return {name: unknown for name, unknown in found.items() if unknown.names}

    def require_inputs(self, table: pa.Table) -> None:
        """Make sure that a table has all inputs.

        Raises:
            DataError: every missing input column.
        """
        self._columns(table)

    def _labels_of(self, spec: ColumnSpec, table: pa.Table) -> np.ndarray:
        """The encoded labels of a target that the table has."""
        kind = self.target_kinds[spec.name]
        values = _values(spec, table, type(kind))
        fits = self._fits(kind, values, table)
        y = kind.encode(values, **self._beside(kind, table))
        if fits is not None:
            y = np.where(fits[:, None], y, np.nan)
        return np.asarray(y, np.float32)

    def decode(
        self,
        target: str,
        pred: np.ndarray,
        table: pa.Table,
        threshold: Any = None,
        interval: np.ndarray | None = None,
    ) -> dict[str, pa.Array]:
        """Columns of a target's predictions for the rows of a table, in the user's units."""
        kind = self.target_kinds[target]
        columns = kind.decode(pred, threshold, interval)
        if kind.needs_source:
            beside = self._beside(kind, table)
            columns = {n: kind.in_source(told, **beside) for n, told in columns.items()}
        return columns

    def _beside(self, kind: TargetKind, table: pa.Table) -> dict[str, Any]:
        """What a target's labels are read with."""
        options: dict[str, Any] = _folder(type(kind), table)
        if kind.needs_source and kind.source is not None:
            options["source"] = self._columns(table, kind.source)[kind.source]
        return options

    def _fits(self, kind: TargetKind, values: Column, table: pa.Table) -> np.ndarray | None:
        """Mark the rows whose labels of places fit an input that can be read; None for all."""
        if kind.source is None or not has_column(table, kind.source):
            return None
        source = next(one for one in self.input_kinds if one.column == kind.source)
        places = self._columns(table, kind.source)[kind.source]
        fits = kind.aligned(values, places, **_folder(type(kind), table))
        return np.asarray(fits & source.present(places, **_folder(type(source), table)))

    def state(self) -> dict[str, Any]:
        """Everything needed to rebuild the codec, JSON-able."""
        return {
            "schema": self.schema.state(),
            "inputs": [kind.state() for kind in self.input_kinds],
            "targets": {name: kind.state() for name, kind in self.target_kinds.items()},
            "warnings": list(self.warnings),
            "conversions": list(self.conversions),
            "dropped": dict(self.dropped),
            "gaps": dict(self.gaps),
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """Rebuild a codec from its `state`.

        Raises:
            DataError: a kind that this version does not know.
            BundleError: a damaged state.
        """
        found = cls(
            schema=Schema.from_state(state["schema"]),
            input_kinds=[_kind(INPUT_KINDS, s).from_state(s) for s in state["inputs"]],
            target_kinds={
                name: _kind(TARGET_KINDS, s).from_state(s) for name, s in state["targets"].items()
            },
            warnings=list(state["warnings"]),
            conversions=list(state["conversions"]),
            dropped=dict(state["dropped"]),
            gaps=dict(state.get("gaps", {})),  # bundles of earlier versions have none
        )
        named = [(n, k.column, k.name) for n, k in found.target_kinds.items()]
        if named != [(spec.name, spec.name, spec.kind) for spec in found.schema.targets]:
            raise damaged("codec", ("targets",), "not the targets of the schema")
        if not {k.column for k in found.input_kinds} <= set(found.schema.input_names):
            raise damaged("codec", ("inputs",), "not the inputs of the schema")
        return found


def label_block(target: str) -> str:
    """Name of the array with the labels of a target whose head reads them."""
    return f"labels {target}"


def _kind(table: Mapping[str, Any], state: Mapping[str, Any]) -> Any:
    name = str(state.get("kind"))
    if name not in table:
        raise DataError(message("codec", f"kind {name!r} in the stored state", ", ".join(table)))
    return table[name]


def _folder(family: type[InputKind | TargetKind], table: pa.Table) -> dict[str, str]:
    if not family.needs_folder:
        return {}
    return {"folder": str(folder_of(table) or "")}


def _values(spec: ColumnSpec, table: pa.Table, family: Any) -> Column:
    """Take a column out of a table; nested values go only to kinds that hold several per row."""
    values = spec.values(table)
    if holds_files(values.type) and not family.takes_lists:
        given = f"declared as {spec.kind}, but it holds whole files"
        fix = "write each to a file, and put its path in the column"
        raise DataError(message(place(column=spec.name), given, "paths of files", fix=fix))
    if pa.types.is_nested(plain(values).type) and not family.takes_lists:
        raise DataError(
            message(
                place(column=spec.name),
                f"declared as {spec.kind}, but it holds {values.type}",
                "one value per row",
                fix="declare it as kind multicategory (input) or multilabel (target)",
            )
        )
    return values
