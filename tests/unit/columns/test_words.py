"""Words that are divided already: lists and text, their places, their spelling."""

import numpy as np
import pyarrow as pa
import pytest

from superpose.columns._words import as_words, index_in_row, require_aligned, spelling
from superpose.errors import DataError
from superpose.kinds import INPUT_KINDS
from superpose.nn import TextEncoder, WordEncoder, encoder_of

Text = INPUT_KINDS["text"]


def col(values, kind=None):
    return pa.chunked_array([pa.array(values, kind)])


@pytest.mark.parametrize(
    "values",
    [
        col([["to", "be"], None, [], ["or", None]]),
        col([["to", "be"], None, [], ["or", None]], pa.large_list(pa.large_string())),
    ],
    ids=["list", "large list"],
)
def test_lists_keep_their_gaps(values):
    words, rows = as_words(values)
    assert words.to_pylist() == ["to", "be", "or", None]
    assert rows.tolist() == [0, 0, 3, 3]


def test_lists_of_one_length_are_lists():
    values = col([["a", "b"], ["c", "d"]], pa.list_(pa.string(), 2))
    assert as_words(values)[1].tolist() == [0, 0, 1, 1]


def test_text_is_divided_at_blanks_and_nowhere_else():
    words, rows = as_words(col(["  St. Louis  7:30\tno", None, ""]))
    assert words.to_pylist() == ["St.", "Louis", "7:30", "no"]
    assert rows.tolist() == [0] * 4


def test_indices_count_from_the_start_of_each_row():
    assert index_in_row(np.array([0, 0, 2, 2, 2]), 4).tolist() == [0, 1, 0, 1, 2]
    assert index_in_row(np.zeros(0, int), 2).tolist() == []


def test_spelling_tells_ends_from_beginnings_and_shape_from_letters():
    walking, talking, ing, number, other = spelling(["walking", "Talking", "ing", "838", "1110"])
    assert (walking[3:6] == talking[3:6]).all()
    assert (walking[:3] != talking[:3]).all()
    assert walking[6] != talking[6]
    assert number[6] == other[6]  # digits, however many
    assert not set(ing[:3]) & set(walking[3:6])
    assert spelling([]).shape == (0, 7)


def test_counts_that_differ_are_named_with_their_row():
    words, labels = col([["a", "b"], ["c"], ["d"]]), col([["x", "y"], ["x", "y"], ["z", "z"]])
    with pytest.raises(DataError) as caught:
        require_aligned("slots", labels, of="words", words=words)
    assert str(caught.value) == (
        "column 'slots', row 1: 2 labels for the 1 words of 'words'; so it is in 1 more row; "
        "allowed: one label for each word, null for a word whose label is not known; "
        "mend the row, or leave its labels out"
    )


def test_rows_without_labels_need_not_have_as_many():
    require_aligned("y", col([None, ["x"]]), of="w", words=col([["a", "b"], ["c"]]))
    require_aligned("y", col(["", "x"]), of="w", words=col(["a b", "c"]))
    with pytest.raises(DataError, match="row 0: 0 labels for the 2 words"):
        require_aligned("y", col([[], ["x"]]), of="w", words=col([["a", "b"], ["c"]]))


# words as an input --------------------------------------------------------------------------------


def test_lists_of_words_are_read_as_they_are_divided():
    kind = Text.fit("w", col([["St.", "Louis"], ["a", "b", "c"]]))
    assert (kind.unit, kind.length, kind.target_options) == ("divided", 3, {"places": 3})
    block = kind.encode(col([["st.", "zebra"], None]))
    assert block.shape == (2, 3, 8)
    assert (block[0, :, 0] > 1).tolist() == [True, False, False]
    assert block[0, 1, 0] == 1  # unknown, but spelled
    assert (block[0, 1, 1:] > 0).all()
    assert not block[1].any()
    assert isinstance(encoder_of([kind], 16), WordEncoder)


def test_text_is_divided_at_blanks_where_its_words_have_labels():
    kind = Text.fit("w", col(["St. Louis", "a b c"]), unit="divided")
    lists = Text.fit("w", col([["St.", "Louis"], ["a", "b", "c"]]))
    assert kind == lists
    np.testing.assert_array_equal(kind.encode(col(["a St."])), lists.encode(col([["a", "St."]])))


def test_a_gap_in_a_list_keeps_its_location():
    kind = Text.fit("w", col([["a", None, "b"], ["c"]]))
    block = kind.encode(col([["a", None, "b"]]))
    assert (block[0, :, 0] > 0).all()
    assert (block[0, 1] == kind.encode(col([[""]]))[0, 0]).all()


def test_prose_has_no_locations():
    kind = Text.fit("x", col(["a red door", "a blue door"]))
    assert not kind.target_options
    assert isinstance(encoder_of([kind], 16), TextEncoder)


def test_the_longest_row_sets_the_locations_up_to_a_limit():
    assert Text.fit("w", col([["a"]] * 99 + [["b"] * 90])).length == 90
    assert Text.fit("w", col([["a"] * 400, ["b"]])).length == 256


def test_words_beyond_the_longest_row_are_noted():
    kind = Text.fit("w", col([["a", "b"], ["c"]]))
    with pytest.warns(UserWarning, match="input 'w', row 1: 3 words; the longest row that is read"):
        block = kind.encode(col([["a"], ["a", "b", "c"]]))
    assert block.shape == (2, 2, 8)


def test_rare_words_beyond_the_limit_are_read_by_their_spelling(monkeypatch):
    monkeypatch.setattr("superpose.kinds.text._text.MOST_WORDS", 2)
    kind = Text.fit("w", col([["a", "b", "c"], ["a", "b"]]))
    assert kind.vocabulary == 4
    assert sorted(kind.encode(col([["a", "b"]]))[0, :2, 0]) == [2, 3]
    assert kind.encode(col([["c"]]))[0, 0, 0] == 1


def test_trees_read_runs_of_divided_words():
    kind = Text.fit("w", col([["good", "film"], ["bad", "film"]] * 5))
    matrix, _, _ = kind.features(col([["good", "film"], ["bad", "film"], None]))
    assert any(matrix[0, j] != matrix[1, j] for j in range(1, matrix.shape[1]))
    assert matrix[:2, 0].tolist() == [2, 2]
    assert np.isnan(matrix[2]).all()
