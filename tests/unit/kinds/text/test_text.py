"""Text: words for prose, triples of characters for sequences."""

import numpy as np
import pyarrow as pa

from superpose.kinds import INPUT_KINDS

Text = INPUT_KINDS["text"]


def col(values):
    return pa.chunked_array([pa.array(values, pa.string())])


def test_words_ignore_case_and_punctuation():
    kind = Text.fit("x", col(["The red door!", "a blue door"]))
    one, other = kind.encode(col(["Door, RED", "door red"]))
    assert one.tolist() == other.tolist()


def test_unknown_words_are_1_and_padding_is_0():
    kind = Text.fit("x", col(["red door", "blue door"]))
    assert kind.encode(col(["zebra", ""])).tolist() == [[1, 0], [0, 0]]
    assert kind.vocabulary == 5


def test_chinese_signs_are_words():
    kind = Text.fit("x", col(["很好吃", "不好吃"]))
    assert kind.unit == "word"
    assert kind.length == 3
    assert (kind.encode(col(["好吃"])) > 1).sum() == 2


def test_molecules_are_read_by_characters_and_keep_their_case():
    kind = Text.fit("x", col(["CCO[C@H]CNC=O", "c1ccccc1CCO", "CC(=O)OC1=CC=CC"]))
    assert kind.unit == "character"
    upper, lower = kind.encode(col(["CCCCCC", "cccccc"]))
    assert upper.tolist() != lower.tolist()


def test_the_unit_can_be_chosen():
    assert Text.fit("x", col(["ab cd", "ef"]), unit="character").unit == "character"


def test_length_is_cut_at_64_and_at_the_95th_percentile():
    assert Text.fit("x", col(["w " * 500, "v " * 400])).length == 64
    assert Text.fit("x", col(["a b"] * 99 + ["w " * 500])).length == 2


def test_a_large_vocabulary_is_hashed():
    words = [f"w{i}" for i in range(6000)]
    kind = Text.fit("x", col([" ".join(words[i : i + 10]) for i in range(0, 6000, 10)]))
    assert kind.known is None
    block = kind.encode(col([" ".join(words[:10])]))
    assert kind.vocabulary == 4096
    assert 1 <= block.min() <= block.max() < 4096


def test_runs_for_trees_divide_the_rows():
    texts = ["good film", "bad film", "good film indeed", "bad film too"] * 5
    kind = Text.fit("x", col(texts))
    matrix, _, _ = kind.features(col([*texts, None]))
    good = np.array(["good" in text for text in texts])
    assert any((matrix[:-1, j] == good).all() for j in range(matrix.shape[1]))
    assert np.isnan(matrix[-1]).all()
    assert len(kind.grams) <= 256


def test_runs_do_not_reach_into_the_next_row():
    kind = Text.fit("x", col(["ab", "ba", "ab", "ba"]), unit="character")
    alone = kind.features(col(["ab"]))[0]
    among = kind.features(col(["zz", "ab", "ba"]))[0][1:2]
    np.testing.assert_array_equal(alone, among)


def test_one_text_in_all_rows_is_useless():
    assert Text.fit("x", col(["same text", "same text"])).drop_reason == "constant"
