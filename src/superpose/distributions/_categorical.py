"""One class of several: without order, of two, or in an order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ._base import Conformity, Distribution, Latent
from ._class_scores import (
    class_from_normal,
    class_information,
    class_to_normal,
    condition_classes,
)
from ._normal_scores import PROBABILITY_FLOOR


@dataclass(frozen=True)
class Categorical(Distribution):
    """One of K classes: a probability for each, (N, K). Labels are indices of classes.

    Args:
        n_classes: classes K.

    Example:
        >>> pred = np.array([[0.25, 0.75]])
        >>> Categorical(2).log_prob(np.array([1.0]), pred).round(3).tolist()
        [-0.288]
    """

    n_classes: int

    @property
    def n_columns(self) -> int:
        return self.n_classes

    @property
    def latent(self) -> Latent:
        return _ClassLatent()

    @property
    def conformity(self) -> Conformity | None:
        return _ClassConformity()

    def log_prob(self, y: np.ndarray, pred: np.ndarray) -> np.ndarray:
        return -self.row_loss(y, pred)

    def row_loss(self, y: np.ndarray, pred: np.ndarray) -> np.ndarray:
        y = np.asarray(y, np.float64)
        known = ~np.isnan(y)
        p = np.clip(np.asarray(pred, np.float64), PROBABILITY_FLOOR, 1.0)
        index = np.where(known, y, 0).astype(int)[..., None]
        chosen = np.take_along_axis(p, index, axis=-1)[..., 0]
        return np.where(known, -np.log(chosen / p.sum(axis=-1)), np.nan)

    def baseline(self, y: np.ndarray) -> np.ndarray:
        y = np.asarray(y, np.float64)
        known = y[~np.isnan(y)].astype(int)
        if not len(known):
            return np.full(self.n_classes, 1 / self.n_classes)
        return np.bincount(known, minlength=self.n_classes) / len(known)

    def point_mass(self, y: np.ndarray) -> np.ndarray:
        y = np.asarray(y, np.float64)
        known = ~np.isnan(y)
        onehot = np.eye(self.n_classes)[np.where(known, y, 0).astype(int)]
        return np.where(known[..., None], onehot, np.nan)

    def information(self, preds: np.ndarray) -> np.ndarray:
        return class_information(preds)


@dataclass(frozen=True)
class Bernoulli(Categorical):
    """One of two classes, the second of which counts as yes; a decision can have a threshold."""

    n_classes: int = 2


@dataclass(frozen=True)
class Ordinal(Categorical):
    """One of several classes that have an order, the lowest first."""


@dataclass(frozen=True)
class Items(Categorical):
    """One item out of many, most of which few rows name."""

    @property
    def conformity(self) -> None:
        """None: a set of thousands of items says no more than their ranks."""
        return None

    def baseline(self, y: np.ndarray) -> np.ndarray:
        """The popularity of items; an item that no row names is not impossible."""
        known = np.asarray(y)[~np.isnan(y)].astype(int)
        counts = np.bincount(known, minlength=self.n_classes) + 1 / self.n_classes
        return np.asarray(counts / counts.sum())


class _ClassConformity(Conformity):
    """One minus the probability of the class; the most probable class is always in the set.

    Source:
        Least ambiguous sets, Sadinle, Lei and Wasserman 2019.
    """

    is_set: ClassVar[bool] = True

    def score(self, y: np.ndarray, pred: np.ndarray) -> np.ndarray:
        y = np.asarray(y, np.float64)
        known = ~np.isnan(y)
        index = np.where(known, y, 0).astype(int)[:, None]
        chosen = np.take_along_axis(np.asarray(pred, np.float64), index, axis=1)[:, 0]
        return np.where(known, 1 - chosen, np.nan)

    def region(self, pred: np.ndarray, quantile: np.ndarray) -> np.ndarray:
        p = np.asarray(pred, np.float64)
        inside = 1 - p <= np.reshape(quantile, (-1, 1))
        inside |= p == p.max(axis=1, keepdims=True)
        return np.asarray(inside)

    def contains(self, region: np.ndarray, y: np.ndarray) -> np.ndarray:
        known = ~np.isnan(y)
        index = np.where(known, y, 0).astype(int)[:, None]
        return known & np.take_along_axis(region, index, axis=1)[:, 0]


class _ClassLatent(Latent):
    @property
    def n_latent(self) -> int:
        return 1

    def to_normal(
        self, y: np.ndarray, pred: np.ndarray, share: np.ndarray | None = None
    ) -> np.ndarray:
        return class_to_normal(pred[:, None], np.asarray(y)[:, None], share)

    def from_normal(self, pred: np.ndarray, z: np.ndarray) -> np.ndarray:
        return class_from_normal(pred, np.reshape(z, len(pred)))

    def condition(self, pred: np.ndarray, mean: np.ndarray, *, sd: np.ndarray) -> np.ndarray:
        n = len(pred)
        return condition_classes(pred, np.reshape(mean, n), np.reshape(sd, n))
