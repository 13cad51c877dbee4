"""Guessing the kind of a column from its values, each guess with its reason.

The rules, in the order in which they are tried:

- no value: not used. The same value in every row: not used as an input.
- dates: date, by the rules of `superpose.data.schema._guessing_dates`; numbers for inputs only.
- truth values: binary. Vectors of one length in the type: embedding. Lists of fractions, of lists
  of numbers or of events: series (input); of fractions: forecast (target). Other lists:
  multicategory (input) or multilabel (target).
- numbers: two whole values are binary. As an input, whole numbers that only count the rows are not
  used, and whole numbers of 16 digits or more are no measurements. As a target, 3 to 10 small whole
  numbers next to each other are codes of classes (category) unless they are spread as counts are,
  and more of them are a count only if they are clearly one. All else is number.
- text that spells numbers, with a unit or a sign too, but for a few words such as `?`: as numbers,
  the words are missing. Text that numbers don't give back, such as 012 or 1E5, is no number.
- text that ends in .png, .jpg and the like: image.
- text that joins a few members with ; or | or a comma: multicategory or multilabel.
- an input that is named id and differs in half of the rows or more: not used.
- two different words: binary. Long text of many different values: text. Words that differ in
  nearly every row: not used. Everything else: category.
"""

import re
from collections import Counter
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from superpose.columns import (
    FEW,
    MOST_STRANGERS,
    SEPARATORS,
    Sign,
    are_marks,
    as_words,
    holds_files,
    holds_series,
    is_list,
    is_text,
    lists_words,
    one,
)
from superpose.errors import DataError, listing

from ._guess import AGREE, Guess, cuts, is_marker, short
from ._guessing_dates import dates_in
from ._guessing_numbers import (
    MANY_ROWS,
    code_reason,
    counts_rows,
    guess_numbers,
    guess_numeric_text,
    numbers_in,
    read_numbers,
)
from ._schema import blank_words

# A category with more different values than this is no category; most of them occur once or twice.
MOST_INPUT_LEVELS = 100_000
# Shares of different values from which long text is no list of classes, and words are identifiers.
TEXT_SHARE, IDENTIFIER_SHARE = 0.2, 0.95
_IDENTIFIER = r"(?i)^(id|uid|uuid|guid|index|.*[_ -]id)$"
_SOUND = r"(?i)\.(wav|flac|ogg|mp3|aiff?)$"
_IMAGE = r"(?i)\.(png|jpe?g|bmp|gif|webp|tiff?)$"


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
    guess = (
        guess_date(name, values)
        or _by_type(known, target=False)
        or _guess_text(known, target=False)
    )
    if guess.kind == "number" and pa.types.is_integer(values.type) and counts_rows(name, values):
        return Guess(None, "whole numbers that only count the rows", otherwise="number")
    named = guess.kind in ("number", "category") and re.search(_IDENTIFIER, name)
    # Half: an identifier may stand in a few rows each, codes of a few classes in many.
    if named and _distinct(known) >= max(MANY_ROWS, len(known) / 2):
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
    # Numbers that could be dates are what is to be predicted, so they are numbers.
    date = guess_date("", values, numbers=False)
    return date or _by_type(known, target=True) or _guess_text(known, target=True)


def guess_date(name: str, values: pa.ChunkedArray, numbers: bool = True) -> Guess | None:
    """The guess for a column of dates, with the fault of dates whose order is open; else None."""
    words = missing_words(values, "date")
    try:
        dates = dates_in(name, blank_words(values, words), numbers)
    except DataError as error:
        fault = str(error).removeprefix(f"column {name!r}: ")
        return Guess("date", "dates", fault=fault)
    if dates is None:
        return None
    return Guess(
        "date",
        dates.reason,
        dates.options,
        words + dates.strangers,
        dates.warning,
        conversions=dates.conversions,
    )


def _by_type(known: pa.ChunkedArray, target: bool) -> Guess | None:
    """The guess for a column whose type says enough, or None for text."""
    kind = known.type
    if is_text(kind):
        return None
    if pa.types.is_boolean(kind):
        return Guess("binary", "true and false")
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return guess_numbers(known, target)
    if not target and pa.types.is_fixed_size_list(kind) and pa.types.is_floating(kind.value_type):
        return Guess("embedding", f"vectors of {kind.list_size} numbers")
    if not target and holds_series(kind):
        return Guess("series", "lists of numbers over time")
    if target and is_list(kind) and pa.types.is_floating(kind.value_type):
        return Guess("forecast", "a list of fractions in every row")
    if not target and are_marks(known):
        return Guess("embedding", "lists of zeros and ones, equally many in every row")
    if is_list(kind) and _plain(kind.value_type) and not pa.types.is_null(kind.value_type):
        return Guess("multilabel" if target else "multicategory", "a list in every row")
    if holds_files(kind):
        return Guess(None, "it holds whole files; write them, and put their paths in the column")
    return Guess(None, f"values of type {kind} can't be used")


def _guess_text(known: pa.ChunkedArray, target: bool) -> Guess:
    """The guess for a column of text without missing values."""
    numeric = guess_numeric_text(known, target)
    if numeric is not None:
        return numeric
    values = pc.unique(known)
    if _share(pc.match_substring_regex(known, _IMAGE)) >= 0.95:
        return Guess("image", "names of image files")
    if _share(pc.match_substring_regex(known, _SOUND)) >= 0.95:
        return Guess("audio", "names of sound files")
    distinct = len(values)
    separator = joined_by(known, distinct)
    if separator is not None:
        kind = "multilabel" if target else "multicategory"
        reason = f"a few words joined by {separator!r}"
        return Guess(kind, reason, options={"separator": separator})
    if distinct == 2:
        first, second = sorted(values.to_pylist())
        return Guess("binary", f"two values, {short(first)} and {short(second)}")
    return _guess_words(known)


