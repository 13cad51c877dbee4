"""Guessing what numbers are: measurements, counts, codes of classes, identifiers.

Whole numbers of a target are the ones that can be taken for several things. The rules read how
often each value stands in the whole column, and are tried again on cuts of half of the rows: where
not nearly all agree, the column is called ambiguous, and both kinds are named.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.special import gammaln

from superpose.columns import FEW, FormatFound, NumberFormat, Sign, find_number_format, one
from superpose.errors import listing

from ._guess import AGREE, Guess, are_markers, cuts, short

# Below so many rows it is chance that all values differ, and cuts of them tell nothing.
MANY_ROWS = 20
# Values up to which whole numbers may be codes of classes, and rows that each of them asks for.
MOST_CODES, ROWS_PER_CODE = 10, 3
# A number that a double may not hold: 15 digits are safe, and no measurement has more.
MOST_EXACT = 2**53
_COUNTS_BELOW = 100_000
_CODED = {
    "leading zeros": r"^[+-]?0\d",
    "an exponent without sign or point": r"^[+-]?\d+[eE]\d+$",
    "16 digits or more": r"^[+-]?\d{16,}$",
}


def guess_numbers(known: pa.ChunkedArray, target: bool) -> Guess:
    """The guess for a column of numbers without missing values."""
    if pa.types.is_floating(known.type):
        known = known.filter(pc.is_finite(known))
    if not len(known):
        return Guess("number", "numbers")
    table = pc.value_counts(known)
    distinct = table.field("values")
    whole = (
        pa.types.is_integer(known.type) or pc.all(pc.equal(distinct, pc.round(distinct))).as_py()
    )
    if not whole:
        return Guess("number", "numbers")
    if len(distinct) == 2:
        low, high = sorted(distinct.to_pylist())
        return Guess("binary", f"two values, {low:g} and {high:g}")
    low, high = (part.as_py() for part in pc.min_max(distinct).values())
    # A float beyond that is whole however it was measured.
    if pa.types.is_integer(known.type) and max(abs(low), abs(high)) > MOST_EXACT:
        if len(distinct) > len(known) / 2:
            reason = "whole numbers of 16 digits or more, as identifiers have"
            return Guess(None, reason, otherwise="category")
        return Guess("category", f"{len(distinct)} whole numbers of 16 digits or more, as codes")
    if not target:
        return Guess("number", "whole numbers")
    values = np.asarray(distinct.cast(pa.float64()))
    order = np.argsort(values)
    return _guess_whole(values[order], np.asarray(table.field("counts"))[order])


_REASONS = {
    "binary": "two values",
    "category": "{} whole numbers as codes; write `kind: ordinal`, `count` or `number` if their "
    "order or distance means something",
    "count": "whole numbers from near 0 upwards, spread as counts are; write `kind: number` or "
    "`category` if they are none",
    "number": "whole numbers",
}


def _guess_whole(values: np.ndarray, counts: np.ndarray) -> Guess:
    """The guess for the whole numbers of a target: values rising, and how often each stands."""
    kind = _whole_kind(values, counts)
    reason = _REASONS[kind].format(len(values))
    guess = Guess(kind, reason)
    if counts.sum() < MANY_ROWS:
        return guess
    seen = Counter(_whole_kind(values[cut > 0], cut[cut > 0]) for cut in cuts(counts))
    if seen[kind] >= AGREE:
        return guess
    rival = next((other for other, _ in seen.most_common() if other != kind), "")
    return replace(guess, rival=rival)


def _whole_kind(values: np.ndarray, counts: np.ndarray) -> str:
    """The kind of whole numbers: values rising, and how often each stands."""
    if len(values) == 2:
        return "binary"
    few = 3 <= len(values) <= MOST_CODES and counts.sum() >= ROWS_PER_CODE * len(values)
    dense = values[0] >= 0 and values[-1] - values[0] < 2 * len(values)
    if few and dense:
        return "count" if values[0] == 0 and _spread_as_counts(values, counts) else "category"
    return "count" if _are_counts(values, counts) else "number"


def _spread_as_counts(values: np.ndarray, counts: np.ndarray) -> bool:
    """Whether a distribution of counts describes few numbers from 0 better than a share for each.

    Compared by Schwarz's criterion (BIC), in which each parameter costs half the logarithm of the
    rows: Poisson has one, the negative binomial two (both fitted by moments), and classes have one
    for each number but the last. Codes of classes have no reason to be dealt as counts are.
    """
    rows = counts.sum()
    mean = float((values * counts).sum() / rows)
    variance = float(((values - mean) ** 2 * counts).sum() / rows)
    cost = 0.5 * np.log(rows)
    free = (counts * np.log(counts / rows)).sum() - cost * (len(values) - 1)
    poisson = values * np.log(mean) - mean - gammaln(values + 1)
    best = (counts * poisson).sum() - cost
    if variance > mean:
        size = mean**2 / (variance - mean)
        negative = gammaln(values + size) - gammaln(size) - gammaln(values + 1)
        negative += size * np.log(size / (size + mean)) + values * np.log(mean / (size + mean))
        best = max(best, (counts * negative).sum() - 2 * cost)
    return bool(best > free)


def _are_counts(values: np.ndarray, counts: np.ndarray) -> bool:
    """Whether whole numbers are clearly counts of something.

    They are if they take more than a few values, begin near 0 (the hundredth part of the rows lies
    at 1 or below, or below a fiftieth of the mean), are no multiples of a larger step, stay below
    100 000, and lean to the small side: a skewness of 0.3, or of 1 where their mean is above 10, so
    that coordinates and ages are none. Their variance is at most 1000 times their mean, as for
    events that come in bursts; sums of money go far beyond.
    """
    if not (values[0] >= 0 and values[-1] < _COUNTS_BELOW and len(values) > 3):
        return False
    rows = counts.sum()
    mean = float((values * counts).sum() / rows)
    first = values[np.searchsorted(np.cumsum(counts), 0.01 * rows)]
    if first > max(1, mean / 50) or np.gcd.reduce(values.astype(np.int64)) > 1:
        return False
    away = values - mean
    variance = float((away**2 * counts).sum() / rows)
    skewness = float((away**3 * counts).sum() / rows) / variance**1.5
    return skewness >= (1.0 if mean > 10 else 0.3) and variance <= 1000 * mean


def counts_rows(name: str, values: pa.ChunkedArray) -> bool:
    """Whether whole numbers are a counter or a shuffled counter of the rows."""
    rows = len(values)
    if values.null_count or rows < MANY_ROWS or pc.count_distinct(values).as_py() < rows:
        return False
    # A year or a time stamp rises with the rows too, and says something.
    if re.search(r"(?i)year|time|date", name):
        return False
    low, high = (part.as_py() for part in pc.min_max(values).values())
    steps = pc.pairwise_diff(one(values)).slice(1)
    # Irregular steps are those of a table that is sorted by what it measures.
    same = pc.count_distinct(steps).as_py() == 1
    return bool(high - low == rows - 1 or same)


def guess_numeric_text(known: pa.ChunkedArray, target: bool) -> Guess | None:
    """The guess for text that spells numbers, but for a few words; None for other text.

    Args:
        known: the text without missing values.
        target: whether it is of a target.
    """
    others = known.filter(are_markers(known))
    meant = known.filter(pc.invert(are_markers(known)))
    # Most text shows in its first cells that it is none of numbers.
    first = pc.any(pc.match_substring_regex(meant.slice(0, 1000), r"\d"))
    if not first.as_py() or code_reason(meant):
        return None
    read = read_numbers(meant)
    if read is None:
        return None
    if read.format is None:
        return Guess(None, read.fault, fault=f"{read.fault}; {read.fix}")
    if _are_codes(meant, read.words):
        return None
    strangers = meant.filter(pc.is_in(meant, pa.array(read.words, meant.type)))
    numbers = meant.filter(pc.invert(pc.is_in(meant, pa.array(read.words, meant.type))))
    guess = _guess_read(numbers, read, target)
    words = [word.strip() for word in read.words]
    missing = [*words, *(word.strip() for word in pc.unique(others).to_pylist())]
    shown = ", ".join(short(word) for word in missing[:3])
    warning = ""
    if words:
        many = f"{len(strangers)} values are no numbers and count"
        if len(strangers) == 1:
            many = "1 value is no number and counts"
        warning = f"{many} as missing: {listing(map(short, words), 3)}"
    reason = f"{guess.reason}, written as text" + (f"; {shown} for missing" if missing else "")
    return replace(
        guess,
        reason=reason,
        missing=tuple(dict.fromkeys(missing)),
        warning=warning,
        number_format=read.format if read.notes else None,
        conversions=(*read.notes, *(_spelled_twice(numbers) if guess.kind == "number" else ())),
    )


def _are_codes(meant: pa.ChunkedArray, words: list[str]) -> bool:
    """Whether words among numbers show that all are codes: V57 beside 401.9, XL beside 38.

    Words with a letter before digits are codes; so are words that stand in several rows each beside
    a few different numbers. A slip is written once, and a word for a missing value beside many.
    """
    if any(re.fullmatch(r"\s*[A-Za-z]{1,3}[-_]?\d[\d.]*\s*", word) for word in words):
        return True
    table = pc.value_counts(meant)
    texts, counts = table.field("values").to_pylist(), table.field("counts").to_pylist()
    often = [text for text, count in zip(texts, counts, strict=True) if count > 1]
    few = len(texts) - len(words) <= FEW
    return bool(words) and few and all(word in often for word in words)


def read_numbers(known: pa.ChunkedArray, decimal: Sign | None = None) -> FormatFound | None:
    """How text spells numbers, plain ones too; None for text that spells none.

    Args:
        known: the text without missing values.
        decimal: the sign before decimals, where the user has set it.
    """
    read = find_number_format(one(known.cast(pa.large_string())), decimal)
    if read is not None or numbers_in(known).null_count:
        return read
    return FormatFound(NumberFormat())


def _guess_read(known: pa.ChunkedArray, read: FormatFound, target: bool) -> Guess:
    """The guess for text that is read as numbers."""
    assert read.format is not None
    if read.format.unit:
        return Guess("number", f"numbers in {read.format.unit}")
    cells = read.format.read("", one(known.cast(pa.large_string())))
    numbers = pa.chunked_array([cells])
    # 1.0 is what programs write for a whole number beside gaps, and 1.0 of a measurement too.
    spelled = pc.any(pc.match_substring_regex(known, r"\.\d|[eE]")).as_py()
    if not spelled and pc.all(pc.equal(cells, pc.round(cells))).as_py():
        numbers = (
            numbers.cast(pa.int64()) if pc.max(pc.abs(cells)).as_py() < MOST_EXACT else numbers
        )
    return guess_numbers(numbers, target)


def _spelled_twice(known: pa.ChunkedArray) -> tuple[str, ...]:
    """Says that plain numbers are written in several ways, as 250.1 and 250.10 are."""
    texts = pc.unique(pc.utf8_trim_whitespace(known))
    numbers = numbers_in(pa.chunked_array([texts]))
    lost = len(texts) - pc.count_distinct(numbers).as_py()
    if numbers.null_count or not lost:
        return ()
    seen: dict[float, str] = {}
    for text, number in zip(texts.to_pylist(), numbers.to_pylist(), strict=True):
        if number in seen:
            break
        seen[number] = text
    pair = f"{short(seen[number])} and {short(text)}"
    return (f"{lost} number(s) written in several ways are read as one ({pair})",)


def code_reason(known: pa.ChunkedArray) -> str:
    """Why text that spells numbers is codes that lose something as numbers; empty if it is not.

    Example:
        >>> code_reason(pa.chunked_array([["012", "12"]]))
        '1 of 2 has leading zeros, as codes have'
    """
    trimmed = pc.utf8_trim_whitespace(known)
    for what, pattern in _CODED.items():
        count = pc.sum(pc.match_substring_regex(trimmed, pattern)).as_py() or 0
        if count:
            return (
                f"{count} of {len(known)} {'has' if count == 1 else 'have'} {what}, as codes have"
            )
    return ""


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
