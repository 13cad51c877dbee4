"""From a table to the arrays of a model and back, fitted on training rows only."""

from __future__ import annotations

import re
import warnings
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

import numpy as np
import pyarrow as pa

from superpose.columns import Column
from superpose.errors import DataError, Faults, did_you_mean, location, message
from superpose.kinds import (
    INPUT_KINDS,
    TARGET_KINDS,
    InputKind,
    NamedClasses,
    Pictures,
    TargetKind,
    Unknown,
)
from superpose.stored import damaged

from ._codec_columns import context_of, values_of
from ._codec_fit import fit_kinds
from ._memory import require_memory
from .read._table_metadata import folder_of
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
    def fit(cls, table: pa.Table, schema: Schema, rows: np.ndarray) -> Self:
        """Learn every encoding from the given rows of a table.

        Args:
            table: all rows; those outside ``rows`` are only checked for values of the wrong type.
            schema: the columns and their kinds.
            rows: indices of the training rows.

        Raises:
            DataError: every wrong column at once; a constant target; no input that varies.
        """
        codec = cls(schema, [], {})
        fit_kinds(codec, table, rows)
        return codec

    @property
    def hideable_groups(self) -> dict[str, int]:
        """The blocks that modality dropout can hide row by row, and their padding in whole numbers.

        Images, sounds, texts and the like, but no columns of a table: their missing values come as
        they come. Nor inputs whose locations have a label each: without the words there is nothing
        to label. Where one of them is all that there is, it can't be hidden either.
        """
        labelled = {kind.locations.of for kind in self.target_kinds.values() if kind.locations}
        padding = {
            name: kinds[0].padding
            for name, kinds in self.input_groups.items()
            if kinds[0].group is None and kinds[0].column not in labelled
        }
        return padding if len(self.input_groups) > 1 else {}

    def group_of(self, column: str) -> str:
        """Name of the array that holds an input."""
        return next(
            name
            for name, kinds in self.input_groups.items()
            if any(kind.column == column for kind in kinds)
        )

    @property
    def input_groups(self) -> dict[str, list[InputKind]]:
        """Name of each array for the network, and the kinds that lie side by side in it."""
        groups: dict[str, list[InputKind]] = {}
        for position, kind in enumerate(self.input_kinds):
            # The names become those of modules and of exported inputs: letters and digits only.
            own = f"{kind.name}_{position}_{re.sub(r'[^0-9A-Za-z]+', '_', kind.column)}"
            groups.setdefault(kind.group or own, []).append(kind)
        return groups

    def _columns(self, table: pa.Table, only: str | None = None) -> dict[str, Column]:
        """Take the used inputs, or one, out of a table, whatever else it holds."""
        faults = Faults(DataError)
        specs = {spec.name: spec for spec in self.schema.inputs}
        columns = {}
        for kind in self.input_kinds:
            if only not in (None, kind.column):
                continue
            if has_column(table, kind.column):
                columns[kind.column] = values_of(
                    specs[kind.column], table, takes_lists=kind.hints.takes_lists
                )
            elif specs[kind.column].optional:
                columns[kind.column] = pa.chunked_array([pa.nulls(table.num_rows)])
            else:
                hint = did_you_mean(kind.column, table.column_names)
                faults.add(
                    location(column=kind.column),
                    "an input of the model, but not in the table",
                    fix=hint or "add it, with empty values if it was not measured",
                )
        faults.raise_any()
        return columns

    def input_values(self, table: pa.Table, column: str) -> Column:
        """The values of one input, as they stand."""
        return self._columns(table, column)[column]

    def inputs(self, table: pa.Table) -> dict[str, np.ndarray]:
        """Arrays for the network, one per group of inputs, rows first.

        Where the head of a target reads labels, and the table has them, they are an array too.

        Raises:
            DataError: every missing input column, or a value of the wrong type with its row.
        """
        columns = self._columns(table)
        _require_room(self.input_kinds, columns, table)
        arrays = {}
        for name, kinds in self.input_groups.items():
            parts = [_encoded(kind, columns[kind.column], table) for kind in kinds]
            arrays[name] = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)
        for spec in self.schema.targets:
            if self.target_kinds[spec.name].hints.reads_labels and has_column(table, spec.name):
                with warnings.catch_warnings():  # who reads the labels themselves is warned
                    warnings.simplefilter("ignore", UserWarning)
                    y = self._labels_of(spec, table)
                arrays[label_block(spec.name)] = y.reshape(len(y), -1)
        return arrays

    def pixels(self, column: str, table: pa.Table) -> np.ndarray:
        """The images of one input as the report shows them, uint8 (N, 3, H, W)."""
        kind = next(kind for kind in self.input_kinds if kind.column == column)
        assert isinstance(kind, Pictures), f"{column!r} holds no images"
        return kind.pixels(self.input_values(table, column), str(folder_of(table) or ""))

    def features(self, table: pa.Table) -> Features:
        """A matrix for trees; errors as for `inputs`."""
        columns = self._columns(table)
        matrices, categorical, names = [], [], []
        for kind in self.input_kinds:
            context = context_of(kind.hints.encode_needs, table, kind.name)
            matrix, codes, titles = kind.features(columns[kind.column], **context)
            matrices.append(matrix)
            categorical += codes
            names += titles
        return Features(np.concatenate(matrices, axis=1), categorical, names)

    def labels(self, table: pa.Table) -> dict[str, np.ndarray]:
        """Encoded labels by target, NaN where missing or where the table lacks the column."""
        rows = table.num_rows
        kinds = self.target_kinds
        labels = self.labels_of(table, kinds)
        return {
            t: labels[t] if t in labels else kind.distribution.missing(rows)
            for t, kind in kinds.items()
        }

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
            spec.name: values_of(
                spec, table, takes_lists=self.target_kinds[spec.name].hints.takes_lists
            )
            for spec in self.schema.targets
            if spec.name in targets and has_column(table, spec.name)
        }

    def unknown_labels(self, values: Mapping[str, Column]) -> dict[str, Unknown]:
        """Those labels of each target that are none of its classes, where there are any.

        Args:
            values: what `target_values` gave.
        """
        kinds = {name: self.target_kinds[name] for name in values}
        by_target = {
            name: kind.unknown(values[name])
            for name, kind in kinds.items()
            if isinstance(kind, NamedClasses)
        }
        return {name: unknown for name, unknown in by_target.items() if unknown.names}

    def require_inputs(self, table: pa.Table) -> None:
        """Make sure that a table has all inputs.

        Raises:
            DataError: every missing input column.
        """
        self._columns(table)

    def _labels_of(self, spec: ColumnSpec, table: pa.Table) -> np.ndarray:
        """The encoded labels of a target that the table has."""
        kind = self.target_kinds[spec.name]
        values = values_of(spec, table, takes_lists=kind.hints.takes_lists)
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
        *,
        threshold: Any = None,
        quantile: np.ndarray | None = None,
    ) -> dict[str, pa.Array]:
        """Columns of a target's predictions for the rows of a table, in the user's units."""
        kind = self.target_kinds[target]
        columns = kind.decode(pred, threshold, quantile)
        if kind.hints.reads_input and kind.locations is not None:
            beside = self._beside(kind, table)
            in_units = kind.locations.in_units
            columns = {name: in_units(values, **beside) for name, values in columns.items()}
        return columns

    def _beside(self, kind: TargetKind, table: pa.Table) -> dict[str, Any]:
        """What a target's labels are read with."""
        options = _folder(kind, table)
        if kind.hints.reads_input and kind.locations is not None:
            options["images"] = self.input_values(table, kind.locations.of)
        return options

    def _fits(self, kind: TargetKind, values: Column, table: pa.Table) -> np.ndarray | None:
        """Mark the rows whose labels of locations fit an input that can be read; None for all."""
        locations = kind.locations
        if locations is None or not has_column(table, locations.of):
            return None
        inputs = self.input_values(table, locations.of)
        fits = locations.fits(values, inputs, **_folder(kind, table))
        its = next(one for one in self.input_kinds if one.column == locations.of)
        if isinstance(its, Pictures):
            fits = fits & its.readable(inputs, str(folder_of(table) or ""))
        return np.asarray(fits)

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
        codec = cls(
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
        named = [(n, k.column, k.name) for n, k in codec.target_kinds.items()]
        if named != [(spec.name, spec.name, spec.kind) for spec in codec.schema.targets]:
            raise damaged("codec", ("targets",), "not the targets of the schema")
        if not {k.column for k in codec.input_kinds} <= set(codec.schema.input_names):
            raise damaged("codec", ("inputs",), "not the inputs of the schema")
        return codec


def label_block(target: str) -> str:
    """Name of the array with the labels of a target whose head reads them."""
    return f"labels {target}"


def _kind(table: Mapping[str, Any], state: Mapping[str, Any]) -> Any:
    name = str(state.get("kind"))
    if name not in table:
        raise DataError(message("codec", f"kind {name!r} in the stored state", ", ".join(table)))
    return table[name]


def _encoded(kind: InputKind, values: Column, table: pa.Table) -> np.ndarray:
    return kind.encode(values, **context_of(kind.hints.encode_needs, table, kind.name))


def _require_room(
    kinds: Sequence[InputKind], columns: Mapping[str, Column], table: pa.Table
) -> None:
    """Raise DataError where the arrays of all rows would not fit; one row tells their size."""
    each = 0.0
    largest = ("", 0.0)
    for kind in kinds:
        if kind.group is None and table.num_rows > 16 and not kind.skip_cross_fitting:
            one_row = columns[kind.column].slice(0, 1)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try:
                    taken = _encoded(kind, one_row, table).nbytes
                except DataError:  # raised for all rows together
                    continue
            each = each + taken
            largest = max(largest, (kind.column, taken), key=lambda x: x[1])
    what = f"{table.num_rows:,} rows, of which {largest[0]!r} is the largest part,"
    fix = "take fewer rows, or a smaller size, length, seconds or bins of this input"
    require_memory(each * table.num_rows, "inputs", what=what, fix=fix, error=DataError)


def _folder(kind: TargetKind, table: pa.Table) -> dict[str, Any]:
    return {"folder": str(folder_of(table) or "")} if kind.hints.reads_files else {}
