"""Labels that nearly mark spans: other spellings are read, slips are said, other labels stay."""

import numpy as np
import pyarrow as pa
import pytest

from superpose.columns._span_labels import read_span_labels
from superpose.kinds import TARGET_KINDS
from superpose.kinds.text._spans import as_tags

Tokens = TARGET_KINDS["tokens"]
SENTENCE = ["O", "B-city", "I-city", "O", "B-day"]
MANY = [SENTENCE] * 60


def fitted(rows, **options):
    return Tokens.fit("y", pa.chunked_array([rows]), **options)


def slipped(label, position=2):
    """Sixty sentences, one of which has another label at a place."""
    return [*MANY[:3], [*SENTENCE[:position], label, *SENTENCE[position + 1 :]], *MANY[4:]]


@pytest.mark.parametrize(
    ("spell", "types"),
    [
        (lambda x: x[0], ["span"]),
        (lambda x: x[0].lower(), ["span"]),
        (lambda x: x if x == "O" else f"{x[2:]}-{x[0]}", ["city", "day"]),
        (str.lower, ["city", "day"]),
        (lambda x: x.replace("-", "_"), ["city", "day"]),
        (lambda x: x.replace("-", ":").replace("O", "0"), ["city", "day"]),
        (lambda x: x.replace("O", "_"), ["city", "day"]),
        (lambda x: x.replace("I-", "M-"), ["city", "day"]),
        (lambda x: x.replace("I-", "E-").replace("B-day", "S-day"), ["city", "day"]),
        (lambda x: x.replace("I-", "L_").replace("B-day", "U_day").replace("B-", "B_"), None),
    ],
)
def test_other_spellings_mark_the_same_spans(spell, types):
    rows = [[spell(x) for x in row] for row in MANY]
    kind = fitted(rows)
    assert kind.marks.spans
    assert kind.marks.types == (types or ["city", "day"])
    keys, _ = kind.marks.keys(as_tags(kind.encode(pa.chunked_array([rows]))))
    assert len(keys) == 2 * len(rows)
    pred = kind.decode(kind.distribution.point_mass(kind.encode(pa.chunked_array([rows]))))[
        "y"
    ].to_pylist()
    assert pred == rows  # predictions have the user's own spelling
    assert not kind.notes
    back = Tokens.from_state(kind.state())
    assert back.marks.types == kind.marks.types


def test_what_is_read_as_marks_is_noted_with_its_count():
    kind = fitted([["O", "city-B", "city-I"]] * 20)
    assert kind.conversions == [
        "column 'y': 2 labels (40 words) are read as marks of spans: 'city-B' as 'B-city', "
        "'city-I' as 'I-city'"
    ]
    assert not fitted(MANY).conversions


def test_mixed_case_of_signs_is_one_label():
    rows = [*MANY[:30], *[[x.replace("B-", "b-") for x in SENTENCE]] * 30]
    kind = fitted(rows)
    assert kind.levels == ["B-city", "B-day", "I-city", "O"]
    assert kind.counts == [60, 60, 60, 120]
    assert "'b-city' as 'B-city'" in kind.conversions[0]
    assert not np.isnan(kind.encode(pa.chunked_array([rows]))).any()


@pytest.mark.parametrize(
    ("label", "read"),
    [
        ("I city", "'I-city'"),
        ("i-city", "'I-city'"),
        ("Icity", "'I-city'"),
        ("I-City", "'I-city'"),
        ("city-I", "'I-city'"),
        ("I\u2013city", "'I-city'"),
        ("?", "no label"),
    ],
)
def test_one_slip_is_noted_and_leaves_the_spans(label, read):
    rows = slipped(label)
    kind = fitted(rows)
    assert kind.marks.spans
    assert kind.levels == ["B-city", "B-day", "I-city", "O"]
    assert kind.notes == [
        f"target 'y': label {label!r} (1 word, first beside ['O', 'B-city', {label!r}, 'O', "
        f"'B-day']) does not mark spans as the others do and is read as {read}; mend it if it "
        f"means another"
    ]
    y = kind.encode(pa.chunked_array([rows]))
    assert np.isnan(y[3, 2]) == (read == "no label")


def test_types_that_differ_in_case_and_are_frequent_both_are_kept_and_noted():
    kind = fitted([["O", "B-city", "B-City"]] * 30)
    assert kind.marks.types == ["City", "city"]
    assert "the types 'City' and 'city' of spans differ in case only" in kind.notes[0]


def test_labels_of_another_sort_beside_marks_are_noted():
    kind = fitted([["O", "B-city", "NOUN", "VERB"]] * 30)
    assert not kind.marks.spans
    assert kind.notes == [
        "target 'y': 'NOUN' (30 words), 'VERB' (30 words) mark no span as the other labels do, so "
        "that every word is scored alone, those outside of spans too; write O for what is outside "
        "of spans, and null for words without a label"
    ]


@pytest.mark.parametrize(
    "labels",
    [
        ["ADJ", "NOUN", "VERB", "X"],
        ["nsubj", "nsubj:pass", "obj", "acl:relcl", "root"],
        ["NN", "VV", "PU", "M", "LC"],
        ["B", "M", "E", "S"],
        ["A", "B", "I", "O"],
        ["I", "O"],
        ["O", "e-mail", "b-cell", "u-turn"],
        ["0", "1", "2"],
        ["O"],
    ],
)
def test_labels_that_mark_no_spans_stay_as_they_are(labels):
    assert read_span_labels(dict.fromkeys(labels, 50)) is None


def test_letters_that_stand_in_any_order_are_no_spans():
    rng = np.random.default_rng(0)
    rows = [list(rng.choice(["B", "I", "O"], 6)) for _ in range(100)]
    kind = fitted(rows)
    assert not kind.marks.spans
    assert not kind.conversions
    assert kind.levels == ["B", "I", "O"]
    assert sum(kind.counts) == 600


def test_minus_100_is_no_label_and_noted_with_its_count():
    rows = [[0, -100, 1], [-100, -100], [2, 1]] * 5
    kind = fitted(rows)
    assert kind.levels == ["0", "1", "2"]
    assert kind.conversions == [
        "column 'y': -100 is the label of 15 words, which are read as words without one"
    ]
    y = kind.encode(pa.chunked_array([rows]))
    assert np.isnan(y[1]).all()
    assert y[0, 0] == 0
    assert np.isnan(y[0, 1])
    text = fitted(["O -100 B-a", "O B-a -100"] * 5)
    assert text.marks.types == ["a"]
    assert "-100 is the label of 10 words" in text.conversions[0]


def test_minus_100_is_no_label_of_rows_that_are_scored_either():
    kind = fitted([[0, 1], [1, 0]])
    np.testing.assert_array_equal(kind.encode(pa.chunked_array([[[-100, 1]]])), [[np.nan, 1]])


def test_numbers_below_0_stay_labels():
    assert fitted([[-200, -100], [5, -100]] * 3).levels == ["-200", "-100", "5"]


def test_minus_1_is_a_class_that_is_warned_of():
    kind = fitted([[0, -1, 1], [1, 0, -1]])
    assert kind.levels == ["-1", "0", "1"]
    assert kind.notes[0].startswith("target 'y': label -1 (2 words) is taken as a class; write nul")
