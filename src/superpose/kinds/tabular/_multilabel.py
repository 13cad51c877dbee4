"""Sets of labels: any number of them may hold at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import pyarrow as pa

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
from superpose.distributions import Multilabel
from superpose.errors import DataError
from superpose.kinds._beside import Beside
from superpose.kinds._hints import TargetHints
from superpose.kinds._metrics import auc, average_precision, nan_mean, per_class, quiet
from superpose.kinds._observed import ObservedColumns
from superpose.kinds._raw_labels import label_sets
from superpose.kinds._target import too_few_labels
from superpose.kinds._unknown import NamedClasses, Unknown

MOST_LABELS = 1000


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
    metric: ClassVar[str] = "macro_auc"
    higher_is_better: ClassVar[bool] = True
    hints: ClassVar[TargetHints] = TargetHints(
        takes_lists=True, raw_labels=label_sets, tree_task="multilabel"
    )
    separator: str | None = None

    @property
    def labels(self) -> list[str]:
        return self.levels

    @property
    def distribution(self) -> Multilabel:
        return Multilabel(len(self.levels))

    @property
    def observed(self) -> ObservedColumns:
        return ObservedColumns.shares(len(self.levels), lambda y: np.asarray(y, np.float32))

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
            return self.distribution.missing(len(gone))
        members, rows = as_sets(values, self.separator)
        unknown = Unknown.of(members, find(members, self.levels), rows)
        self.warn_of(unknown, "label", "label(s) are left out")
        return hot(members, rows, gone=gone, levels=self.levels)

    def unknown(self, values: Column) -> Unknown:
        if missing(values).all():  # such a column may have any type
            return Unknown(np.zeros(0, np.int64), [])
        members, rows = as_sets(values, self.separator)
        return Unknown.of(members, find(members, self.levels), rows)

    def choose(self, pred: np.ndarray, threshold: Any = None) -> np.ndarray:
        """Mark the labels that a prediction decides for, bool (N, L)."""
        limit = 0.5 if threshold is None else np.asarray(threshold, np.float64)
        return np.asarray(pred, np.float64) >= limit

    def _metrics(self, y: np.ndarray, pred: np.ndarray, **options: Any) -> dict[str, float]:
        chosen = self.choose(pred, options.get("threshold"))
        columns = range(len(self.levels))
        known = [~np.isnan(y[:, k]) for k in columns]
        by_label = [
            (y[known[k], k].astype(int), pred[known[k], k], chosen[known[k], k]) for k in columns
        ]
        every = [np.concatenate(parts) for parts in zip(*by_label, strict=True)]
        f1 = [
            quiet("f1_score", t, c, zero_division=0.0) if t.any() else np.nan
            for t, _, c in by_label
        ]
        micro = (
            quiet("f1_score", every[0], every[2], zero_division=0.0) if every[0].any() else np.nan
        )
        return {
            "macro_auc": nan_mean([auc(t, p) for t, p, _ in by_label]),
            "macro_average_precision": nan_mean([average_precision(t, p) for t, p, _ in by_label]),
            "micro_f1": micro,
            "macro_f1": nan_mean(f1),
            "log_loss": nan_mean(self.distribution.row_loss(y, pred)) if len(y) else np.nan,
        }

    def classification_report(
        self, y: np.ndarray, pred: np.ndarray, threshold: Any = None
    ) -> dict[str, dict[str, float]]:
        """Precision, recall, F1 and support of each label over the rows that know all labels."""
        rows = ~np.isnan(np.asarray(y)).any(axis=1)
        return per_class(np.asarray(y)[rows], self.choose(pred[rows], threshold), self.labels)

    def plot(self, y: np.ndarray, pred: np.ndarray, beside: Beside) -> dict[str, Any]:
        return {**super().plot(y, pred, beside), "chart": "label sets"}

    def decode(
        self,
        pred: np.ndarray,
        threshold: float | Sequence[float] | None = None,
        quantile: np.ndarray | None = None,
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
