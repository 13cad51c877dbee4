"""Affinities and ways to group: the tables on the terminal, and the map as a file."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from superpose.record import (
    NOT_TESTED,
    AffinityRecord,
    CandidateRecord,
    GainRecord,
    GroupingRecord,
    RunRecord,
    SharingRecord,
)

from ._curves import Array
from ._grid import Grid, above, beside
from ._maps import cell_side
from ._picture import Drawn, picture
from ._svg import coord, text
from ._table import STYLES, WIDTH, plain_table, screen
from ._wording import gain_in_words, listing, plural

PAIRS = 30  # pairs that are listed
NUMBERED = 16  # up to so many targets, cells of the map carry their number
GAINS = 6  # targets whose gains have a column each
PERMILLE = 1000.0
FAINT = 0.02  # harm below this share of the largest affinity has no colour: it is noise to the eye


@dataclass(frozen=True)
class Pair:
    """What a step of one target does to another, in ‰ of its loss, beside the other measures."""

    giver: str
    receiver: str
    ahead: float
    others: tuple[float, ...]


def affinity_table(record: RunRecord, console: Console | None = None) -> None:
    """Prints who would help whom: a line for each ordered pair, then one for each target.

    Args:
        record: A run whose affinity has been measured; without one nothing is printed.
        console: Where to print; the standard output if None.
    """
    affinity = record.affinity
    if affinity is None:
        return
    console = console or screen()
    width = min(console.width, WIDTH)
    pairs = _pairs(affinity)
    shown = sorted(pairs, key=lambda pair: -abs(np.nan_to_num(pair.ahead)))[:PAIRS]
    table = _head(("from", "to"), ("look-ahead ‰", "cosine", "residuals", "bits"))
    for pair in sorted(shown, key=_falling):
        cells = [_signed(pair.ahead, 3), *(_signed(value, 2) for value in pair.others)]
        names = (Text(name, style="bold") for name in (pair.giver, pair.receiver))
        table.add_row(*names, *map(Text, cells))
    console.print(table, width=width)
    console.print()
    models = "single-task models leave" if affinity.single_task else "the multi-task net leaves"
    words = (
        "Look-ahead: share of the held-out loss of `to` that a training step of `from` alone "
        "saves. Cosine: of their gradients on what they share. Residuals: correlation of what "
        f"{models} unexplained. Bits: what a given `from` tells about `to`."
    )
    if len(pairs) > len(shown):
        words += f" The {PAIRS} largest of {len(pairs):,} pairs."
    console.print(Text(words), width=width)
    console.print()
    console.print(_targets(record, affinity), width=width)


def _targets(record: RunRecord, affinity: AffinityRecord) -> Table:
    """One line for each target: what it receives from all others, and what sharing did to it."""
    ahead = _permille(affinity)
    measured = {name: target.sharing for name, target in record.targets.items()}
    table = _head(("target", "best helper"), ("receives ‰",))
    table.add_column(Text("measured gain of sharing %"), no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    for column, target in enumerate(affinity.targets):
        received = ahead[:, column]
        known = np.isfinite(received).any()
        best = affinity.targets[int(np.nanargmax(received))] if known else "-"
        mean = float(np.nanmean(received)) if known else math.nan
        sharing = measured.get(target, SharingRecord())
        tested = sharing.verdict != NOT_TESTED
        table.add_row(
            Text(target, style="bold"),
            Text(best),
            Text(_signed(mean, 3)),
            Text(gain_in_words(sharing.gain if tested else GainRecord(), minus="-")),
            Text(sharing.verdict, style=STYLES[sharing.verdict]),
        )
    return table


def grouping_table(grouping: GroupingRecord, console: Console | None = None) -> None:
    """Prints the candidates of a search, the best first, with the gains of each target.

    Args:
        grouping: ``grouping`` of a run.
        console: Where to print; the standard output if None.
    """
    console = console or screen()
    width = min(console.width, WIDTH)
    few = len(grouping.targets) <= GAINS
    table = _head(("ways to group",), ("loss", "±", "gain %", "±"))
    for head in grouping.targets if few else ["least", "most"]:
        table.add_column(
            Text(head), justify="right", max_width=8, no_wrap=True, overflow="ellipsis"
        )
    first = grouping.candidates[0]
    for one in sorted(grouping.candidates, key=lambda one: one.loss):
        gains = one.gains if few else [min(one.gains), max(one.gains)]
        style = "bold" if one.name == grouping.recommended else ""
        cells = _cells(one, gains, is_first=one is first)
        table.add_row(Text(one.name, style=style), *map(Text, cells))
    console.print(table, width=width)
    console.print()
    right = ", and at the right for each target." if few else "; at the right of single targets."
    words = (
        "Loss: mean over targets of the loss in units of the baseline's, by "
        f"{grouping.n_folds} folds of {grouping.n_rows:,} training and validation rows. "
        f"Gain: by how much it is lower than {first.name}{right}"
    )
    console.print(Text(words), width=width)


def _cells(one: CandidateRecord, gains: Sequence[float], *, is_first: bool) -> list[str]:
    """The numbers of a candidate; the first, which the others are compared with, has no gains."""
    head = [f"{one.loss:.4f}", f"{one.error:.4f}"]
    if is_first:
        return [*head, "", "", *("" for _ in gains)]
    return [
        *head,
        _signed(one.gain, 2),
        f"{one.gain_error:.2f}",
        *(_signed(value, 1) for value in gains),
    ]


def grouping_in_words(grouping: GroupingRecord) -> str:
    """Returns the finding of a search in plain words: the winner, or that there is none.

    Example:
        >>> one = CandidateRecord("all together", [["a"]], 1.0, 0.0, 0.0, 0.0, [0.0])
        >>> grouping_in_words(GroupingRecord(["a"], [one], one.name, one.name, 5, 90))
        'Nothing is better than all together, which is the default.'
    """
    first = grouping.candidates[0].name
    winner = grouping.candidate(grouping.winner)
    if grouping.winner == first:
        return f"Nothing is better than {first}, which is the default."
    gain = f"{winner.gain:.2f} % ± {winner.gain_error:.2f}"
    if grouping.recommended == first:
        return (
            f"The best is {winner.name} ({gain}), but that is within noise, two standard "
            f"errors: the recommendation is {first}, which is the default."
        )
    return f"The best is {winner.name}: its loss is lower than that of {first} by {gain}."


def groups_in_words(groups: Sequence[Sequence[str]]) -> str:
    """Returns what look-ahead suggests in plain words.

    Example:
        >>> groups_in_words([["a", "b"]])
        'Look-ahead suggests one group of all, which is the default: write no groups.'
    """
    if len(groups) == 1:
        return "Look-ahead suggests one group of all, which is the default: write no groups."
    single = [group[0] for group in groups if len(group) == 1]
    words = f"Look-ahead suggests {plural(len(groups), 'group')}"
    if single:
        words += f"; {listing(single)} {'stands' if len(single) == 1 else 'stand'} alone"
    return f"{words}."


def affinity_picture(affinity: AffinityRecord) -> str:
    """Returns the map of look-ahead as an SVG file, with a frame around each suggested group.

    Args:
        affinity: ``affinity`` of a run.
    """
    order = [affinity.targets.index(name) for group in affinity.groups for name in group]
    names = [affinity.targets[position] for position in order]
    ahead = _permille(affinity)[np.ix_(order, order)]
    side = cell_side(len(names))
    upper = max(above(names, side), 36.0)
    grid = Grid(beside([*names, "from ↓"]) + 20, upper, side, side)
    top = float(np.nanmax(np.abs(ahead))) if np.isfinite(ahead).any() else 1.0
    harm = ahead < -FAINT * top
    body = [
        text(grid.left - 8, upper - 20, "from ↓", style="t mu", anchor="e"),
        text(grid.left - 8, upper - 6, "to →", style="t mu", anchor="e"),
        grid.heat(np.where(harm, np.nan, ahead), top),
        grid.heat(np.where(harm, -ahead, np.nan), top, style="ng"),
        grid.column_names(names),
        grid.row_names(names),
    ]
    if len(names) <= NUMBERED:
        digits = 2 if top < 10 else 1
        words = [[_signed(float(v), digits, unknown="") for v in row] for row in ahead]
        body.append(grid.numbers(words, np.nan_to_num(np.abs(ahead) / (top or 1))))
    body.append(_frames([len(group) for group in affinity.groups], grid))
    best = [pair for pair in _pairs(affinity) if pair.ahead > 0][:3]
    detail = "; ".join(f"{pair.giver} helps {pair.receiver}" for pair in best)
    size = side * len(names)
    return picture(
        "Affinity of targets",
        "Share of a held-out loss that a step of another target saves, in ‰",
        feet=(
            "Frames: the groups that this suggests. Orange cells are harm.",
            "It is measured in a short training; the proof of groups is a search.",
        ),
        drawn=Drawn(grid.left + size + 60, upper + size + 8, body),
        spoken=("Affinity of targets; a row acts on its columns", detail),
    )


def _frames(sizes: Sequence[int], grid: Grid) -> str:
    """Draws a square around each group of two or more, along the diagonal."""
    parts = []
    first = 0
    for size in sizes:
        if size > 1:
            start = first * grid.width - 0.75
            length = coord(size * grid.width)
            x, y = coord(grid.left + start), coord(grid.upper + start)
            parts.append(f"M{x} {y}h{length}v{length}h-{length}z")
        first += size
    return f'<path class="gb" d="{"".join(parts)}"/>' if parts else ""


def _pairs(affinity: AffinityRecord) -> list[Pair]:
    """Ordered pairs with all measures, the largest look-ahead first."""
    unknown = np.full(affinity.lookahead.shape, np.nan)
    others = [
        unknown if x is None else x for x in (affinity.cosine, affinity.residual, affinity.bits)
    ]
    ahead = PERMILLE * affinity.lookahead
    pairs = [
        Pair(a, b, float(ahead[i, j]), tuple(float(table[i, j]) for table in others))
        for i, a in enumerate(affinity.targets)
        for j, b in enumerate(affinity.targets)
        if i != j
    ]
    return sorted(pairs, key=_falling)


def _falling(pair: Pair) -> float:
    return -float(np.nan_to_num(pair.ahead))


def _permille(affinity: AffinityRecord) -> Array:
    """Look-ahead (T, T) in ‰ with a blank diagonal."""
    ahead = PERMILLE * affinity.lookahead.astype(np.float64)
    np.fill_diagonal(ahead, np.nan)
    return ahead


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
