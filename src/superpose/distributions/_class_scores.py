"""Classes as intervals of a standard normal, and what an outcome says about a class.

Classes lie on the last axis (K); everything before it is free.
"""

from __future__ import annotations

import numpy as np
from scipy import special

from ._normal_scores import (
    DEVIATION_FLOOR,
    PROBABILITY_FLOOR,
    TINIEST,
    normal_mass,
    normal_quantile,
    score_within,
)


def _masses(p: np.ndarray, floor: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Probabilities that sum to 1, and the K + 1 sums below and above the edges between them."""
    p = np.maximum(np.asarray(p, np.float64), floor)
    p = p / p.sum(axis=-1, keepdims=True)
    none = np.zeros_like(p[..., :1])
    below = np.concatenate([none, np.cumsum(p, axis=-1)], axis=-1)
    above = np.concatenate([np.cumsum(p[..., ::-1], axis=-1)[..., ::-1], none], axis=-1)
    return p, below, above


def class_to_normal(p: np.ndarray, y: np.ndarray, share: np.ndarray | None) -> np.ndarray:
    """Normal scores (...) of class indices (...), NaN where missing, under probabilities (..., K).

    Example:
        >>> p, half = np.array([[0.5, 0.5]]), np.array([0.5])
        >>> class_to_normal(p, np.array([1.0]), half).round(4).tolist()
        [0.6745]
    """
    p, below, above = _masses(p, PROBABILITY_FLOOR)
    known = ~np.isnan(y)
    index = np.where(known, y, 0).astype(int)[..., None]
    under, mass, over = (
        np.take_along_axis(each, index, -1)[..., 0] for each in (below, p, above[..., 1:])
    )
    return np.where(known, score_within(under, mass, above=over, share=share), np.nan)


def class_from_normal(p: np.ndarray, z: np.ndarray) -> np.ndarray:
    """The lowest class (...) whose cumulative probability reaches that of the normal at z (...).

    Example:
        >>> class_from_normal(np.array([[0.2, 0.3, 0.5]]), np.array([-0.1])).tolist()
        [1.0]
    """
    _, below, above = _masses(p, PROBABILITY_FLOOR)
    edges = normal_quantile(below, above)[..., 1:-1]
    label = (z[..., None] > edges).sum(axis=-1)
    return np.where(np.isnan(z) | np.isnan(edges).any(axis=-1), np.nan, label)


def condition_classes(p: np.ndarray, mean: np.ndarray, sd: np.ndarray) -> np.ndarray:
    """Probabilities (..., K) where the latent normal has this mean and deviation (...).

    Example:
        >>> even, one = np.array([[0.5, 0.5]]), np.array([1.0])
        >>> condition_classes(even, one, one).round(3).tolist()
        [[0.159, 0.841]]
    """
    _, below, above = _masses(p, TINIEST)
    scale = np.maximum(sd, DEVIATION_FLOOR)[..., None]
    edges = (normal_quantile(below, above) - np.asarray(mean)[..., None]) / scale
    mass = normal_mass(edges[..., :-1], edges[..., 1:])
    return np.asarray(mass / mass.sum(axis=-1, keepdims=True))


def class_information(preds: np.ndarray) -> np.ndarray:
    """Bits (...) between an outcome and a class, from predictions (n, ..., K) after n outcomes.

    Example:
        >>> class_information(np.array([[[1.0, 0.0]], [[0.0, 1.0]]])).tolist()
        [1.0]
    """
    p, _, _ = _masses(preds, TINIEST)
    before = special.entr(p.mean(axis=0)).sum(axis=-1)
    after = special.entr(p).sum(axis=-1).mean(axis=0)
    return np.asarray(np.maximum(before - after, 0.0) / np.log(2))
