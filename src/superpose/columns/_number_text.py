"""Numbers as people write them: with a sign, a unit, thousands, a decimal comma, or as a limit."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from superpose.errors import DataError, beyond, listing, location, message

Sign = Literal[".", ","]
POINT: Sign = "."
COMMA: Sign = ","
# Different cells up to which a column of numbers with several units is a category like others.
FEW = 20
# Units up to which a column holds measurements in several of them; codes such as 12AB have more.
MOST_UNITS = 10
# A column is one of numbers if so many of its cells are, and few different ones are not.
LEAST_SHARE = 0.9
MOST_STRANGERS = 20

_BLANK = r"[ \x{a0}\x{202f}\x{2009}]"
_CURRENCY = r"[$€£¥₹₩₽]|USD|EUR|GBP|CHF|JPY|CNY|INR|AUD|CAD"
_UNIT = r"[%‰°℃℉$€£¥₹₩₽]|[A-Za-zµμΩÅ°][A-Za-z0-9µμΩÅ°²³⁻¹/·^*%-]{0,11}"
_CELL = (
    rf"^\s*(?P<limit>[<>≤≥]=?)?\s*(?P<bracket>\()?(?P<minus>[-−–])?\+?{_BLANK}*"
    rf"(?P<currency>{_CURRENCY})?{_BLANK}*(?P<after>[-−–])?"
    rf"(?P<number>\d(?:[\d.,'’]|{_BLANK}\d)*|[.,]\d+)(?P<exponent>[eE][+-]?\d+)?"
    rf"(?P<behind>-)?{_BLANK}*(?P<unit>{_UNIT})?(?P<close>\))?\s*$"
)
_PLAIN = r"^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*$"
# Groups of three, or no groups at all; a group never starts with 0.
_GROUPED = {
    POINT: rf"^(?:\d+|[1-9]\d{{0,2}}(?:(?:[,'’]|{_BLANK})\d{{3}})+)(?:\.\d*)?$|^\.\d+$",
    COMMA: rf"^(?:\d+|[1-9]\d{{0,2}}(?:(?:[.'’]|{_BLANK})\d{{3}})+)(?:,\d*)?$|^,\d+$",
}
_THOUSANDS = {POINT: rf"[,'’]|{_BLANK}", COMMA: rf"[.'’]|{_BLANK}"}
# What stands behind a number in a date, a time or a rank is no unit.
_NO_UNIT = re.compile(
    r"[ap]m|st|nd|rd|th|jan(uary)?|feb(ruary)?|mar(ch)?|apr(il)?|may|june?|july?|aug(ust)?|"
    r"sept?(ember)?|oct(ober)?|nov(ember)?|dec(ember)?"
)


@dataclass(frozen=True)
class NumberFormat:
    """How the cells of a column spell numbers.

    Args:
        decimal: the sign before decimals, "." or ",".
        unit: what stands beside the numbers, such as "%", "$" or "kg"; empty for none.
    """

    decimal: Sign = POINT
    unit: str = ""

    def state(self) -> dict[str, str]:
        """The format as plain data that JSON can hold."""
        return {"decimal": self.decimal, "unit": self.unit}

    def read(self, column: str, text: pa.Array) -> pa.Array:
        """Reads cells as float64; a limit such as <0.5 is read as the limit itself.

        Args:
            column: name of the column, for the message.
            text: the cells, null where missing.

        Raises:
            DataError: a cell that is no number, or has another unit than the column, with its row.
        """
        cells = text.dictionary_encode()
        parts = _Parts(cells.dictionary)
        other = parts.other_unit(self.decimal, self.unit)
        numbers = parts.values(self.decimal)
        bare = other & np.asarray(pc.equal(parts.units, ""))
        index = np.asarray(cells.indices.fill_null(-1))
        for wrong, what in (
            (bare, "lacks the unit that the numbers of the column have"),
            (other, "has another unit than the numbers of the column"),
            (np.isnan(numbers), "is not a number"),
        ):
            rows = np.isin(index, np.flatnonzero(wrong))
            if rows.any():
                row = int(np.argmax(rows))
                count = int(rows.sum())
                more = beyond(count - 1, " (and so in {} more rows)")
                raise DataError(
                    message(
                        location(column=column, row=row),
                        f"{text[row].as_py()!r} {what}{more}",
                        f"numbers such as {self.example()}",
                        fix="mend the value, or leave it empty if it is missing",
                    )
                )
        return pa.array(numbers, from_pandas=True).take(cells.indices)

    def example(self) -> str:
        """A number in this format."""
        number = f"12{self.decimal}5"
        if re.fullmatch(_CURRENCY, self.unit):
            return f"{self.unit}{number}"
        return f"{number} {self.unit}".rstrip()


@dataclass(frozen=True)
class FormatFound:
    """The format of a column and how many of its cells are read by it.

    Args:
        format: the format; None where there is no right reading.
        notes: what is read otherwise than it is written, each with its count and an example.
        fault: why there is no right reading; empty when there is.
        fix: what to do about it.
        words: different cells that are no numbers.
    """

    format: NumberFormat | None
    notes: list[str] = field(default_factory=list)
    fault: str = ""
    fix: str = ""
    words: list[str] = field(default_factory=list)


class _Parts:
    """Cells taken apart: what is beside the digits, and the digits."""

    def __init__(self, cells: pa.Array, counts: np.ndarray | None = None) -> None:
        self.cells = cells
        self.counts = np.ones(len(cells), np.int64) if counts is None else counts
        self.plain = np.asarray(pc.match_substring_regex(cells, _PLAIN))
        matches = pc.extract_regex(cells, _CELL)
        self.fits = np.asarray(matches.is_valid())

        def part(name: str) -> pa.Array:
            return pc.fill_null(pc.struct_field(matches, name), "")

        self.numbers, self.exponents = part("number"), part("exponent")

        def has(name: str) -> np.ndarray:
            return np.asarray(pc.not_equal(part(name), ""))

        signs = np.stack([has(name) for name in ("bracket", "minus", "after", "behind")])
        self.negative = signs.any(axis=0)
        self.fits &= (signs.sum(axis=0) <= 1) & (has("bracket") == has("close"))
        self.typeset = np.asarray(pc.match_substring_regex(cells, "[−–]")) | signs[3]
        self.bracketed = np.asarray(pc.not_equal(part("bracket"), ""))
        self.limits = np.asarray(pc.not_equal(part("limit"), ""))
        currency, unit = part("currency"), part("unit")
        self.units = pc.if_else(pc.equal(currency, ""), unit, currency)
        both = pc.and_(pc.not_equal(currency, ""), pc.not_equal(unit, ""))
        self.fits &= ~np.asarray(both)

    def count(self, which: np.ndarray) -> int:
        """How many rows have the marked cells."""
        return int(self.counts[which].sum())

    def valid(self, decimal: Sign) -> np.ndarray:
        """Marks the cells whose digits are well grouped with this decimal sign."""
        fits = self.fits & np.asarray(pc.match_substring_regex(self.numbers, _GROUPED[decimal]))
        # Nobody groups the digits before an exponent.
        whole = np.asarray(pc.match_substring_regex(self.numbers, _THOUSANDS[decimal]))
        return fits & ~(whole & np.asarray(pc.not_equal(self.exponents, "")))

    def other_unit(self, decimal: Sign, unit: str) -> np.ndarray:
        """Marks the numbers that carry a unit that is not the one of the column, or lack one."""
        units = [_folded(name) for name in self.units.to_pylist()]
        allowed = {_folded(unit)} if is_scale(unit) else {_folded(unit), ""}
        return self.valid(decimal) & np.array([name not in allowed for name in units], bool)

    def values(self, decimal: Sign) -> np.ndarray:
        """The numbers as float64, NaN for cells that are none."""
        digits = pc.replace_substring_regex(self.numbers, _THOUSANDS[decimal], "")
        digits = pc.replace_substring(digits, ",", ".")
        digits = pc.binary_join_element_wise(digits, self.exponents, pa.scalar("", digits.type))
        good = pa.array(self.valid(decimal))
        numbers = pc.cast(pc.if_else(good, digits, pa.scalar(None, digits.type)), pa.float64())
        absolute = np.asarray(numbers.to_numpy(zero_copy_only=False), np.float64)
        return np.where(self.negative, -absolute, absolute)


def find_number_format(text: pa.Array, decimal: Sign | None = None) -> FormatFound | None:
    """Finds how a column spells its numbers; None where it holds no numbers, or plain ones only.

    Args:
        text: the cells without missing ones and without words for missing.
        decimal: the sign before decimals, where the user has set it.

    Example:
        >>> find_number_format(pa.array(["53.2%", "7%"], pa.large_string())).format
        NumberFormat(decimal='.', unit='%')
        >>> find_number_format(pa.array(["20,629.5", "1,200"], pa.large_string())).notes
        ["2 cells with thousands separators read as numbers ('20,629.5' as 20629.5)"]
    """
    table = pc.value_counts(text)
    parts = _Parts(table.field("values"), np.asarray(table.field("counts")))
    if decimal in (None, POINT) and parts.plain.all():
        return None
    least = LEAST_SHARE * len(text)
    if parts.count(parts.fits) < least:
        return None
    reads = {sign: parts.count(parts.valid(sign)) for sign in (POINT, COMMA)}
    likely = POINT if reads[POINT] >= reads[COMMA] else COMMA
    chosen = likely if decimal is None else decimal
    words = parts.cells.filter(pa.array(~parts.valid(chosen))).to_pylist()
    if reads[chosen] >= least and len(words) <= MOST_STRANGERS:
        return _with_unit(parts, chosen, words, declared=decimal is not None)
    point, comma = parts.valid(POINT), parts.valid(COMMA)
    alone = parts.count(point & ~comma), parts.count(comma & ~point)
    if parts.count(point | comma) < least or not all(alone) or len(parts.cells) <= FEW:
        return None
    given = f"{alone[0]} cells are written with a decimal point and {alone[1]} with "
    return FormatFound(None, fault=given + "a decimal comma", fix="write all of them one way")


def _with_unit(
    parts: _Parts, decimal: Sign, words: list[str], *, declared: bool
) -> FormatFound | None:
    """The format of cells whose decimal sign is known, once their units are looked at."""
    used = parts.valid(decimal)
    named = parts.units.to_pylist()
    # A few limits and little else, such as <=50K and >50K, are classes.
    if len(parts.cells) <= FEW and 2 * parts.count(used & parts.limits) > parts.count(used):
        return None
    units = Counter[str]()
    for index in np.flatnonzero(used):
        units[named[index]] += int(parts.counts[index])
    bare = units.pop("", 0)
    alike = set(map(_folded, units))
    if any(_NO_UNIT.fullmatch(unit.lower()) for unit in units) or len(units) > MOST_UNITS:
        return None
    unit = units.most_common(1)[0][0] if units else ""
    # Beside 53 % a bare 0.5 may be 50 % as well; beside 70 kg a bare 71 is 71 kg.
    if len(alike) > 1 or (is_scale(unit) and bare):
        if len(parts.cells) <= FEW:
            return None
        shown = [f"{count} in {name}" for name, count in units.most_common()]
        shown += [f"{bare} without one"] if bare else []
        fix = "convert them to one unit, declare `kind: category`, or put the column under ignore"
        return FormatFound(None, fault=f"numbers in several units: {listing(shown)}", fix=fix)
    return FormatFound(
        NumberFormat(decimal, unit),
        _notes(parts, decimal, unit=unit, declared=declared),
        words=words,
    )


def _folded(unit: str) -> str:
    """A unit as it is compared: case tells mM from MM, and kg from nothing else."""
    return unit.lower() if len(unit) > 2 else unit


def is_scale(unit: str) -> bool:
    """Whether a unit says how large the number is, so that one without it is another."""
    return unit in ("%", "‰", "k", "K", "m", "M", "B", "bn", "Mio", "Mrd")


def _notes(parts: _Parts, decimal: Sign, *, unit: str, declared: bool) -> list[str]:
    """What is read otherwise than it is written, each with its count and an example."""
    used, numbers = parts.valid(decimal), parts.values(decimal)

    def holds(pattern: str) -> np.ndarray:
        return used & np.asarray(pc.match_substring_regex(parts.numbers, pattern))

    thousands = holds(_THOUSANDS[decimal])
    commas = holds(",") if decimal == COMMA else np.zeros_like(used)
    # Without another sign of it, 1,234 may also be 1.234.
    both = holds(",").any() and not declared and not (used & ~parts.valid(COMMA)).any()
    hint = ' (if the comma is a decimal sign, write `decimal: ","`)' if both else ""
    marked = {
        f"with {unit}": used & np.asarray(pc.not_equal(parts.units, "")),
        f"with thousands separators{hint}": thousands,
        "with a decimal comma": commas,
        "that are limits, such as <0.5,": used & parts.limits,
        "in brackets": used & parts.bracketed,
        "with a minus as it is typeset, or behind the number,": used & parts.typeset,
    }
    notes = []
    for what, which in marked.items():
        if which.any():
            first = int(np.argmax(which))
            example = f"{parts.cells[first].as_py()!r} as {numbers[first]:.12g}"
            cells = "cell" if parts.count(which) == 1 else "cells"
            notes.append(f"{parts.count(which)} {cells} {what} read as numbers ({example})")
    return notes
