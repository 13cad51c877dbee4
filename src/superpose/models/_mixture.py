"""Mixtures: convex combinations of the canonical predictions of several models of one target."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

Weights = dict[str, float]


def mix(predictions: Mapping[str, np.ndarray], weights: Weights) -> np.ndarray:
    """Return the weighted mean of canonical predictions.

    Shape:
        each (N, K) -> (N, K).

    Example:
        >>> mix({"a": np.zeros((1, 1)), "b": np.ones((1, 1))}, {"a": 0.5, "b": 0.5}).item()
        0.5
    """
    return sum(w * predictions[name] for name, w in weights.items())  # type: ignore[return-value]
