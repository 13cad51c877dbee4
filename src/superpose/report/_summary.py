"""The summary of the report, and its two plots of gains."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from superpose.record import (
    HARMED,
    HELPED,
    NO_DIFFERENCE,
    NOT_TESTED,
    GainRecord,
    RunRecord,
    TargetRecord,
    Verdict,
)

from ._bars import GainLine, forest
from ._given import benefit_in_words
from ._verdicts import MARKS, STYLES
from ._wording import deployed_in_words, headline, percent, plural, refit_in_words, verdict_counts


@dataclass(frozen=True)
class Tile:
    """How many targets have one verdict."""

    count: int
    word: str
    style: str
    mark: str


@dataclass(frozen=True)
class SummaryView:
    """What the page says first.

    Args:
        benefit: What measured targets are worth; empty where none can be given.
        headline: How often sharing helped.
        tiles: The same in numbers.
        words: Further sentences.
    """

    benefit: str
    headline: str
    tiles: list[Tile]
    words: list[str]


@dataclass(frozen=True)
class ForestView:
    """A plot of gains with what it compares."""

    title: str
    words: str
    svg: Markup


def summary_view(record: RunRecord) -> SummaryView:
    """Returns what the template shows."""
    targets = list(record.targets.values())
    counts = verdict_counts(targets)
    tiles = [
        Tile(counts[verdict], verdict, STYLES[verdict], MARKS[verdict])
        for verdict in (HELPED, NO_DIFFERENCE, HARMED, NOT_TESTED)
        if verdict != NOT_TESTED or counts[verdict]
    ]
    tested = counts[NOT_TESTED] < len(targets)
    words = [deployed_in_words(targets), _mean_gain(targets), *_procedure(record)]
    return SummaryView(
        benefit=benefit_in_words(targets),
        headline=headline(targets),
        tiles=tiles if tested else tiles[3:],
        words=[sentence for sentence in words if sentence],
    )


def _mean_gain(targets: Sequence[TargetRecord]) -> str:
    gains = [(target.sharing.gain.gain, target.name) for target in targets]
    gains = [pair for pair in gains if not math.isnan(pair[0])]
    if len(gains) < 2:
        return ""
    worst = min(gains)
    mean = math.fsum(gain for gain, _ in gains) / len(gains)
    return (
        f"The mean gain by sharing over {plural(len(gains), 'target')} is {percent(mean)} %; the "
        f"lowest is that of {worst[1]}, {percent(worst[0])} %."
    )


def _procedure(record: RunRecord) -> list[str]:
    """Says on which rows what was decided, and how surely."""
    targets = list(record.targets.values())
    proved = any(target.decision.reference for target in targets)
    words = []
    if proved:
        words.append(
            "A best single-task model was replaced only where a one-sided paired test on rows that "
            f"neither had seen allowed it, at alpha {record.alpha:g} with Holm’s correction over "
            "the targets."
        )
    if record.regime == "folds":
        words.append(
            "The table is small, so choices and tests used out-of-fold predictions of repeated "
            "cross-validation."
        )
    elif proved:
        halves = "One half of the validation rows made the choices, the other half decided"
        if record.regime == "crossed":
            halves = "Each half of the validation rows decided on what the other half had chosen"
        words.append(f"{halves}; the test rows were read once, at the end.")
    if targets and not proved:
        words.append(
            "Without single-task models to compare with, what is deployed may be worse than they "
            "would be."
        )
    words.append(refit_in_words(record))
    return words


def forests(targets: Sequence[TargetRecord]) -> list[ForestView]:
    """Returns the plots of gains: what sharing did, and what is deployed against its reference."""
    sharing = [GainLine(t.name, t.sharing.gain, t.sharing.verdict) for t in targets]
    deployed = [
        GainLine(t.name, t.decision.test, _side(t.decision.test))
        for t in targets
        # Where the best single-task model itself is deployed there is nothing to compare.
        if t.decision.replaced
    ]
    views = [
        _forest(
            "Did sharing help?",
            "The multi-task net against the same net trained on one target alone.",
            sharing,
            ends=("single-task better", "multi-task better"),
        ),
        _forest(
            "Is what is deployed better than the best single-task model?",
            "Targets for which that model is deployed itself are not listed. A gain here may come "
            "from mixing models, not from sharing.",
            deployed,
            ends=("best single-task better", "deployed better"),
        ),
    ]
    return [view for view in views if view.svg]


def _forest(
    title: str, words: str, lines: Sequence[GainLine], *, ends: tuple[str, str]
) -> ForestView:
    svg = forest(lines, title=title, ends=ends)
    if svg:
        svg += forest(lines, title=title, ends=ends, narrow=True)
    return ForestView(title, words, Markup(svg))


def _side(gain: GainRecord) -> Verdict:
    return HELPED if gain.low > 0 else HARMED if gain.high < 0 else NO_DIFFERENCE
