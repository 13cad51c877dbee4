"""What the command line shows: progress, tables, memory."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

import typer

from superpose.errors import listing, printable

if TYPE_CHECKING:
    from rich.console import Console

    from superpose.data import ColumnSpec, Schema

# What a stage is, in the words of the screen.
NAMES = {
    "multi-task network": "multi-task net",
    "given: boosted trees": "boosted trees that read measured targets (for --given)",
}
LINES = 60  # seconds between two lines of a log, where progress is slow
LEAST_BITS = 0.005  # what is less is shown as 0.00
WIDE = 1000  # columns; a table of fewer is looked at in a second or two
SHOWN = 100  # columns of one role, warnings or sentences; what is more is counted


def echo(text: object = "", *, err: bool = False) -> None:
    """Prints a line; control characters of names are shown, never obeyed."""
    typer.echo(printable(text, keep="\n\t"), err=err)


def echo_data(text: str) -> None:
    """Prints a result for whoever reads it: a program as it is, a terminal as `echo` does."""
    typer.echo(printable(text, keep="\n\t") if sys.stdout.isatty() else text, nl=False)


class Stages:
    """Shows how far a run is: a bar per stage on a terminal, plain lines elsewhere.

    Shares are estimates where early stopping may end a stage, and so is the time that is left.

    Args:
        console: where to show it; the standard error if None.
    """

    def __init__(self, console: Console | None = None) -> None:
        from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn

        from superpose.report import Screen

        self.console = console or Screen(stderr=True)
        columns = (BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[time]}"))
        self.bars = Progress("{task.description}", *columns, console=self.console)
        self.tasks: dict[str, TaskID] = {}
        self.shares: dict[str, float] = {}
        self.began = time.monotonic()
        self.last_line = self.began

    def __enter__(self) -> Self:
        if self.console.is_terminal:
            self.bars.start()
        return self

    def __exit__(self, *fault: object) -> None:
        if self.console.is_terminal:
            self.bars.stop()

    def __call__(self, stage: str, share: float) -> None:
        """Takes the share of a stage that is done, from 0 to 1."""
        name = NAMES.get(stage, stage)
        now = time.monotonic()
        new = stage not in self.shares
        if new:
            self.began = now
            self.tasks[stage] = self.bars.add_task(name, total=1.0, time="")
        # A bar that runs back only confuses.
        before = self.shares.get(stage, 0.0)
        self.shares[stage] = share = max(before, min(share, 1.0))
        seconds = now - self.began
        took = f"{seconds:.0f} s"
        if 0 < share < 1:
            took += f", about {seconds * (1 - share) / share:.0f} s left"
        self.bars.update(self.tasks[stage], completed=share, time=took)
        # Lines of a log: the start, each quarter, the end, and one a minute.
        due = int(4 * share) > int(4 * before) or (share > before and now - self.last_line > LINES)
        if not self.console.is_terminal and (new or due):
            self.last_line = now
            echo(f"{name}: {share:.0%}, {took}", err=True)


@contextmanager
def reading_spinner(columns: int, rows: int) -> Iterator[None]:
    """Shows on the standard error that a wide table is looked at, for as long as that takes."""
    if columns < WIDE:
        yield
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TimeElapsedColumn

    text = f"looking at {columns:,} columns of {rows:,} rows"
    console = Console(stderr=True)
    if not console.is_terminal:
        echo(text, err=True)
        yield
        return
    shown = ("{task.description}", SpinnerColumn(), TimeElapsedColumn())
    with Progress(*shown, console=console, transient=True) as progress:
        progress.add_task(text, total=None)
        yield


def kinds(specs: Iterable[ColumnSpec]) -> str:
    """The columns by kind: `2 number (a, b), 1 category (c)`."""
    by_kind: dict[str, list[str]] = {}
    for spec in specs:
        by_kind.setdefault(spec.kind, []).append(spec.name)
    return ", ".join(f"{len(names)} {kind} ({listing(names)})" for kind, names in by_kind.items())


def print_schema(schema: Schema, details: Mapping[str, str] | None = None) -> None:
    """Prints each column with its role, its kind and the reason for it.

    Args:
        schema: the columns.
        details: what the codec has learned of a column, by name; shown in a column of its own.
    """
    targets = [("target", spec.name, spec.kind, spec.reason) for spec in schema.targets]
    inputs = [("input", spec.name, spec.kind, spec.reason) for spec in schema.inputs]
    unused = [("not used", name, "", why) for name, why in schema.ignored.items()]
    rows = [row for part in (targets, inputs, unused) for row in part[:SHOWN]]
    header = ["", "column", "kind", "why"]
    if details is not None:
        table([*header, "detail"], [(*row, details.get(row[1], "")) for row in rows])
    else:
        table(header, rows)
    for part in (targets, inputs, unused):
        if len(part) > SHOWN:
            echo(f"{part[0][0]}: {len(part) - SHOWN:,} columns more")


def print_conversions(conversions: Sequence[str], err: bool = False) -> None:
    """Prints what is read otherwise than it is written, if anything is.

    Args:
        conversions: one sentence each.
        err: whether it goes to the standard error, where progress and warnings go.
    """
    from superpose.columns import summary

    if conversions:
        echo("\nRead differently from what is written:", err=err)
    lines = summary(conversions)
    for sentence in lines[:SHOWN]:
        echo(f"  {sentence}", err=err)
    _print_more(len(lines), err)


def print_warnings(warnings: Iterable[str], err: bool = False) -> None:
    """Prints warnings, one sentence each; `err` as of `print_conversions`."""
    every = list(warnings)
    for sentence in every[:SHOWN]:
        echo(f"Warning: {sentence}", err=err)
    _print_more(len(every), err)


def _print_more(count: int, err: bool) -> None:
    """Says how many sentences are not shown."""
    if count > SHOWN:
        echo(f"  and {count - SHOWN:,} more; the report of a run has them all", err=err)


def print_metrics(metrics: Mapping[str, Mapping[str, float]]) -> None:
    """Prints one table for all targets that have the same metrics."""
    alike: dict[tuple[str, ...], list[str]] = {}
    for target, values in metrics.items():
        alike.setdefault(tuple(values), []).append(target)
    for names, targets in alike.items():
        rows = [(t, *(f"{metrics[t][name]:.4g}" for name in names)) for t in targets]
        table(("target", *(name.replace("_", " ") for name in names)), rows)
        echo()
    echo("score: 1 is perfect, 0 is no better than the baseline.")


def recommendation(
    ranked: Sequence[Mapping[str, Any]], want: Sequence[str], priced: bool = False
) -> str:
    """One sentence on what to measure next.

    Args:
        ranked: the candidates of one row, the best first: `measure`, `bits`, `cost` and
            `bits_per_cost`.
        want: the targets that are to be known better.
        priced: whether costs were named.

    Example:
        >>> co = {"measure": "co", "bits": 0.41, "cost": 1.0, "bits_per_cost": 0.41}
        >>> no2 = {"measure": "no2", "bits": 0.21, "cost": 1.0, "bits_per_cost": 0.21}
        >>> recommendation([co, no2], ["pm25"])
        'Measure co next: it is expected to tell 0.41 bits about pm25, twice as much as no2.'
    """
    about = " and ".join(filter(None, [listing(want[:-1]), want[-1]]))
    best, *others = ranked
    if best["bits"] < LEAST_BITS:
        return f"No measurement is expected to tell anything about {about}."
    price = f" for a cost of {best['cost']:g}" if priced else ""
    text = f"Measure {best['measure']} next: it is expected to tell {best['bits']:.2f} bits about"
    text += f" {about}{price}"
    if not others:
        return f"{text}."
    second = others[0]
    if second["bits"] < LEAST_BITS:
        return f"{text}; {second['measure']} would tell next to nothing."
    ratio = best["bits_per_cost"] / second["bits_per_cost"]
    if ratio < 1.05:
        times = "about"
    elif 1.95 <= ratio < 2.05:
        times = "twice"
    else:
        times = f"{ratio:.1f} times" if ratio < 10 else f"{ratio:.0f} times"
    unit = " per unit of cost" if priced else ""
    return f"{text}, {times} as much{unit} as {second['measure']}."


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Prints a table; what comes from the user is text, never markup."""
    from rich.table import Table
    from rich.text import Text

    from superpose.report import screen

    console = screen()
    grid = Table(*header, box=None, pad_edge=False)
    for row in rows:
        grid.add_row(*map(Text, row))
    console.print(grid)


def peak_memory() -> str:
    """The most memory that the process has held, where the system tells it."""
    try:
        import resource
    except ImportError:  # Windows
        return ""
    # Linux counts in KiB, macOS in bytes.
    unit = 1 if sys.platform == "darwin" else 1024
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    return f", peak memory {most / 1e6:,.0f} MB"


def warn(text: Warning | str, *_: object) -> None:
    """Prints a Python warning in one line, without the line of code that raised it."""
    echo(f"Warning: {text}", err=True)
