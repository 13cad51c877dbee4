"""The section "Given" of the report: what is deployed once other targets are measured.

Metrics of different targets don't compare, so the chart shows errors relative to the error of the
same target on the same rows with nothing given.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from markupsafe import Markup

from superpose.record import (
    EVERYTHING,
    HALF,
    LEVELS,
    NOTHING,
    DecisionRecord,
    Level,
    TargetRecord,
    mixture_name,
)

from ._bars import NARROW, WIDE
from ._svg import Scale, coord, drawing, longest, text, tick_label, ticks
from ._wording import gain_in_words, listing, metric_name, number, p_value, percent, plural

SHARES: dict[Level, str] = {NOTHING: "0 %", HALF: "50 %", EVERYTHING: "100 %"}
OPEN = 4  # up to so many targets the table is open
DETERMINED = 2.0  # below so many percent the others determine a target: no example of a gain
CAP = 200.0  # errors beyond twice that with nothing given are drawn at the end of the axis
COLUMN = 66.0  # width of each column of numbers beside the chart
AXIS = "error, % of that with nothing given"


class Change(NamedTuple):
    """A target's error once others are given, in percent of that with nothing given; NaN unknown.

    Args:
        half, all: With a random half and with all of the other targets given.
    """

    target: str
    half: float
    all: float


@dataclass(frozen=True)
class LevelLine:
    """What is deployed at one level, as the table of the page shows it."""

    share: str
    deployed: str
    value: str
    nothing_given: str
    reference: str
    reference_name: str
    gain: str
    p: str
    n: str


@dataclass(frozen=True)
class LevelGroup:
    """The levels of one target."""

    target: str
    detail: str
    rows: list[LevelLine]


@dataclass(frozen=True)
class GivenView:
    """What the page shows of given targets.

    Args:
        groups: One for each target.
        words: A paragraph above them.
        svg: The chart.
        open: Whether the table is open at first.
        distance: Whether some error is a distance to 1.
    """

    groups: list[LevelGroup]
    words: str
    svg: Markup
    open: bool
    distance: bool


def given_view(targets: Sequence[TargetRecord]) -> GivenView | None:
    """Returns what the template shows, None where nothing can be given."""
    shown = [target for target in targets if target.given]
    if not shown:
        return None
    changes = error_changes(shown)
    svg = error_chart(changes) + error_chart(changes, narrow=True)
    return GivenView(
        groups=[_group(target) for target in shown],
        words=given_in_words(shown),
        svg=Markup(svg),
        open=len(shown) <= OPEN,
        distance=any(target.higher_is_better for target in shown),
    )


def _group(target: TargetRecord) -> LevelGroup:
    arrow = "↑" if target.higher_is_better else "↓"
    metric = f"{metric_name(target.metric)} {arrow}" if target.metric else ""
    return LevelGroup(
        target=target.name,
        detail=", ".join(word for word in (target.kind, metric) if word),
        rows=[
            _line(target, level) for level in LEVELS if level == NOTHING or level in target.given
        ],
    )


def _line(target: TargetRecord, level: Level) -> LevelLine:
    decision = target.at(level)
    reference = decision.reference
    same = bool(reference) and not decision.replaced
    p = p_value(decision.test.p).removeprefix("p = ").removeprefix("p ") or "–"
    return LevelLine(
        share=SHARES[level],
        deployed=mixture_name(decision.deployed.weights),
        value=number(decision.deployed.value),
        nothing_given=number(target.decision.deployed.value),
        reference=number(reference.value),
        reference_name="the same" if same else mixture_name(reference.weights),
        gain="none, it is the best single-task" if same else gain_in_words(decision.test),
        p="–" if same else p,
        n=f"{decision.n_rows:,}",
    )


def error_changes(targets: Sequence[TargetRecord]) -> list[Change]:
    """Returns how the error of each target changes as others are given, the largest fall first.

    Where a higher metric is better (AUC, kappa: at most 1) the error is its distance to 1. A target
    without a known error at any level is left out.
    """
    changes = [
        Change(target.name, _share(target, HALF), _share(target, EVERYTHING)) for target in targets
    ]
    changes = [c for c in changes if not (math.isnan(c.half) and math.isnan(c.all))]
    return sorted(changes, key=lambda c: c.half if math.isnan(c.all) else c.all)


def _share(target: TargetRecord, level: Level) -> float:
    """The error at a level in percent of that with nothing given."""
    before, after = (target.at(level).deployed.value for level in (NOTHING, level))
    if target.higher_is_better:
        before, after = 1 - before, 1 - after
    share = 100 * after / before if before > 0 else math.nan
    return share if math.isfinite(share) else math.nan


def error_chart(changes: Sequence[Change], *, narrow: bool = False) -> str:
    """Returns a line per target from its error with nothing given to that with all others given.

    Args:
        changes: Percentages of the error with nothing given.
        narrow: Whether to draw for a phone: names above the lines.
    """
    if not changes:
        return ""
    low, high = _range(changes)
    step = (34.0 if len(changes) > 12 else 40.0) if narrow else (21.0 if len(changes) > 12 else 27)
    head = 28.0
    names = [change.target for change in changes]
    after = 22 + 1.08 * longest(names, 30)  # bold letters are wider
    left = 8.0 if narrow else longest(names, 24) + 24
    width = NARROW if narrow else WIDE
    scale = Scale(low, high, left + 6, width - (8 if narrow else 2 * COLUMN + 24))
    bottom = head + step * len(changes)
    body = [*_axis(scale, head, bottom, count=4 if narrow else 6), _key(width, narrow=narrow)]
    for i, change in enumerate(changes):
        y = head + step * (i + (0.74 if narrow else 0.5))
        if narrow:
            words = f"{_whole(change.half)} → {_whole(change.all)}"
            body.append(text(4, y - 12, change.target, style="t b halo", limit=30))
            body.append(text(after, y - 12, words, style="k halo"))
        else:
            body.append(text(left - 10, y + 4, change.target, style="t b", anchor="e", limit=24))
            for k, value in enumerate((change.half, change.all)):
                right = width - 4 - COLUMN * (1 - k)
                body.append(text(right, y + 4, _whole(value), style="k", anchor="e"))
        body.append(_track(change, scale, y))
    return drawing(
        width,
        bottom + 36,
        title="Error with half and with all of the other targets given, nothing given is 100 %",
        detail="; ".join(f"{c.target}: {_whole(c.half)}, then {_whole(c.all)} %" for c in changes),
        body=body,
        style="narrow" if narrow else "wide",
    )


def _axis(scale: Scale, head: float, bottom: float, *, count: int) -> list[str]:
    marks = ticks(scale.low, scale.high, count)
    grid = "".join(f"M{coord(float(scale(v)))} {coord(head)}V{coord(bottom)}" for v in marks)
    zero = coord(float(scale(100)))
    middle = (scale.start + scale.end) / 2
    return [
        f'<path class="gr" d="{grid}"/>',
        f'<path class="zero" d="M{zero} {coord(head - 4)}V{coord(bottom)}"/>',
        *(text(float(scale(v)), bottom + 15, tick_label(v), style="k", anchor="m") for v in marks),
        text(middle, bottom + 31, AXIS, style="t mu", anchor="m"),
    ]


def _range(changes: Sequence[Change]) -> tuple[float, float]:
    shown = [v for c in changes for v in (c.half, c.all) if not math.isnan(v)]
    high = min(max(100.0, *shown, 100.0), CAP)
    # At least a fifth of the whole error: a fall of 1 % must not look like a landslide.
    low = min(100.0, *shown, 100.0, high - 20.0)
    pad = 0.06 * max(high - low, 20.0)
    return max(low - pad, 0.0), high + pad


def _key(width: float, *, narrow: bool) -> str:
    """Draws the two marks and what they stand for, over the columns of numbers if there are any."""
    if narrow:
        return (
            f"{_ring(10, 11)}{text(20, 15, '50 % given', style='t mu')}"
            f"{_disc(104, 11)}{text(114, 15, '100 % given', style='t mu')}"
        )
    parts = []
    for k, (mark, share) in enumerate(((_ring, SHARES[HALF]), (_disc, SHARES[EVERYTHING]))):
        right = width - 4 - COLUMN * (1 - k)
        parts.append(mark(right - 7.6 * len(share) - 12, 12))
        parts.append(text(right, 16, share, style="t mu", anchor="e"))
    return "".join(parts)


def _ring(x: float, y: float) -> str:
    return f'<circle class="mark s0" cx="{coord(x)}" cy="{coord(y)}" r="4.5"/>'


def _disc(x: float, y: float) -> str:
    return f'<circle class="f0" cx="{coord(x)}" cy="{coord(y)}" r="5"/>'


def _track(change: Change, scale: Scale, y: float) -> str:
    values = [100.0, *(v for v in (change.half, change.all) if not math.isnan(v))]
    ends = float(scale(min(values))), float(scale(max(values)))
    parts = [f'<path class="tk s0" d="M{coord(ends[0])} {coord(y)}H{coord(ends[1])}"/>']
    # The disc first: where both marks meet, the ring stays visible on it.
    for mark, value in ((_disc, change.all), (_ring, change.half)):
        if not math.isnan(value):
            parts.append(mark(float(scale(value)), y))
    return "".join(parts)


def _whole(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.0f}"


def benefit_in_words(targets: Sequence[TargetRecord]) -> str:
    """Returns one sentence on what measured targets are worth, nothing where none can be given."""
    changes = [c for c in error_changes(targets) if not (math.isnan(c.half) or math.isnan(c.all))]
    if not changes:
        return ""
    half = statistics.median(change.half for change in changes)
    whole = statistics.median(change.all for change in changes)
    if half > 99.5 and whole > 99.5:
        return "Measured targets do not sharpen the others here."
    many = f" at the median of {plural(len(changes), 'target')}" if len(changes) > 1 else ""
    words = f"With half of the other targets measured the error {_moves(half)}{many}"
    if whole <= 99.5 or half <= 99.5:
        words += f", with all of them it {_moves(whole)}"
    telling = [change for change in changes if DETERMINED < change.all < 99.5]
    if not telling:
        return f"{words}."
    best = next(target for target in targets if target.name == telling[0].target)
    values = [number(best.at(level).deployed.value) for level in LEVELS]
    metric = metric_name(best.metric)
    return (
        f"{words}; most for {best.name}: {metric} {values[0]}, then {values[1]}, then {values[2]}."
    )


def given_in_words(targets: Sequence[TargetRecord]) -> str:
    """Returns one paragraph: what knowing other targets brings, and what it doesn't show."""
    sentences = [_knowing(error_changes(targets)), _joining(targets)]
    sentences.append(
        "Expect this on rows like those tested: at 50 % a random half of the values of the other "
        "targets is given, and a particular target may tell more or less than that. Nothing here "
        "says that one target causes another."
    )
    return " ".join(words for words in sentences if words)


