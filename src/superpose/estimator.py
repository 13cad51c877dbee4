"""The whole story in one class: fit, predict, evaluate, transfer, report, save, load."""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pyarrow as pa

from superpose.columns import local_path
from superpose.config import Config
from superpose.data import as_data, divided, like, measured, read_rows, row_keys, unlike_training
from superpose.errors import BundleError, ConfigError, DataError, SuperposeError, message, printable
from superpose.kinds import TargetKind
from superpose.models import (
    Predictor,
    given_names,
    load_bundle,
    save_folder,
    scored_given,
    with_measured,
    write_file,
)
from superpose.record import (
    EntanglementRecord,
    RunRecord,
    affinity_rows,
    former_facts,
    json_tables,
    pair_rows,
    plain,
    stored_record,
    transfer_row,
)
from superpose.stored import restored

# What trains, evaluates and analyses is imported by the methods that do so: whoever predicts with a
# stored model does without.
if TYPE_CHECKING:
    from superpose.evaluation import Progress
    from superpose.prepare import Prepared

READING = "reading the table"  # the stage after which warnings and conversions are known
Names = str | Sequence[str] | None
Source = Any  # a pandas, polars or Arrow frame, a path of a table, or several by name


class Superpose:
    """One model for several targets of a table.

    Args:
        targets: Names of the columns to predict, or mappings such as
            ``{"name": "level", "kind": "ordinal", "levels": ["low", "high"]}``.
        groups: Targets that share a network, such as ``[["pm25", "pm10"]]``; a target that no group
            names has one of its own. Without groups all share one.
        inputs: "auto" or the columns to predict from.
        ignore: Columns that are not used.
        windows: How rows are cut from a table with a row for each step of time, such as
            ``{"group": "unit", "time": "cycle", "length": 30, "columns": ["s1", "s2"]}``.
        split: How rows are divided: "random", "stratified", or a mapping such as
            ``{"by": "time", "column": "date"}``.
        model: Settings of the network.
        training: Settings of the training loop.
        balance: How targets are weighed against each other: the name of a method, or a mapping.
        proof: Settings of the references and the no-harm test.
        deploy: Settings of what is deployed, such as ``{"refit": False}``.
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
        groups: Sequence[Sequence[str]] = (),
        inputs: str | Sequence[str | Mapping[str, Any]] | Mapping[str, str] = "auto",
        ignore: Sequence[str] = (),
        windows: Mapping[str, Any] | None = None,
        split: str | Mapping[str, Any] | None = None,
        model: Mapping[str, Any] | None = None,
        training: Mapping[str, Any] | None = None,
        balance: str | Mapping[str, Any] | None = None,
        proof: Mapping[str, Any] | None = None,
        deploy: Mapping[str, Any] | None = None,
        references: str | None = None,
        seed: int = 0,
    ) -> None:
        self._start(
            Config.from_arguments(
                targets=targets,
                groups=groups,
                inputs=inputs,
                ignore=ignore,
                windows=windows,
                split=split,
                model=model,
                training=training,
                balance=balance,
                proof=proof,
                deploy=deploy,
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
        self.config = self._declared = config
        self.record = RunRecord()
        self._predictor: Predictor | None = None
        self._source: Source = None

    @property
    def warnings(self) -> list[str]:
        """What the data has that the user should know, one sentence each."""
        return list(self.record.warnings)

    @property
    def conversions(self) -> list[str]:
        """What was read otherwise than it is written, one sentence each."""
        return list(self.record.conversions)

    @property
    def facts(self) -> dict[str, Any]:
        """The record under the names that it had before; it goes with the next version."""
        warnings.warn("facts: read `record` instead", DeprecationWarning, stacklevel=2)
        return former_facts(self.record)

    @property
    def kinds(self) -> dict[str, TargetKind]:
        """The kind of each target, fitted."""
        return dict(self._fitted().codec.target_kinds)

    def fit(
        self,
        source: Source = None,
        *,
        out: str | PathLike[str] | None = None,
        resume: bool = False,
        progress: Progress | None = None,
        command: str = "",
    ) -> Self:
        """Train the multi-task network and its references; the proof decides what is deployed.

        Args:
            source: A frame, the path of a table, a list of dicts, a dict of lists, or a mapping
                from names to several frames or paths; default is what the settings name.
            out: Folder for everything the run finds out; checkpoints are kept there on the way.
            resume: Continue a run in ``out`` that was stopped.
            progress: Called with the name of a stage and the share of it that is done.
            command: How the run was started, for the report.

        Raises:
            DataError: Every fault of the table at once.
            TrainingError: A loss that is not finite.
            BundleError: ``out`` exists already, or another run writes there.
        """
        from superpose.evaluation import locked, quiet

        source = self.config.data_path if source is None else source
        if source is None:
            raise ConfigError("data: no table was given; pass a frame or a path, or set `data:`")
        source = as_data(source)
        # What an earlier training inferred from its rows is no setting of this one.
        self.config = divided(self._declared, source)
        folder = None if out is None else local_path(out, BundleError)
        with nullcontext() if folder is None else locked(folder):
            return self._fit(
                source, folder, resume=resume, progress=progress or quiet, command=command
            )

    def _fit(
        self, source: Source, folder: Path | None, *, resume: bool, progress: Progress, command: str
    ) -> Self:
        from superpose.analysis import findings
        from superpose.evaluation import (
            open_run,
            require_room,
            require_run,
            run_evaluation,
            settings_text,
            source_name,
        )
        from superpose.prepare import prepare
        from superpose.training import require_balance, require_host

        settings = "" if folder is None else settings_text(self.config, source, folder)
        if folder is not None:
            require_run(folder, settings, resume)
        progress(READING, 0.0)
        table = read_rows(source, self.config, quiet=True)
        self.config = measured(self.config, table)
        prepared = prepare(table, self.config)
        require_room(prepared)
        require_host(self.config.training)
        require_balance(self.config.balance.method)
        # Not before: a table with faults is no run, and its folder stays free for the mended one.
        work = None if folder is None else open_run(folder, settings, table)
        # Known before the training, so that it can still be stopped.
        self._predictor = None
        self.record = RunRecord(warnings=prepared.warnings, conversions=prepared.conversions)
        progress(READING, 1.0)
        result = run_evaluation(prepared, work, progress)
        progress("test and report", 0.0)
        name = source_name(source)
        self._predictor = result.deployed
        self._source = source
        self.record = findings(result, name, command or self._as_python())
        if folder is not None and work is not None:
            self._write_run(folder)
            shutil.rmtree(work)
        progress("test and report", 1.0)
        return self

    def _as_python(self) -> str:
        names = [target.name for target in self.config.targets]
        return f"Superpose(targets={names!r}, seed={self.config.seed}).fit(frame)"

    def predict(self, source: Source, given: Names = None, *, proba: bool = False) -> Any:
        """Predict every target in its own units.

        Args:
            source: A frame or a path with the input columns, in any order.
            given: Targets that are read as measured where a row has a value, and sharpen the rest;
                "auto" takes every target column there is. Other labels are never read.
            proba: Also the columns of ``predict_proba``.

        Returns:
            A frame of the caller's library (for a path an Arrow table): one column per target, and
            after it what is made to hold 90 % of new rows: for numbers and counts an interval,
            ``name_low`` and ``name_high``; for classes the list ``name_set``. A measured value
            comes back as it is, alone. Of windows there is a row each, with its group and time.

        Raises:
            DataError: A given column is no target, or not in the table, or holds a wrong value.
        """
        codec = self._fitted().codec
        table = self._rows(source, empty=True)
        names = given_names(codec, table, given)
        for sentence in self.record.weak_interval_warnings():
            warnings.warn(sentence, stacklevel=2)
        prediction = self._fitted().predict(table, names)
        columns: dict[str, pa.Array] = {}
        for target, pred in prediction.pred.items():
            columns |= codec.decode(
                target,
                pred,
                table,
                threshold=self._fitted().thresholds.get(target),
                quantile=prediction.quantile[target],
            )
        columns = row_keys(table, self.config) | with_measured(columns, table, names)
        for target, pred in prediction.pred.items() if proba else ():
            shares = codec.target_kinds[target].decode_proba(pred)
            columns |= {name: share for name, share in shares.items() if name not in columns}
        return like(source, pa.table(columns))

    def predict_proba(self, source: Source, given: Names = None) -> Any:
        """Predict the distribution of every target: a column ``target=label`` for each label."""
        codec = self._fitted().codec
        table = self._rows(source, empty=True)
        prediction = self._fitted().predict(table, given_names(codec, table, given))
        columns: dict[str, pa.Array] = row_keys(table, self.config)
        for target, pred in prediction.pred.items():
            columns |= codec.target_kinds[target].decode_proba(pred)
        return like(source, pa.table(columns))

    def sample(self, source: Source, n: int = 100, given: Names = None, *, seed: int = 0) -> Any:
        """Draw values of all targets that fit together, row by row.

        Args:
            source: A frame or a path with the input columns.
            n: Draws for each row (at least 1).
            given: Targets that stay as they are measured; see ``predict``.
            seed: Seed of the draws.

        Returns:
            A frame with the columns ``row``, ``draw`` and one for each target, draw by draw.
        """
        from superpose.analysis import sample_table

        predictor = self._fitted()
        if n < 1:
            raise DataError(message("n", f"{n} given", "1 draw or more"))
        table = self._rows(source, empty=True)
        names = given_names(predictor.codec, table, given)
        return like(source, sample_table(predictor, table, names, n=n, seed=seed))

    def entanglement(self, source: Source = None, permutations: int = 10) -> Any:
        """Measure how many bits each target tells about each other one, given the inputs.

        Args:
            source: Rows with labels that the model has not seen; without any, what the run has
                measured on its test rows.
            permutations: Draws of the null (at least 1).

        Returns:
            A frame with a row for each pair: ``given``, ``about``, ``bits`` with an interval of
            95 %, ``null`` (what a value would tell that has nothing to do with the other target)
            and ``p``; for each target also the bits that all others tell together.
        """
        return self._frame(pair_rows(self.entanglement_record(source, permutations)), source)

    def entanglement_record(
        self, source: Source = None, permutations: int = 10
    ) -> EntanglementRecord:
        """Return what ``entanglement`` measures as matrices, for the report and its picture."""
        from superpose.analysis import entanglement_of

        predictor = self._fitted()
        if source is None:
            if self.record.entanglement is None:
                raise SuperposeError(
                    "entanglement: the run has measured none; give rows with labels, or train with "
                    "two targets or more, some test rows and `model.given: true`"
                )
            return self.record.entanglement
        rows = self._rows(source)
        return entanglement_of(predictor, rows, permutations=permutations, seed=self.config.seed)

    def next_measurement(
        self,
        source: Source,
        want: str | Sequence[str],
        given: Names = "auto",
        *,
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
        from superpose.analysis import Question, measurement_plan

        wanted = [want] if isinstance(want, str) else list(want)
        plan = measurement_plan(
            self._fitted(),
            self._rows(source),
            Question(wanted, candidates, cost or {}),
            given=given,
            draws=draws,
            seed=seed,
        )
        return like(source, plan)

    def evaluate(self, source: Source, given: Names = None) -> dict[str, dict[str, float]]:
        """Score the predictions for rows with labels; each target by the metrics of its kind.

        Args:
            source: Rows with labels. One that is no class of the model counts as wrong; of such
                rows there are ``unknown_labels``.
            given: Targets that are read as measured, see ``predict``; they are not scored.

        Raises:
            DataError: The table lacks an input, or has none of the targets.
        """
        from superpose.evaluation import score_table

        predictor = self._fitted()
        table = self._rows(source)
        return score_table(predictor, table, scored_given(predictor.codec, table, given))

    def transfer(self) -> Any:
        """Return the verdict table: what sharing did to each target, and what is deployed."""
        self._fitted()
        return self._frame([transfer_row(target) for target in self.record.targets.values()])

    def verdicts(self) -> str:
        """Return the verdict table as text, as ``superpose train`` prints it."""
        from superpose.report import verdict_text

        self._fitted()
        return verdict_text(self.record)

    def affinity(
        self, source: Source = None, epochs: int = 10, progress: Progress | None = None
    ) -> Any:
        """Measure who would help whom in a short training of all targets.

        Args:
            source: The table of the run (default: what was trained on, where that is known).
            epochs: Epochs of the short training (at least 1).
            progress: As of ``fit``.

        Returns:
            A frame with a row for each ordered pair: ``from``, ``to``, ``lookahead`` (share of the
            held-out loss that a step saves), ``cosine``, ``residual`` and ``bits``. The groups that
            it suggests are in ``record.affinity``.
        """
        from superpose.analysis import affinity
        from superpose.evaluation import quiet

        rows = self._divided(source)
        result = affinity(rows, self.record, epochs=epochs, progress=progress or quiet)
        self.record = replace(self.record, affinity=result)
        return self._frame(affinity_rows(result), source)

    def search_groups(
        self, source: Source = None, folds: int = 5, progress: Progress | None = None
    ) -> Any:
        """Compare ways to group the targets by cross-validation; test rows are not read.

        Args:
            source: As of ``affinity``, which runs first if it has not yet.
            folds: Folds of the training and validation rows (at least 2).
            progress: As of ``fit``.

        Returns:
            A frame with a row for each candidate: ``name``, ``groups``, ``loss``, ``gain`` and so
            on; ``record.grouping`` also has the winner and what is recommended.
        """
        from superpose.analysis import candidates, search_groups
        from superpose.evaluation import quiet

        if self.record.affinity is None:
            self.affinity(source, progress=progress)
        assert self.record.affinity is not None
        groups = candidates(self.record.affinity)
        rows = self._divided(source)
        grouping = search_groups(rows, groups, count=folds, progress=progress or quiet)
        self.record = replace(self.record, grouping=grouping)
        return self._frame(plain(grouping.candidates), source)

    def _divided(self, source: Source) -> Prepared:
        """Divide the table of the run as it was divided."""
        from superpose.prepare import prepare

        self._fitted()
        tables = (source, self._source, self.config.data_path)
        source = next((table for table in tables if table is not None), None)
        if source is None:
            raise ConfigError("data: the run does not name its table; pass a frame or a path")
        return prepare(read_rows(source, self.config), self.config)

    def _frame(self, records: list[dict[str, Any]], source: Source = None) -> Any:
        """Make a frame of records, in the library of the rows that were given or trained on."""
        source = self._source if source is None else source
        return like("" if source is None else source, pa.Table.from_pylist(records))

    def report(self, path: str | PathLike[str]) -> Path:
        """Write the report as one HTML file that opens offline."""
        from superpose.report import render_report

        self._fitted()
        # A name may not turn the direction of what stands beside it, on a page as on a screen.
        return write_file(path, printable(render_report(self.record), keep="\n\t"))

    def save(self, path: str | PathLike[str]) -> Path:
        """Write the bundle: a folder of safetensors and JSON, whole or not at all."""
        model, arrays = self._fitted().to_state()
        record, charts = self.record.to_dict()
        config = self.config.model_dump(mode="json", exclude_none=True)
        parts = {"model": model, "record": record, "config": config}
        return save_folder(path, parts, {**arrays, "charts": charts})

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Self:
        """Read a bundle, or the bundle of a run folder.

        Raises:
            BundleError: No bundle, or one that is damaged or newer than this version.
        """
        folder, parts, arrays = load_bundle(local_path(path, BundleError))
        try:
            model = cls.from_config(restored(Config, parts["config"], "config"))
            model.record = stored_record(parts, arrays)
            model._predictor = Predictor.from_state(parts["model"], arrays)
        except (BundleError, DataError) as error:
            raise BundleError(*(f"{folder}: {fault}" for fault in error.faults)) from error
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            what = f"its parts do not fit together ({type(error).__name__})"
            fix = "the bundle is damaged; copy or save it again"
            raise BundleError(message(str(folder), what, fix=fix)) from error
        return model

    def _rows(self, source: Source, empty: bool = False) -> pa.Table:
        """Read new rows, and warn where they are not like those of the training."""
        codec = self._fitted().codec
        table = read_rows(source, self.config, empty=empty, known=codec.schema.known)
        for sentence in unlike_training(codec, table, self.conversions):
            warnings.warn(sentence, stacklevel=3)
        return codec.schema.typed(table)

    def _write_run(self, folder: Path) -> None:
        self.save(folder / "bundle")
        for name, content in json_tables(self.record).items():
            write_file(folder / f"{name}.json", json.dumps(content, indent=1))
        self.report(folder / "report.html")

    def _fitted(self) -> Predictor:
        if self._predictor is None:
            raise SuperposeError(
                "model: it has not been trained; call fit(frame) first, or Superpose.load(path)"
            )
        return self._predictor
