"""The section "Given" of the report: what ships once other targets are measured.

Metrics of different targets don't compare, so the chart shows errors relative to the error of the
same target on the same rows with nothing given.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from markupsafe import Markup

from ._bars import NARROW, WIDE
from ._svg import Scale, drawing, longest, place, text, tick_label, ticks
from ._wording import (
    engine_name,
    gain,
    interval_of,
    listing,
    metric_name,
    number,
    p_value,
    percent,
    plural,
    real,
)

NONE, HALF, ALL = "none", "half", "all"
LEVELS = (NONE, HALF, ALL)
SHARES = {NONE: "0 %", HALF: "50 %", ALL: "100 %"}
OPEN = 4  # up to so many targets the table is open
CAP = 200.0  # errors beyond twice that with nothing given are drawn at the end of the axis
COLUMN = 66.0  # width of each column of numbers beside the chart


class Change(NamedTuple):
    """A target's error once others are given, in percent of that with nothing given; NaN unknown.

    Args:
        half, all: With a random half and with all of the other targets given.
    """

    target: str
    half: float
    all: float


def given_view(given: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Returns what the template shows of ``facts["given"]``, None where there is nothing.

    Args:
        given: ``{"levels", "rows"}``, a row per target and level.
    """
    rows = [row for row in (given or {}).get("rows") or [] if row.get("level") in LEVELS]
    if not rows:
        return None
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for row in sorted(rows, key=lambda row: LEVELS.index(row["level"])):
        groups.setdefault(str(row.get("target")), []).append(row)
    order = list(dict.fromkeys(str(row.get("target")) for row in rows))
    changes = error_changes(rows)
    svg = error_chart(changes) + error_chart(changes, narrow=True)
    return {
        "groups": [_group(name, groups[name]) for name in order],
        "words": given_in_words(rows),
        "svg": Markup(svg),  # drawings escape their texts themselves
        "open": len(order) <= OPEN,
        "distance": any(row.get("higher_is_better") for row in rows),
    }


