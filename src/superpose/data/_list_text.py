"""Lists that were written as text, as frames do when they are saved as CSV, made lists again."""

from __future__ import annotations

import ast
import json
import re
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from superpose.errors import DataError, message, place

from .kinds._values import is_text

# A list of JSON or Python, a tuple or a set; [0.5 1.5], without commas, is an array of numpy.
_LIST = r"(?s)^\s*(\[.*\]|\(.*,.*\)|\{.*\})\s*$"
_ARRAY = re.compile(r"\[\s*([-+.\deE]+(?:\s+[-+.\deE]+)+)\s*\]")
# Cells that are looked at first, and the share of all cells that have to be lists.
_FIRST, _LEAST_SHARE = 100, 0.9
_SHOWN = 60


def as_lists(name: str, values: pa.ChunkedArray) -> tuple[pa.ChunkedArray, str] | None:
    """Reads a column of text as lists if its cells are written lists; None if they are not.

    Lists of objects stay text: the kinds that hold them read them.

    Args:
        name: name of the column.
        values: the column.

    Returns:
        The lists, and what has been read.

    Raises:
        DataError: most cells are lists, some are not, with the first row.

    Example:
        >>> as_lists("x", pa.chunked_array([["['a', 'b']", "[]"]]))[0].to_pylist()
        [['a', 'b'], []]
    """
    if not is_text(values.type):
        return None
    known = values.filter(pc.match_substring_regex(values, r"\S"))
    if not len(known) or not _share(known.slice(0, _FIRST)) or _share(known) < _LEAST_SHARE:
        return None
    lists: list[Any] = []
    wrong: list[int] = []
    for row, cell in enumerate(values.to_pylist()):
        found = None if cell is None or not cell.strip() else _read(cell)
        if found is None and cell is not None and cell.strip():
            wrong.append(row)
        lists.append(found)
    if len(wrong) > (1 - _LEAST_SHARE) * len(known) or _holds_objects(lists):
        return None
    if wrong:
        cell = values[wrong[0]].as_py()
        given = f"{cell[:_SHOWN]!r} is no list, as the cells of {len(known) - len(wrong)} rows are"
        more = f" (and so in {len(wrong) - 1} more rows)" if len(wrong) > 1 else ""
        raise DataError(
            message(place(column=name, row=wrong[0]), given + more, fix="mend the cell")
        )
    try:
        column = pa.chunked_array([pa.array(lists)])
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return None  # members of several types: the kinds that read text say what is wrong
    count = len(known)
    return column, f"{count} cells with a list written as text are read as lists"


def _share(cells: pa.ChunkedArray) -> float:
    flags = pc.match_substring_regex(cells, _LIST)
    return float(pc.mean(flags.cast(pa.float64())).as_py())


def _read(cell: str) -> list[Any] | None:
    """One cell as a list, or None if it is none."""
    if array := _ARRAY.fullmatch(cell.strip()):
        try:
            return [float(word) for word in array[1].split()]
        except ValueError:
            return None
    for read in (json.loads, ast.literal_eval):
        try:
            found = read(cell.strip())
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        if isinstance(found, set | frozenset):
            found = sorted(found, key=str)  # a set has another order in every process
        return list(found) if isinstance(found, list | tuple) else None
    return None


def _holds_objects(lists: list[Any]) -> bool:
    return any(isinstance(member, dict) for found in lists if found for member in found[:1])
