"""Recordings: the rows of a long table that follow each other in time, and their names in words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from superpose.columns import Times
from superpose.config import Config, WindowsConfig
from superpose.data.split._split_columns import group_ids
from superpose.data.split._times import times
from superpose.errors import DataError, Faults, did_you_mean, listing, location

SHOWN = 4  # recordings that one message names


@dataclass(frozen=True)
class Recordings:
    """A long table by recording.

    Args:
        table: a row for each step.
        rule: how windows are cut.
        rows: the rows of each recording, in the order of time.
        when: the time of each row of the table.
    """

    table: pa.Table
    rule: WindowsConfig
    rows: list[np.ndarray]
    when: Times

    def __len__(self) -> int:
        return len(self.rows)

    def names(self, which: list[int]) -> str:
        """Some recordings in words; nothing where the table is one recording."""
        if self.rule.group is None:
            return ""
        groups = self.table.column(self.rule.group)
        names = [f"{self.rule.group} {groups[int(self.rows[k][0])].as_py()}" for k in which]
        return listing(names, SHOWN)

    def of(self, row: int) -> str:
        """Of which recording a row is, in words."""
        if self.rule.group is None:
            return ""
        return f" of {self.rule.group} {self.table.column(self.rule.group)[row].as_py()}"


def recordings_of(table: pa.Table, config: Config, rule: WindowsConfig) -> Recordings:
    """The recordings of a table whose columns are there.

    Args:
        table: a row for each step.
        config: the settings, for the format of times.
        rule: its windows.

    Raises:
        DataError: the first rows without a time, or with one no later than that of the row before.
    """
    rows = [np.arange(table.num_rows)]
    if rule.group is not None:
        ids = group_ids(table, rule.group, "windows.group")
        order = np.argsort(ids, kind="stable")
        rows = np.split(order, np.flatnonzero(np.diff(ids[order])) + 1)
    when = times(table, rule.time, config=config, setting="windows.time")
    recordings = Recordings(table, rule, rows, when)
    _require_rising(recordings)
    return recordings


def require_columns(table: pa.Table, config: Config, rule: WindowsConfig) -> None:
    """Makes sure that a table has the columns that windows are cut of, and none of their name.

    Raises:
        DataError: every column that is missing, with its location in the settings.
    """
    faults = Faults(DataError)
    wanted: dict[tuple[str | int, ...], str | None] = {
        ("time",): rule.time,
        ("group",): rule.group,
        **{("columns", index): name for index, name in enumerate(rule.columns)},
    }
    for keys, name in wanted.items():
        if name is not None and name not in table.column_names:
            fix = did_you_mean(name, table.column_names)
            given = f"column {name!r} is not in the table"
            allowed = f"the columns {listing(table.column_names)}"
            faults.add(config.at("windows", *keys), given, allowed, fix=fix)
    if rule.name in table.column_names:
        given = f"{rule.name!r} is a column of the table"
        faults.add(config.at("windows", "name"), given, fix="choose another name for the windows")
    faults.raise_any()


def _require_rising(recordings: Recordings) -> None:
    """Makes sure that time rises within every recording.

    Raises:
        DataError: the first rows without a time, or with one no later than that of the row before.
    """
    faults = Faults(DataError)
    column = recordings.rule.time
    for rows in recordings.rows:
        line = recordings.when.instant[rows]
        if np.isnan(line).any():
            row = int(rows[np.argmax(np.isnan(line))])
            faults.add(location(column=column, row=row), "no time", fix="fill it in")
        elif (np.diff(line) <= 0).any():
            at = int(np.argmax(np.diff(line) <= 0)) + 1
            row = int(rows[at])
            same = line[at] == line[at - 1]
            what = "the same time as" if same else "an earlier time than"
            given = f"{what} row {int(rows[at - 1])}{recordings.of(row)}"
            fix = _way_out(recordings, row, back=line[at - 1] - line[at])
            faults.add(location(column=column, row=row), given, "times that rise", fix=fix)
        if len(faults.messages) == SHOWN:
            break
    faults.raise_any()


def _way_out(recordings: Recordings, row: int, *, back: float) -> str:
    """What to do about a row whose time lies `back` seconds before that of the row above it."""
    rule = recordings.rule
    fix = f"sort the table by {rule.time!r}" if back else "remove one of the two rows"
    if recordings.when.dated and not recordings.when.zoned[row] and back < 3600:
        fix += ", or write times with their offset from UTC if clocks were put back there"
    if rule.group is None:
        fix += ", or name the column that tells recordings apart as windows.group"
    return fix
