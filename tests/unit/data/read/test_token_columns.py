"""Targets with a label for each word: which input they are of, and rows whose counts differ."""

import json
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from superpose.config import Config
from superpose.data import Codec, Schema, find_leaks, infer_schema, make_split
from superpose.errors import ConfigError, DataError

WORDS = [["to", "new", "york"], ["fares"], ["from", "rome"], ["a", "b", "c", "d"]]
SLOTS = [["O", "B-c", "I-c"], ["O"], ["O", "B-c"], None]
TABLE = pa.table(
    {
        "words": WORDS,
        "slots": SLOTS,
        "text": [" ".join(w) for w in WORDS],
        "tags": [None if s is None else " ".join(s) for s in SLOTS],
        "intent": ["fly", "pay", "fly", "pay"],
        "n": [1.0, 2.5, 3.5, 4.5],
    }
)
SLOT = {"name": "slots", "kind": "tokens", "of": "words"}


def schema(table: pa.Table = TABLE, **arguments: Any) -> Any:
    return infer_schema(table, Config.from_arguments(**arguments))


def faults(table: pa.Table = TABLE, **arguments: Any) -> list[str]:
    with pytest.raises(DataError) as caught:
        schema(table, **arguments)
    return list(caught.value.faults)


def test_the_input_is_read_as_divided_words() -> None:
    inferred = schema(targets=[SLOT, "intent"], ignore=["text", "tags", "n"])
    assert [(s.name, s.kind, s.options) for s in inferred.inputs] == [
        ("words", "text", {"unit": "divided"})
    ]
    assert [(s.name, s.kind, s.options) for s in inferred.targets] == [
        ("slots", "tokens", {"of": "words"}),
        ("intent", "binary", {}),
    ]


def test_text_with_blanks_serves_as_words_and_as_labels() -> None:
    target = {"name": "tags", "kind": "tokens", "of": "text"}
    inferred = schema(targets=[target], inputs=["text"])
    assert inferred.inputs[0].options == {"unit": "divided"}


def test_of_alone_says_the_kind() -> None:
    inferred = schema(targets=[{"name": "tags", "of": "text"}], inputs=["text"])
    assert (inferred.targets[0].kind, inferred.targets[0].reason) == (
        "tokens",
        "of given",
    )


def test_lists_as_long_as_those_of_words_are_labels_of_them() -> None:
    inferred = schema(targets=["slots"], inputs=["words"])
    assert inferred.targets[0].kind == "tokens"
    assert inferred.targets[0].options == {"of": "words"}


def test_lists_of_another_length_are_sets() -> None:
    table = TABLE.set_column(1, "slots", pa.array([["a"], ["b", "a"], ["c"], []]))
    assert schema(table, targets=["slots"], inputs=["n", "text"]).targets[0].kind == "multilabel"


