"""Numbers: measurements on a scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import pyarrow as pa

from superpose.columns import (
    Column,
    as_floats,
    as_labels,
    in_units,
    mean_absolute,
    root_mean_square,
    standardised,
    warn,
)
from superpose.distributions import Normal
from superpose.kinds._beside import Beside
from superpose.kinds._hints import TargetHints
from superpose.kinds._input import InputKind, Outside
from superpose.kinds._metrics import quiet
from superpose.kinds._observed import ObservedColumns
from superpose.kinds._raw_labels import plain_numbers
from superpose.kinds._target import TargetKind, too_few_labels

CLIP = 10.0  # standard deviations; further out only says "extreme" and would shake the network
MOST_BINS = 32


def finite(values: np.ndarray, where: str = "") -> np.ndarray:
    """Replace infinite numbers by missing ones; with the name of their column that is warned of."""
    endless = np.isinf(values)
    if where and endless.any():
        row = int(np.argmax(endless))
        count = int(endless.sum())
        warn(f"{where}, row {row}: {count} infinite value(s) count as missing")
    return np.where(endless, np.nan, values)


def location_scale(values: np.ndarray) -> tuple[float, float]:
    """Mean and standard deviation, with far outliers pulled in so that they can't set the scale.

    Args:
        values: finite numbers, at least one.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # next to 1e308 nothing is pulled in
        low, high = np.percentile(values, [25, 75])
        limit = 20 * (high - low)  # ordinary data never reach 20 interquartile ranges
    if 0 < limit < np.inf:
        values = np.clip(values, low - limit, high + limit)
    largest = float(np.abs(values).max())
    if largest == 0:
        return 0.0, 1.0
    mean = float((values / largest).mean()) * largest  # dividing first: 1e300 squared overflows
    scale = float((values / largest).std()) * largest
    # A scale at the level of rounding is none.
    return mean, scale if scale > 1e-12 * largest else 1.0


def label_scale(known: np.ndarray) -> tuple[float, float, float | None]:
    """Mean and standard deviation of labels, none pulled in, and their value if they have but one.

    Args:
        known: finite numbers, at least one.
    """
    largest = float(np.abs(known).max()) or 1.0  # dividing first: 1e300 squared overflows
    mean = float((known / largest).mean()) * largest
    scale = float((known / largest).std()) * largest
    constant = float(known[0]) if known.min() == known.max() else None
    varies = constant is None and scale > 1e-12 * largest
    return mean, scale if varies else 1.0, constant


def quantile_edges(values: np.ndarray, most: int = MOST_BINS) -> list[float]:
    """Strictly increasing bin edges at quantiles of standardised numbers.

    Args:
        values: finite standardised numbers.
        most: largest number of bins; small samples get about the square root of their size.
    """
    bins = int(np.clip(np.sqrt(len(values)), 1, most))
    points = np.quantile(values, np.linspace(0, 1, bins + 1)) if len(values) else np.zeros(1)
    edges = np.unique(points.astype(np.float32))
    if len(edges) < 2:
        edges = np.array([edges[0] - 1, edges[0] + 1])
    # Bins much narrower than float32 resolves would divide by almost zero.
    keep = np.concatenate([[True], np.diff(edges) > 1e-5])
    edges = edges[keep]
    return [float(e) for e in edges] if len(edges) > 1 else [float(edges[0]), float(edges[0]) + 1]


@dataclass(kw_only=True)
class NumbersInput(InputKind):
    """Any input whose encoding is a fixed number of floats in the group "numbers"."""

    group: ClassVar[str | None] = "numbers"
    edges: list[list[float]]  # bins of each of these floats


@dataclass(kw_only=True)
class NumberInput(NumbersInput):
    """A measurement, standardised; infinite values count as missing.

    Example:
        >>> kind = NumberInput.fit("x", pa.chunked_array([[1.0, 2.0, 3.0]]))
        >>> kind.encode(pa.chunked_array([[2.0, None]])).tolist()
        [[0.0], [nan]]
    """

    name: ClassVar[str] = "number"
    mean: float
    scale: float
    reason: str | None = None

    @property
    def drop_reason(self) -> str | None:
        return self.reason

    @classmethod
    def check(cls, column: str, values: Column, **options: Any) -> None:
        as_floats(column, values)

    @classmethod
    def fit(cls, column: str, values: Column, **options: Any) -> Self:
        raw = as_floats(column, values)
        known = finite(raw)
        gaps = bool(np.isnan(known).any())
        known = known[~np.isnan(known)]
        reason = None
        if not len(known):
            reason = "empty"
            mean = 0.0
            scale = 1.0
        else:
            mean, scale = location_scale(known)
            # With gaps a constant still tells measured from not measured.
            if known.min() == known.max() and not gaps:
                reason = "constant"
        edges = [quantile_edges(np.clip(standardised(known, mean, scale), -CLIP, CLIP))]
        return cls(column=column, mean=mean, scale=scale, edges=edges, reason=reason)

    def _standard(self, values: Column, where: str = "") -> np.ndarray:
        raw = finite(as_floats(self.column, values), where)
        return standardised(raw, self.mean, self.scale)

    def outside(self, values: Column) -> Outside:
        """Mark numbers that lie further from the training range than that is wide."""
        standard = self._standard(values)
        low = self.edges[0][0]
        high = self.edges[0][-1]
        margin = high - low
        return Outside(np.asarray((standard < low - margin) | (standard > high + margin)))

    def encode(self, values: Column) -> np.ndarray:
        standard = self._standard(values, f"input {self.column!r}")
        return np.clip(standard, -CLIP, CLIP).astype(np.float32)[:, None]

    def features(self, values: Column) -> tuple[np.ndarray, list[bool], list[str]]:
        # Standardised before the cut to float32, so that years or ids keep their last digits.
        return self._standard(values).astype(np.float32)[:, None], [False], [self.column]

    def describe(self) -> str:
        return f"mean {self.mean:.4g}, std {self.scale:.4g}"


