"""Gaps in a column of times are named; nights, weekends and holidays are none."""

import numpy as np
import pandas as pd
import pytest

from superpose.columns import Times
from superpose.data.split._time_gaps import describe_gaps


def gaps(when, dated=True):
    seconds = np.asarray(when).astype("datetime64[s]").astype(float) if dated else np.asarray(when)
    return describe_gaps("t", Times(seconds, np.full(len(seconds), np.nan), dated=dated))


DAYS = pd.date_range("2024-01-01", periods=400)
HOURS = pd.date_range("2023-01-01", periods=8760, freq="h")
MINUTES = pd.date_range("2023-01-02", periods=14 * 1440, freq="min")


def office(when):
    return when[(when.hour >= 9) & (when.hour < 17) & (when.day_of_week < 5)]


def without(when, start, end):
    return when[(when < start) | (when > end)]


def test_a_gap_is_named_with_its_dates_its_length_and_what_it_means():
    assert gaps(without(DAYS, "2024-03-05", "2024-05-04")) == (
        "column 't': a gap of 62 days from 2024-03-04 to 2024-05-05, where 1 day is usual; parts, "
        "periods and blocks of time are counted by rows, so one may span it; to cut there, name "
        "the part of each row in a column (`by: column`)"
    )


def test_gaps_are_counted_and_the_longest_named_whatever_the_order_of_rows():
    when = without(without(HOURS, "2023-03-01", "2023-03-18"), "2023-09-01", "2023-09-28")
    when = np.random.default_rng(0).permutation(np.repeat(when, 2))
    wanted = "2 gaps, the longest of 27.1 days from 2023-08-31 23:00:00 to 2023-09-28 01:00:00"
    assert wanted in gaps(when)


def test_times_that_are_numbers_have_gaps_too():
    line = np.r_[np.arange(100), np.arange(300, 400)].astype(float)
    assert "a gap of 201 from 99 to 300, where 1 is usual" in gaps(line, dated=False)


@pytest.mark.parametrize(
    "when",
    [
        DAYS,
        HOURS,
        pd.date_range("2000-01-01", periods=40, freq="MS"),
        pd.bdate_range("2020-01-01", periods=600),
        office(HOURS),
        office(HOURS)[:80],  # two weeks, one weekend
        office(MINUTES),
        office(MINUTES)[:960],  # two days, one night
        without(HOURS, "2023-03-01", "2023-03-02"),  # of a year a day is nothing
        DAYS[[0, 1, 2, 3, 4, 300]],  # too few to tell what is usual
    ],
)
def test_what_recurs_and_what_is_short_is_no_gap(when):
    assert gaps(when) is None


def test_irregular_times_have_no_gaps():
    rng = np.random.default_rng(0)
    for _ in range(50):
        line = rng.exponential(1e5, size=rng.integers(9, 2000)).cumsum()
        assert gaps(line, dated=False) is None


def test_rows_without_a_time_take_no_part():
    line = np.r_[np.arange(50.0), np.full(5, np.nan)]
    assert gaps(line, dated=False) is None
    assert gaps(np.full(50, np.nan), dated=False) is None
