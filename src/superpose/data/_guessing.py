"""Guessing the kind of a column from its values, each guess with its reason.

The rules, in the order in which they are tried:

- no value: not used. The same value in every row: not used as an input.
- truth values: binary. Vectors of one length in the type: embedding. Lists of fractions, of lists
  of numbers or of events: series (input); of fractions: forecast (target). Other lists:
  multicategory (input) or multilabel (target). Dates: date.
- numbers: two whole values are binary. As an input, whole numbers that only count the rows are not
  used. As a target, 3 to 10 small whole numbers next to each other that each stand in 5 rows or
  more on average are class codes (category), and a target is a count only if it is clearly one,
  see `_is_count`. All else is number.
- text that spells numbers, but for a few words such as `?`: as numbers, the words are missing.
- text that ends in .png, .jpg and the like: image. Text that spells dates: date.
- text that joins a few members with ; or | or a comma: multicategory or multilabel.
- an input that is named id and differs in half of the rows or more: not used.
- two different words: binary. Long text of many different values: text. Words that differ in
  nearly every row: not used. Everything else: category.
"""

import math
import re
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ._schema import blank_words
from .kinds._date import ISO, date_style
from .kinds._steps import holds_series
from .kinds._values import SEPARATORS, holds_files, is_list, is_text, one
from .kinds._words import as_words, lists_words

# Words for a missing value that may stand among numbers or dates, in small letters.
MARKERS = frozenset(
    {"", "?", "-", "--", ".", "..", "*", "#", "na", "n/a", "n.a.", "nan", "nd", "nil", "none"}
    | {"null", "missing", "unknown", "not available"}
)
# Below this many rows it is chance that all values differ.
_MANY_ROWS = 20
# A category with more different values than this is no category; most of them occur once or twice.
MOST_INPUT_LEVELS = 100_000
_IDENTIFIER = r"(?i)^(id|uid|uuid|guid|index|.*[_ -]id)$"
_IMAGE = r"(?i)\.(png|jpe?g|bmp|gif|webp|tiff?)$"


@dataclass(frozen=True)
class Guess:
    """What a column seems to be.

    Args:
        kind: name of the kind, or None if the column should not be used.
        reason: why, one short phrase.
        options: options for the kind's `fit`.
        missing: words in the column that stand for a missing value.
        warning: what the user should know about it; empty when nothing.
        otherwise: the kind to take if the user asks for a column that should not be used.
    """

    kind: str | None
    reason: str
    options: dict[str, Any] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    warning: str = ""
    otherwise: str | None = None


def guess_input(name: str, values: pa.ChunkedArray) -> Guess:
    """Guesses the kind of an input column.

    Args:
        name: name of the column; a name with "time", "date" or "year" keeps a counter of rows.
        values: all rows of the column.

    Example:
        >>> guess_input("wind", pa.chunked_array([["N", "S", "W", "N"]])).kind
        'category'
    """
    known = values.drop_null()
    if not len(known):
        return Guess(None, "no value in any row")
    if _plain(values.type) and not values.null_count and pc.all(pc.equal(known, known[0])).as_py():
        return Guess(None, f"the same value in every row ({known[0].as_py()})")
    guess = _by_type(known, target=False) or _guess_text(known, target=False)
    if guess.kind == "number" and pa.types.is_integer(values.type) and _counts_rows(name, values):
        return Guess(None, "whole numbers that only count the rows", otherwise="number")
    named = guess.kind in ("number", "category") and re.search(_IDENTIFIER, name)
    # Half: an identifier may stand in a few rows each, codes of a few classes in many.
    if named and _distinct(known) >= max(_MANY_ROWS, len(known) / 2):
        return Guess(None, "it is named as an identifier", otherwise=guess.kind)
    return guess


def guess_target(values: pa.ChunkedArray) -> Guess:
    """Guesses the kind of a target column that has at least one label.

    Args:
        values: all rows of the column.

    Example:
        >>> guess_target(pa.chunked_array([[0.5, 1.5, 2.0]])).kind
        'number'
    """
    known = values.drop_null()
    return _by_type(known, target=True) or _guess_text(known, target=True)


