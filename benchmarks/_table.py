"""One benchmark table: a frame, the kinds of its targets, and the rule that splits its rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

PARTS = ("train", "validation", "test")
Splitter = Callable[["Table", int], np.ndarray]


@dataclass(frozen=True)
class Table:
    """One data set, ready for any method.

    Args:
        name: short name of the table, used in file names.
        frame: input columns and target columns; text columns are categories.
        targets: target column -> kind (number, count, binary, category, ordinal).
        splitter: gives an array of `PARTS` names, one per row, for a seed.
        rule: the split in words.
        levels: ordered class names of the ordinal targets, low to high.
        note: what was left out or cut.
        clusters: an id per row; rows of one cluster are not independent (same subject,
            same week) and the paired tests resample whole clusters. None: rows are independent.
    """

    name: str
    frame: pd.DataFrame
    targets: dict[str, str]
    splitter: Splitter
    rule: str
    levels: dict[str, list[str]] = field(default_factory=dict)
    note: str = ""
    clusters: np.ndarray | None = None

    @property
    def inputs(self) -> list[str]:
        """Names of the input columns."""
        return [name for name in self.frame.columns if name not in self.targets]

    @property
    def categories(self) -> list[str]:
        """Names of the input columns that hold category names."""
        numeric = pd.api.types.is_numeric_dtype
        return [name for name in self.inputs if not numeric(self.frame[name])]

    def split(self, seed: int) -> np.ndarray:
        """Part of every row ("train", "validation" or "test") for `seed`."""
        return self.splitter(self, seed)

    def classes(self, target: str) -> list[str] | None:
        """Class names of a target in the order of its predicted columns; None for numbers."""
        kind = self.targets[target]
        if kind in ("number", "count"):
            return None
        if kind == "binary":
            return ["0", "1"]
        if kind == "ordinal":
            return self.levels[target]
        return sorted(self.frame[target].dropna().astype(str).unique())

    def labels(self, target: str) -> np.ndarray:
        """Labels as float64: values for numbers and counts, else class indices; NaN missing."""
        classes = self.classes(target)
        column = self.frame[target]
        if classes is None or self.targets[target] == "binary":
            return column.to_numpy(dtype=np.float64, na_value=np.nan)
        index = {name: float(i) for i, name in enumerate(classes)}
        return column.map(index).to_numpy(dtype=np.float64, na_value=np.nan)


def name_parts(rows: int, validation: np.ndarray, test: np.ndarray) -> np.ndarray:
    parts = np.full(rows, PARTS[0], dtype=object)
    parts[validation] = PARTS[1]
    parts[test] = PARTS[2]
    return parts


def cut_parts(parts: np.ndarray, cap: int, seed: int) -> np.ndarray:
    """Row numbers in order: `cap` training rows and a quarter of that to validate, all test rows.

    Shape: (rows,) of part names -> (kept rows,).
    """
    rng = np.random.default_rng([seed, 2])
    kept = [np.flatnonzero(parts == "test")]
    for name, most in (("train", cap), ("validation", cap // 4)):
        rows = np.flatnonzero(parts == name)
        kept.append(rows if len(rows) <= most else rng.choice(rows, most, replace=False))
    return np.sort(np.concatenate(kept))


def capped(table: Table, cap: int) -> Table:
    """The table with at most `cap` training rows and a quarter of that to validate, by seed.

    The other rows are in a part of their own, "left out", so that row numbers stay.
    """

    def fewer(whole: Table, seed: int) -> np.ndarray:
        parts = table.split(seed)
        out = np.full(len(parts), "left out", dtype=object)
        kept = cut_parts(parts, cap, seed)
        out[kept] = parts[kept]
        return out

    note = f"at most {cap:,} training rows and {cap // 4:,} to validate, drawn by seed"
    return replace(table, splitter=fewer, note="; ".join(filter(None, [table.note, note])))


def taken(table: Table, seed: int) -> tuple[Table, np.ndarray]:
    """The table without the rows that are in no part, and the part of every row that is left."""
    parts = table.split(seed)
    used = np.isin(parts, PARTS)
    clusters = None if table.clusters is None else table.clusters[used]
    frame = table.frame[used].reset_index(drop=True)
    return replace(table, frame=frame, clusters=clusters), parts[used]


def _strata(table: Table) -> np.ndarray:
    """The rarest class of each row over all class targets, to have rare labels in every part."""
    rows = len(table.frame)
    best = np.full(rows, rows + 1)
    strata = np.zeros(rows, dtype=int)
    for number, (target, kind) in enumerate(table.targets.items(), start=1):
        if kind in ("number", "count"):
            continue
        labels = table.labels(target)
        for value in np.unique(labels[~np.isnan(labels)]):
            member = labels == value
            rarer = member & (member.sum() < best)
            best[rarer] = member.sum()
            strata[rarer] = number * 1000 + int(value)
    return strata


def random_split(table: Table, seed: int) -> np.ndarray:
    """60/20/20 at random, within strata of the rarest class of each row."""
    rng = np.random.default_rng(seed)
    strata = _strata(table)
    shuffled = rng.permutation(len(strata))
    # A stable sort keeps the random order inside each stratum; taking every fifth row of the
    # result then gives each part its share of every stratum to within one row.
    ordered = shuffled[np.argsort(strata[shuffled], kind="stable")]
    turn = (np.arange(len(ordered)) + rng.integers(5)) % 5
    return name_parts(len(strata), ordered[turn == 0], ordered[turn == 1])


def grouped_split(table: Table, seed: int) -> np.ndarray:
    """60/20/20 of the clusters at random."""
    assert table.clusters is not None
    names, member = np.unique(table.clusters, return_inverse=True)
    turn = np.random.default_rng(seed).permutation(len(names))
    fifth = len(names) / 5
    draw = turn[member]
    return name_parts(len(member), draw < fifth, (draw >= fifth) & (draw < 2 * fifth))
