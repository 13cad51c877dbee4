"""Trees that are told other targets: what they are shown, and what they make of it."""

import numpy as np
import pytest

from superpose.data import Fold
from superpose.evaluation import _references
from superpose.evaluation._given_trees import Revealed, fit_given_trees, hidden_once, random_subsets
from superpose.trees import fit_trees


@pytest.fixture(autouse=True)
def short(monkeypatch):
    """Twenty rounds at most: these tests are about what is told, not about trees."""
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


def test_a_trees_own_target_is_not_among_its_inputs(table, codec):
    labels, kinds = codec.labels(table), codec.target_kinds
    revealed = Revealed.of(kinds, labels)
    inputs = np.zeros((90, 3), np.float32)
    for place, target in enumerate(kinds):
        matrix = revealed.beside(inputs, place)
        changed = Revealed.of(kinds, {**labels, target: labels[target] * np.nan})
        np.testing.assert_array_equal(changed.beside(inputs, place), matrix)
        width = sum(k.revealed for t, k in kinds.items() if t != target)
        assert matrix.shape == (90, 3 + width)
        assert matrix.dtype == np.float32


def test_what_is_not_shown_is_missing(table, codec, half):
    kinds = codec.target_kinds
    revealed = Revealed.of(kinds, codec.labels(table))
    matrix = revealed.beside(np.zeros((90, 3), np.float32), 0, half)
    owners = revealed.owners[revealed.owners != 0]
    for column, owner in zip(matrix[:, 3:].T, owners, strict=True):
        assert np.isnan(column[~half[:, owner]]).all()
    everything = revealed.beside(np.zeros((90, 3), np.float32), 0)
    shown = half[:, owners]
    np.testing.assert_array_equal(matrix[:, 3:][shown], everything[:, 3:][shown])


@pytest.mark.parametrize("target", ["weight", "sick", "calls", "sort", "level", "tags"])
def test_every_kind_has_held_out_answers_for_half_and_for_all(table, codec, folds, half, target):
    kinds, labels, features = codec.target_kinds, codec.labels(table), codec.features(table)
    kind = kinds[target]
    some = fit_given_trees("hist", features, kinds, labels, target, folds, half)
    every = fit_given_trees("hist", features, kinds, labels, target, folds, half, some=False)
    assert some.held_out.shape == (2, 90, kind.width)
    assert every.held_out.shape == (1, 90, kind.width)
    known, y = kind.known(labels[target]), labels[target]
    floor = kind.row_loss(y, np.tile(kind.constant(y), (90, 1)))[known].mean()
    for told in (*some.held_out, *every.held_out):
        assert np.isfinite(told).all()
        if target != "calls":  # seventy counts are too few to beat their mean
            assert kind.row_loss(y, told)[known].mean() < floor


def test_rows_are_judged_by_what_they_were_told_and_no_others_are_judged(table, codec, half):
    kinds, labels, features = codec.target_kinds, codec.labels(table), codec.features(table)
    fold = [Fold(np.arange(60), np.arange(60, 90))]
    trees = fit_given_trees("hist", features, kinds, labels, "weight", fold, half)
    revealed = Revealed.of(kinds, labels)
    for judged, shown in zip(trees.held_out, (hidden_once(half, 0), None), strict=True):
        told = trees.predict(revealed.beside(features.matrix, 0, shown))
        np.testing.assert_allclose(judged[60:], told[60:])
        assert np.isnan(judged[:60]).all()


def test_the_same_seed_gives_the_same_trees(table, codec, folds, half):
    kinds, labels, features = codec.target_kinds, codec.labels(table), codec.features(table)
    one, other = (
        fit_given_trees("hist", features, kinds, labels, "sick", folds, half, seed=3).held_out
        for _ in range(2)
    )
    np.testing.assert_array_equal(one, other)
