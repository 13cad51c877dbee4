"""What is deployed has learned from all rows; what the proof has found does not change by it."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from superpose import Superpose
from superpose.analysis import findings
from superpose.config import Config
from superpose.evaluation import RunResult, run_evaluation
from superpose.evaluation._context import Context, quiet
from superpose.evaluation._refit import _with_test_rows
from superpose.evaluation._stages import Stages
from superpose.prepare import Prepared, prepare

PARTS = np.array(["train"] * 160 + ["validation"] * 60 + ["test"] * 80)


def table() -> pa.Table:
    """In the rows of the test the sign of x turns, which nobody can know who has not seen them."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=300)
    era = (np.arange(300) >= 220) * 1.0
    sign = np.where(era == 1, -1.0, 1.0)
    return pa.table(
        {
            "x": x,
            "era": era,
            "y": 3 * sign * x + 0.1 * rng.normal(size=300),
            "z": x + 0.1 * rng.normal(size=300),
            "part": PARTS,
        }
    )


def settings(targets: list[str], folds: int = 1, *, refit: bool = True) -> Config:
    return Config.from_arguments(
        targets=targets,
        inputs=["x", "era"],
        split={"by": "column", "column": "part"},
        model={"width": 16, "members": 2, "depth": 1},
        training={"epochs": 12},
        proof={"folds": folds, "trees": ["hist"]},
        deploy={"refit": refit},
    )


def ready(folds: int = 1, *, refit: bool = True) -> Prepared:
    return prepare(table(), settings(["y", "z"], folds, refit=refit))


@pytest.fixture(scope="module", params=[1, 2], ids=["holdout", "folds"])
def runs(request: pytest.FixtureRequest) -> tuple[RunResult, RunResult]:
    before, after = (run_evaluation(ready(request.param, refit=refit)) for refit in (False, True))
    assert after.prepared.plan.cross_fitted == (request.param > 1)
    return before, after


def error(run: RunResult, target: str) -> float:
    later = table().take(np.flatnonzero(PARTS == "test")).drop_columns(["y", "z"])
    pred = run.deployed.predict(later).pred[target]
    kind, labels = run.prepared.codec.target_kinds[target], run.prepared.labels[target]
    return float(kind.distribution.row_loss(labels[PARTS == "test"], pred).mean())


def test_what_is_deployed_has_learned_from_the_test_rows(
    runs: tuple[RunResult, RunResult],
) -> None:
    before, after = runs
    assert error(after, "y") < 0.8 * error(before, "y")


def test_what_was_chosen_and_found_is_the_same_without_a_refit(
    runs: tuple[RunResult, RunResult],
) -> None:
    before, after = runs
    for level, decided in before.levels.items():
        assert after.levels[level].level == decided.level
    found = findings(before), findings(after)
    assert found[0].metrics == found[1].metrics
    assert [record.refitted for record in found] == [0, 300]


def test_mixtures_stay_and_intervals_are_set_by_the_test_rows_too(
    runs: tuple[RunResult, RunResult],
) -> None:
    before, after = runs
    for name, level in before.deployed.levels.items():
        assert after.deployed.levels[name].weights == level.weights
        # The test rows of y are nothing like those before them.
        assert after.deployed.levels[name].quantiles["y"] > 1.5 * level.quantiles["y"]
    names = [[(m.name, *m.targets) for m in run.deployed.models] for run in runs]
    assert names[0] == names[1]


def test_intervals_that_failed_on_the_test_rows_are_warned_of_in_training_and_prediction() -> None:
    model = Superpose.from_config(ready().config).fit(table())
    held = r"target 'y': (its )?intervals of 90 % held \d+ % of the test rows"
    assert any(re.match(held, text) for text in model.warnings)
    with pytest.warns(UserWarning, match=held):
        model.predict(table().slice(0, 5).drop_columns(["y", "z"]))


def test_a_run_that_stops_in_the_refit_ends_with_the_same_numbers(tmp_path: Path) -> None:
    def stop(stage: str, share: float) -> None:
        if stage == "refit on all rows" and share > 0:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_evaluation(ready(), tmp_path, stop)
    assert list(tmp_path.glob("refit-*.done"))
    resumed = run_evaluation(ready(), tmp_path)
    whole = run_evaluation(ready())
    assert error(resumed, "y") == error(whole, "y")


def test_sets_that_held_every_validation_row_grow_where_the_test_rows_show_errors() -> None:
    """A quantile of zero can't grow by a factor."""
    signs = np.where(np.array(table()["y"]) > 0, "up", "down")
    prepared = prepare(table().append_column("c", pa.array(signs)), settings(["c", "z"]))
    run = run_evaluation(prepared)
    nothing = run.levels["none"]
    nothing.level.quantiles["c"] = 0.0
    predictor = replace(run.predictor, levels=dict.fromkeys(("none", "all"), nothing.level))
    levels = _with_test_rows(Context(prepared, Stages(None), quiet), predictor, nothing)
    assert levels["none"].quantiles["c"] == levels["all"].quantiles["c"] > 0.3
    assert nothing.level.quantiles["c"] == 0.0
