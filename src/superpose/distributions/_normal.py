"""Numbers with a normal error: one, or several in a row."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

import numpy as np

from ._base import Conformity, Distribution, IntervalConformity, Latent, Scale, by_rows
from ._normal_scores import SCORE_LIMIT

SCALE_FLOOR = 1e-3
"""Smallest predicted standard deviation, in units of the training standard deviation: a target
known to a thousandth of its deviation is as certain as a likelihood needs."""


class _Gaussian(Distribution):
    """What one number and several have in common: a mean and a scale each, standardised."""

    @property
    @abstractmethod
    def scale(self) -> Scale:
        """The stated scale."""

    @abstractmethod
    def mean_and_scale(self, pred: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Means and scales of predictions, (..., K) -> (...) or (..., H) each."""

    @abstractmethod
    def joined(self, mean: np.ndarray, scale: np.ndarray) -> np.ndarray:
        """The predictions with these means and scales; undoes `mean_and_scale`."""

    @property
    def latent(self) -> Latent:
        return _GaussianLatent(self)

    @property
    def conformity(self) -> Conformity:
        return _GaussianConformity(self)

    def parameters(self, pred: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Means and scales as a likelihood reads them: no scale is less than `SCALE_FLOOR`."""
        mean, scale = self.mean_and_scale(np.asarray(pred, np.float64))
        return mean, np.maximum(scale, SCALE_FLOOR)


@dataclass(frozen=True)
class Normal(_Gaussian):
    """A number: its mean and its scale (standard deviation), (N, 2), both standardised.

    Example:
        >>> Normal().row_loss(np.array([1.0]), np.array([[3.0, 0.5]])).tolist()
        [4.0]
    """

    @property
    def n_columns(self) -> int:
        return 2

    def mean_and_scale(self, pred: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return pred[..., 0], pred[..., 1]

    def joined(self, mean: np.ndarray, scale: np.ndarray) -> np.ndarray:
        return np.stack([mean, scale], axis=-1)

    @property
    def scale(self) -> Scale:
        return _GaussianScale(self, floor=0.0)  # a measured number has an interval of no width

    def log_prob(self, y: np.ndarray, pred: np.ndarray) -> np.ndarray:
        return _log_density(y, *self.parameters(pred))

    def row_loss(self, y: np.ndarray, pred: np.ndarray) -> np.ndarray:
        return (np.asarray(y, np.float64) - pred[..., 0]) ** 2

    def baseline(self, y: np.ndarray) -> np.ndarray:
        known = np.asarray(y, np.float64)
        known = known[~np.isnan(known)]
        return np.array([known.mean(), known.std()]) if len(known) else np.array([0.0, 1.0])

    def point_mass(self, y: np.ndarray) -> np.ndarray:
        y = np.asarray(y, np.float64)
        return np.stack([y, np.zeros_like(y)], axis=-1)

    def information(self, preds: np.ndarray) -> np.ndarray:
        mean, scale = self.parameters(preds)
        return variance_information(mean, scale**2)


@dataclass(frozen=True)
class NormalVector(_Gaussian):
    """Several numbers of one scale in a row, some of which may be missing.

    Predictions hold the H means, then the H scales, (N, 2 H), all standardised. The numbers are
    taken as independent, which overstates what is known of them together.

    Args:
        size: numbers H of a row.
        dtype: of predictions; float32 where a row has as many numbers as an image has locations.

    Example:
        >>> pred = np.array([[0.0, 1.0, 0.5, 0.5]])
        >>> NormalVector(2).row_loss(np.array([[2.0, np.nan]]), pred).tolist()
        [4.0]
    """

    size: int
    dtype: type = np.float64

    @property
    def n_columns(self) -> int:
        return 2 * self.size

    @property
    def label_shape(self) -> tuple[int, ...]:
        return (self.size,)

    def mean_and_scale(self, pred: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return pred[..., : self.size], pred[..., self.size :]

    def joined(self, mean: np.ndarray, scale: np.ndarray) -> np.ndarray:
        return np.concatenate([mean, scale], axis=-1)

    @property
    def scale(self) -> Scale:
        return _GaussianScale(self, floor=SCALE_FLOOR)

    def log_prob(self, y: np.ndarray, pred: np.ndarray) -> np.ndarray:
        return by_rows(self._log_prob, y, pred)

    def _log_prob(self, y: np.ndarray, pred: np.ndarray) -> np.ndarray:
        each = _log_density(y, *self.parameters(pred))
        return np.where(self.known(y), np.nansum(each, axis=1), np.nan)

    def row_loss(self, y: np.ndarray, pred: np.ndarray) -> np.ndarray:
        """The mean squared error over the numbers of a row that are known."""
        return by_rows(self._row_loss, y, pred)

    def _row_loss(self, y: np.ndarray, pred: np.ndarray) -> np.ndarray:
        mean = np.asarray(pred, np.float64)[..., : self.size]
        return mean_of_known((np.asarray(y, np.float64) - mean) ** 2)

    def baseline(self, y: np.ndarray) -> np.ndarray:
        y = np.asarray(y, np.float64)
        known = ~np.isnan(y)
        count = np.maximum(known.sum(axis=0), 1)
        mean = np.where(known, y, 0).sum(axis=0) / count
        away = np.where(known, y - mean, 0)
        scale = np.sqrt((away**2).sum(axis=0) / count)
        return np.concatenate([mean, np.where(known.any(axis=0), scale, 1.0)])

    def point_mass(self, y: np.ndarray) -> np.ndarray:
        y = np.asarray(y, np.float64)
        certain = np.concatenate([y, np.where(np.isnan(y), np.nan, 0.0)], axis=-1)
        return np.asarray(certain, self.dtype)

    def information(self, preds: np.ndarray) -> np.ndarray:
        mean, scale = self.parameters(preds)
        return np.asarray(variance_information(mean, scale**2).sum(axis=-1))


@dataclass(frozen=True)
class _GaussianLatent(Latent):
    """A number's own standardised distance from its mean."""

    of: _Gaussian

    @property
    def n_latent(self) -> int:
        return self.of.n_columns // 2

    def to_normal(
        self, y: np.ndarray, pred: np.ndarray, share: np.ndarray | None = None
    ) -> np.ndarray:
        mean, scale = self.of.parameters(pred)
        z = np.clip((y - mean) / scale, -SCORE_LIMIT, SCORE_LIMIT)
        return np.reshape(z, (len(z), self.n_latent))

    def from_normal(self, pred: np.ndarray, z: np.ndarray) -> np.ndarray:
        mean, scale = self.of.parameters(pred)
        return np.asarray(mean + scale * np.reshape(z, mean.shape))

    def condition(self, pred: np.ndarray, mean: np.ndarray, *, sd: np.ndarray) -> np.ndarray:
        means = self.from_normal(pred, mean)
        _, scale = self.of.mean_and_scale(np.asarray(pred))
        return self.of.joined(means, scale * np.reshape(sd, means.shape))


@dataclass(frozen=True)
class _GaussianScale(Scale):
    of: _Gaussian
    floor: float

    def std(self, pred: np.ndarray) -> np.ndarray:
        _, scale = self.of.mean_and_scale(np.asarray(pred, np.float64))
        return np.maximum(scale, self.floor)

    def factor(self, y: np.ndarray, pred: np.ndarray) -> float:
        mean, scale = self.of.parameters(pred)
        error = (y - mean) / scale
        error = error[~np.isnan(error)]
        return max(float(np.sqrt(np.mean(error**2))), SCALE_FLOOR) if len(error) > 1 else 1.0

    def rescaled(self, pred: np.ndarray, factor: float) -> np.ndarray:
        mean, scale = self.of.mean_and_scale(np.asarray(pred, np.float64))
        return self.of.joined(mean, scale * factor)


@dataclass(frozen=True)
class _GaussianConformity(IntervalConformity):
    """The distance from the mean, in stated scales."""

    of: _Gaussian

    def score(self, y: np.ndarray, pred: np.ndarray) -> np.ndarray:
        mean, _ = self.of.mean_and_scale(pred)
        return np.asarray(np.abs(y - mean) / np.maximum(self.of.scale.std(pred), 1e-6))

    def region(self, pred: np.ndarray, quantile: np.ndarray) -> np.ndarray:
        mean, _ = self.of.mean_and_scale(np.asarray(pred, np.float64))
        each = np.reshape(quantile, (-1, *[1] * (mean.ndim - 1)))
        half_width = each * self.of.scale.std(pred)
        return np.stack([mean - half_width, mean + half_width], axis=1)


def _log_density(y: np.ndarray, mean: np.ndarray, scale: np.ndarray) -> np.ndarray:
    density = -0.5 * ((y - mean) / scale) ** 2 - np.log(scale) - 0.5 * np.log(2 * np.pi)
    return np.asarray(density)


def mean_of_known(block: np.ndarray) -> np.ndarray:
    """The mean of what is known in each row (N, H), NaN where nothing is.

    Example:
        >>> mean_of_known(np.array([[1.0, 3.0], [5.0, np.nan]])).tolist()
        [2.0, 5.0]
    """
    known = ~np.isnan(block)
    total = np.where(known, block, 0.0).sum(axis=1)
    return np.where(known.any(axis=1), total / np.maximum(known.sum(axis=1), 1), np.nan)


def variance_information(mean: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """Bits (N,) of outcomes (n, N) that move a mean, against the variance that each leaves.

    Example:
        >>> variance_information(np.array([[-1.0], [1.0]]), np.array([[1 / 3], [1 / 3]])).tolist()
        [1.0]
    """
    return np.asarray(0.5 * np.log2(1 + mean.var(axis=0) / variance.mean(axis=0)))
