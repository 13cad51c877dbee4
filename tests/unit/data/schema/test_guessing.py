"""Guessed kinds: one rule per row, each with its reason."""

from datetime import date, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from superpose.data.schema._guessing import guess_input, guess_target

RNG = np.random.default_rng(0)
N = 60
WORDS = ["the", "pump", "was", "loud", "and", "hot", "again", "so", "we", "took", "it", "apart"]
SENTENCES = [" ".join(RNG.permutation(WORDS)) for _ in range(N)]
FORMULAS = [f"{i}C" + "(=O)N" * (i % 3) + "c" * (i % 19) for i in range(N)]
CODES = [f"L{i:05d}" for i in range(N)]
LETTERS = list("abcdef")
TAGS = [";".join(RNG.permutation(LETTERS)[: i % 4 + 1]) for i in range(N)]
COUNTED = (
    "whole numbers from near 0 upwards, spread as counts are; write `kind: number` or `category` "
    "if they are none"
)
COUNTS = [0, 1, *RNG.negative_binomial(1, 0.1, N).tolist()]


@pytest.mark.parametrize(
    ("values", "kind", "reason"),
    [
        ([None, None], None, "no value in any row"),
        ([3, 3, 3], None, "the same value in every row (3)"),
        (["a", "a"], None, "the same value in every row (a)"),
        ([3, None, 3], "number", "whole numbers"),
        ([True, False], "binary", "true and false"),
        ([0, 1, 1], "binary", "two values, 0 and 1"),
        ([0.0, 1.0, None], "binary", "two values, 0 and 1"),
        ([0.5, 1.0], "number", "numbers"),
        ([0.5, float("inf")], "number", "numbers"),
        ([float("inf"), float("-inf")], "number", "numbers"),
        ([1, 2, 3, 1], "number", "whole numbers"),
        (list(range(N)), None, "whole numbers that only count the rows"),
        (RNG.permutation(N).tolist(), None, "whole numbers that only count the rows"),
        (list(range(10 * N, 0, -10)), None, "whole numbers that only count the rows"),
        (list(range(10)), "number", "whole numbers"),
        ([date(2020, 1, 1), date(2020, 1, 2)], "date", "dates and times"),
        ([datetime(2020, 1, 1, 5), None, datetime(2020, 1, 2)], "date", "dates and times"),
        (["2020-01-01", "2020-01-02"], "date", "dates"),
        (["2020-01-01 10:00", "?", "2020-01-02 11:00"], "date", "dates"),
        (["31/12/2020", "01/01/2021"], "date", "dates as %d/%m/%Y"),
        ([["a"], ["a", "b"]], "multicategory", "a list in every row"),
        ([[0, 1, 1], [1, 0, 0]], "embedding", "lists of zeros and ones, equally many in every row"),
        ([{"a": 1}, {"a": 2}], None, "values of type struct<a: int64> can't be used"),
        (TAGS, "multicategory", "a few words joined by ';'"),
        (["no", "yes", "no"], "binary", "two values, 'no' and 'yes'"),
        (["N", "S", "W"] * 9, "category", "3 different words"),
        (["a", None, "a"], "category", "1 different word"),
        (["img/1.png", "img/2.JPG", None], "image", "names of image files"),
        (["a/1.wav", "a/2.FLAC", None], "audio", "names of sound files"),
        (SENTENCES, "text", "long text, 12 words on average"),
        (["水泵的声音很大而且发热了", "我们把它拆开检查了一遍", "没有发现任何问题"] * 9, "category",
            "3 different words"),
        (["很大而且发热了" + c * 4 for c in "甲乙丙丁戊己庚辛壬癸子丑"], "text", "long text"),
        (FORMULAS, "text", "different text in nearly every row"),
        (CODES, None, "different words in nearly every row, as identifiers are"),
        (["1", "2.5", " 3 "], "number", "numbers, written as text"),
        (["1", "2", "3", "1"], "number", "whole numbers, written as text"),
        (["1", "0", "?"], "binary", "two values, 0 and 1, written as text; '?' for missing"),
        (["1", "x", "y"], "category", "3 different words"),
        (["1,5", "2,5", "3,5"] * 9, "number", "numbers, written as text"),
        (["012", "12", "7"] * 9, "category", "3 different words; 9 of 27 have leading zeros, as "
            "codes have; `kind: number` reads numbers"),
    ],
)  # fmt: skip
def test_an_input_gets_its_kind_with_a_reason(values: list[Any], kind: str, reason: str) -> None:
    guess = guess_input("x", pa.chunked_array([values]))
    assert (guess.kind, guess.reason) == (kind, reason)


