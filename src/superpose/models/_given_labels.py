"""Reading measured targets from a table: only those that were named, checked as in training."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from superpose.columns import Column, present
from superpose.data import Codec
from superpose.errors import DataError, Faults, did_you_mean, listing, location, message
from superpose.kinds import TargetKind, Unknown

AUTO = "auto"


def given_names(codec: Codec, table: pa.Table, given: str | Sequence[str] | None) -> list[str]:
    """Return the targets that are to be read as measured.

    Args:
        codec: Fitted codec.
        table: The rows.
        given: Names, "auto" for every target that the table holds, or None for none.

    Raises:
        DataError: Every name that is no target, and every target that is not in the table.
    """
    targets = codec.target_kinds
    if given is None:
        return []
    if isinstance(given, str):
        if given == AUTO:
            # A column without any value, as in a table that is to be filled in, has none to give.
            there = set(table.column_names)
            return [t for t in targets if t in there and present(table.column(t)).any()]
        given = [given]
    faults = Faults(DataError)
    for name in given:
        if name not in targets:
            fix = "give targets only; inputs are read anyway"
            no_target(faults, "given", name, codec=codec, otherwise=fix)
        elif name not in table.column_names:
            fix = "add the column, empty where it was not measured, or leave it out of given"
            faults.add(location(column=name), "given, but not in the table", fix=fix)
    faults.raise_any()
    return list(dict.fromkeys(given))


def scored_given(codec: Codec, table: pa.Table, given: str | Sequence[str] | None) -> list[str]:
    """Return what ``given_names`` does, for a table whose other labels are to be scored.

    Raises:
        DataError: As ``given_names``; no target in the table, or none that is not given.
    """
    targets = codec.target_kinds
    if not targets.keys() & set(table.column_names):
        only = f"only the columns {listing(table.column_names)}"
        allowed = f"at least one of the targets {listing(targets)}"
        raise DataError(message("labels", only, allowed, fix="name a table with labels"))
    names = given_names(codec, table, given)
    if len(names) == len(targets):
        wrong = "every target is given, so none is left to score"
        raise DataError(message("given", wrong, fix="name fewer targets"))
    return names


def no_target(faults: Faults, key: str, name: str, *, codec: Codec, otherwise: str = "") -> None:
    """Keep the fault of a name that is no target of the model."""
    fix = did_you_mean(name, codec.target_kinds) or otherwise
    faults.add(key, f"{name!r} is no target of this model", listing(codec.target_kinds), fix=fix)


def given_labels(
    codec: Codec, table: pa.Table, names: Sequence[str], *, planning: bool = False
) -> dict[str, np.ndarray]:
    """Encode the measured values of the named targets; all others are NaN, whatever the table has.

    Warns where a value lies outside of what training has seen, with its row, and where no row has a
    value of any of the targets, unless the question is what to measure (`planning`).

    Raises:
        DataError: Every value that is no class of its target, or can't be read.
    """
    faults = Faults(DataError)
    rows = table.num_rows
    labels = {t: kind.distribution.missing(rows) for t, kind in codec.target_kinds.items()}
    for name in names:
        kind = codec.target_kinds[name]
        try:
            values = codec.target_values(table, [name])
            if unknown := codec.unknown_labels(values):
                _no_class(faults, kind, unknown[name])
                continue
            with warnings.catch_warnings():
                if not _of_files(kind):  # what is passed over is a fault here
                    warnings.simplefilter("ignore", UserWarning)
                labels |= codec.labels_of(table, [name])
            _require_read(faults, kind, values[name], y=labels[name])
        except DataError as error:
            faults.extend(error)
    faults.raise_any()
    kinds = {name: codec.target_kinds[name] for name in names}
    known = any(kind.distribution.known(labels[t]).any() for t, kind in kinds.items())
    if names and rows > 1 and not (known or planning):
        what = f"none of {rows} rows has a value of {listing(names)}"
        fix = "the prediction is that of nothing given"
        warnings.warn(message("given", what, fix=fix), stacklevel=3)
    for name, kind in kinds.items():
        _warn_outside(kind, table, labels[name])
    return labels


def _of_files(kind: TargetKind) -> bool:
    """Whether labels lie in files, or beside an input: each that can't be read is warned of."""
    return kind.hints.reads_files or kind.hints.reads_input


def _no_class(faults: Faults, kind: TargetKind, unknown: Unknown) -> None:
    """Keep the fault of given labels that are no class of their target."""
    first = unknown.names[0]
    row = int(unknown.rows[0])
    fix = did_you_mean(first, kind.labels) or "mend it, or leave it empty where it is not known"
    given = f"{first!r} given, which is no class of this model ({len(unknown.names)} such)"
    faults.add(location(column=kind.column, row=row), given, listing(kind.labels), fix=fix)


def _require_read(faults: Faults, kind: TargetKind, values: Column, *, y: np.ndarray) -> None:
    """Keep the fault of given values that would be passed over, such as infinite ones."""
    lost = np.flatnonzero(present(values) & ~kind.distribution.known(y))
    # An empty list of words has no label either.
    if len(lost) and not _of_files(kind):
        row = int(lost[0])
        more = f" and {len(lost) - 1} more rows" if len(lost) > 1 else ""
        given = f"{values[row].as_py()!r} given, which can't be read as {kind.name}"
        fix = "mend the value, or leave it empty where it is not known"
        faults.add(f"{location(column=kind.column, row=row)}{more}", given, fix=fix)


def _warn_outside(kind: TargetKind, table: pa.Table, y: np.ndarray) -> None:
    """Warn where a value lies outside of what training has seen, with its row."""
    far = np.flatnonzero(kind.observed.outside(y))
    if len(far):
        more = f" and {len(far) - 1} more rows" if len(far) > 1 else ""
        value = table.column(kind.column)[int(far[0])].as_py()
        warnings.warn(
            f"{location(column=kind.column, row=int(far[0]))}{more}: {value!r} is outside of what "
            f"the training rows had; predictions that rest on it are extrapolated",
            stacklevel=4,
        )


def with_measured(
    columns: dict[str, pa.Array], table: pa.Table, given: Sequence[str]
) -> dict[str, pa.Array]:
    """Put measured numbers back as they were, in the columns of their targets."""
    measured = dict(columns)
    for name in given:
        for column in (name, f"{name}_low", f"{name}_high"):
            if column in measured:
                measured[column] = _as_measured(table.column(name), measured[column])
    return measured


def _as_measured(values: pa.ChunkedArray, predicted: pa.Array) -> pa.Array:
    """Put measured numbers back as they were: standardised and undone, they lose digits."""
    if not all(map(_is_numeric, (values.type, predicted.type))):
        return predicted
    if not len(values):  # no rows have no chunks either
        return predicted
    finite = pc.if_else(pc.is_finite(values), values, None)
    given = pa.concat_arrays(finite.cast(predicted.type).chunks)
    return pc.coalesce(given, predicted)


def _is_numeric(kind: pa.DataType) -> bool:
    return pa.types.is_floating(kind) or pa.types.is_integer(kind)
