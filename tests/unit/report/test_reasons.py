"""One sentence says why a model is deployed, and why one that looks better in a column is not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from superpose.record import (
    HELPED,
    NO_DIFFERENCE,
    DecisionRecord,
    GainRecord,
    MixtureRecord,
    RunRecord,
    SharingRecord,
    TargetRecord,
)
from superpose.report._reasons import power_in_words, reason_in_words

REFERENCE = MixtureRecord({"trees": 0.6, "single_task": 0.4}, 10.0)
CHALLENGER = MixtureRecord({"catboost": 0.4, "multi_task": 0.6}, 9.5)


def reason(*, test: GainRecord, multi_task: float = 11.0, single_task: float = 11.0, **more) -> str:
    decision = {
        "reference": REFERENCE,
        "challenger": CHALLENGER,
        "deployed": REFERENCE,
        "test": test,
        **more.pop("decision", {}),
    }
    target = TargetRecord(
        "y",
        metric="rmse",
        decision=DecisionRecord(90, **decision),
        sharing=SharingRecord(multi_task, single_task),
        **more,
    )
    others = [TargetRecord(name) for name in "abcd"]
    record = RunRecord(alpha=0.05, targets={t.name: t for t in (target, *others)})
    return reason_in_words(record, target)


KEPT = "Deployed is the best single-task model, 0.4 single-task net + 0.6 trees"


def test_what_beat_the_best_single_task_model_says_by_how_much():
    words = reason(test=GainRecord(4.2, 1.0, 7.0, 0.002), decision={"deployed": CHALLENGER})
    assert words == (
        "Deployed is 0.6 multi-task net + 0.4 catboost, whose loss is 4.2 % lower than that of "
        "the best single-task model, 0.4 single-task net + 0.6 trees (p = 0.002)."
    )


def test_without_a_reference_there_is_nothing_to_compare_with():
    more = {"reference": MixtureRecord(), "deployed": MixtureRecord({"multi_task": 1.0}, 9.0)}
    assert reason(test=GainRecord(), decision=more) == (
        "Deployed is the multi-task net; there is no single-task model to compare with."
    )


@pytest.mark.parametrize(
    ("test", "end"),
    [
        (GainRecord(-3.0, -5.0, -1.0, 0.9), "."),
        (
            GainRecord(1.2, -1.0, 3.0, 0.31),
            "; the loss of 0.6 multi-task net + 0.4 catboost is 1.2 % lower, but that is within "
            "chance: p = 0.310 at alpha 0.05.",
        ),
        (
            GainRecord(1.2, 0.1, 3.0, 0.03),
            "; the loss of 0.6 multi-task net + 0.4 catboost is 1.2 % lower, but p = 0.030 is not "
            "enough among 5 targets at alpha 0.05.",
        ),
    ],
)
def test_a_mixture_that_looks_better_says_why_it_was_not_taken(test, end):
    assert reason(test=test) == KEPT + end


def test_a_net_that_looks_better_in_the_metric_alone_is_explained_too():
    words = reason(test=GainRecord(-3.0, -5.0, -1.0, 0.9), multi_task=9.0)
    assert words.endswith(
        "; the multi-task net is better in RMSE, but the loss of 0.6 multi-task net + 0.4 catboost "
        "is 3.0 % higher."
    )
    words = reason(test=GainRecord(-3.0, -5.0, -1.0, 0.9), single_task=9.0)
    assert words.endswith(
        "; the single-task net is better in RMSE here, not on the rows that choose."
    )


def test_higher_may_be_better():
    few = {"decision": {"conclusive": False}, "higher_is_better": True}
    words = reason(test=GainRecord(2.0, 1.0, 3.0, 1.0), multi_task=9.0, **few)
    assert words.endswith(
        "is 2.0 % lower, but there are too few labels besides the most common one for a test."
    )
    assert (
        reason(test=GainRecord(-1.0), multi_task=9.0, single_task=9.0, higher_is_better=True)
        == f"{KEPT}."
    )


def test_without_a_difference_the_smallest_gain_that_would_have_been_shown_is_said():
    # A standard error of 1 %: 1.645 of it for the level, 0.842 for four times out of five.
    gain = GainRecord(0.3, 0.3 - 1.96, 0.3 + 1.96, 0.4)
    none = SharingRecord(9.0, 9.1, gain, NO_DIFFERENCE)
    target = TargetRecord(name="a", sharing=none)
    alone = RunRecord(alpha=0.05, targets={"a": target})
    assert "a gain by sharing of 2.5 % or more would have been shown" in power_in_words(
        alone, target
    )
    # More targets share the level out.
    five = RunRecord(alpha=0.05, targets=dict.fromkeys("abcde", target))
    assert "3.2 % or more" in power_in_words(five, target)
    shown = replace(target, sharing=replace(none, verdict=HELPED))
    assert power_in_words(alone, shown) == ""
