"""Claims about the benchmark harness: its scores, its tests and its store can be trusted."""

import json

import numpy as np
import pandas as pd
import pytest

# skipped where the benchmark extra is missing: the harness needs scipy and scikit-learn only
pytest.importorskip("scipy")


@pytest.fixture
def table():
    from _table import Table, random_split

    rng = np.random.default_rng(0)
    rare = (np.arange(200) % 20 == 0).astype(float)
    frame = pd.DataFrame(
        {"x": rng.normal(size=200), "c": pd.Series(["u", "v"] * 100, dtype=object), "rare": rare}
    )
    frame["y"] = frame["x"] * 2 + rng.normal(size=200) * 0.1
    frame.loc[::7, "y"] = np.nan
    return Table("toy", frame, {"rare": "binary", "y": "number"}, random_split, "random")


def test_perfect_prediction_has_no_error_and_the_baseline_has_error_one():
    from _scores import baseline, error, metrics

    y = np.array([1.0, 2.0, 6.0, np.nan])
    for kind in ("number", "count"):
        base = baseline(kind, y, 0)
        best = metrics(kind, y, np.nan_to_num(y)[:, None], baseline=base)
        assert error(kind, best) == pytest.approx(0, abs=1e-6)
        worst = metrics(kind, y, np.broadcast_to(base, (4, 1)), baseline=base)
        assert error(kind, worst) == pytest.approx(1)


def test_row_loss_is_nan_exactly_where_the_label_is_missing():
    from _scores import row_loss

    y = np.array([1.0, np.nan, 0.0])
    for kind, n_columns in (("number", 1), ("count", 1), ("binary", 2), ("ordinal", 3)):
        losses = row_loss(kind, y, np.full((3, n_columns), 1 / max(n_columns, 2)))
        assert np.isnan(losses).tolist() == [False, True, False]


def test_gain_is_positive_when_ours_is_better_for_every_kind():
    from _scores import gain

    assert gain("binary", 0.9, 0.8) == pytest.approx(12.5)  # AUC, higher is better
    assert gain("number", 0.4, 0.5) == pytest.approx(20)  # error, lower is better


def test_split_keeps_rare_classes_in_every_part_and_follows_the_seed(table):
    parts = table.split(0)
    share = {p: table.labels("rare")[parts == p].sum() for p in ("train", "validation", "test")}
    assert share == {"train": 6, "validation": 2, "test": 2}
    assert (table.split(0) == parts).all()
    assert (table.split(1) != parts).any()


def test_groups_are_never_divided_by_the_split():
    from _table import Table, grouped_split

    groups = np.repeat(np.arange(20), 5)
    frame = pd.DataFrame({"x": np.arange(100.0), "y": np.arange(100.0)})
    table = Table("toy", frame, {"y": "number"}, grouped_split, "", clusters=groups)
    parts = table.split(3)
    assert all(len(set(parts[groups == g])) == 1 for g in range(20))
    assert {p: (parts == p).sum() for p in set(parts)} == {
        "train": 60,
        "validation": 20,
        "test": 20,
    }


def test_holm_matches_a_worked_example():
    from _summary import holm

    assert holm(np.array([0.01, 0.04, 0.03, 0.005])) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_paired_test_holds_its_level_under_the_null_with_clusters():
    from _summary import paired_p

    rng = np.random.default_rng(0)
    clusters = np.repeat(np.arange(40), 10)
    wrong = sum(
        paired_p(rng.normal(size=40)[clusters] + rng.normal(size=400), clusters)[0] < 0.05
        for _ in range(400)
    )
    assert wrong <= 34  # 5 % of 400 is 20; three standard errors above is 33


def test_paired_test_finds_a_clear_harm():
    from _summary import paired_p

    worse, better = paired_p(np.random.default_rng(0).normal(0.5, 1, 200), np.arange(200))
    assert worse < 1e-6 < 0.99 < better


def test_cells_resume_after_a_torn_line_and_failed_cells_are_tried_again(tmp_path):
    from _cells import CellStore, Key, Study

    store = CellStore(tmp_path / "a.cells.jsonl")
    store.append({"table": "t", "method": "m", "seed": 0, "value": float("nan")})
    store.append({"table": "t", "method": "m", "seed": 1, "failed": "why"})
    with store.path.open("a") as file:
        file.write('{"table": "t", "met')
    store.append({"table": "t", "method": "m", "seed": 2}, {"rows": np.arange(3)})
    assert store.done() == {("t", "m", 0), ("t", "m", 2)}
    assert Study(store, ["t"], [0, 1, 2]).missing(["m"]) == [("t", "m", 1)]
    assert store.rows(Key("t", "m", 2))["rows"].tolist() == [0, 1, 2]
    assert json.loads(store.path.read_text().splitlines()[0])["value"] is None


def test_single_task_view_drops_rows_for_their_own_missing_label_only(table):
    from _methods import make_task

    parts = table.split(0)
    whole = make_task(table, "rare", parts=parts, seed=0)
    gappy = make_task(table, "y", parts=parts, seed=0)
    assert len(whole.train.y) == 120
    assert len(gappy.train.y) == np.isfinite(table.labels("y")[parts == "train"]).sum()
    assert list(whole.train.x.columns) == ["x", "c"]  # no target is ever an input
    assert len(gappy.test) == (parts == "test").sum()


def test_a_fitted_reference_is_scored_and_summarised_with_losses_first(
    table, tmp_path, monkeypatch
):
    pytest.importorskip("sklearn")
    import _summary
    import accuracy
    from _cells import CellStore, Study
    from _methods import Outcome, Run

    store = CellStore(tmp_path / "a.cells.jsonl")
    rng = np.random.default_rng(1)
    for seed in range(2):
        test = table.split(seed) == "test"
        x, rare = table.frame["x"][test].to_numpy(), table.labels("rare")[test]
        for method, noise in (("hist", 0.1), ("superpose", 3.0)):
            mean = 2 * x + noise * rng.normal(size=test.sum())
            p = np.clip(rare * 0.5 + 0.25, 0, 1)
            held_out = (table.split(seed) == "validation") & np.isfinite(table.labels("y"))
            outcomes = {
                "rare": Outcome(np.stack([1 - p, p], 1), None),
                "y": Outcome(mean[:, None], np.zeros((held_out.sum(), 1))),
            }
            targets, rows = accuracy.score_run(table, seed, Run(outcomes, 1.0))
            cell = {"table": "toy", "method": method, "seed": seed, "seconds": 1.0}
            store.append(cell | {"targets": targets, "details": {}}, rows)
    monkeypatch.setattr(_summary, "load_table", lambda name, folder: table)
    summary = _summary.summarise(Study(store, ["toy"], [0, 1]), tmp_path)
    assert [row["target"] for row in summary["totals"]["harmed"]] == ["y"]
    assert summary["ranks"]["by_target"]["hist"] == 1.25  # first on y, tied on rare
    assert accuracy.show(summary).startswith("Losses of superpose")
