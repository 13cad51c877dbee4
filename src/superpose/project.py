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
import pyarrow.compute as pc

from superpose.audit import (
    Facts,
    Predictor,
    Progress,
    entanglement,
    evaluate_target,
    findings,
    given_labels,
    given_names,
    next_measurement,
    pairs,
    prepare,
    quiet,
    ranked,
    require_plan,
    run_trial,
    sample,
    settings_of,
)
from superpose.data import Config, divided, fingerprint, like, read_table
from superpose.deploy import is_folder, load_folder, require_writable, save_folder, write_file
from superpose.errors import BundleError, ConfigError, DataError, SuperposeError, listing, message
from superpose.report import render_report
from superpose.training import require_host

Names = str | Sequence[str] | None
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
        self.config = divided(self.config, source)
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

    def predict(self, source: Source, given: Names = None) -> Any:
        """Predict every target in its own units.

        Args:
            source: A frame or a path with the input columns, in any order.
            given: Targets that are read as measured where a row has a value, and sharpen the rest;
                "auto" takes every target column there is. Other labels are never read.

        Returns:
            A frame of the caller's library (for a path an Arrow table): one column per target, and
            for numbers ``name_low`` and ``name_high``, which hold 90 % of new rows. A measured
            value comes back as it is.

        Raises:
            DataError: A given column is no target, or not in the table, or holds a wrong value.
        """
        predictor = self._fitted()
        table = read_table(source)
        names = given_names(predictor.codec, table, given)
        answer = predictor.answer(table, names)
        columns: dict[str, pa.Array] = {}
        for target, told in answer.told.items():
            columns |= predictor.codec.target_kinds[target].decode(
                told, predictor.thresholds.get(target), answer.reach[target]
            )
        for name in names:
            for column in (name, f"{name}_low", f"{name}_high"):
                if column in columns:
                    columns[column] = _as_measured(table.column(name), columns[column])
        return like(source, pa.table(columns))

    def predict_proba(self, source: Source, given: Names = None) -> Any:
        """Predict the distribution of every target: a column ``target=label`` for each label."""
        predictor = self._fitted()
        table = read_table(source)
        answer = predictor.answer(table, given_names(predictor.codec, table, given))
        columns: dict[str, pa.Array] = {}
        for target, told in answer.told.items():
            columns |= predictor.codec.target_kinds[target].decode_proba(told)
        return like(source, pa.table(columns))

    def sample(self, source: Source, n: int = 100, given: Names = None, seed: int = 0) -> Any:
        """Draw values of all targets that fit together, row by row.

        Args:
            source: A frame or a path with the input columns.
            n: Draws for each row (at least 1).
            given: Targets that stay as they are measured; see ``predict``.
            seed: Seed of the draws.

        Returns:
            A frame with the columns ``row``, ``draw`` and one for each target, draw by draw.
        """
        predictor = self._fitted()
        if n < 1:
            raise DataError(message("n", f"{n} given", "1 draw or more"))
        table = read_table(source)
        labels = given_labels(predictor.codec, table, given_names(predictor.codec, table, given))
        rows = predictor.rows(table)
        columns: dict[str, pa.Array] = {
            "row": pa.array(np.tile(np.arange(len(rows)), n)),
            "draw": pa.array(np.repeat(np.arange(n), len(rows))),
        }
        for target, drawn in sample(predictor, rows, labels, n, seed).items():
            kind = predictor.codec.target_kinds[target]
            columns |= kind.decode(kind.exact(drawn.reshape(-1, *drawn.shape[2:])))
        return like(source, pa.table(columns))

    def entanglement(self, source: Source = None, permutations: int = 10) -> Any:
        """Tell how many bits each target tells about each other one, given the inputs.

        Args:
            source: Rows with labels that the model has not seen; without any, what the run has
                measured on its test rows.
            permutations: Draws of the null (at least 1).

        Returns:
            A frame with a row for each pair: ``told``, ``about``, ``bits`` with an interval of
            95 %, ``null`` (what a value would tell that has nothing to do with the other target)
            and ``p``; for each target also the bits that all others tell together.
        """
        found = self.entanglement_facts(source, permutations)
        where = source if source is not None else self._source
        return like(where if where is not None else "", pa.Table.from_pylist(pairs(found)))

    def entanglement_facts(self, source: Source = None, permutations: int = 10) -> Facts:
        """Return what ``entanglement`` tells as matrices, which the report and its picture read."""
        predictor = self._fitted()
        if source is None:
            if not (found := self.facts.get("entanglement")):
                raise SuperposeError(
                    "entanglement: the run has measured none; give rows with labels, or train with "
                    "two targets or more, some test rows and `model.given: true`"
                )
            return dict(found)
        table = read_table(source)
        if permutations < 1:
            raise DataError(message("permutations", f"{permutations} given", "1 or more"))
        present = given_names(predictor.codec, table, "auto")
        if len(present) < 2:
            given = f"the table has {len(present)} of the targets"
            raise DataError(message("entanglement", given, "two or more", "add their columns"))
        labels = given_labels(predictor.codec, table, present)
        return entanglement(
            predictor, predictor.rows(table), labels, None, permutations, self.config.seed
        )

    def next_measurement(
        self,
        source: Source,
        want: str | Sequence[str],
        given: Names = "auto",
        cost: Mapping[str, float] | None = None,
        candidates: Sequence[str] | None = None,
        draws: int = 64,
        seed: int = 0,
    ) -> Any:
        """Recommend, for each row, which target to measure next.

        Args:
            source: A frame or a path with the input columns and what is measured already.
            want: Targets whose uncertainty matters.
            given: Targets that are read as measured; "auto" takes all that are neither wanted nor
                named as candidates.
            cost: Cost of measuring a target, above 0 (default 1 each).
            candidates: Targets that could be measured; by default all that are neither wanted
                nor given.
            draws: Outcomes that are imagined for each candidate (at least 2).
            seed: Seed of the draws.

        Returns:
            A frame, for each row of the table the candidates by rank: ``row``, ``rank``,
            ``measure``, the expected ``bits`` about the wanted targets, ``cost``, and
            ``bits_per_cost``, by which they are ranked.

        Raises:
            DataError: A target is both given and wanted, or nothing is left to measure.
        """
        predictor = self._fitted()
        codec, prices = predictor.codec, dict(cost or {})
        want = [want] if isinstance(want, str) else list(want)
        table = read_table(source)
        names = given_names(codec, table, given)
        if given == "auto":
            names = [t for t in names if t not in want and t not in (candidates or ())]
        # A target that some row lacks can still be measured there.
        labels = given_labels(codec, table, names)
        whole = [t for t in names if codec.target_kinds[t].known(labels[t]).all()]
        asked = require_plan(codec, names, whole, want, candidates, prices)
        if draws < 2:
            raise DataError(message("draws", f"{draws} given", "2 or more"))
        rows = predictor.rows(table)
        advice = next_measurement(predictor, rows, labels, want, asked, prices, draws, seed)
        return like(source, pa.Table.from_pylist(ranked(advice)))

    def evaluate(self, source: Source, given: Names = None) -> dict[str, dict[str, float]]:
        """Score the predictions for rows with labels; each target by the metrics of its kind.

        Args:
            source: Rows with labels.
            given: Targets that are read as measured, see ``predict``; they are not scored.

        Raises:
            DataError: The table lacks an input, or has none of the targets.
        """
        predictor = self._fitted()
        table = read_table(source)
        if not set(predictor.shipped) & set(table.column_names):
            given = f"only the columns {listing(table.column_names)}"
            allowed = f"at least one of the targets {listing(predictor.shipped)}"
            raise DataError(message("labels", given, allowed, "name a table with labels"))
        names = given_names(predictor.codec, table, given)
        if len(names) == len(predictor.shipped):
            wrong = "every target is given, so none is left to score"
            raise DataError(message("given", wrong, fix="name fewer targets"))
        labels, answer = predictor.codec.labels(table), predictor.answer(table, names)
        return {
            t: evaluate_target(predictor, t, labels[t], told, answer.reach[t])
            for t, told in answer.told.items()
            if t not in names
        }

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


def _as_measured(values: pa.ChunkedArray, predicted: pa.Array) -> pa.Array:
    """Put measured numbers back as they were: standardised and undone, they lose digits."""
    numeric = pa.types.is_floating(values.type) or pa.types.is_integer(values.type)
    if not numeric or not pa.types.is_floating(predicted.type):
        return predicted
    given = pa.concat_arrays(values.cast(predicted.type).chunks)
    return pc.if_else(pc.fill_null(pc.is_finite(given), False), given, predicted)


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
