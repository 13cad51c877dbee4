"""The whole story in one class: fit, predict, evaluate, transfer, report, save, load."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, Self

import numpy as np
import pyarrow as pa

from superpose.audit import (
    Facts,
    Predictor,
    Progress,
    evaluate_target,
    findings,
    prepare,
    quiet,
    run_trial,
    settings_of,
)
from superpose.data import Config, fingerprint, like, read_table
from superpose.deploy import is_folder, load_folder, require_writable, save_folder, write_file
from superpose.errors import BundleError, ConfigError, DataError, SuperposeError, listing, message
from superpose.report import render_report
from superpose.training import require_host

Source = Any  # a pandas, polars or Arrow frame, or the path of a table


class Superpose:
    """One model for several targets of a table.

    Args:
        targets: Names of the columns to predict, or mappings such as
            ``{"name": "level", "kind": "ordinal", "levels": ["low", "high"]}``.
        inputs: "auto" or the columns to predict from.
        ignore: Columns that are not used.
        split: How rows are divided: "random", "stratified", or a mapping such as
            ``{"by": "time", "column": "date"}``.
        model: Settings of the network.
        training: Settings of the training loop.
        proof: Settings of the references and the no-harm test.
        references: "all", "trees", "network" or "none"; short for ``proof={"references": ...}``.
        seed: Seed of every random choice.

    Raises:
        ConfigError: Every fault of the settings at once.

    Example:
        >>> import pyarrow as pa
        >>> rows = pa.table({"x": [i * 0.5 for i in range(60)], "y": [2.0 * i for i in range(60)],
        ...                  "z": [0.37 * i % 5 for i in range(60)]})
        >>> model = Superpose(["y", "z"], references="none", training={"epochs": 2}).fit(rows)
        >>> model.predict(rows.select(["x"])).column_names
        ['y', 'y_low', 'y_high', 'z', 'z_low', 'z_high']
    """

    def __init__(
        self,
        targets: str | Sequence[str | Mapping[str, Any]] | Mapping[str, str],
        *,
        inputs: str | Sequence[str | Mapping[str, Any]] | Mapping[str, str] = "auto",
        ignore: Sequence[str] = (),
        split: str | Mapping[str, Any] | None = None,
        model: Mapping[str, Any] | None = None,
        training: Mapping[str, Any] | None = None,
        proof: Mapping[str, Any] | None = None,
        references: str | None = None,
        seed: int = 0,
    ) -> None:
        self._start(
            Config.from_arguments(
                targets=targets,
                inputs=inputs,
                ignore=ignore,
                split=split,
                model=model,
                training=training,
                proof=proof,
                references=references,
                seed=seed,
            )
        )

    @classmethod
    def from_config(cls, config: Config) -> Self:
        """Build a model from settings that were read from a file."""
        model = cls.__new__(cls)
        model._start(config)
        return model

    def _start(self, config: Config) -> None:
        self.config = config
        self.facts: Facts = {}
        self._predictor: Predictor | None = None
        self._source: Source = None

    @property
    def warnings(self) -> list[str]:
        """What the data has that the user should know, one sentence each."""
        return list(self.facts.get("warnings", []))

    def fit(
        self,
        source: Source = None,
        *,
        out: str | PathLike[str] | None = None,
        resume: bool = False,
        progress: Progress | None = None,
        command: str = "",
    ) -> Self:
        """Train the joint network and its references, and let the proof decide what ships.

        Args:
            source: A frame or the path of a table; default is the settings' ``data``.
            out: Folder for everything the run finds out; checkpoints are kept there on the way.
            resume: Continue a run in ``out`` that was stopped.
            progress: Called with the name of a stage and the share of it that is done.
            command: How the run was started, for the report.

        Raises:
            DataError: Every fault of the table at once.
            TrainingError: A loss that is not finite.
            BundleError: ``out`` exists already.
        """
        source = self.config.data_path if source is None else source
        if source is None:
            raise ConfigError("data: no table was given; pass a frame or a path, or set `data:`")
        folder = None if out is None else Path(out)
        settings = "" if folder is None else _settings(self.config, source, folder)
        if folder is not None:
            _require_run(folder, settings, resume)
        tell = progress or quiet
        tell("reading the table", 0.0)
        table = read_table(source)
        prepared = prepare(table, self.config)
        require_host(settings_of(self.config))
        # Not before: a table with faults is no run, and its folder stays free for the mended one.
        work = None if folder is None else _open_run(folder, settings, table)
        tell("reading the table", 1.0)
        trial = run_trial(prepared, work, tell)
        tell("test and report", 0.0)
        name = str(source) if isinstance(source, str | PathLike) else "a frame in memory"
        self._predictor, self._source = trial.predictor.pruned(), source
        self.facts = findings(trial, name, command or self._as_python())
        if folder is not None and work is not None:
            self._write_run(folder)
            shutil.rmtree(work)
        tell("test and report", 1.0)
        return self

    def _as_python(self) -> str:
        names = [target.name for target in self.config.targets]
        return f"Superpose(targets={names!r}, seed={self.config.seed}).fit(frame)"

    def predict(self, source: Source) -> Any:
        """Predict every target in its own units.

        Args:
            source: A frame or a path with the input columns, in any order; labels are not read.

        Returns:
            A frame of the caller's library (for a path an Arrow table): one column per target, and
            for numbers ``name_low`` and ``name_high``, which hold 90 % of new rows.
        """
        predictor = self._fitted()
        columns: dict[str, pa.Array] = {}
        for target, told in predictor.canonical(self._inputs(source)).items():
            columns |= predictor.codec.target_kinds[target].decode(
                told, predictor.thresholds.get(target), predictor.half_widths(target, told)
            )
        return like(source, pa.table(columns))

    def predict_proba(self, source: Source) -> Any:
        """Predict the distribution of every target: a column ``target=label`` for each label."""
        predictor = self._fitted()
        columns: dict[str, pa.Array] = {}
        for target, told in predictor.canonical(self._inputs(source)).items():
            columns |= predictor.codec.target_kinds[target].decode_proba(told)
        return like(source, pa.table(columns))

    def _inputs(self, source: Source) -> pa.Table:
        """Read a table without its targets, so that a label can't leak into a prediction."""
        table = read_table(source)
        targets = set(self._fitted().shipped)
        return table.drop_columns([c for c in table.column_names if c in targets])

    def evaluate(self, source: Source) -> dict[str, dict[str, float]]:
        """Score the predictions for rows with labels; each target by the metrics of its kind.

        Raises:
            DataError: The table lacks an input, or has none of the targets.
        """
        predictor = self._fitted()
        table = read_table(source)
        if not set(predictor.shipped) & set(table.column_names):
            given = f"only the columns {listing(table.column_names)}"
            allowed = f"at least one of the targets {listing(predictor.shipped)}"
            raise DataError(message("labels", given, allowed, "name a table with labels"))
        labels = predictor.codec.labels(table)
        told = predictor.canonical(table)
        return {t: evaluate_target(predictor, t, labels[t], told[t]) for t in told}

    def transfer(self) -> Any:
        """Return the verdict table: what sharing did to each target, and what ships."""
        self._fitted()
        rows = [
            {k: v for k, v in r.items() if k != "shipped_weights"} for r in self.facts["transfer"]
        ]
        return like(self._source if self._source is not None else "", pa.Table.from_pylist(rows))

    def report(self, path: str | PathLike[str]) -> Path:
        """Write the report as one HTML file that opens offline."""
        self._fitted()
        return write_file(path, render_report(self.facts))

    def save(self, path: str | PathLike[str]) -> Path:
        """Write the bundle: a folder of safetensors and JSON, whole or not at all."""
        facts, groups = self._fitted().state()
        plots = {
            f"{t}/{k}": np.asarray(v)
            for t, plot in self.facts.get("plots", {}).items()
            for k, v in plot.items()
            if isinstance(v, np.ndarray)
        }
        listed = {k: v for k, v in self.facts.items() if k != "plots"}
        names = {
            t: {k: v for k, v in plot.items() if not isinstance(v, np.ndarray)}
            for t, plot in self.facts.get("plots", {}).items()
        }
        config = self.config.model_dump(mode="json", exclude_none=True)
        return save_folder(
            path,
            {"model": facts, "facts": {**_plain(listed), "plots": _plain(names)}, "config": config},
            {**groups, "plots": plots},
        )

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Self:
        """Read a bundle, or the bundle of a run folder.

        Raises:
            BundleError: No bundle, or one that is damaged or newer than this version.
        """
        folder = Path(path)
        if is_folder(folder / "bundle"):
            folder = folder / "bundle"
        elif (folder / "work").is_dir():
            raise BundleError(f"{folder}: this run has not ended; `--resume` continues it")
        parts, arrays = load_folder(folder)
        for part in ("model", "facts", "config"):
            if part not in parts:
                raise BundleError(f"{folder}: part {part!r} is missing; save the model again")
        try:
            model = cls.from_config(Config.model_validate(parts["config"]))
            model.facts = dict(parts["facts"])
            for name, value in arrays.pop("plots", {}).items():
                target, key = name.rsplit("/", 1)
                model.facts["plots"][target][key] = value
            model._predictor = Predictor.from_state(parts["model"], arrays)
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            what = f"its parts do not fit together ({type(error).__name__})"
            fix = "the bundle is damaged; copy or save it again"
            raise BundleError(message(str(folder), what, fix=fix)) from error
        return model

    def _write_run(self, folder: Path) -> None:
        self.save(folder / "bundle")
        for name in ("metrics", "transfer"):
            write_file(folder / f"{name}.json", json.dumps(_plain(self.facts[name]), indent=1))
        self.report(folder / "report.html")

    def _fitted(self) -> Predictor:
        if self._predictor is None:
            raise SuperposeError(
                "model: it has not been trained; call fit(frame) first, or Superpose.load(path)"
            )
        return self._predictor


