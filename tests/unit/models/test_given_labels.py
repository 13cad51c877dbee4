"""Reading measured targets: only those that were named, with every fault of a request at once."""

import warnings

import numpy as np
import pyarrow as pa
import pytest

from superpose.errors import DataError
from superpose.models import given_labels, given_names

TARGETS = ["weight", "sick", "calls", "sort", "level", "tags"]


@pytest.fixture(autouse=True)
def _quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def test_nothing_is_given_unless_it_is_named(codec, table):
    assert given_names(codec, table, None) == []
    assert given_names(codec, table, []) == []


def test_names_are_taken_once_and_in_their_order(codec, table):
    assert given_names(codec, table, ["sort", "sick", "sort"]) == ["sort", "sick"]
    assert given_names(codec, table, "sick") == ["sick"]


def test_auto_is_every_target_that_the_table_holds(codec, table):
    assert given_names(codec, table, "auto") == TARGETS
    assert given_names(codec, table.drop_columns(["sick", "tags"]), "auto") == [
        t for t in TARGETS if t not in ("sick", "tags")
    ]
    assert given_names(codec, table.select(["width"]), "auto") == []


def test_a_name_that_is_no_target_is_refused(codec, table):
    with pytest.raises(
        DataError,
        match=r"given: 'wieght' is no target of this model; allowed: .*weight.*; "
        r"did you mean 'weight'\?",
    ):
        given_names(codec, table, ["wieght"])


def test_an_input_can_not_be_given(codec, table):
    with pytest.raises(
        DataError,
        match=r"given: 'colour' is no target of this model; .*; "
        r"give targets only; inputs are read anyway",
    ):
        given_names(codec, table, ["colour"])


def test_a_target_that_the_table_lacks_is_refused(codec, table):
    with pytest.raises(
        DataError,
        match=r"column 'calls': given, but not in the table; "
        r"add the column, empty where it was not measured, or leave it out of given",
    ):
        given_names(codec, table.drop_columns(["calls"]), ["calls"])


def test_all_faults_of_a_request_are_named_at_once(codec, table):
    with pytest.raises(DataError) as caught:
        given_names(codec, table.drop_columns(["calls"]), ["calls", "zzz", "sick", "colour"])
    assert len(caught.value.faults) == 3


def test_only_named_columns_are_read(codec, table):
    labels, every = given_labels(codec, table, ["sort", "tags"]), codec.labels(table)
    assert list(labels) == TARGETS
    for target, y in labels.items():
        if target in ("sort", "tags"):
            np.testing.assert_array_equal(y, every[target])
        else:
            assert np.isnan(y).all()
            assert y.shape == every[target].shape


def test_with_nothing_named_rows_are_counted_all_the_same(codec, table):
    assert {len(y) for y in given_labels(codec, table, []).values()} == {90}


def test_a_column_that_is_not_named_may_hold_anything(codec, table):
    place = table.column_names.index("weight")
    broken = table.set_column(place, "weight", pa.array(["many"] * 90))
    assert np.isnan(given_labels(codec, broken, ["sick"])["weight"]).all()


def test_a_given_value_of_the_wrong_type_is_refused_as_in_training(codec, table):
    place = table.column_names.index("weight")
    broken = table.set_column(place, "weight", pa.array(["3"] * 5 + ["many"] * 85))
    with pytest.raises(DataError, match=r"'weight', row 5: 'many' is not a number"):
        given_labels(codec, broken, ["weight"])


def replaced(table, **columns):
    for name, values in columns.items():
        table = table.set_column(table.column_names.index(name), name, pa.array(values))
    return table


def test_given_labels_that_are_no_class_are_refused_and_gathered_over_targets(codec, table):
    strange = replaced(
        table,
        sort=["a", "b", "B "] * 30,
        sick=["yes", "noo", None] * 30,
        level=[9, 0, 1] * 30,
        tags=[["p"], ["q", "zebra"], None] * 30,
        weight=[1.0, float("inf"), 3e5] * 30,
    )
    with pytest.raises(DataError) as caught:
        given_labels(codec, strange, ["sort", "sick", "level", "tags", "weight"])
    found = "\n".join(caught.value.faults)
    assert len(caught.value.faults) == 5
    for text in (
        "column 'sort', row 2: 'B ' given, which is no class of this model (30 such); "
        "allowed: a, b, c; did you mean 'b'?",
        "column 'sick', row 1: 'noo' given, which is no class of this model (30 such)",
        "did you mean 'no'?",
        "column 'level', row 0: '9' given",
        "column 'tags', row 1: 'zebra' given",
        "mend it, or leave it empty where it is not known",
        "column 'weight', row 1 and 29 more rows: inf given, which can't be read as number",
    ):
        assert text in found


def test_given_columns_without_any_value_are_warned_of(codec, table):
    empty = replaced(table, sort=[None] * 90)
    text = "given: none of 90 rows has a value of sort; the prediction"
    with pytest.warns(UserWarning, match=text):
        given_labels(codec, empty, ["sort"])
    given_labels(codec, empty, ["sort", "sick"])  # some are not measured yet
    given_labels(codec, empty, ["sort"], planning=True)


def test_auto_passes_over_columns_that_are_to_be_filled_in(codec, table):
    assert given_names(codec, replaced(table, sort=[""] * 90, sick=[None] * 90), "auto") == [
        t for t in codec.target_kinds if t not in ("sort", "sick")
    ]


@pytest.mark.parametrize(
    ("target", "values", "text"),
    [
        ("weight", [3e5, 9e9, None], r"column 'weight', row 1: 9000000000.0 is outside of what"),
        ("calls", [1, 900, 1000], r"column 'calls', row 1 and 1 more rows: 900 is outside"),
    ],
)
def test_a_value_outside_of_training_warns_with_its_row(codec, table, target, values, text):
    rows = table.slice(0, 3)
    rows = rows.set_column(rows.column_names.index(target), target, pa.array(values))
    with pytest.warns(UserWarning, match=text) as caught:
        given_labels(codec, rows, [target])
    assert len(caught) == 1
    assert "predictions that rest on it are extrapolated" in str(caught[0].message)


def test_values_of_training_do_not_warn(codec, table):
    given_labels(codec, table, TARGETS)
