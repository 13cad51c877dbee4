"""Reading CSV and TSV: separators are found, ragged rows are named with their lines."""

import csv
import re
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from superpose.columns import CELLS, COMMA, open_text, require_utf8, shows_comma, with_conversions
from superpose.errors import DataError, beyond, listing, location, message

# More ragged lines than these are counted, not shown.
_SHOWN_LINES = 3
# What is data where a name is expected: a number, with a sign too, or a date.
_NUMBER = r"[$€£]?-?\d+([.,]\d+)?([eE][+-]?\d+)?%?|\d{4}-\d\d-\d\d"
_SEPARATED = re.compile(r"sep=(.)\s*")


def read_delimited(path: Path) -> pa.Table:
    """Reads a CSV or TSV file, gzipped or not.

    The separator of a CSV file is found in its header: comma, semicolon, tab or bar. A file with
    semicolons and numbers such as 1,5 is read with the decimal comma. Lines above the header that
    start with # are comments. All columns are text, marked as cells, to which `read_table` gives a
    type; words for a missing value stay as they are.

    Args:
        path: the file, not empty.

    Raises:
        DataError: rows of another length than the header, with their lines; a header that is data.
        pyarrow.ArrowException, OSError: the file can't be read as CSV.
    """
    head, comments, stated = _head(path)
    tabs = ".tsv" in path.suffixes
    separator = stated or ("\t" if tabs else _separator(head[0] if head else ""))
    comma = separator == ";" and _decimal_comma(head[1:])
    names = _header(path, separator, comments)
    # Arrow unpacks .gz by the name of the file.
    try:
        table = pyarrow.csv.read_csv(
            path,
            read_options=pyarrow.csv.ReadOptions(skip_rows=comments),
            # Text in quotes may go over several lines.
            parse_options=pyarrow.csv.ParseOptions(delimiter=separator, newlines_in_values=True),
            convert_options=pyarrow.csv.ConvertOptions(
                null_values=[""],
                strings_can_be_null=True,
                column_types=dict.fromkeys(names, pa.string()),
            ),
        )
    except pa.ArrowInvalid as fault:
        require_utf8(path)
        _require_even(path, separator, comments)
        if "Empty CSV" in str(fault) and names:
            # One line without an end: names, and no rows.
            fields = [pa.field(name, pa.string(), metadata=CELLS) for name in names]
            return pa.schema(fields).empty_table()
        if "Empty CSV" in str(fault):
            raise DataError(
                message(
                    location(file=path), "the file holds blank lines only", fix="write a header"
                )
            ) from None
        raise
    _require_closed(path, table)
    _require_header(path, table)
    notes = []
    if comments > bool(stated):
        given = f"{comments} line(s) above the header that start with # are read as comments"
        notes.append(message(location(file=path), given, fix="to read them, remove the #"))
    comma = comma or any(map(shows_comma, table.columns))
    # A column without a name, as pandas writes its index, gets one by its position.
    names = [name or f"column_{index}" for index, name in enumerate(table.column_names, start=1)]
    kept = CELLS | (COMMA if comma else {})
    fields = [pa.field(name, pa.string(), metadata=kept) for name in names]
    columns = [column.cast(pa.string()) for column in table.columns]
    return with_conversions(pa.table(columns, schema=pa.schema(fields)), notes)


def _head(path: Path) -> tuple[list[str], int, str]:
    """The first lines from the header on, how many stand above it, and the separator if stated.

    Above it may stand comments, blank lines between them, and Excel's line `sep=;`. A line such as
    #chrom,pos is the header, if the next line has as many separators.
    """
    with open_text(path) as file:
        start = file.read(1 << 16)
    lines = start.splitlines() or [""]
    stated = _SEPARATED.fullmatch(lines[0])
    if stated:
        return lines[1:], 1, stated[1]
    above = 0
    while above < len(lines):
        line = lines[above].strip()
        below = lines[above + 1] if above + 1 < len(lines) else ""
        if not line.startswith("#") and (line or not above):
            break
        separator = _separator(below)
        header = separator in below and line.count(separator) == below.count(separator)
        if header and line and not re.match(r"#\s", line) and not below.startswith("#"):
            break
        above += 1
    return lines[above:], above, ""


def _header(path: Path, separator: str, comments: int) -> list[str]:
    """The names in the header, as they stand."""
    csv.field_size_limit(2**31 - 1)
    with open_text(path) as file:
        for _ in range(comments):
            file.readline()
        return next((row for row in csv.reader(file, delimiter=separator) if row), [])


def _require_header(path: Path, table: pa.Table) -> None:
    """Makes sure that the first line holds names and not the first row.

    It holds a row if every name is a number, or a word that its column has too, and one at least
    is a number: names such as 1990, 1991, ... stand beside others, and those from 0 upwards are
    what programs write for columns without names.
    """
    names = [name.strip() for name in table.column_names]
    numbers = [name for name in names if re.fullmatch(_NUMBER, name)]
    counted = [str(k) for k in range(len(names))], [str(k + 1) for k in range(len(names))]
    if not numbers or len(names) < 2 or names in counted or table.num_rows < 2:
        return
    for name, column in zip(names, table.columns, strict=True):
        cells = pc.utf8_trim_whitespace(column).drop_null()
        if name in numbers:
            alike = pc.all(pc.match_substring_regex(cells, rf"^({_NUMBER})$"), min_count=0)
        else:
            alike = pc.any(pc.equal(cells, name), min_count=0)
        if not alike.as_py():
            return
    given = f"the first line seems to be data, not names ({listing(names, 4)})"
    fix = "write a header above it, or if these are the names, rename one to a word"
    raise DataError(message(location(file=path, line=1), given, fix=fix))


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
            quotes += line.count('"')
            total += 1
    if quotes % 2:
        raise DataError(
            message(
                location(file=path, line=max(1, total - lines + 1)),
                "a quote is opened and never closed, so the rest of the file is one value",
                fix="close it, or double it where it belongs to the text",
            )
        )


def _require_even(path: Path, separator: str, comments: int) -> None:
    """Makes sure that every row has as many values as the header has names."""
    uneven: list[str] = []
    count = 0
    inside = False
    # Arrow says only which row it was, counting rows; this second reading counts lines.
    csv.field_size_limit(2**31 - 1)
    with open_text(path) as file:
        for _ in range(comments):
            file.readline()
        rows = csv.reader(file, delimiter=separator)
        n_columns = len(next(rows, []))
        start = rows.line_num + comments + 1
        for row in rows:
            if row and len(row) != n_columns:
                count += 1
                inside = inside or row[0].startswith("#")
                if count <= _SHOWN_LINES:
                    uneven.append(f"line {start} has {len(row)}")
            start = rows.line_num + comments + 1
    if not count:
        return
    more = beyond(count - _SHOWN_LINES, "; so it goes on in {} more")
    line = int(uneven[0].split()[1])
    raise DataError(
        message(
            location(file=path, line=line),
            f"the header has {n_columns} columns, {', '.join(uneven)}{more}",
            "as many values in every row as the header has names",
            fix="remove the comments that start with # below the header"
            if inside
            else "look for a missing separator, or put quotes around values that contain one",
        )
    )
