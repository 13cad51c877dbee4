"""Which way of writing dates the values of a column show."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from superpose.errors import DataError, location, message

from ._date_formats import FORMATS, ISO, parse, pattern, spelled, swapped

# A column is one of dates if nine values in ten are; the rest is then named.
MOST = 0.9
_HEAD = 100  # most formats fail on the first values already


def find_date_format(column: str, text: pa.Array) -> str | None:
    """The way of writing dates that reads nearly every value, or None.

    Where the order of day and month could be either, the values decide: any day above 12 tells it.

    Args:
        column: name of the column, for the message.
        text: trimmed text, null where missing.

    Raises:
        DataError: every value reads both ways, or some rows have one order only and some the other.

    Example:
        >>> find_date_format("t", pa.array(["31/12/2020", "01/01/2021"], pa.large_string()))
        '%d/%m/%Y'
    """
    table = pc.value_counts(text.drop_null())
    known = table.field("values")
    if not len(known) or not _looks(known):
        return None
    return _Readings.of(column, text, table).decided()


def _looks(known: pa.Array) -> bool:
    """Whether the first values have digits, and are no longer than dates are."""
    first = known.slice(0, 3)
    looks = pc.and_(
        pc.match_substring_regex(first, r"\d"), pc.less_equal(pc.utf8_length(first), 40)
    )
    return bool(pc.any(looks).as_py())


@dataclass(frozen=True)
class _Readings:
    """The values of a column and what each format that may be meant reads of them.

    Args:
        column: name of the column.
        text: all rows.
        known: the different values.
        counts: how often each of them stands.
        walls: by format the seconds on the clock, NaN where a value is not read.
    """

    column: str
    text: pa.Array
    known: pa.Array
    counts: np.ndarray
    walls: dict[str, np.ndarray]

    @classmethod
    def of(cls, column: str, text: pa.Array, table: pa.StructArray) -> _Readings:
        """What formats read of the values of a table of counts."""
        known = table.field("values")
        counts = np.asarray(table.field("counts"))
        head = known.slice(0, _HEAD)
        weights = counts[:_HEAD]
        walls: dict[str, np.ndarray] = {}
        for format in (ISO, *FORMATS):
            # Most are told apart by one value, without Arrow; a first one may be a slip.
            if not any(re.match(pattern(format), value) for value in head[:3].to_pylist()):
                continue
            read = np.isfinite(parse(head, format).wall)
            if format[:2] in ("%d", "%m", "%y") or weights @ read >= MOST * weights.sum():
                wall = parse(known, format).wall
                # Of the two orders either may read a part only, so that both are kept to compare.
                if np.isfinite(wall).any():
                    walls[format] = wall
            if format == ISO and ISO in walls:
                break
        return cls(column, text, known, counts, walls)

    def decided(self) -> str | None:
        """The one format of several, or None.

        Raises:
            DataError: several read all values, or two orders some each.
        """
        total = self.counts.sum()
        share = {f: self.counts @ np.isfinite(wall) / total for f, wall in self.walls.items()}
        for first in self.walls:
            if first[:2] not in ("%d", "%m") or "%b" in first:
                continue
            other = swapped(first)
            if first < other and other in self.walls and max(share[first], share[other]) < 1:
                self._require_one_order(first, other)
        best = [format for format in self.walls if share[format] >= max(MOST, *share.values())]
        if not best:
            return None
        for rival in best[1:]:
            self._require_alike(best[0], rival)
        return best[0]

    def _require_one_order(self, first: str, second: str) -> None:
        """Make sure that no column has days first in some rows and months first in others."""
        read = [np.isfinite(self.walls[format]) for format in (first, second)]
        only = [read[0] & ~read[1], read[1] & ~read[0]]
        if (read[0] | read[1]).mean() < MOST or not (only[0].any() and only[1].any()):
            return
        cells = [self.known[int(np.argmax(mark))].as_py() for mark in only]
        rows = [pc.index(self.text, pa.scalar(cell, self.text.type)).as_py() for cell in cells]
        raise DataError(
            message(
                location(column=self.column),
                f"{cells[0]!r} in row {rows[0]} is a date as {first} only, but {cells[1]!r} in row "
                f"{rows[1]} as {second} only",
                fix="write all dates in one order, best as 2024-12-31",
            )
        )

    def _require_alike(self, chosen: str, rival: str) -> None:
        """Make sure that another format that reads all values reads them as the same times."""
        one = self.walls[chosen]
        two = self.walls[rival]
        apart = np.isfinite(one) & np.isfinite(two) & (one != two)
        if not apart.any():
            return
        # A year of two digits stands first so rarely that only dates much closer together speak
        # for it; dates that are read in the wrong order lie decades apart.
        closer = np.nanmax(one) - np.nanmin(one) <= np.nanmax(two) - np.nanmin(two)
        if rival.startswith("%y") and closer:
            return
        row = int(np.argmax(apart))
        names = {chosen: one[row], rival: two[row]}
        given = " and ".join(f"{spelled(w)} as {format}" for format, w in names.items())
        lines = " or ".join(f'`format: "{format}"`' for format in names)
        raise DataError(
            message(
                location(column=self.column),
                f"{self.known[row].as_py()!r} is {given}, and every value reads both ways",
                fix=f"declare the column as kind date with {lines}",
            )
        )
