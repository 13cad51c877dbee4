"""Categories: one name out of a list without order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from superpose.columns import Column, class_names, class_type, counted, find
from superpose.errors import DataError
from superpose.kinds._input import InputKind, Outside
from superpose.kinds._metrics import brier, calibration_error, macro_auc, quiet
from superpose.kinds._observed import ObservedColumns

from ._classes import ClassTarget, CountedClasses

MOST_LEVELS = 1000
RARE_FROM = 200  # rows; below, even a level seen once may be all there is
TREE_LEVELS = 250  # scikit-learn's trees take at most 255 categories
UNSEEN, MISSING, FIRST = 0, 1, 2


@dataclass(kw_only=True)
class CategoryInput(InputKind):
    """A name out of a list; code 0 is unseen or rare, 1 missing, the others by frequency.

    Example:
        >>> import pyarrow as pa
        >>> kind = CategoryInput.fit("c", pa.chunked_array([["a", "b", "a"]]))
        >>> kind.encode(pa.chunked_array([["a", "z", None]])).tolist()
        [[2], [0], [1]]
    """

    name: ClassVar[str] = "category"
    group: ClassVar[str | None] = "categories"
    levels: list[str]
    type: str
    pooled: int = 0
    reason: str | None = None
    rare: float = 0.0  # share of the training rows whose level is pooled, or theirs alone

    @property
    def drop_reason(self) -> str | None:
        return self.reason

    def outside(self, values: Column) -> Outside:
        return Outside(np.asarray(self._codes(values) == UNSEEN), self.rare)

    @property
    def cardinality(self) -> int:
        """Number of codes, the two special ones included."""
        return len(self.levels) + FIRST

    @classmethod
    def fit(cls, column: str, values: Column, **options: Any) -> Self:
        kind = class_type(values)
        text = class_names(values, kind)
        names, counts = counted(text)
        keep = counts >= 2 if len(text) > RARE_FROM else np.ones(len(names), bool)
        levels = [name for name, kept in zip(names, keep, strict=True) if kept][:MOST_LEVELS]
        notes = []
        reason = None
        if not names:
            reason = "empty"
        elif len(names) == 1 and not text.null_count:
            reason = "constant"
        elif not levels:
            reason = "different in every row"
        elif len(names) > MOST_LEVELS:
            notes.append(
                f"input {column!r}: {len(names)} levels, of which {len(levels)} are kept and the "
                f"rarest pooled; list it under ignore if it is an identifier, set its kind if text"
            )
        own = counts[len(levels) :].sum() + (counts[: len(levels)] == 1).sum()
        return cls(
            column=column,
            notes=notes,
            levels=levels,
            type=kind,
            pooled=len(names) - len(levels),
            reason=reason,
            rare=float(own / max(counts.sum(), 1)),
        )

    def _codes(self, values: Column) -> np.ndarray:
        index = find(class_names(values, self.type), self.levels)
        return np.where(index == -2, MISSING, np.where(index == -1, UNSEEN, index + FIRST))

    def encode(self, values: Column) -> np.ndarray:
        return self._codes(values).astype(np.int64)[:, None]

    def features(self, values: Column) -> tuple[np.ndarray, list[bool], list[str]]:
        codes = self._codes(values).astype(np.float32)
        rank = np.where(codes == MISSING, np.nan, codes)
        pooled = np.where(rank >= TREE_LEVELS, UNSEEN, rank)
        if self.cardinality <= TREE_LEVELS:
            return pooled[:, None].astype(np.float32), [True], [self.column]
        # The pooled levels stay apart by their rank in frequency.
        both = np.stack([pooled, rank], axis=1).astype(np.float32)
        return both, [True, False], [self.column, f"{self.column} (rank)"]

    def describe(self) -> str:
        pooled = f", {self.pooled} rare pooled" if self.pooled else ""
        return f"{len(self.levels)} levels{pooled}"


@dataclass(kw_only=True)
class CategoryTarget(ClassTarget):
    """One of several classes without order.

    Example:
        >>> import pyarrow as pa
        >>> kind = CategoryTarget.fit("c", pa.chunked_array([["a", "b", "c", "a"]]))
        >>> kind.decode(np.array([[0.1, 0.2, 0.7]]))["c"].to_pylist()
        ['c']
    """

    name: ClassVar[str] = "category"
    metric: ClassVar[str] = "log_loss"
    higher_is_better: ClassVar[bool] = False

    @classmethod
    def _order(cls, column: str, values: Column, classes: CountedClasses) -> list[str]:
        if len(classes.names) > MOST_LEVELS:
            raise DataError(
                f"target {column!r}: {len(classes.names)} different classes; at most {MOST_LEVELS} "
                f"can be told apart; if it is a measurement declare it as kind number, if an "
                f"identifier take it out of the targets"
            )
        return super()._order(column, values, classes)

    @property
    def observed(self) -> ObservedColumns:
        """Which of the classes it is, a column each."""
        return ObservedColumns.shares(
            len(self.levels), lambda y: self.distribution.point_mass(y).astype(np.float32)
        )

    def _metrics(self, y: np.ndarray, pred: np.ndarray, **options: Any) -> dict[str, float]:
        names = ("accuracy", "macro_f1", "log_loss", "brier", "calibration_error", "macro_auc")
        if not len(y):
            return dict.fromkeys(names, np.nan)
        chosen = self.choose(pred)
        values = (
            float((chosen == y).mean()),
            # Only classes that occur: an absent class has no recall to speak of.
            quiet(
                "f1_score", y.astype(int), chosen, labels=np.unique(y.astype(int)), average="macro"
            ),
            float(self.distribution.row_loss(y, pred).mean()),
            brier(y, pred),
            calibration_error(pred.max(axis=1), chosen == y),
            macro_auc(y, pred),
        )
        return dict(zip(names, values, strict=True))
