"""Counts, gains and sentences read as a person would say them."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from superpose.record import (
    DecisionRecord,
    GainRecord,
    MixtureRecord,
    RunRecord,
    SharingRecord,
    TargetRecord,
)
from superpose.report import _wording
from superpose.report._targets import target_views


@pytest.mark.parametrize(
    ("value", "words"),
    [
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
    targets = [TargetRecord("a", sharing=SharingRecord(verdict=v)) for v in verdicts]
    assert _wording.headline(targets) == sentence


def deployed(weights: dict[str, float]) -> TargetRecord:
    reference = MixtureRecord({"trees": 1.0}, 1.0)
    mixture = MixtureRecord(weights, 1.0)
    return TargetRecord("a", decision=DecisionRecord(9, reference=reference, deployed=mixture))


def test_what_is_deployed_is_counted_by_sort():
    both = {"multi_task": 0.6, "trees": 0.4}
    single = {"single_task": 0.6, "trees": 0.4}
    weights = [both, {"trees": 1.0}, {"multi_task": 1.0}, {**both, "trees": 0.3}, single]
    assert _wording.deployed_in_words([deployed(one) for one in weights]) == (
        "Deployed is a mixture with the multi-task net for 2 targets, trees alone for 1 target, "
        "the multi-task net alone for 1 target and a mixture of single-task models for 1 target."
    )


def test_a_target_that_sharing_harms_is_reported_as_harmed():
    sharing = SharingRecord(5.2, 5.0, GainRecord(-4.8, -7.4, -2.2, 0.0001), "harmed")
    target = TargetRecord("a", metric="rmse", sharing=sharing, decision=DecisionRecord(1200))
    assert _wording.sharing_in_words(target) == (
        "Sharing harmed: the loss of the multi-task net is 4.8 % higher than that of the same net "
        "trained on this target alone (gain −7.4 to −2.2 %, p < 0.001, 1,200 rows)."
    )


def words_of(target: TargetRecord) -> list[str]:
    return target_views(RunRecord(targets={target.name: target}))[0].words


def test_a_target_without_any_proof_says_so():
    target = replace(deployed({"multi_task": 1.0}), decision=DecisionRecord())
    first, second = words_of(target)
    assert first == "Whether sharing helps here was not tested."
    assert "no single-task model to compare with" in second


def test_a_target_says_with_whom_it_shares_where_groups_are_set():
    target = deployed({"multi_task": 1.0})
    shared = words_of(replace(target, shares_with=["b", "c"]))
    assert shared[0] == "It shares its network with b and c."
    assert words_of(replace(target, shares_with=[]))[0] == (
        "It shares its network with no other target."
    )
    assert len(words_of(target)) == 2
