"""Lists that were written as text, as frames do when they are saved as CSV, made lists again."""

from __future__ import annotations

import ast
import json
import re
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from superpose.columns import is_text
from superpose.data.schema._schema import NULL_WORDS, blank_words
from superpose.errors import DataError, beyond, location, message

# A list of JSON or Python, a tuple or a set; [0.5 1.5], without commas, is an array of numpy.
_LIST = r"(?s)^\s*(\[.*\]|\(.*,.*\)|\{.*\})\s*$"
_ARRAY = re.compile(r"\[\s*([-+.\deE]+(?:\s+[-+.\deE]+)+)\s*\]")
# An array of words of numpy, ['a' 'b'], which Python would glue together; and np.str_('a').
_WORD = re.compile(r"""'([^']*)'|"([^"]*)\"""")
_WORDS = re.compile(r"""\[\s*(?:'[^']*'|"[^"]*")(?:\s+(?:'[^']*'|"[^"]*"))+\s*\]""")
_OF_NUMPY = re.compile(r"np\.\w+\(([^()]*)\)")
# Cells that are looked at first, and the share of all cells that have to be lists.
_FIRST = 100
_LEAST_SHARE = 0.9
_SHOWN = 60


def as_lists(
    name: str, values: pa.ChunkedArray, certain: bool = False
) -> tuple[pa.ChunkedArray, str] | None:
    """Reads a column of text as lists if its cells are written lists; None if they are not.

    Lists of objects stay text: the kinds that hold them read them.

    Args:
        name: name of the column.
        values: the column; words for a missing value are none.
        certain: whether the column is known to hold lists.

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
    # Most columns show in their first cells that they hold none.
    first = values.slice(0, _FIRST)
    if not certain and not _count(first) and len(first) - first.null_count:
        return None
    values = blank_words(values, NULL_WORDS)
    known = values.drop_null()
    if not len(known) or not (certain or _count(known) >= _LEAST_SHARE * len(known)):
        return None
    lists: list[Any] = []
    wrong: list[int] = []
    for row, cell in enumerate(values.to_pylist()):
        members = None if cell is None else _read(cell)
        if members is None and cell is not None:
            wrong.append(row)
        lists.append(members)
    few = certain or len(wrong) <= (1 - _LEAST_SHARE) * len(known)
    if not few or _holds_objects(lists):
        return None
    if wrong:
        cell = values[wrong[0]].as_py()
        given = f"{cell[:_SHOWN]!r} is no list, as the cells of {len(known) - len(wrong)} rows are"
        more = beyond(len(wrong) - 1, " (and so in {} more rows)")
        raise DataError(
            message(location(column=name, row=wrong[0]), given + more, fix="mend the cell")
        )
    try:
        column = pa.chunked_array([pa.array(lists)])
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return None  # members of several types: the kinds that read text say what is wrong
    count = len(known)
    return column, f"{count} cells with a list written as text are read as lists"


def _count(cells: pa.ChunkedArray) -> int:
    """How many cells look like lists."""
    return pc.sum(pc.match_substring_regex(cells, _LIST)).as_py() or 0


def _read(cell: str) -> list[Any] | None:
    """One cell as a list, or None if it is none."""
    cell = _OF_NUMPY.sub(r"\1", cell.strip())
    if array := _ARRAY.fullmatch(cell):
        try:
            return [float(word) for word in array[1].split()]
        except ValueError:
            return None
    if _WORDS.fullmatch(cell):
        return [first or second for first, second in _WORD.findall(cell)]
    for read in (json.loads, ast.literal_eval):
        try:
            value = read(cell)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        if isinstance(value, set | frozenset):
            value = sorted(value, key=str)  # a set has another order in every process
        return list(value) if isinstance(value, list | tuple) else None
    return None


def _holds_objects(lists: list[Any]) -> bool:
    return any(isinstance(member, dict) for members in lists if members for member in members[:1])
