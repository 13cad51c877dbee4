"""Small tables that time divides are evaluated on later periods; where not, it is said why."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from superpose.config import Config
from superpose.prepare import prepare


def prepared(when, by="time", **settings):
    rng = np.random.default_rng(0)
    x = rng.normal(size=len(when))
    table = pa.table({"x": x, "y": x + rng.normal(size=len(x)), "when": pa.array(when)})
    config = Config.from_arguments(targets=["y"], split={"by": by, "column": "when"}, **settings)
    return prepare(table, config)


def days(rows):
    return pd.date_range("2024-01-01", periods=rows)


def test_each_period_is_evaluated_by_models_of_all_rows_before_it():
    done = prepared(days(400))
    assert done.plan.description == (
        "3 periods, each by models of all rows before it: 2024-07-12 to 2024-09-01 (52 rows), "
        "2024-09-02 to 2024-10-15 (44 rows), 2024-10-16 to 2024-12-05 (51 rows)"
    )
    assert done.warnings == []
    for fold in done.plan.folds:
        assert fold.train.max() < fold.validation.min()


def test_rows_of_one_moment_are_never_on_two_sides():
    when = np.repeat(days(20), 20)
    for fold in prepared(when).plan.folds:
        assert when[fold.train].max() < when[fold.validation].min()


FOLDS = "instead they are evaluated on {} folds of {} rows, blocks of time kept whole"


@pytest.mark.parametrize(
    ("when", "wanted"),
    [
        (
            days(60),
            "split: only 9 blocks of time (51 rows) are before the test, and 12 are needed to "
            "evaluate models on 3 periods, each later than what they learned from; "
            + FOLDS.format(9, 51)
            + "; give about 100 rows before the test to have periods",
        ),
        (
            np.repeat(pd.date_range("2015-01-01", periods=6, freq="YS"), 60),
            "split: only 5 different times are before the test, and 12 are needed to evaluate "
            "models on 3 periods, each later than what they learned from; "
            + FOLDS.format(10, 300)
            + "; give more different times to have periods",
        ),
        (
            np.r_[np.repeat(days(1), 300), days(112)[1:]],
            "split: most rows are of a few times before the test, and 12 are needed to evaluate "
            "models on 3 periods, each later than what they learned from; "
            + FOLDS.format(10, 349)
            + "; give rows of more times to have periods",
        ),
    ],
)
def test_too_little_time_is_a_warning_with_what_is_done_instead(when, wanted):
    done = prepared(when)
    assert [w for w in done.warnings if w.startswith("split:")] == [wanted]
    assert wanted.split("evaluated on ")[1].split(";")[0] == done.plan.description


@pytest.mark.parametrize("rows", [100, 110, 130])
def test_as_many_rows_as_are_asked_for_are_enough(rows):
    done = prepared(days(round(rows / 0.85) + 1))
    assert done.plan.description.startswith("3 periods")


@pytest.mark.parametrize(
    ("rows", "settings", "wanted"),
    [
        (
            400,
            {"deploy": {"refit": False}},
            "10 folds of 340 rows, blocks of time kept whole; not on 3 later periods: "
            "they need `deploy: {refit: true}`",
        ),
        (
            400,
            {"proof": {"folds": 4, "repeats": 2}},
            "4 folds of 340 rows, dealt 2 times, blocks of time kept whole; "
            "not on 3 later periods: they need `proof: {folds: auto}`",
        ),
        (
            5000,
            {},
            "one validation part, 2033-08-01 to 2035-08-20 (750 rows), each half of which "
            "decides on what the other chose; "
            "not on 3 later periods: they are for up to 4,000 rows before the test, "
            "and here are 4,250",
        ),
    ],
)
def test_what_the_settings_or_the_size_rule_out_is_named(rows, settings, wanted):
    done = prepared(days(rows), **settings)
    assert done.plan.description == wanted
    assert done.warnings == []


def test_rows_that_time_does_not_divide_are_never_told_of_periods():
    done = prepared(np.arange(300) % 30, by="group")
    assert done.plan.description == "10 folds of 250 rows, groups kept whole"
    done = prepared(np.repeat(["train", "validation", "test"], 100), by="column")
    assert done.plan.description == "10 folds of 200 rows"


def test_one_group_before_the_test_makes_no_folds():
    table = pa.table(
        {
            "x": np.arange(300.0),
            "y": np.arange(300) * 7 % 11 * 1.0,
            "part": np.repeat(["train", "validation", "test"], 100),
            "who": np.repeat(["a", "b"], [200, 100]),
        }
    )
    split = {"by": "column", "column": "part", "groups": "who"}
    done = prepare(table, Config.from_arguments(targets=["y"], split=split))
    assert done.plan.description == "one validation part, 100 rows"
    assert any("of one group only, so they choose and nothing decides" in w for w in done.warnings)
