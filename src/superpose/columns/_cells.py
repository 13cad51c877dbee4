"""Cells of a text file as columns: a type is given only where it spells the cells as they stand."""

from __future__ import annotations

import json
import re

import pyarrow as pa
import pyarrow.compute as pc

from ._values import one

# Beside a column of numbers: how many decimals each cell is written with, zeros at the end too.
DECIMALS = b"superpose.decimals"
# Beside a column of a text file: its cells as they stand.
CELLS = {b"superpose.cells": b"yes"}
# Beside those of a file that shows the decimal comma, and a column that was read with it.
COMMA = {b"superpose.comma": b"yes"}
# Cells that are looked at first: most columns that are no numbers show it there.
_FIRST = 100
# A number as programs print it; 1E5, an exponent without a sign or a point, is more often a code.
_PRINTED = (
    r"^-?(0|[1-9]\d*)(\.\d+)?$|^-?(0|[1-9]\d*)(\.\d+)?[eE][+-]\d+$|^-?(0|[1-9]\d*)\.\d+[eE]\d+$"
)
_SHORTEST = r"^-?\d+(\.0|\.\d*[1-9])?([eE][+-]?\d+)?$"
# A whole number that a double may not hold: an identifier, not a measurement.
_LONG = r"^-?\d{16,}$"
_WITH_COMMA = r"^\s*-?(\d+|[1-9]\d{0,2}(\.\d{3})+)(,\d+)?\s*$"
_ISO = r"^\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?)?$"
# Digits that a double keeps apart.
_DIGITS = 15


def typed(text: pa.ChunkedArray) -> tuple[pa.ChunkedArray, dict[bytes, bytes]]:
    """Gives cells a type if they come back from it as they are written; else they stay text.

    Whole numbers, numbers, truth values, dates and times without a zone get a type. What stays text
    may be numbers all the same: which is decided with the whole column and the settings at hand.

    Args:
        text: the cells, null where empty.

    Returns:
        The column, and what the field of the column has to keep.

    Example:
        >>> typed(pa.chunked_array([["1", "12"]]))[0].type
        DataType(int64)
        >>> typed(pa.chunked_array([["012", "12"]]))[0].type
        DataType(string)
    """
    trimmed = pc.utf8_trim_whitespace(text)
    known = one(trimmed.drop_null())
    if not len(known):
        return pa.chunked_array([pa.nulls(len(text))]), {}
    for kind, fits in _TYPES:
        if fits(known.slice(0, _FIRST)) and fits(known):
            return trimmed.cast(kind), _spelling(known) if pa.types.is_float64(kind) else {}
    return text, {}


def _are_whole(cells: pa.Array) -> bool:
    try:
        return bool(pc.all(pc.equal(cells.cast(pa.int64()).cast(cells.type), cells)).as_py())
    except pa.ArrowInvalid:
        return False


def _are_numbers(cells: pa.Array) -> bool:
    """Whether cells are numbers of which no two are written in different ways."""
    if not _casts(cells, pa.float64()):
        return False
    # Most columns are printed as Arrow does it, which is checked faster than patterns are.
    printed = _floats(cells).cast(cells.type)
    bare = pc.replace_substring_regex(cells, r"\.0$", "")
    if pc.all(pc.equal(printed, bare)).as_py() and not _any(cells, _LONG):
        return bool(pc.count_distinct(cells).as_py() == pc.count_distinct(printed).as_py())
    if not _all(cells, _PRINTED) or _any(cells, _LONG):
        return False
    same_decimals = _decimals(cells) is not None
    if not (same_decimals or _all(cells, _SHORTEST) or _all(cells, r"[eE]")):
        return False
    digits = pc.utf8_length(pc.replace_substring_regex(cells, r"^-?0*\.?0*|\.|[eE].*$", ""))
    if same_decimals and pc.max(digits).as_py() <= _DIGITS:
        return True
    return bool(pc.count_distinct(cells).as_py() == pc.count_distinct(_floats(cells)).as_py())


def _floats(cells: pa.Array) -> pa.Array:
    return cells.cast(pa.float64())


def _are_truths(cells: pa.Array) -> bool:
    return _all(cells, r"^(true|false|True|False|TRUE|FALSE)$")


