"""Telling dates and times from their values: how they are written, and the notes on that.

- Types of dates, timestamps and times of day are dates.
- Text is if one way of writing reads nine values in ten; the others, no more than 20 different
  ones, are named and count as missing. Of two orders of day and month the values decide, with a
  note; if they don't, that is a fault.
- Whole numbers such as 20240131 are if all are days of 1900 to 2099, and there are five different
  ones or the name says date or time: by chance five are in one case of 30 million.
- Numbers since 1970 (in s, ms, us or ns) are if all are of 1990 to 2099 and the name says so: other
  numbers can be as large.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from superpose.columns import (
    DAY,
    EPOCHS,
    FORMATS,
    ISO,
    WRITTEN,
    Times,
    find_date_format,
    format_of,
    is_clock,
    is_text,
    number_format,
    offset_name,
    one,
    parse,
    read_times,
    spelled,
    swapped,
    zone_of,
)
from superpose.errors import listing, location, message

from ._schema import ColumnSpec

_NAMES = {"date", "time", "datetime", "day", "timestamp", "stamp", "epoch", "ts", "at", "when"}
_SURE = 5  # different whole numbers that are all days are dates, whatever their name
_STRANGERS = 20  # so many different words among dates may be slips; beyond, two things are mixed


class Dates(NamedTuple):
    """How a column writes dates.

    Args:
        options: of kind date, as far as the values tell them.
        reason: why these are dates, one short phrase.
        strangers: other words in the column, which count as missing.
        warning: what the user should know about them; empty without any.
        conversions: what is read otherwise than it is written, without the name of the column.
    """

    options: dict[str, Any]
    reason: str
    strangers: tuple[str, ...] = ()
    warning: str = ""
    conversions: tuple[str, ...] = ()


def dates_in(name: str, values: pa.ChunkedArray, numbers: bool = True) -> Dates | None:
    """How a column writes dates, or None if it holds something else.

    Args:
        name: name of the column.
        values: its values, null where missing; words for a missing value are taken out.
        numbers: whether numbers may be dates.

    Raises:
        DataError: dates whose order the values leave open.

    Example:
        >>> dates_in("day", pa.chunked_array([["31/12/2020", "01/01/2021"]])).options
        {'format': '%d/%m/%Y'}
    """
    kind = values.type
    if pa.types.is_temporal(kind) and not pa.types.is_duration(kind):
        reason = "times of day" if pa.types.is_time(kind) else "dates and times"
        return Dates({}, reason)
    if is_text(kind):
        digits = _digits(values)
        if digits is not None:
            return _numbers_as_dates(name, digits) if numbers else None
        return _text_as_dates(name, values)
    if numbers and (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        return _numbers_as_dates(name, values)
    return None


def declared_dates(
    name: str, values: pa.ChunkedArray, options: Mapping[str, Any]
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The options of a column that is declared as date, and the notes on it.

    What the settings leave out is decided from all rows, so that no part of them decides otherwise.

    Raises:
        DataError: the first value that is no date; dates whose order the values leave open.
    """
    complete = dict(options)
    format = complete.get("format") or format_of(name, values)
    if format not in (None, ISO):
        complete["format"] = format
    times = read_times(name, values, format)
    conversions = () if "format" in options else _on_format(values, times, format)
    if "zone" not in options and not times.clock:
        zone = zone_of(name, times)
        if zone is not None:
            complete["zone"] = zone
        conversions += _on_zone(times, zone)
    return complete, conversions


