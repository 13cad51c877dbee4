"""Tables in: a file or a frame of any library becomes an Arrow table.

Inside, a table is always a `pyarrow.Table` of plain columns: no dictionaries, no NaN beside null,
one type of text. The folder of the file travels in the metadata, for columns that hold paths.
"""

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterable, Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import narwhals as nw
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.feather
import pyarrow.parquet

from superpose.columns import (
    CELLS,
    COMMA,
    CONVERSIONS,
    WARNINGS,
    ReadNotes,
    conversions_of,
    is_text,
    require_file,
    require_utf8,
    typed,
    warn,
    warnings_of,
    with_conversions,
    with_point,
)
from superpose.config import Config
from superpose.data.schema._schema import Known
from superpose.data.split._parts import PART_WORDS
from superpose.errors import DataError, Faults, listing, location, message

from ._conll import read_conll
from ._delimited import read_delimited
from ._folders import PART, as_divided, read_folder
from ._hub import is_dataset, read_dataset, readable, require_whole
from ._image_folders import read_coco
from ._jsonl import read_jsonl
from ._list_text import as_lists
from ._plain_rows import as_source
from ._sources import SOURCE, join_sources, require_names
from ._windows import apart, cut_windows

_FOLDER = b"superpose.folder"
_LEVELS = b"superpose.levels"
_SOURCES = b"superpose.sources"
_NOTED = (_FOLDER, _SOURCES, CONVERSIONS, WARNINGS)


def read_table(source: Any, empty: bool = False, known: Known = Known()) -> pa.Table:
    """Reads a table from a file or a frame.

    Args:
        source: path of a CSV, TSV, JSONL or CoNLL file (each also .gz), of a Parquet or Feather
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
    return _with_types(_read(source, empty), known)


def _read(source: Any, empty: bool) -> pa.Table:
    """Reads a table, the cells of text files as they stand."""
    require_whole(source)
    source = as_source(source)
    if isinstance(source, Mapping) and not is_dataset(source):
        return _read_sources(source, empty)
    if isinstance(source, str | PathLike):
        path = Path(source)
        table, where = _read_file(path), str(path)
        folder = path.resolve() if os.path.isdir(path) else path.resolve().parent
        table = readable(table)
        known = {**_kept(table.schema.metadata), _FOLDER: str(folder).encode()}
        table = table.replace_schema_metadata(known)
    else:
        table = readable(_from_frame(source))
        where = "the frame"
        table = table.replace_schema_metadata(_kept(table.schema.metadata))
    # A column without a name gets one by its position.
    names = [name.strip() or f"column_{i}" for i, name in enumerate(table.column_names, start=1)]
    _require_columns(table, names, where=where, empty=empty)
    columns = dict(zip(names, map(_plain, table.columns), strict=True))
    fields = [
        pa.field(name, column.type, metadata=_levels(field))
        for (name, column), field in zip(columns.items(), table.schema, strict=True)
    ]
    # The levels of an ordered category are only in its values, which are plain from here on.
    for index, column in enumerate(table.columns):
        if pa.types.is_dictionary(column.type) and column.type.ordered and column.num_chunks:
            levels = column.unify_dictionaries().chunk(0).dictionary.to_pylist()
            fields[index] = fields[index].with_metadata({_LEVELS: json.dumps(levels).encode()})
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
    known = {_FOLDER: str(folder).encode()} if folder else {}
    notes = ReadNotes()
    for name, read in tables.items():
        notes.conversions += [f"source {name!r}: {one}" for one in conversions_of(read)]
        notes.warnings += [f"source {name!r}: {one}" for one in warnings_of(read)]
    return notes.on(table.replace_schema_metadata({**known, _SOURCES: b"yes"}))


def _holds_cells(table: pa.Table) -> bool:
    """Whether all columns are cells of a text file, which get their types once they are joined."""
    return all(CELLS.items() <= (field.metadata or {}).items() for field in table.schema)


def sources_of(table: pa.Table) -> pa.ChunkedArray | None:
    """The name of each row's source, or None where a table has one source only."""
    joined = _SOURCES in (table.schema.metadata or {})
    return table.column(SOURCE) if joined else None


