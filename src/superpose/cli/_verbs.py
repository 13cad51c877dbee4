"""The verbs: each calls the public class or `superpose.data` and prints what it says.

Nothing heavy is imported before a verb runs, so that `superpose --help` answers at once.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from superpose.errors import ConfigError, SuperposeError, listing, message

from ._app import COMMAND, RUN, app
from ._options import (
    Given,
    Labelled,
    Positive,
    References,
    Resume,
    Run,
    Seed,
    Targets,
    Unlabelled,
    columns_of,
    given_option,
    require_other,
    settings_of,
)
from ._screen import (
    Stages,
    echo,
    echo_data,
    kinds,
    peak_memory,
    print_conversions,
    print_metrics,
    print_schema,
    print_warnings,
    reading_spinner,
)

if TYPE_CHECKING:
    from superpose.config import Config


@app.command()
def demo(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="air, machine or heart.", metavar="NAME")] = "air",
    out: Annotated[
        Path | None, typer.Option(help="Folder of the run; default runs/demo-NAME.", metavar="DIR")
    ] = None,
    references: References = "all",
    seed: Seed = 0,
    resume: Resume = False,
) -> None:
    """Train on a bundled data set and show what sharing did to each target.

    Without --out, an earlier demo in runs/demo-NAME is replaced.

    \b
    Examples:
      superpose demo
      superpose demo machine --references trees
      superpose demo heart --out runs/heart
    """
    from superpose.data import BUNDLED, infer_schema, load_bundled

    table = load_bundled(name)
    config = BUNDLED[name].config(references=references, seed=seed)
    if out is None:
        out = Path("runs") / f"demo-{name}"
        if not resume:
            _remove_demo(out, config)
    schema = infer_schema(table, config)
    echo(f"inputs:  {kinds(schema.inputs)} of {table.num_rows:,} rows")
    echo(f"targets: {kinds(schema.targets)}")
    _train(ctx, config, out, source=table, resume=resume)


@app.command()
def init(
    source: Annotated[Path, typer.Argument(help="Table to learn from.", metavar="TABLE")],
    targets: Targets = None,
    positive: Positive = None,
    out: Annotated[Path, typer.Option(help="File to write.", metavar="FILE")] = Path(
        "superpose.yaml"
    ),
) -> None:
    """Write a commented settings file with the inferred kind of each column.

    \b
    Examples:
      superpose init station.csv --targets pm25,pm10,level
      superpose init visits.parquet --targets readmitted --out visits.yaml
      superpose init visits.parquet --targets readmitted --positive readmitted=early
    """
    from superpose.data import read_table, write_starter

    columns = columns_of(targets, positive, f"superpose init {source}")
    table = read_table(source)
    with reading_spinner(table.num_columns, table.num_rows):
        schema = write_starter(table, source, targets=columns, path=out)
    print_schema(schema)
    print_conversions(schema.conversions)
    print_warnings(schema.warnings)
    echo(f"\nWrote {out}. Next: superpose check {out}")


@app.command()
def check(
    source: Annotated[Path, typer.Argument(help="Settings file, or a table.", metavar="SOURCE")],
    targets: Targets = None,
    positive: Positive = None,
) -> None:
    """Find every fault of the settings and the table; train nothing.

    \b
    Examples:
      superpose check superpose.yaml
      superpose check station.csv --targets pm25,level
    """
    from superpose.data import divided, read_rows
    from superpose.prepare import prepare, surely_fits

    options = {"--targets": targets, "--positive": positive}
    config = settings_of(source, "check", options)
    if config.data_path is None:
        fix = "add `data:` with the path of the table, or `sources:` with those of several"
        raise ConfigError(message(config.at("data"), "no table is named", fix=fix))
    config = divided(config, config.data_path)
    table = read_rows(config.data_path, config, quiet=True)
    with reading_spinner(table.num_columns, table.num_rows):
        prepared = prepare(table, config)
    if not surely_fits(prepared):
        from superpose.evaluation import require_room  # it makes networks, and so loads torch

        require_room(prepared)
    codec = prepared.codec
    details = {kind.column: kind.describe() for kind in codec.input_kinds}
    details |= {name: kind.describe() for name, kind in codec.target_kinds.items()}
    print_schema(prepared.schema, details)
    print_conversions(prepared.conversions)
    echo(f"\nSplit: {prepared.split.description}")
    echo(f"Evaluated on {prepared.plan.description}")
    print_warnings(prepared.warnings)
    repeated = "".join(f" {name} {','.join(words)}" for name, words in options.items() if words)
    echo(f"No fault was found. Next: superpose train {source}{repeated} --out runs/first")


@app.command()
def train(
    ctx: typer.Context,
    source: Annotated[Path, typer.Argument(help="Settings file, or a table.", metavar="SOURCE")],
    targets: Targets = None,
    positive: Positive = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the run; default runs/SOURCE.", metavar="DIR")
    ] = None,
    split: Annotated[
        str | None,
        typer.Option(help="random, stratified, group, time or column.", metavar="HOW"),
    ] = None,
    split_column: Annotated[
        str | None, typer.Option(help="Column of the groups, times or words.", metavar="COLUMN")
    ] = None,
    references: References = None,
    seed: Seed = None,
    resume: Resume = False,
) -> None:
    """Train one model for all targets, test it for each, and keep what wins.

    \b
    Examples:
      superpose train superpose.yaml --out runs/first
      superpose train station.csv --targets pm25,level
      superpose train station.csv --targets pm25 --split time --split-column date
      superpose train atis/ --targets intent,slots
      superpose train superpose.yaml --out runs/first --resume
    """
    options = {
        "--targets": targets,
        "--positive": positive,
        "--split": split,
        "--split-column": split_column,
    }
    config = settings_of(source, "train", options).override(references=references, seed=seed)
    _train(ctx, config, out or Path("runs") / source.stem, resume=resume)


@app.command()
def evaluate(
    run: Run,
    source: Labelled,
    given: Given = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Score a trained model on a table with labels.

    Targets named by --given are read as measured and not scored.

    \b
    Examples:
      superpose evaluate runs/first test.parquet
      superpose evaluate runs/first test.parquet --given no2,co
      superpose evaluate runs/first test.parquet --json
    """
    from superpose.estimator import Superpose

    metrics = Superpose.load(run).evaluate(source, given_option(given))
    if as_json:
        # JSON has no word for a metric that the rows do not define.
        plain = {t: {k: v if v == v else None for k, v in m.items()} for t, m in metrics.items()}
        echo_data(json.dumps(plain, indent=1, ensure_ascii=False) + "\n")
    else:
        print_metrics(metrics)


