"""The verdict tables on the terminal: what one gets, and what sharing did to it."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from superpose.errors import printable
from superpose.record import (
    EVERYTHING,
    HALF,
    HARMED,
    HELPED,
    NO_DIFFERENCE,
    NOT_TESTED,
    NOTHING,
    Level,
    RunRecord,
    TargetRecord,
    mixture_name,
)

from ._given import benefit_in_words
from ._wording import (
    gain_in_words,
    headline,
    metric_name,
    number,
    refit_in_words,
    verdict_counts,
)

STYLES = {HELPED: "green", HARMED: "red", NO_DIFFERENCE: "default", NOT_TESTED: "dim"}
WIDTH = 100  # columns of a file, and of words on a wider terminal
USUAL = 80  # columns of a usual terminal; there names and metrics are shorter
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


def verdict_table(record: RunRecord, console: Console | None = None) -> None:
    """Prints what predicts each target and how well, and what sharing did to it.

    Args:
        record: What the run has found.
        console: Where to print; the standard output if None.

    Example:
        >>> verdict_table(RunRecord())  # doctest: +SKIP
    """
    console = console or screen()
    width = min(console.width, WIDTH)
    targets = list(record.targets.values())
    console.print(_deployed(record, targets, width=width), width=width)
    console.print()
    if any(target.sharing.verdict != NOT_TESTED for target in targets):
        console.print(_sharing(targets, width=width), width=width)
        console.print()
    for words in explanation(record):
        console.print(Text(words), width=width)


def verdict_text(record: RunRecord) -> str:
    """Returns what `verdict_table` prints as plain text, in at most 100 columns."""
    out = io.StringIO()
    verdict_table(record, Screen(file=out, width=WIDTH))
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


def rows_that_decide(record: RunRecord) -> str:
    """Returns what the rows are called that decide what is deployed."""
    return "out of fold" if record.regime == "folds" else "validation"


def _deployed(record: RunRecord, targets: Sequence[TargetRecord], *, width: int) -> Table:
    """A line for each target: the error of what is deployed, and its name."""
    table = _named(width)
    table.add_column("metric", max_width=9 if width <= USUAL else 11)
    levels: dict[str, Level] = {
        "nothing\ngiven": NOTHING,
        "half\ngiven": HALF,
        "all\ngiven": EVERYTHING,
    }
    if not any(target.given for target in targets):
        levels = {rows_that_decide(record): NOTHING}
    columns = {
        name: [target.at(level).deployed.value for target in targets]
        for name, level in levels.items()
    }
    columns["test,\nnothing\ngiven" if len(levels) > 1 else "test"] = [
        target.test_value for target in targets
    ]
    shown = {name: v for name, v in columns.items() if not all(map(math.isnan, v))}
    for name in shown:
        table.add_column(Text(name), justify="right", no_wrap=True)
    table.add_column("deployed", min_width=20)
    for i, target in enumerate(targets):
        metric = SHORT_METRICS.get(target.metric, metric_name(target.metric))
        table.add_row(
            Text(target.name, style="bold"),
            Text(metric, style="dim"),
            *(Text(number(column[i], "-")) for column in shown.values()),
            Text(mixture_name(target.decision.deployed.weights)),
        )
    return table


def _sharing(targets: Sequence[TargetRecord], *, width: int) -> Table:
    """A line for each target: the multi-task net against its rivals, and the verdict."""
    table = _named(width)
    for name in ("single-task\nnet", "multi-task\nnet", "best single-\ntask"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("gain of sharing\n% [interval]", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    for target in targets:
        sharing = target.sharing
        style = STYLES[sharing.verdict]
        values = (sharing.single_task, sharing.multi_task, target.decision.reference.value)
        table.add_row(
            Text(target.name, style="bold"),
            *(Text(number(value, "-")) for value in values),
            Text(gain_in_words(sharing.gain, "-"), style=style),
            Text(sharing.verdict, style=style),
        )
    return table


def _named(width: int) -> Table:
    """A table whose first column has the names; a column named "[red]" is a name, not a style."""
    table = plain_table()
    longest = 11 if width <= USUAL else 20
    table.add_column("target", max_width=longest, no_wrap=True, overflow="ellipsis")
    return table


def explanation(record: RunRecord) -> list[str]:
    """Returns the paragraphs below the tables, in plain words."""
    targets = list(record.targets.values())
    benefit = benefit_in_words(targets)
    if benefit:
        rows = "out-of-fold predictions" if record.regime == "folds" else "validation rows"
        benefit += f" Nothing, half and all given are of the same {rows}."
    sharing = headline(targets)
    if verdict_counts(targets)[NOT_TESTED] < len(targets):
        sharing += (
            " Gain: how much lower the loss of the multi-task net is than that of the same net "
            "trained on one target (single-task net)."
        )
    deployed = ""
    if any(target.decision.reference for target in targets):
        deployed = (
            "For each target its best single-task model is deployed, unless the multi-task net, "
            "or a mixture with it, beats that in a test; the report says why."
        )
    elif targets:
        deployed = "Without single-task models to compare with, what is deployed is unproven."
    return [words for words in (benefit, sharing, deployed, refit_in_words(record)) if words]
