"""The verb about groups: which targets should share a network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from superpose.errors import ConfigError, message

from ._app import app
from ._options import Run
from ._screen import Stages, echo

if TYPE_CHECKING:
    from superpose.record import RunRecord

PICTURE = "affinity.svg"


@app.command()
def affinity(
    run: Run,
    source: Annotated[
        Path | None,
        typer.Argument(
            help="Table of the run; default is the one that its settings name.", metavar="TABLE"
        ),
    ] = None,
    search: Annotated[
        bool, typer.Option("--search", help="Compare ways to group by cross-validation.")
    ] = False,
    epochs: Annotated[
        int, typer.Option(help="Epochs of the short training.", min=1, metavar="N")
    ] = 10,
    folds: Annotated[
        int | None, typer.Option(help="Folds of the search; default 5.", min=2, metavar="K")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help=f"Picture; default RUN/{PICTURE}.", metavar="FILE")
    ] = None,
) -> None:
    """Show which targets help each other, and suggest which should share a network.

    \b
    It trains all targets together for a few epochs and measures what a step
    of each does to the others, beside the verdicts of the run. --search then
    evaluates groupings, from all together to all apart. Test rows are not read.

    \b
    Examples:
      superpose affinity runs/first
      superpose affinity runs/first --search
      superpose affinity runs/first station.csv --epochs 20 --out picture.svg
    """
    from superpose.config import load_config
    from superpose.estimator import Superpose
    from superpose.models import write_file
    from superpose.report import affinity_picture

    if folds is not None and not search:
        fix = "add --search, or leave it out"
        raise ConfigError(message("--folds", "given without --search", fix=fix))
    if out is not None and out.suffix.lower() != ".svg":
        raise ConfigError(message("--out", f"{str(out)!r} given", "a file that ends in .svg"))
    model = Superpose.load(run)
    settings = run / "superpose.yaml"
    known = load_config(settings).data_path if settings.is_file() else None
    table = known if source is None else source
    with Stages() as stages:
        model.affinity(table, epochs, progress=stages)
        if search:
            model.search_groups(table, folds or 5, progress=stages)
    _show(model.record, search=search)
    assert model.record.affinity is not None
    picture = affinity_picture(model.record.affinity)
    echo(f"Wrote {write_file(out or run / PICTURE, picture)}")


def _show(record: RunRecord, *, search: bool) -> None:
    """Print the measured affinity, and the evaluated groupings where there are any."""
    from superpose.config import groups_text
    from superpose.report import (
        affinity_table,
        grouping_in_words,
        grouping_table,
        groups_in_words,
    )

    affinity = record.affinity
    assert affinity is not None
    affinity_table(record)
    echo(f"\n{groups_in_words(affinity.groups)}")
    groups = affinity.groups
    grouping = record.grouping if search else None
    if grouping is not None:
        echo()
        grouping_table(grouping)
        echo(f"\n{grouping_in_words(grouping)}")
        groups = grouping.candidate(grouping.recommended).groups
    if len(groups) > 1:
        echo(f"For the settings:\n\n{groups_text(groups)}")
    if grouping is None:
        echo("It is a suggestion. What it is worth is found by --search.")
