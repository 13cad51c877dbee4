"""Numbers as people write them: each way is read as what it means, and said."""

import numpy as np
import pyarrow as pa
import pytest

from superpose.columns._number_text import NumberFormat, find_number_format
from superpose.errors import DataError


def text(*cells: str | None) -> pa.Array:
    return pa.array(cells, pa.large_string())


@pytest.mark.parametrize(
    ("cells", "form", "numbers", "note"),
    [
        (["53.2%", "7 %"], (".", "%"), [53.2, 7], "with % read as numbers ('53.2%' as 53.2)"),
        (["$1.20", "-$3"], (".", "$"), [1.2, -3], "with $"),
        (["1,50 €", "2 €"], (",", "€"), [1.5, 2], "2 cells with €"),
        (["USD 12", "USD 1,234.5"], (".", "USD"), [12, 1234.5], "1 cell with thousands"),
        (["20,629", "1,200"], (".", ""), [20629, 1200],
            'if the comma is a decimal sign, write `decimal: ","`'),
        (["20,629.5", "1,200"], (".", ""), [20629.5, 1200], "2 cells with thousands"),
        (["1.234,5", "0,25"], (",", ""), [1234.5, 0.25], "2 cells with a decimal comma"),
        (["1.234.567", "12"], (",", ""), [1234567, 12], "1 cell with thousands"),
        (["1 234", "5\u202f678"], (".", ""), [1234, 5678], "2 cells with thousands"),
        (["1'234.5", "7"], (".", ""), [1234.5, 7], "1 cell with thousands"),
        (["<0.5", "> 100", "3", "4", "5"], (".", ""), [0.5, 100, 3], "2 cells that are limits"),
        (["(1,200.5)", "30"], (".", ""), [-1200.5, 30], "1 cell in brackets"),
        (["70.5 kg", "71"], (".", "kg"), [70.5, 71], "1 cell with kg"),
        (["37 °C", "36.5°C"], (".", "°C"), [37, 36.5], "2 cells with °C"),
        (["5,126E+01", "5,98E+02"], (",", ""), [51.26, 598], "2 cells with a decimal comma"),
        (["−1.5", "2"], (".", ""), [-1.5, 2], "1 cell with a minus as it is typeset"),
        (["48.68-", "2"], (".", ""), [-48.68, 2], "or behind the number"),
        (["5 mM", "6 mM"], (".", "mM"), [5, 6], "2 cells with mM"),
        (["1.5e3 Pa", "2E-2 Pa"], (".", "Pa"), [1500, 0.02], "2 cells with Pa"),
    ],
)  # fmt: skip
def test_signs_are_read_and_noted(
    cells: list[str], form: tuple[str, str], numbers: list[float], note: str
) -> None:
    result = find_number_format(text(*cells))
    assert result is not None
    assert result.format == NumberFormat(*form)
    assert result.format.read("x", text(*cells)).to_pylist()[: len(numbers)] == numbers
    assert any(note in line for line in result.notes), result.notes


@pytest.mark.parametrize(
    "cells",
    [
        ["1", "2.5", "1e5"],  # plain
        ["31.12.2020", "1.2.2021"],
        ["1.2.3", "1.2.4"],
        ["10:30", "11:00"],
        ["1st", "2nd", "3rd"],
        ["7 PM", "8 AM"],
        ["3 Jan", "4 Feb"],
        ["12AB", "13CD", "a"],
        ["0,629.5", "1"],
        [f"{i}{chr(65 + i % 12)}" for i in range(60)],  # codes with letters
        ["kg", "70 kg", "m", "s"],
        ["5 kg", "3 lb"] * 9,  # two classes
        ["<=50K", ">50K"] * 9,
        ["--5", "4"] * 9,
        ["(5", "4"] * 9,
        [f"{i}th" for i in range(30)],
        ["<18", "18", ">65", "<18"] * 9,
    ],
)
def test_other_text_is_no_number(cells: list[str]) -> None:
    assert find_number_format(text(*cells)) is None


@pytest.mark.parametrize(
    ("cells", "fault"),
    [
        ([f"{i} kg" for i in range(30)] + [f"{i} lb" for i in range(20)],
            "numbers in several units: 30 in kg, 20 in lb"),
        ([f"{i} mM" for i in range(30)] + [f"{i} MM" for i in range(3)],
            "numbers in several units: 30 in mM, 3 in MM"),
        ([f"{i}M" for i in range(30)] + ["5"],
            "numbers in several units: 30 in M, 1 without one"),
        ([f"{i}%" for i in range(30)] + ["0.5"],
            "numbers in several units: 30 in %, 1 without one"),
        ([f"{i}.5" for i in range(30)] + [f"{i},5" for i in range(20)],
            "30 cells are written with a decimal point and 20 with a decimal comma"),
    ],
)  # fmt: skip
def test_numbers_that_can_be_read_in_two_ways_are_a_fault(cells: list[str], fault: str) -> None:
    result = find_number_format(text(*cells))
    assert result is not None
    assert (result.format, result.fault) == (None, fault)
    assert result.fix


def test_the_user_says_what_a_comma_is() -> None:
    result = find_number_format(text("20,629", "1,200"), decimal=",")
    assert result is not None
    assert result.format is not None
    assert result.format.read("x", text("20,629")).to_pylist() == [20.629]


def test_a_few_words_among_numbers_are_kept_apart() -> None:
    result = find_number_format(text(*(f"{i} kg" for i in range(40)), "ask"))
    assert result is not None
    assert result.words == ["ask"]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["70 kg", None, "150 lb"],
            "column 'w', row 2: '150 lb' has another unit than the numbers of the column; allowed: "
            "numbers such as 12.5 kg; mend the value, or leave it empty if it is missing"),
        (["heavy", "heavy"],
            "column 'w', row 0: 'heavy' is not a number (and so in 1 more rows); allowed: numbers "
            "such as 12.5 kg; mend the value, or leave it empty if it is missing"),
    ],
)  # fmt: skip
def test_a_new_cell_that_does_not_fit_is_named(cells: list[str | None], expected: str) -> None:
    with pytest.raises(DataError) as caught:
        NumberFormat(".", "kg").read("w", text(*cells))
    assert str(caught.value) == expected


def test_numbers_written_in_any_way_come_back() -> None:
    numbers = np.random.default_rng(0).normal(0, 5000, 200).round(2)
    german = [f"{n:,.2f}".translate(str.maketrans(",.", ".,")) + " EUR" for n in numbers]
    result = find_number_format(text(*german))
    assert result is not None
    assert result.format is not None
    assert np.allclose(result.format.read("x", text(*german)), numbers)
