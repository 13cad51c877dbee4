"""The facts of a run survive being split into JSON and arrays."""

import json

import numpy as np

from superpose.models import join_facts, plain, split_facts


def test_facts_come_back_as_they_were() -> None:
    facts = {
        "seed": 3,
        "transfer": [{"target": "a/b", "delta": 1.5}],
        "plots": {
            "a/b": {"y": np.array([1.0, np.nan]), "labels": ["no", "yes"]},
            "c": {"y": np.arange(3), "labels": []},
        },
    }
    words, arrays = split_facts(facts)
    again = join_facts(json.loads(json.dumps(words)), arrays)
    assert again.keys() == facts.keys()
    assert again["transfer"] == facts["transfer"]
    for target, plot in facts["plots"].items():
        assert again["plots"][target]["labels"] == plot["labels"]
        np.testing.assert_array_equal(again["plots"][target]["y"], plot["y"])


def test_splitting_leaves_the_facts_alone() -> None:
    facts = {"plots": {"a": {"y": np.arange(3)}}}
    split_facts(facts)
    assert list(facts["plots"]["a"]) == ["y"]


def test_facts_without_plots_are_facts() -> None:
    words, arrays = split_facts({"seed": np.int64(1)})
    assert (words, arrays) == ({"seed": 1, "plots": {}}, {})


def test_what_json_has_no_word_for_becomes_null() -> None:
    assert plain({"a": (np.float32(0.5), float("inf")), 1: np.array([np.nan])}) == {
        "a": [0.5, None],
        "1": [None],
    }
