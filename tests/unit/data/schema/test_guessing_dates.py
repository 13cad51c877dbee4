"""Dates among columns: what is taken for them, what is said of it, and what is a fault."""

from datetime import date, datetime, time, timedelta

import numpy as np
import pyarrow as pa
import pytest

from superpose.config import Config
from superpose.data import Codec, infer_schema, read_table
from superpose.data.schema._guessing import guess_input, guess_target
from superpose.data.schema._guessing_dates import dates_in, declared_dates
from superpose.errors import DataError

DAYS = [int(f"{date(2024, 1, 1) + timedelta(days=k):%Y%m%d}") for k in range(40)]
SECONDS = [1_700_000_000 + 3601 * k for k in range(40)]


def guess(name, values):
    return guess_input(name, pa.chunked_array([values]))


@pytest.mark.parametrize(
    ("name", "values", "kind", "options"),
    [
        ("x", DAYS, "date", {"format": "%Y%m%d"}),
        ("x", [*map(float, DAYS), None], "date", {"format": "%Y%m%d"}),
        ("x", [str(day) for day in DAYS], "date", {"format": "%Y%m%d"}),
        ("x", [20240131, 20240201, 20240202] * 9, "number", {}),
        ("start_date", [20240131, 20240201, 20240202] * 9, "date", {"format": "%Y%m%d"}),
        ("x", [*DAYS, 20240132], "number", {}),
        ("eventTime", SECONDS, "date", {"format": "epoch s", "zone": "UTC"}),
        ("ts", [s * 10**3 for s in SECONDS], "date", {"format": "epoch ms", "zone": "UTC"}),
        ("timestamp", [str(s * 10**9) for s in SECONDS], "date",
            {"format": "epoch ns", "zone": "UTC"}),
        ("bytes", [s + k % 3 for k, s in enumerate(SECONDS[::-1])] * 2, "number", {}),
        ("x", ["13:45", "00:10"], "date", {"format": "%H:%M"}),
        ("x", [time(13, 45), time(0, 10)], "date", {}),
        ("x", ["2024-01-01 10:00+01:00", "2024-01-02 10:00+01:00"], "date", {"zone": "+01:00"}),
    ],
)  # fmt: skip
def test_dates_are_guessed_by_stated_rules(name, values, kind, options):
    guessed = guess(name, values)
    assert (guessed.kind, guessed.options) == (kind, options)


def test_every_cut_of_a_column_gives_the_same_kind():
    rng = np.random.default_rng(0)
    columns = {
        "x": DAYS,
        "time": SECONDS,
        "day": [f"{date(2024, 1, 1) + timedelta(days=k):%d/%m/%Y}" for k in range(40)],
        "clock": [f"{k % 24:02d}:{k:02d}" for k in range(40)],
    }
    for name, values in columns.items():
        cuts = [rng.choice(values, 25).tolist() for _ in range(20)]
        assert sum(guess(name, cut).kind == "date" for cut in cuts) >= 19


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (DAYS, "40 values such as 20240101 read as 2024-01-01 (%Y%m%d); to keep the "
            "numbers, declare `kind: number`"),
        (SECONDS, "40 values such as 1700000000 read as 2023-11-14 "
            "22:13:20 UTC (epoch s); to keep the numbers, declare `kind: number`"),
        (["01/02/2024", "31/12/2024"], "2 values such as '01/02/2024' read as "
            '2024-02-01 (%d/%m/%Y); if that is wrong, write `format: "%m/%d/%Y"`'),
        (["31-Jan-20"] * 2 + ["01-Feb-20"], "3 values such as '31-Jan-20' read as "
            "2020-01-31 (%d-%b-%y); years from 69 are of the 1900s, below of the 2000s; write"),
        (["2024-01-01 10:00+01:00", "2024-07-01 10:00+02:00"], "times with several "
            "offsets from UTC (+01:00, +02:00); hour and weekday are read as written; to read all "
            "on the clock of one zone, write `zone:`"),
    ],
)  # fmt: skip
def test_what_is_read_otherwise_than_written_is_noted(values, expected):
    (sentence,) = guess("date", values).conversions
    assert expected in sentence


@pytest.mark.parametrize("values", [["2024-01-01", "2024-01-02"], ["31 Jan 2024", "1 Feb 2024"]])
def test_of_what_reads_one_way_only_nothing_is_noted(values):
    assert guess("date", values).conversions == ()


def test_slips_among_dates_are_named_and_count_as_missing():
    values = ["2024-01-01"] * 30 + ["soon", "2024-13-01", "2024-02-01"]
    guessed = guess("date", values)
    assert guessed.kind == "date"
    assert guessed.missing == ("soon", "2024-13-01")
    expected = "2 values are no dates and count as missing: 'soon', '2024-13-01' (first in row 30)"
    assert guessed.warning == expected
    assert guess("date", [*values, *map(str, range(30))]).kind != "date"


