"""Input kinds: what the network and the trees read, and what odd values become."""

import json

import numpy as np
import pyarrow as pa
import pytest
import torch

from superpose.errors import BundleError, DataError
from superpose.kinds import INPUT_KINDS
from superpose.nn import encoder_of

NAN = float("nan")


def col(values, kind=None):
    return pa.chunked_array([pa.array(values, kind)])


def fit(kind, values, **options):
    return INPUT_KINDS[kind].fit("x", col(values), **options)


SAMPLES = {
    "number": [1.0, None, 3.5, -2.0],
    "category": ["a", "b", None, "a"],
    "binary": [True, False, None, True],
    "date": ["2024-01-01 10:00", "2024-02-02 11:00", None, "2024-03-03 12:00"],
    "text": ["a red door", None, "", "the blue door"],
    "multicategory": [["a", "b"], [], None, ["a"]],
}
samples = pytest.mark.parametrize(("kind", "values"), SAMPLES.items(), ids=SAMPLES)


@samples
def test_every_kind_survives_json(kind, values):
    fitted = fit(kind, values)
    again = type(fitted).from_state(json.loads(json.dumps(fitted.state())))
    assert again == fitted
    np.testing.assert_array_equal(again.encode(col(values)), fitted.encode(col(values)))


@samples
def test_every_kind_feeds_its_encoder(kind, values):
    fitted = fit(kind, values)
    block = torch.as_tensor(fitted.encode(col(values)))
    tokens = encoder_of([fitted], 8)(block)
    assert tokens.shape[0] == len(values)
    assert torch.isfinite(tokens).all()


@samples
def test_every_kind_has_features_for_trees(kind, values):
    fitted = fit(kind, values)
    matrix, categorical, names = fitted.features(col(values))
    assert matrix.shape == (len(values), len(names))
    assert matrix.dtype == np.float32
    assert len(categorical) == len(names)


@samples
def test_every_kind_takes_a_column_without_values(kind, values):
    fitted = fit(kind, values)
    assert len(fitted.encode(col([None, None], pa.null()))) == 2
    assert fit(kind, [None, None]).drop_reason == "empty"


@samples
def test_every_kind_encodes_a_row_alone_as_in_the_table(kind, values):
    fitted = fit(kind, values)
    together = fitted.encode(col(values))
    alone = np.concatenate([fitted.encode(col(values).slice(i, 1)) for i in range(len(values))])
    np.testing.assert_array_equal(together, alone)


@samples
def test_every_kind_describes_itself(kind, values):
    assert fit(kind, values).describe()


def test_a_state_of_another_version_is_refused():
    state = fit("number", [1.0, 2.0]).state() | {"colour": "red"}
    with pytest.raises(
        BundleError, match="bundle: number 'x': colour: unknown; the bundle is damag"
    ):
        INPUT_KINDS["number"].from_state(state)


# numbers ------------------------------------------------------------------------------------------


def test_numbers_are_standardised_and_cut_far_out():
    kind = fit("number", list(np.random.default_rng(0).normal(7, 3, 5000)))
    out = kind.encode(col([7.0, 10.0, 1e9, -1e9]))[:, 0]
    assert out[:2].tolist() == pytest.approx([0, 1], abs=0.1)
    assert out[2:].tolist() == [10, -10]


def test_infinite_numbers_count_as_missing_and_are_named():
    kind = fit("number", [1.0, float("inf"), 3.0])
    with pytest.warns(
        UserWarning, match=r"input 'x', row 1: 1 infinite value\(s\) count as missing"
    ):
        assert np.isnan(kind.encode(col([1.0, float("-inf")]))[1]).all()


def test_one_outlier_does_not_flatten_a_column():
    kind = fit("number", [*np.linspace(0, 1, 1000), 1e12])
    assert kind.scale < 1


def test_huge_numbers_do_not_overflow():
    kind = fit("number", [1e300, 2e300, 3e300])
    assert np.isfinite(kind.encode(col([2e300]))).all()


