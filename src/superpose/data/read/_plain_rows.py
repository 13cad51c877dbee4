"""What people give as data: paths, frames, and rows as plain Python values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from superpose.columns import local_path
from superpose.errors import DataError, message

from ._hub import is_dataset

ROW = "model.predict([{'age': 40, 'city': 'Oslo'}])"


def as_data(data: Any) -> Any:
    """Makes a table of a list of records or of lists by column, and paths of their words.

    Args:
        data: what a user gives as data; frames come back as they are.

    Raises:
        DataError: an address, or values that make no table, such as one record by itself, with the
            right call.

    Example:
        >>> as_data([{"a": 1, "b": "x"}, {"a": 2}]).to_pydict()
        {'a': [1, 2], 'b': ['x', None]}
        >>> as_data({"a": [1, 2]}).to_pydict()
        {'a': [1, 2]}
    """
    if isinstance(data, str | PathLike):
        return local_path(data)
    if isinstance(data, Mapping) and not is_dataset(data):
        return _by_column(data)
    if isinstance(data, list | tuple) and data and all(isinstance(x, Mapping) for x in data):
        names = list(dict.fromkeys(name for record in data for name in record))
        return _table({name: [record.get(name) for record in data] for name in names})
    fix = _advice(data)
    if fix:
        raise DataError(message("data", f"{type(data).__name__} given", "rows of a table", fix=fix))
    return data


def _by_column(data: Mapping[Any, Any]) -> Any:
    """A table of lists by column; sources by name come back as they are."""
    columns = {name: _list(values) for name, values in data.items()}
    if columns and all(values is not None for values in columns.values()):
        return _table(columns)
    named = [name for name, one in data.items() if _is_data(one)]
    if len(named) == len(data) and not _is_record(data):
        return {name: as_data(one) for name, one in data.items()}
    if data and not any(_list(one) is not None for one in data.values()):
        given = f"a dict of single values given ({', '.join(map(str, list(data)[:3]))})"
        fix = f"give one row as a list of one dict: {ROW}"
        raise DataError(message("data", given, "rows of a table, or tables by name", fix=fix))
    if not data:
        return data
    wrong = next(name for name, values in columns.items() if values is None)
    given = f"a dict of columns given, of which {wrong!r} holds {type(data[wrong]).__name__}"
    raise DataError(message("data", given, "a list of values for each column"))


def _is_data(value: Any) -> bool:
    """Whether a value of a mapping is a path or a frame."""
    return isinstance(value, str | PathLike) or hasattr(value, "columns") or is_dataset(value)


def _is_record(data: Mapping[Any, Any]) -> bool:
    """Whether values by name are words of one row: not one of them is or looks like a path."""

    def path(one: Any) -> bool:
        return not isinstance(one, str) or bool(Path(one).suffix) or "/" in one or "\\" in one

    return bool(data) and not any(path(one) or Path(one).exists() for one in data.values())


def _list(values: Any) -> Sequence[Any] | None:
    """The values of a column, or None where it is no list."""
    if isinstance(values, list | tuple | range | pa.Array | pa.ChunkedArray):
        return values
    if isinstance(values, np.ndarray) or (hasattr(values, "to_list") and hasattr(values, "name")):
        return list(values.tolist() if isinstance(values, np.ndarray) else values.to_list())
    return None


def _table(columns: Mapping[Any, Any]) -> pa.Table:
    lengths = {str(name): len(values) for name, values in columns.items()}
    if len(set(lengths.values())) > 1:
        shown = ", ".join(f"{name!r} {n}" for name, n in list(lengths.items())[:4])
        raise DataError(message("data", f"columns of several lengths given: {shown}", "one length"))
    arrays = {}
    for name, values in columns.items():
        try:
            arrays[str(name)] = values if hasattr(values, "type") else pa.array(list(values))
        except (pa.ArrowException, OverflowError):
            # Numbers beside words; inference tells them apart again, as in a frame of pandas.
            arrays[str(name)] = pa.array([None if x is None else str(x) for x in values])
    return pa.table(arrays)


def _advice(data: Any) -> str:
    """The right call for what is no table but often given, or nothing."""
    if isinstance(data, np.ndarray):
        return "name its columns: pandas.DataFrame(array, columns=[...])"
    if type(data).__name__ == "Series":
        return "give one row as frame.iloc[[0]] or [row.to_dict()], one column as frame[['name']]"
    if isinstance(data, list | tuple):
        if data and all(isinstance(one, str | PathLike) for one in data):
            return "give several files by name: {'north': 'north.csv', 'south': 'south.csv'}"
        return "give a list of dicts, one for each row, or a dict with a list for each column"
    return ""