def _knowing(changes: Sequence[Change]) -> str:
    """What measured targets bring, whichever model reads them."""
    whole = [(c.all, c.target) for c in changes if not math.isnan(c.all)]
    half = [c.half for c in changes if not math.isnan(c.half)]
    if not whole:
        return ""
    best, name = min(whole)
    middle = statistics.median(share for share, _ in whole)
    words = f"With all other targets given, the error {_moves(middle)}"
    if len(whole) > 1:
        words += f" at the median of {plural(len(whole), 'target')}"
        if best < 99.5:
            words += f", most for {name} ({percent(best - 100)} %)"
    if half:
        words += f"; with a random half of them it {_moves(statistics.median(half))}"
    words += "."
    worse = sorted((share, target) for share, target in whole if share >= 100.5)
    if worse:
        words += (
            f" For {plural(len(worse), 'target')} it is higher with the others given than without, "
            f"most for {worse[-1][1]} ({percent(worse[-1][0] - 100)} %)."
        )
    return words


def _moves(share: float) -> str:
    if abs(share - 100) < 0.5:
        return "stays as it is"
    return f"{'falls' if share < 100 else 'rises'} by {abs(share - 100):.0f} %"


def _joining(targets: Sequence[TargetRecord]) -> str:
    """What the multi-task net brings beyond the values themselves."""
    decisions = [decision for target in targets for decision in target.given.values()]
    tested: list[DecisionRecord] = [decision for decision in decisions if decision.reference]
    if not tested:
        return "There are no single-task models given the same values to compare with."
    apart = [decision.test for decision in tested if decision.replaced]
    better = sum(test.low > 0 for test in apart)
    worse = sum(test.high < 0 for test in apart)
    counts = (
        (len(tested) - len(apart), ("is", "are"), "that model itself"),
        (len(apart) - better - worse, ("is", "are"), "not distinguishable from it"),
        (worse, ("is", "are"), "worse"),
    )
    parts = [f"{better} of {plural(len(tested), 'answer')} {'is' if better == 1 else 'are'} better"]
    parts += [f"{count} {verb[count > 1]} {what}" for count, verb, what in counts if count]
    return (
        "Against the best single-task model given the same values (an answer is a target at 50 or "
        f"at 100 %), {listing(parts)}."
    )
