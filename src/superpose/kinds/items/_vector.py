"""Vectors to predict: the embedding that another model would give what the row leads to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import numpy as np
import pyarrow as pa

from superpose.columns import Column, root_mean_square
from superpose.kinds._beside import Beside
from superpose.kinds._options import Options
from superpose.kinds.tabular._number import CLIP, quantile_edges
from superpose.kinds.time._forecast import ForecastTarget

CODE = 16  # numbers in which a measured vector is told to other targets
MOST_NEIGHBOURS = 5000  # rows whose vectors are compared with one another
RECALLS = (1, 10)


@dataclass(kw_only=True)
class VectorTarget(ForecastTarget):
    """A vector of so many numbers in every row, as a list.

    Canonical prediction: the mean of each number, then the scale of each, standardised together.

    Example:
        >>> rows = pa.chunked_array([[[1.0, 0.0], [0.0, 1.0], None]])
        >>> kind = VectorTarget.fit("meaning", rows)
        >>> kind.decode(kind.exact(kind.encode(rows)))["meaning"].to_pylist()
        [[1.0, 0.0], [0.0, 1.0], None]
    """

    name: ClassVar[str] = "vector"
    options: ClassVar[type[Options]] = Options
    tree: ClassVar[str] = "none"
    metric: ClassVar[str] = "cosine"
    higher_is_better: ClassVar[bool] = True
    codes: list[list[float]] = field(default_factory=list)  # bin edges of what others are told

    @classmethod
    def fit(cls, column: str, values: Column, **options: Any) -> Self:
        kind = super().fit(column, values, **options)
        told = kind.reveal(kind.encode(values))
        kind.codes = [quantile_edges(part[~np.isnan(part)]) for part in told.T]
        return kind

    @property
    def reveal_edges(self) -> list[list[float]]:
        return self.codes

    def reveal(self, y: np.ndarray) -> np.ndarray:
        """The vector itself, or a few random directions of a long one, (N, R)."""
        found = np.asarray(y, np.float64)
        if found.shape[1] > CODE:
            turn = np.random.default_rng(0).normal(size=(found.shape[1], CODE))
            found = found @ turn / np.sqrt(found.shape[1])
        return np.clip(found, -CLIP, CLIP).astype(np.float32)

    def balanced(self, y: np.ndarray) -> np.ndarray:
        return self.reveal(y)[:, 0]

    def _metrics(self, y: np.ndarray, pred: np.ndarray, **options: Any) -> dict[str, float]:
        """Cosines, and how often the right vector is among the nearest of those of all rows."""
        whole = ~np.isnan(y).any(axis=1)
        true, told = self.in_units(y[whole]), self.in_units(self._parts(pred[whole])[0])
        names = ["cosine", *(f"recall_at_{k}" for k in RECALLS if k < len(true)), "rmse"]
        if not len(true):
            return dict.fromkeys(names, np.nan)
        true_unit, told_unit = _unit(true), _unit(told)
        near = told_unit[:MOST_NEIGHBOURS] @ true_unit[:MOST_NEIGHBOURS].T
        own = np.diagonal(near)[:, None]
        rank = (near > own).sum(axis=1) + ((near == own).sum(axis=1) + 1) / 2
        found = [float((rank <= k).mean()) for k in RECALLS if k < len(true)]
        cosine = float((true_unit * told_unit).sum(axis=1).mean())
        rmse = root_mean_square(y[whole] - self._parts(pred[whole])[0], self.scale)
        return dict(zip(names, [cosine, *found, rmse], strict=True))

    def decode(
        self,
        pred: np.ndarray,
        threshold: float | Sequence[float] | None = None,
        interval: np.ndarray | None = None,
    ) -> dict[str, pa.Array]:
        return super().decode(pred)

    def plot(self, y: np.ndarray, pred: np.ndarray, beside: Beside) -> dict[str, Any]:
        return {"kind": self.name, "y": y[self.known(y)]}

    def describe(self) -> str:
        return f"vectors of {len(self.ahead)} numbers"


def _unit(vectors: np.ndarray) -> np.ndarray:
    """Vectors (N, D) of length 1; one of length 0 stays."""
    # Squares of 1e200 overflow, those of 1e-200 vanish; a power of two changes no digit.
    largest = np.abs(vectors).max(initial=0.0)
    if largest > 1e100 or 0 < largest < 1e-100:
        vectors = vectors / 2.0 ** np.floor(np.log2(largest))
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(length > 0, length, 1.0))