@app.command()
def predict(
    run: Run,
    source: Unlabelled,
    out: Annotated[
        Path | None,
        typer.Option(help="File to write, replaced if it exists; default: CSV to the screen."),
    ] = None,
    given: Given = None,
    proba: Annotated[
        bool, typer.Option("--proba", help="Also the probability of each class.")
    ] = False,
) -> None:
    """Predict every target for new rows, one row of the file per row of the table.

    Masks and maps are files in a folder beside FILE, one for each row.

    \b
    Labels in the table are not read, but for the targets named by --given: where
    they have a value it counts as measured, and is used to predict the others.

    \b
    Examples:
      superpose predict runs/first new.csv --out predictions.parquet
      superpose predict runs/first new.csv --given no2,co
      superpose predict runs/first new.csv --given auto --out predictions.csv
      superpose predict runs/first new.csv --out predictions.csv --proba
    """
    from superpose.data import write_predictions, write_table
    from superpose.estimator import Superpose

    require_other(out, source, "the predictions")
    model = Superpose.load(run)
    pred = model.predict(source, given_option(given), proba=proba)
    if out is None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "predictions.csv"
            write_table(pred, path)
            echo_data(path.read_text(encoding="utf-8"))
        return
    files = write_predictions(pred, out, model.kinds)
    more = f"; files in {files}" if files else ""
    echo(f"Wrote {out}: {pred.num_rows:,} rows, columns {listing(pred.column_names)}{more}")


@app.command()
def report(
    run: Run,
    out: Annotated[
        Path | None, typer.Option(help="File to write; default RUN/report.html.", metavar="FILE")
    ] = None,
    show: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
) -> None:
    """Write the report of a run anew.

    \b
    Examples:
      superpose report runs/first --open
      superpose report runs/first --out report.html
    """
    from superpose.estimator import Superpose

    path = Superpose.load(run).report(out or run / "report.html")
    echo(f"Wrote {path}")
    if show:
        import webbrowser

        webbrowser.open(path.resolve().as_uri())


def _train(
    ctx: typer.Context, config: Config, out: Path, *, source: Any = None, resume: bool = False
) -> None:
    """Trains with progress, then prints the verdicts and where everything lies."""
    from superpose.estimator import READING, Superpose
    from superpose.report import verdict_table

    began = time.monotonic()
    model = Superpose.from_config(config)
    ctx.meta[RUN] = out
    early: list[str] = []
    with Stages() as stages:

        def progress(stage: str, share: float) -> None:
            stages(stage, share)
            if (stage, share) == (READING, 1.0):
                early.extend(model.warnings)
                print_conversions(model.conversions, err=True)
                print_warnings(early, err=True)

        model.fit(source, out=out, resume=resume, progress=progress, command=ctx.meta[COMMAND])
    print_warnings((w for w in model.warnings if w not in early), err=True)
    verdict_table(model.record)
    echo(f"\n{time.monotonic() - began:.0f} s{peak_memory()}. Report: {out / 'report.html'}")


def _remove_demo(folder: Path, config: Config) -> None:
    """Removes an earlier demo of the same data, stopped or finished, and nothing else."""
    from superpose.config import load_config
    from superpose.evaluation import locked

    try:
        earlier = load_config(folder / "superpose.yaml")
    except SuperposeError:
        return
    # Only a demo has no `data`: every other run of the command line names its table.
    if earlier.data_path is None and earlier.targets == config.targets:
        with locked(folder):
            shutil.rmtree(folder)
