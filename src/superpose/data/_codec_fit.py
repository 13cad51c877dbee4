"""How the codec is fitted: a kind for each column, from training rows only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from superpose.columns import present
from superpose.errors import DataError, Faults
from superpose.kinds import INPUT_KINDS, TARGET_KINDS, TargetKind

from ._codec_columns import context_of, values_of
from .read._table_metadata import folder_of
from .schema._items import items_of
from .schema._schema import ColumnSpec

if TYPE_CHECKING:
    from ._codec import Codec


def fit_kinds(codec: Codec, table: pa.Table, rows: np.ndarray) -> None:
    """Fit the kinds of all columns of a codec that has none yet.

    Args:
        codec: takes them and the notes on them.
        table: all rows; those outside ``rows`` are only checked for values of the wrong type.
        rows: indices of the training rows.

    Raises:
        DataError: every wrong column at once; a constant target; no input that varies.
    """
    faults = Faults(DataError)
    picked = pa.array(np.asarray(rows, np.int64))
    for spec in codec.schema.inputs:
        try:
            _fit_input(codec, spec, table, picked=picked)
        except DataError as error:
            faults.extend(error)
    for spec in codec.schema.targets:
        try:
            codec.target_kinds[spec.name] = kind = _fit_target(codec, spec, table, picked=picked)
            codec.warnings += kind.notes
            codec.conversions += kind.conversions
        except DataError as error:
            faults.extend(error)
    faults.raise_any()
    if not codec.input_kinds:
        reasons = ", ".join(f"{name!r} ({why})" for name, why in codec.dropped.items())
        raise DataError(f"inputs: none is left to learn from: {reasons or 'none was given'}")


def _fit_input(codec: Codec, spec: ColumnSpec, table: pa.Table, *, picked: pa.Array) -> None:
    family = INPUT_KINDS[spec.kind]
    hints = family.hints
    values = values_of(spec, table, takes_lists=hints.takes_lists)
    mapped = any(target.options.get("of") == spec.name for target in codec.schema.targets)
    options = {**spec.options, **context_of(hints.fit_needs, table, spec.kind, mapped=mapped)}
    family.check(spec.name, values, **options)
    seen = values.take(picked)
    kind = family.fit(spec.name, seen, **options)
    if kind.drop_reason:
        codec.dropped[spec.name] = kind.drop_reason
        codec.warnings.append(
            f"input {spec.name!r}: {kind.drop_reason} in the training rows; it is not used"
        )
        return
    codec.warnings += kind.notes
    codec.conversions += kind.conversions
    codec.gaps[spec.name] = 1 - float(present(seen).mean())
    codec.input_kinds.append(kind)


def _fit_target(codec: Codec, spec: ColumnSpec, table: pa.Table, *, picked: pa.Array) -> TargetKind:
    family = TARGET_KINDS[spec.kind]
    values = values_of(spec, table, takes_lists=family.hints.takes_lists)
    options = {**spec.options, **_input_options(codec, spec)}
    if family.hints.reads_files:
        options["folder"] = str(folder_of(table) or "")
    if family.hints.reads_input:
        of = str(spec.options["of"])
        options["images"] = codec.input_values(table, of).take(picked)
    if family.hints.has_items:
        options["items"] = items_of(spec.name, spec.options, table, rows=picked)
    family.check(spec.name, values, **options)
    try:
        kind = family.fit(spec.name, values.take(picked), **options)
    except DataError:
        if family.hints.reads_input:
            # The rows that it names are those of the part; of all rows they are the table's.
            options["images"] = codec.input_values(table, of)
            family.fit(spec.name, values, **options)
        raise
    if kind.constant_reason and not spec.options.get("levels"):
        raise DataError(
            f"target {spec.name!r}: {kind.constant_reason}; there is nothing to learn; give "
            f"other rows or another split, or take it out"
        )
    return kind


def _input_options(codec: Codec, spec: ColumnSpec) -> dict[str, Any]:
    """What the input that a target belongs to offers: its locations, or its channels."""
    known = {kind.column: kind for kind in codec.input_kinds}
    of, past = spec.options.get("of"), spec.options.get("past")
    if of is None:
        return known[past].target_options if past in known else {}
    options = known[of].target_options if of in known else {}
    if "places" not in options:
        why = codec.dropped.get(of, "no input with a map")
        raise DataError(
            f"target {spec.name!r}: its input {of!r} can't be read location by location ({why})"
        )
    return options
