"""Windows: cut from a long table within recordings, divided so that they stay apart."""

import numpy as np
import pyarrow as pa
import pytest

from superpose.config import Config
from superpose.data import divided, infer_schema, make_split
from superpose.data.read._windows import cut_windows, row_keys
from superpose.errors import ConfigError, DataError

RULE = {"group": "unit", "time": "cycle", "length": 3, "columns": ["a", "b"]}


def settings(**changes):
    rule = {key: value for key, value in {**RULE, **changes}.items() if value is not None}
    return Config.from_arguments(targets="y", windows=rule)


def recordings(lengths=(4, 6), **changes):
    unit = np.repeat(np.arange(len(lengths)), lengths)
    cycle = np.concatenate([np.arange(n) for n in lengths])
    rows = np.arange(len(unit))
    return pa.table(
        {"unit": unit, "cycle": cycle, "a": rows * 1.0, "b": -rows, "y": rows * 10.0, **changes}
    )


def test_a_window_ends_at_its_row_and_stays_in_its_recording():
    cut = cut_windows(recordings(), settings())
    assert cut["cycle"].to_pylist() == [2, 3, 2, 3, 4, 5]
    assert cut["window"][2].as_py() == [[4.0, -4.0], [5.0, -5.0], [6.0, -6.0]]
    assert [w[-1][0] * 10 for w in cut["window"].to_pylist()] == cut["y"].to_pylist()


def test_steps_are_counted_back_from_the_end_of_a_recording():
    cut = cut_windows(recordings(), settings(step=2))
    assert cut["cycle"].to_pylist() == [3, 3, 5]
    assert row_keys(cut, settings()).keys() == {"unit", "cycle"}


def test_rows_of_recordings_may_lie_between_each_other():
    table = recordings((4, 4)).take(pa.array([0, 4, 1, 5, 2, 6, 3, 7]))
    cut = cut_windows(table, settings())
    assert cut["window"][1].as_py() == [[4.0, -4.0], [5.0, -5.0], [6.0, -6.0]]


def test_gaps_of_a_channel_stay_gaps():
    table = recordings((4,), b=pa.array([1, None, 3, 4]))
    assert cut_windows(table, settings())["window"][0].as_py()[1] == [1.0, None]


def test_words_for_missing_numbers_are_gaps():
    table = recordings((4,), b=pa.array(["1", "NA", "3", "4"]))
    assert cut_windows(table, settings())["window"][0].as_py()[1] == [1.0, None]


def test_a_table_without_groups_is_one_recording():
    assert cut_windows(recordings((5,)), settings(group=None)).num_rows == 3


def test_windows_that_are_cut_already_come_back():
    cut = cut_windows(recordings(), settings())
    assert cut_windows(cut, settings()) is cut


@pytest.mark.parametrize(
    ("table", "changes", "expected"),
    [
        (recordings(), {"length": 5},
            ["windows.length: 5 given, but a recording has no more than 4 rows: unit 0"]),
        (recordings((2, 2)), {}, ["2 recordings have no more than 2 rows: unit 0, unit 1"]),
        (recordings((4,), cycle=pa.array([0, 2, 1, 3])), {},
            ["column 'cycle', row 2: an earlier time than row 1 of unit 0",
             "sort the table by 'cycle'"]),
        (recordings((4,), cycle=pa.array([0, 1, 1, 3])), {},
            ["column 'cycle', row 2: the same time as row 1 of unit 0",
             "remove one of the two rows"]),
        (recordings(), {"group": None},
            ["name the column that tells recordings apart as windows.group"]),
        (recordings((4,), cycle=pa.array([0, None, 1, 3])), {}, ["column 'cycle', row 1: no time"]),
        (recordings((4,), a=pa.array(["1", "2", "x", "4"])), {},
            ["windows.columns[0]: column 'a', row 2: 'x' is not a number"]),
        (recordings(), {"columns": ["a", "bb"], "time": "cycl"},
            ["windows.time: column 'cycl' is not in the table", "did you mean 'cycle'?",
             "windows.columns[1]: column 'bb'"]),
        (recordings(), {"name": "y"}, ["windows.name: 'y' is a column of the table"]),
    ],
)  # fmt: skip
def test_what_can_not_be_cut_is_noted(table, changes, expected):
    with pytest.raises(DataError) as caught:
        cut_windows(table, settings(**changes))
    assert [text for text in expected if text not in str(caught.value)] == []


@pytest.mark.parametrize("by", ["random", "stratified"])
def test_rows_of_windows_are_not_drawn_at_random(by):
    with pytest.raises(ConfigError, match=f"{by} given for windows, which overlap"):
        Config.from_arguments(targets="y", windows=RULE, split=by)


