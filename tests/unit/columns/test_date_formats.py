"""Ways of writing dates, read by pattern."""

import numpy as np
import pyarrow as pa
import pytest

from superpose.columns._date_formats import (
    parse,
    pattern,
    spelled,
    wrong_letters,
    zone_offset,
)


def text(*values):
    return pa.array(list(values), pa.large_string())


def test_years_of_two_digits_turn_at_69():
    assert [spelled(s) for s in parse(text("1/1/68", "1/1/69"), "%d/%m/%y").wall] == [
        "2068-01-01",
        "1969-01-01",
    ]


@pytest.mark.parametrize(
    ("format", "expected"),
    [
        ("%Q", "%Q in '%Q' is not known; allowed: %Y"),
        ("soon", "'soon' given; allowed: iso, epoch s"),
        ("%Y %Y", "%Y stands twice in '%Y %Y'; remove one"),
        ("%d/%m", "'%d/%m' has no year"),
        ("%I:%M", "needs both %I and %p"),
        ("%Y-%d-%m", "reads 2024-03-01 as 3 January"),
    ],
)
def test_a_wrong_format_is_noted(format, expected):
    assert expected in wrong_letters(format)


@pytest.mark.parametrize("format", ["iso", "epoch ms", "%Y%m%d%H%M%S", "%H:%M", "%j %Y", "%d%%%Y"])
def test_a_right_format_is_taken(format):
    assert wrong_letters(format) == ""
    pattern(format)


def test_parts_out_of_range_are_not_read():
    wrong = ["2020-13-01 10:00", "2019-02-29 10:00", "2020-01-01 24:00", "2020-01-01 10:60"]
    assert np.isnan(parse(text(*wrong), "%Y-%m-%d %H:%M").wall).all()
    assert np.isnan(parse(text("366 2019", "0 2019", "366 2020"), "%j %Y").wall).tolist() == [
        True,
        True,
        False,
    ]


def test_offsets_are_read_in_every_spelling():
    values = ("2020-01-01 10:00Z", "2020-01-01 10:00+0130", "2020-01-01 10:00-05", "2020-01-01")
    offset = parse(text(*values), "iso").offset
    np.testing.assert_array_equal(offset, [0, 5400, -18000, np.nan])
    assert np.isnan(zone_offset("Europe/Berlin"))
