"""Steps of time: windows stay where steps are regular, and all that is not is said."""

import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from superpose.data import Config, infer_schema, read_rows
from superpose.data._conversions import warnings_of
from superpose.data._windows import cut_windows, measured
from superpose.errors import ConfigError, DataError

RULE = {"time": "t", "length": 3, "columns": ["x"]}


def cut(times, group=None, ahead=None, **changes):
    """Windows of one column x = 0, 1, 2, ..., and what is said of them."""
    x = np.arange(len(times)) * 1.0
    columns = {"t": times, "x": x, "y": x} | ({} if group is None else {"g": group})
    rule = RULE | changes | ({} if group is None else {"group": "g"})
    target = "y" if ahead is None else {"name": "x", "kind": "forecast"}
    rule |= {} if ahead is None else {"ahead": ahead}
    config = Config.from_arguments(targets=[target], windows=rule)
    found = cut_windows(pa.table(columns), config)
    return found, warnings_of(found)


def ends(found):
    return found["t"].to_pylist()


def steps(found):
    return [[step[0] for step in window] for window in found["window"].to_pylist()]


def test_no_window_and_no_forecast_goes_over_a_gap():
    found, (said,) = cut([0, 1, 2, 3, 10, 11, 12, 13], ahead=2)
    assert steps(found) == [[0, 1, 2], [1, 2, 3], [4, 5, 6], [5, 6, 7]]
    assert found["x"].to_pylist() == [[3, None], [None, None], [7, None], [None, None]]
    assert said == (
        "column 't', row 4: 1 gap between times; the first is 7 steps from 3 to 10; no window and "
        "no forecast goes beyond them, so that 2 windows are left out; to have windows go on, with "
        "missing steps without values, write `gaps: fill` under windows"
    )


def test_filled_gaps_are_steps_without_values_at_which_no_window_ends():
    found, (said,) = cut([0, 1, 2, 4, 5, 6], gaps="fill", ahead=2)
    assert ends(found) == [2, 4, 5, 6]
    assert steps(found) == [[0, 1, 2], [2, None, 3], [None, 3, 4], [3, 4, 5]]
    assert found["x"].to_pylist() == [[None, 3], [4, 5], [5, None], [None, None]]
    assert said.endswith("1 missing step put into the windows without values")


def test_gaps_are_refused_where_that_is_asked():
    table = pa.table({"t": [0, 1, 2, 3, 5, 6, 7], "x": np.arange(7.0), "y": np.arange(7.0),
                      "g": ["a"] * 7})  # fmt: skip
    rule = {**RULE, "group": "g", "gaps": "refuse"}
    expected = (
        "column 't', row 4: 1 gap between times in 1 of 1 recordings; the first is 2 steps from 3 "
        "to 5 of g a; allowed: regular steps, as `gaps: refuse` asks; add the missing rows, or "
        "write `gaps: split` or `gaps: fill` under windows"
    )
    with pytest.raises(DataError, match=re.escape(expected)):
        cut_windows(table, Config.from_arguments(targets="y", windows=rule))
    with pytest.raises(ConfigError, match=r"windows\.gaps"):
        Config.from_arguments(targets="y", windows={**RULE, "gaps": "bridge"})


def test_more_missing_steps_than_rows_are_not_filled():
    expected = "windows.gaps: `fill` given, but 995 steps are missing beside 8 rows"
    with pytest.raises(DataError, match=expected):
        cut([0, 1, 2, 3, 999, 1000, 1001, 1002], gaps="fill")


def test_steps_shorter_than_half_end_a_run_too():
    times = [0.0, 1, 2, 3, 3.2, 4.2, 5.2, 6.2]
    for gaps in ("split", "fill"):
        found, (said,) = cut(times, gaps=gaps)
        assert steps(found) == [[0, 1, 2], [1, 2, 3], [4, 5, 6], [5, 6, 7]]
        assert "1 step shorter than half of the usual between times" in said
        assert "the first is less than half a step from 3 to 3.2" in said