@pytest.mark.parametrize(
    ("values", "kind", "reason"),
    [
        ([0, 1, None], "binary", "two values, 0 and 1"),
        ([0.5, 1.5], "number", "numbers"),
        ([0, 1, 2] * 6, "category", "3 whole numbers as codes; write `kind: ordinal`, `count` or "
            "`number` if their order or distance means something"),
        ([0, 1, 2], "number", "whole numbers"),
        ([-1, 0, 1] * 6, "number", "whole numbers"),
        ([10, 200, 3000] * 6, "number", "whole numbers"),
        (COUNTS, "count", COUNTED),
        ([float(count) for count in COUNTS], "count", COUNTED),
        ([100 * count for count in COUNTS], "number", "whole numbers"),
        ([count + 5 for count in COUNTS], "number", "whole numbers"),
        ([*COUNTS, 200_000], "number", "whole numbers"),
        ([0, 1, *RNG.integers(0, 80, 200).tolist()], "number", "whole numbers"),
        ([0, 1, *(int(x) for x in RNG.lognormal(5, 2, 500))], "number", "whole numbers"),
        ([["a"], ["b"]], "multilabel", "a list in every row"),
        (TAGS, "multilabel", "a few words joined by ';'"),
        (["low", "high", "mid"], "category", "3 different words"),
        (["1", "2.5", "nan"], "number", "numbers, written as text; 'nan' for missing"),
        ([date(2020, 1, 1)] * 2, "date", "dates and times"),
    ],
)  # fmt: skip
def test_a_target_gets_its_kind_with_a_reason(values: list[Any], kind: str, reason: str) -> None:
    guess = guess_target(pa.chunked_array([values]))
    assert (guess.kind, guess.reason) == (kind, reason)


@pytest.mark.parametrize("name", ["year", "start_time", "Date"])
def test_a_rising_time_is_no_counter(name: str) -> None:
    assert guess_input(name, pa.chunked_array([list(range(1960, 2020))])).kind == "number"


@pytest.mark.parametrize("name", ["ID", "patient_id", "station id", "uuid"])
def test_a_column_named_id_is_not_used_if_it_varies(name: str) -> None:
    many = pa.chunked_array([RNG.integers(0, 10**6, N).tolist()])
    few = pa.chunked_array([RNG.integers(0, 5, N).tolist()])
    guess = guess_input(name, many)
    assert (guess.kind, guess.otherwise) == (None, "number")
    assert guess.reason == "it is named as an identifier"
    assert guess_input(name, few).kind == "number"


def test_words_among_numbers_are_missing_and_named() -> None:
    values = pa.chunked_array([[*map(str, range(100)), "a", "b", "c", "d", "?"]])
    guess = guess_input("x", values)
    assert guess.kind == "number"
    assert guess.missing == ("a", "b", "c", "d", "?")
    assert guess.warning == (
        "4 values are no numbers and count as missing: 'a', 'b', 'c' and 1 more"
    )


def test_many_words_among_numbers_are_no_numbers() -> None:
    numbers = [str(n) for n in range(1000)] * 2
    words = [f"w{n}" for n in range(21)]
    assert guess_input("x", pa.chunked_array([numbers + words])).kind == "category"


def test_the_order_of_day_and_month_is_noted_where_the_values_decide_it() -> None:
    values = pa.chunked_array([["31/12/2020", "01/01/2021"]])
    guess = guess_input("day", values)
    assert guess.options == {"format": "%d/%m/%Y"}
    assert guess.conversions == (
        "2 values such as '31/12/2020' read as 2020-12-31 (%d/%m/%Y); if that is wrong, "
        'write `format: "%m/%d/%Y"`',
    )


def test_a_category_with_very_many_values_is_not_used() -> None:
    values = pa.chunked_array([[f"w{n}" for n in range(100_001)] * 2])
    assert guess_input("x", values).reason == "100001 different values"


LEAST_ALIKE = 19  # of 20 cuts of half of the rows


