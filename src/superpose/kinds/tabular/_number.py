"""Numbers: measurements on a scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor, nn

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
from superpose.distributions import SCORE_LIMIT, variance_information
from superpose.functional import SCALE_FLOOR, gaussian_loss, gaussian_parameters
from superpose.kinds._beside import Beside
from superpose.kinds._input import InputKind
from superpose.kinds._metrics import quiet
from superpose.kinds._target import TargetKind, too_few_labels
from superpose.nn import NumberEncoder

CLIP = 10.0  # standard deviations; further out only says "extreme" and would shake the network
MOST_BINS = 32


def finite(values: np.ndarray, where: str = "") -> np.ndarray:
    """Replace infinite numbers by missing ones; with the name of their column that is warned of."""
    endless = np.isinf(values)
    if where and endless.any():
        row, count = int(np.argmax(endless)), int(endless.sum())
        warn(f"{where}, row {row}: {count} infinite value(s) count as missing")
    return np.where(endless, np.nan, values)


def location_scale(values: np.ndarray) -> tuple[float, float]:
    """Mean and standard deviation, with far outliers pulled in so that they can't set the scale.

    Args:
        values: finite numbers, at least one.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # next to 1e308 nothing is pulled in
        low, high = np.percentile(values, [25, 75])
        reach = 20 * (high - low)  # ordinary data never reach 20 interquartile ranges
    if 0 < reach < np.inf:
        values = np.clip(values, low - reach, high + reach)
    largest = float(np.abs(values).max())
    if largest == 0:
        return 0.0, 1.0
    mean = float((values / largest).mean()) * largest  # dividing first: 1e300 squared overflows
    spread = float((values / largest).std()) * largest
    # A spread at the level of rounding is no spread.
    return mean, spread if spread > 1e-12 * largest else 1.0


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
class _Numbers(InputKind):
    """Any input whose encoding is a fixed number of floats in the block "numbers"."""

    block: ClassVar[str | None] = "numbers"
    edges: list[list[float]]

    @property
    def width(self) -> int:
        return len(self.edges)

    @classmethod
    def encoder(cls, kinds: Sequence[Any], width: int) -> nn.Module:
        return NumberEncoder([e for kind in kinds for e in kind.edges], width)


@dataclass(kw_only=True)
class NumberInput(_Numbers):
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
    def useless(self) -> str | None:
        return self.reason

    @classmethod
    def check(cls, column: str, values: Column, **options: Any) -> None:
        as_floats(column, values)

    @classmethod
    def fit(cls, column: str, values: Column, **options: Any) -> Self:
        raw = as_floats(column, values)
        known = finite(raw)
        gaps, known = bool(np.isnan(known).any()), known[~np.isnan(known)]
        reason = None
        if not len(known):
            reason, mean, scale = "empty", 0.0, 1.0
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

    def outside(self, values: Column) -> np.ndarray:
        """Mark numbers that lie further from the training range than that is wide."""
        standard, low, high = self._standard(values), self.edges[0][0], self.edges[0][-1]
        reach = high - low
        return np.asarray((standard < low - reach) | (standard > high + reach))

    def encode(self, values: Column) -> np.ndarray:
        told = self._standard(values, f"input {self.column!r}")
        return np.clip(told, -CLIP, CLIP).astype(np.float32)[:, None]

    def features(self, values: Column) -> tuple[np.ndarray, list[bool], list[str]]:
        # Standardised before the cut to float32, so that years or ids keep their last digits.
        return self._standard(values).astype(np.float32)[:, None], [False], [self.column]

    def describe(self) -> str:
        return f"mean {self.mean:.4g}, spread {self.scale:.4g}"


