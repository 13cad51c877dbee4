"""Data sets of the library `datasets` of Hugging Face, and the Arrow tables that it has written.

The library is never imported here: whoever hands in one of its objects has done so already.
"""

import json
import re
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from superpose.columns import conversions_of, holds_files, is_list, one, with_conversions
from superpose.data.split._parts import PART_WORDS, PARTS
from superpose.errors import DataError, Faults, listing, location, message

_FEATURES = b"huggingface"  # the metadata in which the library keeps what columns are
NO_LABEL = (-1, -100)  # of the library itself, and of transformers
_LISTS = ("List", "LargeList", "Sequence")  # types of its columns of lists


def _is(data: Any, *names: str) -> bool:
    """Whether an object is of one of the library's classes."""
    library = sys.modules.get("datasets")
    return library is not None and isinstance(data, tuple(getattr(library, n) for n in names))


def is_dataset(data: Any) -> bool:
    """Whether an object is a `Dataset`, or a `DatasetDict` of several."""
    return _is(data, "Dataset", "DatasetDict")


def parts_of(data: Any) -> dict[str, Any] | None:
    """The data sets of a `DatasetDict` by the part of a split that they are; None for all else.

    One that is alone is no part of anything, whatever its name.

    Raises:
        DataError: a name that tells no part, or two that tell the same.
    """
    if not _is(data, "DatasetDict"):
        return None
    if len(data) == 1:
        return {PARTS[0]: next(iter(data.values()))}
    parts: dict[str, Any] = {}
    faults = Faults(DataError)
    names = listing(map(repr, data))
    for name, one_ in data.items():
        words = re.split(r"[^a-z]+", str(name).lower())
        named = {PARTS[PART_WORDS[word]] for word in words if word in PART_WORDS}
        part = named.pop() if len(named) == 1 else None
        if part is None or part in parts:
            wrong = "names no part of a split" if part is None else f"is a second part for {part}"
            faults.add(
                "DatasetDict",
                f"{name!r} of {names} {wrong}",
                "one data set for each of train, validation and test",
                fix=f"take it out: del parts[{name!r}]",
            )
        elif part is not None:
            parts[part] = one_
    faults.raise_any()
    if PARTS[0] not in parts:
        fix = "name the rows to learn from: DatasetDict(train=...)"
        raise DataError(message("DatasetDict", f"{names} given, without train", fix=fix))
    return {part: parts[part] for part in PARTS if part in parts}


def read_dataset(data: Any, column: str) -> pa.Table:
    """Reads a `Dataset`, or a `DatasetDict` as one table with the part of each row in a column.

    Args:
        data: the object.
        column: the name of that column.

    Raises:
        DataError: parts that don't fit together, or what `parts_of` finds.
    """
    parts = parts_of(data)
    if parts is None or len(parts) == 1:
        only = data if parts is None else next(iter(parts.values()))
        return only.with_format("arrow")[:]  # rows that were selected, in their order
    tables = {part: one_.with_format("arrow")[:] for part, one_ in parts.items()}
    first = tables[PARTS[0]].column_names
    faults = Faults(DataError)
    for part, table in tables.items():
        if column in table.column_names:
            fix = f"rename it: rename_column({column!r}, ...)"
            faults.add(part, f"the column {column!r} stands in it already", fix=fix)
        elif sorted(table.column_names) != sorted(first):
            given = f"its columns are {listing(table.column_names)}"
            faults.add(part, given, f"{listing(first)}, as of {PARTS[0]}")
    faults.raise_any()
    # Before they are joined: the classes of one part may be in another order than those of another.
    joined = [
        readable(table.select(first)).append_column(column, pa.array([part] * len(table)))
        for part, table in tables.items()
    ]
    conversions = [
        f"{part}: {x}" for part, t in zip(tables, joined, strict=True) for x in conversions_of(t)
    ]
    whole = pa.concat_tables(
        [t.replace_schema_metadata() for t in joined], promote_options="permissive"
    )
    return with_conversions(whole, conversions) if conversions else whole


