"""Dates: what training decides is kept; zones, times of day and numbers are read as they are."""

from datetime import UTC, date, datetime, time

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from superpose.columns import in_zone, number_format, read_times, zone_of
from superpose.config import Config
from superpose.errors import ConfigError, DataError
from superpose.kinds.tabular._date import DateInput


def col(values, kind=None):
    return pa.chunked_array([pa.array(values, kind)])


def fit(values, **options):
    return DateInput.fit(
        "t", values if isinstance(values, pa.ChunkedArray) else col(values), **options
    )


def berlin(start="2024-03-25", periods=400):
    return col(pd.date_range(start, periods=periods, freq="h", tz="Europe/Berlin"))


def hours(kind, values):
    matrix, _, names = kind.features(values)
    return matrix[:, names.index("t (hour)")].tolist()


# Numbers.


@pytest.mark.parametrize(
    ("values", "format"),
    [
        ([20240131, 20240229], "%Y%m%d"),
        ([20240131.0, None], "%Y%m%d"),
        ([20240131, 20240230], None),
        ([1_700_000_000, 1_700_000_060], "epoch s"),
        ([1_700_000_000.5], "epoch s"),
        ([1_700_000_000_000], "epoch ms"),
        ([1_700_000_000_000_000], "epoch us"),
        ([1_700_000_000_000_000_000], "epoch ns"),
        ([1, 2], None),
        ([None], None),
    ],
)
def test_numbers_tell_how_they_write_dates(values, format):
    assert number_format(col(values)) == format


@pytest.mark.parametrize(
    ("values", "format", "words"),
    [
        ([1022020, 31122020], "%d%m%Y", "2020-02-01 to 2020-12-31"),
        ([930, 1745], "%H%M", "times of day from 09:30 to 17:45"),
        ([2019, 2020], "%Y", "2019-01-01 to 2020-01-01"),
        ([1_700_000_000_000, 1_700_100_000_000], "epoch ms", "2023-11-14 to 2023-11-16"),
        (["1700000000", "+1700100000"], "epoch s", "2023-11-14 to 2023-11-16"),
    ],
)
def test_numbers_are_dates_where_a_format_says_so(values, format, words):
    assert fit(values, format=format).describe().startswith(words)


def test_times_since_1970_are_the_same_instants_in_every_unit():
    stamps = berlin()
    seconds = stamps.cast(pa.timestamp("s", "UTC")).cast(pa.int64()).to_numpy()
    kind = fit(seconds, zone="Europe/Berlin", format="epoch s")
    np.testing.assert_array_equal(kind.encode(stamps), kind.encode(col(seconds)))
    np.testing.assert_array_equal(kind.encode(stamps), fit(stamps).encode(stamps))


@pytest.mark.parametrize(
    ("values", "format", "expected"),
    [
        ([1, 2], None, "column 't': declared as date, but it holds int64, such as 1, of no known "),
        ([1.5, 2.0], "%Y%m%d", "column 't', row 0: 1.5 is no whole number, and so no date"),
        ([20240131, 20240132], "%Y%m%d", "row 1: '20240132' is not a date as %Y%m%d"),
        ([0, 10**18], "epoch s", "row 1: 1000000000000000000 is no time as epoch s"),
        (["soon", "1700000000"], "epoch s", "row 0: 'soon' is not a number as epoch s"),
        ([True], None, "declared as date, but it holds bool"),
    ],
)
def test_numbers_that_are_no_dates_are_refused(values, format, expected):
    with pytest.raises(DataError) as caught:
        fit(values, format=format)
    assert expected in str(caught.value)


# What training decides.


@pytest.mark.parametrize(
    ("train", "new"),
    [
        (["31/12/2023", "02/01/2024"], ["01/02/2024"]),
        (["31/12/2023", "02/01/2024"], ["2024-02-01"]),
        (["31/12/2023", "02/01/2024"], [date(2024, 2, 1)]),
        ([20231231, 20240102], ["20240201"]),
        ([date(2023, 12, 31), date(2024, 1, 2)], ["2024-02-01"]),
    ],
)
def test_new_rows_are_read_as_the_training_rows_were(train, new):
    kind = fit(train)
    np.testing.assert_array_equal(kind.encode(col(new)), kind.encode(col([date(2024, 2, 1)])))
    again = DateInput.from_state(kind.state())
    np.testing.assert_array_equal(again.encode(col(new)), kind.encode(col(new)))


@pytest.mark.parametrize(
    ("train", "new", "expected"),
    [
        (["31/12/2023", "02/01/2024"], ["12/31/2024", "31/12/2024", "x"],
            "column 't', row 0: '12/31/2024' is not a date as %d/%m/%Y, and so 1 other row; mend"),
        ([date(2024, 1, 1), date(2024, 1, 2)], ["31/12/2024"], "is not a date such as 2024-12-31"),
        ([date(2024, 1, 1), date(2024, 1, 2)], [20240101], "but it holds int64"),
        (["10:00", "11:00"], ["2024-01-01"], "is not a date as %H:%M"),
        (["10:00", "11:00"], [date(2024, 1, 1)], "dates, but trained on times of day; give times"),
        ([date(2024, 1, 1), date(2024, 1, 2)], [time(10)], "times of day, but trained on dates"),
    ],
)  # fmt: skip
def test_new_rows_of_another_form_are_refused(train, new, expected):
    with pytest.raises(DataError) as caught:
        fit(train).encode(col(new))
    assert expected in str(caught.value)


# Times of day.