def folder_of(table: pa.Table) -> Path | None:
    """The folder of the file that a table was read from, or None for a frame."""
    folder = (table.schema.metadata or {}).get(_FOLDER)
    return None if folder is None else Path(folder.decode())


def levels_of(table: pa.Table, column: str) -> list[Any] | None:
    """The levels of a column that was an ordered category in its frame, low to high, or None."""
    levels = (table.schema.field(column).metadata or {}).get(_LEVELS)
    return None if levels is None else list(json.loads(levels))


def _kept(metadata: Mapping[bytes, bytes] | None) -> dict[bytes, bytes]:
    """The metadata of a table that is kept."""
    return {key: value for key, value in (metadata or {}).items() if key in _NOTED}


def _levels(field: pa.Field) -> dict[bytes, bytes]:
    """The metadata of a field that is kept."""
    kept = (_LEVELS, *CELLS, *COMMA)
    return {key: value for key, value in (field.metadata or {}).items() if key in kept}


def _read_parquet(path: Path) -> pa.Table:
    # Read from an open file: given a path, Arrow adds columns for folders such as year=2020.
    with path.open("rb") as file:
        return pyarrow.parquet.read_table(file)


def _read_feather(path: Path) -> pa.Table:
    return pyarrow.feather.read_table(str(path), memory_map=False)


_READERS: dict[str, Callable[[Path], pa.Table]] = {
    ".csv": read_delimited,
    ".tsv": read_delimited,
    ".jsonl": read_jsonl,
    ".ndjson": read_jsonl,
    ".conll": read_conll,
    ".conllu": read_conll,
    ".iob": read_conll,
    ".bio": read_conll,
    ".parquet": _read_parquet,
    ".pq": _read_parquet,
    ".feather": _read_feather,
    ".arrow": _read_feather,
}
_COLUMNS = (".conll", ".conllu", ".iob", ".bio")
_TEXT = (".csv", ".tsv", ".jsonl", ".ndjson", *_COLUMNS)
# A column file holds a word on each line, which predictions of a table have not.
WRITTEN = [ending for ending in _READERS if ending not in _COLUMNS]
# What people have instead, and the way from there.
_ADVICE = {
    ".xlsx": "save the sheet as CSV",
    ".xls": "save the sheet as CSV",
    ".json": "write one object per line and name the file .jsonl; a file of COCO is read as it is",
    ".txt": "name it .csv or .tsv",
    ".data": "name it .csv",
    ".yaml": "that is the format of settings, not of data",
    ".yml": "that is the format of settings, not of data",
    ".pkl": "save the frame with to_parquet",
    ".zip": "unpack it first",
}


def _ending(path: Path) -> tuple[str, bool]:
    """The ending of a name without .gz, and whether it has that."""
    packed = path.suffix.lower() == ".gz"
    return (Path(path.stem) if packed else path).suffix.lower(), packed


def file_format(path: Path, among: Iterable[str] = _READERS) -> str:
    """The ending that tells the format of a file, without .gz.

    Args:
        path: the file.
        among: endings that may be.

    Raises:
        DataError: the format is not one of them.
    """
    ending, packed = _ending(path)
    if ending in among and (not packed or ending in _TEXT):
        return ending
    shown = f"{ending}.gz" if packed else ending or "no ending"
    raise DataError(
        message(
            location(file=path),
            f"unknown format ({shown})",
            f"{listing(among)}; {listing([e for e in _TEXT if e in among])} also with .gz",
            fix=_ADVICE.get(ending, ""),
        )
    )


