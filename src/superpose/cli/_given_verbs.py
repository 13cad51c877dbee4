"""The verbs about measured targets: what they tell about each other, and what to measure next."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from superpose.errors import ConfigError, listing, message

from ._app import app
from ._options import Given, Run, given_option, names_of, require_other
from ._screen import Stages, echo, recommendation, table

MEASURED = "Table with what is measured already."
PICTURE = "entanglement.svg"
PERMUTATIONS = 10  # draws of the null where the number is not set

Names = list[str] | None


@app.command()
def entanglement(
    run: Run,
    source: Annotated[
        Path | None,
        typer.Argument(
            help="Table with labels; default is what the run measured.", metavar="TABLE"
        ),
    ] = None,
    permutations: Annotated[
        int | None,
        typer.Option(help=f"Draws of the null; default {PERMUTATIONS}.", min=1, metavar="N"),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help=f"Picture; default RUN/{PICTURE}.", metavar="FILE")
    ] = None,
) -> None:
    """Show how many bits each target tells about each other one, given the inputs.

    Without TABLE it shows what the run has measured on its test rows.

    \b
    Examples:
      superpose entanglement runs/first
      superpose entanglement runs/first test.parquet --permutations 50
      superpose entanglement runs/first --out picture.svg
    """
    from superpose.estimator import Superpose
    from superpose.models import write_file
    from superpose.report import entanglement_picture, entanglement_table

    if source is None and permutations is not None:
        fix = "name a table with labels, or leave it out"
        raise ConfigError(message("--permutations", "given without a table", fix=fix))
    if out is not None and out.suffix.lower() != ".svg":
        raise ConfigError(message("--out", f"{str(out)!r} given", "a file that ends in .svg"))
    model = Superpose.load(run)
    if source is None:
        pairs = model.entanglement_record()
    else:
        with Stages() as stages:
            stages("entanglement", 0.0)
            pairs = model.entanglement_record(source, permutations or PERMUTATIONS)
            stages("entanglement", 1.0)
    entanglement_table(pairs)
    path = write_file(out or run / PICTURE, entanglement_picture(pairs))
    echo(f"\nWrote {path}")


@app.command()
def measure(
    run: Run,
    source: Annotated[Path, typer.Argument(help=MEASURED, metavar="TABLE")],
    want: Annotated[
        list[str] | None,
        typer.Option(help="Targets to know better, separated by commas.", metavar="A,B"),
    ] = None,
    given: Given = None,
    cost: Annotated[
        list[str] | None,
        typer.Option(help="What a measurement costs; 1 if not named.", metavar="A=3,B=0.5"),
    ] = None,
    candidates: Annotated[
        list[str] | None,
        typer.Option(
            help="Targets that could be measured; default all neither wanted nor given.",
            metavar="A,B",
        ),
    ] = None,
    rows: Annotated[int, typer.Option(help="Rows to show.", min=1, metavar="N")] = 10,
    out: Annotated[
        Path | None, typer.Option(help="File for the advice on all rows.", metavar="FILE")
    ] = None,
) -> None:
    """Recommend which target to measure next, and say what it is expected to tell.

    \b
    Without --given, every target of TABLE is read as measured, where a row has a value,
    that is neither wanted nor named by --candidates.

    \b
    Examples:
      superpose measure runs/first row.csv --want pm25,pm10
      superpose measure runs/first row.csv --want pm25 --cost pm10=3,co=0.5
      superpose measure runs/first row.csv --want pm25 --given no2 --candidates co
      superpose measure runs/first rows.csv --want pm25 --rows 3 --out advice.csv
    """
    from superpose.data import read_rows, write_table
    from superpose.estimator import Superpose

    wanted = names_of(want)
    if not wanted:
        fix = f"for example: superpose measure {run} {source} --want a,b"
        allowed = "targets of the model, separated by commas"
        raise ConfigError(message("--want", "no target is named", allowed, fix=fix))
    prices = costs(cost)
    require_other(out, source, "the advice")
    model = Superpose.load(run)
    whole = read_rows(source, model.config)
    # Each row is predicted many times over; those that nobody will see are left out.
    part = whole if out is not None else whole.slice(0, rows)
    with Stages() as stages:
        stages("next measurement", 0.0)
        advice = model.next_measurement(
            part,
            wanted,
            given_option(given) or "auto",
            cost=prices,
            candidates=names_of(candidates) or None,
        )
        stages("next measurement", 1.0)
    records = [record for record in advice.to_pylist() if record["row"] < rows]
    print_advice(records, bool(prices))
    first = [record for record in records if record["row"] == 0]
    which = "" if whole.num_rows == 1 else "Row 0. "
    echo(f"\n{which}{recommendation(first, wanted, bool(prices))}")
    if whole.num_rows > rows:
        echo(f"{rows:,} of {whole.num_rows:,} rows are shown; `--rows N` shows more.")
    if out is not None:
        write_table(advice, out)
        echo(f"Wrote {out}: {advice.num_rows:,} rows, columns {listing(advice.column_names)}")


def print_advice(records: Sequence[dict[str, Any]], priced: bool) -> None:
    """Prints the candidates of each row, the best first; costs where any are named."""
    lines = []
    for record in records:
        row = str(record["row"]) if record["rank"] == 1 else ""
        line = [row, record["measure"], f"{record['bits']:.3f}"]
        if priced:
            line += [f"{record['cost']:g}", f"{record['bits_per_cost']:.3f}"]
        lines.append(line)
    prices = ["cost", "bits per cost"] if priced else []
    table(["row", "measure next", "expected bits", *prices], lines)


def costs(parts: Names) -> dict[str, float]:
    """The costs of an option such as `pm10=3,co=0.5`.

    Raises:
        ConfigError: A part that is not NAME=NUMBER, or a name that stands twice.
    """
    prices: dict[str, float] = {}
    for part in names_of(parts):
        name, _, number = (word.strip() for word in part.rpartition("="))
        try:
            price = float(number)
        except ValueError:
            price = None
        allowed = "NAME=NUMBER, separated by commas"
        if not name or price is None:
            fix = "for example: --cost pm10=3,co=0.5"
            raise ConfigError(message("--cost", f"{part!r} given", allowed, fix=fix))
        if name in prices:
            raise ConfigError(message("--cost", f"{name!r} stands twice", fix="remove one"))
        prices[name] = price
    return prices
