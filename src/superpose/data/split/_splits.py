"""Dividing the rows of a table into training, validation and test, and into folds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from superpose.columns import (
    Times,
    as_floats,
    as_lifetimes,
    as_sets,
    as_steps,
    as_text,
    class_names,
    class_type,
    counted,
    find,
    format_of,
    guess_separator,
    hot,
    in_zone,
    is_text,
    missing,
    plain,
    read_times,
    zone_of,
)
from superpose.config import PLAIN, Config, WindowsConfig
from superpose.data.schema._guessing import missing_words
from superpose.data.schema._guessing_dates import dates_in
from superpose.data.schema._schema import NULL_WORDS, ColumnSpec, Schema, blank_words, has_column
from superpose.errors import DataError, Faults, did_you_mean, listing, message, place
from superpose.kinds import TARGET_KINDS

from ._stratify import deal, deal_groups, marks

PARTS = ("train", "validation", "test")
PART_WORDS = {
    **dict.fromkeys(("train", "training", "fit"), 0),
    **dict.fromkeys(("validation", "valid", "val", "dev", "development"), 1),
    **dict.fromkeys(("test", "testing", "holdout"), 2),
}
# Kinds whose labels are sizes, not classes.
MEASURED = ("number", "count", "survival", "forecast", "vector")
MOST_BLOCKS = 30  # time blocks per part: long enough to outlast the memory of most series


@dataclass(frozen=True)
class Split:
    """Which rows train, choose and test.

    Args:
        train: indices of the rows that models learn from, increasing.
        validation: indices of the rows that choose between models.
        test: indices of the rows that are read once, at the end.
        clusters: for each row of the table the group or the block of time it belongs to, without
            gaps from 0; rows of a cluster depend on each other. None if all rows are independent.
        description: one sentence for the report.
        warnings: what the user should know, one sentence each.
    """

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    clusters: np.ndarray | None
    description: str
    warnings: list[str] = field(default_factory=list)


def make_split(table: pa.Table, config: Config, schema: Schema) -> Split:
    """Divide the rows of a table as the settings say.

    Args:
        table: all rows.
        config: its ``split`` and ``seed`` are read.
        schema: its targets are balanced over the parts, and checked to have labels in each.

    Raises:
        DataError: a part without rows, a column that is not there or can't be used, or a target
            with fewer than two labels or one class among the training rows.
    """
    rule = config.split
    labels = {spec.name: raw_labels(table, spec) for spec in schema.targets}
    rng = np.random.default_rng([config.seed, 0x5EED])  # a stream apart from that of training
    shares = np.array([1 - rule.validation - rule.test, rule.validation, rule.test])
    count = table.num_rows
    clusters = None
    warnings: list[str] = []
    if count < len(PARTS):
        raise DataError(f"table: {count} rows; a split into {', '.join(PARTS)} needs more")
    if rule.by == "random":
        part = deal(np.zeros((count, 0), bool), shares, rng)
        how = "at random"
    elif rule.by == "stratified":
        names = len(labels)
        part = deal(marks(labels), shares, rng)
        how = f"stratified over {names} target{'s' * (names != 1)}"
    elif rule.by == "group":
        clusters = group_ids(table, str(rule.column))
        if clusters.max() + 1 < len(PARTS):
            raise DataError(
                f"split: column {rule.column!r} has {clusters.max() + 1} group(s); at least "
                f"{len(PARTS)} are needed; give another column or split stratified"
            )
        part = deal_groups(marks(labels), clusters, shares, rng=rng)
        how = f"by the {clusters.max() + 1} groups of {rule.column!r}"
    elif rule.by == "time":
        when = times(table, str(rule.column), config=config).instant
        if np.isnan(when).any():
            lost = int(np.isnan(when).sum())
            warnings.append(f"split: {lost} row(s) without {rule.column!r} went to training")
        part, clusters = _by_time(when, shares)
        if config.windows is not None:
            part, lost = purged(part, when, table=table, rule=config.windows)
            if lost:
                warnings.append(
                    f"split: {lost} window(s) look ahead into the next part and are left out"
                )
        how = f"by time in {rule.column!r}, the latest rows for the test"
    else:
        part = _by_column(table, str(rule.column))
        how = f"as column {rule.column!r} says"
        if rule.groups is not None:
            clusters = group_ids(table, rule.groups, "split.groups")
        if not (part == 1).any():
            inside = np.flatnonzero(part == 0)
            marked = marks(_rows(labels, inside))
            held = np.array([shares[0], shares[1]])
            if clusters is None:
                part[inside] = deal(marked, held, rng)
            else:
                ids = np.unique(clusters[inside], return_inverse=True)[1]
                part[inside] = deal_groups(marked, ids, held, rng=rng)
            how += ", validation drawn from the training rows"
    rows = [np.flatnonzero(part == k) for k in range(len(PARTS))]
    sizes = ", ".join(f"{len(r)} {name}" for r, name in zip(rows, PARTS, strict=True))
    empty = [name for r, name in zip(rows, PARTS, strict=True) if not len(r)]
    if empty:
        raise DataError(
            f"split {how}: no rows for {' and '.join(empty)} ({sizes}); give more rows or larger "
            f"shares, or split another way"
        )
    warnings += _check_labels(labels, rows, schema)
    train, validation, test = rows
    if rule.groups is not None and clusters is not None:
        share = float(np.isin(clusters[test], clusters[train]).mean())
        if share:
            warnings.append(
                f"split: {share:.0%} of the test rows share their {rule.groups!r} with training "
                f"rows, so the test flatters answers for new ones; keep each in one part of "
                f"{rule.column!r}"
            )
    return Split(train, validation, test, clusters, f"{how}: {sizes} rows", warnings)


def fold_indices(
    rows: np.ndarray,
    labels: Mapping[str, np.ndarray],
    *,
    k: int,
    repeat_seed: int,
    clusters: np.ndarray | None = None,
) -> np.ndarray:
    """Deal rows to k folds, balanced over all targets, clusters kept whole.

    Args:
        rows: indices of the rows to deal, (n,).
        labels: encoded labels of the whole table by target, from `Codec.labels`.
        k: number of folds, from 2.
        repeat_seed: another seed deals another way.
        clusters: cluster of each row of the whole table, from `Split`.

    Returns:
        Fold of each of the given rows, int (n,), 0 to k - 1.

    Raises:
        DataError: fewer rows or clusters than folds.

    Example:
        >>> labels = {"y": np.array([0.0, 0.0, 1.0, 1.0])}
        >>> folds = fold_indices(np.arange(4), labels, k=2, repeat_seed=0)
        >>> sorted(folds[:2].tolist()), sorted(folds[2:].tolist())
        ([0, 1], [0, 1])
    """
    rows = np.asarray(rows)
    rng = np.random.default_rng([repeat_seed, 0xF01D])
    marked = marks(_rows(labels, rows))
    if clusters is None:
        things = len(rows)
        what = "rows"
    else:
        ids = np.unique(clusters[rows], return_inverse=True)[1]
        things = int(ids.max()) + 1
        what = "groups or blocks of time"
    if not 2 <= k <= things:
        raise DataError(f"folds: {k} given; {things} {what} allow 2 to {things}")
    if clusters is None:
        return deal(marked, np.ones(k), rng)
    return deal_groups(marked, ids, np.ones(k), rng=rng)


def raw_labels(table: pa.Table, spec: ColumnSpec) -> np.ndarray:
    """Labels of a target as numbers without any fitting: class codes, or the numbers themselves.

    Returns:
        float64 (N,) or, for sets of labels and labels of words, (N, L); NaN where missing.
    """
    values = spec.values(table)
    if spec.kind == "survival":
        return as_lifetimes(spec.name, values)
    if spec.kind in ("forecast", "vector"):
        # One number for a row, its first step: what is asked is how large labels are.
        steps = as_steps(spec.name, values, 1)
        found = np.full(len(values), np.nan)
        found[steps.rows[::-1]] = steps.values[::-1, 0]
        return found
    if spec.kind in ("number", "count"):
        numbers = as_floats(spec.name, values, spec.kind)
        return np.where(np.isfinite(numbers), numbers, np.nan)
    if spec.kind in ("multilabel", "tokens"):
        # Of the labels of words, which of them a row has.
        given = " " if spec.kind == "tokens" else spec.options.get("separator")
        members, rows = as_sets(values, given or guess_separator(values))
        return hot(members, rows, gone=missing(values), levels=counted(members)[0]).astype(
            np.float64
        )
    if TARGET_KINDS[spec.kind].needs_folder or TARGET_KINDS[spec.kind].needs_source:
        # Labels that are not in the column alone are not opened for this: whether a row has any.
        return np.where(missing(values), np.nan, 0.0)[:, None]
    return _codes(class_names(values, class_type(values)))


def _codes(text: pa.Array) -> np.ndarray:
    index = find(text, sorted(counted(text)[0]))
    return np.where(index < 0, np.nan, index)


def group_ids(table: pa.Table, column: str, setting: str = "split.column") -> np.ndarray:
    """Number the distinct values of a column from 0; each row without a value is its own group."""
    text = as_text(_column(table, column, setting))
    ids = _codes(text)
    alone = np.isnan(ids)
    ids[alone] = np.arange(alone.sum()) + (np.nanmax(ids, initial=-1) + 1)
    return ids.astype(np.int64)


def _rows(labels: Mapping[str, np.ndarray], rows: np.ndarray) -> dict[str, np.ndarray]:
    return {name: np.asarray(y)[rows] for name, y in labels.items()}


def _column(table: pa.Table, name: str, setting: str = "split.column") -> pa.ChunkedArray:
    if not has_column(table, name):
        hint = did_you_mean(name, table.column_names)
        raise DataError(
            message(
                setting,
                f"{name!r} is not in the table",
                fix=hint or f"its columns are {listing(table.column_names)}",
            )
        )
    return blank_words(table.column(name), NULL_WORDS)


def times(
    table: pa.Table, name: str, *, config: Config | None = None, setting: str = "split.column"
) -> Times:
    """A column of times: dates as points in time, numbers as they are.

    Args:
        table: the rows.
        name: name of the column.
        config: where the column is declared as kind date, with its format and zone, or is the time
            of windows, with the format that was found in the training rows.
        setting: the setting that names the column, for the message.

    Raises:
        DataError: no such column, or a value that is no time, with its row.
    """
    values = _column(table, name, setting)
    values = plain(blank_words(values, missing_words(values, "date")))
    told = _declared_date(config, name)
    kept = None if pa.types.is_temporal(values.type) else _kept_format(config, name)
    try:
        if told is None and kept == PLAIN:
            return _numbers(as_floats(name, values))
        if told is None and kept is not None:
            when = read_times(name, values, kept)
            zone_of(name, when)  # says so where some rows have a zone and others none
            return replace(when, format=kept)
        found = None if told is not None else dates_in(name, values)
        if told is None and found is None and not is_text(values.type):
            return _numbers(as_floats(name, values))
        if found is not None:
            values = blank_words(values, found.strangers)
            told = found.options
        elif told is None:
            try:
                return _numbers(as_floats(name, values))
            except DataError:
                told = {}
        format = told.get("format", kept) or format_of(name, values)
        when = replace(read_times(name, values, format), format=format)
        return when if told.get("zone") is None else in_zone(name, when, told["zone"])[0]
    except DataError as error:
        given = str(error).split("; ")[0]
        fix = "mend the value, declare its column as date with a `format:`, or name another column"
        raise DataError(message(setting, given, fix=fix)) from None


def _numbers(values: np.ndarray) -> Times:
    return Times(values, np.full(len(values), np.nan), dated=False, format=PLAIN)


def _declared_date(config: Config | None, name: str) -> dict[str, Any] | None:
    """The options of a column that the settings declare as kind date, else None."""
    if config is None or config.inputs == "auto":
        return None
    found = [
        column for column in config.inputs if column.name == name and column.declared_kind == "date"
    ]
    return found[0].options if found else None


def _kept_format(config: Config | None, name: str) -> str | None:
    """How the time of windows is written, as the settings or the training rows have it."""
    rule = None if config is None else config.windows
    return rule.format if rule is not None and rule.time == name else None


def _by_time(when: np.ndarray, shares: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cut the time line; rows of the same moment stay together, rows without time come first."""
    when = np.where(np.isnan(when), -np.inf, when)
    order = np.argsort(when, kind="stable")
    line = when[order]
    part = np.zeros(len(when), int)
    for k, end in enumerate(np.cumsum(shares)[:-1]):
        cut = min(round(end * len(line)), len(line) - 1)
        moment = line[cut]
        # The moment that the cut falls into goes wholly to the side where more of it lies.
        first = np.searchsorted(line, moment)
        last = np.searchsorted(line, moment, side="right")
        cut = first if cut - first <= last - cut else last
        part[order[cut:]] = k + 1
    clusters = np.empty(len(when), np.int64)
    used = 0
    for k in range(len(shares)):
        rows = order[part[order] == k]
        # Two at least: a paired test needs something to compare between.
        blocks = int(np.clip(np.sqrt(len(rows)), min(2, len(rows)), MOST_BLOCKS))
        clusters[rows] = used + np.arange(len(rows)) * blocks // max(len(rows), 1)
        used += blocks if len(rows) else 0
    return part, clusters