@dataclass(kw_only=True)
class NumberTarget(TargetKind):
    """A measurement to predict, with its uncertainty.

    Canonical prediction: mean and scale (standard deviation), both standardised.

    Example:
        >>> kind = NumberTarget.fit("y", pa.chunked_array([[10.0, 30.0]]))
        >>> kind.encode(pa.chunked_array([[20.0, None]])).tolist()
        [0.0, nan]
        >>> kind.decode(np.array([[1.0, 0.5]]))["y"].to_pylist()
        [30.0]
    """

    name: ClassVar[str] = "number"
    metric: ClassVar[str] = "rmse"
    higher_is_better: ClassVar[bool] = False
    hints: ClassVar[TargetHints] = TargetHints(
        scale="interval", raw_labels=plain_numbers, tree_task="regression"
    )
    mean: float
    scale: float
    edges: list[float]  # bins of measured values
    low: float  # least and largest label, standardised
    high: float
    constant_value: float | None = None

    @property
    def distribution(self) -> Normal:
        return Normal()

    @property
    def constant_reason(self) -> str | None:
        if self.constant_value is None:
            return None
        return f"every labelled training row is {self.constant_value:g}"

    @classmethod
    def fit(cls, column: str, values: Column, **options: Any) -> Self:
        raw = as_floats(column, values)
        known = raw[np.isfinite(raw)]
        if len(known) < 2:
            raise too_few_labels(column, len(known))
        mean, scale, constant = label_scale(known)
        standard = standardised(known, mean, scale).astype(np.float32)
        return cls(
            column=column,
            mean=mean,
            scale=scale,
            edges=quantile_edges(np.clip(standard, -CLIP, CLIP)),
            low=float(standard.min()),
            high=float(standard.max()),
            constant_value=constant,
        )

    def encode(self, values: Column) -> np.ndarray:
        raw = finite(as_floats(self.column, values), f"target {self.column!r}")
        return as_labels(self.column, raw, mean=self.mean, scale=self.scale)

    @property
    def observed(self) -> ObservedColumns:
        return ObservedColumns(
            [self.edges],
            lambda y: np.clip(np.asarray(y, np.float32), -CLIP, CLIP)[:, None],
            lambda y: np.asarray((y < self.low) | (y > self.high)),
        )

    def _metrics(self, y: np.ndarray, pred: np.ndarray, **options: Any) -> dict[str, float]:
        error = pred[:, 0] - y
        return {
            "rmse": root_mean_square(error, self.scale) if len(y) else np.nan,
            "mae": mean_absolute(error, self.scale) if len(y) else np.nan,
            "r2": quiet("r2_score", y, pred[:, 0]) if len(y) > 1 and y.std() > 0 else np.nan,
        }

    def in_units(self, standard: np.ndarray) -> np.ndarray:
        """Undo the standardisation of labels or predicted means."""
        return in_units(standard, self.mean, self.scale)

    def plot(self, y: np.ndarray, pred: np.ndarray, beside: Beside) -> dict[str, Any]:
        region = self.region(pred, beside.quantile)
        facts = {
            "chart": "values",
            "y": y,
            "value": np.column_stack([self.in_units(y), self.in_units(pred[:, 0])]),
        }
        if region is not None:
            facts["interval"] = self.in_units(region)
        return facts

    def decode(
        self,
        pred: np.ndarray,
        threshold: float | Sequence[float] | None = None,
        quantile: np.ndarray | None = None,
    ) -> dict[str, pa.Array]:
        middle = np.asarray(pred, np.float64)[:, 0]
        columns = {self.column: self.in_units(middle)}
        region = self.region(pred, quantile)
        if region is not None:
            columns[f"{self.column}_low"] = self.in_units(region[:, 0])
            columns[f"{self.column}_high"] = self.in_units(region[:, 1])
        return {name: pa.array(value, from_pandas=True) for name, value in columns.items()}

    def decode_proba(self, pred: np.ndarray) -> dict[str, pa.Array]:
        pred = np.asarray(pred, np.float64)
        return {
            self.column: pa.array(self.in_units(pred[:, 0])),
            f"{self.column}_scale": pa.array(in_units(pred[:, 1], 0.0, self.scale)),
        }

    def describe(self) -> str:
        return f"mean {self.mean:.4g}, std {self.scale:.4g}"