def divided(config: Config, source: Any) -> Config:
    """The settings for a source: a folder that is divided already is taken as it is divided.

    Windows, which overlap, are divided by their group, or by time without one.
    """
    return apart(as_divided(config, source, _reader_of))


def read_rows(
    source: Any,
    config: Config,
    *,
    quiet: bool = False,
    empty: bool = False,
    known: Known | None = None,
) -> pa.Table:
    """Reads a table as `read_table` does, and cuts the windows that the settings ask for.

    Args:
        source: as of `read_table`.
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
    table = read_table(source, empty, known)
    if table.num_rows:
        table = cut_windows(table, config)
    for sentence in () if quiet else warnings_of(table):
        warn(sentence)
    return table


def _reader_of(path: Path) -> Callable[[Path], pa.Table] | None:
    """What reads a file of a folder; None where its name tells no format."""
    ending, packed = _ending(path)
    # Column files are often published as name.train, name.dev and name.test.
    if ending[1:] in PART_WORDS or (ending in _READERS and (not packed or ending in _TEXT)):
        return lambda file: _read_as(file, _READERS.get(ending, read_conll), ending)
    return None


def _read_file(path: Path) -> pa.Table:
    """Reads a file in the format that its name tells, or a folder of such files."""
    if os.path.isdir(path):
        return read_folder(path, _reader_of)
    require_file(path)
    if path.suffix.lower() == ".json" and (boxes := read_coco(path)) is not None:
        return boxes
    reader = _reader_of(path)
    if reader is None:
        file_format(path)  # says what is wrong with the name
    assert reader is not None
    return reader(path)


def _read_as(path: Path, reader: Callable[[Path], pa.Table], ending: str) -> pa.Table:
    """Reads a file in a format."""
    require_file(path)
    try:
        table = reader(path)
    except (pa.ArrowException, OSError, EOFError, UnicodeDecodeError) as fault:
        if ending in _TEXT:
            # Text that is not UTF-8 is refused in many ways; the byte and its line say more.
            require_utf8(path)
        text = str(fault).splitlines()[0]
        raise DataError(
            message(
                location(file=path), f"not a readable {ending} file ({text})", fix="write it anew"
            )
        ) from None
    if ending in _TEXT and any(pa.types.is_binary(column.type) for column in table.columns):
        require_utf8(path)
    return table


def _from_frame(source: Any) -> pa.Table:
    """Turns a frame of any library that narwhals knows into an Arrow table."""
    if isinstance(source, pa.RecordBatch):
        return pa.Table.from_batches([source])
    if isinstance(source, pa.Table):
        return source
    if is_dataset(source):
        return read_dataset(source, PART)
    if nw.dependencies.is_pandas_like_dataframe(source):
        _require_distinct([str(name) for name in source.columns], "the frame")
    try:
        frame = nw.from_native(source)
    except TypeError:
        raise DataError(
            message(
                "data",
                f"{type(source).__name__} given",
                "a path, or a frame of pandas, polars, Arrow or datasets",
            )
        ) from None
    except (ValueError, nw.exceptions.NarwhalsError) as fault:
        raise DataError(message("the frame", str(fault).splitlines()[0])) from None
    if isinstance(frame, nw.LazyFrame):
        frame = frame.collect(backend="pyarrow")
    if not frame.implementation.is_pandas_like():
        try:
            return frame.to_arrow()
        except pa.ArrowException as fault:
            given = f"a column has no Arrow type ({str(fault).splitlines()[0]})"
            raise DataError(message("the frame", given, fix="cast or drop it")) from None
    return pa.table({str(name): _from_pandas(source[name]) for name in frame.columns})


def _from_pandas(values: Any) -> pa.ChunkedArray:
    """Turns one pandas column into Arrow; a column of mixed values becomes text."""
    if hasattr(values, "sparse"):
        values = values.sparse.to_dense()
    try:
        column = pa.Array.from_pandas(values)
        kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
        # Intervals, as `pandas.cut` gives them, and periods are types of pandas' own.
        plain = not isinstance(kind, pa.BaseExtensionType)
        # Arrow takes objects of several zones, or of none, for one; as text each keeps its own.
        if pa.types.is_timestamp(kind) and values.dtype == object:
            zones = values.dropna().map(lambda moment: str(getattr(moment, "tzinfo", None)))
            plain = zones.nunique() <= 1
    except (pa.ArrowException, OverflowError):
        plain = False
    if not plain:
        # Numbers beside words, as in files edited by hand; inference tells them apart again.
        column = pa.Array.from_pandas(values.map(str, na_action="ignore"))
    return column if isinstance(column, pa.ChunkedArray) else pa.chunked_array([column])


def _require_columns(table: pa.Table, names: list[str], *, where: str, empty: bool) -> None:
    """Makes sure of columns with names of their own, and of rows unless there may be none."""
    if not names:
        raise DataError(message(where, "no columns", "at least one input and one target"))
    _require_distinct(names, where)
    if table.num_rows == 0 and not empty:
        given = f"no rows, only the columns {listing(names)}"
        raise DataError(message(where, given, fix="give at least one row"))


def _require_distinct(names: list[str], where: str) -> None:
    """Makes sure that no two columns have the same name."""
    faults = Faults(DataError)
    # Two equal numbers among the names are values, not names.
    data = any(re.fullmatch(r"-?\d+(\.\d+)?", name) for name in names)
    fix = "the first line seems to be data; write a header above it" if data else ""
    positions: dict[str, list[str]] = {}
    for index, name in enumerate(names, start=1):
        positions.setdefault(name, []).append(str(index))
    for name, spots in positions.items():
        if len(spots) > 1:
            given = f"{len(spots)} columns have this name (columns {listing(spots)})"
            faults.add(
                location(file=where, column=name), given, fix=fix or "rename or drop all but one"
            )
    faults.raise_any()


def _plain(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Gives a column one of the plain types, with null for every missing value."""
    kind = values.type
    if isinstance(kind, pa.BaseExtensionType):
        return _plain(values.cast(kind.storage_type))
    if pa.types.is_dictionary(kind):
        return _plain(values.cast(kind.value_type))
    if pa.types.is_run_end_encoded(kind):
        decoded = [pc.run_end_decode(chunk) for chunk in values.chunks]
        return _plain(pa.chunked_array(decoded, kind.value_type))
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        try:
            return values.cast(pa.string())
        except pa.ArrowInvalid:
            # More than 2 GiB of text in one chunk; the large type reads the same.
            return values.cast(pa.large_string())
    if pa.types.is_floating(kind):
        wide = values if pa.types.is_float64(kind) else values.cast(pa.float64())
        return pc.if_else(pc.is_nan(wide), pa.scalar(None, pa.float64()), wide)
    if pa.types.is_decimal(kind):
        return values.cast(pa.float64(), safe=False)
    if pa.types.is_duration(kind):
        return _seconds(values.cast(pa.duration("ns"), safe=False))
    if pa.types.is_time(kind):
        return values.cast(pa.time64("us"), safe=False)
    return values


def _seconds(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Nanoseconds as seconds."""
    return pc.divide(values.cast(pa.int64()).cast(pa.float64(), safe=False), 1e9)


def fingerprint(table: pa.Table) -> str:
    """Tells whether two tables hold the same columns and values: the SHA-256 of both.

    Example:
        >>> fingerprint(pa.table({"a": [1, 2]})) == fingerprint(pa.table({"a": [1, 3]}))
        False
    """
    digest = hashlib.sha256(str(table.schema.remove_metadata()).encode())
    for column in table.columns:
        sink = pa.BufferOutputStream()
        whole = pa.table({"": column.combine_chunks()})
        with pa.ipc.new_stream(sink, whole.schema) as stream:
            stream.write_table(whole)
        digest.update(sink.getvalue())
    return digest.hexdigest()