def test_windows_are_divided_by_group_and_never_share_a_step():
    table = recordings((8,) * 12)
    config = divided(settings(), table)
    assert (config.split.by, config.split.column) == ("group", "unit")
    cut = cut_windows(table, config)
    split = make_split(cut, config, infer_schema(cut, config))
    steps = [
        {step[0] for row in rows for step in cut["window"][int(row)].as_py()}
        for rows in (split.train, split.validation, split.test)
    ]
    assert all(steps)
    assert not steps[0] & steps[1]
    assert not (steps[0] | steps[1]) & steps[2]


def test_without_a_group_the_latest_windows_are_the_test():
    table = recordings((60,))
    config = divided(settings(group=None), table)
    cut = cut_windows(table, config)
    split = make_split(cut, config, infer_schema(cut, config))
    assert config.split.by == "time"
    assert max(split.train) < min(split.validation) < max(split.validation) < min(split.test)


def test_channels_and_group_are_no_inputs_beside_the_windows():
    cut = cut_windows(recordings((8,) * 4), settings())
    schema = infer_schema(cut, divided(settings(), cut))
    assert {spec.name: spec.kind for spec in schema.inputs} == {
        "cycle": "number",
        "window": "series",
    }
    assert schema.inputs[-1].options == {"channels": ["a", "b"]}


def forecast(ahead, **changes):
    return Config.from_arguments(
        targets=[{"name": "a", "kind": "forecast"}], windows={**RULE, "ahead": ahead, **changes}
    )


def test_forecasts_are_the_next_values_of_the_same_recording():
    cut = cut_windows(recordings(), forecast(2))
    assert cut["a"].to_pylist() == [
        [3.0, None],
        [None, None],
        [7.0, 8.0],
        [8.0, 9.0],
        [9.0, None],
        [None, None],
    ]
    assert cut_windows(recordings(), forecast([1, 3]))["a"][2].as_py() == [7.0, 9.0]


def test_rows_to_foresee_need_no_column_of_the_target():
    rule = {**RULE, "columns": ["b"], "ahead": 1}
    config = Config.from_arguments(targets=[{"name": "a", "kind": "forecast"}], windows=rule)
    assert cut_windows(recordings().drop_columns("a"), config).num_rows == 6


@pytest.mark.parametrize("step", [1, 2, 3])
def test_no_forecast_of_a_part_is_of_a_time_of_the_next(step):
    rule = {**RULE, "group": None, "step": step, "ahead": 5}
    config = Config.from_arguments(
        targets=[{"name": "a", "kind": "forecast"}],
        windows={key: value for key, value in rule.items() if value is not None},
    )
    table = recordings((120,))
    config = divided(config, table)
    cut = cut_windows(table, config)
    split = make_split(cut, config, infer_schema(cut, config))
    when = np.array(cut["cycle"].to_pylist())
    assert max(when[split.train]) + 5 <= min(when[split.validation]) - step
    assert max(when[split.validation]) + 5 <= min(when[split.test]) - step
    assert "look ahead into the next part" in split.warnings[0]


def test_a_forecast_knows_where_its_past_is():
    cut = cut_windows(recordings((9,) * 4), forecast(2))
    (spec,) = infer_schema(cut, divided(forecast(2), cut)).targets
    assert spec.options == {"ahead": [1, 2], "past": "window", "channel": 0}


def test_forecasts_of_windows_say_how_far_they_look():
    with pytest.raises(ConfigError, match=r"windows.ahead: not given beside a target of kind fore"):
        Config.from_arguments(targets=[{"name": "a", "kind": "forecast"}], windows=RULE)
    with pytest.raises(ConfigError, match="given without a target of kind forecast"):
        Config.from_arguments(targets="y", windows={**RULE, "ahead": 3})


def test_windows_are_an_input_that_may_have_options_of_its_own():
    window = {"name": "window", "kind": "series", "augment": {"noise": 0.1}}
    config = Config.from_arguments(targets="y", windows=RULE, inputs=[window])
    (spec,) = infer_schema(cut_windows(recordings(), config), config).inputs
    assert spec.options == {"augment": {"noise": 0.1}, "channels": ["a", "b"]}


def test_the_channels_of_windows_are_named_under_one_key():
    window = {"name": "window", "kind": "series", "channels": ["p", "q"]}
    config = Config.from_arguments(targets="y", windows=RULE, inputs=[window])
    wanted = r"inputs\[0\].channels: given beside windows, whose columns they are; remove it"
    with pytest.raises(DataError, match=wanted):
        infer_schema(cut_windows(recordings(), config), config)
