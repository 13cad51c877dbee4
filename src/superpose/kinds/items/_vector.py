"""Vectors to predict: the embedding that another model would give what the row leads to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import numpy as np
import pyarrow as pa

from superpose.columns import Column, as_labels, in_units, root_mean_square
from superpose.distributions import NormalVector
from superpose.kinds._beside import Beside
from superpose.kinds._hints import TargetHints
from superpose.kinds._observed import ObservedColumns
from superpose.kinds._raw_labels import first_steps
from superpose.kinds._several import SeveralNumbers, number_block, number_lists
from superpose.kinds._target import too_few_labels
from superpose.kinds.tabular._number import CLIP, label_scale, quantile_edges

CODE = 16  # numbers by which other targets read a measured vector
MOST_NEIGHBOURS = 5000  # rows whose vectors are compared with one another
RECALLS = (1, 10)
OF_FORECASTS = frozenset(
    ("ahead", "past", "channel", "season", "place", "gain", "offset", "window", "edges")
)


@dataclass(kw_only=True)
class VectorTarget(SeveralNumbers):
    """A vector of so many numbers in every row, as a list, standardised together.

    Example:
        >>> rows = pa.chunked_array([[[1.0, 0.0], [0.0, 1.0], None]])
        >>> kind = VectorTarget.fit("meaning", rows)
        >>> kind.decode(kind.distribution.point_mass(kind.encode(rows)))["meaning"].to_pylist()
        [[1.0, 0.0], [0.0, 1.0], None]
    """

    name: ClassVar[str] = "vector"
    metric: ClassVar[str] = "cosine"
    higher_is_better: ClassVar[bool] = True
    hints: ClassVar[TargetHints] = TargetHints(
        takes_lists=True, scale="interval", raw_labels=first_steps
    )
    length: int
    codes: list[list[float]] = field(default_factory=list)  # bin edges of what others read

    @property
    def distribution(self) -> NormalVector:
        return NormalVector(self.length)

    @classmethod
    def fit(cls, column: str, values: Column, **options: Any) -> Self:
        block = number_block(column, values)
        rows = int((~np.isnan(block)).any(axis=1).sum())
        if rows < 2:
            raise too_few_labels(column, rows)
        mean, scale, constant = label_scale(block[~np.isnan(block)])
        kind = cls(
            column=column,
            length=block.shape[1],
            mean=mean,
            scale=scale,
            constant_value=constant,
        )
        code = _code(kind.encode(values))
        kind.codes = [quantile_edges(part[~np.isnan(part)]) for part in code.T]
        return kind

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """As of every kind; at first a vector was stored as a forecast of so many steps."""
        if isinstance(ahead := state.get("ahead"), list):
            kept = {key: value for key, value in state.items() if key not in OF_FORECASTS}
            state = {**kept, "length": len(ahead)}
        return super().from_state(state)

    def encode(self, values: Column) -> np.ndarray:
        block = number_block(self.column, values, self.length)
        return as_labels(self.column, block, mean=self.mean, scale=self.scale)

    @property
    def observed(self) -> ObservedColumns:
        return ObservedColumns(self.codes, _code)

    def strata(self, y: np.ndarray) -> np.ndarray:
        return _code(y)[:, 0]

    def _metrics(self, y: np.ndarray, pred: np.ndarray, **options: Any) -> dict[str, float]:
        """Cosines, and how often the right vector is among the nearest of those of all rows."""
        whole = ~np.isnan(y).any(axis=1)
        mean, _ = self.distribution.parameters(pred[whole])
        true = self.in_units(y[whole])
        predicted = self.in_units(mean)
        names = ["cosine", *(f"recall_at_{k}" for k in RECALLS if k < len(true)), "rmse"]
        if not len(true):
            return dict.fromkeys(names, np.nan)
        true_unit, pred_unit = _unit(true), _unit(predicted)
        near = pred_unit[:MOST_NEIGHBOURS] @ true_unit[:MOST_NEIGHBOURS].T
        own = np.diagonal(near)[:, None]
        rank = (near > own).sum(axis=1) + ((near == own).sum(axis=1) + 1) / 2
        recalls = [float((rank <= k).mean()) for k in RECALLS if k < len(true)]
        cosine = float((true_unit * pred_unit).sum(axis=1).mean())
        rmse = root_mean_square(y[whole] - mean, self.scale)
        return dict(zip(names, [cosine, *recalls, rmse], strict=True))

    def region(self, pred: np.ndarray, quantile: np.ndarray | None, threshold: Any = None) -> None:
        """None: what a vector means lies in no interval of its single numbers."""
        return None

    def decode(
        self,
        pred: np.ndarray,
        threshold: float | Sequence[float] | None = None,
        quantile: np.ndarray | None = None,
    ) -> dict[str, pa.Array]:
        mean, _ = self.distribution.parameters(pred)
        return {self.column: number_lists(self.in_units(mean))}

    def decode_proba(self, pred: np.ndarray) -> dict[str, pa.Array]:
        mean, scale = self.distribution.parameters(pred)
        return {
            self.column: number_lists(self.in_units(mean)),
            f"{self.column}_scale": number_lists(in_units(scale, 0.0, self.scale)),
        }

    def plot(self, y: np.ndarray, pred: np.ndarray, beside: Beside) -> dict[str, Any]:
        return {"chart": "examples", "y": y[self.distribution.known(y)]}

    def describe(self) -> str:
        return f"vectors of {self.length} numbers"


def _code(y: np.ndarray) -> np.ndarray:
    """The vector itself, or a few random directions of a long one, float32 (N, R)."""
    code = np.asarray(y, np.float64)
    if code.shape[1] > CODE:
        turn = np.random.default_rng(0).normal(size=(code.shape[1], CODE))
        code = code @ turn / np.sqrt(code.shape[1])
    return np.clip(code, -CLIP, CLIP).astype(np.float32)


def _unit(vectors: np.ndarray) -> np.ndarray:
    """Vectors (N, D) of length 1; one of length 0 stays."""
    # Squares of 1e200 overflow, those of 1e-200 vanish; a power of two changes no digit.
    largest = np.abs(vectors).max(initial=0.0)
    if largest > 1e100 or 0 < largest < 1e-100:
        vectors = vectors / 2.0 ** np.floor(np.log2(largest))
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(length > 0, length, 1.0))
