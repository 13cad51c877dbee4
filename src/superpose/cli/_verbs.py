"""The verbs: each calls the public class or `superpose.data` and prints what it says.

Nothing heavy is imported before a verb runs, so that `superpose --help` answers at once.
"""

from __future__ import annotations

import json
import shlex
import shutil
import tempfile
import time
import traceback
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from superpose.errors import ConfigError, DataError, SuperposeError, listing, message

from ._screen import (
    Stages,
    echo,
    echo_data,
    kinds,
    looking_at,
    peak_memory,
    tell_conversions,
    tell_metrics,
    tell_schema,
    tell_warnings,
    warn,
)
from ._stopping import INTERRUPTED, TERMINATED, Terminated, stoppable, stopped

if TYPE_CHECKING:
    from superpose.data import Config

WRONG = 2  # exit code of everything that the user can mend, as of wrong options
COMMAND, DEBUG, RUN = "superpose.command", "superpose.debug", "superpose.run"


# Verbs of other tools, and which one here does that.
SAME = {"fit": "train", "run": "train", "score": "evaluate", "test": "evaluate", "infer": "predict"}


class Verbs(TyperGroup):
    """The verbs; what the user can mend is told in its own words, without a traceback."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Takes `--debug` out wherever it stands, before the verb or after it."""
        ctx.meta[COMMAND] = shlex.join(["superpose", *args])
        ctx.meta[DEBUG] = "--debug" in args
        return super().parse_args(ctx, [_from_home(arg) for arg in args if arg != "--debug"])

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Finds the verb; for one that other tools have it names the one of this."""
        if (meant := SAME.get(args[0].lower())) is not None:
            ctx.fail(f"No such command '{args[0]}'. Did you mean '{meant}'?")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Runs a verb; an error of the user ends it with exit code 2, a signal with its own."""
        try:
            with stoppable(), warnings.catch_warnings():
                warnings.showwarning = warn  # type: ignore[assignment]
                return super().invoke(ctx)
        except SuperposeError as error:
            if ctx.meta[DEBUG]:
                echo(traceback.format_exc(), err=True)
            echo(f"error: {error}", err=True)
            raise typer.Exit(WRONG) from error
        except KeyboardInterrupt as stop:
            echo(f"\n{stopped(ctx.meta.get(RUN), ctx.meta[COMMAND])}", err=True)
            raise typer.Exit(TERMINATED if isinstance(stop, Terminated) else INTERRUPTED) from None


app = typer.Typer(
    cls=Verbs,
    no_args_is_help=True,
    add_completion=False,
    # A defect of superpose shows Python's own traceback, which can be copied into a report.
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)

Targets = Annotated[
    list[str] | None, typer.Option(help="Columns to predict, separated by commas.", metavar="A,B")
]
Positive = Annotated[
    list[str] | None,
    typer.Option(help="The class of a two-class target that counts as yes.", metavar="A=CLASS"),
]
References = Annotated[
    str | None, typer.Option(help="Models to beat: all, trees, network or none.", metavar="WHICH")
]
Resume = Annotated[bool, typer.Option("--resume", help="Continue a stopped run.")]
Seed = Annotated[int | None, typer.Option(help="Seed of every random choice.", metavar="N")]
Run = Annotated[Path, typer.Argument(help="Folder of a run, or a bundle.", metavar="RUN")]
Labelled = Annotated[Path, typer.Argument(help="Table with labels.", metavar="TABLE")]
Unlabelled = Annotated[Path, typer.Argument(help="Table to predict.", metavar="TABLE")]
Given = Annotated[
    list[str] | None,
    typer.Option(
        help="Targets that TABLE holds as measured, separated by commas; auto takes all.",
        metavar="A,B",
    ),
]


def main() -> None:
    """Runs the command line."""
    app(prog_name="superpose")


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        echo(version("superpose"))
        raise typer.Exit()


