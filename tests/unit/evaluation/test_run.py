"""The trial: tables of which one side of the proof is left with nothing."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from superpose.analysis import findings
from superpose.config import Config
from superpose.evaluation import run_evaluation
from superpose.prepare import _plan, prepare

SETTINGS = {
    "targets": ["weight", "sick"],
    "ignore": ["calls", "sort", "level", "tags"],
    "model": {"width": 8, "members": 1, "depth": 1},
    "training": {"epochs": 2},
}


@pytest.fixture
def grouped(make_table):
    """Ninety rows of six groups, dealt in turn."""
    table = make_table()
    return table.append_column("place", pa.array(np.arange(90) % 6).cast(pa.string()))


def config(**more):
    return Config.from_arguments(
        **{**SETTINGS, "split": {"by": "group", "column": "place"}, **more}
    )


def test_validation_rows_of_one_group_choose_and_nothing_decides(grouped, monkeypatch):
    monkeypatch.setattr(_plan, "SMALL", 0)
    monkeypatch.setattr(_plan, "LARGE", 0)
    prepared = prepare(grouped, config(proof={"references": "network"}))
    assert prepared.plan.regime == "holdout"
    assert (prepared.plan.selection_half[prepared.split.validation] == 0).all()
    assert any("the validation rows are of one group only" in w for w in prepared.warnings)
    trial = run_evaluation(prepared)
    assert {r.verdict for r in trial.decisions.values()} == {"not tested"}
    assert all(r.deployed == r.reference for r in trial.decisions.values())
    assert {t.decision.n_rows for t in findings(trial).targets.values()} == {0}


def test_few_groups_make_a_table_small_however_many_rows_they_have(grouped, monkeypatch):
    monkeypatch.setattr(_plan, "SMALL", 0)
    parts = np.array(["train", "validation", "test"])[np.arange(90) % 6 // 2]
    table = grouped.append_column("part", pa.array(parts))
    by_column = {"by": "column", "column": "part"}
    assert prepare(table, config(split=by_column, ignore=["place"])).plan.regime == "holdout"
    prepared = prepare(table, config(split=by_column | {"groups": "place"}))
    assert prepared.plan.regime == "folds"
    assert "place" not in [spec.name for spec in prepared.schema.inputs]
    place = np.arange(90) % 6
    for fold in prepared.plan.folds:
        assert not set(place[fold.train]) & set(place[fold.validation])


def test_one_fold_is_one_validation_split_and_expensive_kinds_have_it(grouped, monkeypatch):
    assert prepare(grouped, config()).plan.regime == "folds"
    one = prepare(grouped, config(proof={"references": "network", "folds": 1}))
    assert one.plan.regime == "holdout"
    assert len(one.plan.folds) == 1
    sick = type(one.codec.target_kinds["sick"])
    monkeypatch.setattr(sick, "hints", replace(sick.hints, skip_cross_fitting=True))
    assert prepare(grouped, config()).plan.regime == "holdout"
    assert prepare(grouped, config(proof={"folds": 3})).plan.regime == "folds"


@pytest.mark.parametrize("target", ["weight", "sick"])
def test_a_target_measured_in_one_group_only_has_a_trial_too(grouped, target):
    prepared = prepare(grouped, config())
    where = int(prepared.split.train[0]) % 6
    column = grouped.column_names.index(target)
    kept = pa.array(
        [y if i % 6 == where else None for i, y in enumerate(grouped[target].to_pylist())],
        grouped[target].type,
    )
    trial = run_evaluation(prepare(grouped.set_column(column, target, kept), config()))
    assert np.isfinite(findings(trial).targets[target].decision.deployed.value)
    assert np.isfinite(list(trial.predictor.levels["none"].quantiles.values())).all()
