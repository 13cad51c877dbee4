"""Tables of the record: one line a target, a pair or an ordered pair, under plain names."""

from __future__ import annotations

import json
import math

import numpy as np

from superpose.record import (
    DecisionRecord,
    EntanglementRecord,
    GainRecord,
    MixtureRecord,
    RunRecord,
    SharingRecord,
    TargetRecord,
    json_tables,
    pair_rows,
    transfer_row,
)

DECISION = DecisionRecord(
    n_rows=824,
    reference=MixtureRecord({"trees": 1.0}, 61.0),
    deployed=MixtureRecord({"multi_task": 0.6, "catboost": 0.4}, 60.6),
    test=GainRecord(5.7, 1.0, 9.0, 0.01),
)
TARGET = TargetRecord(
    "pm25",
    kind="number",
    metric="rmse",
    decision=DECISION,
    sharing=SharingRecord(58.3, 59.9, GainRecord(5.1, -9.0, 19.1, 0.23), "no difference"),
    given={"half": DecisionRecord(824, deployed=MixtureRecord({"copula": 1.0}, 40.8))},
    metrics={"deployed": {"rmse": 54.2}, "baseline": {"rmse": 76.0}},
)


def test_a_line_has_the_error_with_nothing_half_and_all_given_and_on_test_rows():
    row = transfer_row(TARGET)
    assert (row["deployed"], row["half_given"], row["test"]) == (60.6, 40.8, 54.2)
    assert math.isnan(row["all_given"])
    assert row["deployed_model"] == "0.6 multi-task net + 0.4 catboost"
    assert row["best_single_task_model"] == "trees"
    assert (row["gain"], row["gain_low"], row["challenger_gain"]) == (5.1, -9.0, 5.7)


def test_json_has_former_names_beside_the_new_ones():
    tables = json.loads(json.dumps(json_tables(RunRecord(targets={"pm25": TARGET}))))
    (row,) = tables["transfer"]
    for new, former in {
        "n_rows": "n",
        "multi_task": "model",
        "single_task": "alone",
        "best_single_task": "reference",
        "deployed": "shipped_value",
        "gain": "delta",
        "challenger_p": "shipped_p",
    }.items():
        assert row[new] == row[former], new
    assert row["all_given"] is None
    assert row["deployed_weights"] == {"multi_task": 0.6, "catboost": 0.4}
    assert row["shipped_weights"] == {"joint": 0.6, "catboost": 0.4}
    metrics = tables["metrics"]["pm25"]
    assert metrics["deployed"] == metrics["shipped"] == {"rmse": 54.2}
    assert metrics["baseline"] == metrics["constant"]


def test_of_pairs_the_strongest_come_first_and_unknown_ones_last():
    bits = np.array([[np.nan, 0.4, np.nan], [0.1, np.nan, 0.7], [0.2, 0.3, np.nan]])
    tables = dict.fromkeys(("bits", "low", "high", "null", "p", "both"), bits)
    totals = dict.fromkeys(("total", "total_low", "total_high", "n"), np.array([1.0, 2.0, 3.0]))
    rows = pair_rows(EntanglementRecord(["a", "b", "c"], **tables, **totals, rows=9))
    assert [(row["given"], row["about"]) for row in rows[:2]] == [("b", "c"), ("a", "b")]
    assert (rows[5]["given"], rows[5]["about"], rows[5]["n"]) == ("a", "c", 0)
    assert [(row["given"], row["bits"], row["p"]) for row in rows[6:]] == [
        ("all others", 1.0, None),
        ("all others", 2.0, None),
        ("all others", 3.0, None),
    ]
