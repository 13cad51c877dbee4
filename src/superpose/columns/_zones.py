"""Points in time, and their clocks turned to one zone."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from superpose.errors import DataError, location, message

from ._date_formats import DAY, spelled, zone_offset

WRITTEN = "written"
"""In place of a zone: the clock that is written with each time."""


@dataclass(frozen=True)
class Times:
    """Points in time, row by row.

    Args:
        wall: seconds since 1970-01-01 on the clock of each time, NaN where missing; seconds since
            midnight for times of day.
        offset: seconds that this clock is ahead of UTC, NaN where no zone is known.
        zone: the zone of all rows where the column has one, as its type tells.
        clock: whether these are times of day, without a date.
        dated: False for plain numbers that count time from nowhere.
        format: how text or numbers were read, where that is known.
    """

    wall: np.ndarray
    offset: np.ndarray
    zone: str | None = None
    clock: bool = False
    dated: bool = True
    format: str | None = None

    @property
    def instant(self) -> np.ndarray:
        """Seconds since 1970-01-01 UTC, or on the clock where no zone is known."""
        return self.wall - np.where(np.isnan(self.offset), 0, self.offset)

    @property
    def zoned(self) -> np.ndarray:
        """Mark the rows whose zone is known."""
        return ~np.isnan(self.offset)

    @property
    def naive(self) -> np.ndarray:
        """Mark the rows with a time whose zone is not known."""
        return ~np.isnan(self.wall) & np.isnan(self.offset)

    def spelled(self, row: int) -> str:
        """The time of a row for a message, as dates are written where it is one."""
        wall = float(self.wall[row])
        return spelled(wall, self.clock) if self.dated else f"{wall:.10g}"


def offsets_of(column: str, zone: str, instant: np.ndarray) -> np.ndarray:
    """How far the clock of a zone is ahead of UTC at each time, in seconds, NaN where missing.

    Raises:
        DataError: the zone is not known.
    """
    fixed = zone_offset(zone)
    if not np.isnan(fixed):
        return np.where(np.isnan(instant), np.nan, fixed)
    gone = np.isnan(instant)
    micro = np.where(gone, 0, np.round(instant * 1e6)).astype(np.int64)
    stamps = pa.array(micro, mask=gone).cast(pa.timestamp("us", zone))
    try:
        local = pc.local_timestamp(stamps)
    except pa.ArrowInvalid:
        raise DataError(message(location(column=column), unknown_zone(zone))) from None
    ahead = local.cast(pa.int64()).to_numpy(zero_copy_only=False)
    return np.where(gone, np.nan, np.round((np.nan_to_num(ahead) - micro) / 1e6))


def unknown_zone(zone: str) -> str:
    """What to say of a zone that this machine does not know."""
    return (
        f"its zone {zone!r} is not known; allowed: a name such as Europe/Berlin, or an offset such "
        f"as +01:00; mend the name, or install the system's time zones (package tzdata)"
    )


def knows_zone(zone: str) -> bool:
    """Whether a zone is known here."""
    try:
        offsets_of("", zone, np.zeros(1))
    except DataError:
        return False
    return True


def in_zone(column: str, times: Times, zone: str) -> tuple[Times, int]:
    """Turn clocks to a zone; times without one are taken as of that zone's clock.

    Args:
        column: name of the column, for the message.
        times: what was read.
        zone: a name, an offset, or `WRITTEN` for the clocks as they are.

    Returns:
        The times, and how many stand for two instants, of which the first is taken: on the night
        when clocks are put back.

    Raises:
        DataError: the zone is not known, or a time was passed over when clocks were put forward.
    """
    if zone == WRITTEN:
        return times, 0
    naive = times.naive
    twice = 0
    instant = times.instant
    if naive.any():
        # What the clock was ahead a day before and after brackets a change; the larger is earlier.
        sides = [offsets_of(column, zone, times.wall + shift) for shift in (-DAY, DAY)]
        early, late = np.fmax(*sides), np.fmin(*sides)
        fits = [offsets_of(column, zone, times.wall - side) == side for side in (early, late)]
        lost = naive & ~fits[0] & ~fits[1]
        if lost.any():
            row = int(np.argmax(lost))
            given = f"{spelled(times.wall[row])} is no time in {zone}: clocks were put forward"
            fix = "mend the value, or give each time with its offset from UTC"
            raise DataError(message(location(column=column, row=row), given, fix=fix))
        twice = int((naive & fits[0] & fits[1] & (early != late)).sum())
        instant = np.where(naive, times.wall - np.where(fits[0], early, late), instant)
    offset = offsets_of(column, zone, instant)
    return replace(times, wall=instant + offset, offset=offset, zone=zone), twice


def zone_of(column: str, times: Times) -> str | None:
    """The zone that all rows have, `WRITTEN` where they have several offsets, None without any.

    Raises:
        DataError: some rows have a zone and others none.
    """
    zoned, naive = times.zoned, times.naive
    if zoned.any() and naive.any():
        rows = int(np.argmax(naive)), int(np.argmax(zoned))
        given = f"{int(naive.sum())} times without an offset from UTC, as in row {rows[0]}, beside "
        given += f"{int(zoned.sum())} with one, as in row {rows[1]}"
        fix = "give all an offset or none, or declare `zone:` with the clock of those without"
        raise DataError(message(location(column=column), given, fix=fix))
    if times.zone is not None or not zoned.any():
        return times.zone
    offsets = np.unique(times.offset[zoned])
    return WRITTEN if len(offsets) > 1 else offset_name(offsets[0])


def offset_name(seconds: float) -> str:
    """An offset as it is written, UTC for none.

    Example:
        >>> offset_name(-18000.0)
        '-05:00'
    """
    minutes = round(abs(seconds) / 60)
    if not minutes:
        return "UTC"
    return f"{'-' if seconds < 0 else '+'}{minutes // 60:02d}:{minutes % 60:02d}"
