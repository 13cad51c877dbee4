"""Heat maps of the report, as inline SVG: confusion, attention across targets, importance.

Shades are opacities of one page colour in ten steps, so that light and dark need no second palette.
Cells of one shade share a path: a map of 60 x 60 stays small.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ._curves import Array, as_floats
from ._svg import TEXT_WIDTH, drawing, escape, longest, place, shorten, text, tick_label
from ._wording import number, plural

STEPS = 10
NUMBERED = 10  # up to so many columns, cells carry their number
CLASSES = 16  # a confusion matrix pools the classes beyond the most frequent ones
STEEP = 17.0  # narrower columns have upright names, as slanted ones would overlap
COLUMN_NAME = 16  # characters of a column's name that are drawn
INPUTS = 25  # inputs that an importance map lists


def heat(
    values: Array,
    top: float,
    left: float,
    upper: float,
    cell: tuple[float, float],
    style: str = "",
    gap: float = 1.5,
) -> str:
    """Draws cells shaded by value / top; NaN cells stay blank."""
    share = np.clip(np.nan_to_num(values / (top or 1.0)), 0, 1)
    level = np.ceil(share * STEPS - 1e-9).astype(int)
    level[~np.isfinite(values)] = -1
    width, height = cell
    parts = []
    for step in range(STEPS + 1):
        data = "".join(
            f"M{place(left + j * width)} {place(upper + (i + 0.5) * height)}h{place(width - gap)}"
            for i, j in np.argwhere(level == step)
        )
        if data:
            thick = place(height - gap)
            parts.append(f'<path class="ht {style} q{step}" stroke-width="{thick}" d="{data}"/>')
    return "".join(parts)


def cell_numbers(
    words: Sequence[Sequence[str]],
    share: Array,
    left: float,
    upper: float,
    cell: tuple[float, float],
) -> str:
    """Draws a word into each cell, in the ink that its shade (0 to 1) calls for."""
    width, height = cell
    parts = []
    for i, row in enumerate(words):
        for j, word in enumerate(row):
            if word:
                # Strong shades need the other ink; in the middle that depends on light or dark.
                ink = "c in" if share[i, j] > 0.7 else "c mid" if share[i, j] > 0.5 else "c"
                x, y = left + (j + 0.5) * width - 0.75, upper + (i + 0.5) * height + 4
                parts.append(text(x, y, word, ink))
    return "".join(parts)


def column_names(names: Sequence[str], left: float, base: float, width: float) -> str:
    """Draws names rising over columns, upright where the columns are narrower than a line."""
    turn, shift = (-90, 4) if width < STEEP else (-50, 0)
    parts = []
    for j, name in enumerate(names):
        x = place(left + (j + 0.5) * width + shift)
        short = shorten(name, COLUMN_NAME)
        tip = f"<title>{escape(name)}</title>" if short != name else ""
        parts.append(
            f'<text transform="translate({x} {place(base)})rotate({turn})" class="t">{tip}'
            f"{escape(short)}</text>"
        )
    return "".join(parts)


def above(names: Sequence[str], width: float) -> float:
    """Returns the room that column names take above columns of some width."""
    return longest(names, COLUMN_NAME) * (1.0 if width < STEEP else 0.77) + 18


def confusion_matrix(counts: Array, labels: Sequence[str], target: str = "") -> str:
    """Returns a confusion matrix: rows true, columns predicted, shaded by share of the true class.

    Args:
        counts: Rows per cell; classes beyond the 16 most frequent are pooled as "other".
        labels: One name per class.

    Shape:
        counts: (K, K).
    """
    total = float(counts.sum())
    if not total:
        return ""
    names = [str(label) for label in labels]
    if len(names) > CLASSES:
        kept = np.sort(np.argsort(-counts.sum(axis=1), kind="stable")[: CLASSES - 1])
        group = np.full(len(names), CLASSES - 1)
        group[kept] = np.arange(CLASSES - 1)
        pooled = np.zeros((CLASSES, CLASSES))
        np.add.at(pooled, (group[:, None], group[None, :]), counts)
        counts, names = pooled, [*(names[k] for k in kept), "other"]
    size = len(names)
    left = longest(names, 12) + 32
    side = min(56.0, (340 - left - 8) / size)
    upper = above(names, side)
    width, height = left + side * size + 8, upper + side * size + 26
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    cell = (side, side)
    body = [
        heat(share, 1.0, left, upper, cell),
        column_names(names, left, upper - 6, side),
        *(
            text(left - 8, upper + (i + 0.5) * side + 4, name, "t", "e", limit=12)
            for i, name in enumerate(names)
        ),
    ]
    if side >= 26:
        words = [[tick_label(float(c)) for c in row] for row in counts]
        body.append(cell_numbers(words, share, left, upper, cell))
    middle = place(upper + side * size / 2)
    body.append(f'<text transform="translate(11 {middle})rotate(-90)" class="t m mu">true</text>')
    body.append(text(left + side * size / 2, height - 6, "predicted", "t mu", "m"))
    right = float(np.trace(counts)) / total
    detail = f"{plural(int(total), 'row')}; {100 * right:.1f} % on the diagonal"
    reach = max(width, 340 if size > 3 else 300)
    return drawing(reach, height, f"Confusion matrix of {target}".strip(), detail, body)


def attention_map(targets: Sequence[str], weights: Any, sink: Any) -> str:
    """Returns who listens to whom: a row per listening target, the sink column at the right.

    Args:
        weights: Mean attention of row to column, 0 to 1.
        sink: Mean attention that each row spends on no other target.

    Shape:
        weights: (T, T); sink: (T,).
    """
    size = len(targets)
    names = [str(name) for name in targets]
    table, rest = as_floats(weights).reshape(size, size).copy(), as_floats(sink).reshape(size, 1)
    if not size or not np.isfinite(table).any():
        return ""
    np.fill_diagonal(table, np.nan)
    side = 44.0 if size <= 6 else 36.0 if size <= NUMBERED else max(13.0, min(28.0, 640 / size))
    left, upper = longest(names, 22) + 14, above([*names, "no one (sink)"], side)
    cell, away = (side, side * 0.8 if size <= NUMBERED else side), 10.0
    edge = left + side * size + away
    width = edge + side + 0.64 * TEXT_WIDTH * 16 + 8
    height = upper + cell[1] * size + 8
    # One scale for donors, another for the sink: a sink near 1 must not hide the donors.
    top = float(np.nanmax(table)) if size > 1 else 1.0
    body = [
        heat(table, top, left, upper, cell),
        heat(rest, 1.0, edge, upper, cell, "sk"),
        column_names(names, left, upper - 6, side),
        column_names(["no one (sink)"], edge, upper - 6, side),
    ]
    for i, name in enumerate(names):
        body.append(text(left - 8, upper + (i + 0.5) * cell[1] + 4, name, "t", "e", limit=22))
    if size <= NUMBERED:
        words = [["" if math.isnan(v) else _short(v) for v in row] for row in table]
        body.append(cell_numbers(words, table / (top or 1.0), left, upper, cell))
        sinks = [[_short(float(v))] for v in rest[:, 0]]
        body.append(cell_numbers(sinks, rest, edge, upper, cell))
    title = "Attention across targets; a row listens to its columns"
    return drawing(width, height, title, "; ".join(strongest_links(names, weights)), body)


def _short(value: float) -> str:
    """A weight without its leading zero, as cells are narrow."""
    return "–" if math.isnan(value) else f"{value:.2f}".replace("0.", ".", 1)


def strongest_links(targets: Sequence[str], weights: Any, most: int = 5) -> list[str]:
    """Returns the largest attention weights in words, the diagonal left out."""
    size = len(targets)
    table = as_floats(weights).reshape(size, size).copy()
    np.fill_diagonal(table, np.nan)
    flat = np.nan_to_num(table, nan=-1.0).ravel()
    picks = [k for k in np.argsort(-flat, kind="stable")[:most] if flat[k] >= 0.005]
    return [f"{targets[k // size]} listens to {targets[k % size]} ({flat[k]:.2f})" for k in picks]


def importance_map(inputs: Sequence[str], targets: Sequence[str], values: Any) -> str:
    """Returns which inputs matter for which target, the 25 most important inputs first.

    Args:
        values: Percent increase of a target's loss when an input is permuted.

    Shape:
        values: (C, T).
    """
    table = as_floats(values).reshape(len(inputs), len(targets))
    if not table.size or not np.isfinite(table).any():
        return ""
    order = important_inputs(table)
    table, names = table[order], [str(inputs[k]) for k in order]
    columns = [str(name) for name in targets]
    wide = len(columns) <= NUMBERED
    cell = (38.0 if wide else max(13.0, min(28.0, 640 / len(columns))), 24.0 if wide else 20.0)
    left, upper = longest(names, 22) + 14, above(columns, cell[0])
    # Shades follow the square root: the runner-up inputs of a dominated target stay visible.
    # Each target has its own scale, since losses of different targets don't compare.
    best = np.nanmax(np.where(np.isfinite(table), table, 0.0), axis=0)
    share = np.sqrt(np.clip(table, 0, None) / np.where(best > 0, best, 1.0))
    body = [heat(share, 1.0, left, upper, cell), column_names(columns, left, upper - 6, cell[0])]
    for i, name in enumerate(names):
        body.append(text(left - 8, upper + (i + 0.5) * cell[1] + 4, name, "t", "e", limit=22))
    if wide:
        words = [[_whole(v) for v in row] for row in table]
        body.append(cell_numbers(words, np.nan_to_num(share), left, upper, cell))
    width = left + cell[0] * len(columns) + 0.64 * TEXT_WIDTH * 14
    height = upper + cell[1] * len(names) + 8
    detail = f"Most important input per target: {'; '.join(_winners(names, columns, table))}"
    return drawing(width, height, "Importance of inputs by target", detail, body)


def important_inputs(values: Array, most: int = INPUTS) -> np.ndarray:
    """Returns the positions of the most important inputs, by their best share of any target."""
    clean = np.clip(np.nan_to_num(values), 0, None)
    best = clean.max(axis=0, keepdims=True)
    strength = (clean / np.where(best > 0, best, 1.0)).max(axis=1)
    # Ties (one winner per target all have 1) go to the input that matters for more targets.
    spread = (clean / np.where(best > 0, best, 1.0)).sum(axis=1)
    return np.lexsort((np.arange(len(values)), -spread, -strength))[:most]


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


def signed_map(targets: Sequence[str], values: Any, title: str, detail: str) -> str:
    """Returns a symmetric matrix over targets; positive and negative entries have two colours.

    Args:
        detail: What is said of the drawing, up to the name of its largest entry off the diagonal.

    Shape:
        values: (T, T).
    """
    size = len(targets)
    if values is None or not size:
        return ""
    table = as_floats(values).reshape(size, size)
    if not np.isfinite(table).any():
        return ""
    names = [str(name) for name in targets]
    side = cell_side(size)
    left, upper = longest(names, 22) + 20, above(names, side)
    top = float(np.nanmax(np.abs(table))) or 1.0
    cell = (side, side)
    body = [
        heat(np.where(table >= 0, table, np.nan), top, left, upper, cell),
        heat(np.where(table < 0, -table, np.nan), top, left, upper, cell, "ng"),
        column_names(names, left, upper - 6, side),
        *(
            text(left - 8, upper + (i + 0.5) * side + 4, name, "t", "e", limit=22)
            for i, name in enumerate(names)
        ),
    ]
    if size <= SIGNED_NUMBERED:
        words = [[_signed(float(v)) for v in row] for row in table]
        share = np.nan_to_num(np.abs(table) / top)
        body.append(cell_numbers(words, share, left, upper, cell))
    width = left + side * size + 0.64 * TEXT_WIDTH * 16 + 8
    height = upper + side * size + 8
    apart = np.where(np.eye(size, dtype=bool), np.nan, np.abs(table))
    if np.isfinite(apart).any():
        i, j = np.unravel_index(int(np.nanargmax(apart)), apart.shape)
        detail += f" {names[i]} and {names[j]}, {number(table[i, j])}"
    return drawing(width, height, title, detail, body)


def _signed(value: float) -> str:
    """An entry without its leading zero, as cells are narrow."""
    if math.isnan(value):
        return ""
    words = f"{abs(value):.2f}"
    sign = "−" if value < 0 and float(words) else ""
    return sign + (words.removeprefix("0") if float(words) else "0")
