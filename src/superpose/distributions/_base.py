"""What a distribution knows of labels and predictions, whatever kind of column they come from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import ClassVar

import numpy as np

BATCH_CELLS = 4_000_000  # numbers of a prediction that are copied at once
FEWEST_ROWS = 64


class Latent(ABC):
    """Standard normal variables that stand for a label: what a Gaussian copula joins.

    A prediction is the margin. `to_normal` says where in it a label lies, `from_normal` undoes
    that, and `condition` gives the prediction where the normals are known to lie elsewhere.
    """

    @property
    @abstractmethod
    def n_latent(self) -> int:
        """Normal variables L of a label: 1, or one for each member of a set."""

    @abstractmethod
    def to_normal(
        self, y: np.ndarray, pred: np.ndarray, share: np.ndarray | None = None
    ) -> np.ndarray:
        """Normal scores of labels under their predictions, within +-6, NaN where missing.

        Args:
            y: labels (N,) or (N, H).
            pred: predictions (N, K).
            share: which point (N, L), 0 to 1, of the interval that a discrete label owns; without
                it the mean of the normal within the interval. Numbers have a point of their own.

        Shape:
            (N, L).
        """

    @abstractmethod
    def from_normal(self, pred: np.ndarray, z: np.ndarray) -> np.ndarray:
        """Labels, (N,) or (N, H), at normal scores z (N, L); undoes `to_normal`."""

    @abstractmethod
    def condition(self, pred: np.ndarray, mean: np.ndarray, *, sd: np.ndarray) -> np.ndarray:
        """Predictions (N, K) where the normals have another mean and deviation than 0 and 1.

        Args:
            pred: predictions (N, K); they come back where all means are 0 and deviations 1.
            mean: of the normals, (N, L).
            sd: their standard deviations, (N, L).
        """


class Scale(ABC):
    """The stated scale of predicted numbers, which held-out rows can correct."""

    @abstractmethod
    def std(self, pred: np.ndarray) -> np.ndarray:
        """Standard deviations, (N,), or (N, H) for several numbers."""

    @abstractmethod
    def factor(self, y: np.ndarray, pred: np.ndarray) -> float:
        """By how much the stated scale has to grow to be that of the errors."""

    @abstractmethod
    def rescaled(self, pred: np.ndarray, factor: float) -> np.ndarray:
        """Predictions with their scale times a factor."""


class Conformity(ABC):
    """How unlike its prediction a label is, and the labels that are no more unlike than a bound.

    The bound is learned on held-out rows, as their quantile, so that new labels lie within it.
    """

    is_set: ClassVar[bool] = False  # a region marks labels one by one, and has no ends

    @abstractmethod
    def score(self, y: np.ndarray, pred: np.ndarray) -> np.ndarray:
        """How unlike their predictions labels are, 0 or more, (N,) or (N, H); NaN where missing."""

    @abstractmethod
    def region(self, pred: np.ndarray, quantile: np.ndarray) -> np.ndarray:
        """The labels whose score is at most the quantile.

        Args:
            pred: predictions (N, K).
            quantile: the bound of each row (N,); 0 leaves the prediction alone.

        Shape:
            the lowest and the highest label, (N, 2) or (N, 2, H); of sets bool (N, K).
        """

    @abstractmethod
    def contains(self, region: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Mark the labels (N,) or (N, H) that lie in their regions; False where missing."""