def dealt(k: int, rows: int) -> np.ndarray:
    """Codes of classes, dealt in shares of no order."""
    return RNG.choice(k, rows, p=RNG.dirichlet(np.full(k, 3.0)))


@pytest.mark.parametrize(
    "values",
    [
        *(RNG.poisson(mean, rows) for mean in (0.3, 1, 2, 4, 8, 30) for rows in (100, 1000)),
        *(dealt(k, rows) for k in (3, 5, 8, 10, 12) for rows in (60, 600)),
        RNG.negative_binomial(1, 0.05, 500),
        RNG.lognormal(5, 2, 500).astype(int),
        RNG.integers(18, 90, 500),
        np.r_[RNG.integers(0, 2, 999), 9],
        RNG.choice([1, 2, 3, 4, 5], 300, p=[0.05, 0.1, 0.2, 0.4, 0.25]),
    ],
)
def test_a_target_keeps_its_kind_on_half_of_its_rows_or_is_called_ambiguous(
    values: np.ndarray,
) -> None:
    guess = guess_target(pa.chunked_array([values]))
    cuts = [RNG.permutation(len(values))[: len(values) // 2] for _ in range(20)]
    alike = sum(guess_target(pa.chunked_array([values[cut]])).kind == guess.kind for cut in cuts)
    assert alike >= LEAST_ALIKE or guess.rival


@pytest.mark.parametrize(
    "words",
    [[f"u{n}" for n in RNG.integers(0, most, 300)] for most in (5, 60, 2000, 3000, 8000, 100_000)]
    + [
        [" ".join(RNG.choice(WORDS, 5)[: 3 + n % 3]) for n in RNG.integers(0, 3, 300)],
        [" ".join(WORDS[n % 12 :] + WORDS[: n % 12]) for n in RNG.integers(0, 60, 300)],
    ],
)
def test_an_input_keeps_its_kind_on_half_of_its_rows_or_is_called_ambiguous(
    words: list[str],
) -> None:
    guess = guess_input("x", pa.chunked_array([words]))
    cuts = [RNG.permutation(300)[:150] for _ in range(20)]
    halves = [guess_input("x", pa.chunked_array([[words[i] for i in cut]])) for cut in cuts]
    assert sum(half.kind == guess.kind for half in halves) >= LEAST_ALIKE or guess.rival


@pytest.mark.parametrize(
    ("values", "kind", "rows"),
    [
        (RNG.poisson(2, 500), "count", "spread as counts are"),  # few distinct values
        (dealt(8, 500), "category", "8 whole numbers as codes"),
    ],
)
def test_few_whole_numbers_are_counts_or_codes_by_how_they_are_spread(
    values: np.ndarray, kind: str, rows: str
) -> None:
    guess = guess_target(pa.chunked_array([values]))
    assert guess.kind == kind
    assert rows in guess.reason


@pytest.mark.parametrize(
    "values",
    [
        [*map(str, range(200)), "401.9", "V57"],  # diagnoses
        ["36", "38", "40", "XL"] * 20,  # sizes
        ["1", "2", "3", "4", "5", "1", "2", "3", "4", "5", "3", "K"] * 9,
    ],
)
def test_words_that_are_codes_make_codes_of_the_numbers_beside_them(values: list[str]) -> None:
    assert guess_target(pa.chunked_array([values])).kind != "number"


def test_numbers_with_a_few_words_are_no_category_and_no_identifier() -> None:
    values = pa.chunked_array([[*(f"{i}.5" for i in range(50)), *["<LOD"] * 10]])
    for guess in (guess_input("x", values), guess_target(values)):
        assert guess.fault.startswith("83% of its cells are numbers, the others are '<LOD'")


@pytest.mark.parametrize("values", [sorted(RNG.permutation(10**5)[:200].tolist())])
def test_a_column_by_which_a_table_is_sorted_is_no_counter(values: list[int]) -> None:
    assert guess_input("odometer", pa.chunked_array([values])).kind == "number"


def test_what_is_clear_is_not_called_ambiguous() -> None:
    rng = np.random.default_rng(1)
    for values in (rng.poisson(4, 3000), rng.integers(0, 5, 600), rng.integers(18, 90, 500)):
        assert not guess_target(pa.chunked_array([values])).rival
