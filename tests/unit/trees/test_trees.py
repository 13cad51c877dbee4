"""Boosted-tree references: equal to their engines, every class predicted, saved without pickle."""

import json

import numpy as np
import pytest

from superpose.errors import BundleError, ConfigError, TrainingError
from superpose.trees import TreeModel, TreeRows, _boosters, fit_trees
from superpose.trees._boosters import Baseline, Rows
from superpose.trees._forest import Forest
from superpose.trees._hist import FINE, Hist, positions

ENGINES = ("hist", "catboost", "lightgbm")
TASKS = {"regression": 0, "poisson": 0, "classification": 3, "multilabel": 3}


def mixed_table(rows: int = 400, seed: int = 0) -> tuple[np.ndarray, list[bool], np.ndarray]:
    """Features with gaps and two code columns, and a signal that uses them all."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(rows, 6)).astype(np.float32)
    X[:, 1] = rng.integers(0, 12, rows)
    X[:, 4] = rng.integers(0, 3, rows)
    signal = X[:, 0] + np.sin(X[:, 1]) + (X[:, 4] == 2) * X[:, 2]
    X[rng.random(X.shape) < 0.1] = np.nan
    return X, [False, True, False, False, True, False], signal + 0.1 * rng.normal(size=rows)


def labels_for(task: str, signal: np.ndarray) -> np.ndarray:
    if task == "poisson":
        return np.round(np.exp(np.clip(signal, -3, 3)))
    if task == "classification":
        return np.digitize(signal, [-1.0, 1.0]).astype(float)
    if task == "multilabel":
        return np.stack([signal > t for t in (-1.0, 0.0, 1.0)], axis=1).astype(float)
    return (signal - signal.mean()) / signal.std()


def deviance(y: np.ndarray, rate: np.ndarray) -> float:
    return float(np.mean(rate - y * np.log(rate)))


def split(rows: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    order = np.random.default_rng(7).permutation(rows)
    return order[: rows // 2], order[rows // 2 : rows * 3 // 4], order[rows * 3 // 4 :]


def quick_fit(
    engine: str, task: str, **options: object
) -> tuple[TreeModel, np.ndarray, np.ndarray]:
    X, categorical, signal = mixed_table()
    y = labels_for(task, signal)
    train, stop, _ = split(len(X))
    settings = {"tree_task": task, "n_classes": TASKS[task], "threads": 1, "rounds": 20}
    return fit_trees(engine, TreeRows(X, y, categorical, train, stop), **(settings | options)), X, y


@pytest.mark.parametrize("link", ["identity", "exp", "logistic", "softmax"])
@pytest.mark.parametrize("rounds", [0, 1, 40])
def test_our_traversal_equals_scikit_learns(link: str, rounds: int) -> None:
    X, categorical, signal = mixed_table()
    task = {"identity": "regression", "exp": "poisson"}.get(link, "classification")
    y = labels_for(task, signal)
    if link == "logistic":
        y = np.minimum(y, 1)
    train, stop, test = split(len(X))
    rows = Rows(
        X[train], y[train], X[stop], y[stop], categorical, link,
        classes={"logistic": 2, "softmax": 3}.get(link, 0), rounds=40, seed=0, threads=1,
    )  # fmt: skip
    codes = [np.unique(X[train, c][~np.isnan(X[train, c])]) for c in range(6)]
    levels = [
        code if is_code else np.zeros(0) for code, is_code in zip(codes, categorical, strict=True)
    ]
    model, _ = Hist.fit_sklearn(rows, FINE, columns=np.arange(6), levels=levels, bins=255)
    model._predictors = model._predictors[:rounds]
    forest = Forest.from_sklearn(model, levels=levels, columns=np.arange(6), rounds=rounds)
    unseen = X[test].copy()
    unseen[::3, 1], unseen[1::3, 0] = 99, -np.inf
    expected = model._raw_predict(positions(unseen, levels))
    np.testing.assert_allclose(forest.predict(unseen), expected, rtol=0, atol=1e-9)


def test_infinite_thresholds_from_missing_values_send_rows_as_scikit_learn_does() -> None:
    X = np.where(np.arange(200) % 2, np.nan, np.arange(200)).astype(np.float32)[:, None]
    y = np.isnan(X[:, 0]).astype(float)
    rows = Rows(X, y, None, None, [False], "identity", 0, rounds=3, seed=0, threads=1)
    model, _ = Hist.fit_sklearn(rows, FINE, columns=np.arange(1), levels=[np.zeros(0)], bins=255)
    forest = Forest.from_sklearn(model, levels=[np.zeros(0)], columns=np.arange(1), rounds=3)
    X[0] = np.inf
    np.testing.assert_allclose(forest.predict(X)[:, 0], model.predict(X), rtol=0, atol=1e-9)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("task", TASKS)
def test_a_saved_model_predicts_the_same_after_json_and_back(engine: str, task: str) -> None:
    model, X, _ = quick_fit(engine, task)
    state, arrays = model.state()
    again = TreeModel.from_state(
        json.loads(json.dumps(state)), {k: v.copy() for k, v in arrays.items()}
    )
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    assert again.rounds == model.rounds


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("task", TASKS)
def test_predictions_beat_the_baseline_and_have_the_canonical_shape(engine: str, task: str) -> None:
    model, X, y = quick_fit(engine, task, rounds=200)
    test = split(len(X))[2]
    found = model.predict(X[test])
    if task == "regression":
        assert found.shape == (len(test), 2)
        assert np.ptp(found[:, 1]) == 0
        assert 0 < found[0, 1] < 1
        assert np.mean((found[:, 0] - y[test]) ** 2) < 0.7 * np.var(y[test])
    elif task == "poisson":
        assert found.shape == (len(test), 1)
        assert (found > 0).all()
        assert deviance(y[test], found[:, 0]) < deviance(y[test], np.full(100, y.mean())) - 0.1
    elif task == "classification":
        np.testing.assert_allclose(found.sum(axis=1), 1)
        truth = y[test].astype(int)
        shares = np.bincount(truth) / len(truth)
        assert (
            np.log(found[np.arange(len(test)), truth]).mean() > np.log(shares[truth]).mean() + 0.1
        )
    else:
        assert found.shape == (len(test), 3)
        assert np.mean((found > 0.5) == y[test]) > 0.7


@pytest.mark.parametrize("engine", ENGINES)
def test_a_class_absent_in_training_still_has_a_column(engine: str) -> None:
    X, categorical, signal = mixed_table()
    y = labels_for("classification", signal)
    train, stop, _ = split(len(X))
    train = train[y[train] != 1]
    model = fit_trees(
        engine, TreeRows(X, y, categorical, train, stop),
        tree_task="classification", n_classes=3, threads=1, rounds=10,
    )  # fmt: skip
    found = model.predict(X)
    assert found.shape == (len(X), 3)
    np.testing.assert_allclose(found.sum(axis=1), 1)
    assert (found[:, 1] > 0).all()
    assert found[:, 1].max() < 0.02


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("task", ["classification", "multilabel"])
def test_one_class_in_training_gives_the_baseline(engine: str, task: str) -> None:
    X, categorical, _ = mixed_table(60)
    y = np.ones(60) if task == "classification" else np.ones((60, 2))
    model = fit_trees(
        engine,
        TreeRows(X, y, categorical, np.arange(40), np.arange(40, 60)),
        tree_task=task,
        n_classes=2,
    )
    found = model.predict(X)
    assert np.ptp(found, axis=0).max() == 0
    assert 0.9 < found[0, 1] < 1
    assert model.rounds == 0


@pytest.mark.parametrize("engine", ENGINES)
def test_counts_of_thousands_are_learned_as_well_as_small_ones(engine: str) -> None:
    rng = np.random.default_rng(0)
    X = rng.random((400, 2)).astype(np.float32)
    rate = 4000 * np.exp(X[:, 0])
    data = TreeRows(X, rng.poisson(rate), [False, False], np.arange(300), np.arange(300, 400))
    model = fit_trees(engine, data, tree_task="poisson")
    assert np.abs(model.predict(X)[:, 0] / rate - 1).mean() < 0.1
    again = TreeModel.from_state(*model.state())
    assert np.array_equal(again.predict(X), model.predict(X))


def test_counts_that_are_all_zero_never_give_a_rate_of_zero() -> None:
    X, categorical, _ = mixed_table(60)
    model = fit_trees(
        "hist", TreeRows(X, np.zeros(60), categorical, np.arange(60)), tree_task="poisson"
    )
    assert 0 < model.predict(X)[0, 0] < 0.1


@pytest.mark.parametrize("engine", ENGINES)
def test_rows_without_a_label_change_nothing(engine: str) -> None:
    X, categorical, signal = mixed_table()
    y = labels_for("regression", signal)
    train, stop, test = split(len(X))
    y[train[::3]] = np.nan
    y[stop[::4]] = np.nan

    def fit(t: np.ndarray, s: np.ndarray) -> TreeModel:
        return fit_trees(
            engine, TreeRows(X, y, categorical, t, s), tree_task="regression", threads=1, rounds=15
        )

    with_gaps, without = fit(train, stop), fit(train[~np.isnan(y[train])], stop[~np.isnan(y[stop])])
    np.testing.assert_array_equal(with_gaps.predict(X[test]), without.predict(X[test]))


def test_labels_of_one_multilabel_target_may_be_missing_one_by_one() -> None:
    X, categorical, signal = mixed_table()
    y = labels_for("multilabel", signal)
    y[::2, 0] = np.nan
    model = fit_trees(
        "hist", TreeRows(X, y, categorical, np.arange(300), np.arange(300, 400)),
        tree_task="multilabel", n_classes=3, threads=1, rounds=15,
    )  # fmt: skip
    assert np.isfinite(model.predict(X)).all()


@pytest.mark.parametrize("engine", ENGINES)
def test_infinite_values_are_missing_values(engine: str) -> None:
    X, categorical, signal = mixed_table()
    X[np.isnan(X[:, 0]), 0] = np.inf
    X[np.isnan(X[:, 2]), 2] = -np.inf
    gaps = np.where(np.isinf(X), np.nan, X)

    def fit(features: np.ndarray) -> np.ndarray:
        model = fit_trees(
            engine, TreeRows(features, signal, categorical, np.arange(300), np.arange(300, 400)),
            tree_task="regression", threads=1, rounds=10,
        )  # fmt: skip
        return model.predict(features)

    np.testing.assert_array_equal(fit(X), fit(gaps))


def test_the_same_seed_gives_the_same_trees() -> None:
    first, X, _ = quick_fit("hist", "classification", seed=3)
    second, _, _ = quick_fit("hist", "classification", seed=3)
    np.testing.assert_array_equal(first.predict(X), second.predict(X))


def test_stopping_rows_keep_a_model_from_learning_noise() -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(300, 5)).astype(np.float32), rng.normal(size=300)
    model = fit_trees(
        "hist",
        TreeRows(X, y, [False] * 5, np.arange(200), np.arange(200, 300)),
        tree_task="regression",
        threads=1,
    )
    assert model.rounds < 25
    assert 0.7 < model.scale < 1.3


def test_without_stopping_rows_the_length_is_what_was_requested() -> None:
    X, categorical, signal = mixed_table()
    for engine in ENGINES:
        model = fit_trees(
            engine,
            TreeRows(X, signal, categorical, np.arange(400)),
            tree_task="regression",
            threads=1,
            rounds=12,
        )
        assert model.rounds == 12


@pytest.mark.parametrize("engine", ["hist", "lightgbm"])
@pytest.mark.parametrize("task", TASKS)
def test_a_model_that_is_cut_equals_one_fitted_shorter(engine: str, task: str) -> None:
    X, categorical, signal = mixed_table()

    def fit(rounds: int) -> TreeModel:
        return fit_trees(
            engine, TreeRows(X, labels_for(task, signal), categorical, np.arange(400)),
            tree_task=task, n_classes=TASKS[task], rounds=rounds,
        )  # fmt: skip

    cut, short = fit(12).cut(5), fit(5)
    assert cut.rounds == 5
    # The scale of a number is not made anew: it was measured on the longer model.
    width = 1 if task == "regression" else None
    np.testing.assert_allclose(cut.predict(X)[:, :width], short.predict(X)[:, :width], atol=1e-12)
    again = TreeModel.from_state(*cut.state())
    np.testing.assert_array_equal(again.predict(X), cut.predict(X))
    assert fit(5).cut(50).rounds == 5


def test_more_codes_than_a_byte_holds_are_cut_to_the_frequent_ones() -> None:
    rng = np.random.default_rng(0)
    X = rng.zipf(1.3, size=(3000, 1)).clip(max=2000).astype(np.float32)
    y = (X[:, 0] == 2).astype(float)
    model = fit_trees(
        "hist", TreeRows(X, y, [True], np.arange(2000), np.arange(2000, 3000)),
        tree_task="classification", n_classes=2, threads=1, rounds=40,
    )  # fmt: skip
    assert np.mean(model.predict(X).argmax(axis=1) == y) == 1


@pytest.mark.parametrize("rows", [1, 2, 9])
@pytest.mark.parametrize("engine", ENGINES)
def test_a_handful_of_rows_still_gives_a_finite_model(engine: str, rows: int) -> None:
    X, categorical, signal = mixed_table(20)
    model = fit_trees(
        engine, TreeRows(X, signal, categorical, np.arange(rows), np.arange(rows, 20)),
        tree_task="regression", threads=1, rounds=10,
    )  # fmt: skip
    assert np.isfinite(model.predict(X)).all()


def test_a_table_of_constant_and_empty_columns_gives_a_finite_model() -> None:
    X = np.full((50, 3), np.nan, dtype=np.float32)
    X[:, 0] = 1
    model = fit_trees(
        "hist",
        TreeRows(X, np.arange(50.0), [False, False, True], np.arange(30), np.arange(30, 50)),
        tree_task="regression",
        threads=1,
    )
    assert np.isfinite(model.predict(X)).all()


def test_one_row_predicts_as_in_any_batch() -> None:
    model, X, _ = quick_fit("hist", "classification")
    whole = model.predict(np.tile(X, (4, 1)))[: len(X)]
    alone = np.concatenate([model.predict(X[i : i + 1]) for i in range(20)])
    np.testing.assert_allclose(alone, whole[:20], rtol=0, atol=1e-12)
    assert model.predict(X[:0]).shape == (0, 3)


def test_an_unknown_engine_is_refused() -> None:
    with pytest.raises(ConfigError, match="'xgboost' given; allowed: hist, catboost"):
        fit_trees(
            "xgboost",
            TreeRows(np.zeros((9, 1)), np.zeros(9), [False], np.arange(9)),
            tree_task="poisson",
        )


def test_a_target_without_a_label_is_refused() -> None:
    with pytest.raises(TrainingError, match="no training row has a label"):
        fit_trees(
            "hist",
            TreeRows(np.zeros((9, 1)), np.full(9, np.nan), [False], np.arange(9)),
            tree_task="regression",
        )


def test_damaged_arrays_are_refused() -> None:
    state, arrays = quick_fit("hist", "regression")[0].state()
    with pytest.raises(BundleError, match="tree model: threshold missing; the bundle is damaged"):
        TreeModel.from_state(state, {k: v for k, v in arrays.items() if k != "0.threshold"})
    looping = arrays | {"0.right": np.zeros_like(arrays["0.right"])}
    with pytest.raises(BundleError, match="its nodes do not form trees"):
        TreeModel.from_state(state, looping)
    with pytest.raises(BundleError, match="'newboost'"):
        TreeModel.from_state(state | {"parts": [{"engine": "newboost"}]}, arrays)
    for engine in ("catboost", "lightgbm"):
        bad = {"engine": engine, "categorical": [], "link": "identity", "rounds": 1}
        with pytest.raises(BundleError, match=f"{engine} can't read it"):
            TreeModel.from_state(state | {"parts": [bad]}, {"0.model": np.zeros(9, np.uint8)})


def test_a_baseline_keeps_its_values() -> None:
    model = Baseline(np.array([0.2, 0.8]))
    again = Baseline.from_state(*model.state())
    np.testing.assert_array_equal(again.predict(np.zeros((2, 1))), [[0.2, 0.8]] * 2)


def test_models_that_read_the_same_rows_in_turn_predict_as_on_copies_of_them() -> None:
    pytest.importorskip("catboost")
    X, categorical, signal = mixed_table()
    rows = np.arange(len(X))
    models = [
        fit_trees("catboost", TreeRows(X, signal, categorical, rows, None), tree_task="regression",
                  n_classes=0, seed=seed, rounds=10)
        for seed in (0, 1)
    ]  # fmt: skip
    first, other = X[:50].copy(), X[50:100].copy()
    for requested in (first, other, first):
        for model in models:
            np.testing.assert_array_equal(model.predict(requested), model.predict(requested.copy()))


def test_boosting_ends_where_an_input_settles_the_class() -> None:
    pytest.importorskip("catboost")
    rng = np.random.default_rng(0)
    y = (np.arange(1200) % 3).astype(float)
    X = np.column_stack([y, rng.normal(size=(1200, 4))])
    rows = TreeRows(X, y, [False] * 5, train=np.arange(800), stop=np.arange(800, 1200))
    model = fit_trees("catboost", rows, tree_task="classification", n_classes=3, seed=0)
    assert model.rounds < 500  # of 2000: its loss falls for ever
    assert model.predict(X)[np.arange(1200), y.astype(int)].min() > 0.95


def test_what_catboost_keeps_of_rows_goes_with_them() -> None:
    pytest.importorskip("catboost")
    X = np.ones((3, 2), dtype=np.float32)
    assert _boosters._pool(X, [False, False]) is _boosters._pool(X, [False, False])
    assert _boosters._pool(X, [True, False]) is not _boosters._pool(X, [False, False])
    del X
    assert _boosters._last is None


def steps_ahead() -> tuple[np.ndarray, np.ndarray]:
    """Three steps of which the second follows another column, with gaps."""
    X, _, _ = mixed_table()
    X = np.nan_to_num(X[:, [0, 2]])
    y = np.stack([X[:, 0], X[:, 1], 2 * X[:, 0]], axis=1) + 0.05
    y[::7, 1] = np.nan
    return X, y


def test_each_step_ahead_has_trees_and_errors_of_its_own() -> None:
    X, y = steps_ahead()
    rows = np.arange(len(X))
    model = fit_trees("hist", TreeRows(X, y, [False] * 2, rows[::2], rows[1::2]), tree_task="steps")
    pred = model.predict(X)
    assert pred.shape == (len(X), 6)
    error = np.nanstd(pred[:, :3] - y, axis=0)
    assert (error < 0.35 * np.nanstd(y, axis=0)).all()
    assert pred[0, 3:].tolist() == model.scales
    one = fit_trees(
        "hist", TreeRows(X, y[:, 1], [False] * 2, rows[::2], rows[1::2]), tree_task="regression"
    )
    np.testing.assert_array_equal(pred[:, 1], one.predict(X)[:, 0])
    assert model.scales[1] == one.scale
    again = TreeModel.from_state(*kept(model))
    np.testing.assert_array_equal(again.predict(X), pred)


def test_a_step_that_no_row_knows_is_predicted_by_the_mean_of_the_others() -> None:
    X, y = steps_ahead()
    y[:, 1] = np.nan
    rows = np.arange(len(X))
    model = fit_trees("hist", TreeRows(X, y, [False] * 2, rows), tree_task="steps", rounds=3)
    np.testing.assert_allclose(model.predict(X)[:, 1], np.nanmean(y))
    assert model.scales[1] == pytest.approx(np.nanstd(y))


def test_a_model_can_take_the_errors_of_others() -> None:
    X, y = steps_ahead()
    rows = np.arange(len(X))
    parts = [
        fit_trees(
            "hist", TreeRows(X, y, [False] * 2, rows[n::2]), tree_task="steps", rounds=5 + 5 * n
        )
        for n in (0, 1)
    ]
    pred = parts[0].with_errors_of(parts)
    np.testing.assert_allclose(pred.scales, (np.array([p.scales for p in parts])).mean(axis=0))


def kept(model: TreeModel) -> tuple[dict, dict]:
    """A model's state as it comes back from a file."""
    state, arrays = model.state()
    return json.loads(json.dumps(state)), arrays
