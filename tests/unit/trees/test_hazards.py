"""Boosted trees of hazards: they tell who lives longer, and censored rows teach too."""

import numpy as np
import pyarrow as pa
import pytest

from superpose.data import Features, Fold
from superpose.evaluation._references import TreeData, fit_reference
from superpose.kinds import TARGET_KINDS
from superpose.models import TreesModel


def lifetimes(rows=1200, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 2)).astype(np.float32)
    times, free = rng.exponential(np.exp(-x[:, 0])), rng.exponential(1.5, rows)
    return x, np.where(times <= free, times, -free)


@pytest.fixture(scope="module")
def fitted():
    x, y = lifetimes()
    kind = TARGET_KINDS["survival"].fit("t", pa.chunked_array([y]))
    fold = Fold(np.arange(0, 900), np.arange(900, 1200))
    y = y.astype(np.float32)
    features = Features(x, [False, False], ["a", "b"])
    target = kind.column
    data = TreeData("hist", features, {target: kind}, {target: y}, [fold])
    return kind, y, features, fit_reference(data, target).model


def test_trees_are_near_the_truth_of_lifetimes_they_have_not_seen(fitted):
    kind, _, _, trees = fitted
    x, y = lifetimes(seed=1)
    pred = trees.predict_matrix(x)
    np.testing.assert_allclose(pred.sum(axis=1), 1, atol=1e-9)
    found = kind.metrics(y, pred)
    alive = np.exp(-np.exp(x[:, :1]) * np.array([0, *kind.uppers]))
    truth = np.column_stack([alive[:, :-1] - alive[:, 1:], alive[:, -1]])
    best = kind.metrics(y, truth)
    assert found["concordance"] > best["concordance"] - 0.03
    assert best["log_loss"] < found["log_loss"] < best["log_loss"] + 0.12


def test_the_share_alive_is_that_of_kaplan_and_meier(fitted):
    kind, y, features, trees = fitted
    pred = trees.predict_matrix(features.matrix).mean(axis=0)
    np.testing.assert_allclose(np.cumsum(pred), np.cumsum(kind.distribution.baseline(y)), atol=0.04)


def test_their_state_survives(fitted):
    _, _, features, trees = fitted
    again = TreesModel.from_state(*trees.to_state())
    np.testing.assert_array_equal(
        again.predict_matrix(features.matrix), trees.predict_matrix(features.matrix)
    )
