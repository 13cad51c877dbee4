"""Text, token by token."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ._base import Distribution, Latent
from ._normal_scores import PROBABILITY_FLOOR


@dataclass(frozen=True)
class Text(Distribution):
    """A text of at most L tokens.

    Labels (N, L) are the numbers of tokens, NaN behind the end. A prediction (N, 2 L) holds how
    likely each token of the row's label is behind those before it, NaN where the label was not
    read; then the tokens that are written. No two of them can be mixed.

    Args:
        length: tokens L of a text, at most.
        end: number of the token that ends a text.

    Example:
        >>> pred = np.array([[0.5, 0.5, 7.0, 0.0]])
        >>> Text(2, end=0).log_prob(np.array([[7.0, np.nan]]), pred).round(3).tolist()
        [-0.693]
    """

    is_mixable: ClassVar[bool] = False
    length: int
    end: int

    @property
    def n_columns(self) -> int:
        return 2 * self.length

    @property
    def label_shape(self) -> tuple[int, ...]:
        return (self.length,)

    @property
    def latent(self) -> Latent:
        return _TextLatent(self)

    def written(self, pred: np.ndarray) -> np.ndarray:
        """The tokens (N, L) that are written, float64."""
        return np.asarray(pred, np.float64)[..., self.length :]

    def filled(self, ids: np.ndarray) -> np.ndarray:
        """Tokens (N, L) with the end in place of what is missing behind it."""
        return np.where(np.isnan(ids), self.end, ids)

    def row_loss(self, y: np.ndarray, pred: np.ndarray) -> np.ndarray:
        """The mean log-loss of the tokens of a row."""
        count = (~np.isnan(y)).sum(axis=-1)
        return np.where(count > 0, -self.log_prob(y, pred) / np.maximum(count, 1), np.nan)

    def log_prob(self, y: np.ndarray, pred: np.ndarray) -> np.ndarray:
        known = ~np.isnan(y)
        chances = np.clip(np.asarray(pred, np.float64)[..., : self.length], PROBABILITY_FLOOR, 1.0)
        total = np.where(known, np.log(chances), 0.0).sum(axis=-1)
        return np.where(known.any(axis=-1), total, np.nan)

    def baseline(self, y: np.ndarray) -> np.ndarray:
        """The text that most rows have, and of each position how likely its tokens are on average.

        The mean is that of logarithms, so that its log-loss is that of the frequencies of tokens at
        each position.
        """
        y = np.asarray(y, np.float64)
        chances = np.ones(self.length)
        for position, ids in enumerate(y.T):
            _, counts = np.unique(ids[~np.isnan(ids)], return_counts=True)
            shares = counts / max(counts.sum(), 1)
            chances[position] = np.exp((shares * np.log(shares)).sum())
        rows = y[self.known(y)]
        if not len(rows):
            return np.concatenate([chances, np.full(self.length, float(self.end))])
        texts, counts = np.unique(self.filled(rows), axis=0, return_counts=True)
        return np.concatenate([chances, texts[counts.argmax()]])

    def point_mass(self, y: np.ndarray) -> np.ndarray:
        y = np.asarray(y, np.float64)
        return np.concatenate([np.where(np.isnan(y), np.nan, 1.0), y], axis=1)

    def information(self, preds: np.ndarray) -> np.ndarray:
        """None: how much an outcome would say about a text is not known."""
        return np.zeros(preds.shape[1])


@dataclass(frozen=True)
class _TextLatent(Latent):
    """Texts have no order in which one could lie between two others: a draw is what is written."""

    of: Text

    @property
    def n_latent(self) -> int:
        return 1

    def to_normal(
        self, y: np.ndarray, pred: np.ndarray, share: np.ndarray | None = None
    ) -> np.ndarray:
        return np.where(self.of.known(y), 0.0, np.nan)[:, None]

    def from_normal(self, pred: np.ndarray, z: np.ndarray) -> np.ndarray:
        ids = self.of.written(pred).round()
        behind = np.cumsum(ids == self.of.end, axis=-1) - (ids == self.of.end) > 0
        return np.where(behind, np.nan, ids)

    def condition(self, pred: np.ndarray, mean: np.ndarray, *, sd: np.ndarray) -> np.ndarray:
        return np.asarray(pred, np.float64)
