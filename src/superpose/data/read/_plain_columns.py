"""Columns of plain types with names of their own, as every reader gives them."""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

from superpose.errors import DataError, Faults, listing, location, message


def require_columns(table: pa.Table, names: list[str], *, where: str, empty: bool) -> None:
    """Makes sure of columns with names of their own, and of rows unless there may be none."""
    if not names:
        raise DataError(message(where, "no columns", "at least one input and one target"))
    require_distinct(names, where)
    if table.num_rows == 0 and not empty:
        given = f"no rows, only the columns {listing(names)}"
        raise DataError(message(where, given, fix="give at least one row"))


def require_distinct(names: list[str], where: str) -> None:
    """Makes sure that no two columns have the same name."""
    faults = Faults(DataError)
    # Two equal numbers among the names are values, not names.
    data = any(re.fullmatch(r"-?\d+(\.\d+)?", name) for name in names)
    fix = "the first line seems to be data; write a header above it" if data else ""
    positions: dict[str, list[str]] = {}
    for index, name in enumerate(names, start=1):
        positions.setdefault(name, []).append(str(index))
    for name, spots in positions.items():
        if len(spots) > 1:
            given = f"{len(spots)} columns have this name (columns {listing(spots)})"
            faults.add(
                location(file=where, column=name), given, fix=fix or "rename or drop all but one"
            )
    faults.raise_any()


def plain_column(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Gives a column one of the plain types, with null for every missing value."""
    kind = values.type
    if isinstance(kind, pa.BaseExtensionType):
        return plain_column(values.cast(kind.storage_type))
    if pa.types.is_dictionary(kind):
        return plain_column(values.cast(kind.value_type))
    if pa.types.is_run_end_encoded(kind):
        decoded = [pc.run_end_decode(chunk) for chunk in values.chunks]
        return plain_column(pa.chunked_array(decoded, kind.value_type))
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        try:
            return values.cast(pa.string())
        except pa.ArrowInvalid:
            # More than 2 GiB of text in one chunk; the large type reads the same.
            return values.cast(pa.large_string())
    if pa.types.is_floating(kind):
        wide = values if pa.types.is_float64(kind) else values.cast(pa.float64())
        return pc.if_else(pc.is_nan(wide), pa.scalar(None, pa.float64()), wide)
    if pa.types.is_decimal(kind):
        return values.cast(pa.float64(), safe=False)
    if pa.types.is_duration(kind):
        return _seconds(values.cast(pa.duration("ns"), safe=False))
    if pa.types.is_time(kind):
        return values.cast(pa.time64("us"), safe=False)
    return values


def _seconds(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Nanoseconds as seconds."""
    return pc.divide(values.cast(pa.int64()).cast(pa.float64(), safe=False), 1e9)