def readable(table: pa.Table) -> pa.Table:
    """Names classes and files as the library's own metadata tells, in whatever file it stands.

    Numbers of a `ClassLabel` become its names; -1 and -100, which stand for no label, become null,
    which is noted. Images and sounds become their paths, unless the table holds the files
    themselves.

    Raises:
        DataError: every column with a number that no class has.

    Example:
        >>> feature = {"names": ["no", "yes"], "_type": "ClassLabel"}
        >>> metadata = {"info": {"features": {"y": feature}}}
        >>> table = pa.table({"y": [1, -1]}).replace_schema_metadata(
        ...     {"huggingface": json.dumps(metadata)})
        >>> readable(table)["y"].to_pylist()
        ['yes', None]
    """
    metadata = (table.schema.metadata or {}).get(_FEATURES)
    if metadata is None:
        return table
    features = json.loads(metadata).get("info", {}).get("features") or {}
    faults = Faults(DataError)
    conversions: list[str] = []
    for index, name in enumerate(table.column_names):
        column = table.column(index)
        if (names := _labels(features.get(name))) is not None:
            _require_classes(name, column, classes=len(names), faults=faults)
            conversions += _unlabelled(name, column)
            table = table.set_column(index, name, _named(one(column), features[name]))
        elif holds_files(column.type) and not pc.any(pc.is_valid(_part(column, "bytes"))).as_py():
            table = table.set_column(index, name, _part(column, "path"))
    faults.raise_any()
    return with_conversions(table, conversions) if conversions else table


def require_whole(data: Any) -> None:
    """Make sure that an object is not one of the library's streams.

    Raises:
        DataError: it is.
    """
    if _is(data, "IterableDataset", "IterableDatasetDict"):
        kind = type(data).__name__
        fix = "load it with streaming=False, or take rows: Dataset.from_list(list(stream.take(n)))"
        raise DataError(message("data", f"{kind} given, whose rows come one by one", fix=fix))


def as_dataset(table: pa.Table) -> Any:
    """A `Dataset` with the rows of a table."""
    return sys.modules["datasets"].Dataset(table)


def _part(column: pa.ChunkedArray, name: str) -> pa.ChunkedArray:
    return pc.struct_field(column, name)


def _labels(feature: Any) -> list[str] | None:
    """The names of the classes that a column holds, alone or in lists; None without any."""
    if isinstance(feature, list):  # as older versions write a list
        return _labels(feature[0])
    if not isinstance(feature, Mapping):
        return None
    if feature.get("_type") == "ClassLabel":
        names = feature.get("names")
        return None if names is None else [str(name) for name in names]
    return _labels(feature["feature"]) if feature.get("_type") in _LISTS else None


def _require_classes(name: str, values: pa.ChunkedArray, *, classes: int, faults: Faults) -> None:
    """Adds a fault where a column holds numbers that no class has."""
    numbers, rows = _flat(values)
    wrong = ~np.isin(numbers, NO_LABEL) & ((numbers < 0) | (numbers >= classes))
    if wrong.any():
        first = int(np.argmax(wrong))
        given = f"{numbers[first]:g} given; so it is in {int(wrong.sum())} labels in all"
        allowed = f"0 to {classes - 1}, the numbers of its classes; -1 or -100 for no label"
        fix = "cast the column to a ClassLabel with all names"
        faults.add(location(column=name, row=int(rows[first])), given, allowed, fix=fix)


def _unlabelled(name: str, values: pa.ChunkedArray) -> list[str]:
    """One sentence on the numbers of a column that stand for no label."""
    numbers, rows = _flat(values)
    gone = np.isin(numbers, NO_LABEL)
    if not gone.any():
        return []
    which = " and ".join(f"{x:g}" for x in NO_LABEL if (numbers == x).any())
    first = int(rows[int(np.argmax(gone))])
    return [
        message(
            location(column=name),
            f"{int(gone.sum())} labels of {which} (first in row {first}) are read as missing",
            fix="to keep them, give them a name in the ClassLabel",
        )
    ]


def _flat(values: pa.ChunkedArray | pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """The numbers of a column, however deep in lists they stand, and the row of each."""
    numbers = one(values)
    rows = np.arange(len(numbers))
    while is_list(numbers.type):
        rows = rows[np.asarray(pc.list_parent_indices(numbers))]
        numbers = pc.list_flatten(numbers)
    known = np.asarray(numbers.is_valid())
    return np.asarray(numbers.drop_null().cast(pa.float64())), rows[known]


def _named(values: pa.Array, feature: Any) -> pa.Array:
    """Classes by their names, however deep in lists they stand."""
    if not is_list(values.type):
        names = pa.array(_labels(feature), pa.string())
        known = pc.and_(pc.greater_equal(values, 0), pc.less(values, len(names)))
        return names.take(pc.if_else(known, values, pa.scalar(None, values.type)))
    large = pa.types.is_large_list(values.type)
    counts = pc.fill_null(pc.list_value_length(values), 0).to_numpy(zero_copy_only=False)
    ends = pa.array(np.concatenate([[0], np.cumsum(counts)]), pa.int64() if large else pa.int32())
    inner = _named(pc.list_flatten(values), feature)
    family = pa.LargeListArray if large else pa.ListArray
    return family.from_arrays(ends, inner, mask=values.is_null())
