"""Columns of words that are divided already: lists, or text with blanks between the words."""

from __future__ import annotations

import re
import zlib

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from superpose.errors import DataError, beyond, location, message

from ._values import Column, as_text, is_list, is_text, missing, one, plain

AFFIXES = 3  # letters of the longest prefix and suffix
SPELLINGS = 2048  # hashes that prefixes, suffixes and shapes are put in
FEATURES = 2 * AFFIXES + 1


def lists_words(kind: pa.DataType) -> bool:
    """Whether a type holds lists of words."""
    return bool(is_list(kind) and is_text(kind.value_type))


def as_words(values: Column) -> tuple[pa.Array, np.ndarray]:
    """Read a column as its words, null where a list has a gap, and the row of each word.

    Example:
        >>> words, rows = as_words(pa.chunked_array([["to be", None, "or"]]))
        >>> words.to_pylist(), rows.tolist()
        (['to', 'be', 'or'], [0, 0, 2])
    """
    values = plain(values)
    if not is_list(values.type):
        text = pc.utf8_trim_whitespace(as_text(values))
        lists = pc.utf8_split_whitespace(text)
        words = pc.list_flatten(lists)
        rows = np.asarray(pc.list_parent_indices(lists))
        there = pc.not_equal(words, "")
        return words.filter(there), rows.astype(np.int64)[np.asarray(there)]
    lists = one(values)
    if pa.types.is_fixed_size_list(lists.type):
        lists = lists.cast(pa.list_(lists.type.value_type))
    rows = np.asarray(pc.list_parent_indices(lists)).astype(np.int64)
    return one(pa.chunked_array([pc.list_flatten(lists)])), rows


def index_in_row(rows: np.ndarray, count: int) -> np.ndarray:
    """The position of each word in its row, from 0; words of a row follow each other.

    Example:
        >>> index_in_row(np.array([0, 0, 2]), 3).tolist()
        [0, 1, 0]
    """
    starts = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=count))])
    return np.asarray(np.arange(len(rows)) - starts[rows])


def require_aligned(column: str, labels: Column, *, of: str, words: Column) -> None:
    """Make sure that every row with labels has one for each word.

    Raises:
        DataError: the first row whose counts differ.
    """
    many = len(labels)
    counts = [np.bincount(as_words(values)[1], minlength=many) for values in (labels, words)]
    differ = (counts[0] != counts[1]) & ~missing(labels)
    # Text without a word in it is an empty label, as in files that leave gaps empty.
    if not is_list(plain(labels).type):
        differ &= counts[0] > 0
    if not differ.any():
        return
    row = int(np.argmax(differ))
    more = int(differ.sum()) - 1
    given = f"{counts[0][row]} labels for the {counts[1][row]} words of {of!r}"
    raise DataError(
        message(
            location(column=column, row=row),
            given + beyond(more, "; so it is in {} more row{s}"),
            "one label for each word, null for a word whose label is not known",
            fix="mend the row, or leave its labels out",
        )
    )


def _shape(word: str) -> str:
    """Capitals, small letters, digits and signs of a word, runs of one sort as one."""
    kinds = re.sub(r"[^\W\d_]", lambda m: "X" if m[0].isupper() else "x", word)
    return re.sub(r"(.)\1+", r"\1", re.sub(r"\d", "0", kinds))


def spelling(words: list[str]) -> np.ndarray:
    """Hashes (W, 7) of the prefixes, suffixes and shape of words, 1 to 2047.

    Example:
        >>> first, second = spelling(["walking", "Talking"])
        >>> (first == second).tolist()
        [False, False, False, True, True, True, False]
    """
    rows = []
    for word in words:
        small = word.lower()
        parts = [f"<{small[:n]}" for n in range(1, AFFIXES + 1)]
        parts += [f"{small[-n:]}>{n}" for n in range(1, AFFIXES + 1)]
        rows.append([zlib.crc32(p.encode()) for p in (*parts, _shape(word))])
    hashes = np.array(rows, np.int64).reshape(-1, FEATURES)
    return np.asarray(1 + hashes % (SPELLINGS - 1))
