"""A class for each place of an input: what words of a text and cells of an image share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from superpose.distributions import (
    PROBABILITY_FLOOR,
    class_at,
    class_given,
    class_information,
    class_scores,
)
from superpose.functional import category_loss

from ._target import TargetKind


@dataclass(kw_only=True)
class PlacesTarget(TargetKind):
    """Base of targets with an answer for each place of an input, which no trees can give."""

    tree: ClassVar[str] = "none"
    of: str
    levels: list[str]

    @property
    def source(self) -> str | None:
        return self.of

    @property
    def labels(self) -> list[str]:
        return self.levels

    @property
    def width(self) -> int:
        return self.size


@dataclass(kw_only=True)
class PlaceClasses(PlacesTarget):
    """One class for each place of an input.

    Labels (N, S): the index of the class, NaN for a place without one. Canonical prediction: a
    probability for each class of each place, laid side by side, NaN where a row has no such place,
    float32.
    """

    places: int  # of a row, at most

    @property
    def size(self) -> int:
        return self.places * len(self.levels)

    @property
    def place_size(self) -> int:
        return len(self.levels)

    def unlabelled(self, rows: int) -> np.ndarray:
        return np.full((rows, self.places), np.nan, np.float32)

    def exact(self, y: np.ndarray) -> np.ndarray:
        known = ~np.isnan(y)
        onehot = np.eye(self.place_size, dtype=np.float32)[np.where(known, y, 0).astype(int)]
        return np.where(known[..., None], onehot, np.float32("nan")).reshape(
            len(y), y.shape[1] * self.place_size
        )

    def _by_place(self, pred: np.ndarray) -> np.ndarray:
        """Predictions (..., S C) as (..., S, C), without a copy."""
        *rows, wide = np.shape(pred)
        return np.reshape(pred, (*rows, wide // self.place_size, self.place_size))

    def loss(self, out: Tensor, y: Tensor) -> Tensor:
        out = out.unflatten(-1, (-1, self.place_size))
        y = y[..., : out.shape[-2]]  # a batch may lack the last places, where no row has a word
        known = (~y.isnan()).sum(-1).clamp(min=1)
        return category_loss(out, y).sum(-1) / known

    def predict(self, out: Tensor) -> Tensor:
        return torch.softmax(out.unflatten(-1, (-1, self.place_size)), dim=-1).flatten(-2)

    def _labelled(self, y: np.ndarray, pred: np.ndarray) -> tuple[np.ndarray, ...]:
        """What was told of each labelled word: its row, (W, C) probabilities, that of its label."""
        p = self._by_place(pred)
        rows, places = np.nonzero(~np.isnan(y))
        shares = np.asarray(p[rows, places], np.float64)  # a row has few of its S places
        read = ~np.isnan(p[:, :, 0]).all(axis=1)
        # A word that a model has passed over, of a row that it has read, has no probability at all.
        shares[np.isnan(shares[:, 0]) & read[rows]] = 0.0
        return rows, shares, shares[np.arange(len(rows)), y[rows, places].astype(int)]

    def row_loss(self, y: np.ndarray, pred: np.ndarray) -> np.ndarray:
        """The mean over a row's words of the squared distance between probabilities and label.

        It is proper as the log-loss is. But that grows without limit where a network is sure and
        wrong, and would stop training long before the labels stop to get better.

        Source:
            Brier 1950.
        """
        rows, shares, chosen = self._labelled(y, pred)
        each = (shares**2).sum(axis=1) - 2 * chosen + 1
        count = np.bincount(rows, minlength=len(y))
        sums = np.bincount(rows, weights=each, minlength=len(y))
        return np.where(count > 0, sums / np.maximum(count, 1), np.nan)

    def log_likelihood(self, y: np.ndarray, pred: np.ndarray) -> np.ndarray:
        rows, shares, chosen = self._labelled(y, pred)
        floor = np.maximum(shares, PROBABILITY_FLOOR).sum(axis=1)
        logs = np.log(np.maximum(chosen, PROBABILITY_FLOOR) / floor)
        sums = np.bincount(rows, weights=logs, minlength=len(y))
        return np.where(self.known(y), sums, np.nan)

    def constant(self, y: np.ndarray) -> np.ndarray:
        rows, places = np.nonzero(~np.isnan(y))
        if not len(rows):
            return np.full(self.width, 1 / self.place_size)
        weights = 1 / np.bincount(rows)[rows]  # a row weighs the same, however many words it has
        tags = y[rows, places].astype(int)
        share = np.bincount(tags, weights, minlength=self.place_size) / weights.sum()
        return np.tile(share, self.places)

    @property
    def latent(self) -> int:
        return self.places

    def scores(
        self, y: np.ndarray, pred: np.ndarray, share: np.ndarray | None = None
    ) -> np.ndarray:
        return class_scores(self._by_place(pred), np.asarray(y), share)

    def at_scores(self, pred: np.ndarray, z: np.ndarray) -> np.ndarray:
        return class_at(self._by_place(pred), np.reshape(z, (len(pred), -1)))

    def given_scores(self, pred: np.ndarray, mean: np.ndarray, sd: np.ndarray) -> np.ndarray:
        return class_given(self._by_place(pred), mean, sd).reshape(len(pred), -1)

    def information(self, told: np.ndarray) -> np.ndarray:
        return np.asarray(np.nansum(class_information(self._by_place(told)), axis=-1))