def _group(target: str, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    first = rows[0]
    arrow = "↑" if first.get("higher_is_better") else "↓"
    metric = f"{metric_name(str(first['metric']))} {arrow}" if first.get("metric") else ""
    return {
        "target": target,
        "detail": ", ".join(word for word in (str(first.get("kind") or ""), metric) if word),
        "rows": [_line(row) for row in rows],
    }


def _line(row: Mapping[str, Any]) -> dict[str, str]:
    shipped, reference = str(row.get("shipped") or ""), str(row.get("reference_name") or "")
    same = bool(reference) and shipped == reference
    rows = real(row.get("n"))
    return {
        "share": SHARES[row["level"]],
        "shipped": engine_name(shipped),
        "value": number(row.get("shipped_value")),
        "ungiven": number(row.get("ungiven")),
        "reference": number(row.get("reference")),
        "reference_name": "the same" if same else engine_name(reference),
        "gain": "none, it is the reference"
        if same
        else gain(row.get("delta"), row.get("interval")),
        "p": "–" if same else p_value(row.get("p")).removeprefix("p = ").removeprefix("p ") or "–",
        "n": "–" if math.isnan(rows) else f"{int(rows):,}",
    }


def error_changes(rows: Sequence[Mapping[str, Any]]) -> list[Change]:
    """Returns how the error of each target changes as others are given, the largest fall first.

    Where a higher metric is better (AUC, kappa: at most 1) the error is its distance to 1. A target
    without a known error at any level is left out.

    Example:
        >>> error_changes([{"target": "a", "level": "all", "shipped_value": 3.0, "ungiven": 4.0}])
        [Change(target='a', half=nan, all=75.0)]
    """
    found: dict[str, dict[str, float]] = {}
    for row in rows:
        told, untold = real(row.get("shipped_value")), real(row.get("ungiven"))
        if row.get("higher_is_better"):
            told, untold = 1 - told, 1 - untold
        share = 100 * told / untold if untold > 0 else math.nan
        by_level = found.setdefault(str(row.get("target")), {})
        if math.isfinite(share):
            by_level[str(row.get("level"))] = share
    changes = [
        Change(name, by.get(HALF, math.nan), by.get(ALL, math.nan)) for name, by in found.items()
    ]
    changes = [c for c in changes if not (math.isnan(c.half) and math.isnan(c.all))]
    return sorted(changes, key=lambda c: c.half if math.isnan(c.all) else c.all)


def error_chart(changes: Sequence[Change], narrow: bool = False) -> str:
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
    beside = 22 + 1.08 * longest(names, 30)  # bold letters are wider
    left = 8.0 if narrow else longest(names, 24) + 24
    width = NARROW if narrow else WIDE
    scale = Scale(low, high, left + 6, width - (8 if narrow else 2 * COLUMN + 24))
    bottom = head + step * len(changes)
    marks = ticks(low, high, 4 if narrow else 6)
    grid = "".join(f"M{place(float(scale(v)))} {place(head)}V{place(bottom)}" for v in marks)
    zero = place(float(scale(100)))
    middle = (scale.start + scale.end) / 2
    body = [
        f'<path class="gr" d="{grid}"/>',
        f'<path class="zero" d="M{zero} {place(head - 4)}V{place(bottom)}"/>',
        *(text(float(scale(v)), bottom + 15, tick_label(v), "k", "m") for v in marks),
        text(middle, bottom + 31, "error, % of that with nothing given", "t mu", "m"),
        _key(width, narrow),
    ]
    for i, change in enumerate(changes):
        y = head + step * (i + (0.74 if narrow else 0.5))
        if narrow:
            words = f"{_whole(change.half)} → {_whole(change.all)}"
            body += [text(4, y - 12, change.target, "t b halo", limit=30)]
            body += [text(beside, y - 12, words, "k halo")]
        else:
            body += [text(left - 10, y + 4, change.target, "t b", "e", limit=24)]
            for k, value in enumerate((change.half, change.all)):
                body.append(text(width - 4 - COLUMN * (1 - k), y + 4, _whole(value), "k", "e"))
        body.append(_track(change, scale, y))
    detail = "; ".join(f"{c.target}: {_whole(c.half)}, then {_whole(c.all)} %" for c in changes)
    title = "Error with half and with all of the other targets given, nothing given is 100 %"
    return drawing(width, bottom + 36, title, detail, body, "narrow" if narrow else "wide")


def _range(changes: Sequence[Change]) -> tuple[float, float]:
    shown = [v for c in changes for v in (c.half, c.all) if not math.isnan(v)]
    low, high = min(100.0, *shown, 100.0), min(max(100.0, *shown, 100.0), CAP)
    # At least a fifth of the whole error: a fall of 1 % must not look like a landslide.
    pad = 0.06 * max(high - low, 20.0)
    low = min(low, high - 20.0)
    return max(low - pad, 0.0), high + pad


def _key(width: float, narrow: bool) -> str:
    """Draws the two marks and what they stand for, over the columns of numbers if there are any."""
    if narrow:
        return (
            f"{_ring(10, 11)}{text(20, 15, '50 % given', 't mu')}"
            f"{_disc(104, 11)}{text(114, 15, '100 % given', 't mu')}"
        )
    parts = []
    for k, (mark, share) in enumerate(((_ring, SHARES[HALF]), (_disc, SHARES[ALL]))):
        right = width - 4 - COLUMN * (1 - k)
        parts += [mark(right - 7.6 * len(share) - 12, 12), text(right, 16, share, "t mu", "e")]
    return "".join(parts)


def _ring(x: float, y: float) -> str:
    return f'<circle class="mark s0" cx="{place(x)}" cy="{place(y)}" r="4.5"/>'


def _disc(x: float, y: float) -> str:
    return f'<circle class="f0" cx="{place(x)}" cy="{place(y)}" r="5"/>'


def _track(change: Change, scale: Scale, y: float) -> str:
    values = [100.0, *(v for v in (change.half, change.all) if not math.isnan(v))]
    ends = float(scale(min(values))), float(scale(max(values)))
    parts = [f'<path class="tk s0" d="M{place(ends[0])} {place(y)}H{place(ends[1])}"/>']
    # The disc first: where both marks meet, the ring stays visible on it.
    for mark, value in ((_disc, change.all), (_ring, change.half)):
        if not math.isnan(value):
            parts.append(mark(float(scale(value)), y))
    return "".join(parts)


def _whole(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.0f}"


def given_in_words(rows: Sequence[Mapping[str, Any]]) -> str:
    """Returns one paragraph: what knowing other targets brings, and what it doesn't show.

    Args:
        rows: The rows of ``facts["given"]``.
    """
    changes = error_changes(rows)
    sentences = [_knowing(changes), _joining(rows)]
    sentences.append(
        "Expect this on rows like those tested: at 50 % a random half of the values of the other "
        "targets is told, and a particular target may tell more or less than that. Nothing here "
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


def _joining(rows: Sequence[Mapping[str, Any]]) -> str:
    """What one model of all targets brings beyond the values themselves."""
    told = [r for r in rows if r.get("level") in (HALF, ALL) and r.get("reference_name")]
    if not told:
        return "There are no single-task models told the same values to compare with."
    apart = [r for r in told if r.get("shipped") != r.get("reference_name")]
    bounds = [interval_of(row.get("interval")) for row in apart]
    better = sum(low > 0 for low, _ in bounds)
    worse = sum(high < 0 for _, high in bounds)
    counts = (
        (len(told) - len(apart), ("ships", "ship"), "that model itself"),
        (len(apart) - better - worse, ("is", "are"), "not distinguishable from it"),
        (worse, ("is", "are"), "worse"),
    )
    parts = [f"{better} of {plural(len(told), 'answer')} {'is' if better == 1 else 'are'} better"]
    parts += [f"{count} {verb[count > 1]} {what}" for count, verb, what in counts if count]
    return (
        "Against the best single-task model told the same values (an answer is a target at 50 or "
        f"at 100 %), {listing(parts)}."
    )
