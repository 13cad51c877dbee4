"""Dividing the rows of a table into training, validation and test, and into folds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from superpose.columns import Times
from superpose.config import Config, SplitConfig
from superpose.data.schema._schema import Schema
from superpose.errors import DataError, Faults
from superpose.kinds import TARGET_KINDS

from ._parts import PARTS
from ._split_columns import raw_labels
from ._stratify import deal, deal_groups, marks
from ._ways import WAYS, Rows, rows_of

FEWEST_GROUPS = 3  # in the test; fewer tell next to nothing of others


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
        when: the time of each row of the table, where time divides them.
    """

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    clusters: np.ndarray | None
    description: str
    warnings: list[str] = field(default_factory=list)
    when: Times | None = None

    @property
    def before_test(self) -> np.ndarray:
        """Indices of the training and validation rows, increasing."""
        return np.sort(np.concatenate([self.train, self.validation]))


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
    if table.num_rows < len(PARTS):
        raise DataError(f"table: {table.num_rows} rows; a split into {', '.join(PARTS)} needs more")
    rows = Rows(
        table,
        config,
        labels={spec.name: raw_labels(table, spec) for spec in schema.targets},
        shares=np.array([1 - rule.validation - rule.test, rule.validation, rule.test]),
        rng=np.random.default_rng([config.seed, 0x5EED]),  # a stream apart from that of training
    )
    division = WAYS[rule.by](rows)
    parts = {name: np.flatnonzero(division.part == k) for k, name in enumerate(PARTS)}
    sizes = ", ".join(f"{len(index)} {name}" for name, index in parts.items())
    empty = [name for name, index in parts.items() if not len(index)]
    if empty:
        raise DataError(
            f"split {division.how}: no rows for {' and '.join(empty)} ({sizes}); give more rows "
            f"or larger shares, or split another way"
        )
    split = Split(
        **parts,
        clusters=division.clusters,
        description=f"{division.how}: {sizes} rows{_groups_of(parts, division.clusters, rule)}",
        warnings=[*division.warnings, *_check_labels(rows.labels, parts, schema)],
        when=division.when,
    )
    split.warnings.extend(_check_groups(split, rule))
    return split


def _group_column(rule: SplitConfig) -> str | None:
    """The column whose equal values depend on each other."""
    return rule.column if rule.by == "group" else rule.groups


def _groups_of(
    parts: Mapping[str, np.ndarray], clusters: np.ndarray | None, rule: SplitConfig
) -> str:
    """How many groups each part has, in words; nothing without groups."""
    if _group_column(rule) is None or clusters is None:
        return ""
    *first, last = (len(np.unique(clusters[index])) for index in parts.values())
    return f" of {', '.join(map(str, first))} and {last} groups"


def _check_groups(split: Split, rule: SplitConfig) -> list[str]:
    """Say where test rows share a group with training rows, and where they are of few groups."""
    column = _group_column(rule)
    if column is None or split.clusters is None:
        return []
    warnings = []
    share = float(np.isin(split.clusters[split.test], split.clusters[split.train]).mean())
    if share:
        warnings.append(
            f"split: {share:.0%} of the test rows share their {column!r} with training "
            f"rows, so the test flatters predictions for new ones; keep each in one part of "
            f"{rule.column!r}"
        )
    count = len(np.unique(split.clusters[split.test]))
    if count < FEWEST_GROUPS:
        before = len(np.unique(split.clusters[split.before_test]))
        warnings.append(
            f"split: the test rows are of {count} group{'s' * (count != 1)} of {column!r} and the "
            f"others of {before}, so the figures say little about other groups; give more groups"
        )
    return warnings


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
    marked = marks(rows_of(labels, rows))
    if clusters is None:
        n_units = len(rows)
        what = "rows"
    else:
        ids = np.unique(clusters[rows], return_inverse=True)[1]
        n_units = int(ids.max()) + 1
        what = "groups or blocks of time"
    if not 2 <= k <= n_units:
        raise DataError(f"folds: {k} given; {n_units} {what} allow 2 to {n_units}")
    if clusters is None:
        return deal(marked, np.ones(k), rng)
    return deal_groups(marked, ids, np.ones(k), rng=rng)


def _check_labels(
    labels: Mapping[str, np.ndarray], parts: Mapping[str, np.ndarray], schema: Schema
) -> list[str]:
    """Refuse targets that can't be learned, and name those that can't be evaluated."""
    faults = Faults(DataError)
    warnings = []
    classes = {
        spec.name for spec in schema.targets if TARGET_KINDS[spec.kind].hints.scale != "interval"
    }
    for name, y in labels.items():
        for part, index in parts.items():
            own = y[index]
            present = ~np.isnan(own)
            count = int(present.sum() if own.ndim == 1 else present.any(axis=1).sum())
            same = own.ndim == 1 and count > 0 and np.nanmin(own) == np.nanmax(own)
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
                    f"it can't be evaluated there"
                )
    faults.raise_any()
    return warnings
