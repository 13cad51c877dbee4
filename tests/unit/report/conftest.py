"""A realistic record of a run: six pollutants of one station and an alarm level."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from superpose.record import (
    AttentionRecord,
    ClassesChart,
    CostRecord,
    CurveRecord,
    DataRecord,
    DecisionRecord,
    EntanglementRecord,
    GainRecord,
    ImportanceRecord,
    InputRecord,
    LabelSetsChart,
    MixtureRecord,
    OriginRecord,
    RunRecord,
    SharingRecord,
    StatesRecord,
    TargetRecord,
    ValuesChart,
)

NUMBERS = ("pm25", "pm10", "so2", "no2", "co", "o3")
LEVELS = ["good", "moderate", "unhealthy", "hazardous"]
INPUTS = (
    ("time", "date", 0.0, "2013-03-01 to 2017-02-28, hour, weekday and day of year"),
    ("temperature", "number", 0.001, ""),
    ("pressure", "number", 0.001, ""),
    ("dew point", "number", 0.001, ""),
    ("rain", "number", 0.001, "95 % zero"),
    ("wind direction", "category", 0.004, "16 levels"),
    ("wind speed", "number", 0.0004, ""),
)
TREES = {"trees": 1.0}
BLEND = {"multi_task": 0.6, "trees": 0.4}
DEPLOYED = (
    {"multi_task": 1.0},
    BLEND,
    TREES,
    BLEND,
    {"single_task": 1.0},
    {"multi_task": 0.5, "single_task": 0.3, "trees": 0.2},
    {"multi_task": 1.0},
)
METRICS = {
    "number": ("rmse", "mae", "r2", "coverage", "score"),
    "ordinal": ("quadratic_kappa", "accuracy", "macro_f1", "log_loss", "ece", "score"),
}
MODELS = ("baseline", "trees", "multi_task", "single_task", "deployed")


def values_chart(rng: np.random.Generator, rows: int, scale: float) -> ValuesChart:
    """Numbers whose error grows with them."""
    true = scale * rng.gamma(1.6, 0.6, rows)
    width = 0.25 * true + 0.15 * scale
    pred = np.clip(true + rng.normal(0, 1, rows) * width * 0.8, 0, None)
    true[rng.random(rows) < 0.03] = np.nan
    return ValuesChart(true, pred, pred - 1.5 * width, pred + 1.5 * width)


def classes_chart(rng: np.random.Generator, rows: int, labels: list[str]) -> ClassesChart:
    """Classes that are mostly met."""
    k = len(labels)
    prior = rng.dirichlet(np.full(k, 4.0))
    y = rng.choice(k, rows, p=prior).astype(float)
    logits = np.log(prior) + rng.normal(0, 1.1, (rows, k))
    logits[np.arange(rows), y.astype(int)] += 2.0
    chance = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    y[rng.random(rows) < 0.05] = np.nan
    return ClassesChart(labels, y, chance)


def label_sets_chart(rng: np.random.Generator, rows: int, labels: list[str]) -> LabelSetsChart:
    """Sets of labels that are mostly met."""
    y = (rng.random((rows, len(labels))) < 0.25).astype(float)
    chance = 1 / (1 + np.exp(1.5 - 2.2 * y + rng.normal(0, 1, y.shape)))
    y[rng.random(y.shape) < 0.1] = np.nan
    return LabelSetsChart(labels, y, chance)


def _curve(rng: np.random.Generator, model: str, *, epochs: int, floor: float) -> CurveRecord:
    steps = np.arange(epochs)
    train = floor * (0.8 + 0.9 * np.exp(-steps / 6)) + rng.normal(0, 0.004, epochs)
    validation = floor * (1 + 0.7 * np.exp(-steps / 5)) + 0.0015 * np.maximum(0, steps - 20)
    validation = validation + rng.normal(0, 0.006, epochs)
    return CurveRecord(model, train, validation, int(validation.argmin()))


def _decision(i: int, base: float, *, up: bool, rows: int) -> tuple[DecisionRecord, SharingRecord]:
    """What is deployed for one target, and what sharing did to it."""
    gain = (6.1, 3.9, -0.4, 1.2, -4.8, 2.2, 8.7)[i % 7]
    half = (2.1, 1.4, 1.1, 1.9, 2.6, 1.3, 4.0)[i % 7]
    verdict = "helped" if gain > half else "harmed" if gain < -half else "no difference"
    better = base * (1 + gain / 300) if up else base * (1 - gain / 200)
    deployed = DEPLOYED[i % 7]
    replaced = "multi_task" in deployed
    won = 3.0 + i % 3 if replaced else 0.4
    reference = base * (0.99 if up else 1.01)
    decision = DecisionRecord(
        n_rows=rows,
        reference=MixtureRecord(TREES if replaced else deployed, reference),
        challenger=MixtureRecord(deployed if replaced else BLEND, better),
        deployed=MixtureRecord(deployed, better * 0.99),
        test=GainRecord(won, won - 1.6, won + 1.6, 0.002 if replaced else 0.31),
    )
    p = 0.0004 if verdict == "helped" else 0.31
    sharing = SharingRecord(better, base, GainRecord(gain, gain - half, gain + half, p), verdict)
    return decision, sharing


def _given(decision: DecisionRecord, i: int, *, up: bool) -> dict[str, DecisionRecord]:
    base = decision.deployed.value
    levels = {
        "half": (0.9 + i % 3 / 20, {"multi_task": 0.5, "trees given": 0.5}, {"trees given": 1.0}),
        "all": (
            0.6 + i % 7 / 12,
            ({"trees all": 1.0}, {"copula": 1.0}, {"multi_task": 1.0})[i % 3],
            {"trees all": 1.0},
        ),
    }
    given = {}
    for level, (share, weights, reference) in levels.items():
        won = 3.1 - i
        replaced = "multi_task" in weights
        given[level] = DecisionRecord(
            n_rows=decision.n_rows,
            reference=MixtureRecord(reference if replaced else weights, base * 1.01),
            deployed=MixtureRecord(weights, 1 - (1 - base) * share if up else base * share),
            test=GainRecord(won, won - 2, won + 2, 0.02),
        )
    return given


def make_target(
    rng: np.random.Generator, i: int, *, rows: int, split: dict[str, int]
) -> TargetRecord:
    """One of the pollutants, or the alarm level."""
    lap = f" {i // 7 + 1}" if i >= 7 else ""
    number = i % 7 < 6
    kind, metric = ("number", "rmse") if number else ("ordinal", "quadratic_kappa")
    base = (38.4, 61.2, 11.7, 22.9, 812.0, 31.5, 0.81)[i % 7]
    decision, sharing = _decision(i, base, up=not number, rows=rows)
    scale = (80, 105, 16, 50, 1230, 57, 1)[i % 7]
    share = rng.uniform(0.9, 1.0)
    return TargetRecord(
        name=(NUMBERS[i % 7] if number else "alarm level") + lap,
        kind=kind,
        metric=metric,
        higher_is_better=not number,
        detail="" if number else "4 levels",
        labelled={part: int(count * share) for part, count in split.items()},
        decision=decision,
        sharing=sharing,
        given=_given(decision, i, up=not number),
        metrics={
            model: {
                name: decision.deployed.value if name == metric else float(rng.random())
                for name in METRICS[kind]
            }
            for model in MODELS
        },
        chart=values_chart(rng, rows, scale) if number else classes_chart(rng, rows, LEVELS),
        curves=[
            _curve(rng, "multi_task", epochs=44, floor=0.40),
            _curve(rng, "single_task", epochs=37, floor=0.43),
        ],
    )


def make_entanglement(rng: np.random.Generator, names: list[str]) -> EntanglementRecord:
    """Some pairs tell much about each other, most tell nothing."""
    size = len(names)
    bits = rng.gamma(0.5, 0.15, (size, size)) * (rng.random((size, size)) < 0.6)
    bits += rng.normal(0, 0.01, bits.shape)
    np.fill_diagonal(bits, np.nan)
    half = 0.02 + 0.1 * np.abs(bits)
    total = 0.6 * np.nansum(bits, axis=0)
    return EntanglementRecord(
        targets=names,
        bits=bits,
        low=bits - half,
        high=bits + half,
        null=0 * bits,
        p=np.where(bits > half, 0.0004, 0.4),
        both=np.full((size, size), 1000.0),
        total=total,
        total_low=total - 0.05,
        total_high=total + 0.05,
        n=np.full(size, 1000.0),
        rows=1000,
    )


def make_states(rng: np.random.Generator, names: list[str]) -> StatesRecord:
    """States that are rather different."""
    states = rng.normal(0.3, 1, (len(names), 200))
    states /= np.linalg.norm(states, axis=1, keepdims=True) * np.sqrt(len(names))
    density = states @ states.T
    values = np.clip(np.linalg.eigvalsh(density), 1e-12, None)
    entropy = float(-(values * np.log2(values)).sum())
    return StatesRecord(names, density, float((density**2).sum()), entropy, 2**entropy)


def make_record(rows: int = 1200, targets: int = 7, seed: int = 0) -> RunRecord:
    """Returns a record of so many test rows and targets; every seventh target is ordinal."""
    rng = np.random.default_rng(seed)
    split = {"train": 24544, "validation": 3506, "test": rows}
    found = [make_target(rng, i, rows=rows, split=split) for i in range(targets)]
    names = [target.name for target in found]
    weights = rng.dirichlet(np.full(targets + 1, 0.5), targets)
    np.fill_diagonal(weights, 0)
    weights /= weights.sum(axis=1, keepdims=True)
    return RunRecord(
        title="Air quality, Aotizhongxin station",
        origin=OriginRecord(
            created="2026-05-04T16:20:11+00:00",
            command="superpose train superpose.yaml --out runs/first",
            config_yaml="data: air.parquet\ntargets: [pm25, pm10, so2, no2, co, o3, alarm level]\n"
            "split:\n  by: time\n  column: time\nseed: 0\n",
            seed=0,
            hardware="2 CPU cores, x86_64",
            versions={"superpose": "0.1.0", "torch": "2.13.0", "python": "3.11"},
        ),
        data=DataRecord(
            source="air.parquet, 35,064 rows",
            split="by time: the last 15 % are test, the 15 % before validation",
            rows=split,
            inputs=[InputRecord(*column) for column in INPUTS],
        ),
        warnings=[
            "input 'dew point' and target 'o3': correlation 0.41; no leak, but worth a look",
            "12 rows of the training split occur again in the test split",
        ],
        targets={target.name: target for target in found},
        attention=AttentionRecord(names, weights[:, :targets], weights[:, targets]),
        importance=ImportanceRecord(
            [column[0] for column in INPUTS],
            names,
            rng.gamma(0.5, 30, (len(INPUTS), targets)) - 2,
        ),
        entanglement=make_entanglement(np.random.default_rng(7), names),
        states=make_states(np.random.default_rng(8), names),
        costs=[
            CostRecord("read and encode", 1.1),
            CostRecord("multi-task net", 71.4, 1_204_331),
            CostRecord("single-task nets, one pass", 64.0, 6_012_800),
            CostRecord("boosted trees", 22.6),
            CostRecord("tests and report", 6.2),
        ],
    )


def changed(record: RunRecord, name: str, **fields: Any) -> RunRecord:
    """Returns a record with other fields of one target."""
    target = replace(record.targets[name], **fields)
    return replace(record, targets={**record.targets, name: target})


@pytest.fixture
def record() -> RunRecord:
    """The record of the pollutants, whole."""
    return make_record()


@pytest.fixture
def targets(record: RunRecord) -> list[TargetRecord]:
    """The pollutants and the alarm level."""
    return list(record.targets.values())


@pytest.fixture
def record_maker() -> Any:
    """The maker itself, for other sizes."""
    return make_record


@pytest.fixture
def change() -> Any:
    """Changes fields of one target: (record, name, field=value)."""
    return changed


@pytest.fixture
def class_chart() -> Any:
    """A chart of classes: (rows, labels)."""
    return lambda rows, labels: classes_chart(np.random.default_rng(1), rows, labels)


@pytest.fixture
def label_chart() -> Any:
    """A chart of label sets: (rows, labels)."""
    return lambda rows, labels: label_sets_chart(np.random.default_rng(2), rows, labels)