def test_an_order_that_values_leave_open_is_a_fault_of_the_column():
    table = pa.table({"day": ["01/02/2020", "03/04/2020"] * 3, "y": [1.5, 2.0, 3.5] * 2})
    with pytest.raises(
        DataError, match=r"inputs: column 'day': .* every value reads both ways; de"
    ):
        infer_schema(table, Config.from_arguments(targets="y"))
    day = {"name": "day", "format": "%d/%m/%Y"}
    schema = infer_schema(table, Config.from_arguments(targets="y", inputs=[day]))
    assert (schema.inputs[0].kind, schema.conversions) == ("date", [])


def test_numbers_to_predict_stay_numbers_and_dates_can_not_be_predicted():
    assert guess_target(pa.chunked_array([DAYS])).kind == "number"
    assert guess_target(pa.chunked_array([[str(day) for day in DAYS]])).kind == "number"
    assert guess_target(pa.chunked_array([["10:00", "11:00"]])).reason == "times of day"


def test_what_is_declared_is_decided_from_all_rows():
    table = pa.table({"day": ["01/02/2020"] * 5 + ["31/01/2020"], "y": [0.5, 1, 2, 3, 4, 5]})
    inputs = [{"name": "day", "kind": "date"}]
    schema = infer_schema(table, Config.from_arguments(targets="y", inputs=inputs))
    assert schema.inputs[0].options == {"format": "%d/%m/%Y"}
    assert "6 values such as '01/02/2020' read as 2020-02-01 (%d/%m/%Y)" in schema.conversions[0]
    options, sentences = declared_dates("day", pa.chunked_array([DAYS]), {"format": "%Y%m%d"})
    assert (options, sentences) == ({"format": "%Y%m%d"}, ())


def test_values_that_do_not_fit_a_declared_format_are_named_with_their_row():
    table = pa.table({"day": ["01/02/2020", "x"] * 3, "y": [0.5, 1, 2, 3, 4, 5]})
    inputs = [{"name": "day", "kind": "date", "format": "%d/%m/%Y"}]
    expected = r"inputs\[0\]: column 'day', row 1: 'x' is not a date as %d/%m/%Y, and so 2 other"
    with pytest.raises(DataError, match=expected):
        infer_schema(table, Config.from_arguments(targets="y", inputs=inputs))


@pytest.mark.parametrize("clock", [["10:00", "11:30", "12:00"], [time(10), time(11), time(12)]])
@pytest.mark.parametrize(
    "day", [[date(2024, 1, k) for k in (1, 2, 3)], ["31.12.2023", "1.1.2024", "2.1.2024"]]
)
def test_a_date_beside_a_time_of_day_is_noted(day, clock):
    table = pa.table({"day": day, "clock": clock, "y": [0.5, 1, 2]})
    schema = infer_schema(table, Config.from_arguments(targets="y"))
    assert schema.warnings == [
        "column 'clock': a time of day beside the date 'day'; they are read as two columns; if "
        "they belong together, write under inputs: {name: day, kind: date, clock: clock}"
    ]
    whole = table.set_column(0, "day", [[datetime(2024, 1, 1, 5)] * 3])
    assert infer_schema(whole, Config.from_arguments(targets="y", inputs=["day", "clock"]))


def test_columns_of_other_things_are_no_dates():
    for values in (["a", "b"], [1.5, 2.5], [True, False], [[1], [2]], ["1.2.3.4", "5.6.7.8"]):
        assert dates_in("time", pa.chunked_array([values])) is None


def test_a_date_and_its_time_of_day_are_joined_where_the_settings_say_so(tmp_path):
    path = tmp_path / "t.csv"
    rows = [f"{1 + i % 28:02d}/01/2020,{i % 24:02d}:30,{i % 5 + 0.5}" for i in range(60)]
    path.write_text("\n".join(["day,hour,y", *rows, "29/01/2020,,1.5"]) + "\n")
    table = read_table(path)
    (warning,) = infer_schema(table, Config.from_arguments(targets="y")).warnings
    assert "write under inputs: {name: day, kind: date, clock: hour}" in warning
    one = [{"name": "day", "kind": "date", "clock": "hour"}]
    schema = infer_schema(table, Config.from_arguments(targets="y", inputs=one))
    assert schema.ignored["hour"] == "the time of day of 'day'"
    assert not schema.warnings
    values = schema.inputs[0].values(table)
    assert values[1].as_py() == datetime(2020, 1, 2, 1, 30)
    assert values[60].as_py() is None
    codec = Codec.fit(table, schema, np.arange(60))
    assert codec.input_kinds[0].parts == ["hour", "weekday", "day of year"]
    with pytest.raises(DataError, match="'day': its column 'hour' is not in the table; add it"):
        codec.inputs(table.drop_columns(["hour"]))


@pytest.mark.parametrize(
    ("clock", "text"),
    [
        ("y", "'y' is a target, which it would give away"),
        ("nine", "column 'nine' is not in the table"),
        ("day", "'day' is to be its time of day, but holds dates"),
    ],
)
def test_a_column_without_times_of_day_is_no_clock(clock, text):
    table = pa.table({"day": ["2020-01-01", "2020-01-02"] * 9, "y": [0.5, 1.5, 2.0] * 6})
    one = [{"name": "day", "kind": "date", "clock": clock}]
    with pytest.raises(DataError, match=text):
        infer_schema(table, Config.from_arguments(targets="y", inputs=one))
