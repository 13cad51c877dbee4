"""Windows: rows that are cut from a long table, which has a row for each step of a recording.

A window belongs to the row at its end: that row's other columns are its columns, and so the labels
of its targets. It holds steps of its own recording only, up to that row and none beyond.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from superpose.columns import (
    Times,
    as_floats,
    is_list,
    require_held,
    steps_of,
    with_steps,
    with_warnings,
)
from superpose.config import Config, SplitConfig, WindowsConfig
from superpose.data._memory import require_memory
from superpose.data.schema._guessing import missing_words
from superpose.data.schema._schema import blank_words
from superpose.data.split._splits import group_ids, times
from superpose.errors import ConfigError, DataError, Faults, did_you_mean, listing, message, place

from ._gaps import SHOWN, found_steps, names_of, of, runs


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
    recordings = _recordings(table, config, rule)
    channels = _channels(table, config, rule)
    when = times(table, rule.time, config, "windows.time")
    _require_rising(table, rule, recordings, when)
    found, said = runs(table, rule, recordings, when)
    _require_long(table, rule, recordings, found)
    pieces = [run for own in found for run in own]
    ends = np.concatenate([run[len(run) - 1 : rule.length - 2 : -rule.step] for run in pieces])
    ends = np.sort(ends[ends >= 0])
    if not len(ends):
        given = f"{rule.length} given, but no run of regular steps is as long; {said[-1]}"
        raise DataError(message("windows.length", given))
    cells = len(ends) * rule.length * len(rule.columns)
    what = f"{len(ends):,} windows of {rule.length:,} steps and {len(rule.columns)} channels"
    fix = "shorten windows.length, or write windows.step to take fewer"
    # As numbers of four bytes, and again as those of Arrow; the places of the steps have eight.
    needed = 8 * cells + 8 * len(ends) * rule.length
    require_memory(needed, config.at("windows", "length"), what, fix, ConfigError)
    # Where each row stands in the order of the runs, so that a window is a run of places; a step
    # that is missing has a place too, without values.
    order = np.concatenate(pieces)
    there = order >= 0
    spot = np.empty(table.num_rows, np.int64)
    spot[order[there]] = np.flatnonzero(there)
    steps = spot[ends][:, None] + np.arange(1 - rule.length, 1)
    placed = np.where(there[:, None], channels[order], np.float32(np.nan))
    values = placed[steps.ravel()]
    flat = pa.array(values.ravel(), from_pandas=True)
    inner = pa.FixedSizeListArray.from_arrays(flat, len(rule.columns))
    cut = table.take(pa.array(ends))
    lists = pa.FixedSizeListArray.from_arrays(inner, rule.length)
    last = np.repeat(np.cumsum([len(run) for run in pieces]), [len(run) for run in pieces])
    later = spot[ends][:, None] + np.array(rule.horizons, np.int64)
    inside = later < last[spot[ends]][:, None]
    for name in foreseen(config):
        if name in table.column_names:
            line = np.where(there, _numbers(name, table, "forecast")[order], np.nan)
            future = np.where(inside, line[np.where(inside, later, 0)], np.nan)
            told = pa.FixedSizeListArray.from_arrays(
                pa.array(future.ravel(), from_pandas=True), len(rule.horizons)
            )
            cut = cut.set_column(cut.column_names.index(name), name, told)
    cut = with_steps(cut.append_column(rule.name, lists), found_steps(rule, recordings, when))
    return with_warnings(cut, said)


def measured(config: Config, table: pa.Table) -> Config:
    """The settings with what was found of the time of the training rows, for new rows.

    A few new rows don't tell how dates are written, how long steps are or that weekends miss.

    Args:
        config: the settings.
        table: the windows of the training rows.
    """
    rule, found = config.windows, steps_of(table)
    found = {key: x for key, x in found.items() if rule is not None and getattr(rule, key) is None}
    if rule is None or not found:
        return config
    return config.model_copy(update={"windows": rule.model_copy(update=found)})


def foreseen(config: Config) -> list[str]:
    """The targets of kind forecast, whose labels are cut with the windows."""
    return [target.name for target in config.targets if target.declared_kind == "forecast"]


def row_keys(table: pa.Table, config: Config) -> dict[str, pa.Array]:
    """The columns that tell to which step of which recording a window belongs, by name."""
    rule = config.windows
    names = [] if rule is None else [name for name in (rule.group, rule.time) if name]
    return {name: table.column(name) for name in names if name in table.column_names}


def _are_cut(table: pa.Table, rule: WindowsConfig) -> bool:
    names = table.column_names
    return rule.name in names and is_list(table.schema.field(rule.name).type)


def _recordings(table: pa.Table, config: Config, rule: WindowsConfig) -> list[np.ndarray]:
    """The rows of each recording, in the order of the table."""
    faults = Faults(DataError)
    wanted: dict[tuple[str | int, ...], str | None] = {
        ("time",): rule.time,
        ("group",): rule.group,
        **{("columns", place_): name for place_, name in enumerate(rule.columns)},
    }
    for keys, name in wanted.items():
        if name is not None and name not in table.column_names:
            fix = did_you_mean(name, table.column_names)
            given, allowed = f"column {name!r} is not in the table", listing(table.column_names)
            faults.add(config.at("windows", *keys), given, f"the columns {allowed}", fix)
    if rule.name in table.column_names:
        given = f"{rule.name!r} is a column of the table"
        faults.add(config.at("windows", "name"), given, fix="choose another name for the windows")
    faults.raise_any()
    if rule.group is None:
        return [np.arange(table.num_rows)]
    ids = group_ids(table, rule.group, "windows.group")
    order = np.argsort(ids, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(ids[order])) + 1)


def _channels(table: pa.Table, config: Config, rule: WindowsConfig) -> np.ndarray:
    """The channels of every step, (N, C) float32, NaN where missing."""
    faults, found = Faults(DataError), []
    for place_, name in enumerate(rule.columns):
        try:
            found.append(require_held(name, _numbers(name, table, "channel of the windows")))
        except DataError as error:
            for fault in error.faults:
                faults.add(config.at("windows", "columns", place_), fault)
    faults.raise_any()
    return np.stack(found, axis=1).astype(np.float32)


def _numbers(name: str, table: pa.Table, what: str) -> np.ndarray:
    """A column of numbers, in which words such as NA stand for missing ones."""
    values = table.column(name)
    return as_floats(name, blank_words(values, missing_words(values, "number")), what)


def _require_rising(
    table: pa.Table, rule: WindowsConfig, recordings: list[np.ndarray], when: Times
) -> None:
    """Make sure that time rises within every recording.

    Raises:
        DataError: the first rows without a time, or with one no later than that of the row before.
    """
    faults = Faults(DataError)
    for rows in recordings:
        line = when.instant[rows]
        if np.isnan(line).any():
            row = int(rows[np.argmax(np.isnan(line))])
            faults.add(place(column=rule.time, row=row), "no time", fix="fill it in")
        elif (np.diff(line) <= 0).any():
            at = int(np.argmax(np.diff(line) <= 0)) + 1
            before, row = int(rows[at - 1]), int(rows[at])
            same = line[at] == line[at - 1]
            what = "the same time as" if same else "an earlier time than"
            given = f"{what} row {before}{of(table, rule, row)}"
            fix = "remove one of the two rows" if same else f"sort the table by {rule.time!r}"
            if when.dated and not when.zoned[row] and line[at - 1] - line[at] < 3600:
                fix += ", or write times with their offset from UTC if clocks were put back there"
            if rule.group is None:
                fix += ", or name the column that tells recordings apart as windows.group"
            faults.add(place(column=rule.time, row=row), given, "times that rise", fix)
        if len(faults.found) == SHOWN:
            break
    faults.raise_any()


def _require_long(
    table: pa.Table,
    rule: WindowsConfig,
    recordings: list[np.ndarray],
    found: list[list[np.ndarray]],
) -> None:
    lengths = [sum(map(len, own)) for own in found]
    short = [k for k, length in enumerate(lengths) if length < rule.length]
    if not short:
        return
    names = listing(names_of(table, rule, [recordings[k] for k in short]), SHOWN)
    longest = max(lengths[k] for k in short)
    many = f"{len(short)} recordings have" if len(short) > 1 else "a recording has"
    raise DataError(
        message(
            "windows.length",
            f"{rule.length} given, but {many} no more than {longest} rows{names and ': '}{names}",
            fix="make the windows shorter, or leave these rows out",
        )
    )
