"""How a measured value of a target is read by networks and trees that predict the others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


def _no_column(y: np.ndarray) -> np.ndarray:
    return np.zeros((len(y), 0), np.float32)


def _one_column(y: np.ndarray) -> np.ndarray:
    return np.asarray(y, np.float32)[:, None]


def _never(y: np.ndarray) -> np.ndarray:
    return np.zeros(len(y), bool)


@dataclass(frozen=True)
class ObservedColumns:
    """The columns in which a measured value is read; without any, no other target reads it.

    Args:
        edges: for each column its increasing bin edges, at least two.
        encode: turns encoded labels into these columns, float32 (N, R), NaN where missing.
        outside: marks labels (N,) beyond what training rows had.

    Example:
        >>> ObservedColumns.index(3).encode(np.array([2.0, np.nan])).tolist()
        [[2.0], [nan]]
    """

    edges: list[list[float]]
    encode: Callable[[np.ndarray], np.ndarray]
    outside: Callable[[np.ndarray], np.ndarray] = _never

    @property
    def n_columns(self) -> int:
        """Columns R."""
        return len(self.edges)

    @classmethod
    def nothing(cls) -> ObservedColumns:
        """No column."""
        return cls([], _no_column)

    @classmethod
    def index(cls, n_classes: int) -> ObservedColumns:
        """One column, with the number of a class."""
        return cls([[float(k) for k in range(n_classes)]], _one_column)

    @classmethod
    def shares(cls, n_columns: int, encode: Callable[[np.ndarray], np.ndarray]) -> ObservedColumns:
        """Columns of numbers from 0 to 1, such as whether a row has each label."""
        return cls([[0.0, 1.0]] * n_columns, encode)
