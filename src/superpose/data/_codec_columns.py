"""What the codec takes out of a table for a kind: its column, and what it is handed beside."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from typing import Any

import pyarrow as pa

from superpose.columns import Column, holds_files, plain
from superpose.errors import DataError, location, message

from .read._table_metadata import folder_of
from .schema._schema import ColumnSpec


def values_of(spec: ColumnSpec, table: pa.Table, *, takes_lists: bool) -> Column:
    """Take a column out of a table; nested values go only to kinds that hold several per row.

    Raises:
        DataError: whole files or nested values for a kind that takes neither.
    """
    values = spec.values(table)
    if holds_files(values.type) and not takes_lists:
        given = f"declared as {spec.kind}, but it holds whole files"
        fix = "write each to a file, and put its path in the column"
        raise DataError(message(location(column=spec.name), given, "paths of files", fix=fix))
    if pa.types.is_nested(plain(values).type) and not takes_lists:
        raise DataError(
            message(
                location(column=spec.name),
                f"declared as {spec.kind}, but it holds {values.type}",
                "one value per row",
                fix="declare it as kind multicategory (input) or multilabel (target)",
            )
        )
    return values


def context_of(
    needs: Collection[str], table: pa.Table, kind: str, *, mapped: bool = False
) -> dict[str, Any]:
    """What an input is handed beside its values, as its hints ask.

    Args:
        needs: names of what it needs, see `superpose.kinds.InputHints`.
        table: the table of its column.
        kind: name of its kind.
        mapped: whether a target reads its map.
    """
    known = {"folder": str(folder_of(table) or ""), "mapped": mapped}
    known["load_backbone"] = partial(_backbone_of, kind)
    return {name: known[name] for name in needs}


def _backbone_of(kind: str) -> Any:
    from superpose.nn import BACKBONES  # needs torch, which most tables do not

    return BACKBONES[kind]