def _guess_words(known: pa.ChunkedArray) -> Guess:
    """The guess between text, category and a column of identifiers."""
    words = _Words(known)
    guess = words.guess(words.counts)
    numbers = pc.is_valid(numbers_in(known))
    if guess.kind in (None, "category") and len(words.counts) > FEW and not code_reason(known):
        others = pc.unique(known.filter(pc.invert(numbers)))
        share = (pc.sum(numbers).as_py() or 0) / len(known)
        if share >= 0.5 and len(others) <= MOST_STRANGERS // 4:
            what = listing(map(short, others.to_pylist()), 3)
            given = f"{share:.0%} of its cells are numbers, the others are {what}"
            fix = "write `missing:` with what stands for a missing value, or declare its kind"
            return Guess(None, given, fault=f"{given}; {fix}", otherwise="category")
    if guess.kind == "category" and (reason := code_reason(known)):
        guess = replace(guess, reason=f"{guess.reason}; {reason}; `kind: number` reads numbers")
    if not words.is_close_call():
        return guess
    seen = Counter(words.guess(cut).kind for cut in cuts(words.counts))
    if seen[guess.kind] >= AGREE:
        return guess
    rival = next(kind for kind, _ in seen.most_common() if kind != guess.kind)
    return replace(guess, rival=rival or "not used, as an identifier")


class _Words:
    """The different words of a column, and how often each stands.

    Args:
        known: the column without missing values.
    """

    def __init__(self, known: pa.ChunkedArray) -> None:
        table = pc.value_counts(known)
        words = table.field("values")
        self.counts = np.asarray(table.field("counts"))
        self.lengths = np.asarray(pc.utf8_length(words), np.float64)
        blanks = pc.count_substring_regex(pc.utf8_trim_whitespace(words), r"\s+")
        self.blanks = np.asarray(blanks, np.float64)
        # Chinese and Japanese are written without blanks, and say more per letter.
        self.dense = np.asarray(
            pc.match_substring_regex(words, r"[\p{Han}\p{Hiragana}\p{Katakana}]")
        )

    def is_close_call(self) -> bool:
        """Whether half of the rows might be taken for something else."""
        different = len(self.counts) / self.counts.sum()
        near = abs(different - TEXT_SHARE) < 0.1 or abs(different - IDENTIFIER_SHARE) < 0.05
        return bool(near and self.counts.sum() >= 2 * MANY_ROWS)

    def guess(self, counts: np.ndarray) -> Guess:
        """The guess for the words, each standing so often."""
        rows = int(counts.sum())
        distinct = int((counts > 0).sum())
        length = float((self.lengths * counts).sum()) / rows
        std = float(((self.lengths - length) ** 2 * counts).sum() / rows) ** 0.5
        words = 1 + float((self.blanks * counts).sum()) / rows
        dense = (self.dense * counts).sum() / rows > 0.5
        long = words >= 4 or length >= (10 if dense else 40)
        different = distinct / rows
        if long and (different >= TEXT_SHARE or distinct > 100):
            return Guess(
                "text", f"long text, {words:.0f} words on average" if words >= 2 else "long text"
            )
        if rows >= MANY_ROWS and different >= IDENTIFIER_SHARE:
            # Identifiers are made alike; other words that all differ, such as formulas, vary in
            # length.
            if words >= 3 or (length >= 12 and std > 0.3 * length):
                return Guess("text", "different text in nearly every row")
            reason = "different words in nearly every row, as identifiers are"
            return Guess(None, reason, otherwise="category")
        if distinct > MOST_INPUT_LEVELS:
            return Guess(None, f"{distinct} different values", otherwise="text")
        return Guess("category", f"{distinct} different word{'s' * (distinct > 1)}")


def joined_by(known: pa.ChunkedArray, distinct: int | None = None) -> str | None:
    """The separator of joined members, if a column of text holds sets of a few members.

    Args:
        known: the column without missing values.
        distinct: how many of them differ, where that is known already.
    """
    distinct = _distinct(known) if distinct is None else distinct
    for separator in SEPARATORS:
        # Commas also stand in plain text and in names, so more of them are needed.
        least = 0.25 if separator == "," else 0.1
        if distinct < 3 or _share(pc.match_substring(known, separator)) < least:
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


def _plain(kind: pa.DataType) -> bool:
    """Whether values of a type can be counted and compared."""
    return not pa.types.is_nested(kind)


def _distinct(known: pa.ChunkedArray) -> int:
    return int(pc.count_distinct(known).as_py())


def _share(flags: pa.ChunkedArray) -> float:
    return float(pc.mean(flags.cast(pa.float64())).as_py())


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


def declared_guess(kind: str, values: pa.ChunkedArray, decimal: Sign | None = None) -> Guess:
    """What a column whose kind is declared holds: how numbers are written, words for missing.

    Args:
        kind: the declared kind.
        values: all rows.
        decimal: the sign before decimals, where the user has set it.
    """
    words = missing_words(values, kind)
    if kind not in ("number", "count") or not is_text(values.type):
        return Guess(kind, "declared", missing=words)
    meant = blank_words(values, words).drop_null()
    numbers = read_numbers(meant, decimal) if len(meant) else None
    if numbers is None:
        return Guess(kind, "declared", missing=words)
    if numbers.format is None:
        return Guess(kind, "declared", fault=f"{numbers.fault}; {numbers.fix}")
    notes = list(numbers.notes)
    if reason := code_reason(meant):
        notes.append(f"{reason}, and read as numbers all the same")
    form = numbers.format if numbers.notes else None
    return Guess(kind, "declared", missing=words, number_format=form, conversions=tuple(notes))
