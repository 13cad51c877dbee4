"""Columns of any type read as points in time."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from superpose.errors import DataError, beyond, location, message

from ._date_formats import DAY, EPOCHS, ISO, is_clock, parse
from ._date_guess import find_date_format
from ._values import Column, is_text, one, plain
from ._zones import Times, in_zone, offsets_of

# Numbers are taken for seconds since 1970 if all are from these years, and so for the smaller
# units, each a thousandth of the one before: no number fits two of them.
_FIRST, _LAST = 631152000, 4102444800  # 1990 to 2099


def format_of(column: str, values: Column) -> str | None:
    """How a column writes dates: None where its type says enough, or nothing reads it.

    Raises:
        DataError: an order of day and month that values leave open.
    """
    values = plain(values)
    kind = values.type
    if is_text(kind):
        return find_date_format(column, _trimmed(values))
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return number_format(values)
    return None


def as_seconds(
    column: str, values: Column, *, format: str | None = None, zone: str | None = None
) -> np.ndarray:
    """Read dates as float64 seconds since 1970, NaN where missing; see `read_times`."""
    times = read_times(column, values, format)
    return (times if zone is None else in_zone(column, times, zone)[0]).instant


def _trimmed(values: Column) -> pa.Array:
    text = pc.utf8_trim_whitespace(one(values.cast(pa.large_string())))
    return pc.if_else(pc.equal(text, ""), pa.scalar(None, text.type), text)


def read_times(column: str, values: Column, format: str | None = None) -> Times:
    """Read a column as points in time.

    Args:
        column: name of the column, for the message.
        values: dates, timestamps, times of day, strings that spell them, or numbers.
        format: how strings or numbers are written: letters of strptime, "iso", or "epoch s" and so
            on; found in the values where it is left out.

    Raises:
        DataError: the first row that is no date, with its value; an order that values leave open.
    """
    values = plain(values)
    kind = values.type
    if pa.types.is_null(kind):
        gone = np.full(len(values), np.nan)
        return Times(gone, gone, clock=is_clock(format))
    if pa.types.is_timestamp(kind):
        return _of_stamps(column, values)
    if pa.types.is_date(kind):
        wall = _seconds(one(values).cast(pa.timestamp("s"), safe=False).cast(pa.timestamp("us")))
        return Times(wall, np.full(len(wall), np.nan))
    if pa.types.is_time(kind):
        micro = one(values.cast(pa.time64("us"), safe=False)).cast(pa.int64())
        wall = np.asarray(micro.cast(pa.float64()).to_numpy(zero_copy_only=False)) / 1e6
        return Times(wall, np.full(len(wall), np.nan), clock=True)
    if is_text(kind):
        text = _trimmed(values)
        return _of_text(column, text, format or find_date_format(column, text) or ISO)
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return _of_numbers(column, values, format or number_format(values))
    raise DataError(
        f"column {column!r}: declared as date, but it holds {kind}; give dates or timestamps, "
        f"or declare it as kind number"
    )


def with_clock(column: str, days: Times, *, clock: str, hours: Column) -> pa.ChunkedArray:
    """Dates and the times of day of another column as timestamps, null where either is missing.

    Args:
        column: name of the column of dates, for the message.
        days: the dates.
        clock: name of the other column.
        hours: the times of day.

    Raises:
        DataError: a date that has a time of day already, or a zone; a column without times of day.
    """
    clock_times = read_times(clock, hours)
    if not clock_times.clock:
        given = f"{clock!r} is to be its time of day, but holds dates"
        raise DataError(message(location(column=column), given, "times such as 23:59"))
    own = ~np.isnan(days.wall) & ((days.wall % DAY != 0) | days.zoned)
    if own.any():
        given = f"{clock!r} is to be its time of day, but one stands with its date already"
        fix = "remove `clock:`"
        raise DataError(message(location(column=column, row=int(np.argmax(own))), given, fix=fix))
    seconds = days.wall + clock_times.wall
    gone = np.isnan(seconds)
    micro = np.where(gone, 0, seconds * 1e6).round().astype(np.int64)
    return pa.chunked_array([pa.array(micro, pa.timestamp("us"), mask=gone)])


def _seconds(stamps: pa.Array) -> np.ndarray:
    micro = stamps.cast(pa.timestamp("us"), safe=False).cast(pa.int64())
    return np.asarray(micro.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)) / 1e6


def _of_stamps(column: str, values: Column) -> Times:
    zone = values.type.tz
    if not zone:
        wall = _seconds(one(values))
        return Times(wall, np.full(len(wall), np.nan))
    instant = _seconds(one(values.cast(pa.timestamp(values.type.unit))))
    offset = offsets_of(column, zone, instant)
    return Times(instant + offset, offset, "UTC" if zone in ("Z", "GMT") else zone)


def _of_text(column: str, text: pa.Array, format: str) -> Times:
    known = np.asarray(pc.is_valid(text))
    if format in EPOCHS and not _all_iso(text):
        fine = np.asarray(pc.match_substring_regex(text, r"^[+-]?\d+(\.\d*)?$").fill_null(True))
        _require_read(column, text, fine, format=format)
        bare = pc.replace_substring_regex(text, r"^\+", "")
        return _of_numbers(column, bare.cast(pa.float64()), format)
    parsed = parse(text, ISO if format in EPOCHS else format)
    read = ~np.isnan(parsed.wall)
    if not read.any() and not is_clock(format) and _all_iso(text):
        # A file of dates as ISO 8601 has them can't be taken for anything else.
        parsed = parse(text, ISO)
        read = known
    _require_read(column, text, read | ~known, format=format)
    return Times(parsed.wall, parsed.offset, clock=is_clock(format))


def _all_iso(text: pa.Array) -> bool:
    known = text.drop_null()
    return len(known) > 0 and not np.isnan(parse(known, ISO).wall).any()


def _require_read(column: str, text: pa.Array, fine: np.ndarray, *, format: str) -> None:
    """Make sure that every value is read.

    Raises:
        DataError: the first row that is not, and how many others.
    """
    if fine.all():
        return
    row = int(np.argmin(fine))
    more = int((~fine).sum()) - 1
    how = f"a date as {format}"
    if format == ISO:
        how = "a date such as 2024-12-31 or 2024-12-31 23:59"
    elif format in EPOCHS:
        how = f"a number as {format}"
    others = beyond(more, ", and so {} other row{s}")
    raise DataError(
        f"column {column!r}, row {row}: {text[row].as_py()!r} is not {how}{others}; mend the "
        f"value, leave it empty if it is missing, write the column's `format:`, or declare it as "
        f"kind category or text"
    )


def whole_text(values: Column | pa.Array, format: str) -> pa.Array:
    """Spell whole numbers as text, with the zeros in front that their format asks for."""
    text = one(values.cast(pa.int64())).cast(pa.large_string())
    letters = format.split("%")[1:]
    fixed = all(letter in ("Y", "y", "m", "d", "H", "M", "S") for letter in letters)
    n_digits = sum(4 if letter == "Y" else 2 for letter in letters)
    return pc.utf8_lpad(text, n_digits, "0") if fixed else text


def _of_numbers(column: str, values: Column | pa.Array, format: str | None) -> Times:
    if format is None or format == ISO:
        first = values.drop_null()[0].as_py() if len(values.drop_null()) else None
        allowed = "%Y%m%d for 20241231, " + ", ".join(EPOCHS)
        given = f"declared as date, but it holds {values.type}, such as {first}, of no known form"
        fix = "write the column's `format:`, or declare it as kind number"
        raise DataError(message(location(column=column), given, allowed, fix=fix))
    if format not in EPOCHS:
        return _of_text(column, whole_text(_require_whole(column, values), format), format)
    known = one(values.cast(pa.float64(), safe=False))
    instant = np.asarray(known.to_numpy(zero_copy_only=False)) / EPOCHS[format]
    wrong = np.abs(instant) > 1e11
    if wrong.any():
        row = int(np.argmax(wrong))
        given = f"{values[row].as_py()} is no time as {format}: it is thousands of years away"
        fix = f"write another `format:`, one of {', '.join(EPOCHS)}"
        raise DataError(message(location(column=column, row=row), given, fix=fix))
    return Times(instant, np.where(np.isnan(instant), np.nan, 0.0), "UTC")


def _require_whole(column: str, values: Column | pa.Array) -> Column | pa.Array:
    if pa.types.is_integer(values.type):
        return values
    numbers = values.cast(pa.float64(), safe=False)
    wrong = pc.fill_null(pc.not_equal(numbers, pc.floor(numbers)), False)
    if pc.any(wrong).as_py():
        row = pc.index(wrong, True).as_py()
        given = f"{values[row].as_py()} is no whole number, and so no date"
        raise DataError(message(location(column=column, row=row), given, fix="mend the value"))
    return numbers


def number_format(values: Column) -> str | None:
    """How numbers write dates: all as 20241231, or all counted since 1970; or None.

    Eight digits are a day of 1900 to 2099 by chance once in thirty times, so that a column of them
    is one of dates; numbers since 1970 are taken as of 1990 to 2099.

    Example:
        >>> number_format(pa.chunked_array([[20240131, 20240229]]))
        '%Y%m%d'
    """
    known = values.drop_null()
    if not len(known):
        return None
    low, high = (float(part) for part in pc.min_max(known.cast(pa.float64(), safe=False)).values())
    for format, parts in EPOCHS.items():
        if _FIRST * parts <= low and high < _LAST * parts:
            return format
    whole = pa.types.is_integer(known.type) or pc.all(pc.equal(known, pc.floor(known))).as_py()
    if whole and low >= 19000101 and high <= 20991231:
        days = pc.unique(known)
        if not np.isnan(parse(whole_text(days, "%Y%m%d"), "%Y%m%d").wall).any():
            return "%Y%m%d"
    return None
