"""Counts of events, by a Poisson rate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from ._base import Conformity, Distribution, IntervalConformity, Latent
from ._normal import variance_information
from ._normal_scores import DEVIATION_FLOOR, SCORE_LIMIT, normal_quantile, score_within

RATE_FLOOR = 1e-6  # a rate of zero makes any event infinitely surprising
LOG_RATE_LIMIT = 20.0
"""exp(20) = 5e8 events; beyond it float32 sums lose the single event."""
LEAST_VARIANCE = 1.0  # of one event; near a rate of zero its residual would have no bound
ROUNDING = 1e-9  # relative; a count at the very end of an interval stays in
LONG_SUM = 50.0  # events; above, a conditioned rate is a series in place of a sum
SUM_ROWS = 4096  # rows whose sums are in memory at once: a few megabytes


@dataclass(frozen=True)
class Count(Distribution):
    """A count with a Poisson rate in raw units, (N, 1).

    Networks learn the logarithm of the rate relative to the mean, in units of its own deviation,
    and their loss is divided by that of the mean where it exceeds 1. So a count in the thousands
    has slopes and a weight like those of any other target.

    Args:
        mean: of the training rows.
        log_scale: deviation of the logarithm of the rate, as far as the counts show it.
        loss_scale: loss of the mean, at least 1.

    Example:
        >>> Count(2.0).row_loss(np.array([2.0]), np.array([[2.0]])).tolist()
        [0.0]
    """

    mean: float
    log_scale: float = 1.0
    loss_scale: float = 1.0

    @property
    def n_columns(self) -> int:
        return 1

    @property
    def latent(self) -> Latent:
        return _CountLatent()

    @property
    def conformity(self) -> Conformity:
        return _CountConformity()

    def log_prob(self, y: np.ndarray, pred: np.ndarray) -> np.ndarray:
        return count_log_mass(np.asarray(y, np.float64), _rate(pred))

    def row_loss(self, y: np.ndarray, pred: np.ndarray) -> np.ndarray:
        return poisson_deviance(y, pred[..., 0])

    def baseline(self, y: np.ndarray) -> np.ndarray:
        known = np.asarray(y, np.float64)
        known = known[~np.isnan(known)]
        return np.array([known.mean() if len(known) else self.mean])

    def point_mass(self, y: np.ndarray) -> np.ndarray:
        return np.asarray(y, np.float64)[..., None]

    def information(self, preds: np.ndarray) -> np.ndarray:
        rate = _rate(preds)  # a count with this rate has this variance
        return variance_information(rate, rate)


class _CountLatent(Latent):
    @property
    def n_latent(self) -> int:
        return 1

    def to_normal(
        self, y: np.ndarray, pred: np.ndarray, share: np.ndarray | None = None
    ) -> np.ndarray:
        point = None if share is None else np.reshape(share, len(pred))
        return count_to_normal(_rate(pred), np.asarray(y, np.float64), point)[:, None]

    def from_normal(self, pred: np.ndarray, z: np.ndarray) -> np.ndarray:
        return count_from_normal(_rate(pred), np.reshape(z, len(pred)))

    def condition(self, pred: np.ndarray, mean: np.ndarray, *, sd: np.ndarray) -> np.ndarray:
        n = len(pred)
        expected = condition_count(_rate(pred), np.reshape(mean, n), np.reshape(sd, n))
        return np.maximum(expected, RATE_FLOOR)[:, None]


class _CountConformity(IntervalConformity):
    """Pearson's residual: the distance from the rate, in deviations of a Poisson count.

    The deviation is at least 1: one event where none was expected does not widen all intervals.

    An interval ends at the outermost counts within the quantile. It holds the whole numbers next to
    the rate too, so that it is never empty, and the rate never outside of it.
    """

    def score(self, y: np.ndarray, pred: np.ndarray) -> np.ndarray:
        return np.asarray(np.abs(y - pred[..., 0]) / _deviation(pred))

    def region(self, pred: np.ndarray, quantile: np.ndarray) -> np.ndarray:
        rate = np.asarray(pred, np.float64)[..., 0]
        half_width = quantile * _deviation(pred)
        margin = ROUNDING * (1 + rate + half_width)
        low = np.minimum(np.ceil(rate - half_width - margin), np.floor(rate))
        high = np.maximum(np.floor(rate + half_width + margin), np.ceil(rate))
        return np.stack([np.maximum(low, 0.0), high], axis=1)


def _deviation(pred: np.ndarray) -> np.ndarray:
    return np.sqrt(np.maximum(np.asarray(pred, np.float64)[..., 0], LEAST_VARIANCE))


def _rate(pred: np.ndarray) -> np.ndarray:
    return np.maximum(np.asarray(pred, np.float64)[..., 0], RATE_FLOOR)


def poisson_deviance(y: np.ndarray, rate: np.ndarray) -> np.ndarray:
    """Poisson deviance per row: 2 (y log(y / rate) - y + rate).

    Example:
        >>> poisson_deviance(np.array([0.0, 3.0]), np.array([1.0, 3.0])).tolist()
        [2.0, 0.0]
    """
    y = np.asarray(y, np.float64)
    rate = np.maximum(np.asarray(rate, np.float64), RATE_FLOOR)
    surprise = y * np.log(np.where(y > 0, y, 1.0) / rate)  # y log y is 0 at 0
    return 2 * (np.where(y == 0, 0.0, surprise) - y + rate)


def _count_sides(k: np.ndarray, rate: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities of at most k events and of more; k = -1 has none below it."""
    return special.gammaincc(k + 1, rate), special.gammainc(k + 1, rate)


