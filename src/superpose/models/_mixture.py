"""Blends: convex mixtures of the canonical predictions of several models of one target."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

Weights = dict[str, float]
Loss = Callable[[np.ndarray], float]

# Twenty picks give weights in steps of a twentieth: fine enough, and too coarse to fit noise with.
ROUNDS = 20


def mix(predictions: Mapping[str, np.ndarray], weights: Weights) -> np.ndarray:
    """Return the weighted mean of canonical predictions.

    Shape:
        each (N, K) -> (N, K).

    Example:
        >>> mix({"a": np.zeros((1, 1)), "b": np.ones((1, 1))}, {"a": 0.5, "b": 0.5}).item()
        0.5
    """
    return sum(w * predictions[name] for name, w in weights.items())  # type: ignore[return-value]


def greedy_blend(
    predictions: Mapping[str, np.ndarray],
    loss: Loss,
    must: str | None = None,
    rounds: int = ROUNDS,
) -> Weights:
    """Choose weights by picking, again and again, the model that helps the mixture most.

    Args:
        predictions: Canonical predictions (N, K) by name.
        loss: Mean loss of a mixture on the rows that choose.
        must: A model that has to be in; it is the first pick.
        rounds: Picks; with 1 the best model is taken whole.

    Example:
        >>> low, high = np.zeros((1, 1)), np.ones((1, 1))
        >>> greedy_blend({"low": low, "high": high}, lambda z: (z.item() - 0.25) ** 2)
        {'low': 0.75, 'high': 0.25}

    Source:
        Caruana et al. 2004, "Ensemble Selection from Libraries of Models", with replacement; the
        best mixture along the way is kept.
    """
    names = list(predictions)
    counts = dict.fromkeys(names, 0)
    total: np.ndarray | None = None
    best, best_loss = {must or names[0]: 1.0}, np.inf
    for k in range(1, rounds + 1):
        allowed = [must] if must and k == 1 else names
        tried = {n: predictions[n] if total is None else total + predictions[n] for n in allowed}
        losses = {n: loss(z / k) for n, z in tried.items()}
        pick = min(losses, key=losses.__getitem__)
        counts[pick] += 1
        total = tried[pick]
        if losses[pick] < best_loss - 1e-12:
            best, best_loss = {n: c / k for n, c in counts.items() if c}, losses[pick]
    return best
