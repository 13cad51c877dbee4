"""Claims about the benchmark of "given": its questions, what a method sees, what is summed up."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

# skipped where the benchmark extra is missing
pytest.importorskip("scipy")
pytest.importorskip("sklearn")


@pytest.fixture
def table():
    from _table import Table, random_split

    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(150, 3)), columns=["u", "v", "w"])
    noise = rng.normal(size=150)
    frame["a"] = frame["u"] + noise
    frame["b"] = frame["u"] - noise + 0.1 * rng.normal(size=150)
    frame["c"] = frame["v"] * 2 + 0.1 * rng.normal(size=150)
    frame["d"] = rng.normal(size=150)
    targets = dict.fromkeys("abcd", "number")
    return Table("toy", frame, targets, random_split, "random")


@pytest.fixture(autouse=True)
def few_rounds(monkeypatch):
    import _methods

    monkeypatch.setattr(_methods, "ROUNDS", 60)  # enough for these claims, and quick


def least_squares(task, rows, *, held_out, rounds):
    from sklearn.linear_model import LinearRegression

    model = LinearRegression().fit(rows.x, rows.y)
    return (lambda x: model.predict(x)[:, None]), 1


class Spy:
    """Keeps what it was handed and predicts zeros."""

    def __init__(self):
        self.handed = []

    def fit(self, rows, questions):
        pass

    def predict(self, x, known, wanted):
        self.handed.append((list(x.columns), list(known.columns), wanted))
        return {name: np.zeros(len(x)) for name in wanted}

    def n_bytes(self):
        return None

    def details(self):
        return {}


def test_no_method_is_ever_handed_a_label_that_it_is_to_predict(table):
    from _given_questions import Rows, evaluate

    spy = Spy()
    evaluate(spy, Rows(table, 0))
    assert len(spy.handed) == 6  # none, half, and all others for each of four
    for inputs, known, wanted in spy.handed:
        assert inputs == ["u", "v", "w"]
        assert not set(known) & set(wanted)


def test_levels_give_nothing_one_fixed_half_and_all_others(table):
    from _given_questions import questions

    none, half, *others = questions(table, 1)
    assert (none.given, none.wanted) == ((), tuple("abcd"))
    assert len(half.given) == 2
    assert sorted(half.given + half.wanted) == list("abcd")
    assert (others[0].given, others[0].wanted) == (("b", "c", "d"), ("a",))
    assert len(others) == 4
    assert questions(table, 1) == [none, half, *others]
    assert len({questions(table, seed)[1].given for seed in range(20)}) > 3


def test_a_target_that_is_neither_number_nor_count_is_refused(table):
    from _given_questions import Rows

    with pytest.raises(SystemExit, match="numbers and counts only"):
        Rows(replace(table, targets={"a": "number", "d": "binary"}), 0)


def test_chain_with_nothing_given_is_the_regressor_chain_of_scikit_learn(table, monkeypatch):
    from sklearn.linear_model import LinearRegression
    from sklearn.multioutput import RegressorChain

    import _given_methods
    from _given_questions import Rows

    monkeypatch.setattr(_given_methods, "REFIT_ROWS", 0)  # theirs knows no second fit
    rows = Rows(table, 0)
    ours = _given_methods.Chains(1, least_squares)
    ours.fit(rows, [])
    order = ["abcd".index(name) for name in ours.orders[0]]
    theirs = RegressorChain(LinearRegression(), order=order)
    theirs.fit(rows.x("train").to_numpy(), rows.y("train").to_numpy())
    preds = ours.predict(rows.x("test"), rows.y("test")[[]], tuple("abcd"))
    expected = theirs.predict(rows.x("test").to_numpy())
    np.testing.assert_allclose(np.stack([preds[n] for n in "abcd"], 1), expected, atol=1e-9)


def test_chain_reads_a_given_value_and_fills_a_missing_one_by_its_own_prediction(table):
    from _given_methods import Chains
    from _given_questions import Rows

    rows = Rows(table, 0)
    chain = Chains(1, least_squares)
    chain.fit(rows, [])
    x = rows.x("test")
    first, second = chain.orders[0][:2]
    free = chain.predict(x, rows.y("test")[[]], (first, second))
    absent = chain.predict(x, pd.DataFrame({first: np.nan}, index=x.index), (second,))
    measured = chain.predict(x, rows.y("test")[[first]] + 5.0, (second,))
    np.testing.assert_array_equal(absent[second], free[second])
    assert np.abs(measured[second] - free[second]).max() > 1e-6


def test_random_subsets_hold_the_empty_and_the_fullest_one_in_a_quarter_each():
    from _given_methods import draw_observed

    observed = draw_observed((8000, 6), np.random.default_rng(0), 5)
    sizes = np.bincount(observed.sum(1), minlength=7) / 8000
    assert sizes[0] == pytest.approx(0.25 + 0.5 / 7, abs=0.03)
    assert sizes[5] == pytest.approx(0.25 + 0.5 / 7, abs=0.03)
    assert sizes[2] == pytest.approx(0.5 / 7, abs=0.02)


@pytest.mark.parametrize("method", ["imputer", "hidden-trees", "catboost-anew", "masked-mlp"])
def test_a_given_target_that_shares_noise_lowers_the_error(table, method):
    if method in ("hidden-trees", "catboost-anew"):
        pytest.importorskip("catboost")
    if method == "masked-mlp":
        pytest.importorskip("torch")
    from _given_methods import METHODS
    from _given_questions import Rows, evaluate

    cell = evaluate(METHODS[method](), Rows(table, 0))
    assert set(cell["levels"]["all"]) == set("abcd")
    none, full = (cell["levels"][level]["a"]["error"] for level in ("none", "all"))
    assert full < 0.85 * none


def test_gaps_in_labels_and_given_values_stop_no_method(table):
    pytest.importorskip("catboost")
    pytest.importorskip("torch")
    from _given_methods import METHODS, Chains
    from _given_questions import Rows, evaluate

    frame = table.frame.copy()
    frame.loc[::4, "a"] = np.nan
    frame.loc[1::5, "b"] = np.nan
    frame.loc[2::6, "u"] = np.nan
    frame["kind"] = pd.Series(["p", "q", None] * 50, dtype=object)
    frame["d"] = np.random.default_rng(1).poisson(3.0, 150).astype(float)
    gappy = replace(table, frame=frame, targets=table.targets | {"d": "count"})
    labelled = int(frame.loc[gappy.split(0) == "test", "a"].notna().sum())
    made = [METHODS[name]() for name in ("imputer", "catboost-anew", "masked-mlp", "hidden-trees")]
    for method in (*made, Chains(2)):
        cell = evaluate(method, Rows(gappy, 0))
        assert cell["levels"]["none"]["a"]["n"] == labelled
        assert cell["levels"]["all"]["d"]["error"] < 2


def test_equal_subsets_are_trained_once_and_counted_once(table):
    pytest.importorskip("catboost")
    from _given_methods import Anew
    from _given_questions import Rows, evaluate

    two = replace(
        table,
        frame=table.frame.drop(columns=["c", "d"]),
        targets=dict.fromkeys("ab", "number"),
    )
    cell = evaluate(Anew(), Rows(two, 0))
    assert cell["details"]["models"] == 4  # half is one of the two of "all"
    assert cell["bytes"] > 0


def test_cut_keeps_every_test_row_and_draws_training_rows_by_seed():
    from _given_tables import cut_parts

    parts = np.array(["train"] * 100 + ["validation"] * 30 + ["test"] * 20, dtype=object)
    kept = cut_parts(parts, 40, 0)
    counts = [int((parts[kept] == p).sum()) for p in ("train", "validation", "test")]
    assert counts == [40, 10, 20]
    assert (np.diff(kept) > 0).all()
    assert set(kept) != set(cut_parts(parts, 40, 1))


def make_cell(table, method, seed, errors):
    levels = {
        level: {"a": {"kind": "number", "n": 5, "error": value, "r2": 1 - value**2}}
        for level, value in zip(("none", "half", "all"), errors, strict=True)
    }
    return {
        "table": table, "method": method, "seed": seed, "levels": levels, "bytes": 10,
        "fit_seconds": 1.0, "fit_processor_seconds": 1.0, "predict_seconds": {"none": 0.1},
        "details": {}, "split": "", "note": "", "rows": {"train": 3, "validation": 1, "test": 1},
    }  # fmt: skip


def test_losses_are_printed_first_and_duels_are_paired_over_common_seeds(tmp_path):
    from _cells import CellStore, Study
    from _given_summary import show, summarise

    cells = [
        make_cell("one", "superpose", 0, (0.5, 0.5, 0.5)),
        make_cell("one", "superpose", 1, (0.9, 0.9, 0.9)),  # the rival has no such seed
        make_cell("one", "catboost-anew", 0, (0.6, 0.4, 0.7)),
        make_cell("two", "superpose", 0, (0.5, 0.5, 0.5)),
        make_cell("two", "catboost-anew", 0, (0.4, 0.6, 0.6)),
        {"table": "two", "method": "chain", "seed": 0, "failed": "why"},
    ]
    study = Study(CellStore(tmp_path / "a.cells.jsonl"), ["one", "two"], [0, 1])
    for cell in cells:
        study.store.append(cell)
    summary = summarise(study, ["superpose", "catboost-anew", "chain"])
    duel = summary["duels"]["catboost-anew"]
    assert [duel[v]["ahead"] for v in ("none", "half", "all")] == [1, 1, 2]
    assert [duel[v]["n"] for v in ("none", "half", "all")] == [2, 2, 2]
    assert duel["none"]["ours"] == pytest.approx(0.5)
    text = show(summary)
    assert text.startswith("Losses of superpose against catboost-anew")
    assert "failed cell two/chain/0: why" in text
    assert text.index("two: 0.5000 against 0.4000") < text.index("Nothing given")
    assert "0.6000'" in text  # one seed of two
