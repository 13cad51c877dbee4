"""The command line itself: whatever ends a verb early is one line on the screen."""

from __future__ import annotations

import shlex
import traceback
import warnings
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from superpose.errors import SuperposeError

from ._screen import echo, warn
from ._stopping import INTERRUPTED, TERMINATED, Terminated, stoppable, stopped

WRONG = 2  # exit code of everything that the user can mend, as of wrong options
COMMAND, DEBUG, RUN = "superpose.command", "superpose.debug", "superpose.run"


# Verbs of other tools, and which one here does that.
SAME = {"fit": "train", "run": "train", "score": "evaluate", "test": "evaluate", "infer": "predict"}


# The verbs in the order in which people need them.
ORDER = ("demo", "init", "check", "train", "evaluate", "predict", "report")


class Verbs(TyperGroup):
    """The verbs; what the user can mend is a message, without a traceback."""

    def list_commands(self, ctx: Any) -> list[str]:
        """The verbs as `--help` lists them."""
        names = super().list_commands(ctx)
        return [*(n for n in ORDER if n in names), *(n for n in names if n not in ORDER)]

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


def main() -> None:
    """Runs the command line."""
    app(prog_name="superpose")


def _version(requested: bool) -> None:
    if requested:
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


def _from_home(arg: str) -> str:
    """A word of a command with `~` as the home folder, which shells leave in `--out=~/run`."""
    option, equals, value = arg.partition("=") if arg.startswith("--") else ("", "", arg)
    return option + equals + str(Path(value).expanduser()) if value.startswith("~/") else arg