def _are_days(cells: pa.Array) -> bool:
    return _all(cells, r"^\d{4}-\d{2}-\d{2}$") and _casts(cells, pa.date32())


def _are_seconds(cells: pa.Array) -> bool:
    return _all(cells, _ISO) and not _any(cells, r"\.\d") and _casts(cells, pa.timestamp("s"))


def _are_moments(cells: pa.Array) -> bool:
    return _all(cells, _ISO) and _casts(cells, pa.timestamp("ns"))


_TYPES = (
    (pa.int64(), _are_whole),
    (pa.float64(), _are_numbers),
    (pa.bool_(), _are_truths),
    (pa.date32(), _are_days),
    (pa.timestamp("s"), _are_seconds),
    (pa.timestamp("ns"), _are_moments),
)


def _all(cells: pa.Array, pattern: str) -> bool:
    return bool(pc.all(pc.match_substring_regex(cells, pattern)).as_py())


def _any(cells: pa.Array, pattern: str) -> bool:
    return bool(pc.any(pc.match_substring_regex(cells, pattern)).as_py())


def _casts(cells: pa.Array, kind: pa.DataType) -> bool:
    try:
        cells.cast(kind)
    except pa.ArrowInvalid:
        return False
    return True


def _decimals(cells: pa.Array) -> int | None:
    """With how many decimals every cell is written, or None if they differ."""
    first = re.fullmatch(r"-?\d+\.(\d+)", cells[0].as_py())
    if first is None or not _all(cells, rf"\.\d{{{len(first[1])}}}$"):
        return None
    return len(first[1])


def _spelling(cells: pa.Array) -> dict[bytes, bytes]:
    """What tells how numbers are written, where that is not how they are printed anyway."""
    decimals = _decimals(cells)
    # Gaps make 1.0 or 1.00 of a whole number in many programs.
    if decimals is None or _all(cells, _SHORTEST) or _all(cells, r"\.0+$"):
        return {}
    return {DECIMALS: json.dumps(decimals).encode()}


def shows_comma(cells: pa.ChunkedArray) -> bool:
    """Whether a column is all numbers of which some can only have a decimal comma, such as 1,5."""
    known = cells.drop_null()
    some = pc.match_substring_regex(known, r"^\s*-?\d+,(\d{1,2}|\d{4,})\s*$")
    if not pc.any(some, min_count=0).as_py():
        return False
    return bool(pc.all(pc.match_substring_regex(known, r"^\s*-?\d+(,\d+)?\s*$")).as_py())


def with_point(cells: pa.ChunkedArray, certain: bool) -> tuple[pa.ChunkedArray, str] | None:
    """Numbers with a decimal comma as they are written elsewhere, and what was read so.

    Where commas are decimal signs, points stand between thousands.

    Args:
        cells: cells of a file that shows the decimal comma.
        certain: whether the column is known to have it; else all its cells have to be numbers.

    Example:
        >>> with_point(pa.chunked_array([["1.234,5", "7"]]), certain=False)[0].to_pylist()
        ['1234.5', '7']
    """
    fits = pc.match_substring_regex(cells, _WITH_COMMA)
    signs = pc.match_substring_regex(cells, r"[.,]")
    if not certain and not (pc.all(fits).as_py() and pc.any(signs).as_py()):
        return None
    read = pc.replace_substring(pc.replace_substring(cells, ".", ""), ",", ".")
    comma = pc.any(pc.match_substring(cells, ","), min_count=0).as_py()
    what = "a decimal comma" if comma else "points between thousands"
    return pc.if_else(fits, read, cells), what


def decimals_of(field: pa.Field) -> int | None:
    """With how many decimals the cells of a column of numbers were written, where that is known."""
    decimals = (field.metadata or {}).get(DECIMALS)
    return None if decimals is None else int(json.loads(decimals))


def as_written(values: pa.ChunkedArray, decimals: int | None) -> pa.ChunkedArray:
    """Spells numbers as their cells were: 250.10 where a column has two decimals."""
    if decimals is None or not pa.types.is_floating(values.type):
        return values
    numbers = one(values).dictionary_encode()
    words = [f"{number:.{decimals}f}" for number in numbers.dictionary.to_pylist()]
    return pa.chunked_array([pa.array(words, pa.string()).take(numbers.indices)])
