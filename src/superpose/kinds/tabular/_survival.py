"""Time until an event that not every row has lived to see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
import pyarrow as pa
import torch
from pydantic import Field, field_validator
from torch import Tensor

from superpose.columns import (
    Column,
    as_lifetimes,
    concordance,
    integrated_brier,
    survival_calibration,
)
from superpose.distributions import (
    PROBABILITY_FLOOR,
    class_at,
    class_given,
    class_information,
    class_scores,
    score_within,
)
from superpose.functional import hazard_loss, interval_probabilities
from superpose.kinds._beside import Beside
from superpose.kinds._options import Options
from superpose.kinds._target import TargetKind, too_few_labels
from superpose.kinds.time._plot_times import survival_facts

BINS = 12  # intervals, unless told otherwise; each costs an output and hardly tells more
EVENTS_PER_BIN = 10  # in training rows; below, an interval's hazard is noise
MOST_BINS = 200
TINIEST = 1e-12  # a share alive that a logarithm can be taken of


class SurvivalOptions(Options):
    """Options of a time until an event.

    Args:
        event: the column that tells whether the event was seen at that time, yes or no; without it
            times below 0, or with a + behind them, are of rows that have not seen it.
        bins: intervals that time is divided into, at quantiles of the events; 12 unless set.
        horizons: times for which the probability of the event is told.
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
    tree: ClassVar[str] = "hazards"
    metric: ClassVar[str] = "concordance"
    higher_is_better: ClassVar[bool] = True
    takes_lists: ClassVar[bool] = True
    uppers: list[float]  # the end of each interval, which belongs to it
    base: list[float]  # the best prediction that ignores the inputs
    horizons: list[float]
    events: int
    censored: int

    @property
    def size(self) -> int:
        return len(self.uppers)

    @property
    def width(self) -> int:
        return len(self.uppers) + 1

    @cached_property
    def lowers(self) -> list[float]:
        """The start of each interval, which does not belong to it but for 0."""
        return [0.0, *self.uppers[:-1]]

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
        kind.base = [float(p) for p in kind.constant(y)]
        if not kind.horizons:
            # Four of the ends, the last among them: enough to see the shape.
            kind.horizons = [uppers[k] for k in {(len(uppers) * q - 1) // 4 for q in (1, 2, 3, 4)}]
            kind.horizons = sorted(set(kind.horizons))
        return kind

    def encode(self, values: Column) -> np.ndarray:
        return as_lifetimes(self.column, values).astype(np.float32)

    def _places(self, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The interval of each time, K beyond the last, and how far into it, 0 to 1."""
        times = np.abs(np.asarray(y, np.float64))
        uppers, lowers = np.array(self.uppers), np.array(self.lowers)
        k = np.searchsorted(uppers, times, side="left")
        inside = np.minimum(k, len(uppers) - 1)
        share = (times - lowers[inside]) / (uppers - lowers)[inside]
        return k, np.clip(np.where(np.isnan(times), 0.0, share), 0.0, 1.0)

    def _told(self, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Exposure and event (N, K) of labels, zeros where missing."""
        k, share = self._places(y)
        event = ~np.signbit(y) & ~np.isnan(y)
        steps = np.arange(self.size)
        here = steps == k[..., None]
        exposure = np.where(steps < k[..., None], 1.0, here * share[..., None])
        exposure = np.where(here & event[..., None], 0.0, exposure)
        exposure[np.isnan(y)] = 0.0
        return exposure, (here & event[..., None]).astype(np.float64)

    def tree_labels(self, y: np.ndarray) -> np.ndarray:
        """Whether the event fell into each interval (N, K), NaN where a row was not at risk."""
        exposure, event = self._told(y)
        # Half an interval counts as the whole, as the source of the loss has it.
        return np.where(event > 0, 1.0, np.where(exposure >= 0.5, 0.0, np.nan))

    def lived(self, pred: np.ndarray, at: np.ndarray) -> np.ndarray:
        """Probability (N, H) of living beyond times, the hazard even within an interval.

        Args:
            pred: canonical predictions (N, K + 1).
            at: times (H,), or (N, H).
        """
        alive = self._alive(pred)
        k, share = self._places(at)
        k, share = (np.broadcast_to(v, (len(pred), np.shape(at)[-1])) for v in (k, share))
        low = np.take_along_axis(alive, np.minimum(k, self.size), 1)
        high = np.take_along_axis(alive, np.minimum(k + 1, self.size), 1)
        return np.where(k < self.size, low ** (1 - share) * high**share, low)

    def _alive(self, pred: np.ndarray) -> np.ndarray:
        """Share alive (N, K + 1) at 0 and at the end of each interval."""
        p = np.asarray(pred, np.float64)
        p = p / p.sum(axis=-1, keepdims=True)
        return np.maximum(np.cumsum(p[:, ::-1], axis=1)[:, ::-1], TINIEST)

    def exact(self, y: np.ndarray) -> np.ndarray:
        """Certain of the interval of an event; of who has not seen it, what is left of the base."""
        y = np.asarray(y, np.float64)
        k = self._places(y)[0]
        steps = np.arange(self.width)
        event = (steps == k[:, None]).astype(float)
        base = np.broadcast_to(self.base, (len(y), self.width))
        alive = self._alive(base)
        ends = np.concatenate([alive[:, 1:], np.zeros((len(y), 1))], axis=1)
        now = self.lived(base, np.abs(y)[:, None])
        later = np.where(steps == k[:, None], now - ends, np.where(steps > k[:, None], base, 0.0))
        later = np.maximum(later, TINIEST * (steps == self.size))
        later = later / later.sum(axis=1, keepdims=True)
        found = np.where(np.signbit(y)[:, None], later, event)
        return np.where(np.isnan(y)[:, None], np.nan, found)

    def loss(self, out: Tensor, y: Tensor) -> Tensor:
        uppers = torch.tensor(self.uppers, device=y.device)
        lowers = torch.tensor(self.lowers, device=y.device)
        times, known = y.abs().nan_to_num()[..., None], ~y.isnan()[..., None]
        event = known & ~torch.signbit(y)[..., None]
        here = event & (times <= uppers) & ((times > lowers) | ((times == 0) & (lowers == 0)))
        exposure = ((times - lowers) / (uppers - lowers)).clamp(0, 1)
        exposure = torch.where(here | ~known, 0.0, exposure)
        return hazard_loss(out, exposure, here.to(out.dtype))

    def predict(self, out: Tensor) -> Tensor:
        return interval_probabilities(out)

    def row_loss(self, y: np.ndarray, pred: np.ndarray) -> np.ndarray:
        """Negative log-likelihood: of the interval of an event, of living longer where unseen."""
        y = np.asarray(y, np.float64)
        p = np.clip(np.asarray(pred, np.float64), PROBABILITY_FLOOR, 1.0)
        p = p / p.sum(axis=1, keepdims=True)
        k, _ = self._places(y)
        hit = np.take_along_axis(p, np.minimum(k, self.size)[:, None], 1)[:, 0]
        beyond = self.lived(p, np.abs(np.nan_to_num(y))[:, None])[:, 0]
        return np.where(np.isnan(y), np.nan, -np.log(np.where(np.signbit(y), beyond, hit)))

    def constant(self, y: np.ndarray) -> np.ndarray:
        """Kaplan and Meier's estimate on the intervals, which maximises the likelihood."""
        y = np.asarray(y, np.float64)
        exposure, event = (part.sum(axis=0) for part in self._told(y))
        if not (exposure.sum() + event.sum()):
            return np.array(self.base) if self.base else np.full(self.width, 1 / self.width)
        hazard = event / np.maximum(exposure + event, TINIEST)
        alive = np.concatenate([[1.0], np.cumprod(1 - hazard)])
        return np.concatenate([alive[:-1] * hazard, alive[-1:]])

    @property
    def reveal_edges(self) -> list[list[float]]:
        return [[float(e) for e in np.linspace(0, 1, self.width)], [0.0, 1.0]]

    def reveal(self, y: np.ndarray) -> np.ndarray:
        """How far along the intervals a time is, 0 to 1, and whether the event was seen."""
        k, share = self._places(y)
        along = np.minimum(k + share, self.size) / self.size
        told = np.stack([along, ~np.signbit(y)], axis=1)
        return np.where(np.isnan(y)[:, None], np.nan, told).astype(np.float32)

    def log_likelihood(self, y: np.ndarray, pred: np.ndarray) -> np.ndarray:
        return -self.row_loss(y, pred)

    def scores(
        self, y: np.ndarray, pred: np.ndarray, share: np.ndarray | None = None
    ) -> np.ndarray:
        y = np.asarray(y, np.float64)
        k = np.where(np.isnan(y), np.nan, self._places(y)[0])[:, None]
        hit = class_scores(np.asarray(pred)[:, None], k, share)
        alive = self.lived(np.maximum(pred, PROBABILITY_FLOOR), np.abs(np.nan_to_num(y))[:, None])
        longer = score_within(1 - alive, alive, np.zeros_like(alive), share=share)
        return np.where(np.isnan(k), np.nan, np.where(np.signbit(y)[:, None], longer, hit))

    def at_scores(self, pred: np.ndarray, z: np.ndarray) -> np.ndarray:
        """The middle of an interval; beyond the last, its end without the event."""
        k = class_at(pred, np.reshape(z, len(pred)))
        middles = (np.array(self.lowers) + np.array(self.uppers)) / 2
        times = np.append(middles, -self.uppers[-1])
        return np.where(np.isnan(k), np.nan, times[np.nan_to_num(k).astype(int)])

    def given_scores(self, pred: np.ndarray, mean: np.ndarray, sd: np.ndarray) -> np.ndarray:
        return class_given(pred, np.reshape(mean, len(pred)), np.reshape(sd, len(pred)))

    def information(self, told: np.ndarray) -> np.ndarray:
        return class_information(told)

    def _metrics(self, y: np.ndarray, pred: np.ndarray, **options: Any) -> dict[str, float]:
        names = ("concordance", "integrated_brier", "log_loss", "calibration_error")
        if not len(y):
            return dict.fromkeys(names, np.nan)
        ends = np.array(self.uppers)
        lived = self.lived(pred, ends)
        middle = self.horizons[len(self.horizons) // 2]
        values = (
            concordance(y, -self.expected(pred)),
            integrated_brier(y, lived, ends),
            float(self.row_loss(y, pred).mean()),
            survival_calibration(y, self.lived(pred, np.array([middle]))[:, 0], middle),
        )
        return dict(zip(names, values, strict=True))

    def expected(self, pred: np.ndarray) -> np.ndarray:
        """Intervals that a row is expected to live through, (N,)."""
        return self._alive(pred)[:, 1:].sum(axis=1)

    def plot(self, y: np.ndarray, pred: np.ndarray, beside: Beside) -> dict[str, Any]:
        return survival_facts(self, y, pred)

    def decode(
        self,
        pred: np.ndarray,
        threshold: float | Sequence[float] | None = None,
        interval: np.ndarray | None = None,
    ) -> dict[str, pa.Array]:
        """The median time, null where more than half live beyond the last interval."""
        alive = self._alive(pred)
        k = np.minimum((alive[:, 1:] > 0.5).sum(axis=1), self.size - 1)[:, None]
        low, high = (np.take_along_axis(alive, k + n, 1)[:, 0] for n in (0, 1))
        drop = np.log(np.maximum(low / np.maximum(high, TINIEST), 1 + TINIEST))
        share = np.clip(np.log(2 * np.maximum(low, 0.5)) / drop, 0.0, 1.0)
        lows, highs = np.array(self.lowers)[k[:, 0]], np.array(self.uppers)[k[:, 0]]
        reached = ~np.isnan(alive).any(axis=1) & (alive[:, -1] <= 0.5)
        times = lows + share * (highs - lows)
        return {self.column: pa.array(times, mask=~reached)}

    def decode_proba(self, pred: np.ndarray) -> dict[str, pa.Array]:
        """The probability that the event comes by each horizon."""
        lived = self.lived(pred, np.array(self.horizons))
        return {
            f"{self.column}<={h:g}": pa.array(1 - lived[:, n]) for n, h in enumerate(self.horizons)
        }

    def describe(self) -> str:
        ends = f"{self.size} intervals up to {self.uppers[-1]:g}"
        return f"{self.events} events, {self.censored} censored, {ends}"
