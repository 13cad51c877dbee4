"""Sets of labels: any number of them may hold at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from superpose.columns import (
    Column,
    as_sets,
    counted,
    find,
    guess_separator,
    hot,
    missing,
    require_members,
)
from superpose.distributions import (
    PROBABILITY_FLOOR,
    class_at,
    class_given,
    class_information,
    class_scores,
)
from superpose.errors import DataError
from superpose.functional import multilabel_loss
from superpose.kinds._metrics import auc, average_precision, nan_mean, per_class, quiet
from superpose.kinds._target import too_few_labels
from superpose.kinds._unknown import NamedClasses, Unknown

MOST_LABELS = 1000


def _two(p: np.ndarray) -> np.ndarray:
    """Each label as two classes, absent and present: (..., L) -> (..., L, 2)."""
    p = np.asarray(p, np.float64)
    return np.stack([1 - p, p], axis=-1)


@dataclass(kw_only=True)
class MultilabelTarget(NamedClasses):
    """A set of labels per row, as a list or as a joined string such as ``"red;blue"``.

    Canonical prediction: the probability of each label.

    Example:
        >>> kind = MultilabelTarget.fit("tags", pa.chunked_array([[["a", "b"], ["a"], []]]))
        >>> kind.encode(pa.chunked_array([[["b"], None]])).tolist()
        [[0.0, 1.0], [nan, nan]]
    """

    name: ClassVar[str] = "multilabel"
    tree: ClassVar[str] = "multilabel"
    metric: ClassVar[str] = "macro_auc"
    higher_is_better: ClassVar[bool] = True
    takes_lists: ClassVar[bool] = True
    fitted_loss: ClassVar[bool] = False
    separator: str | None = None

    @property
    def labels(self) -> list[str]:
        return self.levels

    @property
    def size(self) -> int:
        return len(self.levels)

    @property
    def width(self) -> int:
        return len(self.levels)

    @classmethod
    def fit(cls, column: str, values: Column, **options: Any) -> Self:
        require_members(f"target {column!r}", values)
        labelled = int((~missing(values)).sum())
        if labelled < 2:
            raise too_few_labels(column, labelled)
        separator = options.get("separator") or guess_separator(values)
        members, _ = as_sets(values, separator)
        names, _ = counted(members)
        levels = [str(level) for level in options.get("levels") or sorted(names)]
        if not levels or len(levels) > MOST_LABELS:
            raise DataError(
                f"target {column!r}: {len(levels)} different labels; a multilabel target has 1 to "
                f"{MOST_LABELS}; check the separator ({separator!r}) or the kind"
            )
        return cls(column=column, levels=levels, separator=separator)

    def encode(self, values: Column) -> np.ndarray:
        gone = missing(values)
        if gone.all():
            return np.full((len(gone), self.width), np.nan, np.float32)
        members, rows = as_sets(values, self.separator)
        unknown = Unknown.of(members, find(members, self.levels), rows)
        self.warn_of(unknown, "label", "label(s) are left out")
        return hot(members, rows, gone=gone, levels=self.levels)

    def unknown(self, values: Column) -> Unknown:
        if missing(values).all():  # such a column may have any type
            return Unknown(np.zeros(0, np.int64), [])
        members, rows = as_sets(values, self.separator)
        return Unknown.of(members, find(members, self.levels), rows)

    def unlabelled(self, rows: int) -> np.ndarray:
        return np.full((rows, self.width), np.nan, np.float32)

    def exact(self, y: np.ndarray) -> np.ndarray:
        return np.asarray(y, np.float64)

    def loss(self, out: Tensor, y: Tensor) -> Tensor:
        return multilabel_loss(out, y)

    def predict(self, out: Tensor) -> Tensor:
        return torch.sigmoid(out)

    def row_loss(self, y: np.ndarray, pred: np.ndarray) -> np.ndarray:
        y = np.asarray(y, np.float64)
        p = np.clip(np.asarray(pred, np.float64), PROBABILITY_FLOOR, 1 - PROBABILITY_FLOOR)
        each = -np.where(y > 0.5, np.log(p), np.log1p(-p))
        present = ~np.isnan(y)
        count = present.sum(axis=-1)
        total = np.where(present, each, 0).sum(axis=-1)
        return np.where(count > 0, total / np.maximum(count, 1), np.nan)

    def constant(self, y: np.ndarray) -> np.ndarray:
        y = np.asarray(y, np.float64)
        present = ~np.isnan(y)
        count = present.sum(axis=0)
        share = np.where(present, y, 0).sum(axis=0) / np.maximum(count, 1)
        return np.where(count > 0, share, 0.5)

    @property
    def reveal_edges(self) -> list[list[float]]:
        return [[0.0, 1.0]] * self.width

    def reveal(self, y: np.ndarray) -> np.ndarray:
        return np.asarray(y, np.float32)

    def log_likelihood(self, y: np.ndarray, pred: np.ndarray) -> np.ndarray:
        return -self.row_loss(y, pred) * (~np.isnan(y)).sum(axis=-1)

    @property
    def latent(self) -> int:
        return self.width

    def scores(
        self, y: np.ndarray, pred: np.ndarray, share: np.ndarray | None = None
    ) -> np.ndarray:
        return class_scores(_two(pred), np.asarray(y), share)

    def at_scores(self, pred: np.ndarray, z: np.ndarray) -> np.ndarray:
        return class_at(_two(pred), np.reshape(z, pred.shape))

    def given_scores(self, pred: np.ndarray, mean: np.ndarray, sd: np.ndarray) -> np.ndarray:
        return class_given(_two(pred), mean, sd)[..., 1]

    def information(self, told: np.ndarray) -> np.ndarray:
        return np.asarray(class_information(_two(told)).sum(axis=-1))

    def choose(self, pred: np.ndarray, threshold: Any = None) -> np.ndarray:
        """Mark the labels that a prediction decides for, bool (N, L)."""
        limit = 0.5 if threshold is None else np.asarray(threshold, np.float64)
        return np.asarray(pred, np.float64) >= limit

    def _metrics(self, y: np.ndarray, pred: np.ndarray, **options: Any) -> dict[str, float]:
        chosen = self.choose(pred, options.get("threshold"))
        columns = range(self.width)
        known = [~np.isnan(y[:, k]) for k in columns]
        held = [
            (y[known[k], k].astype(int), pred[known[k], k], chosen[known[k], k]) for k in columns
        ]
        every = [np.concatenate(parts) for parts in zip(*held, strict=True)]
        f1 = [quiet("f1_score", t, c, zero_division=0.0) if t.any() else np.nan for t, _, c in held]
        micro = (
            quiet("f1_score", every[0], every[2], zero_division=0.0) if every[0].any() else np.nan
        )
        return {
            "macro_auc": nan_mean([auc(t, p) for t, p, _ in held]),
            "macro_average_precision": nan_mean([average_precision(t, p) for t, p, _ in held]),
            "micro_f1": micro,
            "macro_f1": nan_mean(f1),
            "log_loss": nan_mean(self.row_loss(y, pred)) if len(y) else np.nan,
        }

    def classification_report(
        self, y: np.ndarray, pred: np.ndarray, threshold: Any = None
    ) -> dict[str, dict[str, float]]:
        """Precision, recall, F1 and support of each label over the rows that know all labels."""
        rows = ~np.isnan(np.asarray(y)).any(axis=1)
        return per_class(np.asarray(y)[rows], self.choose(pred[rows], threshold), self.labels)

    def decode(
        self,
        pred: np.ndarray,
        threshold: float | Sequence[float] | None = None,
        interval: np.ndarray | None = None,
    ) -> dict[str, pa.Array]:
        chosen = self.choose(pred, threshold)
        gone = np.isnan(pred).any(axis=1)
        rows, index = np.nonzero(chosen & ~gone[:, None])
        ends = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=len(pred)))])
        names = pa.array(self.levels, pa.string()).take(pa.array(index))
        lists = pa.ListArray.from_arrays(
            pa.array(ends.astype(np.int32)), names, mask=pa.array(gone)
        )
        if self.separator is None:
            return {self.column: lists}
        return {self.column: pa.compute.binary_join(lists, self.separator)}

    def decode_proba(self, pred: np.ndarray) -> dict[str, pa.Array]:
        pred = np.asarray(pred, np.float64)
        return {f"{self.column}={c}": pa.array(pred[:, k]) for k, c in enumerate(self.levels)}

    def describe(self) -> str:
        return f"{len(self.levels)} labels"