def _digits(values: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """Text of digits as whole numbers; None for other text."""
    trimmed = pc.utf8_trim_whitespace(values)
    known = trimmed.drop_null()
    spells = pc.match_substring_regex(known, r"^[1-8]\d{7,18}$")
    return trimmed.cast(pa.int64()) if len(known) and pc.all(spells).as_py() else None


def _numbers_as_dates(name: str, values: pa.ChunkedArray) -> Dates | None:
    format = number_format(values)
    words = {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", name)}
    named = bool(words & _NAMES) or bool(re.search(r"(?i)(date|time|stamp)$", name))
    if format is None:
        return None
    if not named and (format in EPOCHS or pc.count_distinct(values).as_py() < _SURE):
        return None
    times = read_times(name, values, format)
    options = {"format": format} | ({"zone": "UTC"} if format in EPOCHS else {})
    reason = f"numbers as {format}"
    return Dates(options, reason, conversions=_on_format(values, times, format))


def _text_as_dates(name: str, values: pa.ChunkedArray) -> Dates | None:
    text = pc.utf8_trim_whitespace(one(values)).cast(pa.large_string())
    text = pc.if_else(pc.equal(text, ""), pa.scalar(None, text.type), text)
    format = find_date_format(name, text)
    if format is None:
        return None
    parsed = parse(text, format)
    wrong = np.isnan(parsed.wall) & np.asarray(pc.is_valid(text))
    strangers = pc.unique(text.filter(pa.array(wrong))).to_pylist()
    many = int(wrong.sum())
    if len(strangers) > _STRANGERS or many > 0.1 * (len(text) - text.null_count):
        return None
    warning = ""
    if many:
        what = "1 value is no date and counts" if many == 1 else f"{many} values are no dates and"
        what += "" if many == 1 else " count"
        first = int(np.argmax(wrong))
        warning = f"{what} as missing: {listing(map(repr, strangers), 3)} (first in row {first})"
    times = Times(parsed.wall, parsed.offset, clock=is_clock(format))
    options = {}
    conversions = _on_format(values, times, format)
    if format != ISO:
        options["format"] = format
    zone = None if times.clock else zone_of(name, times)
    if zone is not None:
        options["zone"] = zone
    reason = "dates" if format == ISO else f"dates as {format}"
    if times.clock:
        reason = "times of day"
    conversions += _on_zone(times, zone)
    return Dates(options, reason, tuple(strangers), warning, conversions)


def _on_format(values: pa.ChunkedArray, times: Times, format: str | None) -> tuple[str, ...]:
    """Notes where values could also be read another way."""
    read = ~np.isnan(times.wall)
    if format in (None, ISO) or not read.any():
        return ()
    assert format is not None
    first = int(np.argmax(read))
    shown = spelled(times.wall[first]) + (" UTC" if format in EPOCHS else "")
    what = f"{int(read.sum())} values such as {values[first].as_py()!r} read as {shown} ({format})"
    if format in EPOCHS or format == "%Y%m%d":
        return (message("", what, fix="to keep the numbers, declare `kind: number`"),)
    other = swapped(format)
    if other in FORMATS and other != format:
        what += "; years from 69 are of the 1900s, below of the 2000s" if "%y" in format else ""
        return (message("", what, fix=f'if that is wrong, write `format: "{other}"`'),)
    if "%y" in format:
        what += "; years from 69 are of the 1900s, below of the 2000s"
        return (message("", what, fix="write years in full if that is wrong"),)
    return ()


def _on_zone(times: Times, zone: str | None) -> tuple[str, ...]:
    """Notes where times have several offsets, so that nobody has named their zone."""
    if zone != WRITTEN:
        return ()
    offsets = listing(offset_name(seconds) for seconds in np.unique(times.offset[times.zoned]))
    given = f"times with several offsets from UTC ({offsets}); hour and weekday are read as written"
    fix = "to read all on the clock of one zone, write `zone:` with its name, as in Europe/Berlin"
    return (message("", given, fix=fix),)


def days_beside_clocks(table: pa.Table, specs: list[ColumnSpec]) -> list[str]:
    """Says that a date and a time of day in two columns are not joined."""
    dates = {spec.name: spec for spec in specs if spec.kind == "date"}
    clocks = [
        name
        for name, spec in dates.items()
        if pa.types.is_time(table.schema.field(name).type) or is_clock(spec.options.get("format"))
    ]
    if not clocks:
        return []
    for name, spec in dates.items():
        wall = read_times(name, spec.values(table), spec.options.get("format")).wall
        if name not in clocks and not (wall[~np.isnan(wall)] % DAY).any():
            given = f"a time of day beside the date {name!r}; they are read as two columns"
            return [
                message(
                    location(column=clock),
                    given,
                    fix="if they belong together, write under inputs: "
                    f"{{name: {name}, kind: date, clock: {clock}}}",
                )
                for clock in clocks
            ]
    return []
