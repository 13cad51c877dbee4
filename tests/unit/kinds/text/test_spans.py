"""Spans that labels mark, their scores, and the likeliest labels that form whole spans."""

import itertools

import numpy as np
import pytest

from superpose.kinds.text._spans import Marks

NAN = float("nan")


def tags(labels, *rows):
    """Label indices (N, S), -1 beyond the end of a row."""
    longest = max(map(len, rows))
    return np.array([[labels.index(x) for x in row] + [-1] * (longest - len(row)) for row in rows])


def found(labels, row):
    """The spans of a row as (first, last, type), read one word at a time."""
    marks = Marks.of(labels)
    keys, types = marks.keys(tags(labels, row))
    width = (len(row) + 1) * (len(marks.types) + 1)
    return sorted(
        (int(k // width), int(k // width + k % width // (len(marks.types) + 1)), marks.types[t])
        for k, t in zip(keys, types, strict=True)
    )


IOB = ["B-a", "B-b", "I-a", "I-b", "O"]
BIOES = ["B-a", "E-a", "I-a", "O", "S-a"]


@pytest.mark.parametrize(
    ("labels", "row", "spans"),
    [
        (IOB, ["O", "B-a", "I-a", "O"], [(1, 2, "a")]),
        (IOB, ["B-a", "B-a", "I-a"], [(0, 0, "a"), (1, 2, "a")]),
        (IOB, ["B-a", "I-b", "I-b"], [(0, 0, "a"), (1, 2, "b")]),
        (IOB, ["O", "I-a", "I-a"], [(1, 2, "a")]),  # IOB1, or a slip: a span all the same
        (IOB, ["O", "O"], []),
        (IOB, ["B-a"], [(0, 0, "a")]),
        (BIOES, ["S-a", "S-a", "B-a", "I-a", "E-a", "O"], [(0, 0, "a"), (1, 1, "a"), (2, 4, "a")]),
        (BIOES, ["B-a", "E-a", "I-a"], [(0, 1, "a"), (2, 2, "a")]),
        (["DET", "NOUN"], ["DET", "NOUN"], [(0, 0, "DET"), (1, 1, "NOUN")]),
    ],
)
def test_spans_are_those_of_the_shared_tasks(labels, row, spans):
    assert found(labels, row) == spans


def test_a_span_does_not_run_into_the_next_row():
    marks = Marks.of(IOB)
    keys, _ = marks.keys(tags(IOB, ["O", "B-a"], ["I-a", "O"]))
    assert len(keys) == 2


def test_scores_are_those_that_the_package_seqeval_prints_for_its_example():
    labels = ["B-MISC", "B-PER", "I-MISC", "I-PER", "O"]
    true = tags(labels, ["O", "O", "O", "B-MISC", "I-MISC", "I-MISC", "O"], ["B-PER", "I-PER", "O"])
    pred = tags(
        labels, ["O", "O", "B-MISC", "I-MISC", "I-MISC", "I-MISC", "O"], ["B-PER", "I-PER", "O"]
    )
    counts = Marks.of(labels).counts(true, pred)
    assert Marks.of(labels).types == ["MISC", "PER"]
    assert counts.tolist() == [[0, 1, 1], [1, 1, 1]]  # F1 0, 1 and, over both, 0.5


def test_a_span_of_another_type_or_length_or_row_is_wrong():
    marks, true = Marks.of(IOB), tags(IOB, ["B-a", "I-a", "O"], ["O", "O", "O"])
    for result in (
        ["B-b", "I-b", "O"],
        ["B-a", "O", "O"],
        ["B-a", "I-a", "I-a"],
        ["O", "B-a", "I-a"],
    ):
        assert marks.counts(true, tags(IOB, result, ["O", "O", "O"]))[:, 0].sum() == 0
    assert marks.counts(true, true[::-1])[:, 0].sum() == 0


def test_of_plain_labels_f1_is_the_share_of_right_words():
    labels = ["ADJ", "NOUN", "VERB"]
    rng = np.random.default_rng(0)
    true, pred = rng.integers(0, 3, (2, 20, 6))
    right, sentences, there = Marks.of(labels).counts(true, pred).sum(axis=0)
    assert sentences == there == true.size
    assert right == (true == pred).sum()


def test_one_label_without_a_mark_makes_all_of_them_plain():
    assert not Marks.of(["B-a", "NOUN"]).spans
    assert not Marks.of(["O"]).spans
    assert Marks.of(["B-a", "O"]).spans


# the likeliest labels -----------------------------------------------------------------------------


def by_hand(marks, p):
    """The best path of one row, by trying all."""
    positions, size = p.shape
    best, top = None, -np.inf
    for path in itertools.product(range(size), repeat=positions):
        before = (-1, *path[:-1])
        bound = [marks.before[k] for k in path]
        if any(b[0] > -2 and (x < 0 or x not in b) for x, b in zip(before, bound, strict=True)):
            continue
        score = np.log(p[np.arange(positions), path]).sum()
        if score > top:
            best, top = path, score
    return list(best)


@pytest.mark.parametrize("seed", range(10))
def test_the_best_labels_are_the_likeliest_of_all_that_form_whole_spans(seed):
    rng, marks = np.random.default_rng(seed), Marks.of(IOB)
    p = rng.dirichlet(np.full(5, 0.5), (6, 4))
    p[2, 2:] = NAN
    pred = marks.best(p)
    for row in range(6):
        positions = 2 if row == 2 else 4
        assert pred[row, :positions].tolist() == by_hand(marks, p[row, :positions])
    assert pred[2, 2:].tolist() == [-1, -1]


def test_whole_spans_can_cost_a_word_its_likeliest_label():
    marks = Marks.of(IOB)
    p = np.array([[[0.1, 0.1, 0.1, 0.1, 0.6], [0.4, 0.02, 0.5, 0.02, 0.06]]])
    assert marks.best(p).tolist() == [[4, 0]]  # O B-a, not O I-a


def test_plain_labels_are_each_words_likeliest():
    p = np.random.default_rng(0).dirichlet(np.ones(3), (5, 4))
    p[1, 3] = NAN
    pred = Marks.of(["x", "y", "z"]).best(p)
    assert pred[1, 3] == -1
    assert (pred[0] == p[0].argmax(-1)).all()


def test_many_rows_are_labelled_as_few(monkeypatch):
    marks = Marks.of(IOB)
    p = np.random.default_rng(0).dirichlet(np.full(5, 0.5), (40, 4))
    whole = marks.best(p)
    monkeypatch.setattr("superpose.kinds.text._spans.CHUNK", 60)
    assert (marks.best(p) == whole).all()
    assert marks.best(p[:0]).shape == (0, 4)


def test_labels_that_often_begin_a_span_may_do_so():
    iob1 = tags(IOB, ["O", "I-a", "I-a", "O"], ["I-b", "O"], ["B-b", "I-b"])
    assert Marks.of(IOB).loose(iob1, IOB) == ["I-a", "I-b"]
    slip = tags(IOB, ["O", "I-a"], *[["B-a", "I-a", "B-b", "I-b"]] * 40)
    assert Marks.of(IOB).loose(slip, IOB) == []
    free = Marks.of(IOB, ["I-a"])
    p = np.array([[[0.1, 0.1, 0.1, 0.1, 0.6], [0.4, 0.02, 0.5, 0.02, 0.06]]])
    assert free.best(p).tolist() == [[4, 2]]
