"""Facts of bundles of format 2 are read into the record, and given out under their former names."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

from superpose.errors import BundleError
from superpose.record import (
    ClassesChart,
    ForecastChart,
    LabelSetsChart,
    MapsChart,
    MasksChart,
    ObjectsChart,
    RanksChart,
    SurvivalChart,
    ValuesChart,
    WordsChart,
    chart_of,
    former_facts,
    mixture_name,
    stored_record,
)

LOSS = {"train": [1.0, 0.5], "validation": [1.0, None], "best": 1}
ROW = {
    "target": "pm25", "kind": "number", "metric": "rmse", "higher_is_better": False, "n": 824,
    "model": 58.3, "alone": 59.9, "reference": 60.6, "reference_name": "blend of trees and alone",
    "delta": 5.1, "interval": [-9.0, 19.1], "p": 0.23, "verdict": "no difference",
    "shipped": "blend of trees and alone", "shipped_weights": {"hist": 0.64, "alone": 0.36},
    "shipped_value": 60.6, "shipped_delta": 0.0, "shipped_interval": [-3.2, 14.5],
    "shipped_p": 0.097, "challenger_delta": 5.7,
}  # fmt: skip
WON = {
    **ROW, "target": "high", "kind": "binary", "shares_with": ["pm25"], "shipped": "joint",
    "shipped_weights": {"joint": 1.0}, "shipped_delta": 5.7, "verdict": "helped",
}  # fmt: skip
LEVEL = {
    "target": "pm25", "kind": "number", "metric": "rmse", "higher_is_better": False, "n": 824,
    "reference_name": "trees given", "reference": 41.0, "shipped": "trees given",
    "shipped_value": 41.0, "delta": 0.0, "interval": [-2.0, 1.0], "p": 0.6, "ungiven": 60.6,
}  # fmt: skip
PAIR = {"bits": [[None, 0.4], [0.1, None]], "low": [[None, 0.2], [0.0, None]]}


def facts() -> dict[str, Any]:
    levels = [
        {**LEVEL, "level": "none", "shipped_value": 60.6, "reference": 60.6, "delta": 0.0,
         "shipped": ROW["shipped"], "reference_name": ROW["shipped"], "p": 0.097,
         "interval": [-3.2, 14.5]},
        {**LEVEL, "level": "half"},
        {**LEVEL, "level": "all", "shipped": "blend of joint, trees all and copula", "delta": 3.0,
         "interval": [1.0, 5.0]},
    ]  # fmt: skip
    data_targets = [
        {"name": "pm25", "kind": "number", "detail": "mean 82", "labelled": {"train": 7610}},
        {"name": "high", "kind": "binary", "detail": "", "labelled": {"train": 7660}},
    ]
    metrics = {"shipped": {"rmse": 54.2}, "constant": {"rmse": 76.0}, "joint": {"rmse": 49.7}}
    size = [[1.0, 0.2], [0.2, 1.0]]
    return copy.deepcopy(
        {
            "title": "Superpose report: pm25", "created": "2026-11-28T03:05:27+00:00",
            "versions": {"superpose": "0.1.0"}, "hardware": "2 cores", "seed": 0,
            "config_yaml": "seed: 0\n", "command": "superpose demo air", "regime": "holdout",
            "delta": 0.05, "warnings": ["one"], "conversions": [],
            "data": {"source": "a frame", "split": "by time", "groups": [], "sources": [],
                     "rows": {"train": 7851}, "targets": data_targets,
                     "inputs": [{"name": "x", "kind": "number", "missing": 0.1, "detail": ""}]},
            "transfer": [ROW, WON],
            "metrics": {"pm25": metrics, "high": {}},
            "plots": {"pm25": {"kind": "number", "labels": []},
                      "high": {"kind": "binary", "labels": ["no", "yes"], "value": None}},
            "curves": {"pm25": [{"name": "joint", **LOSS}, {"name": "alone", **LOSS}], "high": []},
            "given": {"levels": ["none", "half", "all"], "rows": levels},
            "attention": {"targets": ["pm25", "high"], "weights": size, "sink": [0.1, 0.2]},
            "importance": {"inputs": ["x"], "targets": ["pm25", "high"], "values": [[3.0, None]]},
            "entanglement": {"targets": ["pm25", "high"], **PAIR, "rows": 90},
            "residuals": {"targets": ["pm25", "high"], "correlation": size, "alone": True},
            "states": {"targets": ["pm25", "high"], "density": size, "purity": 0.5,
                       "entropy": 1.0, "effective": 2.0, "collapsed": False},
            "balance": {"targets": ["pm25", "high"], "method": "sum", "every": 4, "at": "trunk",
                        "weights": [], "looks": [{"epoch": 0, "norms": [1.0, None],
                                                  "cosines": size}]},
            "cost": [{"stage": "joint network", "seconds": 3.0, "parameters": 12}],
        }
    )  # fmt: skip


ARRAYS = {
    "pm25/y": np.zeros(2), "pm25/prediction": np.zeros((2, 2)),
    "pm25/value": np.array([[1.0, 1.5], [np.nan, 2.0]]),
    "pm25/interval": np.array([[0, 3], [1, 4]]),
    "high/y": np.array([0.0, 1.0]), "high/prediction": np.array([[0.9, 0.1], [0.2, 0.8]]),
}  # fmt: skip


def read(**changes: Any):
    return stored_record({"facts": {**facts(), **changes}}, {"plots": ARRAYS})


def test_everything_has_its_former_name_too():
    before, after = facts(), former_facts(read())
    del before["plots"]
    unknown = {"high": None, "null": None, "p": None, "both": None, "total": None, "n": None}
    for key in unknown:
        assert not np.isfinite(np.array(after["entanglement"].pop(key), float)).any()
    for key in ("total_low", "total_high"):
        after["entanglement"].pop(key)
    # Of the target without a record of given there are no levels.
    after["given"]["rows"] = [r for r in after["given"]["rows"] if r["target"] == "pm25"]
    assert after["given"]["rows"][2].pop("shipped") == "blend of joint, trees all and copula"
    del before["given"]["rows"][2]["shipped"]
    assert after == before


def test_numbers_and_names_have_their_field_in_the_record():
    record = read()
    first, second = record.targets.values()
    assert mixture_name(first.decision.deployed.weights) == "0.36 single-task net + 0.64 trees"
    assert first.decision.reference.weights == first.decision.deployed.weights
    assert (first.decision.replaced, second.decision.replaced) == (False, True)
    assert mixture_name(second.decision.reference.weights) == "single-task net + trees"
    assert [first.at(level).deployed.value for level in ("none", "half", "all")] == [
        60.6, 41.0, 41.0
    ]  # fmt: skip
    assert mixture_name(first.at("all").deployed.weights) == (
        "multi-task net + trees given all targets + copula"
    )
    assert first.at("half").test.gain == -0.5, "the middle of its interval"
    assert first.test_value == 54.2
    assert second.shares_with == ["pm25"]
    assert record.alpha == 0.05
    assert isinstance(first.chart, ValuesChart)
    assert isinstance(second.chart, ClassesChart)
    np.testing.assert_array_equal(first.chart.high, [3, 4])


def test_a_bundle_that_has_a_record_is_read_from_it():
    fields, arrays = read().to_dict()
    again = stored_record({"record": fields}, {"charts": arrays})
    assert again.to_dict()[0] == fields


@pytest.mark.parametrize(
    ("key", "wrong"), [("regime", 3), ("delta", "high"), ("attention", {"targets": ["a"]})]
)
def test_facts_of_another_type_are_refused(key, wrong):
    with pytest.raises(BundleError, match="bundle: record: "):
        read(**{key: wrong})


PIXELS = np.zeros((1, 2, 2, 3), np.uint8)
EXAMPLE = {"row": {"x": "1"}, "true": "a", "told": [["a", 0.5], ["b", None]]}
PLOTS = {
    "count": ({"value": np.ones((2, 2)), "interval": None, "y": [1, 2]}, ValuesChart),
    "ordinal": ({"labels": ["a", "b"], "y": [0], "prediction": [[1, 0]]}, ClassesChart),
    "multilabel": ({"labels": ["a"], "y": [[0]], "prediction": [[0.5]]}, LabelSetsChart),
    "survival": (
        {"y": [1], "at": [0, 1], "groups": [{"rows": 3, "told": [1, 0], "seen": [1, 0]}]},
        SurvivalChart,
    ),
    "forecast": ({"y": [[1]], "ahead": [1], "errors": {"shipped": [2.0]}}, ForecastChart),
    "retrieval": ({"y": [1], "ranks": [1], "items": 5, "examples": [EXAMPLE]}, RanksChart),
    "tokens": (
        {"labels": ["a"], "spans": True, "counts": [[1, 1, 1]], "rows": 2, "wrong_rows": 1,
         "sentences": [[{"word": "w", "true": "a", "told": None}]]},
        WordsChart,
    ),
    "mask": (
        {"labels": ["a"], "counts": [[4]], "pixels": PIXELS, "true": PIXELS[..., 0],
         "told": PIXELS[..., 0]},
        MasksChart,
    ),
    "map": ({"value": [[1, 2]], "pixels": PIXELS, "true": PIXELS[..., 0], "told": PIXELS[..., 0]},
            MapsChart),
    "boxes": (
        {"labels": ["a"], "true_counts": [1], "told_counts": [2], "hit_counts": [1],
         "ap50": [None], "curves": [{"recall": [1.0], "precision": [1.0]}], "pixels": PIXELS,
         "objects": [{"true": [[0, 0, 0, 1, 1]], "told": []}]},
        ObjectsChart,
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", PLOTS)
def test_every_kind_has_its_chart(kind):
    plot, sort = PLOTS[kind]
    assert type(chart_of({"kind": kind, **plot})) is sort


def test_rows_without_labels_and_kinds_that_nobody_knows_have_no_chart():
    assert chart_of({"kind": "number", "y": np.zeros(0), "value": None}) is None
    assert chart_of({"kind": "mine", "y": [1.0], "labels": []}) is None
    own = {"kind": "mine", "y": [1.0], "labels": ["a", "b"], "prediction": [[0.5, 0.5]]}
    assert type(chart_of(own)) is ClassesChart
    assert chart_of({}) is None
