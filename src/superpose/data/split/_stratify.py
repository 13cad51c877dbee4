"""Dealing rows, or whole groups of rows, to parts so that every target is balanced in each part."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

MOST_CLASSES = 20  # whole-numbered labels with more values are cut at quantiles
FEWEST_PER_BIN = 20  # rows that a quantile bin of a number holds at least
MOST_BINS = 5
MOST_GREEDY = 20_000  # groups; above, chance balances the parts and a loop would take seconds


def marks(labels: Mapping[str, np.ndarray]) -> np.ndarray:
    """Mark for each row which classes or quantile bins its labels fall in.

    Args:
        labels: encoded labels by target, (N,) or (N, L), NaN where missing; a missing label marks
            nothing, so balancing the marks also balances how many labels each part has.

    Shape:
        -> bool (N, number of classes and bins).

    Example:
        >>> marks({"y": np.array([0.0, 1.0, np.nan])}).tolist()
        [[True, False], [False, True], [False, False]]
    """
    columns = [
        _marks_of(column)
        for y in labels.values()
        for column in np.asarray(y, np.float64).reshape(len(y), -1).T
    ]
    return np.concatenate(columns, axis=1)


def _marks_of(y: np.ndarray) -> np.ndarray:
    known = y[~np.isnan(y)]
    values = np.unique(known)
    if len(values) > MOST_CLASSES or (known != np.floor(known)).any():
        bins = int(np.clip(len(known) // FEWEST_PER_BIN, 2, MOST_BINS))
        inner = np.unique(np.quantile(known, np.linspace(0, 1, bins + 1)[1:-1]))
        y = np.where(np.isnan(y), np.nan, np.searchsorted(inner, y, side="right"))
        values = np.arange(len(inner) + 1)
    return y[:, None] == values


def deal(marked: np.ndarray, shares: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Deal rows to parts so that each mark is divided in proportion to the shares.

    The rarest mark still undealt is dealt first, to the parts that want it most. All rows of that
    mark are dealt at once and spread over their other marks, where the source deals one row at a
    time and leaves other marks to chance.

    Args:
        marked: bool (N, L), from `marks`.
        shares: how large each part should be, positive, any scale.

    Returns:
        Part of each row, int (N,).

    Source:
        Sechidis et al., "On the Stratification of Multi-label Data", ECML 2011, algorithm 1.

    Example:
        >>> marked = np.repeat(np.eye(2, dtype=bool), [4, 8], axis=0)
        >>> part = deal(marked, np.ones(2), np.random.default_rng(0))
        >>> np.bincount(part[:4]).tolist(), np.bincount(part[4:]).tolist()
        ([2, 2], [4, 4])
    """
    shares = np.asarray(shares, np.float64) / np.sum(shares)
    part = np.full(len(marked), -1)
    wanted = shares[:, None] * marked.sum(axis=0)
    room = shares * len(marked)
    left = marked.sum(axis=0)
    while left.any():
        label = int(np.argmin(np.where(left > 0, left, np.inf)))
        rows = rng.permutation(np.flatnonzero((part < 0) & marked[:, label]))
        amounts = _apportion(len(rows), wanted[:, label], room, rng=rng)
        part[rows] = _dealt_evenly(rows, amounts, marked=marked, left=left, rng=rng)
        for k in range(len(shares)):
            wanted[k] -= marked[rows[part[rows] == k]].sum(axis=0)
        room = room - amounts
        left = left - marked[rows].sum(axis=0)
    rows = rng.permutation(np.flatnonzero(part < 0))  # rows without any label
    part[rows] = np.repeat(np.arange(len(shares)), _apportion(len(rows), room, room, rng=rng))
    return part