def purged(
    part: np.ndarray, when: np.ndarray, *, table: pa.Table, rule: WindowsConfig
) -> tuple[np.ndarray, int]:
    """Take out of a part the windows whose forecasts are of times of the next part.

    Args:
        part: part of each row, (N,).
        when: time of each row, (N,).
        table: the rows.
        rule: how they were cut.

    Returns:
        The parts, -1 where a row is left out, and how many are.
    """
    # So many windows before the end of a part reach beyond it.
    reach = math.ceil(max(rule.horizons, default=0) / rule.step)
    if not reach:
        return part, 0
    alone = rule.group is None
    ids = np.zeros(len(part), int) if alone else group_ids(table, str(rule.group))
    out = part.copy()
    for k in range(len(PARTS) - 1):
        for group in np.unique(ids):
            rows = np.flatnonzero((part == k) & (ids == group))
            rows = rows[np.argsort(when[rows], kind="stable")]
            out[rows[max(len(rows) - reach, 0) :]] = -1
    return out, int((out < 0).sum())


def _by_column(table: pa.Table, name: str) -> np.ndarray:
    words = pc.utf8_lower(pc.utf8_trim_whitespace(as_text(_column(table, name))))
    index = find(words, list(PART_WORDS))
    if (index < 0).any():
        row = int(np.argmax(index < 0))
        raise DataError(
            message(
                place(column=name, row=row),
                f"{words[row].as_py()!r} names no part of a split",
                ", ".join(PARTS),
            )
        )
    return np.array(list(PART_WORDS.values()))[index]


