"""Hazards by boosted trees: one classifier, told which interval it is asked of."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Stacked(NamedTuple):
    """Rows once for each interval in which they were at risk.

    Args:
        X: features with the number of the interval as the last, (n, F + 1).
        y: whether the event fell into it, (n,).
        train, stop: places of the rows to learn from and of those that stop the boosting.
    """

    X: np.ndarray
    y: np.ndarray
    train: np.ndarray
    stop: np.ndarray | None


def stacked(
    X: np.ndarray, y: np.ndarray, rows_train: np.ndarray, rows_stop: np.ndarray | None
) -> Stacked:
    """Lay out rows for a classifier of single intervals.

    Args:
        X: (N, F) features.
        y: (N, K) whether the event fell into each interval, NaN where a row was not at risk.
        rows_train, rows_stop: rows to learn from, and those that stop the boosting.

    Source:
        Person-period data, Singer and Willett 1993.

    Example:
        >>> y = np.array([[0.0, 1.0], [1.0, np.nan]])
        >>> found = stacked(np.zeros((2, 1)), y, np.array([0]), None)
        >>> found.X[:, -1].tolist(), found.y.tolist(), found.train.tolist()
        ([0.0, 1.0, 0.0], [0.0, 1.0, 1.0], [0, 1])
    """
    rows, interval = np.nonzero(~np.isnan(y))

    def places(wanted: np.ndarray) -> np.ndarray:
        return np.flatnonzero(np.isin(rows, wanted))

    return Stacked(
        with_interval(X[rows], interval),
        y[rows, interval],
        places(rows_train),
        None if rows_stop is None else places(rows_stop),
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