def test_year_numbers_keep_their_last_digit_for_trees():
    base = 2**40
    matrix, _, _ = fit("number", [base, base + 1, base + 2]).features(col([base, base + 1]))
    assert matrix[0, 0] != matrix[1, 0]


def test_edges_increase_strictly_and_cover_repeated_values():
    kind = fit("number", [0.0] * 900 + list(np.linspace(0, 1, 100)))
    edges = np.array(kind.edges[0])
    assert len(edges) >= 2
    assert (np.diff(edges) > 0).all()
    assert len(fit("number", list(np.random.default_rng(0).normal(size=5000))).edges[0]) == 33


def test_a_constant_column_is_useless_unless_it_has_gaps():
    assert fit("number", [3.0, 3.0]).drop_reason == "constant"
    kind = fit("number", [3.0, None, 3.0])
    assert kind.drop_reason is None
    assert np.isfinite(kind.encode(col([3.0]))).all()


def test_numbers_written_as_text_are_read():
    kind = fit("number", ["1", " 2.5 ", "", "-3e2"])
    assert kind.encode(col(["2.5", ""]))[0] == kind.encode(col([2.5]))[0]


@pytest.mark.parametrize("bad", ["abc", "1,5", "--1", "0x10", "1_0"])
def test_text_among_numbers_names_column_row_and_value(bad):
    with pytest.raises(DataError, match=r"column 'x', row 2: .* is not a number") as caught:
        fit("number", ["1", None, bad])
    assert repr(bad) in str(caught.value)


def test_times_of_day_declared_as_number_are_seconds():
    kind = INPUT_KINDS["number"].fit("x", col([0, 120], pa.time32("s")))
    assert kind.mean == 60


def test_a_date_declared_as_number_is_refused():
    with pytest.raises(DataError, match="declare it as kind date"):
        INPUT_KINDS["number"].fit("x", col([0, 1], pa.timestamp("s")))


# categories ---------------------------------------------------------------------------------------


def test_category_codes_put_unseen_at_0_missing_at_1_frequent_first():
    kind = fit("category", ["b", "a", "a", None])
    assert kind.encode(col(["a", "b", None, "zzz"]))[:, 0].tolist() == [2, 3, 1, 0]
    assert kind.cardinality == 4


def test_rare_levels_are_pooled_in_large_tables():
    kind = fit("category", ["a"] * 150 + ["b"] * 150 + ["rare"])
    assert kind.levels == ["a", "b"]
    assert kind.describe() == "2 levels, 1 rare pooled"
    assert kind.encode(col(["rare"])).item() == 0


def test_a_million_levels_are_cut_to_a_thousand_and_named():
    values = np.repeat(np.arange(3000), 2).astype(str)
    kind = fit("category", list(values))
    assert kind.cardinality == 1002
    assert "3000 levels" in kind.notes[0]


def test_an_identifier_is_useless():
    assert fit("category", [str(i) for i in range(300)]).drop_reason == "different in every row"


def test_a_category_is_the_same_as_integer_float_or_text():
    kind = fit("category", [1, 2, 2])
    for values in ([1, 2], [1.0, 2.0], ["1", "2"], ["1.0", " 2"]):
        assert kind.encode(col(values))[:, 0].tolist() == [3, 2]


def test_truth_values_are_the_same_in_every_spelling():
    kind = fit("binary", [True, False, True])
    for values in ([True, False], ["True", "false"], [1, 0], ["1", "0"], [1.0, 0.0]):
        assert kind.encode(col(values))[:, 0].tolist() == [2, 3]


def test_dictionary_columns_are_read_as_their_values():
    values = col(["a", "b", "a"]).dictionary_encode()
    assert INPUT_KINDS["category"].fit("x", values).levels == ["a", "b"]


