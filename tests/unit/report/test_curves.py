"""The numbers behind the plots agree with scikit-learn and are thinned the same way each time."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics

from superpose.report import _curves


@pytest.fixture
def ranked() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    truth = (rng.random(500) < 0.2).astype(float)
    return truth, np.round(0.3 * truth + rng.random(500), 2)  # rounded: ties


def test_roc_area_is_that_of_scikit_learn(ranked):
    x, y, area = _curves.roc_points(*ranked)
    assert area == pytest.approx(metrics.roc_auc_score(*ranked))
    assert (x[0], y[0], x[-1], y[-1]) == (0, 0, 1, 1)


def test_average_precision_is_that_of_scikit_learn(ranked):
    area = _curves.pr_points(*ranked)[2]
    assert area == pytest.approx(metrics.average_precision_score(*ranked))


def test_class_report_is_that_of_scikit_learn():
    rng = np.random.default_rng(1)
    truth, pred = rng.integers(0, 4, 300).astype(float), rng.integers(0, 4, 300).astype(float)
    counts = _curves.confusion_counts(truth, pred, 4)
    assert np.array_equal(counts, metrics.confusion_matrix(truth, pred))
    expected = metrics.precision_recall_fscore_support(truth, pred)
    found = np.array([row[1:] for row in _curves.class_report(counts, list("abcd"))]).T
    assert np.allclose(found, expected)


def test_a_class_never_predicted_has_no_precision():
    row = _curves.class_report(np.array([[3.0, 0.0], [2.0, 0.0]]), ["a", "b"])[1]
    assert np.isnan(row.precision)
    assert row.recall == 0


def test_reliability_keeps_every_row_and_lies_on_the_diagonal_for_true_chances():
    rng = np.random.default_rng(2)
    chance = rng.random(20_000)
    predicted, observed, rows = _curves.reliability((rng.random(20_000) < chance) * 1.0, chance)
    assert rows.sum() == 20_000
    assert np.abs(predicted - observed).max() < 0.04


def test_reliability_of_one_chance_is_one_bin():
    predicted, observed, rows = _curves.reliability(np.array([0.0, 1.0]), np.array([0.3, 0.3]))
    assert (predicted.tolist(), observed.tolist(), rows.tolist()) == ([0.3], [0.5], [2.0])


def test_wilson_interval_holds_the_rate_and_stays_in_bounds():
    low, high = _curves.wilson(np.array([0.0, 0.5, 1.0]), np.array([5.0, 5.0, 5.0]))
    assert (low >= 0).all()
    assert (high <= 1).all()
    assert low[1] < 0.5 < high[1]
    assert high[0] > 0.3


def test_lattice_counts_every_point_once_near_where_it_lies():
    rng = np.random.default_rng(3)
    x, y = rng.normal(100, 40, 5000), rng.normal(80, 30, 5000)
    cx, cy, counts = _curves.lattice(x, y, 8.0)
    assert counts.sum() == 5000
    nearest = np.hypot(x[:, None] - cx, y[:, None] - cy).min(axis=1)
    assert nearest.max() <= 8.0 / np.sqrt(3) + 1e-9


def test_lattice_of_no_points_is_empty():
    assert _curves.lattice(np.zeros(0), np.zeros(0), 8.0)[2].size == 0


def test_an_extreme_value_does_not_stretch_the_axis():
    values = np.append(np.linspace(0, 1, 1000), 1e6)
    room = _curves.span(values)
    assert room.high < 2
    assert room.outside == 1


@pytest.mark.parametrize("values", [[], [np.nan], [3.0, 3.0], [0.0]])
def test_an_axis_has_a_width_whatever_the_values(values):
    room = _curves.span(np.array(values))
    assert room.high > room.low


def test_a_thinned_curve_keeps_its_ends_and_its_corner():
    x = np.linspace(0, 1, 10_000)
    y = np.where(x < 0.5, 0.0, 1.0)
    tx, ty = _curves.thin_curve(x, y, 50)
    assert tx.size <= 53
    assert (tx[0], tx[-1]) == (0, 1)
    assert np.abs(np.interp(0.49, tx, ty)) < 0.05
    assert np.array_equal(tx, _curves.thin_curve(x, y, 50)[0])
