"""Trees that are given other targets: what they are shown, and what they make of it."""

import numpy as np
import pytest

from superpose.data import Fold
from superpose.evaluation import _references
from superpose.evaluation._given_trees import (
    fit_trees_all,
    fit_trees_some,
    hidden_once,
    random_subsets,
)
from superpose.evaluation._references import TreeData
from superpose.models import Observed, Rows
from superpose.trees import fit_trees


@pytest.fixture(autouse=True)
def short(monkeypatch):
    """Twenty rounds at most: these tests are about what is shown, not about trees."""
    monkeypatch.setattr(
        _references,
        "fit_trees",
        lambda *a, **k: fit_trees(*a, **{**k, "rounds": k.get("rounds") or 20, "threads": 1}),
    )


@pytest.fixture
def folds():
    fold = np.random.default_rng(0).permutation(90) % 2
    return [Fold(np.flatnonzero(fold != f), np.flatnonzero(fold == f)) for f in range(2)]


@pytest.fixture
def half():
    return np.random.default_rng(1).random((90, 6)) < 0.5


def test_subsets_of_every_size_up_to_all_others_are_equally_likely():
    shown = random_subsets(np.random.default_rng(0), 40_000, 5)
    sizes = np.bincount(shown.sum(1), minlength=6) / 40_000
    np.testing.assert_allclose(sizes[:5], 0.2, atol=0.01)
    assert sizes[5] == 0
    np.testing.assert_allclose(shown.mean(0), 0.4, atol=0.01)


def test_a_target_is_hidden_from_itself_and_the_others_are_turned_round_with_it(half):
    for place in range(6):
        shown = hidden_once(half, place)
        assert not shown[:, place].any()
        turned = half[:, place]
        np.testing.assert_array_equal(shown[turned], ~half[turned])
        np.testing.assert_array_equal(shown[~turned], half[~turned])


def data_of(table, codec, folds, seed=0):
    features = codec.features(table)
    return TreeData("hist", features, codec.target_kinds, codec.labels(table), folds, seed)


def test_a_trees_own_target_is_not_among_its_inputs(table, codec):
    labels = codec.labels(table)
    kinds = codec.target_kinds
    observed = Observed(kinds, labels)
    inputs = np.zeros((90, 3), np.float32)
    for target in kinds:
        matrix = observed.beside(inputs, target)
        changed = Observed(kinds, {**labels, target: labels[target] * np.nan})
        np.testing.assert_array_equal(changed.beside(inputs, target), matrix)
        width = sum(k.observed.n_columns for t, k in kinds.items() if t != target)
        assert matrix.shape == (90, 3 + width)
        assert matrix.dtype == np.float32


def test_what_is_not_shown_is_missing(table, codec, half):
    kinds = codec.target_kinds
    first = next(iter(kinds))
    observed = Observed(kinds, codec.labels(table))
    matrix = observed.beside(np.zeros((90, 3), np.float32), first, shown=half)
    _, owners = observed.columns
    owners = owners[owners != 0]
    for column, owner in zip(matrix[:, 3:].T, owners, strict=True):
        assert np.isnan(column[~half[:, owner]]).all()
    everything = observed.beside(np.zeros((90, 3), np.float32), first)
    shown = half[:, owners]
    np.testing.assert_array_equal(matrix[:, 3:][shown], everything[:, 3:][shown])


@pytest.mark.parametrize("target", ["weight", "sick", "calls", "sort", "level", "tags"])
def test_every_kind_has_predictions_for_half_and_for_all(table, codec, folds, half, target):
    data = data_of(table, codec, folds)
    kind = data.kinds[target]
    some = fit_trees_some(data, target, half)
    every = fit_trees_all(data, target)
    assert list(some.oof_predictions) == ["half", "all"]
    assert list(every.oof_predictions) == ["all"]
    assert (some.model.name, every.model.name) == ("trees given", "trees all")
    y = data.labels[target]
    known = kind.distribution.known(y)
    baseline = kind.distribution.row_loss(y, np.tile(kind.distribution.baseline(y), (90, 1)))[
        known
    ].mean()
    for pred in (*some.oof_predictions.values(), *every.oof_predictions.values()):
        assert pred.shape == (90, kind.distribution.n_columns)
        assert np.isfinite(pred).all()
        if target != "calls":  # seventy counts are too few to beat their mean
            assert kind.distribution.row_loss(y, pred)[known].mean() < baseline


def test_rows_are_evaluated_by_what_was_shown_and_no_others(table, codec, half):
    data = data_of(table, codec, [Fold(np.arange(60), np.arange(60, 90))])
    trees = fit_trees_some(data, "weight", half)
    observed = Observed(data.kinds, data.labels)
    rows = Rows.of_table(codec, table)
    shown = {"half": hidden_once(half, 0), "all": None}
    for level, evaluated in trees.oof_predictions.items():
        pred = trees.model.predict_beside(rows, observed, shown=shown[level])
        np.testing.assert_allclose(evaluated[60:], pred[60:])
        assert np.isnan(evaluated[:60]).all()


def test_the_same_seed_gives_the_same_trees(table, codec, folds, half):
    data = data_of(table, codec, folds, seed=3)
    one, other = (fit_trees_some(data, "sick", half).oof_predictions for _ in range(2))
    for level, pred in one.items():
        np.testing.assert_array_equal(other[level], pred)