def _plain(value: Any) -> Any:
    """Turn facts into what JSON can hold; what is not a number becomes null."""
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, np.generic):
        return _plain(value.item())
    return None if isinstance(value, float) and not np.isfinite(value) else value


def _settings(config: Config, source: Source, folder: Path) -> str:
    """Write the settings as the run folder keeps them: with the way from there to the table."""
    if isinstance(source, str | PathLike):
        way = os.path.relpath(Path(source).resolve(), folder.resolve())
        config = config.model_copy(update={"data": Path(way).as_posix()})
    return config.to_yaml()


def _require_run(folder: Path, text: str, resume: bool) -> None:
    """Make sure that a run can begin in a folder, or go on there."""
    settings, work = folder / "superpose.yaml", folder / "work"
    if folder.is_dir() and any(folder.iterdir()):
        if not resume:
            more = "; `--resume` continues it" if work.exists() else ""
            raise BundleError(f"{folder}: the folder exists; name another, or remove it{more}")
        if not work.exists():
            raise BundleError(f"{folder}: this run has ended; there is nothing to resume")
        if not settings.exists() or settings.read_text(encoding="utf-8") != text:
            raise BundleError(
                f"{folder}: the settings differ from those of the stopped run ({settings}); "
                f"resume with the same settings, or start in another folder"
            )
    elif resume:
        raise BundleError(f"{folder}: there is no run to resume; leave out `resume`")
    else:
        require_writable(folder)


def _open_run(folder: Path, text: str, table: pa.Table) -> Path:
    """Make a run folder, or reopen one, and return the folder of its checkpoints."""
    work = folder / "work"
    seen, print_now = work / "table.sha256", fingerprint(table)
    if seen.exists() and seen.read_text(encoding="utf-8") != print_now:
        raise BundleError(
            f"{folder}: the table has changed since the run was stopped; "
            f"put the old table back, or start in another folder"
        )
    # The work folder last: a run is one that can be resumed as soon as it is there.
    write_file(folder / "superpose.yaml", text)
    work.mkdir(exist_ok=True)
    write_file(seen, print_now)
    return work
