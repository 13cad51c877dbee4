"""A label for each word: gaps, whole spans, scores, and what is told of a labelled row."""

import numpy as np
import pyarrow as pa
import pytest
import torch

from superpose.errors import DataError
from superpose.kinds import TARGET_KINDS, Beside
from superpose.nn import head_of

Tokens = TARGET_KINDS["tokens"]
NAN = float("nan")
ROWS = [["O", "B-a", "I-a"], ["O"], None, ["B-b", None, "O"]]


def col(values, kind=None):
    return pa.chunked_array([pa.array(values, kind)])


@pytest.fixture
def kind():
    return Tokens.fit("y", col(ROWS), of="w")


def test_labels_stand_at_their_locations(kind):
    assert kind.levels == ["B-a", "B-b", "I-a", "O"]
    assert kind.places == 3
    np.testing.assert_array_equal(
        kind.encode(col(ROWS)), [[3, 0, 2], [3, NAN, NAN], [NAN] * 3, [1, NAN, 3]]
    )


def test_text_with_blanks_is_read_and_given_back_as_text():
    values = col(["O B-a I-a", "O", None, "B-b O O"])
    kind = Tokens.fit("y", values)
    assert (
        kind.decode(kind.distribution.point_mass(kind.encode(values)))["y"].to_pylist()
        == values.to_pylist()
    )


def test_numbers_as_labels_come_back_as_numbers():
    values = col([[1, 10], [2], None])
    kind = Tokens.fit("y", values)
    assert kind.levels == ["1", "2", "10"]
    assert (
        kind.decode(kind.distribution.point_mass(kind.encode(values)))["y"].to_pylist()
        == values.to_pylist()
    )


def test_a_word_without_a_label_comes_back_as_a_gap(kind):
    back = kind.decode(kind.distribution.point_mass(kind.encode(col(ROWS))))["y"]
    assert back.to_pylist() == ROWS


def test_an_unseen_label_counts_as_missing_and_is_named(kind):
    with pytest.warns(UserWarning, match="target 'y', row 1: label 'B-z' did not occur"):
        y = kind.encode(col([["O"], ["O", "B-z"]]))
    np.testing.assert_array_equal(y, [[3, NAN, NAN], [3, NAN, NAN]])


def test_too_many_labels_are_refused():
    with pytest.raises(DataError, match=r"1200 different labels; at most 1000 .* holds labels"):
        Tokens.fit("y", col([[f"x{i}" for i in range(1200)], ["x1"]]))


def test_one_label_only_is_a_constant():
    assert Tokens.fit("y", col([["O", "O"], ["O"]])).constant_reason == (
        "every labelled word is 'O'"
    )


def test_the_losses_of_a_row_are_means_over_its_labelled_words(kind):
    y = kind.encode(col(ROWS))
    p = np.full((4, 3, 4), 0.25)
    p[3, 0] = [0.1, 0.7, 0.1, 0.1]
    even, sure = 0.75**2 + 3 * 0.25**2, 0.3**2 + 3 * 0.1**2
    loss = kind.distribution.row_loss(y, p.reshape(4, -1))
    np.testing.assert_allclose(loss, [even, even, NAN, (even + sure) / 2])
    expected = [np.log(4), np.log(4), NAN, -(np.log(0.7) + np.log(0.25)) / 2]
    likelihood = kind.distribution.log_prob(y, p.reshape(4, -1))
    np.testing.assert_allclose(-likelihood, np.array(expected) * [3, 1, 1, 2])
    raw = torch.as_tensor(np.log(p)).flatten(1).float()
    result = head_of(kind).loss(raw, torch.as_tensor(y))
    np.testing.assert_allclose(result, np.nan_to_num(expected), rtol=1e-5)


def test_outputs_that_end_early_are_evaluated_where_they_are(kind):
    y = torch.as_tensor(kind.encode(col([["O"], ["B-b"]])))
    out = torch.randn(2, 12)
    torch.testing.assert_close(head_of(kind).loss(out[:, :4], y), head_of(kind).loss(out, y))


def test_locations_that_a_row_lacks_send_no_gradient(kind):
    y = torch.as_tensor(kind.encode(col(ROWS)))
    out = torch.randn(4, 3, 4, requires_grad=True)
    there = torch.tensor([[1, 1, 1], [1, 0, 0], [0, 0, 0], [1, 1, 1]], dtype=torch.bool)
    raw = torch.where(there[..., None], out, torch.nan).flatten(1)
    loss = head_of(kind).loss(raw, y)
    loss.sum().backward()
    assert torch.isfinite(loss).all()
    assert torch.isfinite(out.grad).all()
    assert (out.grad[~there] == 0).all()


def test_a_word_that_was_passed_over_counts_and_a_row_unread_is_missing(kind):
    y = kind.encode(col([["O", "B-a"], ["O", "O"]]))
    p = np.full((2, 3, 4), 0.25, np.float32)
    p[0, 1:] = NAN
    p[1] = NAN
    loss = kind.distribution.row_loss(y, p.reshape(2, -1))
    assert loss[0] == pytest.approx((0.75 + 1) / 2)
    assert np.isnan(loss[1])


