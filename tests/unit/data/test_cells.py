"""Cells of text files: a type is given only where it spells them as they stand."""

import pyarrow as pa
import pytest

from superpose.data._cells import DECIMALS, alike, as_written, typed


def column(cells: list[str | None]) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(cells, pa.string())])


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["1", "-12", None], "int64"),
        ([" 5", "6 "], "int64"),
        (["9007199254740993"], "int64"),
        (["1.5", "2", "-0.25"], "double"),
        (["1.0", "2.5"], "double"),
        (["1.5e-05", "0.1"], "double"),
        (["1E+05", "2.5E-03"], "double"),
        (["250.10", "401.00"], "double"),
        (["True", "false"], "bool"),
        (["2020-01-31"], "date32[day]"),
        (["2020-01-31 10:00", "2020-02-01T11:30"], "timestamp[s]"),
        (["2020-01-31 10:00:00.5"], "timestamp[ns]"),
        ([None, None], "null"),
    ],
)  # fmt: skip
def test_cells_that_come_back_from_a_type_get_it(cells: list[str | None], kind: str) -> None:
    assert str(typed(column(cells))[0].type) == kind


@pytest.mark.parametrize(
    "cells",
    [
        ["012", "12"],  # leading zeros
        ["250.10", "250.1"],  # two spellings of one number
        ["1", "1.0"],
        ["1E5", "2"],  # an exponent that is part of a code
        ["18446744073709551615"],  # beyond what 64 bits hold
        ["123456789012345678.5", "123456789012345678.6"],  # beyond what a double keeps apart
        ["+5"],
        ["0x1F"],
        ["53%"],
        ["1,234"],
        ["NA", "1"],  # what a word means is decided with the settings at hand
        ["10:30"],
        ["2020-01-31 10:00:00-05:00"],  # a zone would be lost
        ["2020-13-01"],
    ],
)  # fmt: skip
def test_cells_that_would_not_come_back_stay_text(cells: list[str]) -> None:
    values, kept = typed(column(cells))
    assert values.to_pylist() == cells
    assert not kept


def test_numbers_with_zeros_at_their_end_can_be_spelled_again() -> None:
    values, kept = typed(column(["250.10", None, "401.00"]))
    assert kept == {DECIMALS: b"2"}
    field = pa.field("icd", values.type, metadata=kept)
    assert as_written(values, field).to_pylist() == ["250.10", None, "401.00"]
    assert as_written(values, pa.field("icd", values.type)) is values


def test_a_column_that_is_text_in_one_file_is_text_in_all() -> None:
    first = pa.table({"code": [12, 7], "x": [1, 2]})
    second = pa.table({"code": ["012", None], "x": [0.5, 1.5]})
    one, two = alike([first, second])
    assert one["code"].to_pylist() == ["12", "7"]
    assert (one["x"].type, two["x"].type) == (pa.int64(), pa.float64())


def test_the_same_number_of_decimals_in_one_file_alone_makes_text_of_both() -> None:
    def table(cells: list[str]) -> pa.Table:
        values, kept = typed(column(cells))
        return pa.table([values], schema=pa.schema([pa.field("icd", values.type, metadata=kept)]))

    one, two = alike([table(["250.10", "401.00"]), table(["250.1", "401.5"])])
    assert one["icd"].to_pylist() == ["250.10", "401.00"]
    assert two["icd"].to_pylist() == ["250.1", "401.5"]
