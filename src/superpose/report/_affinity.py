"""Affinities and ways to group: the tables on the terminal, and the map as a file."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ._curves import Array, as_floats
from ._maps import above, cell_numbers, cell_side, column_names, heat
from ._picture import picture
from ._svg import longest, place, text
from ._table import STYLES, WIDTH, plain_table, screen
from ._wording import gain, listing, plural

PAIRS = 30  # pairs that are listed
NUMBERED = 16  # up to so many targets, cells of the map carry their number
GAINS = 6  # targets whose gains have a column each
PERMILLE = 1000.0
FAINT = 0.02  # harm below this share of the largest affinity has no colour: it is noise to the eye


def affinity_table(found: Mapping[str, Any], console: Console | None = None) -> None:
    """Prints who would help whom: a line for each ordered pair, then one for each target.

    Args:
        found: ``facts["affinity"]`` of a model.
        console: Where to print; the standard output if None.
    """
    console = console or screen()
    width = min(console.width, WIDTH)
    pairs = _pairs(found)
    shown = sorted(pairs, key=lambda pair: -abs(np.nan_to_num(pair[2])))[:PAIRS]
    table = _head(("from", "to"), ("look-ahead ‰", "cosine", "residuals", "bits"))
    for giver, receiver, ahead, *others in sorted(shown, key=lambda pair: -np.nan_to_num(pair[2])):
        cells = [_signed(ahead, 3), *(_signed(value, 2) for value in others)]
        table.add_row(Text(giver, style="bold"), Text(receiver, style="bold"), *map(Text, cells))
    console.print(table, width=width)
    console.print()
    models = "single-task models leave" if found.get("alone", True) else "the joint network leaves"
    words = (
        "Look-ahead: share of the held-out loss of `to` that a training step of `from` alone "
        "saves. Cosine: of their gradients on what they share. Residuals: correlation of what "
        f"{models} unexplained. Bits: what a measured `from` tells about `to`."
    )
    if len(pairs) > len(shown):
        words += f" The {PAIRS} largest of {len(pairs):,} pairs."
    console.print(Text(words), width=width)
    console.print()
    console.print(_targets(found), width=width)


def _targets(found: Mapping[str, Any]) -> Table:
    """One line for each target: what it receives from all others, and what sharing did to it."""
    ahead = PERMILLE * _matrix(found, "lookahead")
    np.fill_diagonal(ahead, np.nan)
    measured = {row["target"]: row for row in found.get("transfer") or []}
    table = _head(("target", "best helper"), ("receives ‰",))
    table.add_column(Text("measured gain of sharing %"), no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    for column, target in enumerate(found["targets"]):
        received = ahead[:, column]
        known = np.isfinite(received)
        best, mean = "-", math.nan
        if known.any():
            best = found["targets"][int(np.nanargmax(received))]
            mean = float(np.nanmean(received))
        row = measured.get(target, {})
        verdict = str(row.get("verdict") or "not tested")
        table.add_row(
            Text(str(target), style="bold"),
            Text(str(best)),
            Text(_signed(mean, 3)),
            Text(gain(row.get("delta"), row.get("interval"), "-")),
            Text(verdict, style=STYLES.get(verdict, "default")),
        )
    return table


def grouping_table(found: Mapping[str, Any], console: Console | None = None) -> None:
    """Prints the candidates of a search, the best first, with the gains of each target.

    Args:
        found: ``facts["grouping"]`` of a model.
        console: Where to print; the standard output if None.
    """
    console = console or screen()
    width = min(console.width, WIDTH)
    ranked = sorted(found["candidates"], key=lambda one: one["loss"])
    few = len(found["targets"]) <= GAINS
    table = _head(("ways to group",), ("loss", "±", "gain %", "±"))
    heads = [str(t) for t in found["targets"]] if few else ["least", "most"]
    for head in heads:
        table.add_column(
            Text(head), justify="right", max_width=8, no_wrap=True, overflow="ellipsis"
        )
    for one in ranked:
        gains = one["gains"] if few else [min(one["gains"]), max(one["gains"])]
        first = one is found["candidates"][0]
        cells = [
            f"{one['loss']:.4f}",
            f"{one['error']:.4f}",
            *(("", "") if first else (_signed(one["gain"], 2), f"{one['gain_error']:.2f}")),
            *("" if first else _signed(value, 1) for value in gains),
        ]
        style = "bold" if one["name"] == found["recommended"] else ""
        table.add_row(Text(one["name"], style=style), *(Text(cell) for cell in cells))
    console.print(table, width=width)
    console.print()
    first = found["candidates"][0]["name"]
    console.print(
        Text(
            f"Loss: mean over targets of the loss in units of the best constant's, by "
            f"{found['folds']} folds of {found['rows']:,} training and validation rows. Gain: by "
            f"how much it is lower than {first}"
            + (
                ", and at the right for each target."
                if few
                else "; at the right of single targets."
            )
        ),
        width=width,
    )


def grouping_in_words(found: Mapping[str, Any]) -> str:
    """Returns the finding of a search in plain words: the winner, or that there is none.

    Example:
        >>> one = {"name": "all together", "gain": 0.0, "gain_error": 0.0}
        >>> grouping_in_words({"candidates": [one], "winner": "all together",
        ...                    "recommended": "all together"})
        'Nothing is better than all together, which is the default.'
    """
    first = found["candidates"][0]["name"]
    winner = next(one for one in found["candidates"] if one["name"] == found["winner"])
    if found["winner"] == first:
        return f"Nothing is better than {first}, which is the default."
    told = f"{winner['gain']:.2f} % ± {winner['gain_error']:.2f}"
    if found["recommended"] == first:
        return (
            f"The best is {winner['name']} ({told}), but that is within noise, two standard "
            f"errors: the recommendation is {first}, which is the default."
        )
    return f"The best is {winner['name']}: its loss is lower than that of {first} by {told}."


def groups_in_words(found: Mapping[str, Any]) -> str:
    """Returns what look-ahead suggests in plain words.

    Example:
        >>> groups_in_words({"targets": ["a", "b"], "groups": [["a", "b"]]})
        'Look-ahead suggests one group of all, which is the default: write no groups.'
    """
    groups = found["groups"]
    if len(groups) == 1:
        return "Look-ahead suggests one group of all, which is the default: write no groups."
    alone = [group[0] for group in groups if len(group) == 1]
    words = f"Look-ahead suggests {plural(len(groups), 'group')}"
    if alone:
        words += f"; {listing(alone)} {'stands' if len(alone) == 1 else 'stand'} alone"
    return f"{words}."


def affinity_picture(found: Mapping[str, Any]) -> str:
    """Returns the map of look-ahead as an SVG file, with a frame around each suggested group.

    Args:
        found: ``facts["affinity"]`` of a model.

    Example:
        >>> facts = {"targets": ["a", "b"], "groups": [["a", "b"]]}
        >>> affinity_picture({**facts, "lookahead": [[None, 0.001], [0.002, None]]})[:4]
        '<svg'
    """
    order = [found["targets"].index(name) for group in found["groups"] for name in group]
    names = [str(found["targets"][place]) for place in order]
    ahead = PERMILLE * _matrix(found, "lookahead")[np.ix_(order, order)]
    np.fill_diagonal(ahead, np.nan)
    side, size = cell_side(len(names)), len(names)
    left, upper = longest([*names, "from ↓"], 22) + 20, max(above(names, side), 36.0)
    cell = (side, side)
    top = float(np.nanmax(np.abs(ahead))) if np.isfinite(ahead).any() else 1.0
    harm = ahead < -FAINT * top
    body = [
        text(left - 8, upper - 20, "from ↓", "t mu", "e"),
        text(left - 8, upper - 6, "to →", "t mu", "e"),
        heat(np.where(harm, np.nan, ahead), top, left, upper, cell),
        heat(np.where(harm, -ahead, np.nan), top, left, upper, cell, "ng"),
        column_names(names, left, upper - 6, side),
    ]
    for i, name in enumerate(names):
        body.append(text(left - 8, upper + (i + 0.5) * side + 4, name, "t", "e", limit=22))
    if size <= NUMBERED:
        words = [[_signed(float(v), 2 if top < 10 else 1, "") for v in row] for row in ahead]
        body.append(
            cell_numbers(words, np.nan_to_num(np.abs(ahead) / (top or 1)), left, upper, cell)
        )
    body.append(_frames([len(group) for group in found["groups"]], left, upper, side))
    best = [pair for pair in _pairs(found) if pair[2] > 0][:3]
    told = "; ".join(f"{a} helps {b}" for a, b, *_ in best)
    return picture(
        "Affinity of targets",
        "Share of a held-out loss that a step of another target saves, in ‰",
        (
            "Frames: the groups that this suggests. Orange cells are harm.",
            "It is measured in a short training; the proof of groups is a search.",
        ),
        (left + side * size + 60, upper + side * size + 8, body),
        ("Affinity of targets; a row acts on its columns", told),
    )


def _frames(sizes: Sequence[int], left: float, upper: float, side: float) -> str:
    """Draws a square around each group of two or more, along the diagonal."""
    parts, first = [], 0
    for size in sizes:
        if size > 1:
            start, length = first * side - 0.75, place(size * side)
            x, y = place(left + start), place(upper + start)
            parts.append(f"M{x} {y}h{length}v{length}h-{length}z")
        first += size
    return f'<path class="gb" d="{"".join(parts)}"/>' if parts else ""


def _pairs(found: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Ordered pairs with their look-ahead in ‰ and the other measures, the best first."""
    names = [str(name) for name in found["targets"]]
    tables = [_matrix(found, key) for key in ("lookahead", "cosine", "residual", "bits")]
    tables[0] = PERMILLE * tables[0]
    pairs = [
        (a, b, *(float(table[i, j]) for table in tables))
        for i, a in enumerate(names)
        for j, b in enumerate(names)
        if i != j
    ]
    return sorted(pairs, key=lambda pair: -np.nan_to_num(pair[2]))


def _matrix(found: Mapping[str, Any], key: str) -> Array:
    size = len(found["targets"])
    values = found.get(key)
    return (
        np.full((size, size), np.nan) if values is None else as_floats(values).reshape(size, size)
    )


def _head(names: Sequence[str], numbers: Sequence[str]) -> Table:
    table = plain_table()
    for name in names:
        table.add_column(name, max_width=24, no_wrap=True, overflow="ellipsis")
    for name in numbers:
        table.add_column(Text(name), justify="right", no_wrap=True)
    return table


def _signed(value: float, digits: int, unknown: str = "-") -> str:
    """A number with its sign, so that harm can't be overlooked."""
    if math.isnan(value):
        return unknown
    words = f"{value:+.{digits}f}"
    return words.replace("-", "−") if float(words) else words[1:]
