"""Tables out: results in the caller's library, or in a file."""

import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import Any

import narwhals as nw
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.feather
import pyarrow.parquet

from superpose.columns import local_path
from superpose.errors import DataError, location, message

from ._formats import WRITTEN, file_format
from ._hub import as_dataset, is_dataset
from ._jsonl import write_jsonl


def like(data: Any, table: pa.Table) -> Any:
    """Gives a result back in the library of the frame that it was made from.

    Args:
        data: what the caller handed in: a frame, a path, plain rows, or a mapping of several.
        table: the result, one row per row of the source.

    Returns:
        A frame of the caller's library, with the index of a pandas frame; for a path or plain
        rows an Arrow table, since no library was chosen.

    Example:
        >>> like(pa.table({"age": [30]}), pa.table({"risk": [0.2]})).column_names
        ['risk']
    """
    if is_dataset(data):
        return as_dataset(table)
    if isinstance(data, str | PathLike | Mapping | list | tuple | pa.Table | pa.RecordBatch):
        return table
    frame = nw.from_native(data)
    lazy = isinstance(frame, nw.LazyFrame)
    result = nw.from_arrow(table, backend=frame.implementation)
    if lazy:
        return result.lazy().to_native()
    native = result.to_native()
    if frame.implementation.is_pandas_like() and len(data) == len(native):
        native.index = data.index
    return native


def write_table(table: pa.Table, path: str | PathLike[str]) -> None:
    """Writes a table in the format that the name of the file tells.

    The file appears whole or not at all. In CSV and TSV a list becomes text joined by semicolons,
    and a list of objects becomes JSON.

    Args:
        table: the table.
        path: the file, with one of the endings in `WRITTEN`; replaced if it exists.

    Raises:
        DataError: the format is unknown, or the file can't be written.
    """
    path = local_path(path)
    with drafted(path) as draft:
        fill(table, draft, path)
        os.replace(draft, path)


@contextmanager
def drafted(path: Path) -> Iterator[Path]:
    """Names a path beside a file for its draft, which is gone in the end.

    Raises:
        DataError: something could not be written.
    """
    # In the same folder, so that the last step is a rename and not a copy.
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield draft
        finally:
            draft.unlink(missing_ok=True)
    except OSError as fault:
        given = f"can't be written ({fault.strerror or fault})"
        raise DataError(
            message(location(file=path), given, fix="make room, or name another folder")
        ) from None


def fill(table: pa.Table, draft: Path, path: Path) -> None:
    """Writes a table to a draft in the format of the file that it becomes."""
    ending = file_format(path, WRITTEN)
    packed = path.suffix.lower() == ".gz"
    if ending in (".csv", ".tsv"):
        _write_delimited(table, draft, separator="\t" if ending == ".tsv" else ",", packed=packed)
    elif ending in (".jsonl", ".ndjson"):
        write_jsonl(table, draft, packed)
    elif ending in (".parquet", ".pq"):
        pyarrow.parquet.write_table(table, draft)
    else:
        pyarrow.feather.write_feather(table, str(draft))


def _write_delimited(table: pa.Table, path: Path, *, separator: str, packed: bool) -> None:
    for index, field in enumerate(table.schema):
        if pa.types.is_list(field.type) and pa.types.is_nested(field.type.value_type):
            texts = [None if v is None else json.dumps(v) for v in table.column(index).to_pylist()]
            table = table.set_column(index, field.name, pa.array(texts, pa.string()))
        elif pa.types.is_list(field.type) or pa.types.is_large_list(field.type):
            words = table.column(index).cast(pa.list_(pa.string()))
            joined = pc.binary_join(words, ";")
            table = table.set_column(index, field.name, joined)
    options = pyarrow.csv.WriteOptions(delimiter=separator)
    with pa.output_stream(str(path), compression="gzip" if packed else None) as stream:
        pyarrow.csv.write_csv(table, stream, options)
