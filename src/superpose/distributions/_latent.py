"""A label as a point of a standard normal: how discrete kinds join a Gaussian copula.

A discrete label owns an interval of the cumulative distribution that was predicted for it, and so
one of a standard normal. Where the latent normal is told to be elsewhere, the edges of the
intervals stay where they are and the probabilities between them change.

Classes are read with K on the last axis; everything before it is free.

Source:
    Randomised quantile residuals, Dunn and Smyth 1996; the latent normal of the Gaussian copula for
    mixed margins, Hoff 2007.
"""

from __future__ import annotations

import numpy as np
from scipy import special

PROBABILITY_FLOOR = 1e-6  # a certain but wrong class costs 13.8 nats, not infinity
SCORE_LIMIT = 6.0  # one label in 1e9 lies further out: beyond, the margin is wrong
TINIEST = 1e-300  # above 0, so that a class without probability has edges, and none to speak of
# A point on the edge of two labels belongs to the lower one, so points stay clear of both edges.
SHARE_EDGE = 1e-4
SPREAD_FLOOR = 1e-9  # a latent score that is known has no spread to divide by
LONG_SUM = 50.0  # events; above, the rate of a told count is a series in place of a sum
SUM_ROWS = 4096  # rows whose sums are held at once: a few megabytes


def normal_quantile(below: np.ndarray, above: np.ndarray) -> np.ndarray:
    """The point of a standard normal with these probabilities on its two sides.

    Args:
        below: probability under the point, 0 to 1.
        above: probability over it; the smaller of the two keeps its digits in a far tail.

    Example:
        >>> normal_quantile(np.array([0.25, 1.0]), np.array([0.75, 1e-20])).round(3).tolist()
        [-0.674, 9.262]
    """
    point = special.ndtri(np.minimum(below, above))
    return np.asarray(np.where(below < above, point, -point))


