"""What travels in the metadata of a table: its folder, its sources, the levels of columns."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from superpose.columns import CELLS, COMMA, CONVERSIONS, WARNINGS

from ._sources import SOURCE

FOLDER = b"superpose.folder"
LEVELS = b"superpose.levels"
SOURCES = b"superpose.sources"
NOTED = (FOLDER, SOURCES, CONVERSIONS, WARNINGS)


def sources_of(table: pa.Table) -> pa.ChunkedArray | None:
    """The name of each row's source, or None where a table has one source only."""
    joined = SOURCES in (table.schema.metadata or {})
    return table.column(SOURCE) if joined else None


def folder_of(table: pa.Table) -> Path | None:
    """The folder of the file that a table was read from, or None for a frame."""
    folder = (table.schema.metadata or {}).get(FOLDER)
    return None if folder is None else Path(folder.decode())


def levels_of(table: pa.Table, column: str) -> list[Any] | None:
    """The levels of a column that was an ordered category in its frame, low to high, or None."""
    levels = (table.schema.field(column).metadata or {}).get(LEVELS)
    return None if levels is None else list(json.loads(levels))


def kept_of_table(metadata: Mapping[bytes, bytes] | None) -> dict[bytes, bytes]:
    """The metadata of a table that is kept."""
    return {key: value for key, value in (metadata or {}).items() if key in NOTED}


def kept_of_field(field: pa.Field) -> dict[bytes, bytes]:
    """The metadata of a field that is kept."""
    kept = (LEVELS, *CELLS, *COMMA)
    return {key: value for key, value in (field.metadata or {}).items() if key in kept}
