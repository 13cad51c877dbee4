"""Counts of events: whole numbers from zero up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Self

import numpy as np
import pyarrow as pa

from superpose.columns import Column, as_floats, require_float32
from superpose.distributions import LOG_RATE_LIMIT, RATE_FLOOR, Count, poisson_deviance
from superpose.errors import DataError
from superpose.kinds._beside import Beside
from superpose.kinds._hints import TargetHints
from superpose.kinds._observed import ObservedColumns
from superpose.kinds._raw_labels import plain_numbers
from superpose.kinds._target import TargetKind, too_few_labels

from ._number import CLIP, finite, quantile_edges


def _on_output_scale(y: np.ndarray, mean: float, scale: float) -> np.ndarray:
    """A measured count on the scale of the network's output; + 1 puts zero on it, too."""
    return np.clip((np.log1p(y) - np.log1p(mean)) / scale, -CLIP, CLIP)


def _checked(column: str, values: Column, where: str = "") -> np.ndarray:
    raw = finite(as_floats(column, values, "count"), where)
    bad = (raw < 0) | (raw != np.floor(raw)) & ~np.isnan(raw)
    if bad.any():
        row = int(np.argmax(bad))
        raise DataError(
            f"target {column!r}, row {row}: {raw[row]:g} is no count; counts are whole numbers "
            f"from 0 up; mend the value or declare the target as kind number"
        )
    # Beyond, the rate that is learned would be cut off, and with it every prediction.
    fix = "declare the target as kind number"
    return require_float32(column, raw, most=float(np.floor(np.exp(LOG_RATE_LIMIT))), fix=fix)


@dataclass(kw_only=True)
class CountTarget(TargetKind):
    """How often something happens, by a Poisson rate in raw units.

    Example:
        >>> kind = CountTarget.fit("calls", pa.chunked_array([[0, 4]]))
        >>> kind.decode(np.array([[2.5]]))["calls"].to_pylist()
        [2.5]
    """

    name: ClassVar[str] = "count"
    metric: ClassVar[str] = "poisson_deviance"
    higher_is_better: ClassVar[bool] = False
    hints: ClassVar[TargetHints] = TargetHints(
        scale="interval", raw_labels=partial(plain_numbers, kind="count"), tree_task="poisson"
    )
    mean: float
    spread: float  # of the logarithm of the rate, as far as the counts tell it
    loss_scale: float
    edges: list[float]  # bins of measured values
    low: float
    high: float
    constant_value: float | None = None

    @property
    def distribution(self) -> Count:
        return Count(self.mean, self.spread, self.loss_scale)

    @property
    def constant_reason(self) -> str | None:
        if self.constant_value is None:
            return None
        return f"every labelled training row is {self.constant_value:g}"

    @classmethod
    def check(cls, column: str, values: Column, **options: Any) -> None:
        _checked(column, values)

    @classmethod
    def fit(cls, column: str, values: Column, **options: Any) -> Self:
        raw = _checked(column, values)
        known = raw[~np.isnan(raw)]
        if len(known) < 2:
            raise too_few_labels(column, len(known))
        mean = max(float(known.mean()), RATE_FLOOR)
        loss = float(poisson_deviance(known, np.array(mean)).mean()) / 2
        # To second order the loss of the mean is mean * spread^2 / 2; 1 keeps rare counts as are.
        scale = float(np.clip(np.sqrt(2 * loss / mean), 1e-3, 1.0))
        constant = float(known[0]) if known.min() == known.max() else None
        return cls(
            column=column,
            mean=mean,
            spread=scale,
            loss_scale=max(1.0, loss),
            edges=quantile_edges(_on_output_scale(known, mean, scale)),
            low=float(known.min()),
            high=float(known.max()),
            constant_value=constant,
        )

    def encode(self, values: Column) -> np.ndarray:
        return _checked(self.column, values, f"target {self.column!r}").astype(np.float32)

    @property
    def observed(self) -> ObservedColumns:
        return ObservedColumns([self.edges], self._observed, self._outside)

    def _observed(self, y: np.ndarray) -> np.ndarray:
        column = _on_output_scale(np.asarray(y, np.float64), self.mean, self.spread)
        return column.astype(np.float32)[:, None]

    def _outside(self, y: np.ndarray) -> np.ndarray:
        return np.asarray((y < self.low) | (y > self.high))

    def _metrics(self, y: np.ndarray, pred: np.ndarray, **options: Any) -> dict[str, float]:
        if not len(y):
            return dict.fromkeys(("poisson_deviance", "mae", "rmse"), np.nan)
        error = pred[:, 0] - y
        return {
            "poisson_deviance": float(poisson_deviance(y, pred[:, 0]).mean()),
            "mae": float(np.abs(error).mean()),
            "rmse": float(np.sqrt((error**2).mean())),
        }

    def in_units(self, standardised: np.ndarray) -> np.ndarray:
        """Counts are learned in the user's units already."""
        return np.asarray(standardised, np.float64)

    def plot(self, y: np.ndarray, pred: np.ndarray, beside: Beside) -> dict[str, Any]:
        facts = {"chart": "values", "y": y, "value": np.column_stack([y, pred[:, 0]])}
        region = self.region(pred, beside.quantile)
        return facts if region is None else {**facts, "interval": region}

    def decode(
        self,
        pred: np.ndarray,
        threshold: float | Sequence[float] | None = None,
        quantile: np.ndarray | None = None,
    ) -> dict[str, pa.Array]:
        columns = {self.column: pa.array(np.asarray(pred, np.float64)[:, 0], from_pandas=True)}
        region = self.region(pred, quantile)
        if region is not None:
            for name, end in zip(("low", "high"), region.T, strict=True):
                columns[f"{self.column}_{name}"] = pa.array(end, pa.int64(), from_pandas=True)
        return columns

    def describe(self) -> str:
        return f"mean {self.mean:.4g} per row"
