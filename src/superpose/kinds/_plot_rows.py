"""Rows that the report lists beside their predictions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

LISTED = 10  # rows, and columns of a row
LONGEST = 60  # letters of a value


def few_rows(loss: np.ndarray) -> np.ndarray:
    """Rows from the least loss to the largest, evenly; rows with a loss of NaN are left out.

    Example:
        >>> few_rows(np.array([3.0, np.nan, 1.0])).tolist()
        [2, 0]
    """
    order = np.argsort(loss, kind="stable")[: int((~np.isnan(loss)).sum())]
    positions = np.linspace(0, max(len(order) - 1, 0), LISTED).astype(int)
    return order[np.unique(positions)[: len(order)]]


def shown(table: pa.Table, rows: np.ndarray) -> list[dict[str, str]]:
    """The first values of some rows as short texts by column, gaps left out."""
    few = table.take(pa.array(rows)).to_pylist()
    return [{n: _short(v) for n, v in list(row.items())[:LISTED] if v is not None} for row in few]


def _short(value: Any) -> str:
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
