"""How much of many targets the bins of one input explain: a quick look at all pairs at once.

Half of the rows give the means of the bins, the other half tells how well they predict.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

BINS = 64
MOST_CLASSES = 20  # of a target, the most frequent; a disguise shows in any of them
MOST_CELLS = 4_000_000  # of an array, rows by columns: 32 MB


@dataclass
class Alike:
    """Targets with labels in the same rows, each as the columns that bins are to explain.

    Args:
        rows: Rows (n,) with labels.
        targets: Position of each column's target, (L,), increasing.
        ranked: Whether each column holds ranks, as those of a target that is measured do, (L,).
        columns: Ranks of labels, or 1 where a row has a class, (n, L). Ranks, because the few rows
            of a long tail would decide about the values themselves.
    """

    rows: np.ndarray
    targets: np.ndarray
    ranked: np.ndarray
    columns: np.ndarray

    def shares(self, x: np.ndarray, numeric: bool) -> dict[int, float]:
        """The share of each target's variance that the bins of an input explain.

        Args:
            x: Numbers, or codes of categories, NaN where missing, for all rows of the table.
            numeric: Whether they are numbers, which are put into bins of equal size.
        """
        x = x[self.rows]
        known = ~np.isnan(x)
        x = x[known]
        columns = self.columns[known]
        if len(x) < 2 or x.min() == x.max():
            return {}
        if not known.all():
            for k in np.flatnonzero(self.ranked):
                columns[:, k] = ranks(columns[:, k])
        codes = bins(x) if numeric else x.astype(np.int64)
        shares = explained(columns[1::2], bin_means(codes, columns)[1::2])
        first = np.flatnonzero(np.diff(self.targets, prepend=-1))
        best = np.maximum.reduceat(shares, first)
        return dict(zip(self.targets[first].tolist(), best.tolist(), strict=True))


def alike(labels: Sequence[np.ndarray], measured: Sequence[bool]) -> Iterator[Alike]:
    """Put targets together that have labels in the same rows.

    Args:
        labels: Labels (N,) of each target, NaN where missing.
        measured: Whether the labels of each are sizes, not classes.
    """
    groups: dict[bytes, list[int]] = {}
    for target, y in enumerate(labels):
        groups.setdefault(np.isnan(y).tobytes(), []).append(target)
    for targets in groups.values():
        rows = np.flatnonzero(~np.isnan(labels[targets[0]]))
        own: list[int] = []
        parts: list[np.ndarray] = []
        for target in targets:
            y = labels[target][rows]
            parts.append(ranks(y)[:, None] if measured[target] else indicators(y))
            own += [target] * parts[-1].shape[1]
            if len(own) * len(rows) > MOST_CELLS or target == targets[-1]:
                if len(rows) and own:
                    ranked = np.array([measured[t] for t in own])
                    yield Alike(rows, np.array(own), ranked, np.concatenate(parts, axis=1))
                own, parts = [], []


def ranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 0, equal values share their mean rank."""
    _, index, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts + 1) / 2)[index]


def indicators(y: np.ndarray) -> np.ndarray:
    """One column of 0 and 1 per class; of two classes the second is enough."""
    values, counts = np.unique(y, return_counts=True)
    if len(values) == 2:
        values = values[1:]
    elif len(values) > MOST_CLASSES:
        values = values[np.argsort(-counts, kind="stable")[:MOST_CLASSES]]
    return (y[:, None] == values).astype(np.float64)


def bins(x: np.ndarray) -> np.ndarray:
    """The bin of each number; bins have about as many rows."""
    count = min(BINS, len(x) // 8)  # so that a bin holds rows of both halves
    inner = np.unique(np.quantile(x, np.linspace(0, 1, count + 1)[1:-1]))
    return np.searchsorted(inner, x, side="right")


def bin_means(
    codes: np.ndarray, columns: np.ndarray, rows: np.ndarray | slice = slice(None, None, 2)
) -> np.ndarray:
    """Means of some rows of each bin, by default the even ones, for every row: (N, L)."""
    learn, part = codes[rows], columns[rows]
    order = np.argsort(learn, kind="stable")
    there, first, count = np.unique(learn[order], return_index=True, return_counts=True)
    means = np.broadcast_to(part.mean(axis=0), (int(codes.max()) + 1, part.shape[1])).copy()
    means[there] = np.add.reduceat(part[order], first, axis=0) / count[:, None]
    return np.asarray(means[codes])


def explained(y: np.ndarray, guess: np.ndarray) -> np.ndarray:
    """The share of the variance of each column (L,) that a guess explains; -1 without any."""
    total = ((y - y.mean(axis=0)) ** 2).sum(axis=0)
    return 1 - ((y - guess) ** 2).sum(axis=0) / np.where(total > 0, total, np.inf) - (total == 0)
