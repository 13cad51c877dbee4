"""Histories: the newest members, newest first, and what trees read of them."""

import numpy as np
import pyarrow as pa
import pytest
import torch

from superpose.kinds import INPUT_KINDS
from superpose.nn import encoder_of

Sequence = INPUT_KINDS["sequence"]


def col(values):
    return pa.chunked_array([pa.array(values)])


def test_the_newest_members_are_read_newest_first():
    kind = Sequence.fit("h", col([["a", "b", "a", "c"], ["a"]]), length=3)
    assert kind.levels == ["a", "b", "c"]
    codes = {name: code for code, name in enumerate(kind.levels, start=2)}
    assert kind.encode(col([["b", "a", "c", "b"], []])).tolist() == [
        [codes["b"], codes["c"], codes["a"]],
        [0, 0, 0],
    ]
    assert Sequence.from_state(kind.state()).encode(col([["z", None, "a"]])).tolist() == [
        [codes["a"], 1, 0]
    ]


def test_text_with_blanks_is_a_history_too():
    kind = Sequence.fit("h", col(["milk tea", "tea", None]))
    assert kind.encode(col(["tea milk"]))[0, :2].tolist() == [3, 2]


def test_trees_read_the_newest_the_length_and_counts():
    kind = Sequence.fit("h", col([["a", "b", "a"], ["b"], None]))
    matrix, codes, names = kind.features(col([["a", "b", "a"], ["b"], None]))
    assert names == ["h (newest)", "h (length)", "h (a)", "h (b)"]
    assert codes == [True, False, False, False]
    assert matrix[:2].tolist() == [[2, 3, 2, 1], [3, 1, 0, 1]]
    assert np.isnan(matrix[2]).all()


def test_the_order_of_a_history_reaches_the_network():
    kind = Sequence.fit("h", col([["a", "b"], ["b", "a"]]))
    torch.manual_seed(0)
    encoder = encoder_of([kind], 16)
    there, back = encoder(torch.from_numpy(kind.encode(col([["a", "b"], ["b", "a"]]))))
    assert not torch.allclose(there, back)


@pytest.mark.parametrize("values", [[None, None], [[], []]])
def test_a_column_without_members_is_empty(values):
    column = pa.chunked_array([pa.array(values, pa.list_(pa.string()))])
    assert Sequence.fit("h", column).drop_reason == "empty"
