"""Reading and writing JSONL: one JSON object per line."""

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json

from superpose.columns import require_utf8, typed
from superpose.errors import DataError, location, message


def read_jsonl(path: Path) -> pa.Table:
    """Reads a file with one JSON object per line, gzipped or not.

    Args:
        path: the file, not empty.

    Raises:
        DataError: a line that is no JSON object, or a column of several types, with the line.
        pyarrow.ArrowException, OSError: the file can't be read.
    """
    # Arrow's JSON reader takes any bytes for text and fails only when they are looked at.
    require_utf8(path)
    try:
        # Arrow unpacks .gz by the name of the file.
        table = pyarrow.json.read_json(path)
    except pa.ArrowInvalid:
        # Arrow counts rows from its blocks; this second reading counts lines.
        return _by_line(path)
    # Of whole numbers beyond 64 bits, which are codes, Arrow keeps the first digits only.
    if any(map(_may_be_cut, table.columns)):
        return _by_line(path)
    return _as_written(path, table)


def _may_be_cut(values: pa.ChunkedArray) -> bool:
    if not pa.types.is_float64(values.type):
        return False
    return bool(pc.any(pc.greater_equal(pc.abs(values), 2.0**63), min_count=0).as_py())


def _as_written(path: Path, table: pa.Table) -> pa.Table:
    """The table with times as a CSV file has them: Arrow turns those with a zone to UTC."""
    turned = [field.name for field in table.schema if pa.types.is_timestamp(field.type)]
    if not turned:
        return table
    text = pa.schema([(name, pa.string()) for name in turned])
    options = pyarrow.json.ParseOptions(explicit_schema=text)
    written = pyarrow.json.read_json(path, parse_options=options)
    for name in turned:
        index = table.column_names.index(name)
        table = table.set_column(index, name, typed(written.column(name))[0])
    return table


def _by_line(path: Path) -> pa.Table:
    """Reads line by line, to name the line that can't be read; mixed columns become text."""
    rows: list[dict[str, Any]] = []
    opened = gzip.open if path.suffix.lower() == ".gz" else open
    with opened(path, "rt", encoding="utf-8-sig") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            where = location(file=path, line=number)
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as fault:
                given = f"not valid JSON ({getattr(fault, 'msg', fault)})"
                raise DataError(message(where, given, "one JSON object per line")) from None
            if not isinstance(row, dict):
                given = f"a {type(row).__name__} given"
                raise DataError(message(where, given, "one JSON object per line"))
            rows.append(row)
    names = dict.fromkeys(name for row in rows for name in row)
    return pa.table({name: _column([row.get(name) for row in rows]) for name in names})


def _column(values: list[Any]) -> pa.Array:
    """The values of one column; text where they are of several types."""
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return pa.array(
            [
                value if value is None or isinstance(value, str) else json.dumps(value)
                for value in values
            ]
        )


def write_jsonl(table: pa.Table, path: Path, packed: bool) -> None:
    """Writes a table with one JSON object per line.

    Args:
        table: the table.
        path: the file; replaced if it exists.
        packed: whether to gzip it.
    """
    opened = gzip.open if packed else open
    with opened(path, "wt", encoding="utf-8") as file:
        for batch in table.to_batches(max_chunksize=10_000):
            for row in batch.to_pylist():
                # Dates become ISO text, which is how they are read back.
                file.write(json.dumps(row, ensure_ascii=False, default=_iso) + "\n")


def _iso(value: Any) -> str:
    return str(value.isoformat()) if hasattr(value, "isoformat") else str(value)
