"""The verdict table on the terminal."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from superpose.errors import printable

from ._wording import (
    HARMED,
    HELPED,
    NO_DIFFERENCE,
    NOT_TESTED,
    gain,
    headline,
    metric_name,
    number,
    verdict_counts,
)

STYLES = {HELPED: "green", HARMED: "red", NO_DIFFERENCE: "default", NOT_TESTED: "dim"}
WIDTH = 100
NETS = {"joint": "multi", "alone": "single"}  # the networks, as the line below the table explains
SHORT_METRICS = {"average_precision": "avg. prec.", "poisson_deviance": "Poisson dev."}


class Screen(Console):
    """A console that shows control characters of names and never obeys them."""

    def render(self, *args: Any, **options: Any) -> Iterator[Segment]:
        """Yields what is printed; styles and moves of rich's own are no text."""
        for segment in super().render(*args, **options):
            text = segment.text if segment.control else printable(segment.text, keep="\n")
            yield Segment(text, segment.style, segment.control)


def screen() -> Screen:
    """Returns the standard output as a console that is wide enough where it is a file."""
    console = Screen()
    if not console.is_terminal:  # a file has no width of its own; rich would take 80
        console.width = WIDTH
    return console


def plain_table() -> Table:
    """Returns an empty table without lines."""
    return Table(
        box=None,
        pad_edge=False,
        padding=(0, 1),
        collapse_padding=True,
        header_style="bold",
        show_edge=False,
    )


def verdict_table(transfer: Sequence[Mapping[str, Any]], console: Console | None = None) -> None:
    """Prints what sharing did to each target and what ships, in at most 100 columns.

    Args:
        transfer: One dict per target, as in ``transfer.json``.
        console: Where to print; the standard output if None.

    Example:
        >>> verdict_table([{"target": "pm25", "verdict": "helped"}])  # doctest: +SKIP
    """
    console = console or screen()
    width = min(console.width, WIDTH)
    # On a usual terminal of 80 columns there is room for the verdict or for the interval.
    narrow = width < WIDTH
    table = plain_table()
    table.add_column("target", max_width=11 if narrow else 13, no_wrap=True, overflow="ellipsis")
    table.add_column("metric", max_width=9 if narrow else 11)
    for name in ("single-\ntask\nnet", "multi-\ntask\nnet", "best\nsingle\ntask", "de-\nployed"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("deployed\nmodel", min_width=8 if narrow else 12, max_width=21)
    table.add_column(Text("gain %" if narrow else "gain % [interval]"), no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    for row in transfer:
        table.add_row(*_cells(row, narrow))
    console.print(table, width=width)
    console.print()
    console.print(Text(explanation(transfer)), width=width)


def verdict_text(transfer: Sequence[Mapping[str, Any]]) -> str:
    """Returns what `verdict_table` prints as plain text, in at most 100 columns.

    Args:
        transfer: One dict per target, as in ``transfer.json``.
    """
    out = io.StringIO()
    verdict_table(transfer, Screen(file=out, width=WIDTH))
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


def _cells(row: Mapping[str, Any], narrow: bool) -> list[Text]:
    """Returns the cells as `Text`: a column named "[red]" is a name, not a style."""
    interval = None if narrow else row.get("interval")
    verdict = str(row.get("verdict") or NOT_TESTED)
    metric = str(row.get("metric") or "")
    style = STYLES.get(verdict, "default")
    return [
        Text(str(row.get("target")), style="bold"),
        Text(SHORT_METRICS.get(metric, metric_name(metric)), style="dim"),
        *(Text(number(row.get(key), "-")) for key in ("alone", "model", "reference")),
        Text(number(row.get("shipped_value"), "-"), style="bold"),
        Text(short_engine(str(row.get("shipped") or "joint"))),
        Text(gain(row.get("delta"), interval, "-"), style=style),
        Text(verdict, style=style),
    ]


def short_engine(name: str) -> str:
    """Returns what is deployed in few letters.

    Example:
        >>> short_engine("blend of joint and trees")
        'multi + trees'
    """
    blend = re.fullmatch(r"blend of (.+)", name)
    parts = re.split(r"\s*(?:,| and )\s*", blend[1]) if blend else [name]
    return " + ".join(NETS.get(part, part) for part in parts)


def explanation(transfer: Sequence[Mapping[str, Any]]) -> str:
    """Returns the line below the table, in plain words."""
    words = headline(transfer)
    if verdict_counts(transfer)[NOT_TESTED] < len(transfer):
        words += (
            " Gain: how much lower the loss of the multi-task network (multi) is than that of the "
            "same network trained on one target alone (single)."
        )
    if any(row.get("reference_name") for row in transfer):
        return (
            f"{words} For each target its best single-task model is deployed, unless the "
            "multi-task network beats it in a test."
        )
    return f"{words} Without references, what is deployed is unproven."
