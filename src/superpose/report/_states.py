"""The section "Task states" of the report: do the states of different tasks stay different?"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from markupsafe import Markup

from ._curves import as_floats
from ._maps import above, cell_numbers, cell_side, column_names, heat
from ._svg import TEXT_WIDTH, drawing, longest, text
from ._wording import number, real

NUMBERED = 16  # up to so many targets, cells carry their number


def states_view(states: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Returns what the template shows of ``facts["states"]``, None where there is nothing.

    Args:
        states: ``{"targets", "density", "purity", "entropy", "effective", "collapsed"}``.
    """
    if not states or not states.get("targets"):
        return None
    names = [str(name) for name in states["targets"]]
    size = len(names)
    svg = density_map(names, states.get("density"))
    figures = [
        {"name": name, "value": number(states.get(key)), "range": f"{least} to {most}", "words": w}
        for key, name, least, most, w in _figures(size)
        if not math.isnan(real(states.get(key)))
    ]
    if not svg and not figures:
        return None
    return {"svg": Markup(svg), "figures": figures, "alarm": _alarm(states, size)}


def _figures(size: int) -> tuple[tuple[str, str, str, str, str], ...]:
    """For each figure its key, its name, its least and largest value, and how it may be read."""
    return (
        (
            "purity",
            "Purity",
            f"{1 / size:.2g}",
            "1",
            "The mean squared overlap of the states: read it as how alike the network holds the "
            "tasks, not as how well it predicts them.",
        ),
        (
            "entropy",
            "Von Neumann entropy, bits",
            "0",
            f"{math.log2(size):.3g}",
            "How evenly the states spread over directions: its bits count directions of states, "
            "and may not be compared with the bits of the entanglement or of a loss.",
        ),
        (
            "effective",
            "Effective number of task states",
            "1",
            str(size),
            "Two to the power of the entropy: so many states without overlap would be as mixed; "
            "a low number may be right for tasks that are alike, and doesn’t count useful targets.",
        ),
    )


def _alarm(states: Mapping[str, Any], size: int) -> dict[str, str] | None:
    if not states.get("collapsed"):
        return None
    held = real(states.get("effective"))
    amount = "" if math.isnan(held) else f": {number(held)} effective states for {size} tasks"
    return {
        "head": f"The task states have collapsed{amount}.",
        "words": "The network holds nearly one state for all tasks and can hardly treat them "
        "differently. Train again with fusion set to none or with other seeds, and trust what "
        "ships only as far as the verdicts above go.",
    }


def density_map(targets: Sequence[str], density: Any) -> str:
    """Returns the density matrix over tasks; positive and negative entries have two colours.

    Shape:
        density: (T, T), symmetric, trace 1.
    """
    size = len(targets)
    if density is None or not size:
        return ""
    table = as_floats(density).reshape(size, size)
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
    if size <= NUMBERED:
        words = [[_entry(float(v)) for v in row] for row in table]
        share = np.nan_to_num(np.abs(table) / top)
        body.append(cell_numbers(words, share, left, upper, cell))
    width = left + side * size + 0.64 * TEXT_WIDTH * 16 + 8
    height = upper + side * size + 8
    apart = np.where(np.eye(size, dtype=bool), np.nan, np.abs(table))
    detail = f"{size} tasks, trace 1"
    if np.isfinite(apart).any():
        i, j = np.unravel_index(int(np.nanargmax(apart)), apart.shape)
        detail += f"; largest overlap: {names[i]} and {names[j]}, {number(table[i, j])}"
    return drawing(width, height, "Density matrix over tasks", detail, body)


def _entry(value: float) -> str:
    """An entry without its leading zero, as cells are narrow."""
    if math.isnan(value):
        return ""
    words = f"{abs(value):.2f}"
    sign = "−" if value < 0 and float(words) else ""
    return sign + (words.removeprefix("0") if float(words) else "0")
