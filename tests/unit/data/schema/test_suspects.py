"""Values that may not mean what they say are warned of, and others are not."""

import numpy as np
import pyarrow as pa
import pytest

from superpose.data.schema._suspects import suspects

RNG = np.random.default_rng(0)
NORMAL = RNG.normal(20, 5, 200)


def found(kind: str, values: list) -> list[str]:
    return suspects("input 'x'", kind, pa.chunked_array([pa.array(values)]))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([*NORMAL, -999.0, -999.0], "2 values are -999, far from all others"),
        ([*NORMAL, 9999.0], "1 value is 9999, far from all others"),
        ([*NORMAL, -100.0], "1 value is -100, far"),
        ([*NORMAL, 1e15], "1 value is 1e+15, far"),
        (
            [*range(30), -99, 999],
            "1 value is 999 and 1 value is -99, far from all others (0 to 29)",
        ),
        ([*map(str, range(30)), "-999"], "1 value is -999, far"),
    ],
)
def test_numbers_far_from_all_others_are_noted(values: list, message: str) -> None:
    (warning,) = found("number", values)
    assert message in warning
    assert "write `missing: [" in warning


@pytest.mark.parametrize(
    "values",
    [
        list(NORMAL),
        list(RNG.lognormal(3, 1.5, 500)),
        list(RNG.standard_t(3, 500)),
        [0, 1] * 30,
        [0.0, 5.0, 1000.0],
        list(range(0, 10000, 99)),
        [float("inf"), *NORMAL],
    ],
)
def test_long_tails_are_no_sentinels(values: list) -> None:
    assert not found("number", values)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("category", ["Yes", "yes ", "no"]),
        ("binary", ["New  York", "new york"]),
        ("ordinal", ["\u00e9t\u00e9", "e\u0301te\u0301"]),  # composed and decomposed
        ("multilabel", ["red;blue", "Red"]),
        ("tokens", [["O", "B-x"], ["o"]]),
        ("category", ["\uff21", "A"]),  # full width
    ],
)
def test_classes_that_differ_in_writing_alone_are_noted(kind: str, values: list) -> None:
    (warning,) = found(kind, values)
    assert "differ from another one in case, blanks or Unicode form alone" in warning


@pytest.mark.parametrize(
    ("kind", "values"),
    [("category", ["yes", "no"]), ("category", [1, 2]), ("text", ["A", "a"]), ("tokens", [[1, 2]])],
)
def test_other_classes_are_left_alone(kind: str, values: list) -> None:
    assert not found(kind, values)


def test_whole_numbers_beyond_what_a_double_holds_are_noted() -> None:
    (as_class,) = found("category", [float(2**60), float(2**60), 1.0])
    assert (
        "2 whole numbers beyond 2^53 have lost their last digits before they were read" in as_class
    )
    (as_number,) = found("number", [2**60, 2**61, *range(30)])[:1]
    assert (
        "2 whole numbers beyond 2^53 lose their last digits; declare `kind: category`" in as_number
    )
    assert not found("category", [2**60, 2**60, 1])


def test_a_category_with_nearly_as_many_classes_as_rows_is_noted() -> None:
    (warning,) = found("category", [f"w{i % 70}" for i in range(100)])
    assert "70 classes in 100 rows, so that most have one row only" in warning
    assert not found("category", [f"w{i % 40}" for i in range(100)])
