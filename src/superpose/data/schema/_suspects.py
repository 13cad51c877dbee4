"""Values that may not mean what they say: sentinels, classes that are nearly equal."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from superpose.columns import as_sets, guess_separator, is_list, is_text, one
from superpose.errors import listing

from ._guess import short
from ._guessing_numbers import MANY_ROWS, MOST_EXACT, numbers_in

CLASSES = ("binary", "category", "ordinal", "multilabel", "multicategory", "tokens")
# Numbers that people write for a missing one, and how far from all others they have to lie, in
# ranges of the others; another number has to lie further out to be one.
_MAGIC = r"-?9{2,}(\.0|\.9+)?|-10{2,}(\.0)?|-9(\.0)?"
_FAR_MAGIC, _FAR = 1.0, 10.0
_MOST = 3


def suspects(name: str, kind: str, values: pa.ChunkedArray) -> list[str]:
    """What a user should look at before a column is learned from, one sentence each.

    Args:
        name: how the column is called in the sentence, such as ``target 'y'``.
        kind: its kind.
        values: all rows, words for missing values made null.

    Example:
        >>> suspects("input 'x'", "number", pa.chunked_array([[*range(30), -999]]))[0][:52]
        "input 'x': 1 value is -999, far from all others (0 t"
    """
    if kind in ("number", "count"):
        numbers = numbers_in(values) if is_text(values.type) else values
        return [*_inexact(name, kind, numbers), *_sentinels(name, numbers)]
    if kind in CLASSES:
        sentences = [*_inexact(name, kind, values), *_near_equal(name, kind, values)]
        return [*sentences, *_rare(name, values)] if kind == "category" else sentences
    return []


def _inexact(name: str, kind: str, values: pa.ChunkedArray) -> list[str]:
    """Whole numbers that a double can't hold: as numbers they lose digits, as classes they have."""
    floats = pa.types.is_floating(values.type)
    if not (floats or pa.types.is_integer(values.type)) or (floats and kind not in CLASSES):
        return []
    numbers = values.drop_null().cast(pa.float64(), safe=False)
    count = pc.sum(pc.greater(pc.abs(numbers), float(MOST_EXACT))).as_py() or 0
    if not count or (not floats and kind in CLASSES):
        return []
    many = f"{name}: {count} whole numbers beyond 2^53"
    if floats:
        lost = "have lost their last digits before they were read"
        return [f"{many} {lost}; give codes as text or whole numbers"]
    return [f"{many} lose their last digits; declare `kind: category` if they are codes"]


def _rare(name: str, values: pa.ChunkedArray) -> list[str]:
    """Classes most of which have but one row."""
    if pa.types.is_nested(values.type):
        return []
    rows = len(values) - values.null_count
    classes = pc.count_distinct(values).as_py()
    if rows < MANY_ROWS or 2 * classes <= rows:
        return []
    fix = "declare another kind if it is a measurement or a text"
    return [f"{name}: {classes} classes in {rows} rows, so that most have one row only; {fix}"]


def _sentinels(name: str, values: pa.ChunkedArray) -> list[str]:
    """Numbers far from all others, as -999 among temperatures, with their count."""
    if not (pa.types.is_integer(values.type) or pa.types.is_floating(values.type)):
        return []
    table = pc.value_counts(values.drop_null())
    numbers = np.asarray(table.field("values").cast(pa.float64(), safe=False))
    counts = np.asarray(table.field("counts"))
    order = np.argsort(numbers)
    numbers, counts = numbers[order], counts[order]
    finite = np.isfinite(numbers)
    numbers, counts = numbers[finite], counts[finite]
    sentinels: list[tuple[float, int]] = []
    while len(sentinels) < _MOST and len(numbers) >= 4 and counts.sum() >= MANY_ROWS:
        ends = [(numbers[1] - numbers[0], numbers[-1] - numbers[1], 0)]
        ends += [(numbers[-1] - numbers[-2], numbers[-2] - numbers[0], len(numbers) - 1)]
        far = [
            end
            for gap, extent, end in ends
            if gap > extent * (_FAR_MAGIC if re.fullmatch(_MAGIC, str(numbers[end])) else _FAR)
        ]
        if not far:
            break
        sentinels.append((float(numbers[far[0]]), int(counts[far[0]])))
        numbers, counts = np.delete(numbers, far[0]), np.delete(counts, far[0])
    if not sentinels:
        return []
    words = ", ".join(f"{number:.15g}" for number, _ in sentinels)
    many = " and ".join(
        f"{count} value{' is' if count == 1 else 's are'} {number:.15g}"
        for number, count in sentinels
    )
    rest = f"({numbers[0]:.6g} to {numbers[-1]:.6g})"
    fix = f"write `missing: [{words}]` if they stand for a missing value, or mend them"
    return [f"{name}: {many}, far from all others {rest}; {fix}"]


def _near_equal(name: str, kind: str, values: pa.ChunkedArray) -> list[str]:
    """Classes that differ in case, blanks or their Unicode form alone."""
    if is_list(values.type) or (kind in ("multilabel", "multicategory") and is_text(values.type)):
        if is_list(values.type) and not is_text(values.type.value_type):
            return []
        members, _ = as_sets(values, guess_separator(values))
        values = pa.chunked_array([members])
    if not is_text(values.type):
        return []
    table = pc.value_counts(one(values.drop_null()))
    words = table.field("values")
    counts = np.asarray(table.field("counts"))
    plain = pc.utf8_lower(pc.utf8_normalize(words, form="NFKC"))
    plain = pc.utf8_trim_whitespace(pc.replace_substring_regex(plain, r"\s+", " "))
    codes = plain.dictionary_encode()
    index = np.asarray(codes.indices)
    alike = np.bincount(index, minlength=len(codes.dictionary))[index] > 1
    if not alike.any():
        return []
    rows = np.flatnonzero(alike)
    rows = rows[np.argsort(index[rows], kind="stable")]
    shown = listing((short(words[int(row)].as_py()) for row in rows), 6)
    return [
        f"{name}: {len(rows)} classes differ from another one in case, blanks or Unicode form "
        f"alone: {shown} ({int(counts[rows].sum())} values); they are learned as different "
        f"classes; write them alike if they mean the same"
    ]
