"""The first table of the report: what predicts each target, how well, and why it was chosen."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from superpose.record import (
    HARMED,
    HELPED,
    LEVELS,
    NO_DIFFERENCE,
    NOT_TESTED,
    RunRecord,
    TargetRecord,
)

from ._reasons import reason_in_words
from ._table import rows_that_decide
from ._wording import gain_in_words, metric_name, number, percent

STYLES = {HELPED: "good", HARMED: "bad", NO_DIFFERENCE: "same", NOT_TESTED: "none"}
MARKS = {HELPED: "▲", HARMED: "▼", NO_DIFFERENCE: "●", NOT_TESTED: "○"}


@dataclass(frozen=True)
class VerdictLine:
    """A target in the first table; numbers are in words.

    Args:
        anchor: Where the page says more of it.
        target, kind, detail, metric: What it is, and how it is measured.
        levels: The metric of what is deployed with nothing, half and all given.
        test: The metric of what is deployed on the test rows.
        single_task, multi_task, reference: The metric of its rivals.
        gain, interval: Of sharing, in percent.
        verdict, style, mark: What sharing did.
        reason: Why what is deployed is deployed.
    """

    anchor: str
    target: str
    kind: str
    detail: str
    metric: str
    levels: list[str]
    test: str
    single_task: str
    multi_task: str
    reference: str
    gain: str
    interval: str
    verdict: str
    style: str
    mark: str
    reason: str


@dataclass(frozen=True)
class VerdictsView:
    """The first table.

    Args:
        rows: What the rows are called that decide.
        has_given, has_test, has_rivals: Which columns have something to show.
        lines: One for each target.
    """

    rows: str
    has_given: bool
    has_test: bool
    has_rivals: bool
    lines: list[VerdictLine]


def verdicts_view(record: RunRecord) -> VerdictsView:
    """Returns what the template shows."""
    targets = list(record.targets.values())
    return VerdictsView(
        rows=rows_that_decide(record),
        has_given=any(target.given for target in targets),
        has_test=any(not math.isnan(target.test_value) for target in targets),
        has_rivals=any(target.decision.reference for target in targets),
        lines=verdict_lines(record, targets),
    )


def verdict_lines(record: RunRecord, targets: Sequence[TargetRecord]) -> list[VerdictLine]:
    """Returns a line for each target."""
    return [_line(record, target, f"target-{i}") for i, target in enumerate(targets)]


def _line(record: RunRecord, target: TargetRecord, anchor: str) -> VerdictLine:
    sharing = target.sharing
    gain = sharing.gain
    arrow = "↑" if target.higher_is_better else "↓"
    known = not (math.isnan(gain.low) or math.isnan(gain.high))
    return VerdictLine(
        anchor=anchor,
        target=target.name,
        kind=target.kind,
        detail=target.detail,
        metric=f"{metric_name(target.metric)}\u00a0{arrow}" if target.metric else "",
        levels=[number(target.at(level).deployed.value) for level in LEVELS],
        test=number(target.test_value),
        single_task=number(sharing.single_task),
        multi_task=number(sharing.multi_task),
        reference=number(target.decision.reference.value),
        gain=gain_in_words(gain, interval=False),
        interval=f"{percent(gain.low)} to {percent(gain.high)}" if known else "",
        verdict=sharing.verdict,
        style=STYLES[sharing.verdict],
        mark=MARKS[sharing.verdict],
        reason=reason_in_words(record, target),
    )
