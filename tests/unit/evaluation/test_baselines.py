"""Candidates that learn nothing from the inputs, and what is deployed where they are best."""

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest

from superpose import Superpose
from superpose.config import Config
from superpose.data import read_rows
from superpose.evaluation._baselines import fit_baseline, fit_baselines
from superpose.evaluation._context import Context
from superpose.evaluation._stages import Stages
from superpose.models import BaselineModel, NaiveForecastModel
from superpose.prepare import prepare
from superpose.testing import MODEL_CHECKS

SMALL = {"model": {"width": 8, "members": 1, "depth": 1}, "training": {"epochs": 3}}
DAYS = 400
TODAY = dt.date(2020, 1, 1)


def drift() -> pa.Table:
    """A level that rises day by day, and an input that tells nothing of it."""
    rng = np.random.default_rng(0)
    day = [TODAY + dt.timedelta(days=int(n)) for n in range(DAYS)]
    level = np.arange(DAYS) / 20 + rng.normal(size=DAYS)
    x = rng.normal(size=DAYS)
    return pa.table({"day": day, "x": x, "level": level, "other": x + rng.normal(size=DAYS)})


def forecast() -> pa.Table:
    """Hours of a daily swing that never changes."""
    hours = np.arange(1200)
    start = dt.datetime(2020, 1, 1)
    load = np.sin(hours * 2 * np.pi / 24) * 10 + 0.1 * np.random.default_rng(1).normal(size=1200)
    when = [start + dt.timedelta(hours=int(n)) for n in hours]
    return pa.table({"when": when, "load": load})


def context(table: pa.Table, **settings) -> Context:
    config = Config.from_arguments(**settings, **SMALL)
    return Context(prepare(read_rows(table, config), config), Stages(None))


@pytest.fixture(scope="module")
def windows() -> Context:
    return context(
        forecast(),
        targets=[{"name": "load", "kind": "forecast", "season": 24}],
        windows={"columns": ["load"], "time": "when", "length": 48, "step": 6, "ahead": [1, 2, 3]},
        split={"by": "time", "column": "when"},
    )


def by_name(fitted, target):
    return {one.model.name: one for one in fitted if one.model.targets == [target]}


def test_the_last_value_is_the_constant_of_the_newest_block_before_each_period():
    made = context(
        drift(), targets=["level", "other"], ignore=["day"], split={"by": "time", "column": "day"}
    )
    fitted = by_name(fit_baselines(made), "level")
    prepared = made.prepared
    y = prepared.labels["level"]
    assert list(fitted) == ["baseline", "last value"]
    assert len(prepared.plan.folds) == 3
    for fold in prepared.plan.folds:
        newest = prepared.split.clusters[fold.train].max()
        mine = fold.train[prepared.split.clusters[fold.train] == newest]
        pred = fitted["last value"].oof_predictions["level"][fold.validation, 0]
        assert pred == pytest.approx(y[mine].mean())
        pred = fitted["baseline"].oof_predictions["level"][fold.validation, 0]
        assert pred == pytest.approx(y[fold.train].mean())


def test_rows_without_an_order_have_the_constant_only():
    made = context(drift(), targets=["level"], ignore=["day"])
    assert [one.model.name for one in fit_baselines(made)] == ["baseline"]


def test_a_forecast_has_the_last_number_of_the_window_and_that_of_a_period_before(windows):
    prepared = windows.prepared
    fitted = by_name(fit_baselines(windows), "load")
    assert list(fitted) == ["baseline", "last value", "season before"]
    kind = prepared.codec.target_kinds["load"]
    past = np.array(prepared.table.column(kind.past).to_pylist(), float)
    past = past.reshape(len(past), -1)
    for name, expected in {
        "last value": np.repeat(past[:, -1:], 3, axis=1),
        "season before": past[:, -24:-21],
    }.items():
        pred = fitted[name].model.predict(prepared.rows)["load"]
        mean = pred[:, :3] * kind.scale + kind.mean
        assert mean == pytest.approx(expected, abs=1e-4)
    loss = {
        name: np.nanmean(
            kind.distribution.row_loss(
                prepared.labels["load"], one.model.predict(prepared.rows)["load"]
            )
        )
        for name, one in fitted.items()
    }
    assert loss["season before"] < 0.01 < loss["last value"] < loss["baseline"]


@pytest.mark.parametrize("check", MODEL_CHECKS, ids=lambda check: check.__name__)
def test_naive_forecasts_keep_what_every_model_does(windows, check):
    prepared = windows.prepared
    model = fit_baseline(prepared, "load", name="season before", rows=prepared.split.train)
    check(model, prepared.rows.take(np.arange(12)))


def test_a_window_without_a_number_has_the_mean(windows):
    prepared = windows.prepared
    model = fit_baseline(prepared, "load", name="season before", rows=prepared.split.train)
    rows = prepared.rows.take(np.arange(2))
    for block in rows.inputs.values():
        block[:] = np.nan
    pred = model.predict(rows)["load"]
    assert (pred == model.values).all()


@pytest.mark.parametrize("name", ["baseline", "last value", "season before"])
def test_they_come_back_from_their_state(windows, name):
    prepared = windows.prepared
    model = fit_baseline(prepared, "load", name=name, rows=prepared.split.train)
    assert isinstance(model, BaselineModel if name == "baseline" else NaiveForecastModel)
    again = type(model).from_state(*model.to_state())
    again.require_sound(prepared.codec)
    here = prepared.rows.take(np.arange(5))
    assert (again.predict(here)["load"] == model.predict(here)["load"]).all()


@pytest.mark.filterwarnings("ignore:target 'level'")  # its intervals, of a level that went on
def test_the_last_value_is_deployed_where_it_is_best_and_a_warning_says_so(tmp_path):
    table = drift().append_column("noise", pa.array(np.random.default_rng(3).normal(size=DAYS)))
    model = Superpose(
        targets=["level", "noise"],
        inputs=["x"],
        split={"by": "time", "column": "day"},
        seed=0,
        **SMALL,
    ).fit(table)
    weights = model.record.targets["level"].decision.deployed.weights
    assert weights.get("last value", 0) > 0.5
    rows = table.select(["x"])
    level = model.predict(rows).column("level").to_numpy()
    assert abs(level.mean() - table.column("level").to_numpy()[-20:].mean()) < 3
    model.save(tmp_path / "model")
    again = Superpose.load(tmp_path / "model").predict(rows)
    assert again.equals(model.predict(rows))
    lost = [t for t, one in model.record.targets.items() if one.decision.ignores_inputs]
    said = [w for w in model.record.warnings if "no model was better than a baseline" in w]
    assert len(said) == len(lost) >= 1
