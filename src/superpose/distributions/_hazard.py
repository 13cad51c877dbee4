"""A time until an event, by the hazards of intervals; some rows have not seen the event."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ._base import Distribution, Latent
from ._class_scores import (
    class_from_normal,
    class_information,
    class_to_normal,
    condition_classes,
)
from ._normal_scores import PROBABILITY_FLOOR, score_within

TINIEST = 1e-12  # a share alive that a logarithm can be taken of


@dataclass(frozen=True)
class Hazard(Distribution):
    """A time until an event that not every row has lived to see.

    A label is one number: the time of the event, or minus the time up to which it was not seen.
    A prediction (N, K + 1) holds the probability that the event falls into each of K intervals,
    and that it comes after the last.

    Args:
        uppers: the end of each interval, which belongs to it, increasing.
        base: the best prediction (K + 1) that ignores the inputs; empty where not known yet.

    Example:
        >>> dist = Hazard(uppers=(2.0, 4.0), base=(0.5, 0.25, 0.25))
        >>> dist.point_mass(np.array([3.0, -2.0])).tolist()
        [[0.0, 1.0, 0.0], [0.0, 0.5, 0.5]]
    """

    uppers: tuple[float, ...]
    base: tuple[float, ...] = ()

    @property
    def n_columns(self) -> int:
        return len(self.uppers) + 1

    @property
    def n_intervals(self) -> int:
        """Intervals K."""
        return len(self.uppers)

    @property
    def lowers(self) -> tuple[float, ...]:
        """The start of each interval, which does not belong to it but for 0."""
        return (0.0, *self.uppers[:-1])

    @property
    def latent(self) -> Latent:
        return _HazardLatent(self)

    def interval_of(self, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The interval of each time, K beyond the last, and how far into it, 0 to 1."""
        times = np.abs(np.asarray(y, np.float64))
        uppers, lowers = np.array(self.uppers), np.array(self.lowers)
        k = np.searchsorted(uppers, times, side="left")
        inside = np.minimum(k, len(uppers) - 1)
        share = (times - lowers[inside]) / (uppers - lowers)[inside]
        return k, np.clip(np.where(np.isnan(times), 0.0, share), 0.0, 1.0)

    def exposure(self, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The share of each interval that a row was at risk, and its event, (N, K) each.

        Zeros where the label is missing.
        """
        k, share = self.interval_of(y)
        event = ~np.signbit(y) & ~np.isnan(y)
        steps = np.arange(self.n_intervals)
        here = steps == k[..., None]
        exposure = np.where(steps < k[..., None], 1.0, here * share[..., None])
        exposure = np.where(here & event[..., None], 0.0, exposure)
        exposure[np.isnan(y)] = 0.0
        return exposure, (here & event[..., None]).astype(np.float64)

    def alive(self, pred: np.ndarray) -> np.ndarray:
        """The share alive (N, K + 1) at 0 and at the end of each interval."""
        p = np.asarray(pred, np.float64)
        p = p / p.sum(axis=-1, keepdims=True)
        return np.maximum(np.cumsum(p[:, ::-1], axis=1)[:, ::-1], TINIEST)

    def alive_at(self, pred: np.ndarray, times: np.ndarray) -> np.ndarray:
        """The share alive (N, H) at times (H,) or (N, H); the hazard is even in an interval."""
        alive = self.alive(pred)
        shape = (len(pred), np.shape(times)[-1])
        k, share = (np.broadcast_to(v, shape) for v in self.interval_of(times))
        low = np.take_along_axis(alive, np.minimum(k, self.n_intervals), 1)
        high = np.take_along_axis(alive, np.minimum(k + 1, self.n_intervals), 1)
        return np.where(k < self.n_intervals, low ** (1 - share) * high**share, low)

    def expected_intervals(self, pred: np.ndarray) -> np.ndarray:
        """Intervals (N,) that a row is expected to live through."""
        return self.alive(pred)[:, 1:].sum(axis=1)

    def median(self, pred: np.ndarray) -> np.ndarray:
        """The median time (N,), NaN where more than half live beyond the last interval."""
        alive = self.alive(pred)
        k = np.minimum((alive[:, 1:] > 0.5).sum(axis=1), self.n_intervals - 1)[:, None]
        low, high = (np.take_along_axis(alive, k + n, 1)[:, 0] for n in (0, 1))
        drop = np.log(np.maximum(low / np.maximum(high, TINIEST), 1 + TINIEST))
        share = np.clip(np.log(2 * np.maximum(low, 0.5)) / drop, 0.0, 1.0)
        lows, highs = np.array(self.lowers)[k[:, 0]], np.array(self.uppers)[k[:, 0]]
        is_within = ~np.isnan(alive).any(axis=1) & (alive[:, -1] <= 0.5)
        return np.where(is_within, lows + share * (highs - lows), np.nan)

    def log_prob(self, y: np.ndarray, pred: np.ndarray) -> np.ndarray:
        return -self.row_loss(y, pred)

    def row_loss(self, y: np.ndarray, pred: np.ndarray) -> np.ndarray:
        """Negative log-likelihood: of the interval of an event, of living longer where unseen."""
        y = np.asarray(y, np.float64)
        p = np.clip(np.asarray(pred, np.float64), PROBABILITY_FLOOR, 1.0)
        p = p / p.sum(axis=1, keepdims=True)
        k, _ = self.interval_of(y)
        hit = np.take_along_axis(p, np.minimum(k, self.n_intervals)[:, None], 1)[:, 0]
        beyond = self.alive_at(p, np.abs(np.nan_to_num(y))[:, None])[:, 0]
        return np.where(np.isnan(y), np.nan, -np.log(np.where(np.signbit(y), beyond, hit)))

    def baseline(self, y: np.ndarray) -> np.ndarray:
        """Kaplan and Meier's estimate on the intervals, which maximises the likelihood."""
        y = np.asarray(y, np.float64)
        exposure, event = (part.sum(axis=0) for part in self.exposure(y))
        if not (exposure.sum() + event.sum()):
            even = np.full(self.n_columns, 1 / self.n_columns)
            return np.array(self.base) if self.base else even
        hazard = event / np.maximum(exposure + event, TINIEST)
        alive = np.concatenate([[1.0], np.cumprod(1 - hazard)])
        return np.concatenate([alive[:-1] * hazard, alive[-1:]])

    def point_mass(self, y: np.ndarray) -> np.ndarray:
        """Certain of the interval of an event; of who has not seen it, what is left of the base."""
        y = np.asarray(y, np.float64)
        k, _ = self.interval_of(y)
        steps = np.arange(self.n_columns)
        event = (steps == k[:, None]).astype(float)
        base = np.broadcast_to(self.base, (len(y), self.n_columns))
        alive = self.alive(base)
        ends = np.concatenate([alive[:, 1:], np.zeros((len(y), 1))], axis=1)
        now = self.alive_at(base, np.abs(y)[:, None])
        later = np.where(steps == k[:, None], now - ends, np.where(steps > k[:, None], base, 0.0))
        later = np.maximum(later, TINIEST * (steps == self.n_intervals))
        later = later / later.sum(axis=1, keepdims=True)
        certain = np.where(np.signbit(y)[:, None], later, event)
        return np.where(np.isnan(y)[:, None], np.nan, certain)

    def information(self, preds: np.ndarray) -> np.ndarray:
        return class_information(preds)


@dataclass(frozen=True)
class _HazardLatent(Latent):
    of: Hazard

    @property
    def n_latent(self) -> int:
        return 1

    def to_normal(
        self, y: np.ndarray, pred: np.ndarray, share: np.ndarray | None = None
    ) -> np.ndarray:
        y = np.asarray(y, np.float64)
        k = np.where(np.isnan(y), np.nan, self.of.interval_of(y)[0])[:, None]
        hit = class_to_normal(np.asarray(pred)[:, None], k, share)
        now = np.abs(np.nan_to_num(y))[:, None]
        alive = self.of.alive_at(np.maximum(pred, PROBABILITY_FLOOR), now)
        longer = score_within(1 - alive, alive, above=np.zeros_like(alive), share=share)
        return np.where(np.isnan(k), np.nan, np.where(np.signbit(y)[:, None], longer, hit))

    def from_normal(self, pred: np.ndarray, z: np.ndarray) -> np.ndarray:
        """The middle of an interval; beyond the last, its end without the event."""
        k = class_from_normal(pred, np.reshape(z, len(pred)))
        middles = (np.array(self.of.lowers) + np.array(self.of.uppers)) / 2
        times = np.append(middles, -self.of.uppers[-1])
        return np.where(np.isnan(k), np.nan, times[np.nan_to_num(k).astype(int)])

    def condition(self, pred: np.ndarray, mean: np.ndarray, *, sd: np.ndarray) -> np.ndarray:
        n = len(pred)
        return condition_classes(pred, np.reshape(mean, n), np.reshape(sd, n))