def test_the_only_text_is_the_one() -> None:
    inferred = schema(targets=[{"name": "tags", "kind": "tokens"}], inputs=["text", "n"])
    assert inferred.targets[0].options == {"of": "text"}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (
            {"targets": [{"name": "tags", "kind": "tokens"}], "inputs": ["words", "text"]},
            "targets[0].of: target 'tags' does not say which input its labels are of; allowed: "
            "words, text; write `of:` with the name of the input",
        ),
        (
            {"targets": [{**SLOT, "of": "wrds"}]},
            "targets[0].of: column 'wrds' is not in the table; allowed: the columns words, slots, "
            "text, tags, intent, n; did you mean 'words'?",
        ),
        (
            {"targets": [SLOT], "ignore": ["words"]},
            "targets[0].of: 'words' is no text among the inputs; allowed: text, tags, intent, n; "
            "take it up under inputs, or out of ignore",
        ),
        (
            {"targets": [SLOT], "inputs": [{"name": "words", "kind": "multicategory"}, "n"]},
            "targets[0].of: 'words' is no text among the inputs; allowed: n; take it up under "
            "inputs, or out of ignore",
        ),
        (
            {"targets": [{**SLOT, "of": "n"}]},
            "targets[0].of: column 'n' holds double; allowed: lists of words, or text with blanks "
            "between the words",
        ),
        (
            {"targets": [{**SLOT, "name": "tags", "of": "intent"}]},
            "targets[0]: column 'tags', row 0: 3 labels for the 1 words of 'intent'; so it is in 1 "
            "more row; allowed: one label for each word, null for a word whose label is not known; "
            "mend the row, or leave its labels out",
        ),
    ],
)
def test_what_the_labels_are_of_has_one_clear_error(
    arguments: dict[str, Any], expected: str
) -> None:
    assert faults(**arguments) == [expected]


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (
            {"name": "y", "kind": "category", "of": "x"},
            "targets[0].of: of given for a column of kind category; of belongs to kind tokens or "
            "mask or boxes or map; "
            "remove it, or write `kind: tokens`",
        ),
        (
            {"name": "y", "of": "y"},
            "targets[0].of: 'y' is the target itself; name the input that the target is of",
        ),
    ],
)
def test_wrong_settings_are_refused(target: dict[str, Any], expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Config.from_arguments(targets=[target])
    assert str(caught.value) == expected


# the codec ----------------------------------------------------------------------------------------

PLAIN = {"targets": [SLOT, "intent"], "ignore": ["text", "tags", "n"]}


def fitted(rows: int = 3) -> Codec:
    return Codec.fit(TABLE, schema(**PLAIN), np.arange(rows))


def test_labels_have_the_locations_of_their_input() -> None:
    codec = fitted()
    assert (
        codec.target_kinds["slots"].distribution.n_columns == 9
    )  # 3 words of training rows, 3 labels
    name = codec.group_of("words")
    assert codec.inputs(TABLE.slice(0, 3))[name].shape == (3, 3, 8)
    assert codec.labels(TABLE.slice(0, 3))["slots"].shape == (3, 3)


def test_a_table_without_labels_has_missing_ones() -> None:
    labels = fitted().labels(TABLE.select(["words"]))
    assert labels["slots"].shape == (4, 3)
    assert np.isnan(labels["slots"]).all()


def test_counts_that_differ_later_are_refused_too() -> None:
    later = TABLE.set_column(1, "slots", pa.array([["O"], ["O"], None, None]))
    with pytest.raises(DataError, match="column 'slots', row 0: 1 labels for the 3 words"):
        fitted().labels(later)


def test_a_codec_survives_json() -> None:
    codec = fitted()
    again = Codec.from_state(json.loads(json.dumps(codec.state())))
    np.testing.assert_array_equal(
        again.labels(TABLE.slice(0, 3))["slots"], codec.labels(TABLE.slice(0, 3))["slots"]
    )


def test_labels_of_words_that_are_not_read_are_refused() -> None:
    inferred = schema(**PLAIN)
    other = schema(targets="intent", inputs=["n"])
    gone = Schema(other.inputs, inferred.targets)
    with pytest.raises(DataError, match="input 'words' can't be read location by location"):
        Codec.fit(TABLE, gone, np.arange(3))


def test_splits_and_warnings_take_such_targets() -> None:
    rng = np.random.default_rng(0)
    words = [rng.choice(["to", "rome", "pay"], k).tolist() for k in rng.integers(1, 5, 60)]
    slots = [["B-c" if w == "rome" else "O" for w in row] for row in words]
    table = pa.table({"words": words, "slots": slots})
    config = Config.from_arguments(targets=["slots"])
    inferred = infer_schema(table, config)
    split = make_split(table, config, inferred)
    has = np.array(["B-c" in row for row in slots])
    shares = [has[part].mean() for part in (split.train, split.validation, split.test)]
    assert max(shares) - min(shares) < 0.15  # dealt by which labels a row has
    assert all("disguise" not in line for line in find_leaks(table, inferred, split))
