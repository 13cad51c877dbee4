"""Columns as a split reads them: labels as plain numbers, and groups."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from superpose.columns import as_text
from superpose.data.schema._schema import NULL_WORDS, ColumnSpec, blank_words, has_column
from superpose.errors import DataError, did_you_mean, listing, message
from superpose.kinds import TARGET_KINDS, codes_of


def raw_labels(table: pa.Table, spec: ColumnSpec) -> np.ndarray:
    """Labels of a target as numbers without any fitting: class codes, or the numbers themselves.

    Returns:
        float64 (N,) or, for sets of labels and labels of words, (N, L); NaN where missing.
    """
    return TARGET_KINDS[spec.kind].hints.raw_labels(spec.name, spec.values(table), spec.options)


def group_ids(table: pa.Table, column: str, setting: str = "split.column") -> np.ndarray:
    """Number the distinct values of a column from 0; each row without a value is its own group."""
    text = as_text(column_of(table, column, setting))
    ids = codes_of(text)
    alone = np.isnan(ids)
    ids[alone] = np.arange(alone.sum()) + (np.nanmax(ids, initial=-1) + 1)
    return ids.astype(np.int64)


def column_of(table: pa.Table, name: str, setting: str = "split.column") -> pa.ChunkedArray:
    """A column that a setting names, words for no value as missing.

    Raises:
        DataError: no such column.
    """
    if not has_column(table, name):
        hint = did_you_mean(name, table.column_names)
        raise DataError(
            message(
                setting,
                f"{name!r} is not in the table",
                fix=hint or f"its columns are {listing(table.column_names)}",
            )
        )
    return blank_words(table.column(name), NULL_WORDS)
