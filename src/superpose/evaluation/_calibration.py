"""Intervals, sets and thresholds, set on held-out rows."""

from __future__ import annotations

import numpy as np

from superpose.distributions import Bernoulli
from superpose.kinds import TargetKind

COVERAGE = 0.9
# How surely they cover as much of the rows of new clusters, of which few are known; and how many
# draws of the known ones show it.
CONFIDENCE = 0.9
DRAWS = 200
FEWEST_CLUSTERS = 4  # fewer show no variation between them
# A class below this share of the rows is too rare for a threshold of one half.
RARE = 0.2
LIFT = 2.0  # by how much it has to be more common among the rows above a threshold


def conformal_quantile(
    kind: TargetKind, y: np.ndarray, pred: np.ndarray, *, clusters: np.ndarray | None = None
) -> float | None:
    """Return how far intervals or sets must reach to cover 90 % of new rows; None without any.

    It is a quantile of the conformity scores. Rows of one group or block of time err alike, and new
    rows are of other ones. So it is the upper bound of that quantile at a confidence of 90 %, as
    far as the clusters differ.

    Args:
        kind: The fitted target.
        y: Labels (N,) or (N, H) of rows that the predictions have not seen.
        pred: Canonical predictions (N, K).
        clusters: Group or block of time of each row, where rows depend on each other.

    Source:
        Split conformal prediction, Lei et al. 2018; over clusters after Dunn, Wasserman and Ramdas
        2023, who pool them, with the bound of a bootstrap over clusters (Field and Welsh 2007).
    """
    conformity = kind.distribution.conformity
    if conformity is None or not len(y):
        return None
    score = conformity.score(y, pred)
    known = ~np.isnan(score)
    if clusters is not None:  # of several numbers of a row each has a score
        of_row = clusters.reshape(-1, *[1] * (score.ndim - 1))
        clusters = np.broadcast_to(of_row, score.shape)[known]
    if clusters is None or len(np.unique(clusters)) < FEWEST_CLUSTERS:
        return _corrected_quantile(score[known])
    return _upper_quantile(score[known], clusters)


def _corrected_quantile(score: np.ndarray) -> float:
    """Return the quantile that covers a new score, with the correction for few of them."""
    level = min(1.0, np.ceil((len(score) + 1) * COVERAGE) / len(score))
    return float(np.quantile(score, level))


def _upper_quantile(score: np.ndarray, clusters: np.ndarray) -> float:
    """Return the upper bound of the quantile, over draws of the clusters with replacement."""
    order = np.argsort(score, kind="stable")
    ids, index = np.unique(clusters[order], return_inverse=True)
    rng = np.random.default_rng(len(ids))
    times = rng.multinomial(len(ids), np.full(len(ids), 1 / len(ids)), size=DRAWS)
    rows = times @ np.bincount(index)
    quantiles = np.empty(DRAWS)
    for draw, own in enumerate(times):
        passed = np.cumsum(own[index])
        quantiles[draw] = score[order[np.searchsorted(passed, COVERAGE * rows[draw])]]
    return float(np.quantile(quantiles, CONFIDENCE))


def rare_threshold(kind: TargetKind, y: np.ndarray, pred: np.ndarray) -> float | None:
    """Return the threshold with the best F1 where a class is too rare for one half, else None.

    Nor is there any where that would call the class in rows that hardly have it more often.
    """
    if not isinstance(kind.distribution, Bernoulli) or not len(y) or not 0 < y.mean() < RARE:
        return None
    probability = pred[:, 1]
    order = np.argsort(-probability, kind="stable")
    hits = np.cumsum(y[order])
    f1 = 2 * hits / (np.arange(1, len(y) + 1) + y.sum())
    # No threshold parts rows of the same probability.
    f1[:-1][np.diff(probability[order]) == 0] = 0.0
    best = int(np.argmax(f1))
    if hits[best] / (best + 1) < LIFT * y.mean():
        return None  # nothing tells the class: the best F1 is that of calling nearly all rows so
    return float(min(probability[order[best]], 0.5))