class IntervalConformity(Conformity):
    """Regions with a lowest and a highest label."""

    def contains(self, region: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.asarray((region[:, 0] <= y) & (y <= region[:, 1]))


class Distribution(ABC):
    """What a prediction says of a label.

    A *canonical prediction* (N, K) is what every model of a target emits; a weighted mean of two is
    one again. Labels are float, (N,) or (N, H), NaN where missing. Networks learn the parameters
    through a head of `superpose.nn`, trees through a task of theirs; nothing here knows of either.

    A distribution is a small frozen dataclass of the few fitted values that it needs.
    """

    is_mixable: ClassVar[bool] = True

    @property
    @abstractmethod
    def n_columns(self) -> int:
        """Columns K of a prediction."""

    @property
    def label_shape(self) -> tuple[int, ...]:
        """The shape of a row's label: () for one number, (H,) for several."""
        return ()

    @property
    def dtype(self) -> type:
        """The type of predictions: float32 where a row has very many columns."""
        return np.float64

    @property
    def latent(self) -> Latent | None:
        """The normal variables that stand for a label, or None where no label has a rank."""
        return None

    @property
    def scale(self) -> Scale | None:
        """The stated scale, or None where predictions have none that could be wrong by itself."""
        return None

    @property
    def conformity(self) -> Conformity | None:
        """How intervals and sets around a prediction are made, or None where there are none."""
        return None

    @abstractmethod
    def log_prob(self, y: np.ndarray, pred: np.ndarray) -> np.ndarray:
        """Log-likelihood (N,) of labels in nats, NaN where missing; of several the sum."""

    @abstractmethod
    def row_loss(self, y: np.ndarray, pred: np.ndarray) -> np.ndarray:
        """The loss (N,) by which models are chosen and tested, NaN where the label is missing."""

    @abstractmethod
    def baseline(self, y: np.ndarray) -> np.ndarray:
        """The best prediction (K,) that ignores the inputs."""

    @abstractmethod
    def point_mass(self, y: np.ndarray) -> np.ndarray:
        """The prediction (N, K) that is certain of these labels."""

    @abstractmethod
    def information(self, preds: np.ndarray) -> np.ndarray:
        """Bits (N,), at least 0, that a measurement is expected to give about this target.

        Args:
            preds: predictions (n, N, K) after each of n equally likely outcomes.
        """

    def scale_factor(self, y: np.ndarray, pred: np.ndarray) -> float:
        """By how much the stated scale has to grow to be that of the errors; 1 without any."""
        return 1.0 if self.scale is None else self.scale.factor(y, pred)

    def rescaled(self, pred: np.ndarray, factor: float) -> np.ndarray:
        """Predictions with their scale times a factor; as they are without any."""
        if self.scale is None:
            return np.asarray(pred, np.float64)
        return self.scale.rescaled(pred, factor)

    def known(self, y: np.ndarray) -> np.ndarray:
        """Mark the rows (N,) that have a label."""
        present = ~np.isnan(y)
        return present if present.ndim == 1 else present.any(axis=1)

    def missing(self, n_rows: int) -> np.ndarray:
        """The labels of rows that have none, float32."""
        return np.full((n_rows, *self.label_shape), np.nan, np.float32)

    def mix(self, preds: Mapping[str, np.ndarray], weights: Mapping[str, float]) -> np.ndarray:
        """The weighted mean (N, K) of the predictions of models, by their names.

        Args:
            preds: predictions (N, K) of each model.
            weights: of those that take part; they sum to 1.
        """
        return sum(w * preds[name] for name, w in weights.items())  # type: ignore[return-value]


def latent_of(distribution: Distribution) -> Latent:
    """The normal variables of a distribution that has to have some.

    Raises:
        TypeError: a distribution without any, whose labels can be neither drawn nor joined.
    """
    if distribution.latent is None:
        raise TypeError(
            f"{type(distribution).__name__} has no latent normals, so that its labels can't be "
            f"drawn, nor joined in a copula; give it a `latent`"
        )
    return distribution.latent


def by_rows(
    function: Callable[[np.ndarray, np.ndarray], np.ndarray], y: np.ndarray, pred: np.ndarray
) -> np.ndarray:
    """Apply a function to some rows at a time: copies of all columns of all rows would fill memory.

    Args:
        function: gives a number for each row, from its label and its prediction.
        y: labels (N, H).
        pred: predictions (N, K).

    Example:
        >>> by_rows(lambda y, pred: pred[:, 0] - y, np.ones(2), np.ones((2, 3))).tolist()
        [0.0, 0.0]
    """
    step = max(FEWEST_ROWS, BATCH_CELLS // max(1, pred.shape[1]))
    starts = range(0, len(y), step)
    parts = [function(y[n : n + step], pred[n : n + step]) for n in starts]
    return np.concatenate([np.zeros(0), *parts])