def _by_type(known: pa.ChunkedArray, target: bool) -> Guess | None:
    """The guess for a column whose type says enough, or None for text."""
    kind = known.type
    if is_text(kind):
        return None
    if pa.types.is_boolean(kind):
        return Guess("binary", "true and false")
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return _guess_numbers(known, target)
    if pa.types.is_temporal(kind):
        return Guess("date", "dates and times")
    if not target and pa.types.is_fixed_size_list(kind) and pa.types.is_floating(kind.value_type):
        return Guess("embedding", f"vectors of {kind.list_size} numbers")
    if not target and holds_series(kind):
        return Guess("series", "lists of numbers over time")
    if target and is_list(kind) and pa.types.is_floating(kind.value_type):
        return Guess("forecast", "a list of fractions in every row")
    if is_list(kind) and _plain(kind.value_type) and not pa.types.is_null(kind.value_type):
        return Guess("multilabel" if target else "multicategory", "a list in every row")
    if holds_files(kind):
        return Guess(None, "it holds whole files; write them, and put their paths in the column")
    return Guess(None, f"values of type {kind} can't be used")


def _guess_numbers(known: pa.ChunkedArray, target: bool) -> Guess:
    """The guess for a column of numbers without missing values."""
    if pa.types.is_floating(known.type):
        known = known.filter(pc.is_finite(known))
    if not len(known):
        return Guess("number", "numbers")
    distinct = pc.unique(known)
    whole = pa.types.is_integer(known.type) or pc.all(pc.equal(known, pc.round(known))).as_py()
    if len(distinct) == 2 and whole:
        low, high = sorted(distinct.to_pylist())
        return Guess("binary", f"two values, {low:g} and {high:g}")
    if not whole:
        return Guess("number", "numbers")
    if target:
        if _is_code(known, distinct):
            hint = "write ordinal, count or number if their order or distance means something"
            return Guess("category", f"{len(distinct)} whole numbers as codes; {hint}")
        if pa.types.is_integer(known.type) and _is_count(known, distinct):
            return Guess("count", "whole numbers from 0 or 1 upwards, most of them small")
    return Guess("number", "whole numbers")


def _is_code(known: pa.ChunkedArray, distinct: pa.Array) -> bool:
    """Whether whole numbers are codes of a few classes."""
    low, high = (int(part.as_py()) for part in pc.min_max(distinct).values())
    few = 3 <= len(distinct) <= 10 and len(known) >= 5 * len(distinct)
    return few and low >= 0 and high - low < 2 * len(distinct)


def _is_count(known: pa.ChunkedArray, distinct: pa.Array) -> bool:
    """Whether whole numbers are clearly counts of something.

    They are if they start at 0 or 1, take more than 10 values, are no multiples of a larger step,
    stay below 100 000, lean to the small side (skewness of 1 or more), and their variance is at
    most 1000 times their mean, as for events that come in bursts; sums of money go far beyond.
    """
    low, high = (int(part.as_py()) for part in pc.min_max(distinct).values())
    if not (0 <= low <= 1 and high < 100_000 and len(distinct) > 10):
        return False
    if math.gcd(*distinct.to_pylist()) > 1:
        return False
    numbers = known.cast(pa.float64())
    mean, variance = pc.mean(numbers).as_py(), pc.variance(numbers).as_py()
    skewness = pc.mean(pc.power(pc.divide(pc.subtract(numbers, mean), math.sqrt(variance)), 3))
    return bool(skewness.as_py() >= 1 and variance <= 1000 * mean)


def _counts_rows(name: str, values: pa.ChunkedArray) -> bool:
    """Whether whole numbers are a counter or a shuffled counter of the rows."""
    rows = len(values)
    if values.null_count or rows < _MANY_ROWS or _distinct(values) < rows:
        return False
    # A year or a time stamp rises with the rows too, and says something.
    if re.search(r"(?i)year|time|date", name):
        return False
    low, high = (part.as_py() for part in pc.min_max(values).values())
    steps = pc.pairwise_diff(one(values)).slice(1)
    return bool(
        high - low == rows - 1
        or pc.all(pc.greater(steps, 0)).as_py()
        or pc.all(pc.less(steps, 0)).as_py()
    )


