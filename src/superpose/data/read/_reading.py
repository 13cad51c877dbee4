"""Tables in: a file or a frame of any library becomes an Arrow table.

Inside, a table is always a `pyarrow.Table` of plain columns: no dictionaries, no NaN beside null,
one type of text. The folder of the file travels in the metadata, for columns that hold paths.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import pyarrow as pa

from superpose.columns import (
    CELLS,
    COMMA,
    ReadNotes,
    conversions_of,
    is_text,
    typed,
    warn,
    warnings_of,
    with_conversions,
    with_point,
)
from superpose.config import Config
from superpose.data.schema._schema import Known
from superpose.errors import DataError, Faults, location, message

from ._folders import as_divided
from ._formats import read_file, reader_of
from ._frames import from_frame
from ._hub import is_dataset, readable, require_whole
from ._list_text import as_lists
from ._plain_columns import plain_column, require_columns
from ._plain_rows import as_data
from ._sources import join_sources, require_names
from ._table_metadata import FOLDER, LEVELS, SOURCES, folder_of, kept_of_field, kept_of_table
from ._windows import apart, cut_windows


def read_table(data: Any, empty: bool = False, known: Known = Known()) -> pa.Table:
    """Reads a table from a file or a frame.

    Args:
        data: path of a CSV, TSV, JSONL or CoNLL file (each also .gz), of a Parquet or Feather
            file, or of a folder with a file for each of train, validation and test; or a frame of
            pandas, polars, Arrow or `datasets`, of which a `DatasetDict` is read as a folder is.
            The index of a pandas frame is no column. A mapping from names to such sources is read
            as one table, see `join_sources`. A list of dicts, one for each row, and a dict with a
            list for each column are tables too.
        empty: whether a table without rows will do, as it does for predictions.
        known: what is known of its columns.

    Raises:
        DataError: names every fault of the source, with the line where it is a file.

    Example:
        >>> read_table(pa.table({"age": [30.0, float("nan")]})).to_pydict()
        {'age': [30.0, None]}
    """
    return _with_types(_read(data, empty), known)


def _read(data: Any, empty: bool) -> pa.Table:
    """Reads a table, the cells of text files as they stand."""
    require_whole(data)
    data = as_data(data)
    if isinstance(data, Mapping) and not is_dataset(data):
        return _read_sources(data, empty)
    if isinstance(data, str | PathLike):
        path = Path(data)
        table, where = read_file(path), str(path)
        folder = path.resolve() if os.path.isdir(path) else path.resolve().parent
        table = readable(table)
        known = {**kept_of_table(table.schema.metadata), FOLDER: str(folder).encode()}
        table = table.replace_schema_metadata(known)
    else:
        table = readable(from_frame(data))
        where = "the frame"
        table = table.replace_schema_metadata(kept_of_table(table.schema.metadata))
    # A column without a name gets one by its position.
    names = [name.strip() or f"column_{i}" for i, name in enumerate(table.column_names, start=1)]
    require_columns(table, names, where=where, empty=empty)
    columns = dict(zip(names, map(plain_column, table.columns), strict=True))
    fields = [
        pa.field(name, column.type, metadata=kept_of_field(field))
        for (name, column), field in zip(columns.items(), table.schema, strict=True)
    ]
    # The levels of an ordered category are only in its values, which are plain from here on.
    for index, column in enumerate(table.columns):
        if pa.types.is_dictionary(column.type) and column.type.ordered and column.num_chunks:
            levels = column.unify_dictionaries().chunk(0).dictionary.to_pylist()
            fields[index] = fields[index].with_metadata({LEVELS: json.dumps(levels).encode()})
    schema = pa.schema(fields, metadata=table.schema.metadata)
    return pa.table(list(columns.values()), schema=schema)


def _with_types(table: pa.Table, known: Known) -> pa.Table:
    """Gives lists that were written as text, and the cells of text files, their types.

    They are decided by all rows, or known: a row is read alike whatever stands beside it.
    """
    columns, fields, conversions = [], [], []
    for field, column in zip(table.schema, table.columns, strict=True):
        kept = field.metadata or {}
        cells, comma = CELLS.items() <= kept.items(), COMMA.items() <= kept.items()
        kept = {key: value for key, value in kept.items() if key not in CELLS | COMMA}
        where = location(column=field.name)
        certain = field.name in known.commas
        may_have_comma = is_text(column.type) and (
            certain or (comma and field.name not in known.text)
        )
        read = with_point(column, certain) if may_have_comma else None
        if read is not None:
            count = len(column) - column.null_count
            column, what = read
            kept |= COMMA
            conversions.append(message(where, f"{count} cells read with {what}"))
        if field.name not in known.text:
            lists = as_lists(field.name, column, certain=field.name in known.lists)
            if lists is not None:
                column, what = lists
                conversions.append(message(where, what))
            elif cells:
                column, spelling = typed(column)
                kept |= spelling
        columns.append(column)
        fields.append(pa.field(field.name, column.type, metadata=kept or None))
    schema = pa.schema(fields, metadata=table.schema.metadata)
    return with_conversions(pa.table(columns, schema=schema), conversions)


def _read_sources(sources: Mapping[str, Any], empty: bool) -> pa.Table:
    """Reads several sources as one table, whose metadata tells that it has the column for them."""
    require_names(sources)
    faults = Faults(DataError)
    tables: dict[str, pa.Table] = {}
    for name, source in sources.items():
        try:
            tables[name] = _read(source, empty)
        except DataError as error:
            faults.extend(DataError(*(f"source {name!r}: {fault}" for fault in error.faults)))
    faults.raise_any()
    if not all(_holds_cells(read) for read in tables.values()):
        tables = {name: _with_types(read, Known()) for name, read in tables.items()}
    table, folder = join_sources(tables, {name: folder_of(one) for name, one in tables.items()})
    known = {FOLDER: str(folder).encode()} if folder else {}
    notes = ReadNotes()
    for name, read in tables.items():
        notes.conversions += [f"source {name!r}: {one}" for one in conversions_of(read)]
        notes.warnings += [f"source {name!r}: {one}" for one in warnings_of(read)]
    return notes.on(table.replace_schema_metadata({**known, SOURCES: b"yes"}))


def _holds_cells(table: pa.Table) -> bool:
    """Whether all columns are cells of a text file, which get their types once they are joined."""
    return all(CELLS.items() <= (field.metadata or {}).items() for field in table.schema)


def divided(config: Config, data: Any) -> Config:
    """The settings for a source: a folder that is divided already is taken as it is divided.

    Windows, which overlap, are divided by their group, or by time without one.
    """
    return apart(as_divided(config, data, reader_of))


def read_rows(
    data: Any,
    config: Config,
    *,
    quiet: bool = False,
    empty: bool = False,
    known: Known | None = None,
) -> pa.Table:
    """Reads a table as `read_table` does, and cuts the windows that the settings ask for.

    Args:
        data: as of `read_table`.
        config: its ``windows`` is read.
        quiet: whether what is amiss is only kept with the table, for the report of a training.
        empty: as of `read_table`; of no rows no windows are cut.
        known: as of `read_table`; without it, what the settings say of how columns are written.

    Raises:
        DataError: names every fault of the source, or of the windows.
    """
    if known is None:
        named = [] if config.inputs == "auto" else config.inputs
        written = (c for c in (*named, *config.targets) if c.decimal or c.options.get("format"))
        known = Known(text=frozenset(column.name for column in written))
    table = read_table(data, empty, known)
    if table.num_rows:
        table = cut_windows(table, config)
    for sentence in () if quiet else warnings_of(table):
        warn(sentence)
    return table
