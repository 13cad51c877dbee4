"""Counts, gains and sentences read as a person would say them."""

from __future__ import annotations

import math

import pytest

from superpose.report import _wording


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "–"),
        (math.nan, "–"),
        (0, "0.000"),
        (-0.5, "−0.500"),
        (0.000012, "1.2e-05"),
        (12.345, "12.35"),
        (812.04, "812.0"),
        (1_234_567, "1.23M"),
        (math.inf, "∞"),
    ],
)
def test_a_number_has_its_telling_digits(value, words):
    assert _wording.number(value) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [(3.14, "+3.1"), (-41.2, "−41"), (0.01, "0.0"), (-0.01, "0.0"), (9.97, "+10")],
)
def test_a_percentage_is_signed_unless_it_rounds_to_nothing(value, words):
    assert _wording.percent(value) == words


@pytest.mark.parametrize(
    ("verdicts", "sentence"),
    [
        ([], "There is no target to compare."),
        (["helped"], "Sharing helped 1 of 1 target."),
        (["not tested"] * 3, "Whether sharing helps was not tested."),
        (["harmed", "harmed"], "Sharing harmed 2 of 2 targets."),
        (
            ["no difference"] * 2,
            "Sharing helped 0 of 2 targets and made no difference for 2.",
        ),
        (
            ["helped", "harmed", "no difference", "not tested"],
            "Sharing helped 1 of 4 targets, made no difference for 1 and harmed 1. "
            "1 target could not be tested.",
        ),
        (
            ["no difference", "harmed"],
            "Sharing made no difference for 1 of 2 targets and harmed 1.",
        ),
    ],
)
def test_the_headline_counts_every_target(verdicts, sentence):
    assert _wording.headline([{"verdict": v} for v in verdicts]) == sentence


def test_what_ships_is_counted():
    rows = [{"shipped": s} for s in ("trees", "joint", "joint", "blend of joint and trees")]
    assert _wording.ships_in_words(rows) == (
        "What ships: the joint network for 2 targets, boosted trees for 1 target and a blend of "
        "joint and trees for 1 target."
    )


def test_a_target_that_sharing_harms_is_said_to_be_harmed():
    first, second = _wording.target_in_words(
        {
            "verdict": "harmed", "delta": -4.8, "interval": [-7.4, -2.2], "p": 0.0001, "n": 1200,
            "metric": "rmse", "shipped": "trees", "reference_name": "trees", "shipped_value": 5.0,
        }
    )  # fmt: skip
    assert first == (
        "Sharing harmed: the loss of the joint network is 4.8 % higher than that of the same "
        "network trained alone (gain −7.4 to −2.2 %, p < 0.001, 1,200 rows)."
    )
    assert second.startswith("What ships is boosted trees, with RMSE 5.000: the single-task refer")


def test_a_target_without_any_proof_says_so():
    first, second = _wording.target_in_words({"shipped": "joint", "delta": None})
    assert first == "Whether sharing helps here was not tested."
    assert "no reference" in second
