"""Steps of time: windows stay where steps are regular, and all that is not is said."""

import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from superpose.columns._conversions import warnings_of
from superpose.config import Config
from superpose.data import infer_schema, read_rows
from superpose.data.read._windows import cut_windows, measured
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
    windows = cut_windows(pa.table(columns), config)
    return windows, warnings_of(windows)


def ends(result):
    return result["t"].to_pylist()


def steps(result):
    return [[step[0] for step in window] for window in result["window"].to_pylist()]


def test_no_window_and_no_forecast_goes_over_a_gap():
    windows, (sentence,) = cut([0, 1, 2, 3, 10, 11, 12, 13], ahead=2)
    assert steps(windows) == [[0, 1, 2], [1, 2, 3], [4, 5, 6], [5, 6, 7]]
    assert windows["x"].to_pylist() == [[3, None], [None, None], [7, None], [None, None]]
    assert sentence == (
        "column 't', row 4: 1 gap between times; the first is 7 steps from 3 to 10; no window and "
        "no forecast goes beyond them, so that 2 windows are left out; to have windows go on, with "
        "missing steps without values, write `gaps: fill` under windows"
    )


def test_filled_gaps_are_steps_without_values_at_which_no_window_ends():
    windows, (sentence,) = cut([0, 1, 2, 4, 5, 6], gaps="fill", ahead=2)
    assert ends(windows) == [2, 4, 5, 6]
    assert steps(windows) == [[0, 1, 2], [2, None, 3], [None, 3, 4], [3, 4, 5]]
    assert windows["x"].to_pylist() == [[None, 3], [4, 5], [5, None], [None, None]]
    assert sentence.endswith("1 missing step put into the windows without values")


def test_gaps_are_refused_where_the_settings_say_so():
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
        windows, (sentence,) = cut(times, gaps=gaps)
        assert steps(windows) == [[0, 1, 2], [1, 2, 3], [4, 5, 6], [5, 6, 7]]
        assert "1 step shorter than half of the usual between times" in sentence
        assert "the first is less than half a step from 3 to 3.2" in sentence


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
    windows, sentences = cut(times)
    assert sentences == []
    assert windows.num_rows == len(times) - 2


def test_every_recording_has_its_own_step_and_another_than_most_is_noted():
    times = [*range(6), *range(6), *range(0, 60, 10)]
    windows, (sentence,) = cut(times, group=["a"] * 6 + ["b"] * 6 + ["c"] * 6)
    assert windows.num_rows == 12
    assert sentence == (
        "column 't': 1 of 3 recordings have another step than the others (g c; 10 instead of 1), "
        "but windows count steps; bring all to the same step first"
    )


def test_times_without_a_usual_step_are_noted_and_never_filled():
    times = np.cumsum(np.random.default_rng(0).exponential(1, 40))
    windows, (sentence,) = cut(times)
    assert windows.num_rows == 38
    assert (
        "column 't': the steps have no usual length; windows take each row for one step" in sentence
    )
    with pytest.raises(DataError, match="`gaps: fill` given, but the steps have no usual length"):
        cut(times, gaps="fill")


def test_a_table_of_short_runs_only_says_why():
    with pytest.raises(DataError) as caught:
        cut([0, 1, 5, 6, 10, 11], length=3)
    assert "windows.length: 3 given, but no run of regular steps is as long; column 't', row 2: 2 "
    assert "2 gaps between times" in str(caught.value)


def test_gaps_are_noted_at_prediction_and_kept_for_the_report_of_a_training():
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
    windows, _ = cut([*times[:2], "2024-10-27 03:00+01:00"], length=2)
    assert windows.num_rows == 2


def test_an_hour_that_comes_twice_needs_an_offset():
    times = ["2024-10-27 01:00", "2024-10-27 02:00", "2024-10-27 02:00", "2024-10-27 03:00"]
    with pytest.raises(DataError, match=r"row 2: the same time .* offset from UTC if clocks were"):
        cut(times)


def test_new_rows_of_another_step_than_the_training_rows_are_noted():
    days = pa.table({"t": np.arange(6) * 24, "x": np.arange(6.0), "y": np.arange(6.0)})
    config = Config.from_arguments(targets="y", windows=RULE)
    learned = measured(config, cut_windows(pa.table({**dict.fromkeys("xy", range(6)),
                                                     "t": range(6)}), config))  # fmt: skip
    assert learned.windows.every == 1
    (sentence,) = warnings_of(cut_windows(days, learned))
    assert sentence == (
        "column 't': 1 of 1 recordings have another step than the training rows (24 instead of 1), "
        "but windows count steps; bring all to the same step first"
    )
    assert measured(learned, cut_windows(days, learned)) is learned
    short = cut_windows(days.slice(0, 3).set_column(0, "t", [[0, 1, 4]]), settings_of(2, every=1))
    assert short["t"].to_pylist() == [1]


