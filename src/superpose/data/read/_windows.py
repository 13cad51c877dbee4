"""Windows: rows that are cut from a long table, which has a row for each step of a recording.

A window belongs to the row at its end: that row's other columns are its columns, and so the labels
of its targets. It holds steps of its own recording only, up to that row and none beyond.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from superpose.columns import (
    as_floats,
    is_list,
    require_float32,
    steps_of,
    with_steps,
    with_warnings,
)
from superpose.config import Config, SplitConfig, WindowsConfig
from superpose.data._memory import require_memory
from superpose.data.schema._guessing import missing_words
from superpose.data.schema._schema import blank_words
from superpose.errors import ConfigError, DataError, Faults, message
from superpose.kinds import TARGET_KINDS

from ._gaps import Runs, runs
from ._recordings import Recordings, recordings_of, require_columns
from ._steps import Steps


def apart(config: Config) -> Config:
    """The settings with a split that keeps windows apart, unless they say how rows are divided."""
    windows, rule = config.windows, config.split
    if windows is None:
        return config
    given = rule.model_dump(exclude_unset=True)
    if "by" not in rule.model_fields_set:
        by = ("time", windows.time) if windows.group is None else ("group", windows.group)
        given |= {"by": by[0], "column": by[1]}
    elif rule.by == "column" and rule.groups is None and windows.group is not None:
        given["groups"] = windows.group
    return config.model_copy(update={"split": SplitConfig.model_validate(given)})


def cut_windows(table: pa.Table, config: Config) -> pa.Table:
    """Cut the windows of a table: a row for each, with the steps as lists of the channels.

    Args:
        table: a row for each step, or windows that are cut already.
        config: its ``windows`` is read; without it the table comes back as it is.

    Raises:
        DataError: a column that is missing or no numbers, a time that does not rise, a recording
            with fewer steps than a window.

    Example:
        >>> rule = {"time": "t", "length": 2, "columns": ["x"]}
        >>> config = Config.from_arguments(targets="y", windows=rule)
        >>> long = pa.table({"t": [1, 2, 3], "x": [0.5, 1.5, 2.5], "y": [7, 8, 9]})
        >>> cut_windows(long, config).select(["y", "window"]).to_pylist()
        [{'y': 8, 'window': [[0.5], [1.5]]}, {'y': 9, 'window': [[1.5], [2.5]]}]
    """
    rule = config.windows
    if rule is None or _are_cut(table, rule):
        return table
    require_columns(table, config, rule)
    channels = _channels(table, config, rule)
    steps = Steps(recordings_of(table, config, rule))
    run_rows, warnings = runs(steps)
    _require_long(steps.recordings, run_rows)
    line = _Line.of([run for own in run_rows for run in own], table.num_rows)
    ends = line.ends(rule)
    if not len(ends):
        given = f"{rule.length} given, but no run of regular steps is as long; {warnings[-1]}"
        raise DataError(message("windows.length", given))
    _require_room(len(ends), config, rule)
    cut = table.take(pa.array(ends))
    kinds = {target.name: str(target.declared_kind) for target in config.targets}
    for name in foreseen(config):
        if name in table.column_names:
            ahead = line.ahead(_numbers(name, table, kinds[name]), ends, rule.horizons)
            cut = cut.set_column(cut.column_names.index(name), name, ahead)
    cut = cut.append_column(rule.name, line.before(channels, ends, rule.length))
    return with_warnings(with_steps(cut, steps.settings()), warnings)


@dataclass(frozen=True)
class _Line:
    """All runs one behind the other, so that a window is a stretch of positions.

    Args:
        rows: the row at each position; -1 for a step that is missing, which has no values.
        position: the position of each row of the table.
        last: for each position where its run ends.
    """

    rows: np.ndarray
    position: np.ndarray
    last: np.ndarray

    @classmethod
    def of(cls, runs: list[np.ndarray], rows: int) -> _Line:
        """The line of some runs of a table of so many rows."""
        order = np.concatenate(runs)
        there = order >= 0
        position = np.empty(rows, np.int64)
        position[order[there]] = np.flatnonzero(there)
        lengths = [len(run) for run in runs]
        return cls(order, position, np.repeat(np.cumsum(lengths), lengths))

    def ends(self, rule: WindowsConfig) -> np.ndarray:
        """The rows at which windows end, in the order of the table."""
        starts = np.flatnonzero(np.diff(self.last, prepend=-1))
        runs = np.split(self.rows, starts[1:])
        ends = np.concatenate([run[len(run) - 1 : rule.length - 2 : -rule.step] for run in runs])
        return np.sort(ends[ends >= 0])

    def before(self, channels: np.ndarray, ends: np.ndarray, length: int) -> pa.Array:
        """The last steps up to some rows, as lists of steps, which are lists of channels."""
        there = self.rows >= 0
        steps = self.position[ends][:, None] + np.arange(1 - length, 1)
        placed = np.where(there[:, None], channels[self.rows], np.float32(np.nan))
        flat = pa.array(placed[steps.ravel()].ravel(), from_pandas=True)
        inner = pa.FixedSizeListArray.from_arrays(flat, channels.shape[1])
        return pa.FixedSizeListArray.from_arrays(inner, length)

    def ahead(self, values: np.ndarray, ends: np.ndarray, horizons: Sequence[int]) -> pa.Array:
        """The values so many steps after some rows, as lists, null beyond the end of a run."""
        position = self.position[ends]
        later = position[:, None] + np.array(horizons, np.int64)
        inside = later < self.last[position][:, None]
        line = np.where(self.rows >= 0, values[self.rows], np.nan)
        future = np.where(inside, line[np.where(inside, later, 0)], np.nan)
        flat = pa.array(future.ravel(), from_pandas=True)
        return pa.FixedSizeListArray.from_arrays(flat, len(horizons))


def _require_room(windows: int, config: Config, rule: WindowsConfig) -> None:
    """Makes sure that windows fit into memory."""
    cells = windows * rule.length * len(rule.columns)
    # As numbers of four bytes, and again as those of Arrow; the positions of the steps have eight.
    needed = 8 * cells + 8 * windows * rule.length
    require_memory(
        needed,
        config.at("windows", "length"),
        what=f"{windows:,} windows of {rule.length:,} steps and {len(rule.columns)} channels",
        fix="shorten windows.length, or write windows.step to take fewer",
        error=ConfigError,
    )


def measured(config: Config, table: pa.Table) -> Config:
    """The settings with what was learned of the time of the training rows, for new rows.

    A few new rows don't tell how dates are written, how long steps are or that weekends miss.

    Args:
        config: the settings.
        table: the windows of the training rows.
    """
    rule = config.windows
    settings = steps_of(table)
    settings = {
        key: x for key, x in settings.items() if rule is not None and getattr(rule, key) is None
    }
    if rule is None or not settings:
        return config
    return config.model_copy(update={"windows": rule.model_copy(update=settings)})


def foreseen(config: Config) -> list[str]:
    """The targets that look ahead, whose labels are cut with the windows."""
    ahead = {name for name, kind in TARGET_KINDS.items() if kind.hints.looks_ahead}
    return [target.name for target in config.targets if target.declared_kind in ahead]


def row_keys(table: pa.Table, config: Config) -> dict[str, pa.Array]:
    """The columns that tell to which step of which recording a window belongs, by name."""
    rule = config.windows
    names = [] if rule is None else [name for name in (rule.group, rule.time) if name]
    return {name: table.column(name) for name in names if name in table.column_names}


def _are_cut(table: pa.Table, rule: WindowsConfig) -> bool:
    names = table.column_names
    return rule.name in names and is_list(table.schema.field(rule.name).type)


def _channels(table: pa.Table, config: Config, rule: WindowsConfig) -> np.ndarray:
    """The channels of every step, (N, C) float32, NaN where missing."""
    faults = Faults(DataError)
    channels = []
    for index, name in enumerate(rule.columns):
        try:
            channels.append(require_float32(name, _numbers(name, table, "channel of the windows")))
        except DataError as error:
            for fault in error.faults:
                faults.add(config.at("windows", "columns", index), fault)
    faults.raise_any()
    return np.stack(channels, axis=1).astype(np.float32)


def _numbers(name: str, table: pa.Table, what: str) -> np.ndarray:
    """A column of numbers, in which words such as NA stand for missing ones."""
    values = table.column(name)
    return as_floats(name, blank_words(values, missing_words(values, "number")), what)


def _require_long(recordings: Recordings, run_rows: Runs) -> None:
    """Makes sure that every recording has as many steps as a window."""
    rule = recordings.rule
    lengths = [sum(map(len, own)) for own in run_rows]
    short = [k for k, length in enumerate(lengths) if length < rule.length]
    if not short:
        return
    names = recordings.names(short)
    longest = max(lengths[k] for k in short)
    many = f"{len(short)} recordings have" if len(short) > 1 else "a recording has"
    given = f"{rule.length} given, but {many} no more than {longest} rows{names and ': '}{names}"
    fix = "make the windows shorter, or leave these rows out"
    raise DataError(message("windows.length", given, fix=fix))
