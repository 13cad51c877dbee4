"""The ways in which the rows of a table are divided: by chance, by groups, by time, as given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from superpose.columns import Times, as_text, find
from superpose.config import Config
from superpose.errors import DataError, location, message

from ._by_time import cut_time_line, purged
from ._parts import PART_WORDS, PARTS
from ._split_columns import column_of, group_ids
from ._stratify import deal, deal_groups, marks
from ._time_gaps import describe_gaps
from ._times import times


@dataclass(frozen=True)
class Rows:
    """Rows that are to be divided.

    Args:
        table: all of them.
        config: its ``split`` and ``windows`` say how.
        labels: of each target as plain numbers, (N,) or (N, L); they are balanced over the parts.
        shares: of each part.
        rng: deals the rows.
    """

    table: pa.Table
    config: Config
    labels: Mapping[str, np.ndarray]
    shares: np.ndarray
    rng: np.random.Generator

    @property
    def column(self) -> str:
        """The column that the settings name to divide by."""
        return str(self.config.split.column)


@dataclass
class Division:
    """Which part each row goes to.

    Args:
        part: its position among the parts, (N,); -1 where a row is left out.
        how: a few words for the report, such as "at random".
        clusters: the group or block of time of each row, if rows depend on each other.
        when: the time of each row, if time divides them.
        warnings: what the user should know, one sentence each.
    """

    part: np.ndarray
    how: str
    clusters: np.ndarray | None = None
    when: Times | None = None
    warnings: list[str] = field(default_factory=list)


def at_random(rows: Rows) -> Division:
    """Deal rows by chance alone."""
    part = deal(np.zeros((rows.table.num_rows, 0), bool), rows.shares, rows.rng)
    return Division(part, "at random")


def stratified(rows: Rows) -> Division:
    """Deal rows so that every target is balanced."""
    n_targets = len(rows.labels)
    part = deal(marks(rows.labels), rows.shares, rows.rng)
    return Division(part, f"stratified over {n_targets} target{'s' * (n_targets != 1)}")


def by_group(rows: Rows) -> Division:
    """Deal whole groups.

    Raises:
        DataError: no such column, or fewer groups than parts.
    """
    clusters = group_ids(rows.table, rows.column)
    n_groups = int(clusters.max()) + 1
    if n_groups < len(PARTS):
        given = f"column {rows.column!r} has {n_groups} group{'s' * (n_groups != 1)}"
        fix = "name another column, or write `by: stratified`"
        raise DataError(message("split", given, f"at least {len(PARTS)}, one a part", fix=fix))
    part = deal_groups(marks(rows.labels), clusters, rows.shares, rng=rows.rng)
    return Division(part, f"by the {n_groups} groups of {rows.column!r}", clusters)


def by_time(rows: Rows) -> Division:
    """Cut the time line, the latest rows for the test.

    Raises:
        DataError: no such column, a value that is no time, or fewer times than parts.
    """
    column = times(rows.table, rows.column, config=rows.config)
    when = column.instant
    n_undated = int(np.isnan(when).sum())
    n_times = len(np.unique(when)) - (n_undated > 0)  # rows without one are a time of their own
    if n_times + (n_undated > 0) < len(PARTS):
        given = f"column {rows.column!r} has {n_times} different time{'s' * (n_times != 1)}"
        fix = "name another column, or write `by: stratified`"
        raise DataError(message("split", given, f"at least {len(PARTS)}, one a part", fix=fix))
    part, clusters = cut_time_line(when, rows.shares)
    how = f"by time in {rows.column!r}, the latest rows for the test"
    division = Division(part, how, clusters, column)
    if n_undated:
        division.warnings.append(
            f"split: {n_undated} row(s) without {rows.column!r} went to training"
        )
    windows = rows.config.windows
    if windows is None:  # else the windows have been cut at gaps, with a sentence on them
        gaps = describe_gaps(rows.column, column)
        division.warnings.extend([] if gaps is None else [gaps])
    else:
        division.part, n_purged = purged(part, when, table=rows.table, rule=windows)
        if n_purged:
            division.warnings.append(
                f"split: {n_purged} window(s) look ahead into the next part and are left out"
            )
    return division


def by_column(rows: Rows) -> Division:
    """Take the parts from a column of words; validation is drawn where no row has its word.

    Raises:
        DataError: no such column, a word that names no part, with its row, or one group only to
            draw from.
    """
    groups = rows.config.split.groups
    division = Division(
        _named_parts(rows.table, rows.column),
        f"as column {rows.column!r} says",
        None if groups is None else group_ids(rows.table, groups, "split.groups"),
    )
    if not (division.part == 1).any():
        _draw_validation(division, rows)
        division.how += ", validation drawn from the training rows"
    return division


def _named_parts(table: pa.Table, name: str) -> np.ndarray:
    words = pc.utf8_lower(pc.utf8_trim_whitespace(as_text(column_of(table, name))))
    index = find(words, list(PART_WORDS))
    if (index < 0).any():
        row = int(np.argmax(index < 0))
        raise DataError(
            message(
                location(column=name, row=row),
                f"{words[row].as_py()!r} names no part of a split",
                ", ".join(PARTS),
            )
        )
    return np.array(list(PART_WORDS.values()))[index]


def _draw_validation(division: Division, rows: Rows) -> None:
    """Deal the training rows of a division to training and validation."""
    train = np.flatnonzero(division.part == 0)
    groups = rows.config.split.groups
    if division.clusters is not None and len(np.unique(division.clusters[train])) < 2:
        given = f"the training rows are of one group of {groups!r} only"
        fix = (
            f"give rows of more groups, name validation rows in {rows.column!r}, or remove `groups`"
        )
        raise DataError(message("split.groups", given, "a group to validate on too", fix=fix))
    marked = marks(rows_of(rows.labels, train))
    shares = rows.shares[:2].copy()
    if division.clusters is None:
        division.part[train] = deal(marked, shares, rows.rng)
    else:
        ids = np.unique(division.clusters[train], return_inverse=True)[1]
        division.part[train] = deal_groups(marked, ids, shares, rng=rows.rng)


def rows_of(labels: Mapping[str, np.ndarray], rows: np.ndarray) -> dict[str, np.ndarray]:
    """The labels of some rows."""
    return {name: np.asarray(y)[rows] for name, y in labels.items()}


WAYS: dict[str, Callable[[Rows], Division]] = {
    "random": at_random,
    "stratified": stratified,
    "group": by_group,
    "time": by_time,
    "column": by_column,
}
"""How rows are divided, by the word of the settings."""