def settings_of(length, **changes):
    return Config.from_arguments(targets="y", windows={**RULE, "length": length, **changes})


def clocks(freq, spelling=None, zone=None, count=40):
    """Times of one recording, as text where they are spelled."""
    result = pd.date_range("2024-01-15", periods=count, freq=freq, tz=zone)
    return list(result if spelling is None else result.strftime(spelling))


SPELLED = {
    "days": clocks("D"),
    "working days": clocks("B"),
    "hours": clocks("h"),
    "hours of a zone": clocks("h", zone="Europe/Berlin", count=2000),
    "days first": clocks("D", "%d/%m/%Y"),
    "working days, days first": clocks("B", "%d/%m/%Y"),
    "months first": clocks("D", "%m/%d/%y"),
    "days as numbers": [int(day) for day in clocks("D", "%Y%m%d")],
    "working days as numbers": [int(day) for day in clocks("B", "%Y%m%d")],
    "days as digits": clocks("D", "%Y%m%d"),
    "offsets": clocks("h", "%Y-%m-%d %H:%M%z", "Europe/Berlin"),
    "seconds since 1970": [1_700_000_000 + 60 * k for k in range(40)],
    "plain numbers": list(range(20240120, 20240160)),
    "no regular steps": list(np.cumsum([1, 7, 1, 40, 3, 1, 90, 2] * 5)),
    "without some": [
        f"2024-03-{day:02}" for day in (1, 2, 5, 6, 9, 10, 13, 14, 15, 16, 17, 18, 22)
    ],
}


@pytest.mark.parametrize("times", SPELLED.values(), ids=SPELLED)
@pytest.mark.parametrize("length", [2, 3, 5])
def test_a_part_of_a_table_has_the_same_windows_as_the_whole(times, length):
    x = np.arange(len(times)) * 1.0
    whole = pa.table({"t": times * 2, "x": [*x, *-x], "y": [*x, *x], "g": ["a"] * len(x) + ["b"] *
                      len(x)})  # fmt: skip
    config = settings_of(length, group="g")
    first = cut_windows(whole, config)
    learned = measured(config, first)
    cut_anew = cut_windows(whole, learned)
    assert cut_anew.to_pylist() == first.to_pylist()
    if times[0] != "2024-03-01":
        assert warnings_of(cut_anew) == warnings_of(first)
    result = {(row["g"], row["t"]): row["window"] for row in first.to_pylist()}
    for start in range(0, min(len(x), 15) - length):
        for rows in (length, length + 1, length + 2):
            part = whole.slice(start, rows)
            last = part["t"][-1].as_py()
            if ("a", last) not in result:
                continue
            (*_, row) = cut_windows(part, learned).to_pylist()
            assert (row["t"], row["window"]) == (last, result["a", last])


def test_what_the_training_rows_tell_of_time_is_kept():
    def kept(times, **changes):
        x = np.arange(len(times)) * 1.0
        config = settings_of(3, **changes)
        windows = measured(config, cut_windows(pa.table({"t": times, "x": x, "y": x}), config))
        result = windows.windows
        return result.format, result.every, result.weekdays, result.regular

    assert kept(SPELLED["working days, days first"]) == ("%d/%m/%Y", 86400, True, None)
    assert kept(SPELLED["days as numbers"]) == ("%Y%m%d", 86400, False, None)
    assert kept(SPELLED["plain numbers"]) == ("number", 1, None, None)
    assert kept(SPELLED["no regular steps"])[2:] == (None, False)
    # A week without a weekend tells nothing, and what the settings say stays.
    assert kept(SPELLED["working days"][:5]) == (None, 86400, None, None)
    assert kept(SPELLED["days"], weekdays=True, every=5.0)[1:3] == (5, True)


def test_new_rows_that_are_written_otherwise_are_refused():
    config = settings_of(2, format="%d/%m/%Y")
    table = pa.table({"t": ["01/02/2024", "02/13/2024"], "x": [1.0, 2.0], "y": [1.0, 2.0]})
    with pytest.raises(DataError, match=r"'02/13/2024' is not a date as %d/%m/%Y"):
        cut_windows(table, config)
    zones = table.set_column(0, "t", [["01/02/2024 10:00+01:00", "01/02/2024 11:00"]])
    with pytest.raises(DataError, match=r"1 times without an offset from UTC"):
        cut_windows(zones, settings_of(2, format="%d/%m/%Y %H:%M"))
    with pytest.raises(ConfigError, match=r"%q in '%q' is not known.*or write `number`"):
        settings_of(2, format="%q")
