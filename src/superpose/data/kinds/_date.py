"""Dates and times, as cyclic parts and a straight time axis."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from superpose.errors import DataError

from ._number import _Numbers, location_scale, quantile_edges
from ._values import Column, is_text, one, plain

ISO = "iso"
FORMATS = (
    *("%Y/%m/%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%Y%m%d"),
    *("%Y-%m", "%b %d, %Y", "%d %b %Y"),
)
CLOCKS = ("", " %H:%M:%S", " %H:%M", "T%H:%M:%S", "T%H:%M", "T%H:%M:%SZ")
DAY = 86400.0
YEAR = 365.2425


def _iso(text: pa.Array) -> pa.Array | None:
    try:
        return text.cast(pa.timestamp("us"))
    except pa.ArrowInvalid:
        pass
    try:
        return text.cast(pa.timestamp("us", "UTC")).cast(pa.timestamp("us"))
    except pa.ArrowInvalid:
        return None


def _parsed(text: pa.Array, style: str) -> pa.Array | None:
    if style == ISO:
        return _iso(text)
    return pc.strptime(text, format=style, unit="us", error_is_null=True)


def _reads(text: pa.Array, style: str) -> bool:
    stamps = _parsed(text, style)
    return stamps is not None and not stamps.null_count


def date_style(text: pa.Array) -> str | None:
    """The first known way of writing dates that reads every given string, or None.

    Example:
        >>> date_style(pa.array(["31/12/2020", "01/01/2021"], pa.large_string()))
        '%d/%m/%Y'
    """
    known = pc.utf8_trim_whitespace(text.drop_null())
    known = known.filter(pc.not_equal(known, ""))
    if not len(known):
        return None
    if _reads(known, ISO):
        return ISO
    head = known.slice(0, 100)  # most styles fail on the first rows already
    for style in (f + clock for f in FORMATS for clock in CLOCKS):
        if _reads(head, style) and _reads(known, style):
            return style
    return None


def as_seconds(column: str, values: Column, style: str | None = None) -> np.ndarray:
    """Read dates as float64 seconds since 1970 in local wall time, NaN where missing.

    Args:
        column: name of the column, for the message.
        values: dates, timestamps, or strings that spell them.
        style: how strings are written, from `date_style` or in strptime's letters.

    Raises:
        DataError: the first row that is not a date, with its value.
    """
    values = plain(values)
    kind = values.type
    if pa.types.is_null(kind):
        return np.full(len(values), np.nan)
    if is_text(kind):
        text = pc.utf8_trim_whitespace(one(values.cast(pa.large_string())))
        text = pc.if_else(pc.equal(text, ""), pa.scalar(None, text.type), text)
        style = style or date_style(text) or ISO
        stamps = _parsed(text, style)
        if stamps is None or stamps.null_count > text.null_count:
            raise _no_date(column, text, stamps, style)
    elif pa.types.is_timestamp(kind):
        stamps = one(pc.local_timestamp(values) if kind.tz else values)
    elif pa.types.is_date(kind):
        stamps = one(values)
    else:
        raise DataError(
            f"column {column!r}: declared as date, but it holds {kind}; give dates or timestamps, "
            f"or declare it as kind number"
        )
    micro = stamps.cast(pa.timestamp("us"), safe=False).cast(pa.int64())
    return np.asarray(micro.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)) / 1e6


def _no_date(column: str, text: pa.Array, stamps: pa.Array | None, style: str) -> DataError:
    if stamps is not None:
        bad = pc.and_(pc.is_null(stamps), pc.is_valid(text))
        row = pc.index(bad, True).as_py()
    else:  # the ISO reader says only that one row is wrong: halve until it is found
        low, high = 0, len(text)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if _iso(text[low:middle]) is None else (middle, high)
        row = low
    how = "a date such as 2024-12-31 or 2024-12-31 23:59" if style == ISO else f"a date as {style}"
    return DataError(
        f"column {column!r}, row {row}: {text[row].as_py()!r} is not {how}; mend the value, leave "
        f"it empty if it is missing, or declare the column as kind category or text"
    )


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


@dataclass(kw_only=True)
class DateInput(_Numbers):
    """A point in time: sine and cosine of the parts that vary, and straight time.

    Straight time stays within the range of the training rows, where the network has seen it.

    Example:
        >>> kind = DateInput.fit("t", pa.chunked_array([["2024-01-01", "2024-01-02"]]))
        >>> kind.describe()
        '2024-01-01 to 2024-01-02; weekday, day of year'
    """

    name: ClassVar[str] = "date"
    style: str | None
    parts: list[str]
    first: float
    last: float
    mean: float
    scale: float
    reason: str | None = None

    @property
    def useless(self) -> str | None:
        return self.reason

    @classmethod
    def check(cls, column: str, values: Column, **options: Any) -> None:
        as_seconds(column, values, options.get("format"))

    @classmethod
    def fit(cls, column: str, values: Column, **options: Any) -> Self:
        style = options.get("format")
        values = plain(values)
        if style is None and is_text(values.type):
            style = date_style(one(values.cast(pa.large_string()))) or ISO
        seconds = as_seconds(column, values, style)
        known = seconds[~np.isnan(seconds)]
        reason = None
        if not len(known):
            known, reason = np.zeros(1), "empty"
        elif known.min() == known.max() and len(known) == len(seconds):
            reason = "constant"
        mean, scale = location_scale(known)
        parts = [name for name, (part, _) in PARTS.items() if np.ptp(part(known)) > 0]
        fitted = cls(
            column=column,
            style=style,
            parts=parts,
            reason=reason,
            edges=[],
            mean=mean,
            scale=scale,
            first=float(known.min()),
            last=float(known.max()),
        )
        fitted.edges = [quantile_edges(values) for values in fitted._numbers(known).T]
        return fitted

    def _numbers(self, seconds: np.ndarray) -> np.ndarray:
        columns = [(np.clip(seconds, self.first, self.last) - self.mean) / self.scale]
        for name in self.parts:
            part, period = PARTS[name]
            angle = 2 * np.pi * part(seconds) / period
            columns += [np.sin(angle), np.cos(angle)]
        return np.stack(columns, axis=1)

    def encode(self, values: Column) -> np.ndarray:
        return self._numbers(as_seconds(self.column, values, self.style)).astype(np.float32)

    def features(self, values: Column) -> tuple[np.ndarray, list[bool], list[str]]:
        seconds = as_seconds(self.column, values, self.style)
        columns = [(seconds - self.mean) / self.scale] + [PARTS[p][0](seconds) for p in self.parts]
        names = [self.column, *(f"{self.column} ({part})" for part in self.parts)]
        return np.stack(columns, axis=1).astype(np.float32), [False] * len(names), names

    def describe(self) -> str:
        first, last = (
            np.datetime64(int(s), "s").astype("datetime64[D]") for s in (self.first, self.last)
        )
        return f"{first} to {last}; {', '.join(self.parts) or 'no varying parts'}"