def _guess_text(known: pa.ChunkedArray, target: bool) -> Guess:
    """The guess for a column of text without missing values."""
    numeric = _guess_numeric_text(known, target)
    if numeric is not None:
        return numeric
    found = pc.unique(known)
    words = tuple(word for word in found.slice(0, 1000).to_pylist() if is_marker(word))
    dates = blank_words(known, words).drop_null()
    if _share(pc.match_substring_regex(known, _IMAGE)) >= 0.95:
        return Guess("image", "names of image files")
    # The first rows tell most other text from dates, much faster than all of them.
    maybe = len(dates) and date_style(one(dates.slice(0, 100))) is not None
    style = date_style(one(dates)) if maybe else None
    if style is not None:
        return _guess_date(style, words)
    distinct = len(found)
    separator = joined_by(known, distinct)
    if separator is not None:
        kind = "multilabel" if target else "multicategory"
        reason = f"a few words joined by {separator!r}"
        return Guess(kind, reason, options={"separator": separator})
    if distinct == 2:
        first, second = sorted(found.to_pylist())
        return Guess("binary", f"two values, {_short(first)} and {_short(second)}")
    return _guess_words(known, distinct)


def _guess_words(known: pa.ChunkedArray, distinct: int) -> Guess:
    """The guess between text, category and a column of identifiers."""
    rows = len(known)
    lengths = pc.utf8_length(known).cast(pa.float64())
    length, spread = pc.mean(lengths).as_py(), pc.stddev(lengths).as_py()
    words = 1 + pc.mean(pc.count_substring_regex(pc.utf8_trim_whitespace(known), r"\s+")).as_py()
    # Chinese and Japanese are written without blanks, and say more per letter.
    dense = _share(pc.match_substring_regex(known, r"[\p{Han}\p{Hiragana}\p{Katakana}]")) > 0.5
    long = words >= 4 or length >= (10 if dense else 40)
    different = distinct / rows
    if long and (different >= 0.2 or distinct > 100):
        return Guess(
            "text", f"long text, {words:.0f} words on average" if words >= 2 else "long text"
        )
    if rows >= _MANY_ROWS and different >= 0.95:
        # Identifiers are made alike; other words that all differ, such as formulas, vary in length.
        if words >= 3 or (length >= 12 and spread > 0.3 * length):
            return Guess("text", "different text in nearly every row")
        reason = "different words in nearly every row, as identifiers are"
        return Guess(None, reason, otherwise="category")
    if distinct > MOST_INPUT_LEVELS:
        return Guess(None, f"{distinct} different values", otherwise="text")
    return Guess("category", f"{distinct} different word{'s' * (distinct > 1)}")


def _guess_numeric_text(known: pa.ChunkedArray, target: bool) -> Guess | None:
    """The guess for text that spells numbers, but for a few words; None for other text."""
    numbers = numbers_in(known)
    others = known.filter(pc.is_null(numbers))
    words = [word.strip() for word in pc.unique(others).slice(0, 1000).to_pylist()]
    strangers = [word for word in dict.fromkeys(words) if not is_marker(word)]
    # Nine numbers in ten; beyond 20 different words the column mixes two things.
    meant = len(known) - len(others.filter(pc.invert(_are_markers(others))))
    if numbers.null_count == len(numbers) or len(strangers) > 20 or meant < 0.9 * len(known):
        return None
    found = numbers.drop_null()
    spelled = pc.all(
        pc.match_substring_regex(known.filter(pc.is_valid(numbers)), r"^\s*[+-]?\d+\s*$")
    )
    if spelled.as_py() and pc.max(pc.abs(found)).as_py() < 2**53:
        found = found.cast(pa.int64())
    guess = _guess_numbers(found, target)
    missing = tuple(dict.fromkeys(words))
    shown = ", ".join(_short(word) for word in missing[:3])
    warning = ""
    if strangers:
        many = f"{len(others)} values are no numbers and count"
        if len(others) == 1:
            many = "1 value is no number and counts"
        warning = f"{many} as missing: {shown}"
        warning += f" and {len(missing) - 3} other words" if len(missing) > 3 else ""
    reason = f"{guess.reason}, written as text" + (f"; {shown} for missing" if missing else "")
    return Guess(guess.kind, reason, missing=missing, warning=warning)


