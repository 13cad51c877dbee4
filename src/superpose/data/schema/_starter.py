"""The first superpose.yaml of a table: every column with its kind and the reason for it."""

import json
import os
import re
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import pyarrow as pa

from superpose.columns import local_path
from superpose.config import Config
from superpose.data.read._reading import divided
from superpose.errors import ConfigError, location, message
from superpose.kinds import INPUT_KINDS, TARGET_KINDS, InputKind, TargetKind

from ._guess import is_marker
from ._inference import infer_schema
from ._schema import NULL_WORDS, ColumnSpec, Schema

# Words that YAML readers, old ones too, take for something else than a word.
_SPECIAL = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "none"})


def write_starter(
    table: pa.Table,
    data: str | PathLike[str] | None,
    *,
    targets: str | Sequence[str | Mapping[str, Any]],
    path: str | PathLike[str],
) -> Schema:
    """Writes a commented superpose.yaml with the guessed kinds and their reasons.

    Args:
        table: the table, as `read_table` gives it.
        data: path of the table's file, written relative to `path`; None for a frame.
        targets: the columns to predict, as `Config.from_arguments` takes them.
        path: the file to write; an existing one is never touched.

    Returns:
        The schema that was written down.

    Raises:
        ConfigError: the file exists or can't be written, or the targets are wrong.
        DataError: names every fault of the table.
    """
    path = local_path(path, ConfigError)
    data = None if data is None else local_path(data)
    exists = message(
        location(file=path), "the file exists", fix="name another file, or move this one away"
    )
    if path.exists():
        raise ConfigError(exists)
    config = divided(Config.from_arguments(targets=targets), data)
    schema = infer_schema(table, config)
    text = _text(config, schema, data=data, path=path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Not "w": another process may have written the file in the meantime.
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as fault:
        if path.exists():
            raise ConfigError(exists) from None
        given = f"can't be written ({fault.strerror})"
        raise ConfigError(message(location(file=path), given, fix="name another folder")) from None
    return schema


def _text(config: Config, schema: Schema, *, data: str | PathLike[str] | None, path: Path) -> str:
    """The whole file."""
    lines = ["# Settings of superpose. Check them with: superpose check " + path.name]
    if data is not None:
        path_of_data = os.path.relpath(Path(data).resolve(), path.resolve().parent)
        lines.append(f"data: {_word(Path(path_of_data).as_posix())}")
    lines += [
        "",
        "# What to predict. The comment tells why a target has its kind; change what is wrong.",
    ]
    lines += [
        f"# Kinds: {', '.join(TARGET_KINDS)}.",
        "# An ordinal target may name its order: levels: [low, middle, high].",
        "targets:",
        *(_column(spec, TARGET_KINDS) for spec in schema.targets),
        "",
        "# What to predict from. `inputs: auto` takes every useful column.",
        f"# Kinds: {', '.join(INPUT_KINDS)}.",
        "inputs:",
        *(_column(spec, INPUT_KINDS) for spec in schema.inputs),
    ]
    if schema.ignored:
        lines += ["", "# What is not used."]
        lines += ["ignore:"]
        lines += [f"  - {_word(name)}  # {_flat(why)}" for name, why in schema.ignored.items()]
    lines += ["", *_split(config, schema), "", *_rest(config)]
    return "\n".join(lines) + "\n"


def _column(spec: ColumnSpec, kinds: Mapping[str, type[InputKind | TargetKind]]) -> str:
    """One column with its kind and the reason."""
    if not all(is_marker(word) or word in NULL_WORDS for word in spec.missing):
        # Words among the numbers would be faults of a declared kind; a guessed one passes them.
        return f"  - {_word(spec.name)}  # {spec.kind}: {_flat(spec.reason)}"
    parts = [f"name: {_word(spec.name)}", f"kind: {spec.kind}"]
    parts += [
        f"{key}: {_value(spec.options[key])}"
        for key in kinds[spec.kind].options.model_fields
        if key in spec.options
    ]
    return f"  - {{{', '.join(parts)}}}  # {_flat(spec.reason)}"


def _split(config: Config, schema: Schema) -> list[str]:
    """The split, with a hint for tables that have a date."""
    split = config.split
    dates = [spec.name for spec in schema.inputs if spec.kind == "date"]
    lines = [
        "# How rows are divided: random, stratified (over all targets), group (rows of one group",
        "# stay together), time (the latest rows are the test) or column (its words are train,",
        "# validation and test); the last three need `column:`.",
    ]
    if dates:
        lines += [
            f"# Rows that follow each other are best split by time, column {_word(dates[0])}."
        ]
    return [
        *lines,
        "split:",
        f"  by: {split.by}",
        f"  column: {_word(split.column)}"
        if split.column
        else f"  # column: {_word(dates[0]) if dates else 'name of the column'}",
        f"  validation: {split.validation}",
        f"  test: {split.test}",
    ]


def _rest(config: Config) -> list[str]:
    """The other sections with the settings that people change first."""
    model, training, proof = config.model, config.training, config.proof
    trees = proof.trees if isinstance(proof.trees, str) else f"[{', '.join(proof.trees)}]"
    return [
        "model:",
        f"  fusion: {model.fusion}  # how targets share; see: superpose fusions",
        f"  width: {model.width}",
        f"  members: {model.members}  # networks in the ensemble",
        f"  dropout: {model.dropout}",
        "",
        "training:",
        f"  epochs: {training.epochs}  # at most; each target stops at its best",
        f"  patience: {training.patience}",
        f"  batch_size: {training.batch_size}",
        f"  learning_rate: {training.learning_rate}",
        f"  device: {training.device}",
        "  # max_minutes: 10",
        "",
        "proof:",
        f"  references: {proof.references}  # models to beat: all, trees, network or none",
        f"  trees: {trees}  # auto, or some of [hist, catboost, lightgbm]",
        f"  alpha: {proof.alpha}  # chance that any target worse than its reference is deployed",
        "",
        f"seed: {config.seed}",
    ]


def _value(value: object) -> str:
    """A value or a list of values as YAML."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    return _word(value)


def _word(value: object) -> str:
    """A value as YAML: plain where no reader can mistake it, in quotes elsewhere."""
    if not isinstance(value, str):
        return json.dumps(value)
    plain = re.fullmatch(r"[A-Za-z_./][\w./-]*( [\w./-]+)*", value, re.ASCII)
    if plain and value.lower() not in _SPECIAL:
        return value
    return json.dumps(value, ensure_ascii=False)


def _flat(text: str) -> str:
    """A comment in one line."""
    return " ".join(text.split())
