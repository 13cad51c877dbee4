"""The formats of files, and what reads each."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet

from superpose.columns import require_file, require_utf8
from superpose.data.split._parts import PART_WORDS
from superpose.errors import DataError, listing, location, message

from ._conll import read_conll
from ._delimited import read_delimited
from ._folders import read_folder
from ._image_folders import read_coco
from ._jsonl import read_jsonl


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


def reader_of(path: Path) -> Callable[[Path], pa.Table] | None:
    """What reads a file of a folder; None where its name tells no format."""
    ending, packed = _ending(path)
    # Column files are often published as name.train, name.dev and name.test.
    if ending[1:] in PART_WORDS or (ending in _READERS and (not packed or ending in _TEXT)):
        return lambda file: _read_as(file, _READERS.get(ending, read_conll), ending)
    return None


def read_file(path: Path) -> pa.Table:
    """Reads a file in the format that its name tells, or a folder of such files."""
    if os.path.isdir(path):
        return read_folder(path, reader_of)
    require_file(path)
    if path.suffix.lower() == ".json" and (boxes := read_coco(path)) is not None:
        return boxes
    reader = reader_of(path)
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