def _dealt_evenly(
    rows: np.ndarray,
    amounts: np.ndarray,
    *,
    marked: np.ndarray,
    left: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Deal rows in the order of their other marks, so that each part gets some of every sort."""
    keys = rng.permutation(np.flatnonzero(left > 0))  # by chance, so that no target is always last
    position = np.empty(len(rows), int)
    position[np.lexsort(marked[np.ix_(rows, keys)].T)] = np.arange(len(rows))
    # Each part's seats stand at even distances along that order.
    seats = [(np.arange(n) + rng.random()) / n for n in amounts if n]
    owner = np.repeat(np.flatnonzero(amounts), amounts[amounts > 0])
    return owner[np.argsort(np.concatenate(seats), kind="stable")][position]


def _apportion(
    count: int, wanted: np.ndarray, room: np.ndarray, *, rng: np.random.Generator
) -> np.ndarray:
    """Divide ``count`` rows in proportion to what each part wants, in whole rows."""
    weight = np.maximum(wanted, 0)
    if weight.sum() <= 0:
        weight = np.maximum(room, 0) + 1e-9
    exact = weight / weight.sum() * count
    amounts = np.floor(exact + 1e-9).astype(int)
    # Largest remainder first; equal remainders go where room is left, then by chance.
    order = np.lexsort((rng.random(len(room)), -room, -np.round(exact - amounts, 6)))
    amounts[order[: count - amounts.sum()]] += 1
    return amounts


def deal_groups(
    marked: np.ndarray, groups: np.ndarray, shares: np.ndarray, *, rng: np.random.Generator
) -> np.ndarray:
    """Deal whole groups to parts, balancing sizes and marks as far as whole groups allow.

    Args:
        marked: bool (N, L), from `marks`.
        groups: group of each row, int (N,), 0 to G - 1 without gaps.
        shares: how large each part should be, positive, any scale.

    Returns:
        Part of each row, int (N,); every part has a group if there are as many groups as parts.

    Example:
        >>> groups = np.repeat(np.arange(4), 5)
        >>> rng = np.random.default_rng(0)
        >>> part = deal_groups(np.ones((20, 1), bool), groups, np.ones(2), rng=rng)
        >>> np.bincount(part).tolist()
        [10, 10]
    """
    shares = np.asarray(shares, np.float64) / np.sum(shares)
    sizes = np.bincount(groups)
    if len(sizes) > MOST_GREEDY:
        order = rng.permutation(len(sizes))
        ends = np.cumsum(shares)[:-1] * len(groups)
        chosen = np.empty(len(sizes), int)
        chosen[order] = np.searchsorted(ends, np.cumsum(sizes[order]) - sizes[order] / 2)
        return chosen[groups]
    counts = np.zeros((len(sizes), 1 + marked.shape[1]))
    counts[:, 0] = sizes
    for label in range(marked.shape[1]):
        counts[:, 1 + label] = np.bincount(groups, weights=marked[:, label], minlength=len(sizes))
    counts /= np.maximum(counts.sum(axis=0), 1)  # every mark, and the size, weighs the same
    counts[:, 0] *= np.sqrt(counts.shape[1])  # but sizes are what a user sees first
    wanted = shares[:, None] * counts.sum(axis=0)
    chosen = np.empty(len(sizes), int)
    # Large groups first, while there is a choice; the noise lets seeds differ.
    for group in np.argsort(-sizes * rng.uniform(0.7, 1.0, len(sizes))):
        cost = ((wanted - counts[group]) ** 2 - wanted**2).sum(axis=1) / shares
        chosen[group] = int(np.argmin(cost))
        wanted[chosen[group]] -= counts[group]
    _fill_empty(chosen, sizes, len(shares))
    return chosen[groups]


def _fill_empty(chosen: np.ndarray, sizes: np.ndarray, parts: int) -> None:
    """Move the smallest group of the part with most groups into each part that has none."""
    for part in range(parts):
        counts = np.bincount(chosen, minlength=parts)
        if counts[part] == 0 and counts.max() > 1:
            donors = np.flatnonzero(chosen == counts.argmax())
            chosen[donors[np.argmin(sizes[donors])]] = part
