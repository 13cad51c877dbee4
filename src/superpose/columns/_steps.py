"""Columns of series read as arrays: steps of several numbers, or events with a time each."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from superpose.errors import DataError, location, message

from ._values import Column, as_floats, as_text, is_list, is_text, one, plain
from ._words import index_in_row

FIELDS = ("time", "channel", "value")  # of an event
ALLOWED = (
    "lists of numbers, lists of lists of numbers (a list of the channels for each step), or lists "
    "of structures with time, channel and value"
)


class Steps(NamedTuple):
    """The steps of all rows, one row after the other.

    Args:
        values: (S, C), NaN where missing.
        rows: the row of each step, (S,).
    """

    values: np.ndarray
    rows: np.ndarray


class Events(NamedTuple):
    """The events of all rows.

    Args:
        times: (E,).
        channels: name of each event's channel, large strings.
        values: (E,), NaN where missing.
        rows: the row of each event, (E,).
    """

    times: np.ndarray
    channels: pa.Array
    values: np.ndarray
    rows: np.ndarray


def holds_events(kind: pa.DataType) -> bool:
    """Whether an Arrow type holds lists of structures."""
    return bool(is_list(kind) and pa.types.is_struct(kind.value_type))


def holds_series(kind: pa.DataType) -> bool:
    """Whether an Arrow type holds what only a series can be: nested numbers, or events."""
    if not is_list(kind):
        return False
    inner = kind.value_type
    if pa.types.is_struct(inner):
        return {inner.field(i).name for i in range(inner.num_fields)} == set(FIELDS)
    if is_list(inner):
        inner = inner.value_type
        return bool(pa.types.is_floating(inner) or pa.types.is_integer(inner))
    return bool(pa.types.is_floating(inner))


def _lists(values: Column | pa.Array) -> pa.Array:
    """Lists of one array whose lengths may differ."""
    lists = one(values)
    if pa.types.is_fixed_size_list(lists.type):
        lists = lists.cast(pa.list_(lists.type.value_type))
    return lists


def as_steps(column: str, values: Column, wide: int | None = None) -> Steps:
    """Read lists of numbers, or of lists of numbers, as steps.

    Args:
        column: name of the column, for the message.
        values: the column.
        wide: channels of a step; without it as many as the first step has.

    Raises:
        DataError: no such lists, or the first row with a step of more or fewer channels.

    Example:
        >>> as_steps("x", pa.chunked_array([[[1.0, 2.0], None, [3.0]]])).rows.tolist()
        [0, 0, 2]
    """
    values = plain(values)
    if pa.types.is_null(values.type):
        return Steps(np.zeros((0, wide or 1)), np.zeros(0, np.int64))
    if not is_list(values.type):
        raise _no_series(column, values.type)
    lists = _lists(values)
    rows = np.asarray(pc.list_parent_indices(lists)).astype(np.int64)
    inner = one(pc.list_flatten(lists))
    if pa.types.is_null(inner.type):
        return Steps(np.full((len(rows), wide or 1), np.nan), rows)
    if not is_list(inner.type):
        _require_wide(column, np.ones(len(rows), int), rows, wide=wide)
        return Steps(_finite(column, inner, values.type)[:, None], rows)
    inner = _lists(inner)
    counts = np.asarray(pc.list_value_length(inner).fill_null(-1)).astype(np.int64)
    there = counts >= 0
    wide = _require_wide(column, counts[there], rows[there], wide=wide)
    numbers = np.full((len(rows), wide), np.nan)
    numbers[there] = _finite(column, pc.list_flatten(inner), values.type).reshape(-1, wide)
    return Steps(numbers, rows)


def series_values(column: str, values: Column) -> np.ndarray:
    """Regular steps as they are, (N, T, C), the last step at the end, NaN where missing.

    Example:
        >>> series_values("x", pa.chunked_array([[[1.0, 2.0], [3.0]]]))[..., 0].tolist()
        [[1.0, 2.0], [nan, 3.0]]
    """
    steps = as_steps(column, values)
    counts = np.bincount(steps.rows, minlength=len(values))
    length = int(counts.max(initial=1))
    block = np.full((len(values), length, steps.values.shape[1]), np.nan)
    positions = length - counts[steps.rows] + index_in_row(steps.rows, len(values))
    block[steps.rows, positions] = steps.values
    return block


def as_events(column: str, values: Column) -> Events:
    """Read lists of structures as events.

    Raises:
        DataError: other fields than time, channel and value; an event without time or channel.
    """
    lists = _lists(plain(values))
    events = one(pc.list_flatten(lists))
    names = [events.type.field(i).name for i in range(events.type.num_fields)]
    if sorted(names) != sorted(FIELDS):
        given = f"its events have {', '.join(names) or 'no field'}"
        raise DataError(
            message(location(column=column), given, ", ".join(FIELDS), fix="rename them")
        )
    rows = np.asarray(pc.list_parent_indices(lists)).astype(np.int64)
    parts = [pc.struct_field(events, name) for name in FIELDS]
    times, numbers = (_finite(column, part, values.type) for part in (parts[0], parts[2]))
    channels = as_text(pa.chunked_array([parts[1]]))
    lost = np.isnan(times) | np.asarray(channels.is_null())
    if lost.any():
        row = int(rows[np.argmax(lost)])
        given = f"{int(lost.sum())} event(s) without time or channel"
        raise DataError(
            message(location(column=column, row=row), given, fix="fill in, or leave out")
        )
    return Events(times, channels, numbers, rows)


def _finite(column: str, values: Any, kind: pa.DataType) -> np.ndarray:
    if is_text(values.type) or pa.types.is_nested(values.type):
        raise _no_series(column, kind)
    numbers = as_floats(column, pa.chunked_array([values]), "series")
    return np.where(np.isfinite(numbers), numbers, np.nan)


def _no_series(column: str, kind: pa.DataType) -> DataError:
    given = f"declared as series, but it holds {kind}"
    return DataError(
        message(location(column=column), given, ALLOWED, fix="declare it as another kind")
    )


def _require_wide(column: str, counts: np.ndarray, rows: np.ndarray, *, wide: int | None) -> int:
    """Make sure that every step has as many channels."""
    if not len(counts):
        return wide or 1
    wide = int(counts[0]) if wide is None else wide
    differ = counts != wide
    if differ.any():
        at = int(np.argmax(differ))
        many = int(counts[at])
        given = f"a step with {many} channel{'s' * (many != 1)}"
        allowed = f"{wide}, as in the other steps"
        fix = "write null for a channel that was not measured"
        raise DataError(
            message(location(column=column, row=int(rows[at])), given, allowed, fix=fix)
        )
    return wide
