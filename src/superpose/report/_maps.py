"""Heat maps of the report, as inline SVG: confusion, attention across targets, importance."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from superpose.record import AttentionRecord, ImportanceRecord

from ._curves import Array
from ._grid import Grid, above, beside
from ._svg import TEXT_WIDTH, coord, drawing, text, tick_label
from ._wording import number, plural

NUMBERED = 10  # up to so many columns, cells carry their number
CLASSES = 16  # a confusion matrix pools the classes beyond the most frequent ones
INPUTS = 25  # inputs that an importance map lists
SINK = "no one (sink)"


def confusion_matrix(counts: Array, labels: Sequence[str], target: str = "") -> str:
    """Returns a confusion matrix: rows true, columns predicted, shaded by share of the true class.

    Args:
        counts: Rows per cell; classes beyond the 16 most frequent are pooled as "other".
        labels: One name per class.
        target: The chart's title.

    Shape:
        counts: (K, K).
    """
    total = float(counts.sum())
    if not total:
        return ""
    counts, names = _pooled(counts, [str(label) for label in labels])
    size = len(names)
    left = beside(names, 12) + 32
    side = min(56.0, (340 - left - 8) / size)
    grid = Grid(left, above(names, side), side, side)
    width = left + side * size + 8
    height = grid.upper + side * size + 26
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    body = [grid.heat(share, 1.0), grid.column_names(names), grid.row_names(names, limit=12)]
    if side >= 26:
        body.append(grid.numbers([[tick_label(float(c)) for c in row] for row in counts], share))
    middle = coord(grid.upper + side * size / 2)
    body.append(f'<text transform="translate(11 {middle})rotate(-90)" class="t m mu">true</text>')
    body.append(text(left + side * size / 2, height - 6, "predicted", style="t mu", anchor="m"))
    right = float(np.trace(counts)) / total
    return drawing(
        max(width, 340 if size > 3 else 300),
        height,
        title=f"Confusion matrix of {target}".strip(),
        detail=f"{plural(int(total), 'row')}; {100 * right:.1f} % on the diagonal",
        body=body,
    )


def _pooled(counts: Array, names: list[str]) -> tuple[Array, list[str]]:
    """The most frequent classes, and all others as one."""
    if len(names) <= CLASSES:
        return counts, names
    kept = np.sort(np.argsort(-counts.sum(axis=1), kind="stable")[: CLASSES - 1])
    group = np.full(len(names), CLASSES - 1)
    group[kept] = np.arange(CLASSES - 1)
    pooled = np.zeros((CLASSES, CLASSES))
    np.add.at(pooled, (group[:, None], group[None, :]), counts)
    return pooled, [*(names[k] for k in kept), "other"]


def attention_map(attention: AttentionRecord) -> str:
    """Returns who listens to whom: a row per listening target, the sink column at the right."""
    names = attention.targets
    size = len(names)
    table = attention.weights.astype(np.float64)
    rest = attention.sink.astype(np.float64).reshape(size, 1)
    if not size or not np.isfinite(table).any():
        return ""
    np.fill_diagonal(table, np.nan)
    side = 44.0 if size <= 6 else 36.0 if size <= NUMBERED else max(13.0, min(28.0, 640 / size))
    high = side * 0.8 if size <= NUMBERED else side
    grid = Grid(beside(names) + 14, above([*names, SINK], side), side, high)
    edge = Grid(grid.left + side * size + 10, grid.upper, side, high)
    # One scale for donors, another for the sink: a sink near 1 must not hide the donors.
    top = float(np.nanmax(table)) if size > 1 else 1.0
    body = [
        grid.heat(table, top),
        edge.heat(rest, 1.0, style="sk"),
        grid.column_names(names),
        edge.column_names([SINK]),
        grid.row_names(names),
    ]
    if size <= NUMBERED:
        words = [["" if math.isnan(v) else _short(v) for v in row] for row in table]
        body.append(grid.numbers(words, table / (top or 1.0)))
        body.append(edge.numbers([[_short(float(v))] for v in rest[:, 0]], rest))
    return drawing(
        edge.left + side + 0.64 * TEXT_WIDTH * 16 + 8,
        grid.upper + high * size + 8,
        title="Attention across targets; a row listens to its columns",
        detail="; ".join(strongest_links(attention)),
        body=body,
    )


def _short(value: float) -> str:
    """A weight without its leading zero, as cells are narrow."""
    return "–" if math.isnan(value) else f"{value:.2f}".replace("0.", ".", 1)


def strongest_links(attention: AttentionRecord, most: int = 5) -> list[str]:
    """Returns the largest attention weights in words, the diagonal left out."""
    names = attention.targets
    table = attention.weights.astype(np.float64)
    np.fill_diagonal(table, np.nan)
    flat = np.nan_to_num(table, nan=-1.0).ravel()
    picks = [k for k in np.argsort(-flat, kind="stable")[:most] if flat[k] >= 0.005]
    size = len(names)
    return [f"{names[k // size]} listens to {names[k % size]} ({flat[k]:.2f})" for k in picks]


def importance_map(importance: ImportanceRecord) -> str:
    """Returns which inputs matter for which target, the 25 most important inputs first."""
    table = importance.values
    if not table.size or not np.isfinite(table).any():
        return ""
    order = important_inputs(table)
    table = table[order]
    names = [importance.inputs[k] for k in order]
    columns = importance.targets
    wide = len(columns) <= NUMBERED
    side = 38.0 if wide else max(13.0, min(28.0, 640 / len(columns)))
    grid = Grid(beside(names) + 14, above(columns, side), side, 24.0 if wide else 20.0)
    # Shades follow the square root: the runner-up inputs of a dominated target stay visible.
    # Each target has its own scale, since losses of different targets don't compare.
    best = np.nanmax(np.where(np.isfinite(table), table, 0.0), axis=0)
    share = np.sqrt(np.clip(table, 0, None) / np.where(best > 0, best, 1.0))
    body = [grid.heat(share, 1.0), grid.column_names(columns), grid.row_names(names)]
    if wide:
        body.append(grid.numbers([[_whole(v) for v in row] for row in table], np.nan_to_num(share)))
    return drawing(
        grid.left + side * len(columns) + 0.64 * TEXT_WIDTH * 14,
        grid.upper + grid.height * len(names) + 8,
        title="Importance of inputs by target",
        detail=f"Most important input per target: {'; '.join(_winners(names, columns, table))}",
        body=body,
    )


def important_inputs(values: Array, most: int = INPUTS) -> np.ndarray:
    """Returns the positions of the most important inputs, by their best share of any target."""
    clean = np.clip(np.nan_to_num(values), 0, None)
    best = clean.max(axis=0, keepdims=True)
    strength = (clean / np.where(best > 0, best, 1.0)).max(axis=1)
    # Ties (one winner per target all have 1) go to the input that matters for more targets.
    total = (clean / np.where(best > 0, best, 1.0)).sum(axis=1)
    return np.lexsort((np.arange(len(values)), -total, -strength))[:most]


def _winners(inputs: Sequence[str], targets: Sequence[str], table: Array) -> list[str]:
    return [
        f"{target} – {inputs[int(np.nanargmax(column))]}"
        for target, column in zip(targets, table.T, strict=True)
        if np.isfinite(column).any()
    ]


def _whole(value: float) -> str:
    if math.isnan(value):
        return ""
    if abs(value) < 0.5:
        return "0"
    return tick_label(round(value)) if value > 0 else "0"


def cell_side(size: int) -> float:
    """Returns the side of the square cells of a map of targets by targets, in pixels.

    Up to 16 targets a cell has room for its number.
    """
    if size <= 6:
        return 44.0
    return 36.0 if size <= NUMBERED else 31.0 if size <= 16 else max(13.0, 480 / size)


SIGNED_NUMBERED = 16  # up to so many targets, the narrow cells of signed maps carry their number


def signed_map(targets: Sequence[str], table: Array, *, title: str, detail: str) -> str:
    """Returns a symmetric matrix over targets; positive and negative entries have two colours.

    Args:
        targets: Their names.
        table: The entries.
        title: The title of the drawing.
        detail: Its description, up to the name of its largest entry off the diagonal.

    Shape:
        table: (T, T).
    """
    size = len(targets)
    if not size or not np.isfinite(table).any():
        return ""
    side = cell_side(size)
    grid = Grid(beside(targets) + 20, above(targets, side), side, side)
    top = float(np.nanmax(np.abs(table))) or 1.0
    body = [
        grid.heat(np.where(table >= 0, table, np.nan), top),
        grid.heat(np.where(table < 0, -table, np.nan), top, style="ng"),
        grid.column_names(targets),
        grid.row_names(targets),
    ]
    if size <= SIGNED_NUMBERED:
        words = [[_signed(float(v)) for v in row] for row in table]
        body.append(grid.numbers(words, np.nan_to_num(np.abs(table) / top)))
    apart = np.where(np.eye(size, dtype=bool), np.nan, np.abs(table))
    if np.isfinite(apart).any():
        i, j = divmod(int(np.nanargmax(apart)), size)
        detail += f" {targets[i]} and {targets[j]}, {number(table[i, j])}"
    width = grid.left + side * size + 0.64 * TEXT_WIDTH * 16 + 8
    height = grid.upper + side * size + 8
    return drawing(width, height, title=title, detail=detail, body=body)


def _signed(value: float) -> str:
    """An entry without its leading zero, as cells are narrow."""
    if math.isnan(value):
        return ""
    words = f"{abs(value):.2f}"
    sign = "−" if value < 0 and float(words) else ""
    return sign + (words.removeprefix("0") if float(words) else "0")
