"""The items of a target: a table of their own, or columns that describe the item of each row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from superpose.columns import Column, as_text
from superpose.data.read._reading import read_table
from superpose.data.read._table_metadata import folder_of
from superpose.errors import DataError, Faults, did_you_mean, listing, location, message
from superpose.kinds import INPUT_KINDS, Items

from ._guessing import guess_input
from ._schema import blank_words


def items_of(
    name: str, options: dict[str, Any], table: pa.Table, *, rows: pa.Array | None = None
) -> Items | None:
    """Reads what describes the items of a target; None where nothing does.

    Args:
        name: the target, whose column names the item of a row.
        options: those of its kind; ``items``, ``id`` and ``columns`` are read.
        table: the table of the target.
        rows: its training rows, which alone tell of items that have no table of their own.

    Raises:
        DataError: names every fault: no such table or column, an item without a name or twice.
    """
    if options.get("items"):
        items = _read(name, options, table)
        known = options.get("id") or name
        return _fitted(items.column(known), items.drop_columns([known]))
    if options.get("columns"):
        table = table if rows is None else table.take(rows)
        table = table.filter(pc.is_valid(table.column(name)))
        # The first row of an item tells of it.
        text = as_text(table.column(name))
        first = np.unique(np.asarray(text.dictionary_encode().indices), return_index=True)[1]
        few = table.take(pa.array(np.sort(first)))
        return _fitted(few.column(name), few.select(options["columns"]))
    return None


def _read(name: str, options: dict[str, Any], table: pa.Table) -> pa.Table:
    """Reads the table of items, and makes sure that each has a name of its own."""
    path = Path(folder_of(table) or "", options["items"])
    items = read_table(path)
    known = options.get("id") or name
    if known not in items.column_names:
        given = f"no column {known!r}, which would name the items of {name!r}"
        fix = did_you_mean(known, items.column_names) or "write `id:` with the column of names"
        allowed = f"the columns {listing(items.column_names)}"
        raise DataError(message(location(file=path), given, allowed, fix=fix))
    text = as_text(items.column(known))
    faults = Faults(DataError)
    where = location(file=path, column=known)
    if text.null_count:
        row = pc.index(pc.is_null(text), True).as_py()
        faults.add(where, f"row {row} names no item", fix="name it, or take the row out")
    counts = pc.value_counts(text.drop_null())
    twice = counts.field("values").filter(pc.greater(counts.field("counts"), 1)).to_pylist()
    if twice:
        faults.add(where, f"{listing(twice, 3)} stand in two rows or more", "one row for an item")
    faults.raise_any()
    return items


def _fitted(names: Column, columns: pa.Table) -> Items:
    """Fits a kind to each column that can tell items apart; the others are left out."""
    inputs, values = [], []
    for column in columns.column_names:
        guess = guess_input(column, columns.column(column))
        family = INPUT_KINDS.get(guess.kind or "")
        if family is None or "folder" in family.hints.fit_needs:
            continue
        read = blank_words(columns.column(column), guess.missing)
        kind = family.fit(column, read, **guess.options)
        if not kind.drop_reason and not kind.skip_cross_fitting:
            inputs.append(kind)
            values.append(read)
    return Items(names, inputs, values)
