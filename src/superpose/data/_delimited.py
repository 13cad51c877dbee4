"""Reading CSV and TSV: separators are found, ragged rows are named with their lines."""

import csv
import re
from pathlib import Path

import pyarrow as pa
import pyarrow.csv

from superpose.errors import DataError, message, place

from ._files import open_text, require_utf8

# Arrow's own words for a missing value, and the question mark of many public data sets.
_MISSING = [*pyarrow.csv.ConvertOptions().null_values, "?"]
# More ragged lines than these are counted, not shown.
_SHOWN_LINES = 3


def read_delimited(path: Path) -> pa.Table:
    """Reads a CSV or TSV file, gzipped or not.

    The separator of a CSV file is found in its header: comma, semicolon, tab or bar. A file with
    semicolons and numbers such as 1,5 is read with the decimal comma.

    Args:
        path: the file, not empty.

    Raises:
        DataError: rows of another length than the header, with their lines.
        pyarrow.ArrowException, OSError: the file can't be read as CSV.
    """
    with open_text(path) as file:
        start = file.read(1 << 16)
    lines = start.splitlines() or [""]
    tabs = ".tsv" in path.suffixes
    separator = "\t" if tabs else _separator(lines[0])
    decimal = "," if separator == ";" and _decimal_comma(lines[1:]) else "."
    # Arrow unpacks .gz by the name of the file.
    try:
        table = pyarrow.csv.read_csv(
            path,
            # Text in quotes may go over several lines.
            parse_options=pyarrow.csv.ParseOptions(delimiter=separator, newlines_in_values=True),
            convert_options=pyarrow.csv.ConvertOptions(
                null_values=_MISSING, strings_can_be_null=True, decimal_point=decimal
            ),
        )
    except pa.ArrowInvalid as fault:
        require_utf8(path)
        _require_even(path, separator)
        if "Empty CSV" in str(fault):
            raise DataError(
                message(place(file=path), "the file holds blank lines only", fix="write a header")
            ) from None
        raise
    _require_closed(path, table)
    # A column without a name, as pandas writes its index, gets one by its position.
    names = [name or f"column_{index + 1}" for index, name in enumerate(table.column_names)]
    return table.rename_columns(names)


def _separator(header: str) -> str:
    """The separator that stands most often in a header, outside quotes."""
    bare = re.sub(r'"[^"]*"', "", header)
    # `max` takes the first of equals, so a header without any is one column of a comma file.
    return max([",", ";", "\t", "|"], key=bare.count)


def _decimal_comma(lines: list[str]) -> bool:
    """Whether numbers are written as 1,5 and never as 1.5."""
    text = "\n".join(lines)
    comma = re.search(r"(?m)(?:^|;)-?\d+,\d+(?:;|$)", text)
    point = re.search(r"(?m)(?:^|;)-?\d+\.\d+(?:;|$)", text)
    return comma is not None and point is None


def _require_closed(path: Path, table: pa.Table) -> None:
    """Makes sure that the last row has not swallowed all lines after a quote left open."""
    last = table.slice(max(table.num_rows - 1, 0)).to_pylist()
    cells = [cell for row in last for cell in row.values() if isinstance(cell, str)]
    lines = max((cell.count("\n") for cell in cells), default=0)
    if not lines:
        return
    quotes = total = 0
    with open_text(path) as file:
        for line in file:
            quotes, total = quotes + line.count('"'), total + 1
    if quotes % 2:
        raise DataError(
            message(
                place(file=path, line=max(1, total - lines + 1)),
                "a quote is opened and never closed, so the rest of the file is one value",
                fix="close it, or double it where it belongs to the text",
            )
        )


def _require_even(path: Path, separator: str) -> None:
    """Makes sure that every row has as many values as the header has names."""
    uneven: list[str] = []
    count = 0
    # Arrow says only which row it was, counting rows; this second reading counts lines.
    csv.field_size_limit(2**31 - 1)
    with open_text(path) as file:
        rows = csv.reader(file, delimiter=separator)
        width = len(next(rows, []))
        start = rows.line_num + 1
        for row in rows:
            if row and len(row) != width:
                count += 1
                if count <= _SHOWN_LINES:
                    uneven.append(f"line {start} has {len(row)}")
            start = rows.line_num + 1
    if not count:
        return
    more = f"; so it goes on in {count - _SHOWN_LINES} more" if count > _SHOWN_LINES else ""
    line = int(uneven[0].split()[1])
    raise DataError(
        message(
            place(file=path, line=line),
            f"the header has {width} columns, {', '.join(uneven)}{more}",
            "as many values in every row as the header has names",
            "look for a missing separator, or put quotes around values that contain one",
        )
    )