def _parameters(pred: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Means and standard deviations of predictions (..., 2), standardised."""
    pred = np.asarray(pred, np.float64)
    return pred[..., 0], np.maximum(pred[..., 1], SCALE_FLOOR)


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
    tree: ClassVar[str] = "regression"
    metric: ClassVar[str] = "rmse"
    higher_is_better: ClassVar[bool] = False
    fitted_loss: ClassVar[bool] = False
    mean: float
    scale: float
    edges: list[float]  # bins of measured values, as `reveal` gives them
    low: float  # least and largest label, standardised
    high: float
    constant_value: float | None = None

    @property
    def size(self) -> int:
        return 2

    @property
    def width(self) -> int:
        return 2

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

    def exact(self, y: np.ndarray) -> np.ndarray:
        y = np.asarray(y, np.float64)
        return np.stack([y, np.zeros_like(y)], axis=-1)

    def loss(self, out: Tensor, y: Tensor) -> Tensor:
        return gaussian_loss(out, y)

    def positive_loss(self, out: Tensor, y: Tensor) -> Tensor:
        # A likelihood of a density has no least value; the squared error has.
        return torch.where(y.isnan(), 0.0, (y.nan_to_num() - gaussian_parameters(out)[0]).square())

    def predict(self, out: Tensor) -> Tensor:
        return torch.stack(gaussian_parameters(out), dim=-1)

    def row_loss(self, y: np.ndarray, pred: np.ndarray) -> np.ndarray:
        return (np.asarray(y, np.float64) - pred[..., 0]) ** 2

    def constant(self, y: np.ndarray) -> np.ndarray:
        known = np.asarray(y, np.float64)
        known = known[~np.isnan(known)]
        return np.array([known.mean(), known.std()]) if len(known) else np.array([0.0, 1.0])

    @property
    def reveal_edges(self) -> list[list[float]]:
        return [self.edges]

    def reveal(self, y: np.ndarray) -> np.ndarray:
        return np.clip(np.asarray(y, np.float32), -CLIP, CLIP)[:, None]

    def outside(self, y: np.ndarray) -> np.ndarray:
        return np.asarray((y < self.low) | (y > self.high))

    def log_likelihood(self, y: np.ndarray, pred: np.ndarray) -> np.ndarray:
        mean, scale = _parameters(pred)
        return -0.5 * ((y - mean) / scale) ** 2 - np.log(scale) - 0.5 * np.log(2 * np.pi)

    def scores(
        self, y: np.ndarray, pred: np.ndarray, share: np.ndarray | None = None
    ) -> np.ndarray:
        mean, scale = _parameters(pred)
        return np.clip((y - mean) / scale, -SCORE_LIMIT, SCORE_LIMIT)[:, None]

    def at_scores(self, pred: np.ndarray, z: np.ndarray) -> np.ndarray:
        mean, scale = _parameters(pred)
        return mean + scale * np.reshape(z, mean.shape)

    def given_scores(self, pred: np.ndarray, mean: np.ndarray, sd: np.ndarray) -> np.ndarray:
        told = self.at_scores(pred, mean)
        return np.stack([told, pred[:, 1] * np.reshape(sd, told.shape)], axis=-1)

    def information(self, told: np.ndarray) -> np.ndarray:
        mean, scale = _parameters(told)
        return variance_information(mean, scale**2)

    def deviations(self, pred: np.ndarray) -> np.ndarray | None:
        return np.asarray(pred[:, 1])

    def calibration(self, y: np.ndarray, pred: np.ndarray) -> float:
        mean, scale = _parameters(pred)
        error = (y - mean) / scale
        error = error[~np.isnan(error)]
        return max(float(np.sqrt(np.mean(error**2))), SCALE_FLOOR) if len(error) > 1 else 1.0

    def rescaled(self, pred: np.ndarray, factor: float) -> np.ndarray:
        return np.asarray(pred, np.float64) * [1.0, factor]

    def _metrics(self, y: np.ndarray, pred: np.ndarray, **options: Any) -> dict[str, float]:
        error = pred[:, 0] - y
        found = {
            "rmse": root_mean_square(error, self.scale) if len(y) else np.nan,
            "mae": mean_absolute(error, self.scale) if len(y) else np.nan,
            "r2": quiet("r2_score", y, pred[:, 0]) if len(y) > 1 and y.std() > 0 else np.nan,
        }
        if options.get("interval") is not None:
            inside = np.abs(pred[:, 0] - y) <= options["interval"]
            found["coverage"] = float(inside.mean()) if len(y) else np.nan
        return found

    def in_units(self, standard: np.ndarray) -> np.ndarray:
        """Undo the standardisation of labels or predicted means."""
        return in_units(standard, self.mean, self.scale)

    def plot(self, y: np.ndarray, pred: np.ndarray, beside: Beside) -> dict[str, Any]:
        middle, reach = pred[:, 0], beside.reach
        found = super().plot(y, pred, beside)
        found["value"] = np.column_stack([self.in_units(y), self.in_units(middle)])
        if reach is not None:
            ends = [self.in_units(middle - reach), self.in_units(middle + reach)]
            found["interval"] = np.column_stack(ends)
        return found

    def decode(
        self,
        pred: np.ndarray,
        threshold: float | Sequence[float] | None = None,
        interval: np.ndarray | None = None,
    ) -> dict[str, pa.Array]:
        middle = np.asarray(pred, np.float64)[:, 0]
        columns = {self.column: self.in_units(middle)}
        if interval is not None:
            columns[f"{self.column}_low"] = self.in_units(middle - interval)
            columns[f"{self.column}_high"] = self.in_units(middle + interval)
        return {name: pa.array(value, from_pandas=True) for name, value in columns.items()}

    def decode_proba(self, pred: np.ndarray) -> dict[str, pa.Array]:
        pred = np.asarray(pred, np.float64)
        return {
            self.column: pa.array(self.in_units(pred[:, 0])),
            f"{self.column}_scale": pa.array(in_units(pred[:, 1], 0.0, self.scale)),
        }

    def describe(self) -> str:
        return f"mean {self.mean:.4g}, spread {self.scale:.4g}"
