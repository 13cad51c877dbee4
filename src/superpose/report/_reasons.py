"""Why a model is deployed for a target, and why one that looks better in a column is not."""

from __future__ import annotations

import math
from statistics import NormalDist

from superpose.record import (
    NO_DIFFERENCE,
    DecisionRecord,
    MixtureRecord,
    RunRecord,
    TargetRecord,
    mixture_name,
)

from ._wording import metric_name, p_value, percent, plural, side

POWER = 0.8


def reason_in_words(record: RunRecord, target: TargetRecord) -> str:
    """Returns one sentence: what is deployed, and why no model that looks better is.

    Args:
        record: The run, whose level and number of targets the test has.
        target: One of its targets.
    """
    decision = target.decision
    deployed = _named(decision.deployed)
    if not decision.reference:
        return f"Deployed is {deployed}; there is no single-task model to compare with."
    if decision.replaced:
        best = _named(decision.reference)
        test = decision.test
        proof = f" ({p_value(test.p)})" if p_value(test.p) else ""
        than = "better" if math.isnan(test.gain) else side(test.gain)
        return (
            f"Deployed is {deployed}, whose loss is {than} than that of the best single-task "
            f"model, {best}{proof}."
        )
    if decision.ignores_inputs:
        return (
            f"Deployed is {deployed}, which learns nothing from the inputs: no model that does was "
            "better on rows that it had not seen."
        )
    reasons = [*_single_task(record, target), *_challenger(record, target)]
    kept = f"Deployed is the best single-task model, {deployed}"
    return f"{kept}; {', and '.join(reasons)}." if reasons else f"{kept}."


def power_in_words(record: RunRecord, target: TargetRecord) -> str:
    """Returns the smallest gain that a test of sharing without a result was likely to show; or "".

    Likely is a power of 80 %, at the level that Holm's procedure starts with.

    Args:
        record: The run, whose level and number of targets the test has.
        target: One of its targets.
    """
    gain = target.sharing.gain
    if target.sharing.verdict != NO_DIFFERENCE or math.isnan(gain.low) or math.isnan(gain.high):
        return ""
    normal = NormalDist()
    error = (gain.high - gain.low) / (2 * normal.inv_cdf(0.975))
    level = record.alpha / len(record.targets)
    smallest = (normal.inv_cdf(1 - level) + normal.inv_cdf(POWER)) * error
    return (
        f"With so many rows a gain by sharing of {percent(smallest).lstrip('+')} % or more would "
        "have been shown four times out of five; a smaller one may be there."
    )


def _better(target: TargetRecord, value: float) -> bool:
    """Whether a value stands out against that of what is deployed, as a reader sees them."""
    deployed = target.decision.deployed.value
    if math.isnan(value) or math.isnan(deployed):
        return False
    ahead = value - deployed if target.higher_is_better else deployed - value
    return ahead > 5e-4 * max(abs(deployed), abs(value))


def _single_task(record: RunRecord, target: TargetRecord) -> list[str]:
    """Why the single-task net is not deployed where its metric is better."""
    if not _better(target, target.sharing.single_task):
        return []
    metric = metric_name(target.metric)
    if record.regime == "folds":
        return [f"the single-task net is better in {metric}, not in the loss that chooses"]
    return [f"the single-task net is better in {metric} here, not on the rows that choose"]


def _challenger(record: RunRecord, target: TargetRecord) -> list[str]:
    """Why the multi-task net, or a mixture with it, is not deployed where it looks better."""
    decision = target.decision
    gain = decision.test.gain
    looks_better = _better(target, target.sharing.multi_task)
    if math.isnan(gain) or not (gain > 0.05 or looks_better):
        return []
    mixture = _named(decision.challenger) or "the best mixture with the multi-task net"
    if gain <= 0:
        metric = metric_name(target.metric)
        return [
            f"the multi-task net is better in {metric}, but the loss of {mixture} is {side(gain)}"
        ]
    return [f"the loss of {mixture} is {side(gain)}, but {_doubt(record, decision)}"]


def _named(mixture: MixtureRecord) -> str:
    """A model or a mixture in a sentence."""
    name = mixture_name(mixture.weights)
    return f"the {name}" if len(mixture.weights) == 1 and name.endswith(" net") else name


def _doubt(record: RunRecord, decision: DecisionRecord) -> str:
    if not decision.conclusive:
        return "there are too few labels besides the most common one for a test"
    p = p_value(decision.test.p) or "not tested"
    if decision.test.p <= record.alpha:
        count = plural(len(record.targets), "target")
        return f"{p} is not enough among {count} at alpha {record.alpha:g}"
    return f"that is within chance: {p} at alpha {record.alpha:g}"
