"""Hazards by boosted trees: one classifier, which reads the number of the interval."""

from __future__ import annotations

import numpy as np

from ._tree_rows import TreeRows


def stacked(data: TreeRows) -> TreeRows:
    """Lay out rows for a classifier of single intervals: once for each in which they were at risk.

    Args:
        data: its labels (N, K) say whether the event fell into each interval, NaN where a row was
            not at risk.

    Returns:
        Features with the number of the interval as the last column, (n, F + 1), and whether the
        event fell into it, (n,).

    Source:
        Person-period data, Singer and Willett 1993.

    Example:
        >>> y = np.array([[0.0, 1.0], [1.0, np.nan]])
        >>> stacked_rows = stacked(TreeRows(np.zeros((2, 1)), y, [False], np.array([0])))
        >>> stacked_rows.X[:, -1].tolist(), stacked_rows.y.tolist(), stacked_rows.train.tolist()
        ([0.0, 1.0, 0.0], [0.0, 1.0, 1.0], [0, 1])
    """
    rows, interval = np.nonzero(~np.isnan(data.y))

    def laid_out(wanted: np.ndarray) -> np.ndarray:
        return np.flatnonzero(np.isin(rows, wanted))

    return TreeRows(
        X=with_interval(data.X[rows], interval),
        y=data.y[rows, interval],
        categorical=[*data.categorical, False],
        train=laid_out(data.train),
        stop=None if data.stop is None else laid_out(data.stop),
    )


def with_interval(X: np.ndarray, interval: np.ndarray | int) -> np.ndarray:
    """Features with the number of an interval behind them, (n, F + 1) float32."""
    return np.column_stack([X, np.broadcast_to(interval, len(X))]).astype(np.float32)


def lived_through(hazard: np.ndarray) -> np.ndarray:
    """Probabilities (N, K + 1) of each interval, and of living beyond, from hazards (N, K).

    Example:
        >>> lived_through(np.array([[0.5, 0.5]])).tolist()
        [[0.5, 0.25, 0.25]]
    """
    alive = np.cumprod(1 - hazard, axis=1)
    before = np.column_stack([np.ones(len(hazard)), alive[:, :-1]])
    return np.column_stack([before * hazard, alive[:, -1]])
