"""Blends: weights of a mixture that are chosen by its loss."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from superpose.models import Weights

Loss = Callable[[np.ndarray], float]

# Twenty picks give weights in steps of a twentieth: fine enough, and too coarse to fit noise with.
ROUNDS = 20


def greedy_blend(
    predictions: Mapping[str, np.ndarray],
    loss: Loss,
    *,
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
    best = {must or names[0]: 1.0}
    best_loss = np.inf
    for k in range(1, rounds + 1):
        allowed = [must] if must and k == 1 else names
        sums = {n: predictions[n] if total is None else total + predictions[n] for n in allowed}
        losses = {n: loss(z / k) for n, z in sums.items()}
        pick = min(losses, key=losses.__getitem__)
        counts[pick] += 1
        total = sums[pick]
        if losses[pick] < best_loss - 1e-12:
            best = {n: c / k for n, c in counts.items() if c}
            best_loss = losses[pick]
    return best