def count_log_mass(y: np.ndarray, rate: np.ndarray) -> np.ndarray:
    """Log-probability of counts under Poisson rates above 0, in nats."""
    return np.asarray(special.xlogy(y, rate) - rate - special.gammaln(y + 1))


def count_to_normal(rate: np.ndarray, y: np.ndarray, share: np.ndarray | None) -> np.ndarray:
    """Normal scores (N,) of counts (N,), NaN where missing, under Poisson rates above 0.

    Example:
        >>> rate, none, half = np.array([np.log(2)]), np.array([0.0]), np.array([0.5])
        >>> count_to_normal(rate, none, half).round(4).tolist()
        [-0.6745]
    """
    known = ~np.isnan(y)
    k = np.where(known, y, 0)
    below, _ = _count_sides(k - 1, rate)
    _, above = _count_sides(k, rate)
    score = score_within(below, np.exp(count_log_mass(k, rate)), above=above, share=share)
    return np.where(known, score, np.nan)


def count_from_normal(rate: np.ndarray, z: np.ndarray) -> np.ndarray:
    """The lowest count whose cumulative probability reaches that of the normal at z.

    Example:
        >>> count_from_normal(np.array([4.0, 4.0]), np.array([0.0, 2.0])).tolist()
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
        enough = normal_quantile(*_count_sides(middle, rate)) >= z
        low = np.where(enough, low, middle)
        high = np.where(enough, middle, high)
    return np.where(gone, np.nan, high)


def condition_count(rate: np.ndarray, mean: np.ndarray, sd: np.ndarray) -> np.ndarray:
    """The expected count (N,) where the latent normal has this mean and deviation (N,).

    The sum over k of the probability of more than k events; above `LONG_SUM` the expectation of the
    Cornish-Fisher quantile, ``rate + mean sqrt(rate) + (mean^2 + sd^2 - 1) / 6``.

    Example:
        >>> zero, one = np.zeros(2), np.ones(2)
        >>> condition_count(np.array([0.3, 80.0]), zero, one).round(9).tolist()
        [0.3, 80.0]
    """
    expected = rate + np.sqrt(rate) * mean + (mean**2 + sd**2 - 1) / 6
    small = np.flatnonzero(rate <= LONG_SUM)
    small = small[np.argsort(rate[small])]  # rows with like rates have sums of like length
    for rows in np.split(small, range(SUM_ROWS, len(small), SUM_ROWS)):
        if len(rows):
            expected[rows] = _sum_of_survival(rate[rows], mean[rows], sd[rows])
    return expected


def _sum_of_survival(rate: np.ndarray, mean: np.ndarray, sd: np.ndarray) -> np.ndarray:
    # Seven deviations beyond the mean 1e-12 is left, and beyond 37 no edges are distinguishable.
    limit = np.clip(np.fmax.reduce(mean + 7 * sd, initial=7.0), 7.0, 37.0)
    largest = float(rate.max())
    # The quantile of Cornish and Fisher to its second term is never below that of a rare event.
    k = np.arange(np.ceil(largest + limit * np.sqrt(largest) + limit**2 / 6) + 3)
    mass = np.exp(count_log_mass(k, rate[:, None]))
    above = np.cumsum(mass[:, :0:-1], axis=1)[:, ::-1]  # of 1, 2, ... events or more
    edges = normal_quantile(np.cumsum(mass[:, :-1], axis=1), above)
    scale = np.maximum(sd, DEVIATION_FLOOR)[:, None]
    return np.asarray(special.ndtr((mean[:, None] - edges) / scale).sum(axis=1))
