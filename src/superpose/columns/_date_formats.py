"""Ways of writing dates and times: the letters of strptime, read by patterns.

Arrow's own reader depends on the system's language, takes 31/12/20 for the year 20 and knows no
fractions, zones or 12-hour clock; so each format becomes a pattern here, which reads whole columns.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

ISO = "iso"
# What numbers since 1970-01-01 UTC count, as parts of a second.
EPOCHS = {"epoch s": 1, "epoch ms": 10**3, "epoch us": 10**6, "epoch ns": 10**9}
DAY = 86400.0
_MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august")
MONTHS = (*_MONTHS, "september", "october", "november", "december")
# The words that stand for a month, each with its number.
_WORDS = {word: k for k, m in enumerate(MONTHS, 1) for word in (m, m[:3])} | {"sept": 9}
_LETTERS = {
    **{"Y": r"\d{4}", "y": r"\d{2}", "m": r"\d{1,2}", "d": r"\d{1,2}", "j": r"\d{1,3}"},
    **{"H": r"\d{1,2}", "I": r"\d{1,2}", "M": r"\d{2}", "S": r"\d{2}", "f": r"\d{1,9}"},
    **{"b": r"[A-Za-z]{3,9}", "B": r"[A-Za-z]{3,9}", "a": r"[A-Za-z]{2,9}", "A": r"[A-Za-z]{2,9}"},
    **{"p": r"[AaPp]\.?[Mm]\.?", "z": r"Z|z|UTC|GMT|[+-]\d{2}(?::?\d{2})?"},
}
_FRACTION = r"(?:[.,](?P<f>\d{1,9}))?"
_SECONDS = rf"(?::(?P<S>\d{{2}}){_FRACTION})?"
_ZONE = rf"\s*(?P<z>{_LETTERS['z']})?"
_ISO = (
    r"(?P<Y>\d{4})-(?P<m>\d{2})-(?P<d>\d{2})"
    rf"(?:[T\s](?P<H>\d{{2}}):(?P<M>\d{{2}}){_SECONDS}{_ZONE})?"
)
CLOCKS = ("%H:%M", "%I:%M %p")
_YEARS = ("%Y", "%y")
_DAY_FIRST = [f"%d{mark}%m{mark}{year}" for mark in "/-." for year in _YEARS]
_MONTH_FIRST = [f"%m{mark}%d{mark}{year}" for mark in "/-." for year in _YEARS]
_YEAR_FIRST = [f"%y{mark}%m{mark}%d" for mark in "/-."]
_NAMED = [f"%d{mark}%b{mark}{year}" for mark in " -/" for year in _YEARS]
_DATES = (
    *("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%Y-%m", "%Y/%m"),
    *(*_DAY_FIRST, *_MONTH_FIRST, *_YEAR_FIRST, *_NAMED),
    *("%d. %b %Y", "%b %d, %Y", "%b %d %Y", "%b %Y", "%b-%Y", "%a, %d %b %Y"),
)
FORMATS = (
    *CLOCKS,
    *(f"{date}{clock}" for date in _DATES for clock in ("", *(f" {c}" for c in CLOCKS))),
)


@dataclass(frozen=True)
class Parsed:
    """What text says of times, row by row.

    Args:
        wall: seconds since 1970-01-01 on the clock as written, NaN where nothing is read.
        offset: seconds that this clock is ahead of UTC, NaN where none is written.
    """

    wall: np.ndarray
    offset: np.ndarray


def wrong_letters(format: str) -> str:
    """What is wrong with a format that a user has given, or an empty string."""
    if format == ISO or format in EPOCHS:
        return ""
    matches = re.findall(r"%(.?)", format)
    letters = [letter for letter in matches if letter != "%"]
    known = ", ".join(f"%{letter}" for letter in _LETTERS)
    if not letters:
        return f"{format!r} given; allowed: {ISO}, {', '.join(EPOCHS)}, or the letters {known}"
    if wrong := [letter for letter in letters if letter not in _LETTERS]:
        return f"%{wrong[0]} in {format!r} is not known; allowed: {known}"
    if twice := [letter for letter in letters if letters.count(letter) > 1]:
        return f"%{twice[0]} stands twice in {format!r}; remove one"
    parts = set(letters)
    has_year = bool(parts & {"Y", "y"})
    has_clock = bool(parts & {"H", "I"})
    if not has_year and (parts & set("mdbBj") or not has_clock):
        return f"{format!r} has no year; add %Y or %y, or write a clock alone, such as %H:%M"
    if re.match("%Y-%d-%m", format):
        return f"{format!r} reads 2024-03-01 as 3 January; write those dates in another form"
    if ("I" in parts) != ("p" in parts):
        return f"{format!r} needs both %I and %p for a 12-hour clock; write %H for one of 24 hours"
    return ""


def is_clock(format: str | None) -> bool:
    """Whether a format is of times of day, without a date."""
    return format is not None and format not in (ISO, *EPOCHS) and not re.search("%[Yy]", format)


@cache
def pattern(format: str) -> str:
    """The pattern, with a named group for each part, of all text that is written in a format.

    Seconds, their fraction and an offset from UTC may follow minutes though the format has none.
    """
    if format == ISO:
        return f"^{_ISO}$"
    parts = re.split(r"(%.)", format)
    letters = set(re.findall(r"%(.)", format))
    text = ""
    for k, part in enumerate(parts):
        if k % 2 == 0:
            blank = r"[\sT]\s*" if "H" in letters else r"\s+"
            text += blank.join(map(re.escape, re.split(r"\s+", part)))
            continue
        letter = part[1]
        # 2020113 would be two dates: next to other digits a part has all of its own.
        glued = (k > 1 and not parts[k - 1]) or (k + 2 < len(parts) and not parts[k + 1])
        own = _LETTERS.get(letter, re.escape(letter))
        own = own.replace("1,2", "2") if glued else own
        text += f"(?P<{letter}>{own})" if letter in _LETTERS else own
        if letter == "M" and "S" not in letters and not glued:
            text += _SECONDS
        if letter == "S" and "f" not in letters:
            text += _FRACTION
    if letters & {"H", "I"} and letters & {"Y", "y"} and "z" not in letters:
        text += _ZONE
    return f"^{text}$"


def parse(text: pa.Array, format: str) -> Parsed:
    """Reads trimmed text in a format; what is not written so, or is no day, is not read.

    Example:
        >>> parse(pa.array(["31-Jan-20 02:05 PM"]), "%d-%b-%y %I:%M %p").wall.tolist()
        [1580479500.0]
    """
    matches = pc.extract_regex(text, pattern(format))
    names = [field.name for field in matches.type]
    read = np.asarray(pc.is_valid(matches))
    if not read.any():
        return Parsed(np.full(len(text), np.nan), np.full(len(text), np.nan))

    def words(name: str) -> pa.Array:
        return pc.fill_null(matches.field(matches.type.get_field_index(name)), "")

    def whole(name: str, default: int) -> np.ndarray:
        if name not in names:
            return np.full(len(text), default)
        digits = words(name)
        digits = pc.if_else(pc.equal(digits, ""), pa.scalar(str(default), digits.type), digits)
        return np.asarray(digits.cast(pa.int64()))

    year = whole("Y", 1970)
    if "y" in names:
        # As strptime does: 69 to 99 are of the last century.
        short = whole("y", 0)
        year = np.where(short < 69, 2000, 1900) + short
    month = whole("m", 1)
    for name in {"b", "B"} & set(names):
        keys = pa.array(list(_WORDS), words(name).type)
        spot = pc.index_in(pc.utf8_lower(words(name)), value_set=keys)
        numbers = np.array([*_WORDS.values(), 0])
        month = numbers[np.asarray(spot.fill_null(-1))]
    day = whole("d", 1)
    hour = whole("H", 0)
    if "I" in names:
        twelve = whole("I", 12)
        late = np.asarray(pc.match_substring_regex(words("p"), "^[Pp]"))
        read &= (twelve >= 1) & (twelve <= 12)
        hour = twelve % 12 + 12 * late
    minute, second = whole("M", 0), whole("S", 0)
    read &= (month >= 1) & (month <= 12) & (day >= 1) & (hour < 24) & (minute < 60) & (second < 60)
    start = ((year - 1970) * 12 + np.clip(month, 1, 12) - 1).astype("datetime64[M]")
    length = (start + 1).astype("datetime64[D]") - start.astype("datetime64[D]")
    read &= day <= length.astype(int)
    days = start.astype("datetime64[D]").astype(np.int64) + day - 1
    if "j" in names:
        leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
        count = whole("j", 1)
        read &= (count >= 1) & (count <= 365 + leap)
        days = days + count - 1
    wall = days * DAY + hour * 3600 + minute * 60 + second
    if "f" in names:
        micro = np.asarray(pc.utf8_rpad(words("f"), 9, "0").cast(pa.int64())) // 1000
        wall = (wall.astype(np.int64) * 10**6 + micro) / 1e6
    offset = np.full(len(text), np.nan)
    if "z" in names:
        offset = _offsets(words("z"))
    return Parsed(np.where(read, wall, np.nan), np.where(read, offset, np.nan))


def _offsets(zones: pa.Array) -> np.ndarray:
    """What follows a clock, in seconds ahead of UTC; NaN where nothing does."""
    spelled = zones.dictionary_encode()
    seconds = [zone_offset(word) for word in spelled.dictionary.to_pylist()]
    return np.array([*seconds, np.nan])[np.asarray(spelled.indices)]


def zone_offset(zone: str) -> float:
    """A zone that is a fixed offset, in seconds ahead of UTC; NaN for any other.

    Example:
        >>> zone_offset("-05:30"), zone_offset("Z")
        (-19800.0, 0.0)
    """
    if zone in ("Z", "z", "UTC", "GMT"):
        return 0.0
    match = re.fullmatch(r"([+-])(\d{2}):?(\d{2})?", zone)
    if match is None:
        return np.nan
    return (3600.0 * int(match[2]) + 60 * int(match[3] or 0)) * (-1 if match[1] == "-" else 1)


def spelled(seconds: float, clock: bool = False) -> str:
    """A time for a message, as ISO 8601 writes it."""
    whole = np.datetime64(round(float(seconds)), "s").astype(object)
    if clock:
        return f"{whole:%H:%M:%S}"
    return f"{whole:%Y-%m-%d}" if seconds % DAY == 0 else f"{whole:%Y-%m-%d %H:%M:%S}"


def swapped(format: str) -> str:
    """A format with day and month in the other order."""
    return format.replace("%d", "%_").replace("%m", "%d").replace("%_", "%m")