def normal_mass(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Probability of a standard normal between two points, exact in both tails."""
    upper = low > 0
    return np.asarray(
        special.ndtr(np.where(upper, -low, high)) - special.ndtr(np.where(upper, -high, low))
    )


def score_within(
    below: np.ndarray, mass: np.ndarray, above: np.ndarray, *, share: np.ndarray | None
) -> np.ndarray:
    """The normal score of labels that own an interval of the cumulative distribution.

    Args:
        below, mass, above: probabilities under, of and over each label; they sum to 1.
        share: which point of the interval, 0 to 1; None: the mean of the normal within it.

    Example:
        >>> half, none = np.array([0.5]), np.array([0.0])
        >>> score_within(none, half, half, share=None).round(4).tolist()
        [-0.7979]
    """
    if share is None:
        low = normal_quantile(below, mass + above)
        high = normal_quantile(below + mass, above)
        heights = np.exp(-0.5 * low**2) - np.exp(-0.5 * high**2)
        middle = heights / np.sqrt(2 * np.pi) / np.maximum(mass, TINIEST)
        score = np.clip(middle, low, high)  # far out the heights are lost to rounding
    else:
        share = np.clip(share, SHARE_EDGE, 1 - SHARE_EDGE)
        score = normal_quantile(below + share * mass, above + (1 - share) * mass)
    return np.asarray(np.clip(score, -SCORE_LIMIT, SCORE_LIMIT))


def _masses(p: np.ndarray, floor: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Probabilities that sum to 1, and the K + 1 sums below and above the edges between them."""
    p = np.maximum(np.asarray(p, np.float64), floor)
    p = p / p.sum(axis=-1, keepdims=True)
    none = np.zeros_like(p[..., :1])
    below = np.concatenate([none, np.cumsum(p, axis=-1)], axis=-1)
    above = np.concatenate([np.cumsum(p[..., ::-1], axis=-1)[..., ::-1], none], axis=-1)
    return p, below, above


def class_scores(p: np.ndarray, y: np.ndarray, share: np.ndarray | None) -> np.ndarray:
    """Normal scores (...) of class indices (...), NaN where missing, under probabilities (..., K).

    Example:
        >>> p, half = np.array([[0.5, 0.5]]), np.array([0.5])
        >>> class_scores(p, np.array([1.0]), half).round(4).tolist()
        [0.6745]
    """
    p, below, above = _masses(p, PROBABILITY_FLOOR)
    known = ~np.isnan(y)
    index = np.where(known, y, 0).astype(int)[..., None]
    under, mass, over = (
        np.take_along_axis(each, index, -1)[..., 0] for each in (below, p, above[..., 1:])
    )
    return np.where(known, score_within(under, mass, over, share=share), np.nan)


def class_at(p: np.ndarray, z: np.ndarray) -> np.ndarray:
    """The lowest class (...) whose cumulative probability reaches that of the normal at z (...).

    Example:
        >>> class_at(np.array([[0.2, 0.3, 0.5]]), np.array([-0.1])).tolist()
        [1.0]
    """
    _, below, above = _masses(p, PROBABILITY_FLOOR)
    edges = normal_quantile(below, above)[..., 1:-1]
    label = (z[..., None] > edges).sum(axis=-1)
    return np.where(np.isnan(z) | np.isnan(edges).any(axis=-1), np.nan, label)


def class_given(p: np.ndarray, mean: np.ndarray, sd: np.ndarray) -> np.ndarray:
    """Probabilities (..., K) where the latent normal has this mean and spread (...), not 0 and 1.

    Example:
        >>> class_given(np.array([[0.5, 0.5]]), np.array([1.0]), np.array([1.0])).round(3).tolist()
        [[0.159, 0.841]]
    """
    _, below, above = _masses(p, TINIEST)
    spread = np.maximum(sd, SPREAD_FLOOR)[..., None]
    edges = (normal_quantile(below, above) - np.asarray(mean)[..., None]) / spread
    mass = normal_mass(edges[..., :-1], edges[..., 1:])
    return np.asarray(mass / mass.sum(axis=-1, keepdims=True))


def class_information(told: np.ndarray) -> np.ndarray:
    """Bits (...) between an outcome and a class, from predictions (n, ..., K) after n outcomes.

    Example:
        >>> class_information(np.array([[[1.0, 0.0]], [[0.0, 1.0]]])).tolist()
        [1.0]
    """
    p, _, _ = _masses(told, TINIEST)
    before = special.entr(p.mean(axis=0)).sum(axis=-1)
    after = special.entr(p).sum(axis=-1).mean(axis=0)
    return np.asarray(np.maximum(before - after, 0.0) / np.log(2))


def variance_information(mean: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """Bits (N,) of outcomes (n, N) that move a mean, against the variance that each leaves.

    Example:
        >>> variance_information(np.array([[-1.0], [1.0]]), np.array([[1 / 3], [1 / 3]])).tolist()
        [1.0]
    """
    return np.asarray(0.5 * np.log2(1 + mean.var(axis=0) / variance.mean(axis=0)))


def _count_sides(k: np.ndarray, rate: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities of at most k events and of more; k = -1 has none below it."""
    return special.gammaincc(k + 1, rate), special.gammainc(k + 1, rate)


def count_log_mass(y: np.ndarray, rate: np.ndarray) -> np.ndarray:
    """Log-probability of counts under Poisson rates above 0, in nats."""
    return np.asarray(special.xlogy(y, rate) - rate - special.gammaln(y + 1))


def count_scores(rate: np.ndarray, y: np.ndarray, share: np.ndarray | None) -> np.ndarray:
    """Normal scores (N,) of counts (N,), NaN where missing, under Poisson rates above 0.

    Example:
        >>> count_scores(np.array([np.log(2)]), np.array([0.0]), np.array([0.5])).round(4).tolist()
        [-0.6745]
    """
    known = ~np.isnan(y)
    k = np.where(known, y, 0)
    below = _count_sides(k - 1, rate)[0]
    above = _count_sides(k, rate)[1]
    score = score_within(below, np.exp(count_log_mass(k, rate)), above, share=share)
    return np.where(known, score, np.nan)


def count_at(rate: np.ndarray, z: np.ndarray) -> np.ndarray:
    """The lowest count whose cumulative probability reaches that of the normal at z.

    Example:
        >>> count_at(np.array([4.0, 4.0]), np.array([0.0, 2.0])).tolist()
        [4.0, 8.0]

    Source:
        The start is the quantile of Cornish and Fisher 1937 to its second term.
    """
    z = np.clip(z, -SCORE_LIMIT, SCORE_LIMIT)
    gone = np.isnan(z) | np.isnan(rate)
    start = np.where(gone, 0.0, np.floor(rate + np.sqrt(rate) * z + (z**2 - 1) / 6))
    low = np.maximum(start - 9, -1)  # up to 6 off within the limit
    high = np.maximum(start + 9, 0)
    while (high - low > 1).any():  # the steps of one bisection, all rows at once
        middle = np.floor((low + high) / 2)
        reached = normal_quantile(*_count_sides(middle, rate)) >= z
        low = np.where(reached, low, middle)
        high = np.where(reached, middle, high)
    return np.where(gone, np.nan, high)


def count_given(rate: np.ndarray, mean: np.ndarray, sd: np.ndarray) -> np.ndarray:
    """The expected count (N,) where the latent normal has this mean and spread (N,), not 0 and 1.

    The sum over k of the probability of more than k events; above `LONG_SUM` the expectation of the
    Cornish-Fisher quantile, ``rate + mean sqrt(rate) + (mean^2 + sd^2 - 1) / 6``.

    Example:
        >>> zero, one = np.zeros(2), np.ones(2)
        >>> count_given(np.array([0.3, 80.0]), zero, one).round(9).tolist()
        [0.3, 80.0]
    """
    told = rate + np.sqrt(rate) * mean + (mean**2 + sd**2 - 1) / 6
    small = np.flatnonzero(rate <= LONG_SUM)
    small = small[np.argsort(rate[small])]  # rows with like rates have sums of like length
    for rows in np.split(small, range(SUM_ROWS, len(small), SUM_ROWS)):
        if len(rows):
            told[rows] = _sum_of_survival(rate[rows], mean[rows], sd[rows])
    return told


def _sum_of_survival(rate: np.ndarray, mean: np.ndarray, sd: np.ndarray) -> np.ndarray:
    # Seven spreads beyond the mean 1e-12 is left, and no edge is told apart beyond 37.
    reach = np.clip(np.fmax.reduce(mean + 7 * sd, initial=7.0), 7.0, 37.0)
    largest = float(rate.max())
    # The quantile of Cornish and Fisher to its second term is never below that of a rare event.
    k = np.arange(np.ceil(largest + reach * np.sqrt(largest) + reach**2 / 6) + 3)
    mass = np.exp(count_log_mass(k, rate[:, None]))
    above = np.cumsum(mass[:, :0:-1], axis=1)[:, ::-1]  # of 1, 2, ... events or more
    edges = normal_quantile(np.cumsum(mass[:, :-1], axis=1), above)
    spread = np.maximum(sd, SPREAD_FLOOR)[:, None]
    return np.asarray(special.ndtr((mean[:, None] - edges) / spread).sum(axis=1))