@app.callback()
def _root(
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks, with any verb.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """One model for several targets: shares what helps, proves it for each, never ships harm.

    \b
    Start with one of these:
      superpose demo
      superpose train station.csv --targets pm25,level
      superpose init station.csv --targets pm25,level
    """


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

    columns = _columns(targets, positive, f"superpose init {source}")
    table = read_table(source)
    with looking_at(table.num_columns, table.num_rows):
        schema = write_starter(table, source, columns, out)
    tell_schema(schema)
    tell_conversions(schema.conversions)
    tell_warnings(schema.warnings)
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
    from superpose.audit import prepare, require_room
    from superpose.data import divided, read_rows

    options = {"--targets": targets, "--positive": positive}
    config = _settings(source, "check", options)
    if config.source is None:
        fix = "add `data:` with the path of the table, or `sources:` with those of several"
        raise ConfigError(message(config.at("data"), "no table is named", fix=fix))
    config = divided(config, config.source)
    table = read_rows(config.source, config, quiet=True)
    with looking_at(table.num_columns, table.num_rows):
        prepared = prepare(table, config)
    require_room(prepared)
    codec = prepared.codec
    details = {kind.column: kind.describe() for kind in codec.input_kinds}
    details |= {name: kind.describe() for name, kind in codec.target_kinds.items()}
    tell_schema(prepared.schema, details)
    tell_conversions(prepared.conversions)
    echo(f"\nSplit: {prepared.split.description}")
    tell_warnings(prepared.warnings)
    told = "".join(f" {name} {','.join(words)}" for name, words in options.items() if words)
    echo(f"No fault was found. Next: superpose train {source}{told} --out runs/first")


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
    config = _settings(source, "train", options).override(references=references, seed=seed)
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
    from superpose.project import Superpose

    metrics = Superpose.load(run).evaluate(source, given_option(given))
    if as_json:
        # JSON has no word for a metric that the rows do not define.
        plain = {t: {k: v if v == v else None for k, v in m.items()} for t, m in metrics.items()}
        echo_data(json.dumps(plain, indent=1, ensure_ascii=False) + "\n")
    else:
        tell_metrics(metrics)


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
    from superpose.project import Superpose

    require_other(out, source, "the predictions")
    model = Superpose.load(run)
    names = given_option(given)
    told = model.predict(source, names)
    if proba:
        # What is to be warned of has been said by the first of the two.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            shares = model.predict_proba(source, names)
        for name in shares.column_names:
            if name not in told.column_names:
                told = told.append_column(name, shares.column(name))
    if out is None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "told.csv"
            write_table(told, path)
            echo_data(path.read_text(encoding="utf-8"))
        return
    files = write_predictions(told, out, model.kinds)
    more = f"; files in {files}" if files else ""
    echo(f"Wrote {out}: {told.num_rows:,} rows, columns {listing(told.column_names)}{more}")


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
    from superpose.project import Superpose

    path = Superpose.load(run).report(out or run / "report.html")
    echo(f"Wrote {path}")
    if show:
        import webbrowser

        webbrowser.open(path.resolve().as_uri())


def _train(
    ctx: typer.Context, config: Config, out: Path, *, source: Any = None, resume: bool = False
) -> None:
    """Trains with progress, then prints the verdicts and where everything lies."""
    from superpose.project import READING, Superpose
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
                tell_conversions(model.conversions, err=True)
                tell_warnings(early, err=True)

        model.fit(source, out=out, resume=resume, progress=progress, command=ctx.meta[COMMAND])
    tell_warnings((w for w in model.warnings if w not in early), err=True)
    verdict_table(model.facts["transfer"])
    echo(f"\n{time.monotonic() - began:.0f} s{peak_memory()}. Report: {out / 'report.html'}")


def _from_home(arg: str) -> str:
    """A word of a command with `~` as the home folder, which shells leave in `--out=~/run`."""
    option, equals, value = arg.partition("=") if arg.startswith("--") else ("", "", arg)
    return option + equals + str(Path(value).expanduser()) if value.startswith("~/") else arg


def require_other(out: Path | None, source: Path, what: str) -> None:
    """Makes sure that a result does not overwrite the table it is made from."""
    if out and out.exists() and source.exists() and out.samefile(source):
        given = f"given both as the table and for {what}"
        raise DataError(message(str(out), given, fix="name another"))


def _settings(source: Path, verb: str, options: Mapping[str, Any]) -> Config:
    """The settings of a file, or those that options give for a table."""
    from superpose.data import Config, load_config

    if source.suffix.lower() in (".yaml", ".yml"):
        given = [option for option, value in options.items() if value]
        if given:
            fix = f"write it into {source}"
            raise ConfigError(message(listing(given), "given beside a settings file", fix=fix))
        return load_config(source)
    told = {"by": options.get("--split"), "column": options.get("--split-column")}
    return Config.from_arguments(
        targets=_columns(options["--targets"], options["--positive"], f"superpose {verb} {source}"),
        data=source,
        split={key: value for key, value in told.items() if value},
    )


def _columns(
    targets: Sequence[str] | None, positive: Sequence[str] | None, command: str
) -> list[str | dict[str, str]]:
    """The targets of the options `--targets` and `--positive`."""
    names, classes = _names(targets, command), dict[str, str]()
    for part in names_of(positive):
        name, equals, value = (word.strip() for word in part.partition("="))
        if not equals or not value or name not in names:
            fix = f"for example: --positive {names[0]}=yes"
            allowed = f"NAME=CLASS, NAME one of {listing(names)}"
            raise ConfigError(message("--positive", f"{part!r} given", allowed, fix))
        classes[name] = value
    return [{"name": n, "positive": classes[n]} if n in classes else n for n in names]


def _names(targets: Sequence[str] | None, command: str) -> list[str]:
    """The targets of an option that has to name some."""
    names = names_of(targets)
    if not names:
        fix = f"for example: {command} --targets a,b"
        allowed = "columns of the table, separated by commas"
        raise ConfigError(message("--targets", "no target is named", allowed, fix))
    return names


def names_of(parts: Sequence[str] | None) -> list[str]:
    """The names of an option that may be given several times, each time with commas."""
    return [name.strip() for part in parts or () for name in part.split(",") if name.strip()]


def given_option(parts: Sequence[str] | None) -> list[str] | str | None:
    """What `--given` says: names, "auto", or None where it is left out."""
    names = names_of(parts)
    if parts and not names:
        allowed = "targets, separated by commas, or auto"
        raise ConfigError(message("--given", "no target is named", allowed))
    return "auto" if names == ["auto"] else names or None


def _remove_demo(folder: Path, config: Config) -> None:
    """Removes an earlier demo of the same data, stopped or finished, and nothing else."""
    from superpose.data import load_config
    from superpose.deploy import locked

    try:
        earlier = load_config(folder / "superpose.yaml")
    except SuperposeError:
        return
    # Only a demo has no `data`: every other run of the command line names its table.
    if earlier.source is None and earlier.targets == config.targets:
        with locked(folder):
            shutil.rmtree(folder)
