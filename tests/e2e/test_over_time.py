"""Recordings, events with gaps, lifetimes and forecasts, from a table to predictions."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from typer.testing import CliRunner

from superpose import Superpose
from superpose.cli import app
from superpose.data import write_table

SMALL = {"width": 32, "members": 2, "state": 8}
TRAINING = {"epochs": 12, "batch_size": 32, "learning_rate": 0.01}


def machines(count: int = 40, steps: int = 30, seed: int = 0) -> pa.Table:
    """Machines whose two sensors drift at a rate of their own, by which each fails."""
    rng = np.random.default_rng(seed)
    rate = rng.uniform(0.5, 2.0, count)
    step = np.tile(np.arange(steps), count)
    drift = np.repeat(rate, steps) * step / 10
    rows = count * steps
    left = 60 / np.repeat(rate, steps) - step
    seen = rng.random(count) < 0.7
    return pa.table(
        {
            "machine": np.repeat([f"m{n}" for n in range(count)], steps),
            "step": step,
            "heat": drift + 0.1 * rng.normal(size=rows),
            "noise": np.sin(step / 3) + 0.1 * rng.normal(size=rows),
            "left": np.where(np.repeat(seen, steps), left, left / 2),
            "failed": np.repeat(seen, steps),
            "worn": np.where(drift > 2, "yes", "no"),
        }
    )


WINDOWS = {"group": "machine", "time": "step", "length": 8, "columns": ["heat", "noise"], "step": 4}
TARGETS = [{"name": "left", "kind": "survival", "event": "failed"}, "worn"]


@pytest.fixture(scope="module")
def fitted() -> Superpose:
    return Superpose(
        TARGETS,
        windows=WINDOWS,
        ignore=["step"],
        model=SMALL,
        training=TRAINING,
        proof={"references": "trees", "trees": ["hist"], "folds": 1},
    ).fit(machines())


def test_windows_and_lifetimes_are_learned(fitted: Superpose) -> None:
    metrics = fitted.evaluate(machines(seed=1))
    assert metrics["left"]["concordance"] > 0.75, metrics
    assert metrics["left"]["score"] > 0.1, metrics
    assert metrics["worn"]["auc"] > 0.9, metrics
    trees = fitted.record.metrics["left"]["trees"]
    assert trees["concordance"] > 0.7, trees


def test_a_prediction_tells_which_step_of_which_machine_it_is_of(fitted: Superpose) -> None:
    new = machines(3, seed=2)
    pred = fitted.predict(new.drop_columns(["left", "failed", "worn"]))
    assert pred.column_names == ["machine", "step", "left", "worn", "worn_set"]
    assert pred["step"].to_pylist()[:6] == [9, 13, 17, 21, 25, 29]
    shares = fitted.predict_proba(new)
    assert [name for name in shares.column_names if name.startswith("left<=")]
    by = np.stack([shares[n].to_numpy() for n in shares.column_names if n.startswith("left<=")])
    assert (np.diff(by, axis=0) >= 0).all()


def test_one_machine_is_predicted_as_among_others(fitted: Superpose) -> None:
    new = machines(4, seed=3)
    among, alone = fitted.predict(new), fitted.predict(new.slice(0, 30))
    np.testing.assert_allclose(
        alone["left"].to_numpy(zero_copy_only=False),
        among["left"].slice(0, alone.num_rows).to_numpy(zero_copy_only=False),
        rtol=1e-4,
    )


def test_a_bundle_predicts_as_the_model_did(fitted: Superpose, tmp_path: Path) -> None:
    fitted.save(tmp_path / "bundle")
    new = machines(3, seed=4)
    assert Superpose.load(tmp_path / "bundle").predict(new).equals(fitted.predict(new))


def test_a_lifetime_sharpens_the_others_and_comes_back_as_it_was(fitted: Superpose) -> None:
    new = machines(3, seed=5)
    pred = fitted.predict(new, given="left")
    assert pred["left"].to_pylist()[:2] == new["left"].take(pa.array([9, 13])).to_pylist()
    assert pred["worn"].null_count == 0


def test_the_report_shows_survival_by_risk(fitted: Superpose, tmp_path: Path) -> None:
    page = fitted.report(tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Survival by risk" in page


def test_the_command_line_reads_windows_from_the_settings(tmp_path: Path) -> None:
    write_table(machines(12), tmp_path / "machines.csv")
    (tmp_path / "s.yaml").write_text(
        "data: machines.csv\n"
        "targets: [{name: left, kind: survival, event: failed}, worn]\n"
        "windows: {group: machine, time: step, length: 8, step: 4, columns: [heat, noise]}\n"
        "model: {width: 8, members: 1, state: 4, rank: 2}\n"
        "training: {epochs: 1}\n"
        "proof: {references: none, folds: 1}\n"
    )
    run = CliRunner().invoke
    checked = run(app, ["check", str(tmp_path / "s.yaml")])
    assert checked.exit_code == 0, checked.output
    assert "by the 12 groups of 'machine'" in checked.output
    trained = run(app, ["train", str(tmp_path / "s.yaml"), "--out", str(tmp_path / "run")])
    assert trained.exit_code == 0, trained.output
    files = [str(tmp_path / "run"), str(tmp_path / "machines.csv")]
    done = run(app, ["predict", *files, "--out", str(tmp_path / "pred.csv")])
    assert done.exit_code == 0, done.output
    assert "72 rows, columns machine, step, left, worn" in done.output


def test_forecasts_are_better_than_the_last_value() -> None:
    rng = np.random.default_rng(0)
    hours = np.arange(900)
    load = 10 + 3 * np.sin(hours * 2 * np.pi / 24) + 0.3 * rng.normal(size=900)
    table = pa.table({"hour": hours, "load": load})
    rule = {"time": "hour", "length": 48, "ahead": 6, "step": 2, "columns": ["load"]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        model = Superpose(
            [{"name": "load", "kind": "forecast", "season": 24}],
            windows=rule,
            ignore=["hour"],
            model=SMALL,
            training=TRAINING,
            proof={"references": "none", "folds": 1},
        ).fit(table)
    errors = model.record.targets["load"].chart.errors
    assert set(errors) == {"deployed", "the last value", "a period before"}
    assert np.mean(errors["deployed"]) < 0.6 * np.mean(errors["the last value"]), errors
    assert model.record.metrics["load"]["deployed"]["r2"] > 0.8
    assert model.record.metrics["load"]["deployed"]["coverage"] == pytest.approx(0.9, abs=0.1)
    pred = model.predict(table.slice(800))
    assert pred.column_names == ["hour", "load", "load_low", "load_high"]
    assert len(pred["load"][-1].as_py()) == 6, "the last step has a forecast though no label"


def test_what_hardly_moves_is_not_forecast_worse_than_by_its_last_value(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    boats, hours = 12, 70
    steps = rng.normal(size=(2, boats, hours))
    walks = dict(zip(("east", "north"), np.cumsum(steps, axis=2).reshape(2, -1), strict=True))
    boat, hour = np.repeat(np.arange(boats), hours), np.tile(np.arange(hours), boats)
    windy = rng.random(len(hour)) < 0.5
    table = pa.table({"boat": boat, "hour": hour, **walks, "windy": windy})
    model = Superpose(
        [{"name": name, "kind": "forecast", "season": 4} for name in walks] + ["windy"],
        windows={"group": "boat", "time": "hour", "length": 8, "ahead": 3, "columns": [*walks]},
        ignore=["hour"],
        groups=[["east", "windy"]],
        model=SMALL,
        training={**TRAINING, "epochs": 8},
        proof={"references": "network", "folds": 2},
    ).fit(table)
    for name in walks:
        errors = model.record.targets[name].chart.errors
        assert errors["deployed"][0] < 1.2 * errors["the last value"][0], (name, errors)
    model.save(tmp_path / "bundle")
    later = table.slice(600)
    assert Superpose.load(tmp_path / "bundle").predict(later).equals(model.predict(later))


def test_events_with_gaps_are_learned() -> None:
    rng = np.random.default_rng(0)
    level = rng.normal(size=300)
    stays = [
        [
            {"time": float(t), "channel": channel, "value": value + 0.3 * rng.normal()}
            for t in np.sort(rng.uniform(0, 48, rng.integers(3, 9)))
            for channel, value in (("pulse", 80 + 10 * x), ("temp", 37.0))
            if rng.random() < 0.7
        ]
        for x in level
    ]
    died = np.where(level + 0.3 * rng.normal(size=300) > 0.5, "yes", "no")
    table = pa.table({"stay": stays, "age": rng.normal(60, 9, 300), "died": died, "level": level})
    model = Superpose(
        ["died", "level"],
        inputs=[{"name": "stay", "kind": "series", "bins": 12}, "age"],
        model=SMALL,
        training=TRAINING,
        proof={"trees": ["hist"], "folds": 1},
    ).fit(table)
    assert model.record.metrics["died"]["deployed"]["auc"] > 0.9
    assert model.record.metrics["level"]["multi_task"]["r2"] > 0.7
    assert model.record.importance.inputs == ["stay", "age"]
