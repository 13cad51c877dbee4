"""Counts of events: whole numbers from zero up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import pyarrow as pa
from torch import Tensor

from superpose.columns import Column, as_floats, require_held
from superpose.distributions import (
    count_at,
    count_given,
    count_log_mass,
    count_scores,
    variance_information,
)
from superpose.errors import DataError
from superpose.functional import LOG_RATE_LIMIT, poisson_loss
from superpose.kinds._beside import Beside
from superpose.kinds._target import TargetKind, too_few_labels

from ._number import CLIP, finite, quantile_edges

RATE_FLOOR = 1e-6  # a rate of zero makes any event infinitely surprising


def _rate(pred: np.ndarray) -> np.ndarray:
    return np.maximum(np.asarray(pred, np.float64)[..., 0], RATE_FLOOR)


def _told(y: np.ndarray, mean: float, spread: float) -> np.ndarray:
    """A measured count on the scale of the network's output; + 1 gives zero a place on it."""
    return np.clip((np.log1p(y) - np.log1p(mean)) / spread, -CLIP, CLIP)


def deviance(y: np.ndarray, rate: np.ndarray) -> np.ndarray:
    """Poisson deviance per row: 2 (y log(y / rate) - y + rate)."""
    y, rate = np.asarray(y, np.float64), np.maximum(np.asarray(rate, np.float64), RATE_FLOOR)
    surprise = y * np.log(np.where(y > 0, y, 1.0) / rate)  # y log y is 0 at 0
    return 2 * (np.where(y == 0, 0.0, surprise) - y + rate)


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
    return require_held(column, raw, most=float(np.floor(np.exp(LOG_RATE_LIMIT))), fix=fix)


@dataclass(kw_only=True)
class CountTarget(TargetKind):
    """How often something happens, by a Poisson rate in raw units.

    The network learns the logarithm of the rate relative to the mean, in units of its own spread,
    and its loss is divided by the loss of the mean where that exceeds 1. So a count in the
    thousands has slopes and a weight like those of any other target.

    Example:
        >>> kind = CountTarget.fit("calls", pa.chunked_array([[0, 4]]))
        >>> kind.decode(np.array([[2.5]]))["calls"].to_pylist()
        [2.5]
    """

    name: ClassVar[str] = "count"
    tree: ClassVar[str] = "poisson"
    metric: ClassVar[str] = "poisson_deviance"
    higher_is_better: ClassVar[bool] = False
    mean: float
    spread: float  # of the logarithm of the rate, as far as the counts tell it
    loss_scale: float
    edges: list[float]  # bins of measured values, as `reveal` gives them
    low: float
    high: float
    constant_value: float | None = None

    @property
    def size(self) -> int:
        return 1

    @property
    def width(self) -> int:
        return 1

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
        loss = float(deviance(known, np.array(mean)).mean()) / 2
        # To second order the loss of the mean is mean * spread^2 / 2; 1 keeps rare counts as are.
        spread = float(np.clip(np.sqrt(2 * loss / mean), 1e-3, 1.0))
        constant = float(known[0]) if known.min() == known.max() else None
        return cls(
            column=column,
            mean=mean,
            spread=spread,
            loss_scale=max(1.0, loss),
            edges=quantile_edges(_told(known, mean, spread)),
            low=float(known.min()),
            high=float(known.max()),
            constant_value=constant,
        )

    def _log_rate(self, out: Tensor) -> Tensor:
        return out * self.spread + float(np.log(self.mean))

    def encode(self, values: Column) -> np.ndarray:
        return _checked(self.column, values, f"target {self.column!r}").astype(np.float32)

    def exact(self, y: np.ndarray) -> np.ndarray:
        return np.asarray(y, np.float64)[..., None]

    def loss(self, out: Tensor, y: Tensor) -> Tensor:
        return poisson_loss(self._log_rate(out), y) / self.loss_scale

    def predict(self, out: Tensor) -> Tensor:
        return self._log_rate(out).clamp(-LOG_RATE_LIMIT, LOG_RATE_LIMIT).exp()

    def row_loss(self, y: np.ndarray, pred: np.ndarray) -> np.ndarray:
        return deviance(y, pred[..., 0])

    def constant(self, y: np.ndarray) -> np.ndarray:
        known = np.asarray(y, np.float64)
        known = known[~np.isnan(known)]
        return np.array([known.mean() if len(known) else self.mean])

    @property
    def reveal_edges(self) -> list[list[float]]:
        return [self.edges]

    def reveal(self, y: np.ndarray) -> np.ndarray:
        told = _told(np.asarray(y, np.float64), self.mean, self.spread)
        return told.astype(np.float32)[:, None]

    def outside(self, y: np.ndarray) -> np.ndarray:
        return np.asarray((y < self.low) | (y > self.high))

    def log_likelihood(self, y: np.ndarray, pred: np.ndarray) -> np.ndarray:
        return count_log_mass(np.asarray(y, np.float64), _rate(pred))

    def scores(
        self, y: np.ndarray, pred: np.ndarray, share: np.ndarray | None = None
    ) -> np.ndarray:
        point = None if share is None else np.reshape(share, len(pred))
        return count_scores(_rate(pred), np.asarray(y, np.float64), point)[:, None]

    def at_scores(self, pred: np.ndarray, z: np.ndarray) -> np.ndarray:
        return count_at(_rate(pred), np.reshape(z, len(pred)))

    def given_scores(self, pred: np.ndarray, mean: np.ndarray, sd: np.ndarray) -> np.ndarray:
        told = count_given(_rate(pred), np.reshape(mean, len(pred)), np.reshape(sd, len(pred)))
        return np.maximum(told, RATE_FLOOR)[:, None]

    def information(self, told: np.ndarray) -> np.ndarray:
        rate = _rate(told)  # a count with this rate has this variance
        return variance_information(rate, rate)

    def _metrics(self, y: np.ndarray, pred: np.ndarray, **options: Any) -> dict[str, float]:
        if not len(y):
            return dict.fromkeys(("poisson_deviance", "mae", "rmse"), np.nan)
        error = pred[:, 0] - y
        return {
            "poisson_deviance": float(deviance(y, pred[:, 0]).mean()),
            "mae": float(np.abs(error).mean()),
            "rmse": float(np.sqrt((error**2).mean())),
        }

    def in_units(self, standardised: np.ndarray) -> np.ndarray:
        """Counts are learned in the user's units already."""
        return np.asarray(standardised, np.float64)

    def plot(self, y: np.ndarray, pred: np.ndarray, beside: Beside) -> dict[str, Any]:
        found = super().plot(y, pred, beside)
        return {**found, "value": np.column_stack([y, pred[:, 0]])}

    def decode(
        self,
        pred: np.ndarray,
        threshold: float | Sequence[float] | None = None,
        interval: np.ndarray | None = None,
    ) -> dict[str, pa.Array]:
        return {self.column: pa.array(np.asarray(pred, np.float64)[:, 0], from_pandas=True)}

    def decode_proba(self, pred: np.ndarray) -> dict[str, pa.Array]:
        return self.decode(pred)

    def describe(self) -> str:
        return f"mean {self.mean:.4g} per row"
