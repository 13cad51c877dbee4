"""What a target must know of its column: one half of the extension point of the package.

A kind is the only place that knows how its column is encoded, learned, predicted, scored and
described. A new kind is one class in one new file plus one line in the table of this folder.
Instances are fitted to one column; they hold plain values only, so they travel as JSON.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import pyarrow as pa
from torch import Tensor, nn

from superpose.columns import Column
from superpose.errors import DataError
from superpose.nn import FromPast

from ._beside import Beside, FileForm
from ._codec_base import CodecBase


@dataclass(kw_only=True)
class TargetKind(CodecBase, ABC):
    """One target column, fitted on training rows.

    Its *canonical prediction* (N, K) is what every predictor emits, tree or network; a convex
    mixture of canonical predictions is one again.
    """

    name: ClassVar[str]
    # "regression", "poisson", "classification", "multilabel", "hazards", "steps", or "none" where
    # no tree can serve.
    tree: ClassVar[str]
    metric: ClassVar[str]
    higher_is_better: ClassVar[bool]
    needs_folder: ClassVar[bool] = False  # True for columns of file paths
    takes_lists: ClassVar[bool] = False  # True for kinds with several values per row
    needs_source: ClassVar[bool] = False  # True where labels are read beside their input
    # Its networks take minutes each: one validation split decides, however few the rows.
    slow: ClassVar[bool] = False
    # Whether `loss` reads fitted values; where not, one call serves all targets of the kind.
    fitted_loss: ClassVar[bool] = True
    own_head: ClassVar[bool] = False  # True where `head` gives a module in place of a linear map
    reads_labels: ClassVar[bool] = False  # True where that module reads labels, to learn or score
    blends: ClassVar[bool] = True  # False where predictions of two models can't be mixed
    has_items: ClassVar[bool] = False  # True for kinds that may read a description of their items
    follows_pieces: ClassVar[bool] = False  # True where labels can be laid together from two rows

    @property
    @abstractmethod
    def size(self) -> int:
        """Raw network outputs per row."""

    @property
    @abstractmethod
    def width(self) -> int:
        """Columns K of the canonical prediction."""

    @property
    def source(self) -> str | None:
        """The input for whose places there is an answer each; None with one answer for a row.

        Raw outputs, canonical predictions and labels of all places lie side by side: a row has as
        many as the input's ``places``, and NaN where it has no such place.
        """
        return None

    @property
    def place_size(self) -> int:
        """Raw outputs of one place; without a `source` the row is the only one."""
        return self.size

    @property
    def plain_head(self) -> bool:
        """Whether its head is a linear map of the task state, as that of most targets is."""
        return self.source is None and not self.own_head

    def head(self, state: int) -> nn.Module:
        """The head of a kind with ``own_head``: state (B, D), labels (B, L) or None -> (B, size).

        Where it reads labels its outputs in training may have another form, which `loss` knows.
        """
        raise NotImplementedError

    def start(self, block_of: Callable[[str], str]) -> FromPast | None:
        """The head that starts from a series, if it has one; block_of names an input's block."""
        return None

    @property
    def labels(self) -> list[str]:
        """Names of the classes, empty for numbers and counts."""
        return []

    @property
    def constant_reason(self) -> str | None:
        """Why nothing can be learned ("every training row is 3"), or None."""
        return None

    @classmethod
    @abstractmethod
    def fit(cls, column: str, values: Column, **options: Any) -> Self:
        """Learn classes or scale from training rows.

        Raises:
            DataError: fewer than two labels, or a value that does not belong to this kind.
        """

    @abstractmethod
    def encode(self, values: Column) -> np.ndarray:
        """Labels as float32 (N,) or (N, L), NaN where missing."""

    def aligned(self, values: Column, source: Column, **options: Any) -> np.ndarray:
        """Mark the rows (N,) whose labels of places fit their input.

        Raises:
            DataError: labels that don't fit, with their rows, unless they are skipped.
        """
        return np.ones(len(values), bool)

    def follow(self, y: Tensor, moved: Any) -> Tensor:
        """Labels (..., L) of a batch whose input was varied in training, as `Augment` says."""
        return y

    def tree_labels(self, y: np.ndarray) -> np.ndarray:
        """What boosted trees learn from labels: the labels themselves."""
        return y

    def unlabelled(self, rows: int) -> np.ndarray:
        """The labels of rows that have none: float32 (N,) or (N, L) of NaN."""
        return np.full(rows, np.nan, np.float32)

    def balanced(self, y: np.ndarray) -> np.ndarray:
        """What a split deals out evenly, (N,) or (N, L): the labels themselves."""
        return y

    @abstractmethod
    def exact(self, y: np.ndarray) -> np.ndarray:
        """The canonical prediction that is certain of these labels, (N, K)."""

    @abstractmethod
    def loss(self, out: Tensor, y: Tensor) -> Tensor:
        """Training loss per row: out (..., size), y (...) or (..., L) -> (...), 0 where missing."""

    def positive_loss(self, out: Tensor, y: Tensor) -> Tensor:
        """What balancing compares: as `loss`, but 0 for a perfect prediction and never below."""
        return self.loss(out, y)

    @abstractmethod
    def predict(self, out: Tensor) -> Tensor:
        """Canonical prediction of raw outputs: (..., size) -> (..., K)."""

    @abstractmethod
    def row_loss(self, y: np.ndarray, pred: np.ndarray) -> np.ndarray:
        """The loss (N,) by which models are chosen and tested, NaN where the label is missing."""

    @abstractmethod
    def constant(self, y: np.ndarray) -> np.ndarray:
        """The best canonical prediction (K,) that ignores the inputs."""

    # A target that is measured: how others read it, and the normal variables that stand for it.

    @property
    def revealed(self) -> int:
        """Columns R in which networks and trees read a measured value."""
        return len(self.reveal_edges)

    @property
    @abstractmethod
    def reveal_edges(self) -> list[list[float]]:
        """For each of these columns its increasing bin edges, at least two."""

    def reveal(self, y: np.ndarray) -> np.ndarray:
        """Labels as networks and trees read measured values: float32 (N, R), NaN where missing."""
        return np.asarray(y, np.float32)[:, None]

    def outside(self, y: np.ndarray) -> np.ndarray:
        """Mark labels (N,) below the least or above the largest that training rows had."""
        return np.zeros(len(y), bool)

    @abstractmethod
    def log_likelihood(self, y: np.ndarray, pred: np.ndarray) -> np.ndarray:
        """Log-likelihood (N,) of labels in nats, NaN where missing; of sets the sum over labels."""

    @property
    def latent(self) -> int:
        """Normal variables L that stand for a label: 1, or one for each member of a set."""
        return 1

    @abstractmethod
    def scores(
        self, y: np.ndarray, pred: np.ndarray, share: np.ndarray | None = None
    ) -> np.ndarray:
        """Normal scores of labels under their predictions, within +-6, NaN where missing.

        Args:
            y: encoded labels (N,) or (N, L).
            pred: canonical predictions (N, K).
            share: which point (N, L), 0 to 1, of the interval that a discrete label owns; without
                it the mean of the normal within the interval. Numbers have a point of their own.

        Shape:
            (N, L).
        """

    @abstractmethod
    def at_scores(self, pred: np.ndarray, z: np.ndarray) -> np.ndarray:
        """Labels, (N,) or (N, L) as encoded, at normal scores z (N, L); undoes `scores`."""

    @abstractmethod
    def given_scores(self, pred: np.ndarray, mean: np.ndarray, sd: np.ndarray) -> np.ndarray:
        """Canonical predictions (N, K) where the latent normals are told, not standard.

        Args:
            pred: canonical predictions (N, K); they come back where all means are 0 and sds 1.
            mean, sd: of the latent normals, (N, L) each.
        """

    @abstractmethod
    def information(self, told: np.ndarray) -> np.ndarray:
        """Bits (N,), at least 0, that a measurement is expected to tell about this target.

        Args:
            told: canonical predictions (n, N, K) after each of n equally likely outcomes.
        """

    def deviations(self, pred: np.ndarray) -> np.ndarray | None:
        """Standard deviations, (N,) or (N, H) for several numbers, where a prediction has any."""
        return None

    def calibration(self, y: np.ndarray, pred: np.ndarray) -> float:
        """The factor by which `rescaled` makes the stated spread that of the errors."""
        return 1.0

    def rescaled(self, pred: np.ndarray, factor: float) -> np.ndarray:
        """Predictions with their spread times a factor, where they have a spread of their own."""
        return np.asarray(pred, np.float64)

    @abstractmethod
    def _metrics(self, y: np.ndarray, pred: np.ndarray, **options: Any) -> dict[str, float]:
        """The metrics of this kind over rows that all have a label."""

    @abstractmethod
    def decode(
        self,
        pred: np.ndarray,
        threshold: float | Sequence[float] | None = None,
        interval: np.ndarray | None = None,
    ) -> dict[str, pa.Array]:
        """Columns of a prediction in the user's units, by name."""

    @property
    def files(self) -> dict[str, FileForm]:
        """The columns of predictions that are too large for a cell of a file, by name."""
        return {}

    def in_source(self, told: pa.Array, source: Column, **options: Any) -> pa.Array:
        """Decoded answers in units of each row's own input, such as the pixels of its image."""
        return told

    @abstractmethod
    def decode_proba(self, pred: np.ndarray) -> dict[str, pa.Array]:
        """Columns of the whole distribution, by name ("level=high")."""

    @abstractmethod
    def describe(self) -> str:
        """One short phrase for the report."""

    def plot(self, y: np.ndarray, pred: np.ndarray, beside: Beside) -> dict[str, Any]:
        """What the report draws of labels and their predictions: plain values and arrays by name.

        ``kind`` among them says which charts; `superpose.report` has those of each kind.
        """
        return {
            "kind": self.name,
            "labels": self.labels,
            "y": y,
            "prediction": pred,
            "value": None,
            "interval": None,
        }

    def known(self, y: np.ndarray) -> np.ndarray:
        """Mark the rows (N,) that have a label."""
        present = ~np.isnan(y)
        return present if present.ndim == 1 else present.any(axis=1)

    def metrics(
        self,
        y: np.ndarray,
        pred: np.ndarray,
        constant: np.ndarray | None = None,
        **options: Any,
    ) -> dict[str, float]:
        """Everything users of this kind expect, over the rows that have a label.

        ``score`` is 1 - loss / loss of the constant: 1 is perfect, 0 is no better than ignoring the
        inputs. A metric that the rows do not define (one class only, no label) is NaN.

        Args:
            y: encoded labels (N,) or (N, L).
            pred: canonical predictions (N, K).
            constant: the constant prediction (K,) to compare with, as a rule that of the training
                rows; without it that of the rows given, which is a stricter rival.
            options: ``threshold`` for yes-or-no decisions; ``interval`` (N,) or (N, H) half-widths
                in standardised units for the coverage of numbers.
        """
        y, pred = np.asarray(y, np.float64), np.asarray(pred, np.float64)
        rows = self.known(y)
        if options.get("interval") is not None:
            shape = (*rows.shape, *np.shape(options["interval"])[1:])
            options["interval"] = np.broadcast_to(options["interval"], shape)[rows]
        y, pred = y[rows], pred[rows]
        if constant is None:
            constant = self.constant(y)
        floor = np.broadcast_to(np.asarray(constant, np.float64), pred.shape)
        score = np.nan
        if len(y):
            reference = float(self.row_loss(y, floor).mean())
            if reference > 0:
                score = 1 - float(self.row_loss(y, pred).mean()) / reference
        return {**self._metrics(y, pred, **options), "score": score}


def too_few_labels(column: str, count: int) -> DataError:
    """The error for a target that has next to no label."""
    return DataError(
        f"target {column!r}: {count} labelled training row{'s' * (count != 1)}; at least 2 are "
        f"needed; take the target out, or give more rows or labels"
    )
