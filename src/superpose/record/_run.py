"""The record of a run: everything that the report, the tables and the JSON files say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from superpose.stored import damaged, restored

from ._charts import chart_arrays
from ._models import DEPLOYED
from ._network import AttentionRecord, BalanceRecord, ImportanceRecord, StatesRecord
from ._sharing import AffinityRecord, EntanglementRecord, GroupingRecord, ResidualRecord
from ._target import TargetRecord
from ._values import UNKNOWN, Real, Record, plain

PART = "record"  # what messages call it
# An interval of 90 % that held fewer of so many test rows is weak: by chance one in forty is.
LEAST_COVERAGE = 0.8
FEWEST_TEST_ROWS = 50


@dataclass(frozen=True)
class InputRecord(Record):
    """One column that is predicted from.

    Args:
        name, kind: Its name, and the word for its kind.
        missing: Share of rows without a value, from 0 to 1.
        detail: What the codec has learned of it, in words.
    """

    name: str
    kind: str
    missing: Real
    detail: str = ""


@dataclass(frozen=True)
class SourceRecord(Record):
    """What one of several tables brings.

    Args:
        name: What the settings call it.
        rows: Its rows.
        labelled: Labelled rows of each target.
    """

    name: str
    rows: int
    labelled: dict[str, int]


@dataclass(frozen=True)
class DataRecord(Record):
    """The table of a run.

    Args:
        source: Where it came from.
        split: How it was divided, in words.
        rows: Rows of each part: train, validation, test.
        groups: Targets that share a network; empty where all do.
        inputs: The columns that are predicted from.
        sources: The tables it was made of, where there are several.
    """

    source: str = ""
    split: str = ""
    rows: dict[str, int] = field(default_factory=dict)
    groups: list[list[str]] = field(default_factory=list)
    inputs: list[InputRecord] = field(default_factory=list)
    sources: list[SourceRecord] = field(default_factory=list)


@dataclass(frozen=True)
class CostRecord(Record):
    """What a stage of the run took.

    Args:
        stage: Its name.
        seconds: Wall-clock time.
        n_params: Weights that it has trained, None where there are none to count.
    """

    stage: str
    seconds: Real
    n_params: int | None = None


@dataclass(frozen=True)
class OriginRecord(Record):
    """How a run was made, so that it can be made again.

    Args:
        created: When it ended, as ISO 8601 writes it.
        command: What started it.
        config_yaml: Its settings.
        seed: Seed of every random choice.
        hardware: The machine, in words.
        versions: Versions of Python and of packages.
    """

    created: str = ""
    command: str = ""
    config_yaml: str = ""
    seed: int | None = None
    hardware: str = ""
    versions: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RunRecord(Record):
    """Everything that a run has found.

    Args:
        title: The title of the report.
        origin: How the run was made.
        data: Its table.
        regime: "holdout" (half of the validation rows decides) or "folds" (out-of-fold predictions
            of all training and validation rows do).
        alpha: Level of the tests over all targets, in (0, 1).
        targets: By name, in the order of the settings.
        warnings: What the user should know of the data and the training, one sentence each.
        conversions: What was read otherwise than it is written, one sentence each.
        attention, states, balance: Of the multi-task network; None where there is none.
        importance: Which input matters for which target.
        entanglement, residuals: What targets tell about each other; None where not measured.
        affinity, grouping: What ``Superpose.affinity`` and ``search_groups`` have found since.
        costs: What each stage took.
        refitted: Rows on which what is deployed was fitted again after all that is recorded here;
            0 where it was not.

    Example:
        >>> RunRecord.from_dict(*RunRecord(title="first").to_dict()).title
        'first'
    """

    title: str = ""
    origin: OriginRecord = field(default_factory=OriginRecord)
    data: DataRecord = field(default_factory=DataRecord)
    regime: str = "holdout"
    alpha: Real = 0.05
    targets: dict[str, TargetRecord] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    conversions: list[str] = field(default_factory=list)
    attention: AttentionRecord | None = None
    states: StatesRecord | None = None
    balance: BalanceRecord | None = None
    importance: ImportanceRecord | None = None
    entanglement: EntanglementRecord | None = None
    residuals: ResidualRecord | None = None
    affinity: AffinityRecord | None = None
    grouping: GroupingRecord | None = None
    costs: list[CostRecord] = field(default_factory=list)
    refitted: int = 0

    @property
    def metrics(self) -> dict[str, dict[str, dict[str, float]]]:
        """On the test rows every metric by target, model and metric."""
        return {name: target.metrics for name, target in self.targets.items()}

    @property
    def weak_intervals(self) -> dict[str, float]:
        """Targets whose intervals or sets of 90 % held clearly fewer of the test rows: their share.

        Where the test rows are later than the others, or of other groups, this is what new rows
        will be like.
        """
        if self.data.rows.get("test", 0) < FEWEST_TEST_ROWS:
            return {}
        shares = {
            name: target.metrics.get(DEPLOYED, {}).get("coverage", UNKNOWN)
            for name, target in self.targets.items()
        }
        return {name: share for name, share in shares.items() if share < LEAST_COVERAGE}

    def weak_interval_warnings(self) -> list[str]:
        """What is to be said of weak intervals and sets, a sentence for each target."""
        sentences = []
        for name, share in self.weak_intervals.items():
            what = "sets" if "set_size" in self.targets[name].metrics[DEPLOYED] else "intervals"
            held = f"its {what} of 90 % held {100 * share:.0f} % of the test rows of the training"
            sentences.append(f"target {name!r}: {held}; do not rely on them for new rows")
        return sentences

    def to_dict(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Splits the record into what JSON can hold and the arrays of the charts.

        Returns:
            The fields, unknown numbers as null; and arrays by ``target/name``.
        """
        fields = plain(self._without_arrays())
        arrays: dict[str, np.ndarray] = {}
        for name, target in self.targets.items():
            own = {} if target.chart is None else chart_arrays(target.chart)
            arrays |= {f"{name}/{key}": value for key, value in own.items()}
        return fields, arrays

    def _without_arrays(self) -> dict[str, Any]:
        """The fields by name; arrays of charts, which may be long, are left out."""
        targets = {}
        for name, target in self.targets.items():
            chart = target.chart
            short = None if chart is None else vars(chart).keys() - chart_arrays(chart).keys()
            kept = None if short is None else {key: getattr(chart, key) for key in short}
            targets[name] = {**vars(target), "chart": kept}
        return {**vars(self), "targets": targets}

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Self:
        """Puts back what ``to_dict`` split.

        Raises:
            BundleError: A field that is missing, unknown, or of another type or shape.
        """
        whole = dict(fields)
        for way, value in arrays.items():
            name, _, key = way.rpartition("/")
            try:
                target = whole["targets"][name]
                chart = {**target["chart"], key: value}
                whole["targets"] = {**whole["targets"], name: {**target, "chart": chart}}
            except (KeyError, TypeError):
                raise damaged(PART, ("targets", name, "chart", key), "no such chart") from None
        return restored(cls, whole, PART)