def test_a_constant_costs_no_memory_and_weighs_rows_alike():
    kind = Tokens.fit("y", col([["a"], ["b"] * 9]))
    y = kind.encode(col([["a"], ["b"] * 9]))
    assert kind.distribution.baseline(y)[:2] == pytest.approx([0.5, 0.5])
    baseline = np.broadcast_to(kind.distribution.baseline(y), (2, kind.distribution.n_columns))
    np.testing.assert_allclose(kind.distribution.row_loss(y, baseline), 0.5)


def test_predictions_sum_to_one_at_each_location(kind):
    pred = head_of(kind).link(torch.randn(5, 2, 3 * head_of(kind).n_outputs)).unflatten(-1, (3, 4))
    torch.testing.assert_close(pred.sum(-1), torch.ones(5, 2, 3))


def test_metrics_of_spans_words_and_rows(kind):
    y = kind.encode(col([["B-a", "I-a", "O"], ["B-b", "O", "O"]]))
    pred = kind.distribution.point_mass(
        kind.encode(col([["B-a", "I-a", "O"], ["B-a", "O", "B-b"]]))
    )
    metrics = kind.metrics(y, pred)
    assert metrics["precision"] == pytest.approx(1 / 3)
    assert metrics["recall"] == pytest.approx(1 / 2)
    assert metrics["f1"] == pytest.approx(2 / 5)
    assert metrics["accuracy"] == pytest.approx(4 / 6)
    assert metrics["whole_rows"] == pytest.approx(1 / 2)


def test_words_without_a_label_are_not_scored(kind):
    y = kind.encode(col([["B-a", None, "O"]]))
    pred = kind.distribution.point_mass(kind.encode(col([["B-a", "B-b", "O"]])))
    assert kind.metrics(y, pred)["f1"] == 1
    assert kind.metrics(y, pred)["whole_rows"] == 1


def test_labels_of_a_prediction_form_whole_spans(kind):
    p = np.full((1, 3, 4), 0.01)
    p[0, 0, 3] = p[0, 1, 2] = p[0, 2, 2] = 0.9  # O I-a I-a
    p[0, 1, 0] = 0.08
    assert kind.decode(p.reshape(1, -1))["y"].to_pylist() == [["O", "B-a", "I-a"]]


def test_probabilities_are_lists_as_long_as_the_row(kind):
    columns = kind.decode_proba(
        kind.distribution.point_mass(kind.encode(col([["O", "B-a"], None])))
    )
    assert columns["y=O"].to_pylist() == [[1.0, 0.0], None]
    assert list(columns) == [f"y={label}" for label in kind.levels]


def test_others_read_which_types_a_row_has(kind):
    assert kind.observed.n_columns == 2  # a and b
    read = kind.observed.encode(kind.encode(col([["B-a", "I-a", "O"], ["O"], None, ["B-b", None]])))
    np.testing.assert_array_equal(read, [[1, 0], [0, 0], [NAN, NAN], [0, 1]])
    np.testing.assert_array_equal(kind.strata(kind.encode(col([["O"]]))), [[0, 0]])


def test_spans_of_each_type_are_counted(kind):
    y = kind.encode(col([["B-a", "I-a", "B-b"]]))
    table = pa.table({"w": col([["a", "b", "c"]])})
    pred = kind.distribution.point_mass(kind.encode(col([["B-a", "O", "B-b"]])))
    facts = kind.plot(y, pred, Beside(table))
    assert facts["counts"].tolist() == [[0, 1, 1], [1, 1, 1]]


def test_it_describes_spans_and_plain_labels(kind):
    assert kind.describe() == "spans of 2 types (4 labels) over the words of 'w'"
    plain = Tokens.fit("y", col([["NOUN"], ["VERB"]]))
    assert plain.describe() == "one of 2 labels for each word of 'words'"


def test_labels_that_are_no_class_count_as_wrong_in_all_metrics():
    values = col([["O", "B-x", "O"], ["O", "B-x", "I-x"]])
    kind = TARGET_KINDS["tokens"].fit("y", values, of="words")
    pred, baseline = (
        kind.distribution.point_mass(kind.encode(values)),
        np.full(kind.distribution.n_columns, 1 / 3),
    )
    strange = col([["O", "B-new", "O"], ["O", "B-x", "I-x"]])
    unknown = kind.unknown(strange)
    assert (unknown.rows.tolist(), unknown.names) == ([0], ["B-new"])
    with pytest.warns(UserWarning, match="label 'B-new' did not occur in training; 1 such word"):
        y = kind.encode(strange)
    metrics = kind.metrics_with(unknown, strange, y=y, pred=pred, baseline=baseline)
    assert metrics["accuracy"] == pytest.approx(5 / 6)
    assert metrics["whole_rows"] == 0.5
    assert (metrics["precision"], metrics["recall"]) == (0.5, 0.5)
    assert metrics["score"] < 1
