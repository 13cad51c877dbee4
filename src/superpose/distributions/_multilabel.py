"""Sets of labels: each present or absent for itself."""

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
from ._normal_scores import PROBABILITY_FLOOR


@dataclass(frozen=True)
class Multilabel(Distribution):
    """Any number of L labels, each by its own probability, (N, L): independent Bernoullis.

    Args:
        n_labels: labels L.

    Example:
        >>> Multilabel(2).baseline(np.array([[1.0, 0.0], [1.0, np.nan]])).tolist()
        [1.0, 0.0]
    """

    n_labels: int

    @property
    def n_columns(self) -> int:
        return self.n_labels

    @property
    def label_shape(self) -> tuple[int, ...]:
        return (self.n_labels,)

    @property
    def latent(self) -> Latent:
        return _LabelLatent(self.n_labels)

    def log_prob(self, y: np.ndarray, pred: np.ndarray) -> np.ndarray:
        return -self.row_loss(y, pred) * (~np.isnan(y)).sum(axis=-1)

    def row_loss(self, y: np.ndarray, pred: np.ndarray) -> np.ndarray:
        """The mean log-loss of the labels that are known."""
        y = np.asarray(y, np.float64)
        p = np.clip(np.asarray(pred, np.float64), PROBABILITY_FLOOR, 1 - PROBABILITY_FLOOR)
        each = -np.where(y > 0.5, np.log(p), np.log1p(-p))
        present = ~np.isnan(y)
        count = present.sum(axis=-1)
        total = np.where(present, each, 0).sum(axis=-1)
        return np.where(count > 0, total / np.maximum(count, 1), np.nan)

    def baseline(self, y: np.ndarray) -> np.ndarray:
        y = np.asarray(y, np.float64)
        present = ~np.isnan(y)
        count = present.sum(axis=0)
        share = np.where(present, y, 0).sum(axis=0) / np.maximum(count, 1)
        return np.where(count > 0, share, 0.5)

    def point_mass(self, y: np.ndarray) -> np.ndarray:
        return np.asarray(y, np.float64)

    def information(self, preds: np.ndarray) -> np.ndarray:
        return np.asarray(class_information(_two_classes(preds)).sum(axis=-1))


@dataclass(frozen=True)
class _LabelLatent(Latent):
    n_labels: int

    @property
    def n_latent(self) -> int:
        return self.n_labels

    def to_normal(
        self, y: np.ndarray, pred: np.ndarray, share: np.ndarray | None = None
    ) -> np.ndarray:
        return class_to_normal(_two_classes(pred), np.asarray(y), share)

    def from_normal(self, pred: np.ndarray, z: np.ndarray) -> np.ndarray:
        return class_from_normal(_two_classes(pred), np.reshape(z, pred.shape))

    def condition(self, pred: np.ndarray, mean: np.ndarray, *, sd: np.ndarray) -> np.ndarray:
        return condition_classes(_two_classes(pred), mean, sd)[..., 1]


def _two_classes(p: np.ndarray) -> np.ndarray:
    """Each label as two classes, absent and present: (..., L) -> (..., L, 2)."""
    p = np.asarray(p, np.float64)
    return np.stack([1 - p, p], axis=-1)
