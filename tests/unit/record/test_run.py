"""A record survives being split into JSON and arrays, or is refused with the part that is wrong."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from superpose.errors import BundleError
from superpose.record import (
    ClassesChart,
    CurveRecord,
    DataRecord,
    DecisionRecord,
    GainRecord,
    MixtureRecord,
    RunRecord,
    SharingRecord,
    TargetRecord,
    ValuesChart,
    plain,
)


def some() -> RunRecord:
    values = ValuesChart(np.array([1.0, np.nan]), np.array([1.5, 2.0]))
    classes = ClassesChart(["no", "yes"], np.array([0.0]), np.array([[0.3, 0.7]]))
    decision = DecisionRecord(9, deployed=MixtureRecord({"trees": np.nan}), test=GainRecord(p=0.5))
    return RunRecord(
        title="two targets",
        targets={
            # A name may hold what parts the names of arrays.
            "a/b": TargetRecord(
                "a/b",
                decision=decision,
                sharing=SharingRecord(multi_task=1.5, verdict="helped"),
                given={"half": DecisionRecord(9)},
                metrics={"deployed": {"rmse": 1.5, "r2": np.nan}},
                chart=values,
                curves=[CurveRecord("multi_task", np.array([1.0, np.nan]), np.ones(2), 1)],
            ),
            "c": TargetRecord("c", chart=classes),
            "d": TargetRecord("d"),
        },
    )


def stored(record: RunRecord) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    fields, arrays = record.to_dict()
    return json.loads(json.dumps(fields, allow_nan=False)), arrays


def test_a_record_comes_back_as_it_was() -> None:
    fields, arrays = stored(some())
    assert set(arrays) == {"a/b/true", "a/b/pred", "c/true", "c/pred"}
    again = RunRecord.from_dict(fields, arrays)
    assert stored(again)[0] == fields
    np.testing.assert_array_equal(again.targets["a/b"].chart.true, [1.0, np.nan])
    assert again.targets["a/b"].chart.low is None
    assert np.isnan(again.targets["a/b"].decision.deployed.weights["trees"])
    assert again.targets["a/b"].at("half").n_rows == 9
    assert again.targets["d"].chart is None


def test_what_was_written_by_hand_is_named() -> None:
    assert list(some().metrics) == ["a/b", "c", "d"]
    target = some().targets["a/b"]
    assert np.isnan(target.test_value), "no metric is named the main one"
    assert not target.decision.replaced
    assert not target.at("all").deployed


GONE = object()


@pytest.mark.parametrize(
    ("keys", "wrong", "fault"),
    [
        (("more",), 1, "more: unknown"),
        (("targets", "a/b", "more"), 1, "targets.a/b.more: unexpected keyword"),
        (("targets", "a/b", "sharing", "verdict"), "won", "targets.a/b.sharing.verdict: input sho"),
        (("targets", "a/b", "given", "most"), {}, "targets.a/b.given.most.[key]: input should be"),
        (("targets", "a/b", "chart", "chart"), "pie", "targets.a/b.chart: input tag 'pie'"),
        (
            ("targets", "d", "chart"),
            {"chart": "values"},
            "targets.d.chart.values.true: field required",
        ),
        (("targets", "c"), GONE, "targets.c.chart.true: no such chart"),
        (("targets", "c", "chart", "labels"), ["no"], "targets.c.chart.classes: value error, pred"),
        (("targets", "a/b", "curves", 0, "train"), [[1.0]], "value error, train has the shape"),
        (("targets", "a/b", "curves", 0, "train"), ["x"], "targets.a/b.curves[0].train: value err"),
        (("targets", "a/b", "metrics", "deployed", "rmse"), float("inf"), "rmse: not a finite"),
        (("targets", "a/b", "name"), GONE, "targets.a/b.name: field required"),
        (("alpha",), "high", "alpha: input should be a valid number"),
        (("targets",), [], "no such chart"),
    ],
)
def test_a_record_that_was_edited_is_refused(keys: tuple[Any, ...], wrong: Any, fault: str) -> None:
    fields, arrays = stored(some())
    inner: Any = fields
    for key in keys[:-1]:
        inner = inner[key]
    if wrong is GONE:
        del inner[keys[-1]]
    else:
        inner[keys[-1]] = wrong
    with pytest.raises(BundleError) as caught:
        RunRecord.from_dict(fields, arrays)
    assert "bundle: record: " in str(caught.value)
    assert fault in str(caught.value)
    assert "the bundle is damaged; copy or save it again" in str(caught.value)


@pytest.mark.parametrize("name", ["a/b/true", "c/pred"])
def test_arrays_of_another_shape_are_refused(name: str) -> None:
    fields, arrays = stored(some())
    with pytest.raises(BundleError, match="value error, "):
        RunRecord.from_dict(fields, {**arrays, name: np.zeros((3, 3))})


def test_what_json_has_no_word_for_becomes_null() -> None:
    assert plain({"a": (np.float32(0.5), float("inf")), 1: np.array([np.nan])}) == {
        "a": [0.5, None],
        "1": [None],
    }
    assert plain(GainRecord(1.0)) == {"gain": 1.0, "low": None, "high": None, "p": None}


def test_intervals_that_held_clearly_fewer_of_many_test_rows_are_weak():
    def record(rows: int, **shares: float) -> RunRecord:
        targets = {
            name: TargetRecord(name, metrics={"deployed": {"coverage": share}})
            for name, share in shares.items()
        }
        return RunRecord(data=DataRecord(rows={"test": rows}), targets=targets | CLASSES)

    assert record(400, a=0.62, b=0.91).weak_intervals == {"a": 0.62}
    assert record(20, a=0.62).weak_intervals == {}


def test_what_is_said_of_weak_intervals_names_sets_where_there_are_sets():
    metrics = {"y": {"coverage": 0.62}, "level": {"coverage": 0.7, "set_size": 1.4}}
    targets = {name: TargetRecord(name, metrics={"deployed": own}) for name, own in metrics.items()}
    said = RunRecord(data=DataRecord(rows={"test": 400}), targets=targets).weak_interval_warnings()
    assert said == [
        "target 'y': its intervals of 90 % held 62 % of the test rows of the training; do not rely "
        "on them for new rows",
        "target 'level': its sets of 90 % held 70 % of the test rows of the training; do not rely "
        "on them for new rows",
    ]


CLASSES = {"level": TargetRecord("level", metrics={"deployed": {"accuracy": 0.5}})}
