"""Time until an event that not every row has lived to see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import pyarrow as pa
from pydantic import Field, field_validator

from superpose.columns import (
    Column,
    as_lifetimes,
    concordance,
    integrated_brier,
    survival_calibration,
)
from superpose.distributions import Hazard
from superpose.kinds._beside import Beside
from superpose.kinds._hints import TargetHints
from superpose.kinds._observed import ObservedColumns
from superpose.kinds._options import Options
from superpose.kinds._raw_labels import lifetimes
from superpose.kinds._target import TargetKind, too_few_labels
from superpose.kinds.time._plot_times import survival_facts

BINS = 12  # intervals, unless set; each costs an output and hardly adds anything
EVENTS_PER_BIN = 10  # in training rows; below, an interval's hazard is noise
MOST_BINS = 200


class SurvivalOptions(Options):
    """Options of a time until an event.

    Args:
        event: the column that tells whether the event was seen at that time, yes or no; without it
            times below 0, or with a + behind them, are of rows that have not seen it.
        bins: intervals that time is divided into, at quantiles of the events; 12 unless set.
        horizons: times for which the probability of the event is predicted.
    """

    event: str | None = Field(default=None, min_length=1)
    bins: int | None = Field(default=None, ge=2, le=MOST_BINS)
    horizons: list[float] | None = Field(default=None, min_length=1, max_length=100)

    @field_validator("horizons", mode="before")
    @classmethod
    def _numbers(cls, horizons: Any) -> Any:
        if isinstance(horizons, list):
            wrong = [h for h in horizons if not isinstance(h, int | float) or not h > 0]
            if wrong:
                raise ValueError(f"{wrong[0]!r} given; allowed: times above 0")
            return sorted({float(h) for h in horizons})
        return horizons


@dataclass(kw_only=True)
class SurvivalTarget(TargetKind):
    """A time until an event, with rows that have not seen it yet.

    A label is one number: the time of the event, or minus the time up to which it was not seen.
    Canonical prediction: the probability that the event falls into each interval, and that it
    comes after the last.

    Example:
        >>> rows = pa.chunked_array([[1.0, 2.0, 3.0, 4.0, -2.5, -5.0]])
        >>> kind = SurvivalTarget.fit("months", rows, bins=2)
        >>> kind.uppers, kind.encode(rows).tolist()
        ([2.5, 4.0], [1.0, 2.0, 3.0, 4.0, -2.5, -5.0])
        >>> kind.decode(np.array([[0.5, 0.5, 0.0]]))["months"].to_pylist()
        [2.5]
    """

    name: ClassVar[str] = "survival"
    options: ClassVar[type[Options]] = SurvivalOptions
    metric: ClassVar[str] = "concordance"
    higher_is_better: ClassVar[bool] = True
    hints: ClassVar[TargetHints] = TargetHints(
        takes_lists=True, scale="interval", raw_labels=lifetimes, tree_task="hazards"
    )
    uppers: list[float]  # the end of each interval, which belongs to it
    base: list[float]  # the best prediction that ignores the inputs
    horizons: list[float]
    events: int
    censored: int

    @property
    def distribution(self) -> Hazard:
        return Hazard(tuple(self.uppers), tuple(self.base))

    @property
    def constant_reason(self) -> str | None:
        return None if self.events else "no training row has seen the event"

    @classmethod
    def check(cls, column: str, values: Column, **options: Any) -> None:
        as_lifetimes(column, values)

    @classmethod
    def fit(cls, column: str, values: Column, **options: Any) -> Self:
        y = as_lifetimes(column, values).astype(np.float32)
        y = y[~np.isnan(y)]
        if len(y) < 2:
            raise too_few_labels(column, len(y))
        hits = np.abs(y[~np.signbit(y)]).astype(np.float64)
        wanted = options.get("bins") or int(np.clip(len(hits) // EVENTS_PER_BIN, 2, BINS))
        shares = np.linspace(0, 1, wanted + 1)[1:]
        ends = np.unique(np.quantile(hits, shares)).astype(np.float32) if len(hits) else np.ones(1)
        uppers = [float(end) for end in ends if end > 0] or [1.0]
        kind = cls(
            column=column,
            uppers=uppers,
            base=[],
            horizons=options.get("horizons") or [],
            events=len(hits),
            censored=len(y) - len(hits),
        )
        kind.base = [float(p) for p in kind.distribution.baseline(y)]
        if not kind.horizons:
            # Four of the ends, the last among them: enough to see the shape.
            kind.horizons = [uppers[k] for k in {(len(uppers) * q - 1) // 4 for q in (1, 2, 3, 4)}]
            kind.horizons = sorted(set(kind.horizons))
        return kind

    def encode(self, values: Column) -> np.ndarray:
        return as_lifetimes(self.column, values).astype(np.float32)

    def tree_labels(self, y: np.ndarray) -> np.ndarray:
        """Whether the event fell into each interval (N, K), NaN where a row was not at risk."""
        exposure, event = self.distribution.exposure(y)
        # Half an interval counts as the whole, as the source of the loss has it.
        return np.where(event > 0, 1.0, np.where(exposure >= 0.5, 0.0, np.nan))

    @property
    def observed(self) -> ObservedColumns:
        """How far along the intervals a time is, 0 to 1, and whether the event was seen."""
        ends = [float(end) for end in np.linspace(0, 1, len(self.uppers) + 1)]
        return ObservedColumns([ends, [0.0, 1.0]], self._observed)

    def _observed(self, y: np.ndarray) -> np.ndarray:
        k, share = self.distribution.interval_of(y)
        along = np.minimum(k + share, len(self.uppers)) / len(self.uppers)
        columns = np.stack([along, ~np.signbit(y)], axis=1)
        return np.where(np.isnan(y)[:, None], np.nan, columns).astype(np.float32)

    def _metrics(self, y: np.ndarray, pred: np.ndarray, **options: Any) -> dict[str, float]:
        names = ("concordance", "integrated_brier", "log_loss", "calibration_error")
        if not len(y):
            return dict.fromkeys(names, np.nan)
        distribution = self.distribution
        ends = np.array(self.uppers)
        alive = distribution.alive_at(pred, ends)
        middle = self.horizons[len(self.horizons) // 2]
        values = (
            concordance(y, -distribution.expected_intervals(pred)),
            integrated_brier(y, alive, ends),
            float(distribution.row_loss(y, pred).mean()),
            survival_calibration(y, distribution.alive_at(pred, np.array([middle]))[:, 0], middle),
        )
        return dict(zip(names, values, strict=True))

    def plot(self, y: np.ndarray, pred: np.ndarray, beside: Beside) -> dict[str, Any]:
        return survival_facts(self, y, pred)

    def decode(
        self,
        pred: np.ndarray,
        threshold: float | Sequence[float] | None = None,
        quantile: np.ndarray | None = None,
    ) -> dict[str, pa.Array]:
        """The median time, null where more than half live beyond the last interval."""
        times = self.distribution.median(pred)
        return {self.column: pa.array(times, mask=np.isnan(times))}

    def decode_proba(self, pred: np.ndarray) -> dict[str, pa.Array]:
        """The probability that the event comes by each horizon."""
        alive = self.distribution.alive_at(pred, np.array(self.horizons))
        return {
            f"{self.column}<={h:g}": pa.array(1 - alive[:, n]) for n, h in enumerate(self.horizons)
        }

    def describe(self) -> str:
        ends = f"{len(self.uppers)} intervals up to {self.uppers[-1]:g}"
        return f"{self.events} events, {self.censored} censored, {ends}"
