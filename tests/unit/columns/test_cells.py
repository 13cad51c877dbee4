"""Cells of text files: a type is given only where it spells them as they stand."""

import pyarrow as pa
import pytest

from superpose.columns._cells import DECIMALS, as_written, decimals_of, typed


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
    decimals = decimals_of(pa.field("icd", values.type, metadata=kept))
    assert as_written(values, decimals).to_pylist() == ["250.10", None, "401.00"]
    assert as_written(values, None) is values


def test_whole_numbers_with_decimals_are_whole_numbers() -> None:
    assert typed(column(["2.00", "4.00"])) == (pa.chunked_array([[2.0, 4.0]]), {})