@pytest.mark.parametrize(
    "values",
    [["23:59", "00:01"], ["23:59:00", "00:01:00"], ["11:59 PM", "12:01 AM"],
     [time(23, 59), time(0, 1)], pa.array([86340, 60], pa.time32("s"))],
)  # fmt: skip
def test_times_of_day_are_one_kind_in_which_midnight_wraps(values):
    kind = fit(values)
    assert (kind.clock, kind.parts, len(kind.edges)) == (True, ["hour"], 2)
    late, early = kind.encode(col(values))
    assert np.abs(late - early).max() < 0.01
    assert kind.features(col(values))[2] == ["t (hour)"]
    assert kind.describe() == "times of day from 00:01 to 23:59"


def test_times_of_day_have_no_zone():
    with pytest.raises(DataError, match="zone 'UTC' given for times of day"):
        fit(["10:00", "11:00"], zone="UTC")


# Zones.


def test_a_zone_is_kept_and_other_clocks_are_turned_to_it():
    values = berlin()
    kind = fit(values)
    assert kind.zone == "Europe/Berlin"
    assert kind.describe().endswith("clock of Europe/Berlin")
    expected = kind.encode(values)
    stamps = values.to_pandas()
    for other in ("UTC", "America/New_York"):
        turned = col(stamps.dt.tz_convert(other))
        np.testing.assert_array_equal(kind.encode(turned), expected)
        np.testing.assert_array_equal(kind.encode(col(turned.to_pandas().astype(str))), expected)


def test_the_two_hours_of_a_clock_change_are_two():
    values = berlin("2021-10-31 00:00", 6)
    kind = fit(values)
    assert hours(kind, values) == [0, 1, 2, 2, 3, 4]
    assert (np.diff(kind.encode(values)[:, 0]) > 0).all()


def test_one_offset_is_a_zone_and_several_are_read_as_written():
    one = fit(["2024-01-01 10:00+01:00", "2024-01-02 11:00+01:00"])
    assert one.zone == "+01:00"
    assert hours(one, col(["2024-01-01 12:00+02:00"])) == [11]
    several = fit(["2024-01-01 10:00+01:00", "2024-07-01 11:00+02:00"])
    assert several.describe().endswith("clock as written")
    assert hours(several, col(["2024-08-01 10:00+02:00"])) == [10]
    with pytest.warns(UserWarning, match=r"1 of its times have another offset \(UTC\)"):
        several.encode(col(["2024-08-01 10:00Z"]))
    declared = fit(["2024-01-01 10:00+01:00", "2024-07-01 11:00+02:00"], zone="Europe/Berlin")
    assert hours(declared, col(["2024-08-01 08:00Z"])) == [10]


def test_times_without_a_zone_are_refused_where_zones_were_learned_and_back():
    with pytest.raises(DataError, match="row 0: a time without a zone, one of 1, but the training"):
        fit(berlin()).encode(col([datetime(2024, 1, 1)]))
    with pytest.raises(DataError, match="row 0: a time of a zone, one of 1, but the training rows"):
        fit(["2024-01-01", "2024-01-02"]).encode(col([datetime(2024, 1, 1, tzinfo=UTC)]))


def test_times_without_a_zone_are_of_the_zone_that_is_declared():
    kind = fit(["2024-01-01 10:00", "2024-07-01 12:00"], zone="Europe/Berlin")
    assert hours(kind, col(["2024-07-01 08:00Z"])) == [10]
    assert hours(kind, col(["2024-07-01 08:00"])) == [8]


def test_a_clock_that_is_put_back_or_forward_is_noted():
    twice = fit(["2024-10-27 02:30", "2024-10-27 01:30"], zone="Europe/Berlin")
    (sentence,) = twice.conversions
    assert "1 of its times stand twice in Europe/Berlin" in sentence
    assert "read as the first of the two" in sentence
    with pytest.raises(DataError, match="2024-03-31 02:30:00 is no time in Europe/Berlin: clocks"):
        fit(["2024-03-31 02:30", "2024-03-30 02:30"], zone="Europe/Berlin")


def test_zones_of_some_rows_only_are_refused_unless_one_is_declared():
    values = ["2024-01-01 10:00+01:00", "2024-01-01 11:00"]
    with pytest.raises(
        DataError,
        match="1 times without an offset from UTC, as in row 1, beside 1 with one, as in row 0",
    ):
        fit(values)
    assert hours(fit(values, zone="Europe/Berlin"), col(values)) == [10, 11]


def test_an_unknown_zone_is_one_clear_error():
    with pytest.raises(DataError, match=r"its zone 'Foo/Bar' is not known; allowed: a name such"):
        fit(col([0, 1], pa.timestamp("s", "Foo/Bar")))
    for option, expected in (({"zone": "Foo"}, "'Foo' is not known"), ({"format": "%Q"}, "%Q in")):
        with pytest.raises(ConfigError, match=expected):
            Config.from_arguments(targets="y", inputs=[{"name": "t", "kind": "date", **option}])


def test_random_clocks_come_back_from_every_zone():
    rng = np.random.default_rng(0)
    seconds = np.sort(rng.integers(0, 2_000_000_000, 500))
    for zone in ("Europe/Berlin", "Australia/Lord_Howe", "-03:30", "UTC"):
        times = read_times("t", col(seconds, pa.timestamp("s", zone)))
        assert zone_of("t", times) == zone
        np.testing.assert_array_equal(times.instant, seconds)
        wall = col(times.wall.astype(int), pa.timestamp("s"))
        back, twice = in_zone("t", read_times("t", wall), zone)
        assert (back.instant == seconds).sum() >= 500 - twice


def test_dates_of_an_earlier_version_are_read_as_dates_without_a_zone():
    kind = fit(["2024-01-01", "2024-01-09"])
    state = kind.state()
    for entry in ("zone", "naive", "clock", "offsets"):
        del state[entry]
    assert DateInput.from_state(state) == kind
