"""Options that several verbs have, and what is read from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from superpose.errors import ConfigError, DataError, listing, message

if TYPE_CHECKING:
    from superpose.config import Config

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


def require_other(out: Path | None, source: Path, what: str) -> None:
    """Makes sure that a result does not overwrite the table it is made from."""
    if out and out.exists() and source.exists() and out.samefile(source):
        given = f"given both as the table and for {what}"
        raise DataError(message(str(out), given, fix="name another"))


def settings_of(source: Path, verb: str, options: Mapping[str, Any]) -> Config:
    """The settings of a file, or those that options give for a table."""
    from superpose.config import Config, load_config

    if source.suffix.lower() in (".yaml", ".yml"):
        given = [option for option, value in options.items() if value]
        if given:
            fix = f"write it into {source}"
            raise ConfigError(message(listing(given), "given beside a settings file", fix=fix))
        return load_config(source)
    split = {"by": options.get("--split"), "column": options.get("--split-column")}
    return Config.from_arguments(
        targets=columns_of(
            options["--targets"], options["--positive"], f"superpose {verb} {source}"
        ),
        data=source,
        split={key: value for key, value in split.items() if value},
    )


def columns_of(
    targets: Sequence[str] | None, positive: Sequence[str] | None, command: str
) -> list[str | dict[str, str]]:
    """The targets of the options `--targets` and `--positive`."""
    names = _names(targets, command)
    classes: dict[str, str] = {}
    for part in names_of(positive):
        name, equals, value = (word.strip() for word in part.partition("="))
        if not equals or not value or name not in names:
            fix = f"for example: --positive {names[0]}=yes"
            allowed = f"NAME=CLASS, NAME one of {listing(names)}"
            raise ConfigError(message("--positive", f"{part!r} given", allowed, fix=fix))
        classes[name] = value
    return [{"name": n, "positive": classes[n]} if n in classes else n for n in names]


def _names(targets: Sequence[str] | None, command: str) -> list[str]:
    """The targets of an option that has to name some."""
    names = names_of(targets)
    if not names:
        fix = f"for example: {command} --targets a,b"
        allowed = "columns of the table, separated by commas"
        raise ConfigError(message("--targets", "no target is named", allowed, fix=fix))
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
