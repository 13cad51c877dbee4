"""The table of entanglement on the terminal."""

from __future__ import annotations

import math

from rich.console import Console
from rich.table import Table
from rich.text import Text

from superpose.record import EntanglementRecord

from ._entangled import OTHERS, Entangled
from ._table import WIDTH, plain_table, screen

MATRIX = 10  # more targets than that are listed by pair
PAIRS = 20  # pairs of such a list
CELL = 7  # columns of a bit value with its star and a space
NAMES = 14  # columns of the names at the left


def entanglement_table(record: EntanglementRecord | None, console: Console | None = None) -> None:
    """Prints how many bits each target tells about each other one, in at most 100 columns.

    Rows are given, columns are what they tell about; a star marks what is distinguishable from
    chance. More than ten targets, or more than fit the terminal, are listed as their 20 strongest
    pairs.

    Args:
        record: ``entanglement`` of a run.
        console: Where to print; the standard output if None.

    Example:
        >>> entanglement_table(None)
        Entanglement needs two targets with labels in the same rows.
    """
    console = console or screen()
    width = min(console.width, WIDTH)
    entangled = Entangled.of(record)
    if entangled is None:
        words = "Entanglement needs two targets with labels in the same rows."
        console.print(Text(words), width=width, soft_wrap=True)
        return
    matrix = len(entangled.targets) <= min(MATRIX, (width - NAMES) // CELL)
    table = _matrix(entangled) if matrix else _list(entangled)
    console.print(table, width=width)
    console.print()
    console.print(Text(_explanation(entangled, matrix)), width=width)


def _matrix(entangled: Entangled) -> Table:
    table = plain_table()
    table.add_column("given", max_width=NAMES, no_wrap=True, overflow="ellipsis")
    for name in entangled.targets:
        # A column named "[red]" is a name, not a style.
        table.add_column(
            Text(name), justify="right", min_width=CELL - 1, no_wrap=True, overflow="ellipsis"
        )
    for i, name in enumerate(entangled.targets):
        cells = [
            _cell(float(entangled.bits[i, j]), bool(entangled.link[i, j])) if i != j else Text("")
            for j in range(len(entangled.targets))
        ]
        table.add_row(Text(name, style="bold"), *cells)
    totals = zip(entangled.record.total.tolist(), entangled.total_link.tolist(), strict=True)
    table.add_section()
    table.add_row(Text(OTHERS, style="bold"), *(_cell(bits, link) for bits, link in totals))
    return table


def _list(entangled: Entangled) -> Table:
    table = plain_table()
    for head in ("given", "about"):
        table.add_column(head, max_width=30, no_wrap=True, overflow="ellipsis")
    for head in ("bits", "low", "high", "p"):
        table.add_column(head, justify="right", no_wrap=True)
    for pair in entangled.pairs()[:PAIRS]:
        table.add_row(
            *(Text(name, style="bold") for name in (pair.given, pair.about)),
            _cell(pair.bits, pair.link),
            *(Text(_bits(bound)) for bound in (pair.low, pair.high)),
            Text("-" if math.isnan(pair.p) else "<.001" if pair.p < 1e-3 else f"{pair.p:.3f}"),
        )
    return table


def _cell(bits: float, link: bool) -> Text:
    words = _bits(bits)
    # The space keeps the points of a column below each other.
    return Text(f"{words}{'*' if link else ' '}", style="" if link else "dim")


def _bits(value: float) -> str:
    if math.isnan(value):
        return "-"
    words = f"{abs(value):.2f}"
    return f"-{words}" if value < 0 and float(words) else words


def _explanation(entangled: Entangled, matrix: bool) -> str:
    """Returns the lines below the table, in plain words."""
    shown = entangled.pairs()
    words = (
        "Bits that a given target saves on the log-loss of another one, mean over "
        f"{entangled.rows or 'held-out rows'}, with the inputs known. * distinguishable from "
        "chance (interval above 0, p at most 0.05)."
    )
    if not matrix and len(shown) > PAIRS:
        words += f" The {PAIRS} strongest of {len(shown):,} pairs."
    return f"{words} It is asymmetric as it comes, and doesn't say what causes what."
