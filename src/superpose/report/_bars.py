"""Bars and the interval plot of the report, as inline SVG.

Drawings over all targets come in two forms, wide and narrow; the page shows the one that fits the
screen, so that text is never scaled down to a phone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from superpose.record import HARMED, HELPED, NO_DIFFERENCE, GainRecord, Verdict

from ._curves import Array
from ._svg import Scale, coord, drawing, longest, text, tick_label, ticks
from ._wording import gain_in_words, percent

WIDE = 860.0  # widths of the two forms
NARROW = 350.0
MARKS = {HELPED: "good", HARMED: "bad", NO_DIFFERENCE: "same"}
BAR = 24  # height of a line of bars


def importance_bars(inputs: Sequence[str], column: Array, *, target: str = "") -> str:
    """Returns the ten inputs that matter most for one target as bars.

    Args:
        inputs: Their names.
        column: Percent increase of the loss when an input is permuted; below zero is drawn as zero.
        target: For the title.

    Shape:
        column: (C,).
    """
    order = np.argsort(-np.nan_to_num(column, nan=-np.inf), kind="stable")[:10]
    order = order[np.nan_to_num(column[order]) > 0]
    if not order.size:
        return ""
    names = [str(inputs[k]) for k in order]
    left = longest(names, 18) + 14
    scale = Scale(0, float(column[order[0]]), 0, 340 - left - 52)
    body = []
    for i, (k, name) in enumerate(zip(order, names, strict=True)):
        y = 10 + i * BAR
        long = max(float(scale(column[k])), 1.0)
        body.append(text(left - 8, y + 13, name, anchor="e", limit=18))
        body.append(
            f'<rect class="bar" x="{coord(left)}" y="{y}" width="{coord(long)}" '
            f'height="17" rx="2"/>'
        )
        body.append(text(left + long + 6, y + 13, f"{percent(column[k])} %", style="k"))
    return drawing(
        340,
        20 + BAR * len(names),
        title=f"Inputs that matter for {target}".strip(),
        detail="percent increase of the loss",
        body=body,
    )


def coverage_bars(
    coverage: Mapping[str, Mapping[str, int]], rows: Mapping[str, int], *, narrow: bool = False
) -> str:
    """Returns the share of labelled rows per target and split.

    Args:
        coverage: By target its labelled rows by split name.
        rows: All rows by split name; an empty split is left out.
        narrow: Whether to draw for a phone: names above the bars.
    """
    splits = [name for name, count in rows.items() if count > 0]
    if not coverage or not splits:
        return ""
    line = 15
    head = 18 if narrow else 0
    left = 4.0 if narrow else longest(coverage, 24) + 22
    width = NARROW if narrow else WIDE
    room = width - left - (118 if narrow else 176)
    body = []
    y = 6.0
    for name, labelled in coverage.items():
        middle = y + line * len(splits) / 2 + 3
        body.append(
            text(left, y + 11, name, style="t b", limit=50)
            if narrow
            else text(left - 10, middle, name, style="t b", anchor="e", limit=24)
        )
        y += head
        for k, split in enumerate(splits):
            count = max(labelled.get(split, 0), 0)
            share = min(count / rows[split], 1.0)
            bar = f'x="{coord(left)}" y="{coord(y)}" height="8" rx="2"'
            body.append(f'<rect class="hollow" {bar} width="{coord(room)}"/>')
            body.append(f'<rect class="fill f{k % 3}" {bar} width="{coord(room * share)}"/>')
            words = f"{split} {_share(share)}"
            if not narrow:
                words += f" · {count:,}"
            body.append(text(left + room + 8, y + 8, words, style="k"))
            y += line
        y += 14
    return drawing(
        width,
        y,
        title="Labelled rows per target",
        detail=", ".join(splits),
        body=body,
        style="narrow" if narrow else "wide",
    )


def _share(share: float) -> str:
    if share in (0.0, 1.0):
        return f"{100 * share:.0f} %"
    return "> 99 %" if share > 0.995 else "< 1 %" if share < 0.005 else f"{100 * share:.0f} %"


@dataclass(frozen=True)
class GainLine:
    """A target, by how much something is better for it, and the mark that this gets."""

    target: str
    gain: GainRecord
    verdict: Verdict


def forest(
    lines: Sequence[GainLine], *, title: str, ends: tuple[str, str], narrow: bool = False
) -> str:
    """Returns gains with their intervals, one line per target, the largest gain on top.

    Args:
        lines: One for each target; those without a known gain are left out.
        title: The title of the drawing.
        ends: What the left and the right side of zero mean.
        narrow: Whether to draw for a phone: names above the lines.
    """
    known = [line for line in lines if not math.isnan(line.gain.gain)]
    if not known:
        return ""
    known.sort(key=lambda line: -line.gain.gain)
    low, high = _gain_range([line.gain for line in known])
    left = 8.0 if narrow else longest([line.target for line in known], 24) + 24
    width = NARROW if narrow else WIDE
    scale = Scale(low, high, left + 6, width - (8 if narrow else 142))
    step = 42.0 if narrow else 27.0
    head = 30.0
    bottom = head + step * len(known)
    body = _gain_axis(scale, head, bottom)
    zero = float(scale(0))
    # On a phone zero may be close to an end: there the words go to the corners.
    sides = (4.0, 346.0) if narrow else (zero - 8, zero + 8)
    anchors = ("", "e") if narrow else ("e", "")
    words = (f"← {ends[0]}", f"{ends[1]} →")
    body += [
        text(x, 16, side, style="t mu", anchor=anchor)
        for x, side, anchor in zip(sides, words, anchors, strict=True)
    ]
    for i, line in enumerate(known):
        y = head + step * (i + (0.72 if narrow else 0.5))
        gain = gain_in_words(line.gain)
        if narrow:
            body.append(text(4, y - 12, line.target, style="t b halo", limit=28))
            body.append(text(346, y - 12, gain, style="k halo", anchor="e"))
        else:
            body.append(text(left - 10, y + 4, line.target, style="t b", anchor="e", limit=24))
            body.append(text(width - 4, y + 4, gain, style="k", anchor="e"))
        body.append(_whisker(line, scale, y))
    return drawing(
        width,
        bottom + 36,
        title=title,
        detail="; ".join(f"{line.target}: {gain_in_words(line.gain)} %" for line in known),
        body=body,
        style="narrow" if narrow else "wide",
    )


def _gain_axis(scale: Scale, head: float, bottom: float) -> list[str]:
    marks = ticks(scale.low, scale.high)
    grid = "".join(f"M{coord(float(scale(v)))} {coord(head)}V{coord(bottom)}" for v in marks)
    middle = (scale.start + scale.end) / 2
    zero = coord(float(scale(0)))
    return [
        f'<path class="gr" d="{grid}"/>',
        f'<path class="zero" d="M{zero} {coord(head - 4)}V{coord(bottom)}"/>',
        *(text(float(scale(v)), bottom + 15, tick_label(v), style="k", anchor="m") for v in marks),
        text(middle, bottom + 31, "gain in loss, %", style="t mu", anchor="m"),
    ]


def _gain_range(gains: Sequence[GainRecord]) -> tuple[float, float]:
    """Returns an axis that shows zero and all gains, and cuts intervals far longer than others."""
    values = np.array([gain.gain for gain in gains])
    ends = np.array([[gain.low, gain.high] for gain in gains]).ravel()
    values, ends = values[np.isfinite(values)], ends[np.isfinite(ends)]
    sizes = np.abs(np.concatenate([values, ends]))
    if not sizes.size:
        return -1.0, 1.0
    largest = float(np.abs(values).max(initial=0))
    cap = max(3 * float(np.median(sizes)), 2 * largest, 5.0)
    shown = np.clip(np.concatenate([values, ends, [0.0]]), -cap, cap)
    low, high = float(shown.min()), float(shown.max())
    # Zero needs room on both sides for what the sides mean.
    size = max(high - low, 1.0)
    return min(low - 0.04 * size, -0.28 * size), max(high + 0.04 * size, 0.28 * size)


def _whisker(line: GainLine, scale: Scale, y: float) -> str:
    style = MARKS.get(line.verdict, "same")
    gain = line.gain
    parts = []
    if not (math.isnan(gain.low) or math.isnan(gain.high)):
        a, b = float(scale(gain.low)), float(scale(gain.high))
        parts.append(f'<path class="iv {style}" d="M{coord(a)} {coord(y)}H{coord(b)}"/>')
        for cut, at, way in ((gain.low < scale.low, a, 1), (gain.high > scale.high, b, -1)):
            # An arrow head: the interval goes on beyond the axis.
            shape = f"M{coord(at + 5 * way)} {coord(y - 4)}L{coord(at)} {coord(y)}l{5 * way} 4"
            if cut:
                parts.append(f'<path class="iv {style}" d="{shape}"/>')
    x = coord(float(scale(gain.gain)))
    # Shape and colour both carry the verdict, for readers who don't tell the colours apart.
    if style == "good":
        mark = f'<path class="mk good" d="M{x} {coord(y - 6)}l6 10h-12z"/>'
    elif style == "bad":
        mark = f'<path class="mk bad" d="M{x} {coord(y + 6)}l6-10h-12z"/>'
    else:
        mark = f'<circle class="mk same" cx="{x}" cy="{coord(y)}" r="4.5"/>'
    return "".join(parts) + mark
