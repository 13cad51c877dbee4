"""Conformity scores, and the labels whose score is at most a quantile."""

import numpy as np
import pytest

from superpose.distributions import Bernoulli, Categorical, Count, Items, Normal, NormalVector


def of(distribution):
    conformity = distribution.conformity
    assert conformity is not None
    return conformity


def test_a_number_is_as_far_as_stated_scales_lie_between():
    pred = np.array([[1.0, 0.5], [0.0, 2.0]])
    assert of(Normal()).score(np.array([2.0, -1.0]), pred).tolist() == [2.0, 0.5]
    assert of(Normal()).region(pred, np.array([2.0, 0.0])).tolist() == [[0.0, 2.0], [0.0, 0.0]]


def test_several_numbers_share_the_quantile_of_their_row():
    pred = np.array([[0.0, 10.0, 1.0, 2.0]])
    region = of(NormalVector(2)).region(pred, np.array([3.0]))
    assert region.tolist() == [[[-3.0, 4.0], [3.0, 16.0]]]
    inside = of(NormalVector(2)).contains(region, np.array([[3.1, np.nan]]))
    assert inside.tolist() == [[False, False]]


def test_a_count_is_as_far_as_pearsons_residual():
    pred = np.array([[4.0], [9.0], [0.0]])
    # One event where none was expected is as far as one deviation of one event.
    assert of(Count(1.0)).score(np.array([2.0, 13.0, 1.0]), pred).tolist() == [1.0, 4 / 3, 1.0]


@pytest.mark.parametrize(
    ("rate", "quantile", "ends"),
    [
        (4.0, 1.0, [2, 6]),  # both ends are counts themselves
        (4.0, 1.2, [2, 6]),  # 1.6 to 6.4
        (1.0, 3.0, [0, 4]),  # nothing below zero
        (2.5, 0.1, [2, 3]),  # no count lies so near: those next to the rate
        (0.02, 0.5, [0, 1]),
        (7.0, 0.0, [7, 7]),
        (0.0, 0.0, [0, 0]),
    ],
)
def test_an_interval_of_counts_ends_at_whole_numbers_and_holds_the_rate(rate, quantile, ends):
    assert of(Count(1.0)).region(np.array([[rate]]), np.array([quantile])).tolist() == [ends]


def test_a_count_at_the_very_end_stays_in_for_any_rate():
    rate = np.random.default_rng(0).gamma(2.0, 30.0, 5000)
    y = np.random.default_rng(1).poisson(rate).astype(float)
    conformity, pred = of(Count(1.0)), rate[:, None]
    assert conformity.contains(conformity.region(pred, conformity.score(y, pred)), y).all()


def test_a_class_is_as_far_as_it_is_improbable():
    pred = np.array([[0.75, 0.25], [0.75, 0.25], [0.5, 0.5]])
    score = of(Bernoulli()).score(np.array([0.0, 1.0, np.nan]), pred)
    assert score[:2].tolist() == [0.25, 0.75]
    assert np.isnan(score[2])


def test_a_set_has_the_likely_classes_and_always_the_likeliest():
    pred = np.array([[0.5, 0.3, 0.2], [0.4, 0.35, 0.25], [np.nan] * 3])
    region = of(Categorical(3)).region(pred, np.array([0.7, 0.1, 1.0]))
    assert region.tolist() == [[True, True, False], [True, False, False], [False] * 3]
    inside = of(Categorical(3)).contains(region, np.array([1.0, 1.0, np.nan]))
    assert inside.tolist() == [True, False, False]


def test_what_has_no_region_says_so():
    assert Items(3).conformity is None
