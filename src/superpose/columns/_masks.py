"""Maps of class ids: as text with runs, on locations of a map, and at the size of an image."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np

from superpose.errors import listing, location, message

from ._values import Column, is_text

MOST_SAMPLES = 4  # on a side of a location; each votes for its class
ROWS_AT_ONCE = 64  # masks that are brought to the size of the image at once
VOID = -1
USUAL_VOID = 255  # the id without a class in most published masks
LOSSY = re.compile(r"(?i)\.jpe?g$")
_FILE = re.compile(r"(?i)\.(png|bmp|gif|tiff?|jpe?g|webp)$")
_RUNS = re.compile(r"\d+x\d+( (\d+|-)\*\d+)+")


def is_runs(text: str) -> bool:
    """Whether a text is a mask written by `as_runs`, not the path of a file."""
    return _RUNS.fullmatch(text) is not None


def holds_masks(values: Column) -> bool:
    """Whether a column begins with a mask as text, or with the name of a file of one.

    Example:
        >>> import pyarrow as pa
        >>> holds_masks(pa.chunked_array([["2x3 7*4 0*1 -*1"]]))
        True
    """
    if not is_text(values.type):
        return False
    first = values.drop_null().slice(0, 1).to_pylist()
    return any(is_runs(text) or _FILE.search(text) for text in first)


def as_runs(ids: np.ndarray) -> str:
    """Write class ids (H, W) as text: the size, then each class with the pixels it runs on for.

    Example:
        >>> as_runs(np.array([[7, 7, 7], [7, 0, -1]]))
        '2x3 7*4 0*1 -*1'
    """
    flat = np.asarray(ids).ravel()
    starts = np.flatnonzero(np.diff(flat, prepend=flat[0] - 1))
    lengths = np.diff(starts, append=len(flat))
    names = ["-" if i == VOID else str(i) for i in flat[starts].tolist()]
    runs = [f"{name}*{length}" for name, length in zip(names, lengths.tolist(), strict=True)]
    return " ".join([f"{ids.shape[0]}x{ids.shape[1]}", *runs])


def mask_array(text: str) -> np.ndarray:
    """Read a predicted mask as class ids, int32 (H, W), -1 where there is none.

    Args:
        text: what `predict` gives for a target of kind mask: the height and width, then each class
            id with the number of pixels that it runs on for, row by row.

    Raises:
        ValueError: the runs don't fill the size.

    Example:
        >>> mask_array("2x3 7*4 0*1 -*1").tolist()
        [[7, 7, 7], [7, 0, -1]]
    """
    size, *runs = text.split()
    high, wide = map(int, size.split("x"))
    pairs = [run.split("*") for run in runs]
    ids = np.array([VOID if i == "-" else int(i) for i, _ in pairs], np.int32)
    lengths = np.array([int(n) for _, n in pairs])
    if lengths.sum() != high * wide:
        raise ValueError(f"the runs fill {lengths.sum()} pixels of {high} x {wide}")
    return np.repeat(ids, lengths).reshape(high, wide)


class ChosenIds(NamedTuple):
    """Which ids of masks are classes and which are none, and the sentences on that."""

    ids: list[int]
    void: list[int]
    notes: list[str]
    conversions: list[str]


def choose_ids(
    column: str,
    masks: Iterable[np.ndarray],
    *,
    levels: Sequence[str] | None,
    void: int | Sequence[int] | None,
) -> ChosenIds:
    """Decide which ids of the masks of training rows are classes.

    Without ``void`` 255 is none, but where masks hold 0 and 255 only: there it is the second class,
    as in drawings in black and white.

    Args:
        column: name of the target, for messages.
        masks: class ids.
        levels: names of the classes, of id 0 first, where they are declared.
        void: the ids without a class, where they are declared.

    Example:
        >>> masks = [np.array([[0, 255]])]
        >>> choose_ids("cells", masks, levels=["ground", "cell"], void=None)[:2]
        ([0, 255], [])
    """
    counts = Counter[int]()
    for ids in masks:
        there, many = np.unique(ids, return_counts=True)
        counts.update(dict(zip(there.tolist(), many.tolist(), strict=True)))
    del counts[VOID]
    where = location(column=column)
    notes: list[str] = []
    conversions: list[str] = []
    two = set(counts) == {0, USUAL_VOID} and (levels is None or len(levels) == 2)
    if void is None and two:
        given = f"masks hold 0 and {USUAL_VOID} only, which are read as two classes"
        fix = f"to have no class at {USUAL_VOID}, write `void: {USUAL_VOID}`"
        return ChosenIds([0, USUAL_VOID], [], [], [message(where, given, fix=fix)])
    if void is None and counts[USUAL_VOID]:
        share = counts[USUAL_VOID] / counts.total()
        given = f"{share:.1%} of the pixels have the id {USUAL_VOID}, which is read as no class"
        conversions.append(message(where, given, fix="to make it a class, write `void: []`"))
    none = [USUAL_VOID] if void is None else [void] if isinstance(void, int) else list(void)
    if levels is None:
        return ChosenIds(sorted({*counts} - {*none}), none, notes, conversions)
    unseen = [f"{level!r} (id {i})" for i, level in enumerate(levels) if not counts[i]]
    if unseen:
        given = f"no pixel of a training row is of class {listing(unseen)}"
        notes.append(message(f"target {column!r}", given, fix="look at the ids in its masks"))
    return ChosenIds(list(range(len(levels))), none, notes, conversions)


def vote(classes: np.ndarray, grid: tuple[int, int], rank: np.ndarray) -> np.ndarray:
    """The class of each location of a coarser or finer grid, -1 without one, int (h, w).

    Up to 4 x 4 points of a location vote; among classes with as many votes the one of higher rank
    wins, which keeps what is thin and rare from being worn away.

    Args:
        classes: class of each pixel, -1 without one, (H, W).
        grid: height and width in locations.
        rank: of each class, higher for rarer ones, below 1.

    Example:
        >>> vote(np.array([[0, 1], [1, 0]]), (1, 1), np.array([0.1, 0.2])).tolist()
        [[1]]
    """
    parts = []
    for side, count in zip(classes.shape, grid, strict=True):
        k = int(np.clip(round(side / count), 1, MOST_SAMPLES))
        parts.append(np.floor((np.arange(count * k) + 0.5) / (count * k) * side).astype(int))
    points = classes[np.ix_(*parts)]
    high, wide = grid
    points = points.reshape(high, len(parts[0]) // high, wide, len(parts[1]) // wide)
    points = points.transpose(0, 2, 1, 3).reshape(high, wide, -1)
    there = np.unique(points)
    votes = np.stack([(points == c).sum(-1) + (rank[c] if c >= 0 else 0.0) for c in there])
    return np.asarray(there[votes.argmax(axis=0)])


def by_rows(what: Callable[..., np.ndarray], y: np.ndarray, pred: np.ndarray) -> np.ndarray:
    """Compute a few rows at a time: a copy of all locations of all rows would fill the memory."""
    cuts = range(0, len(y), ROWS_AT_ONCE)
    parts = [what(y[n : n + ROWS_AT_ONCE], pred[n : n + ROWS_AT_ONCE]) for n in cuts]
    return np.concatenate([np.zeros(0), *parts])