def _guess_date(style: str, words: tuple[str, ...]) -> Guess:
    """The guess for text that spells dates in one style."""
    if style == ISO:
        return Guess("date", "dates", missing=words)
    warning = ""
    if style.startswith(("%d/%m", "%m/%d", "%d-%m")):
        order = "day first" if style.startswith("%d") else "month first"
        warning = f"dates are read {order}; write them as 2024-12-31 if that is wrong"
    return Guess("date", f"dates as {style}", {"format": style}, words, warning)


def joined_by(known: pa.ChunkedArray, distinct: int | None = None) -> str | None:
    """The separator of joined members, if a column of text holds sets of a few members.

    Args:
        known: the column without missing values.
        distinct: how many of them differ, where that is known already.
    """
    distinct = _distinct(known) if distinct is None else distinct
    for separator in SEPARATORS:
        # Commas also stand in plain text and in names, so more of them are asked for.
        asked = 0.25 if separator == "," else 0.1
        if distinct < 3 or _share(pc.match_substring(known, separator)) < asked:
            continue
        members = pc.list_flatten(pc.split_pattern(one(known), separator))
        members = pc.utf8_trim_whitespace(members)
        levels = pc.unique(members)
        # Sets repeat their members in many mixtures; sentences and full names do not.
        mixed = len(levels) < distinct and len(members) >= 3 * len(levels)
        short = pc.mean(pc.utf8_length(levels)).as_py() <= 25 and len(levels) <= 500
        numbers = pc.all(pc.match_substring_regex(levels, r"^-?\d+$")).as_py()
        if mixed and short and not (separator == "," and numbers):
            return separator
    return None


def numbers_in(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Reads text as float64; what is no number becomes null.

    Example:
        >>> numbers_in(pa.chunked_array([["1.5", "-2e3", "?"]])).to_pylist()
        [1.5, -2000.0, None]
    """
    trimmed = pc.utf8_trim_whitespace(values)
    # Arrow's cast stops at the first text that is no number, so only what looks like one is cast.
    looks = pc.match_substring_regex(trimmed, r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$")
    plus = pc.replace_substring_regex(trimmed, r"^\+", "")
    return pc.cast(pc.if_else(looks, plus, pa.scalar(None, type=values.type)), pa.float64())


def is_marker(word: str) -> bool:
    """Whether a word stands for a missing value among numbers."""
    return word.strip().lower() in MARKERS


def _are_markers(values: pa.ChunkedArray) -> pa.ChunkedArray:
    lower = pc.utf8_lower(pc.utf8_trim_whitespace(values))
    return pc.is_in(lower, value_set=pa.array(sorted(MARKERS), type=values.type))


def _plain(kind: pa.DataType) -> bool:
    """Whether values of a type can be counted and compared."""
    return not pa.types.is_nested(kind)


def _distinct(known: pa.ChunkedArray) -> int:
    return int(pc.count_distinct(known).as_py())


def _share(flags: pa.ChunkedArray) -> float:
    return float(pc.mean(flags.cast(pa.float64())).as_py())


def _short(word: str) -> str:
    return repr(word if len(word) <= 30 else f"{word[:27]}...")


def missing_words(values: pa.ChunkedArray, kind: str) -> tuple[str, ...]:
    """The words for a missing value in text that is declared as numbers or dates."""
    if kind not in ("number", "count", "date") or not is_text(values.type):
        return ()
    known = values.drop_null()
    others = known if kind == "date" else known.filter(pc.is_null(numbers_in(known)))
    words = [word.strip() for word in pc.unique(others).to_pylist() if is_marker(word)]
    return tuple(dict.fromkeys(words))


def may_hold_words(values: pa.ChunkedArray) -> bool:
    """Whether a column holds lists of words, or text of more than one word in most rows."""
    if lists_words(values.type):
        return True
    if not is_text(values.type) or not len(values):
        return False
    return bool(len(as_words(values)[1]) >= 2 * (len(values) - values.null_count))