@pytest.mark.parametrize(
    "times",
    [
        np.arange(12),
        np.arange(12) + np.random.default_rng(0).uniform(-0.2, 0.2, 12),
        pd.date_range("2024-01-31", periods=12, freq="ME"),
        pd.date_range("2024-01-01", periods=12, freq="YS"),
        pd.date_range("2024-01-01", periods=12, freq="B"),
        pd.date_range("2024-03-28", periods=12, freq="D", tz="Europe/Berlin"),
        pd.date_range("2024-10-27", periods=12, freq="h", tz="Europe/Berlin"),
        np.array([20240225 + k for k in range(5)] + [20240301 + k for k in range(7)]),
        [f"{k:02d}.12.2024" for k in range(10, 22)],
        [f"2024-10-27 {h:02d}:00{z}" for h, z in
            [(0, "+02:00"), (1, "+02:00"), (2, "+02:00"), (2, "+01:00"), (3, "+01:00")]],
    ],
    ids=["whole", "drifting", "months", "years", "working days", "days", "hours", "20240229",
         "text", "offsets"],
)  # fmt: skip
def test_regular_steps_of_any_calendar_are_regular(times):
    found, said = cut(times)
    assert said == []
    assert found.num_rows == len(times) - 2


def test_every_recording_has_its_own_step_and_another_than_most_is_said():
    times = [*range(6), *range(6), *range(0, 60, 10)]
    found, (said,) = cut(times, group=["a"] * 6 + ["b"] * 6 + ["c"] * 6)
    assert found.num_rows == 12
    assert said == (
        "column 't': 1 of 3 recordings have another step than the others (g c; 10 instead of 1), "
        "but windows count steps; bring all to the same step first"
    )


def test_times_without_a_usual_step_are_said_and_never_filled():
    times = np.cumsum(np.random.default_rng(0).exponential(1, 40))
    found, (said,) = cut(times)
    assert found.num_rows == 38
    assert "column 't': the steps have no usual length; windows take each row for one step" in said
    with pytest.raises(DataError, match="`gaps: fill` given, but the steps have no usual length"):
        cut(times, gaps="fill")


def test_a_table_of_short_runs_only_says_why():
    with pytest.raises(DataError) as caught:
        cut([0, 1, 5, 6, 10, 11], length=3)
    assert "windows.length: 3 given, but no run of regular steps is as long; column 't', row 2: 2 "
    assert "2 gaps between times" in str(caught.value)


def test_gaps_are_said_at_prediction_and_kept_for_the_report_of_a_training():
    table = pa.table({"t": [0, 1, 2, 3, 10, 11, 12, 13], "x": np.arange(8.0), "y": np.arange(8.0)})
    config = Config.from_arguments(targets="y", windows=RULE)
    with pytest.warns(UserWarning, match="1 gap between times"):
        read_rows(table, config)
    rows = read_rows(table, config, quiet=True)
    assert "1 gap between times" in infer_schema(rows, config).warnings[0]


def test_the_same_instant_twice_is_a_fault_on_whatever_clock_it_is_written():
    times = ["2024-10-27 02:00+02:00", "2024-10-27 02:00+01:00", "2024-10-27 03:00+02:00"]
    with pytest.raises(DataError, match="row 2: the same time as row 1"):
        cut(times, length=2)
    found, _ = cut([*times[:2], "2024-10-27 03:00+01:00"], length=2)
    assert found.num_rows == 2


def test_an_hour_that_comes_twice_is_said_to_need_an_offset():
    times = ["2024-10-27 01:00", "2024-10-27 02:00", "2024-10-27 02:00", "2024-10-27 03:00"]
    with pytest.raises(DataError, match=r"row 2: the same time .* offset from UTC if clocks were"):
        cut(times)


def test_new_rows_of_another_step_than_the_training_rows_are_said():
    days = pa.table({"t": np.arange(6) * 24, "x": np.arange(6.0), "y": np.arange(6.0)})
    config = Config.from_arguments(targets="y", windows=RULE)
    learned = measured(config, cut_windows(pa.table({**dict.fromkeys("xy", range(6)),
                                                     "t": range(6)}), config))  # fmt: skip
    assert learned.windows.every == 1
    (said,) = warnings_of(cut_windows(days, learned))
    assert said == (
        "column 't': 1 of 1 recordings have another step than the training rows (24 instead of 1), "
        "but windows count steps; bring all to the same step first"
    )
    assert measured(learned, cut_windows(days, learned)) is learned
    short = cut_windows(days.slice(0, 3).set_column(0, "t", [[0, 1, 4]]), settings_of(2, every=1))
    assert short["t"].to_pylist() == [1]


def settings_of(length, **changes):
    return Config.from_arguments(targets="y", windows={**RULE, "length": length, **changes})
