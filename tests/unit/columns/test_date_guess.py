"""Ways of writing dates are found in values, and refused where they could be another."""

import numpy as np
import pyarrow as pa
import pytest

from superpose.columns._date_formats import is_clock, parse, spelled
from superpose.columns._date_guess import find_date_format
from superpose.errors import DataError


def text(*values):
    return pa.array(list(values), pa.large_string())


@pytest.mark.parametrize(
    ("values", "format", "first"),
    [
        (["2020-01-31", "2020-02-01 10:00"], "iso", "2020-01-31"),
        (["2020-01-31T10:00:00.5+01:00"], "iso", "2020-01-31 10:00:00"),
        (["2020-1-5", "2020-12-7"], "%Y-%m-%d", "2020-01-05"),
        (["20200131", "20200201"], "%Y%m%d", "2020-01-31"),
        (["31/12/2020", "01/01/2021"], "%d/%m/%Y", "2020-12-31"),
        (["12/31/2020", "01/01/2021"], "%m/%d/%Y", "2020-12-31"),
        (["31.12.20", "1.1.21"], "%d.%m.%y", "2020-12-31"),
        (["31-Jan-20", "01-Feb-20"], "%d-%b-%y", "2020-01-31"),
        (["31 January 1969", "1 sept 1970"], "%d %b %Y", "1969-01-31"),
        (["January 5, 2020"], "%b %d, %Y", "2020-01-05"),
        (["31. Dec 2020"], "%d. %b %Y", "2020-12-31"),
        (["Mon, 31 Aug 2020 10:00:00 GMT"], "%a, %d %b %Y %H:%M", "2020-08-31 10:00:00"),
        (["01/31/2020 02:05 PM"], "%m/%d/%Y %I:%M %p", "2020-01-31 14:05:00"),
        (["01/31/2020 12:05:09 a.m."], "%m/%d/%Y %I:%M %p", "2020-01-31 00:05:09"),
        (["2020/05/06T11:00"], "%Y/%m/%d %H:%M", "2020-05-06 11:00:00"),
        (["13:45", "00:10:05"], "%H:%M", "13:45:00"),
        (["1:45 PM", "12:00 AM"], "%I:%M %p", "13:45:00"),
    ],
)
def test_dates_are_found_and_read(values, format, first):
    assert find_date_format("t", text(*values)) == format
    wall = parse(text(*values), format).wall
    assert np.isfinite(wall).all()
    assert spelled(np.floor(wall[0]), is_clock(format)) == first


@pytest.mark.parametrize(
    "values",
    [["31.02.2020", "30.01.2020"], ["1.5", "2.5"], ["25:10", "10:00"], ["1:2"], ["word"], [None]],
)
def test_what_is_no_date_is_none(values):
    assert find_date_format("t", text(*values)) is None


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["01/02/2020", "02/03/2020"],
            "column 't': '01/02/2020' is 2020-02-01 as %d/%m/%Y and 2020-01-02 as %m/%d/%Y, and "
            'every value reads both ways; declare the column as kind date with `format: "%d/%m/%Y"`'
            ' or `format: "%m/%d/%Y"`'),
        (["20-01-31", "20-02-15"],
            "'20-01-31' is 2031-01-20 as %d-%m-%y and 2020-01-31 as %y-%m-%d"),
        (["31/12/2020", None, "12/31/2020"],
            "column 't': '31/12/2020' in row 0 is a date as %d/%m/%Y only, but '12/31/2020' in row "
            "2 as %m/%d/%Y only; write all dates in one order, best as 2024-12-31"),
    ],
)  # fmt: skip
def test_orders_that_values_leave_open_are_faults(values, expected):
    with pytest.raises(DataError) as caught:
        find_date_format("t", text(*values))
    assert expected in str(caught.value)


def test_orders_that_read_the_same_are_one():
    assert find_date_format("t", text("05/05/2020", "06/06/2020")) == "%d/%m/%Y"


def test_a_few_slips_do_not_hide_the_dates():
    values = ["soon", *(f"{d:02d}/12/2020" for d in range(1, 32))]
    assert find_date_format("t", text(*values)) == "%d/%m/%Y"
