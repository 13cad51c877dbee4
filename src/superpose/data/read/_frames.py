"""Frames of any library as Arrow tables."""

from __future__ import annotations

from typing import Any

import narwhals as nw
import pyarrow as pa

from superpose.errors import DataError, message

from ._folders import PART
from ._hub import is_dataset, read_dataset
from ._plain_columns import require_distinct


def from_frame(data: Any) -> pa.Table:
    """Turns a frame of any library that narwhals knows into an Arrow table."""
    if isinstance(data, pa.RecordBatch):
        return pa.Table.from_batches([data])
    if isinstance(data, pa.Table):
        return data
    if is_dataset(data):
        return read_dataset(data, PART)
    if nw.dependencies.is_pandas_like_dataframe(data):
        require_distinct([str(name) for name in data.columns], "the frame")
    try:
        frame = nw.from_native(data)
    except TypeError:
        raise DataError(
            message(
                "data",
                f"{type(data).__name__} given",
                "a path, or a frame of pandas, polars, Arrow or datasets",
            )
        ) from None
    except (ValueError, nw.exceptions.NarwhalsError) as fault:
        raise DataError(message("the frame", str(fault).splitlines()[0])) from None
    if isinstance(frame, nw.LazyFrame):
        frame = frame.collect(backend="pyarrow")
    if not frame.implementation.is_pandas_like():
        try:
            return frame.to_arrow()
        except pa.ArrowException as fault:
            given = f"a column has no Arrow type ({str(fault).splitlines()[0]})"
            raise DataError(message("the frame", given, fix="cast or drop it")) from None
    return pa.table({str(name): _from_pandas(data[name]) for name in frame.columns})


def _from_pandas(values: Any) -> pa.ChunkedArray:
    """Turns one pandas column into Arrow; a column of mixed values becomes text."""
    if hasattr(values, "sparse"):
        values = values.sparse.to_dense()
    try:
        column = pa.Array.from_pandas(values)
        kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
        # Intervals, as `pandas.cut` gives them, and periods are types of pandas' own.
        plain = not isinstance(kind, pa.BaseExtensionType)
        # Arrow takes objects of several zones, or of none, for one; as text each keeps its own.
        if pa.types.is_timestamp(kind) and values.dtype == object:
            zones = values.dropna().map(lambda moment: str(getattr(moment, "tzinfo", None)))
            plain = zones.nunique() <= 1
    except (pa.ArrowException, OverflowError):
        plain = False
    if not plain:
        # Numbers beside words, as in files edited by hand; inference tells them apart again.
        column = pa.Array.from_pandas(values.map(str, na_action="ignore"))
    return column if isinstance(column, pa.ChunkedArray) else pa.chunked_array([column])
