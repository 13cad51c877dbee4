"""What the trees of one target learn from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class TreeRows:
    """Features and labels, and which rows learn and which say when to stop.

    Args:
        X: (N, F) float32 features, NaN for missing.
        y: (N,) labels as the target's kind gives them to trees, or (N, L) for multilabel, hazards
            and steps; NaN for missing.
        categorical: (F,) which columns hold category codes.
        train: indices of the rows to learn from.
        stop: indices of the rows whose loss says when to stop; None for a fixed length.
    """

    X: np.ndarray
    y: np.ndarray
    categorical: list[bool]
    train: np.ndarray
    stop: np.ndarray | None = None


def finite(X: np.ndarray) -> np.ndarray:
    """float32 features with infinities as missing, as everywhere else; engines disagree on them."""
    X = np.asarray(X, dtype=np.float32)
    return X if not np.isinf(X).any() else np.where(np.isinf(X), np.float32(np.nan), X)
