"""Lifetimes: how they are written, and what is said of forecasts of them."""

import numpy as np
import pyarrow as pa
import pytest

from superpose.columns._lifetimes import (
    as_lifetimes,
    concordance,
    integrated_brier,
    kaplan_meier,
    survival_calibration,
)
from superpose.errors import DataError


def col(values, kind=None):
    return pa.chunked_array([pa.array(values, kind)])


def beside(times, events):
    parts = [pa.array(times), pa.array(events)]
    return pa.chunked_array([pa.StructArray.from_arrays(parts, ["time", "event"])])


@pytest.mark.parametrize(
    "values",
    [
        col([3.0, -2.0, None]),
        col(["3", " 2+ ", ""]),
        beside([3, 2, 1], [True, False, None]),
        beside([3, 2, None], [1, 0, 1]),
        beside(["3", "2", ""], ["Yes", "no", "yes"]),
    ],
)
def test_a_time_is_negative_where_its_event_was_not_seen(values):
    np.testing.assert_array_equal(as_lifetimes("t", values), [3, -2, np.nan])


def test_what_was_not_seen_up_to_time_0_is_missing():
    assert as_lifetimes("t", beside([0.0, 0.0], [1, 0])).tolist()[0] == 0
    assert np.isnan(as_lifetimes("t", beside([0.0, 0.0], [1, 0]))[1])


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (beside([1.0, -2.0], [1, 0]), "column 't', row 1: the time -2 given; allowed: 0 or more"),
        (beside([1.0, 2.0], [1, 2]), "column 't', row 1: its event is '2'; allowed: yes or no"),
        (beside([1.0, 2.0], ["yes", "perhaps"]), "row 1: its event is 'perhaps'"),
        (col(["1", "-2+"]), "row 1: the time -2 given"),
        (col(["1", "soon"]), "row 1: 'soon' is not a number"),
    ],
)
def test_what_is_no_lifetime_is_refused(values, expected):
    with pytest.raises(DataError, match=expected):
        as_lifetimes("t", values)


def test_kaplan_meier_is_that_of_the_textbook():
    # Remission times of the control arm up to 8 weeks, two of them made censored.
    y = np.array([1.0, 1, 2, 2, 3, 4, 4, 5, -5, -6, 8, 8])
    lived = kaplan_meier(y, np.array([0.5, 1, 2, 3, 4, 5, 6, 8]))
    np.testing.assert_allclose(
        lived, [1, 10 / 12, 8 / 12, 7 / 12, 5 / 12, 4 / 12, 4 / 12, 0], atol=1e-12
    )


def test_without_censoring_kaplan_meier_is_the_share_left():
    y = np.random.default_rng(0).exponential(size=200)
    at = np.array([0.2, 1.0, 2.0])
    np.testing.assert_allclose(kaplan_meier(y, at), [(y > t).mean() for t in at], atol=1e-12)


def test_concordance_counts_pairs_that_can_be_compared():
    y = np.array([2.0, -1.0, 3.0, 5.0])  # the second can be compared with nobody
    assert concordance(y, np.array([3.0, 0.0, 2.0, 1.0])) == 1
    assert concordance(y, np.array([1.0, 0.0, 2.0, 3.0])) == 0
    assert concordance(y, np.zeros(4)) == 0.5
    assert np.isnan(concordance(np.array([-1.0, -2.0]), np.zeros(2)))


def drawn(rows=4000, seed=0):
    """Exponential lifetimes with known rates, half of them censored."""
    rng = np.random.default_rng(seed)
    rate = np.exp(rng.normal(size=rows))
    times, free = rng.exponential(1 / rate), rng.exponential(1.0, rows)
    y = np.where(times <= free, times, -free)
    at = np.linspace(0.1, 2, 12)
    return y, np.exp(-rate[:, None] * at), at, times


def test_the_brier_score_is_that_of_the_whole_lifetimes_though_half_are_censored():
    y, lived, at, times = drawn()
    whole = ((lived - (times[:, None] > at)) ** 2).mean(axis=0)
    expected = np.average(whole, weights=np.diff(at, prepend=0.0))
    assert integrated_brier(y, lived, at) == pytest.approx(expected, rel=0.05)
    assert integrated_brier(y, np.full_like(lived, 0.5), at) == pytest.approx(0.25, rel=0.02)


def test_the_truth_is_calibrated_and_a_wrong_scale_is_not():
    y, lived, at, _ = drawn()
    assert survival_calibration(y, lived[:, 6], at[6]) < 0.05
    assert survival_calibration(y, lived[:, 6] ** 3, at[6]) > 0.15
