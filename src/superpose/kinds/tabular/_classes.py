"""What binary, category and ordinal targets share: one class per row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import pyarrow as pa

from superpose.columns import NUMERIC, Column, class_names, class_type, class_values, counted, find
from superpose.distributions import Categorical
from superpose.errors import DataError
from superpose.kinds._hints import TargetHints
from superpose.kinds._metrics import per_class
from superpose.kinds._observed import ObservedColumns
from superpose.kinds._target import too_few_labels
from superpose.kinds._unknown import NamedClasses, Unknown, metrics_with_rows


def ordered(names: list[str], kind: str) -> list[str]:
    """Class names in a natural order: numbers by size, others by alphabet."""
    if kind in NUMERIC:
        # As floats, whole numbers beyond 2^53 would have no order.
        return sorted(names, key=float if kind == "double" else int)
    return sorted(names)


def declared(column: str, levels: Sequence[Any], kind: str) -> list[str]:
    """Spell the levels a user wrote as the column's values are spelled.

    Raises:
        DataError: fewer than two levels, or one twice.
    """
    typed = pa.array([str(level) for level in levels], pa.large_string())
    names = class_names(pa.chunked_array([typed]), kind).to_pylist()
    if len(names) < 2 or len(set(names)) < len(names):
        raise DataError(
            f"target {column!r}: levels {list(levels)!r}; at least two are needed and each once"
        )
    return names


@dataclass(kw_only=True)
class OneClass(NamedClasses):
    """Base of targets with one name out of a list in each row."""

    type: str
    counts: list[int]  # training rows of each

    @property
    def labels(self) -> list[str]:
        return self.levels

    @property
    def constant_reason(self) -> str | None:
        seen = [level for level, count in zip(self.levels, self.counts, strict=True) if count]
        return f"every labelled training row is {seen[0]!r}" if len(seen) == 1 else None

    def encode(self, values: Column) -> np.ndarray:
        text = class_names(values, self.type)
        index = find(text, self.levels)
        self.warn_of(Unknown.of(text, index), "class", "row(s) count as unlabelled")
        return np.where(index < 0, np.nan, index).astype(np.float32)

    def unknown(self, values: Column) -> Unknown:
        text = class_names(values, self.type)
        return Unknown.of(text, find(text, self.levels))

    def metrics_with(
        self,
        unknown: Unknown,
        values: Column,
        *,
        y: np.ndarray,
        pred: np.ndarray,
        baseline: np.ndarray,
        **options: Any,
    ) -> dict[str, float]:
        return metrics_with_rows(
            self, len(unknown.rows), y=y, pred=pred, baseline=baseline, **options
        )

    def choose(self, pred: np.ndarray, threshold: Any = None) -> np.ndarray:
        """Index of the class that a prediction decides for, -1 where there is none."""
        pred = np.asarray(pred, np.float64)
        gone = np.isnan(pred).any(axis=1)
        return np.where(gone, -1, np.where(np.isnan(pred), -1.0, pred).argmax(axis=1))

    def region(
        self, pred: np.ndarray, quantile: np.ndarray | None, threshold: Any = None
    ) -> np.ndarray | None:
        """The classes of each row's set, bool (N, K); the one that is decided for is among them."""
        region = super().region(pred, quantile, threshold)
        if region is not None:
            chosen = self.choose(pred, threshold)
            rows = np.flatnonzero(chosen >= 0)
            region[rows, chosen[rows]] = True
        return region

    def classification_report(
        self, y: np.ndarray, pred: np.ndarray, threshold: Any = None
    ) -> dict[str, dict[str, float]]:
        """Precision, recall, F1 and support of each class over the labelled rows."""
        rows = self.distribution.known(np.asarray(y))
        return per_class(np.asarray(y)[rows], self.choose(pred[rows], threshold), self.labels)

    def decode(
        self,
        pred: np.ndarray,
        threshold: float | Sequence[float] | None = None,
        quantile: np.ndarray | None = None,
    ) -> dict[str, pa.Array]:
        chosen = self.choose(pred, threshold)
        columns = {self.column: class_values(chosen, self.levels, self.type)}
        region = self.region(pred, quantile, threshold)
        if region is not None:
            rows, index = np.nonzero(region)
            ends = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=len(pred)))])
            columns[f"{self.column}_set"] = pa.ListArray.from_arrays(
                pa.array(ends.astype(np.int32)),
                class_values(index, self.levels, self.type),
                mask=pa.array(chosen < 0),
            )
        return columns


@dataclass(frozen=True)
class CountedClasses:
    """The classes of training rows.

    Args:
        type: how values are spelled as names, see `class_type`.
        text: the name of each row's class, null where missing.
        names: the classes, the most frequent first.
        counts: rows of each, by name.
    """

    type: str
    text: pa.Array
    names: list[str]
    counts: dict[str, int]

    @classmethod
    def of(cls, column: str, values: Column) -> Self:
        """Count the classes of a column.

        Raises:
            DataError: fewer than two labels.
        """
        kind = class_type(values)
        text = class_names(values, kind)
        names, counts = counted(text)
        total = int(np.sum(counts))
        if total < 2:
            raise too_few_labels(column, total)
        return cls(kind, text, names, dict(zip(names, map(int, counts), strict=True)))


@dataclass(kw_only=True)
class ClassTarget(OneClass):
    """Base of targets with one of a few classes: a probability for each."""

    hints: ClassVar[TargetHints] = TargetHints(tree_task="classification")

    @property
    def distribution(self) -> Categorical:
        return Categorical(len(self.levels))

    @property
    def observed(self) -> ObservedColumns:
        return ObservedColumns.index(len(self.levels))

    @classmethod
    def _order(cls, column: str, values: Column, classes: CountedClasses) -> list[str]:
        """Put the classes of the training rows in their order."""
        return ordered(classes.names, classes.type)

    @classmethod
    def fit(cls, column: str, values: Column, **options: Any) -> Self:
        classes = CountedClasses.of(column, values)
        if options.get("levels"):
            levels = declared(column, options["levels"], classes.type)
            strangers = find(classes.text, levels) == -1
            if strangers.any():
                row = int(np.argmax(strangers))
                raise DataError(
                    f"target {column!r}, row {row}: {classes.text[row].as_py()!r} is not among the "
                    f"levels {levels}; add it to levels or mend the value"
                )
        else:
            levels = cls._order(column, values, classes)
        counts = [classes.counts.get(name, 0) for name in levels]
        return cls(column=column, levels=levels, type=classes.type, counts=counts)

    def decode_proba(self, pred: np.ndarray) -> dict[str, pa.Array]:
        pred = np.asarray(pred, np.float64)
        return {f"{self.column}={c}": pa.array(pred[:, k]) for k, c in enumerate(self.levels)}

    def describe(self) -> str:
        parts = [f"{name}: {count}" for name, count in zip(self.levels, self.counts, strict=True)]
        if len(parts) > 6:
            return f"{len(parts)} classes, the rarest {min(self.counts)} rows"
        return ", ".join(parts)
