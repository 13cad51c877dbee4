"""Classes of the locations of masks: their weights, their shares, and how predictions meet them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

# A class that covers a hundredth of the locations weighs ten times as much, none weighs more.
MOST_WEIGHT = 10.0


def class_weights(shares: Sequence[float]) -> np.ndarray:
    """How much a location of each class weighs (C,): rarer classes more, 1 on the mean.

    With weights 1 to 10 that fall with the root of a class's share, rare classes are learned and
    frequent ones are not forgotten; the head takes the weights out of predictions again.

    Args:
        shares: of the classes, among the labelled locations of training rows.
    """
    share = np.asarray(shares)
    weights = np.minimum(1 / np.sqrt(np.maximum(share, 1e-9)), MOST_WEIGHT)
    return np.asarray(weights / (weights * share).sum())


def class_shares(y: np.ndarray, n_classes: int) -> np.ndarray:
    """The share of the labelled locations of each row that each class has.

    Shape:
        y (N, S), NaN where there is no label -> float32 (N, C), NaN where no location has one.

    Example:
        >>> class_shares(np.array([[0.0, 1.0], [1.0, np.nan], [np.nan, np.nan]]), 2).tolist()
        [[0.5, 0.5], [0.0, 1.0], [nan, nan]]
    """
    known = ~np.isnan(y)
    count = np.maximum(known.sum(axis=1), 1)
    shares = np.stack([(y == c).sum(axis=1) / count for c in range(n_classes)], axis=1)
    shares[~known.any(axis=1)] = np.nan
    return shares.astype(np.float32)


def confusion(y: np.ndarray, chosen: np.ndarray, n_classes: int) -> np.ndarray:
    """Locations by true and chosen class, (C, C), over those with a label.

    Args:
        y: labels (N, S), NaN where there is none.
        chosen: predicted classes (N, S), -1 without one.
        n_classes: classes C.

    Example:
        >>> confusion(np.array([[0.0, 1.0, np.nan]]), np.array([[0, 0, 1]]), 2).tolist()
        [[1, 0], [1, 0]]
    """
    known = ~np.isnan(y)
    pairs = y[known].astype(int) * (n_classes + 1) + chosen[known] % (n_classes + 1)
    counts = np.bincount(pairs, minlength=n_classes * (n_classes + 1))
    return counts.reshape(n_classes, n_classes + 1)[:, :n_classes]
