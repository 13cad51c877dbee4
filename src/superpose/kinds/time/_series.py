"""Series: several numbers over time, as regular steps or as events with gaps between them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from superpose.columns import (
    Column,
    Events,
    as_events,
    as_steps,
    counted,
    find,
    holds_events,
    index_in_row,
    plain,
    warn,
)
from superpose.errors import DataError, location, message
from superpose.kinds._input import InputHints, InputKind
from superpose.kinds._options import Options, augment_settings
from superpose.kinds.tabular._number import CLIP, location_scale

MOST_STEPS = 512  # of a row; a network that reads more is not small any more
BINS = 48  # of the grid that events are put on
CHUNK = 4096  # rows whose summaries are made at once
SUMMARIES = ("last", "mean", "spread", "least", "most", "slope", "count")


class SeriesAugmentOptions(BaseModel):
    """How series are augmented while the network learns; validation and test rows never are.

    Args:
        noise: largest scale of what is added to each value, in standard deviations of its channel.
        scale: largest change of a whole channel, as a share, from 0 to below 1.
        mask: largest share of the steps that are hidden at a stretch, from 0 to below 1.
        warp: largest share of the length by which steps move in time, from 0 to 0.3; both ends
            stay where they are.
    """

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    noise: float = Field(default=0.1, ge=0, le=10)
    scale: float = Field(default=0.1, ge=0, lt=1)
    mask: float = Field(default=0.1, ge=0, lt=1)
    # The slope of the path through time is 1 - pi warp at least: beyond 0.3 time would run back.
    warp: float = Field(default=0.0, ge=0, le=0.3)


class SeriesOptions(Options):
    """Options of a series.

    Args:
        channels: names of its channels, in their order; of events those that are read, others are
            then faults.
        bins: steps of the grid that events are put on, 48 unless set.
        augment: how series are augmented while the network learns: noise, scale, mask, warp; they
            are not unless it is set.
    """

    channels: list[str] | None = Field(default=None, min_length=1)
    bins: int | None = Field(default=None, ge=2, le=MOST_STEPS)
    augment: SeriesAugmentOptions | Literal["off"] | None = None


@dataclass(kw_only=True)
class SeriesInput(InputKind):
    """Numbers over time: lists of numbers, of steps, or of events with a time each.

    A list of numbers is one channel; a list of lists has a list of its channels for each step. The
    last step is the present. Events are structures of ``time``, ``channel`` and ``value``; they are
    put on a grid of equal steps, the mean where there are several, missing where there is none.

    Example:
        >>> import pyarrow as pa
        >>> kind = SeriesInput.fit("load", pa.chunked_array([[[1.0, 3.0], [5.0]]]))
        >>> kind.encode(pa.chunked_array([[[3.0, None], [5.0]]]))[..., 0].round(0).tolist()
        [[0.0, nan], [nan, 1.0]]
    """

    name: ClassVar[str] = "series"
    options: ClassVar[type[Options]] = SeriesOptions
    hints: ClassVar[InputHints] = InputHints(takes_lists=True)
    length: int  # steps that are read
    channels: list[str]  # those that vary
    kept: list[int]  # their positions among the channels of a step
    wide: int  # channels of a step
    means: list[float]
    scales: list[float]
    span: list[float] | None = None  # first and last time of the grid; None for regular steps
    closed: bool = False  # whether events of other channels are faults
    unused: list[str] = field(default_factory=list)  # channels of events that did not vary
    reason: str | None = None
    augmented: dict[str, Any] | None = None

    @property
    def drop_reason(self) -> str | None:
        return self.reason

    @property
    def target_options(self) -> dict[str, Any]:
        names = ("length", "kept", "means", "scales")
        return {name: getattr(self, name) for name in names}

    @classmethod
    def fit(cls, column: str, values: Column, **options: Any) -> Self:
        names = [str(name) for name in options.get("channels") or ()]
        kind = cls(column=column, length=1, channels=names, kept=[], wide=1, means=[], scales=[])
        if holds_events(plain(values).type):
            grid = kind._fit_events(as_events(column, values), len(values), options)
        else:
            grid = kind._fit_steps(column, values)
        known = [part[~np.isnan(part)] for part in grid.reshape(-1, grid.shape[-1]).T]
        for index, part in enumerate(known):
            # With gaps a constant still tells measured from not measured.
            gaps = kind.span is not None or len(part) < grid[..., 0].size
            if len(part) and (part.min() < part.max() or gaps):
                kind.kept.append(index)
                mean, scale = location_scale(part)
                kind.means.append(mean)
                kind.scales.append(scale)
        kind.augmented = augment_settings(
            options.get("augment"), SeriesAugmentOptions, default=False
        )
        dropped = [name for i, name in enumerate(kind.channels) if i not in kind.kept]
        kind.channels = [kind.channels[i] for i in kind.kept]
        if kind.span is not None:  # events are laid on those channels alone from now on
            kind.unused = dropped
            kind.wide = len(kind.channels)
            kind.kept = list(range(kind.wide))
        if not kind.kept:
            kind.reason = "constant" if any(len(part) for part in known) else "empty"
        elif dropped:
            what = "channel" if len(dropped) == 1 else "channels"
            kind.notes.append(
                f"input {column!r}: {what} {', '.join(dropped)} constant or empty in the training "
                f"rows; not used"
            )
        return kind

    def _fit_steps(self, column: str, values: Column) -> np.ndarray:
        steps = as_steps(column, values)
        counts = np.bincount(steps.rows, minlength=1)
        self.length = int(np.clip(counts.max(), 1, MOST_STEPS))
        self.wide = steps.values.shape[1]
        if self.channels and len(self.channels) != self.wide:
            given = f"{len(self.channels)} channels named, but a step has {self.wide}"
            raise DataError(message(location(column=column), given, fix="name each of them once"))
        self.channels = self.channels or [f"channel {i}" for i in range(1, self.wide + 1)]
        return steps.values

    def _fit_events(self, events: Events, rows: int, options: dict[str, Any]) -> np.ndarray:
        self.length = int(options.get("bins") or BINS)
        self.closed = bool(self.channels)
        self.channels = self.channels or sorted(counted(events.channels)[0])
        self.wide = len(self.channels)
        ends = (events.times.min(), events.times.max()) if len(events.times) else (0.0, 1.0)
        self.span = [float(ends[0]), float(ends[1])]
        return self._grid(events, rows)

    def _grid(self, events: Events, rows: int) -> np.ndarray:
        """Means of the events that fall into each step of the grid, (N, T, C)."""
        assert self.span is not None
        first, last = self.span
        channel = find(events.channels, self.channels)
        self._require_channels(events, channel)
        duration = (last - first) / self.length or 1.0
        step = np.floor((events.times - first) / duration).astype(np.int64)
        step[events.times == last] = self.length - 1
        inside = (step >= 0) & (step < self.length) & (channel >= 0) & ~np.isnan(events.values)
        late = (step < 0) | (step >= self.length)
        if late.any():
            row = int(events.rows[np.argmax(late)])
            warn(
                f"input {self.column!r}, row {row}: {int(late.sum())} event(s) outside of the "
                f"times {first:g} to {last:g} of the training rows are not read"
            )
        shape = (rows, self.length, self.wide)
        cell = np.ravel_multi_index((events.rows[inside], step[inside], channel[inside]), shape)
        count = np.bincount(cell, minlength=rows * self.length * self.wide)
        sums = np.bincount(cell, events.values[inside], rows * self.length * self.wide)
        return np.where(count > 0, sums / np.maximum(count, 1), np.nan).reshape(shape)

    def _require_channels(self, events: Events, channel: np.ndarray) -> None:
        strange = (channel < 0) & (find(events.channels, self.unused) < 0)
        if not strange.any():
            return
        at = int(np.argmax(strange))
        row = int(events.rows[at])
        name = events.channels[at].as_py()
        given = f"{int(strange.sum())} event(s) of channels that are not known, such as {name!r}"
        if self.closed:
            fix = "add it to channels, or leave its events out"
            where = location(column=self.column, row=row)
            raise DataError(message(where, given, ", ".join(self.channels), fix=fix))
        warn(f"input {self.column!r}, row {row}: {given}; they are not read")

    def _laid(self, values: Column) -> np.ndarray:
        """Numbers as they are, (N, T, C), the last step at the end."""
        if self.span is not None:
            if not holds_events(plain(values).type) and plain(values).null_count < len(values):
                raise DataError(
                    message(
                        location(column=self.column),
                        f"it holds {values.type}",
                        "lists of structures with time, channel and value, as in training",
                    )
                )
            if plain(values).null_count == len(values):
                return np.full((len(values), self.length, self.wide), np.nan)
            return self._grid(as_events(self.column, values), len(values))
        steps = as_steps(self.column, values, self.wide)
        counts = np.bincount(steps.rows, minlength=len(values))
        if len(counts) and counts.max() > self.length:
            row = int(np.argmax(counts > self.length))
            warn(
                f"input {self.column!r}, row {row}: {int(counts[row])} steps; the last "
                f"{self.length} are read"
            )
        block = np.full((len(values), self.length, self.wide), np.nan)
        step = self.length - counts[steps.rows] + index_in_row(steps.rows, len(values))
        inside = step >= 0
        block[steps.rows[inside], step[inside]] = steps.values[inside]
        return block

    def encode(self, values: Column) -> np.ndarray:
        """Standardised numbers, float32 (N, T, C), NaN where missing."""
        block = self._laid(values)[..., self.kept]
        with np.errstate(over="ignore"):  # what overflows is cut, as all that is far off
            block -= self.means
            block /= self.scales
        return np.clip(block, -CLIP, CLIP).astype(np.float32)

    def features(self, values: Column) -> tuple[np.ndarray, list[bool], list[str]]:
        block = self.encode(values)
        parts = [summaries(block[first : first + CHUNK]) for first in range(0, len(block), CHUNK)]
        shape = (0, len(SUMMARIES), len(self.kept))
        matrix = np.concatenate(parts) if parts else np.zeros(shape, np.float32)
        names = [f"{self.column} {c} ({what})" for what in SUMMARIES for c in self.channels]
        return matrix.reshape(len(block), len(names)), [False] * len(names), names

    def describe(self) -> str:
        many = f"{len(self.kept)} channel{'s' * (len(self.kept) != 1)}"
        if self.span is None:
            return f"{many} over {self.length} steps"
        return f"events of {many}, on {self.length} steps from {self.span[0]:g} to {self.span[1]:g}"


def summaries(block: np.ndarray) -> np.ndarray:
    """What trees read of a series: ``SUMMARIES`` of each channel.

    Shape:
        block (N, T, C), NaN where missing -> float32 (N, 7, C); the slope is that of the least
        squares line over the steps that are there.

    Example:
        >>> summaries(np.array([[[1.0], [np.nan], [3.0]]]))[0, :, 0].tolist()
        [3.0, 2.0, 1.0, 1.0, 3.0, 1.0, 2.0]
    """
    there = ~np.isnan(block)
    count = there.sum(axis=1)
    filled = np.where(there, block, 0.0).astype(np.float64)
    enough = np.maximum(count, 1)
    mean = filled.sum(axis=1) / enough
    away = np.where(there, filled - mean[:, None], 0.0)
    steps = np.arange(block.shape[1])[:, None]
    centre = (there * steps).sum(axis=1) / enough
    along = np.where(there, steps - centre[:, None], 0.0)
    line = (along**2).sum(axis=1)
    slope = (along * away).sum(axis=1) / np.where(line > 0, line, 1.0)
    final = block.shape[1] - 1 - np.argmax(there[:, ::-1], axis=1)
    last = np.take_along_axis(filled, final[:, None], axis=1)[:, 0]
    least = np.where(there, block, np.inf).min(axis=1)
    most = np.where(there, block, -np.inf).max(axis=1)
    std = np.sqrt((away**2).sum(axis=1) / enough)
    values = np.stack([last, mean, std, least, most, slope], axis=1)
    values = np.where((count > 0)[:, None], values, np.nan)
    return np.concatenate([values, count[:, None]], axis=1).astype(np.float32)
