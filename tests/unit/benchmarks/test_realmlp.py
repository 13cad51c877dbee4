"""RealMLP beside the other single-task models; what needs `pytabkit` is skipped without it."""

import importlib.util

import numpy as np
import pandas as pd
import pytest

from _methods import BACKENDS, REFERENCES, make_task
from _realmlp import GapFiller
from _table import Table, random_split

ROWS = 120


@pytest.fixture
def table() -> Table:
    rng = np.random.default_rng(0)
    x = rng.normal(size=ROWS)
    frame = pd.DataFrame({"x": x, "c": pd.Series(["u", "v", None] * (ROWS // 3), dtype=object)})
    frame.loc[::5, "x"] = np.nan
    frame["gone"] = np.nan
    frame["number"] = 3 * x + 10
    frame["count"] = rng.poisson(np.exp(1 + x)).astype(float)
    frame["kind"] = np.where(x > 0, "high", "low")
    kinds = {"number": "number", "count": "count", "kind": "category"}
    return Table("small", frame, kinds, random_split, "random")


def test_missing_numbers_are_filled_with_the_mean_and_flagged_and_categories_are_left(
    table: Table,
) -> None:
    x = table.frame[table.inputs]
    filled = GapFiller(x, table.categories).fill(x)
    assert list(filled.columns) == ["c", "x", "missingindicator_x"]
    assert filled["x"].iloc[0] == pytest.approx(x["x"].mean())
    assert filled["missingindicator_x"].sum() == x["x"].isna().sum()
    assert filled["c"].isna().sum() == x["c"].isna().sum()


def test_it_is_run_only_where_it_is_named_and_its_package_is_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import deployed

    monkeypatch.setattr(deployed, "find_spec", lambda name: None)
    assert "realmlp" not in REFERENCES
    assert deployed.chosen_methods(None) == list(deployed.METHODS)
    with pytest.raises(SystemExit, match="realmlp needs pytabkit; see"):
        deployed.chosen_methods("realmlp")
    with pytest.raises(SystemExit, match="unknown"):
        deployed.chosen_methods("nothing")


@pytest.mark.skipif(importlib.util.find_spec("pytabkit") is None, reason="needs pytabkit")
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("target", ["number", "count", "kind"])
def test_it_is_fitted_again_for_the_epochs_that_it_found(table: Table, target: str) -> None:
    task = make_task(table, target, parts=table.split(0), seed=0)
    fit = BACKENDS["realmlp"]
    predict, rounds = fit(task, task.train, held_out=task.validation, rounds=None)
    assert 1 <= rounds <= 256
    predict, again = fit(task, task.both, held_out=None, rounds=rounds)
    assert again == rounds
    out = predict(task.test)
    assert out.shape == (len(task.test), 2 if target == "kind" else 1)
    assert np.isfinite(out).all()
    if target == "kind":
        assert out.sum(1) == pytest.approx(np.ones(len(out)), abs=1e-5)
    if target == "count":
        assert (out > 0).all()  # its deviance is finite
