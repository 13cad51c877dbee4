"""A class for each location of an input: words of a text, cells of an image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ._base import Distribution, Latent, by_rows
from ._class_scores import (
    class_from_normal,
    class_information,
    class_to_normal,
    condition_classes,
)
from ._normal_scores import PROBABILITY_FLOOR


@dataclass(frozen=True)
class LocationCategorical(Distribution):
    """One of C classes at each of S locations: probabilities laid side by side, (N, S C), float32.

    Labels (N, S) are indices of classes, NaN for a location without one. Predictions are NaN where
    a row has no such location.

    Args:
        n_locations: locations S of a row, at most.
        n_classes: classes C.
        class_weights: how much a location of each class weighs in training; even if None.

    Example:
        >>> dist = LocationCategorical(2, 2)
        >>> dist.point_mass(np.array([[1.0, np.nan]])).tolist()
        [[0.0, 1.0, nan, nan]]
    """

    n_locations: int
    n_classes: int
    class_weights: tuple[float, ...] | None = None

    @property
    def n_columns(self) -> int:
        return self.n_locations * self.n_classes

    @property
    def label_shape(self) -> tuple[int, ...]:
        return (self.n_locations,)

    @property
    def dtype(self) -> type:
        return np.float32

    @property
    def latent(self) -> Latent:
        return _LocationLatent(self)

    def by_location(self, pred: np.ndarray) -> np.ndarray:
        """Predictions (..., S C) as (..., S, C), without a copy."""
        *rows, columns = np.shape(pred)
        return np.reshape(pred, (*rows, columns // self.n_classes, self.n_classes))

    def point_mass(self, y: np.ndarray) -> np.ndarray:
        known = ~np.isnan(y)
        onehot = np.eye(self.n_classes, dtype=np.float32)[np.where(known, y, 0).astype(int)]
        certain = np.where(known[..., None], onehot, np.float32("nan"))
        return certain.reshape(len(y), y.shape[1] * self.n_classes)

    def _labelled(self, y: np.ndarray, pred: np.ndarray) -> tuple[np.ndarray, ...]:
        """Of each labelled location its row, the probabilities (W, C), and that of its label."""
        p = self.by_location(pred)
        rows, locations = np.nonzero(~np.isnan(y))
        shares = np.asarray(p[rows, locations], np.float64)  # a row has few of its S locations
        read = ~np.isnan(p[:, :, 0]).all(axis=1)
        # A word that a model has passed over, of a row that it has read, has no probability at all.
        shares[np.isnan(shares[:, 0]) & read[rows]] = 0.0
        return rows, shares, shares[np.arange(len(rows)), y[rows, locations].astype(int)]

    def row_loss(self, y: np.ndarray, pred: np.ndarray) -> np.ndarray:
        """The mean over a row's locations of the squared distance of probabilities and label.

        It is proper as the log-loss is. But that grows without limit where a network is sure and
        wrong, and would stop training long before the labels stop to get better.

        Source:
            Brier 1950.
        """
        return by_rows(self._row_loss, y, pred)

    def _row_loss(self, y: np.ndarray, pred: np.ndarray) -> np.ndarray:
        rows, shares, chosen = self._labelled(y, pred)
        each = (shares**2).sum(axis=1) - 2 * chosen + 1
        count = np.bincount(rows, minlength=len(y))
        sums = np.bincount(rows, weights=each, minlength=len(y))
        return np.where(count > 0, sums / np.maximum(count, 1), np.nan)

    def log_prob(self, y: np.ndarray, pred: np.ndarray) -> np.ndarray:
        return by_rows(self._log_prob, y, pred)

    def _log_prob(self, y: np.ndarray, pred: np.ndarray) -> np.ndarray:
        rows, shares, chosen = self._labelled(y, pred)
        floor = np.maximum(shares, PROBABILITY_FLOOR).sum(axis=1)
        logs = np.log(np.maximum(chosen, PROBABILITY_FLOOR) / floor)
        sums = np.bincount(rows, weights=logs, minlength=len(y))
        return np.where(self.known(y), sums, np.nan)

    def baseline(self, y: np.ndarray) -> np.ndarray:
        rows, locations = np.nonzero(~np.isnan(y))
        if not len(rows):
            return np.full(self.n_columns, 1 / self.n_classes)
        weights = 1 / np.bincount(rows)[rows]  # a row weighs the same, however many words it has
        classes = y[rows, locations].astype(int)
        share = np.bincount(classes, weights, minlength=self.n_classes) / weights.sum()
        return np.tile(share, self.n_locations)

    def information(self, preds: np.ndarray) -> np.ndarray:
        each = class_information(self.by_location(preds))
        return np.asarray(np.nansum(each, axis=-1))


@dataclass(frozen=True)
class _LocationLatent(Latent):
    of: LocationCategorical

    @property
    def n_latent(self) -> int:
        return self.of.n_locations

    def to_normal(
        self, y: np.ndarray, pred: np.ndarray, share: np.ndarray | None = None
    ) -> np.ndarray:
        return class_to_normal(self.of.by_location(pred), np.asarray(y), share)

    def from_normal(self, pred: np.ndarray, z: np.ndarray) -> np.ndarray:
        return class_from_normal(self.of.by_location(pred), np.reshape(z, (len(pred), -1)))

    def condition(self, pred: np.ndarray, mean: np.ndarray, *, sd: np.ndarray) -> np.ndarray:
        return condition_classes(self.of.by_location(pred), mean, sd).reshape(len(pred), -1)
