"""Intervals, sets and thresholds, set on held-out rows."""

from __future__ import annotations

import numpy as np

from superpose.distributions import Bernoulli
from superpose.kinds import TargetKind

COVERAGE = 0.9
MOST_CLUSTERS = 0.7  # share of the clusters in which intervals and sets cover as much
# Fewer clusters show no variation between them, and fewer rows of one no quantile of their own.
FEWEST_CLUSTERS = 4
FEWEST_ROWS = 10
# A class below this share of the rows is too rare for a threshold of one half.
RARE = 0.2


def conformal_quantile(
    kind: TargetKind, y: np.ndarray, pred: np.ndarray, *, clusters: np.ndarray | None = None
) -> float | None:
    """Return how far intervals or sets must reach to cover 90 % of new rows; None without any.

    It is a quantile of the conformity scores. Rows of one group or block of time err alike, and new
    rows are of other ones. So it is one that covers 90 % of the rows of most clusters, not of all
    rows together.

    Args:
        kind: The fitted target.
        y: Labels (N,) or (N, H) of rows that the predictions have not seen.
        pred: Canonical predictions (N, K).
        clusters: Group or block of time of each row, where rows depend on each other.

    Source:
        Split conformal prediction, Lei et al. 2018; over clusters after Dunn, Wasserman and Ramdas
        2023, who average the clusters where this takes an upper quantile of them.
    """
    conformity = kind.distribution.conformity
    if conformity is None or not len(y):
        return None
    score = conformity.score(y, pred)
    values = [] if clusters is None else [score[clusters == one] for one in np.unique(clusters)]
    values = [own[~np.isnan(own)] for own in values]
    if len(values) < FEWEST_CLUSTERS or np.median([len(own) for own in values]) < FEWEST_ROWS:
        return _corrected_quantile(score[~np.isnan(score)])
    each = [_corrected_quantile(own) for own in values if len(own) >= FEWEST_ROWS]
    return float(np.quantile(each, MOST_CLUSTERS))


def _corrected_quantile(score: np.ndarray) -> float:
    """Return the quantile that covers a new score, with the correction for few of them."""
    level = min(1.0, np.ceil((len(score) + 1) * COVERAGE) / len(score))
    return float(np.quantile(score, level))


def rare_threshold(kind: TargetKind, y: np.ndarray, pred: np.ndarray) -> float | None:
    """Return the threshold with the best F1 where a class is too rare for one half, else None."""
    if not isinstance(kind.distribution, Bernoulli) or not len(y) or not 0 < y.mean() < RARE:
        return None
    probability = pred[:, 1]
    order = np.argsort(-probability, kind="stable")
    hits = np.cumsum(y[order])
    f1 = 2 * hits / (np.arange(1, len(y) + 1) + y.sum())
    # No threshold parts rows of the same probability.
    f1[:-1][np.diff(probability[order]) == 0] = 0.0
    best = int(np.argmax(f1))
    return float(min(probability[order[best]], 0.5))
