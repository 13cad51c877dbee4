"""Dates and times, as cyclic parts and a straight time axis."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Self

import numpy as np
from pydantic import AfterValidator, Field

from superpose.columns import (
    CLOCKS,
    DAY,
    ISO,
    WRITTEN,
    Column,
    Times,
    format_of,
    in_zone,
    knows_zone,
    offset_name,
    offsets_of,
    read_times,
    unknown_zone,
    warn,
    wrong_letters,
    zone_of,
)
from superpose.errors import DataError, listing, location, message
from superpose.kinds._options import Options

from ._number import NumbersInput, location_scale, quantile_edges

YEAR = 365.2425


def _hour(seconds: np.ndarray) -> np.ndarray:
    return seconds % DAY / 3600


def _weekday(seconds: np.ndarray) -> np.ndarray:
    return np.floor(seconds / DAY + 3) % 7  # 1970-01-01 was a Thursday; 0 is Monday


def _yearday(seconds: np.ndarray) -> np.ndarray:
    known = ~np.isnan(seconds)
    days = np.where(known, seconds, 0).astype("datetime64[s]").astype("datetime64[D]")
    return np.where(known, (days - days.astype("datetime64[Y]")).astype(float), np.nan)


PARTS: dict[str, tuple[Callable[[np.ndarray], np.ndarray], float]] = {
    "hour": (_hour, 24.0),
    "weekday": (_weekday, 7.0),
    "day of year": (_yearday, YEAR),
}


def _known_format(format: str) -> str:
    if wrong := wrong_letters(format):
        raise ValueError(wrong)
    return format


def _known_zone(zone: str) -> str:
    if zone != WRITTEN and not knows_zone(zone):
        raise ValueError(unknown_zone(zone))
    return zone


class DateOptions(Options):
    """How dates are written, and on which clock they are read.

    Args:
        format: how text or numbers are written: letters of strptime such as `%d/%m/%Y %H:%M`, or
            `epoch s`, `epoch ms`, `epoch us`, `epoch ns`; inferred from the values by default.
        zone: whose clock tells hour and weekday: a name such as `Europe/Berlin`, an offset such as
            `+01:00`, or `written` for the clock that stands with each time; by default the zone of
            the column, and `written` where it has several offsets. Times without a zone are taken
            as of this clock.
        clock: the column with the time of day, where date and time stand in two columns.
    """

    format: Annotated[str, AfterValidator(_known_format)] | None = None
    zone: Annotated[str, AfterValidator(_known_zone)] | None = None
    clock: str | None = Field(default=None, min_length=1)


@dataclass(kw_only=True)
class DateInput(NumbersInput):
    """A point in time: sine and cosine of the parts that vary, and straight time.

    Straight time stays within the range of the training rows, where the network has seen it. A
    column of times of day has the hour alone, in which midnight is next to 23:59. Where times have
    a zone, hour, weekday and day are those of its clock, and straight time is that of the instants.

    Example:
        >>> import pyarrow as pa
        >>> kind = DateInput.fit("t", pa.chunked_array([["2024-01-01", "2024-01-02"]]))
        >>> kind.describe()
        '2024-01-01 to 2024-01-02; weekday, day of year'
    """

    name: ClassVar[str] = "date"
    options: ClassVar[type[Options]] = DateOptions
    style: str | None
    parts: list[str]
    first: float
    last: float
    mean: float
    scale: float
    reason: str | None = None
    zone: str | None = None
    naive: bool = True  # whether the training rows have times without a zone
    clock: bool = False  # whether these are times of day
    offsets: list[float] = field(default_factory=list)  # of the training rows, where as written

    @property
    def drop_reason(self) -> str | None:
        return self.reason

    @classmethod
    def check(cls, column: str, values: Column, **options: Any) -> None:
        _learned(column, values, format=options.get("format"), zone=options.get("zone"))

    @classmethod
    def fit(cls, column: str, values: Column, **options: Any) -> Self:
        style = options.get("format") or format_of(column, values)
        raw, times, twice, zone = _learned(column, values, format=style, zone=options.get("zone"))
        seconds = times.wall if times.clock else times.instant
        gone = np.isnan(seconds)
        reason = None
        if gone.all():
            reason = "empty"
            known = Times(np.zeros(1), np.zeros(1))
        else:
            known = Times(times.wall[~gone], times.offset[~gone])
            if seconds[~gone].min() == seconds[~gone].max() and not gone.any():
                reason = "constant"
        mean, scale = location_scale(known.instant)
        parts = [name for name, (part, _) in PARTS.items() if np.ptp(part(known.wall)) > 0]
        fitted = cls(
            column=column,
            style=style,
            parts=["hour"] if times.clock else parts,
            reason=reason,
            edges=[],
            mean=mean,
            scale=scale,
            first=float(known.instant.min()),
            last=float(known.instant.max()),
            zone=zone,
            naive=bool(raw.naive.any()) or not raw.zoned.any(),
            clock=times.clock,
            offsets=np.unique(raw.offset[raw.zoned]).tolist() if zone == WRITTEN else [],
        )
        if twice:
            given = f"{twice} of its times stand twice in {zone}, on the night when clocks are put "
            given += "back, and are read as the first of the two"
            fix = "to tell them apart, write each with its offset from UTC"
            fitted.conversions.append(message(location(column=column), given, fix=fix))
        fitted.edges = [quantile_edges(values) for values in fitted._numbers(known).T]
        return fitted

    def _times(self, values: Column) -> Times:
        """New rows, read as the training rows were.

        Raises:
            DataError: a value that is not written so; a time with a zone where those had none, or
                without one where they had; a time of day for a date, or a date for a time of day.
        """
        style = self.style or (CLOCKS[0] if self.clock else ISO)
        times = read_times(self.column, values, style)
        if times.clock != self.clock and not np.isnan(times.wall).all():
            words = ("times of day", "dates")
            given, learned = words if times.clock else words[::-1]
            fix = f"give {learned}, or train again"
            raise DataError(
                message(location(column=self.column), f"{given}, but trained on {learned}", fix=fix)
            )
        if self.zone is None and times.zoned.any():
            row = int(np.argmax(times.zoned))
            given = f"a time of a zone, one of {int(times.zoned.sum())}, but the training rows "
            given += "have no zone, so its hour on their clock is not known"
            fix = "turn the times to that clock and take the zone off, or train with `zone:`"
            raise DataError(message(location(column=self.column, row=row), given, fix=fix))
        if self.zone is not None and not self.naive and times.naive.any():
            row = int(np.argmax(times.naive))
            clock = "offsets" if self.zone == WRITTEN else f"the zone {self.zone}"
            given = f"a time without a zone, one of {int(times.naive.sum())}, but the training "
            given += f"rows have {clock}"
            fix = "give each time with its offset from UTC, such as 2024-12-31 23:59+01:00"
            raise DataError(message(location(column=self.column, row=row), given, fix=fix))
        if self.zone == WRITTEN:
            strange = times.zoned & ~np.isin(times.offset, self.offsets)
            if strange.any():
                offsets = listing(offset_name(s) for s in np.unique(times.offset[strange]))
                known = listing(offset_name(s) for s in self.offsets)
                given = (
                    f"{int(strange.sum())} of its times have another offset ({offsets}) than the "
                )
                given += f"training rows ({known}), so that their hours may be of another clock"
                fix = "declare the column with `zone:` and train again"
                warn(message(location(column=self.column), given, fix=fix))
        return times if self.zone is None else in_zone(self.column, times, self.zone)[0]

    def _numbers(self, times: Times) -> np.ndarray:
        straight = (np.clip(times.instant, self.first, self.last) - self.mean) / self.scale
        columns = [] if self.clock else [straight]
        for name in self.parts:
            part, period = PARTS[name]
            angle = 2 * np.pi * part(times.wall) / period
            columns += [np.sin(angle), np.cos(angle)]
        return np.stack(columns, axis=1)

    def encode(self, values: Column) -> np.ndarray:
        return self._numbers(self._times(values)).astype(np.float32)

    def features(self, values: Column) -> tuple[np.ndarray, list[bool], list[str]]:
        times = self._times(values)
        straight = [] if self.clock else [(times.instant - self.mean) / self.scale]
        columns = [*straight, *(PARTS[p][0](times.wall) for p in self.parts)]
        names = [self.column] * len(straight) + [f"{self.column} ({part})" for part in self.parts]
        return np.stack(columns, axis=1).astype(np.float32), [False] * len(names), names

    def describe(self) -> str:
        ends = np.array([self.first, self.last])
        if self.clock:
            first, last = (np.datetime64(int(s), "s").astype(object) for s in ends)
            return f"times of day from {first:%H:%M} to {last:%H:%M}"
        if self.zone not in (None, WRITTEN):
            ends = ends + offsets_of(self.column, str(self.zone), ends)
        first, last = (np.datetime64(int(s), "s").astype("datetime64[D]") for s in ends)
        parts = ", ".join(self.parts) or "no varying parts"
        clock = "" if self.zone is None else f"; clock of {self.zone}"
        if self.zone == WRITTEN:
            clock = "; clock as written"
        return f"{first} to {last}; {parts}{clock}"


def _learned(
    column: str, values: Column, *, format: str | None, zone: str | None
) -> tuple[Times, Times, int, str | None]:
    """Training rows as they are and on the clock of their zone, how many stand twice, the zone."""
    times = read_times(column, values, format)
    if times.clock:
        if zone is not None:
            given = f"zone {zone!r} given for times of day, which have no day to tell it by"
            raise DataError(message(location(column=column), given, fix="remove the zone"))
        return times, times, 0, None
    zone = zone_of(column, times) if zone is None else zone
    if zone is None:
        return times, times, 0, None
    if zone == WRITTEN:
        zone_of(column, times)  # some without an offset are a fault
    turned, twice = in_zone(column, times, zone)
    return times, turned, twice, zone
