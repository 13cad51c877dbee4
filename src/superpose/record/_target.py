"""What a run has found of one target."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from ._charts import ChartRecord
from ._models import BASELINES, MULTI_TASK
from ._values import UNKNOWN, Array, Real, Record, require_shapes

Verdict = Literal["helped", "no difference", "harmed", "not tested"]
HELPED: Verdict = "helped"
NO_DIFFERENCE: Verdict = "no difference"
HARMED: Verdict = "harmed"
NOT_TESTED: Verdict = "not tested"
VERDICTS = (HELPED, NO_DIFFERENCE, HARMED, NOT_TESTED)

# How much of the other targets is measured where a target is predicted.
Level = Literal["none", "half", "all"]
NOTHING: Level = "none"
HALF: Level = "half"
EVERYTHING: Level = "all"
LEVELS = (NOTHING, HALF, EVERYTHING)


@dataclass(frozen=True)
class GainRecord(Record):
    """By how much the loss of one predictor is lower than that of another, and how sure that is.

    Args:
        gain: In percent of the other's loss; below 0 it is higher.
        low, high: The 95 % interval of the gain.
        p: One-sided p-value of "the loss is not lower".
    """

    gain: Real = UNKNOWN
    low: Real = UNKNOWN
    high: Real = UNKNOWN
    p: Real = UNKNOWN


@dataclass(frozen=True)
class MixtureRecord(Record):
    """A model, or a weighted mean of the predictions of several.

    Args:
        weights: By name of the model, in the order of `in_order`; empty where there is none, and
            NaN where an earlier version has not kept it.
        value: The target's metric on the rows that decide.
    """

    weights: dict[str, Real] = field(default_factory=dict)
    value: Real = UNKNOWN

    def __bool__(self) -> bool:
        return bool(self.weights)


@dataclass(frozen=True)
class DecisionRecord(Record):
    """What is deployed for a target, and what it was tested against.

    Args:
        n_rows: Labelled rows that decide.
        reference: The best single-task predictor; none where the settings want no references.
        challenger: The best predictor with the multi-task network in it.
        deployed: What predicts the target: one of these two.
        test: The challenger against the reference.
        conclusive: Whether the rows hold enough labels besides the most common one for a test.
    """

    n_rows: int = 0
    reference: MixtureRecord = field(default_factory=MixtureRecord)
    challenger: MixtureRecord = field(default_factory=MixtureRecord)
    deployed: MixtureRecord = field(default_factory=MixtureRecord)
    test: GainRecord = field(default_factory=GainRecord)
    conclusive: bool = True

    @property
    def replaced(self) -> bool:
        """Whether the multi-task network, or a mixture with it, took the place of the reference."""
        return bool(self.reference) and MULTI_TASK in self.deployed.weights

    @property
    def ignores_inputs(self) -> bool:
        """Whether nothing is deployed that has learned from the inputs."""
        return bool(self.deployed) and set(self.deployed.weights) <= set(BASELINES)


@dataclass(frozen=True)
class SharingRecord(Record):
    """The multi-task network against the same network trained on this target alone.

    Args:
        multi_task, single_task: The target's metric of both on the rows that decide.
        gain: The first against the second.
        verdict: What the test says.
    """

    multi_task: Real = UNKNOWN
    single_task: Real = UNKNOWN
    gain: GainRecord = field(default_factory=GainRecord)
    verdict: Verdict = NOT_TESTED


@dataclass(frozen=True, eq=False)
class CurveRecord(Record):
    """The losses of a network epoch by epoch.

    Args:
        model: Which network.
        train, validation: Mean loss of each epoch, NaN where it was not measured.
        best_epoch: The epoch whose weights are kept, from 0 on.

    Shape:
        train, validation: (E,).
    """

    model: str
    train: Array
    validation: Array
    best_epoch: int | None = None

    def __post_init__(self) -> None:
        require_shapes({}, {"train": (self.train, "E"), "validation": (self.validation, "E")})


@dataclass(frozen=True, eq=False)
class TargetRecord(Record):
    """What a run has found of one target.

    Args:
        name: Its column.
        kind: The word for its kind.
        metric: Its main metric.
        higher_is_better: Whether that grows as predictions get better.
        detail: What the codec has learned of it, in words.
        labelled: Labelled rows of each part of the table.
        shares_with: The other targets of its group, None where all targets share a network.
        decision: What is deployed with nothing given.
        sharing: What sharing a network did to it.
        given: What is deployed with a random half and with all of the other targets given, by
            level; the same rows decide. Empty where the network reads no targets.
        metrics: On the test rows every metric by model, ``deployed`` and ``baseline`` among them.
        chart: What is drawn of the test rows.
        curves: The losses of its networks.
    """

    name: str
    kind: str = ""
    metric: str = ""
    higher_is_better: bool = False
    detail: str = ""
    labelled: dict[str, int] = field(default_factory=dict)
    shares_with: list[str] | None = None
    decision: DecisionRecord = field(default_factory=DecisionRecord)
    sharing: SharingRecord = field(default_factory=SharingRecord)
    given: dict[Level, DecisionRecord] = field(default_factory=dict)
    metrics: dict[str, dict[str, Real]] = field(default_factory=dict)
    chart: ChartRecord | None = None
    curves: list[CurveRecord] = field(default_factory=list)

    @property
    def test_value(self) -> float:
        """The main metric of what is deployed on the test rows; NaN where it is not known."""
        return self.test_value_of("deployed")

    def test_value_of(self, model: str) -> float:
        """Returns the main metric of a model on the test rows; NaN where it is not known."""
        return self.metrics.get(model, {}).get(self.metric, UNKNOWN)

    def at(self, level: Level) -> DecisionRecord:
        """Returns what is deployed at a level; an empty decision where there is none."""
        return self.decision if level == NOTHING else self.given.get(level, DecisionRecord())