def _check_labels(
    labels: Mapping[str, np.ndarray], rows: list[np.ndarray], schema: Schema
) -> list[str]:
    """Refuse targets that can't be learned, and name those that can't be judged."""
    faults = Faults(DataError)
    warnings = []
    classes = {spec.name for spec in schema.targets if spec.kind not in MEASURED}
    for name, y in labels.items():
        for part, index in zip(PARTS, rows, strict=True):
            held = y[index]
            present = ~np.isnan(held)
            count = int(present.sum() if held.ndim == 1 else present.any(axis=1).sum())
            same = held.ndim == 1 and count > 0 and np.nanmin(held) == np.nanmax(held)
            what = f"{'no' if count == 0 else count} label{'s' * (count != 1)}"
            if part == "train" and (count < 2 or same):
                faults.add(
                    f"target {name!r}",
                    f"{what} in the {len(index)} training rows"
                    + (", all the same" if same and count > 1 else ""),
                    "at least 2 labels that differ",
                    fix="give more rows, split another way, or take the target out",
                )
            elif part != "train" and (count == 0 or (same and name in classes)):
                warnings.append(
                    f"target {name!r}: {what}{' of one class' * bool(same)} among the {part} rows; "
                    f"it can't be judged there"
                )
    faults.raise_any()
    return warnings
