"""References: one tree model per fold, evaluated on rows that it has not learned from."""

import json

import numpy as np
import pytest

from superpose.data import Codec, Fold
from superpose.evaluation import _references
from superpose.evaluation._references import TreeData, fit_reference
from superpose.models import TreesModel
from superpose.trees import fit_trees


@pytest.fixture(autouse=True)
def short(monkeypatch):
    """Twenty rounds at most: these tests are about folds, not about trees."""
    monkeypatch.setattr(
        _references,
        "fit_trees",
        lambda *a, **k: fit_trees(*a, **{**k, "rounds": k.get("rounds") or 20, "threads": 1}),
    )


@pytest.fixture(scope="module")
def data(make_table, schema):
    table = make_table(rows=150)
    codec = Codec.fit(table, schema, np.arange(150))
    return codec, codec.features(table), codec.labels(table)


def fit(features, kind, labels, folds, seed=0):
    target = kind.column
    return fit_reference(
        TreeData("hist", features, {target: kind}, {target: labels}, folds, seed), target
    )


def oof(fitted):
    """The predictions of its only target."""
    (pred,) = fitted.oof_predictions.values()
    return pred


def folds_of(k, rows=150):
    fold = np.random.default_rng(0).permutation(rows) % k
    return [Fold(np.flatnonzero(fold != f), np.flatnonzero(fold == f)) for f in range(k)]


@pytest.mark.parametrize("target", ["weight", "sick", "calls", "sort", "level", "tags"])
def test_every_kind_gets_canonical_predictions_that_beat_the_baseline(data, target):
    codec, features, labels = data
    kind, y = codec.target_kinds[target], labels[target]
    trees = fit(features, kind, y, folds_of(3))
    assert oof(trees).shape == (150, kind.distribution.n_columns)
    assert np.isfinite(oof(trees)).all()
    floor = np.tile(kind.distribution.baseline(y), (150, 1))
    assert np.nanmean(kind.distribution.row_loss(y, oof(trees))) < np.nanmean(
        kind.distribution.row_loss(y, floor)
    )
    assert trees.model.predict_matrix(features.matrix).shape == (150, kind.distribution.n_columns)


def test_no_model_has_learned_from_the_rows_it_is_evaluated_on(data, monkeypatch):
    codec, features, labels = data
    seen = []
    plain = _references.fit_trees

    def recorded(engine, data, **options):
        if data.stop is not None:  # the model of all rows judges none
            seen.append((set(data.train.tolist()), set(data.stop.tolist())))
        return plain(engine, data, **options)

    monkeypatch.setattr(_references, "fit_trees", recorded)
    folds = folds_of(3)
    fit(features, codec.target_kinds["weight"], labels["weight"], folds)
    for fold, (train, stop) in zip(folds, seen, strict=True):
        assert train <= set(fold.train.tolist())
        assert not train & set(fold.validation.tolist())
        assert stop <= set(fold.validation.tolist())
        assert not np.isnan(labels["weight"][list(train | stop)]).any()


def test_rows_that_no_fold_holds_have_no_prediction(data):
    codec, features, labels = data
    fold = Fold(np.arange(100), np.arange(100, 120))
    trees = fit(features, codec.target_kinds["sick"], labels["sick"], [fold])
    assert np.isfinite(oof(trees)[100:120]).all()
    assert np.isnan(oof(trees)[:100]).all()
    assert np.isnan(oof(trees)[120:]).all()


def test_with_one_fold_the_held_out_rows_are_predicted_again_the_same(data):
    codec, features, labels = data
    fold = Fold(np.arange(100), np.arange(100, 150))
    trees = fit(features, codec.target_kinds["calls"], labels["calls"], [fold])
    np.testing.assert_array_equal(
        trees.model.predict_matrix(features.matrix)[100:], oof(trees)[100:]
    )


def test_a_models_length_is_the_median_of_the_others(data, monkeypatch):
    codec, features, labels = data
    plain, lengths = _references.fit_trees, iter([20, 4, 9, 14, 99])

    def uneven(*args, **options):
        return plain(*args, **options).cut(next(lengths))

    monkeypatch.setattr(_references, "fit_trees", uneven)
    monkeypatch.setattr(  # every fold keeps growing up to the length it is given
        "superpose.trees._hist.np.argmax", lambda scores: len(scores) - 1
    )
    trees = fit(features, codec.target_kinds["weight"], labels["weight"], folds_of(4))
    assert [model.rounds for model in trees.model.folds] == [9, 4, 9, 9]  # a short one stays short
    assert trees.model.whole is not None
    assert trees.model.whole.rounds == 11  # the median of all


def test_a_fold_without_any_label_is_left_out(data):
    codec, features, labels = data
    y = labels["weight"].copy()
    y[50:] = np.nan
    folds = [Fold(np.arange(60, 100), np.arange(10)), Fold(np.arange(10, 60), np.arange(10))]
    trees = fit(features, codec.target_kinds["weight"], y, folds)
    assert len(trees.model.folds) == 1


def test_state_through_json_predicts_the_same(data):
    codec, features, labels = data
    for target in ("weight", "sort", "tags"):
        kind = codec.target_kinds[target]
        trees = fit(features, kind, labels[target], folds_of(2))
        facts, arrays = trees.model.to_state()
        again = TreesModel.from_state(json.loads(json.dumps(facts)), arrays)
        np.testing.assert_array_equal(
            again.predict_matrix(features.matrix), trees.model.predict_matrix(features.matrix)
        )


def test_the_same_seed_gives_the_same_trees(data):
    codec, features, labels = data
    kind = codec.target_kinds["level"]
    one, other = (fit(features, kind, labels["level"], folds_of(2), seed=3) for _ in range(2))
    np.testing.assert_array_equal(oof(one), oof(other))


@pytest.mark.parametrize("target", ["weight", "sick", "calls", "sort", "level", "tags"])
def test_labels_of_one_fold_only_are_predicted_by_a_guess_that_has_not_seen_them(data, target):
    codec, features, labels = data
    folds, kind, y = folds_of(3), codec.target_kinds[target], labels[target].copy()
    y[folds[0].train] = np.nan
    trees = fit(features, kind, y, folds)
    assert len(trees.model.folds) == 2
    guess = kind.distribution.baseline(np.full_like(y, np.nan))
    assert np.isfinite(guess).all()
    np.testing.assert_array_equal(
        oof(trees)[folds[0].validation], np.tile(guess, (len(folds[0].validation), 1))
    )


def test_the_model_of_all_rows_states_the_scale_of_the_folds(data):
    codec, features, labels = data
    kind = codec.target_kinds["weight"]
    trees = fit(features, kind, labels["weight"], folds_of(3))
    assert trees.model.whole is not None
    # In its own rows its errors are smaller, and intervals from them would be too narrow.
    assert trees.model.whole.scale == pytest.approx(np.mean([m.scale for m in trees.model.folds]))