def test_trees_get_at_most_255_codes_and_the_rank():
    kind = fit("category", [str(i % 400) for i in range(2000)])
    matrix, categorical, names = kind.features(col([str(i) for i in range(400)] + [None]))
    assert categorical == [True, False]
    assert matrix[:-1, 0].max() < 255
    assert len(np.unique(matrix[:-1, 1])) == 400
    assert np.isnan(matrix[-1]).all()
    assert names == ["x", "x (rank)"]


# dates --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("2024-01-01", "2024-01-02"),
        ("2024-01-01T05:00:00", "2024-01-02T05:00:00"),
        ("01.02.2024", "28.02.2024"),
        ("31/12/2023", "01/01/2024"),
        ("12/31/2023", "01/01/2024"),
        ("2024/05/06 10:00", "2024/05/06 11:00"),
        ("2024-01-01 00:00:00+00:00", "2024-01-02 00:00:00+00:00"),
    ],
)
def test_dates_are_read_in_many_spellings(first, second):
    kind = fit("date", [first, second])
    assert kind.last > kind.first
    assert np.isfinite(kind.encode(col([first]))).all()


def test_date_parts_that_vary_become_circles():
    hours = np.datetime64("2024-01-01", "s") + np.arange(24 * 14) * 3600
    kind = INPUT_KINDS["date"].fit("x", col(hours))
    assert kind.parts == ["hour", "weekday", "day of year"]
    assert kind.encode(col(hours)).shape[1] == 7
    circle = kind.encode(col(hours))[:, 1:3]
    np.testing.assert_allclose((circle**2).sum(axis=1), 1, rtol=1e-5)
    days = np.datetime64("2024-01-01", "D") + np.arange(14)
    assert "hour" not in INPUT_KINDS["date"].fit("x", col(days)).parts


def test_date_parts_are_right():
    stamp = col([np.datetime64("2024-03-01T18:30", "s")])
    kind = INPUT_KINDS["date"].fit(
        "x", col(np.datetime64("2023-01-01", "s") + np.arange(9) * 99999)
    )
    matrix, _, names = kind.features(stamp)
    result = dict(zip(names, matrix[0], strict=True))
    assert result["x (hour)"] == 18.5
    assert result["x (weekday)"] == 4  # a Friday
    assert result["x (day of year)"] == 60  # the leap day counts; January 1 is 0


def test_straight_time_stays_where_the_network_has_seen_it():
    kind = fit("date", ["2024-01-01", "2024-12-31"])
    late, last = kind.encode(col(["2030-12-31", "2024-12-31"]))[:, 0]
    assert late == last
    trees = kind.features(col(["2030-12-31", "2024-12-31"]))[0][:, 0]
    assert trees[0] > trees[1]


def test_a_wrong_date_names_its_row():
    with pytest.raises(DataError, match="column 'x', row 1: 'soon' is not a date"):
        INPUT_KINDS["date"].check("x", col(["2024-01-01", "soon", "2024-01-03"]))
    kind = fit("date", ["31/12/2023", "01/01/2024"])
    with pytest.raises(DataError, match="row 0: '2024' is not a date as"):
        kind.encode(col(["2024"]))


def test_numbers_are_no_dates():
    with pytest.raises(DataError, match="declared as date, but it holds int64"):
        fit("date", [1, 2])


# sets ---------------------------------------------------------------------------------------------


def test_sets_are_the_same_as_lists_and_as_joined_text():
    listed = fit("multicategory", [["a", "b"], ["a"]])
    joined = fit("multicategory", ["a|b", "a"])
    assert joined.separator == "|"
    np.testing.assert_array_equal(
        listed.encode(col([["b"], [], None])), joined.encode(col(["b", "", None]))
    )


def test_an_unseen_name_in_a_set_is_passed_over():
    kind = fit("multicategory", [["a", "b"], ["a"]])
    assert kind.encode(col([["z", "b"]])).tolist() == [[0, 1]]
