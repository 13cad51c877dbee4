"""Bars and the interval plot of the report, as inline SVG.

Drawings over all targets come in two forms, wide and narrow; the page shows the one that fits the
screen, so that text is never scaled down to a phone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ._curves import as_floats
from ._svg import Scale, drawing, longest, place, text, tick_label, ticks
from ._wording import HARMED, HELPED, NO_DIFFERENCE, gain, interval_of, percent, real

WIDE = 860.0  # widths of the two forms
NARROW = 350.0
MARKS = {HELPED: "good", HARMED: "bad", NO_DIFFERENCE: "same"}


def importance_bars(inputs: Sequence[str], values: Any, target: str = "", most: int = 10) -> str:
    """Returns one target's most important inputs as bars.

    Args:
        values: Percent increase of the loss when an input is permuted; below zero is drawn as zero.

    Shape:
        values: (C,).
    """
    column = as_floats(values)
    order = np.argsort(-np.nan_to_num(column, nan=-np.inf), kind="stable")[:most]
    order = order[np.nan_to_num(column[order]) > 0]
    if not order.size:
        return ""
    names = [str(inputs[k]) for k in order]
    left = longest(names, 18) + 14
    scale = Scale(0, float(column[order[0]]), 0, 340 - left - 52)
    body = []
    for i, (k, name) in enumerate(zip(order, names, strict=True)):
        y = 10 + i * 24
        long = max(float(scale(column[k])), 1.0)
        body.append(text(left - 8, y + 13, name, "t", "e", limit=18))
        body.append(
            f'<rect class="bar" x="{place(left)}" y="{y}" width="{place(long)}" '
            f'height="17" rx="2"/>'
        )
        body.append(text(left + long + 6, y + 13, f"{percent(column[k])} %", "k"))
    title = f"Inputs that matter for {target}".strip()
    return drawing(340, 20 + 24 * len(names), title, "percent increase of the loss", body)


def coverage_bars(
    coverage: Sequence[tuple[str, Mapping[str, int]]], rows: Mapping[str, int], narrow: bool = False
) -> str:
    """Returns the share of labelled rows per target and split.

    Args:
        coverage: Target and its labelled rows by split name.
        rows: All rows by split name; an empty split is left out.
        narrow: Whether to draw for a phone: names above the bars.
    """
    splits = [name for name, count in rows.items() if real(count) > 0]
    if not coverage or not splits:
        return ""
    line, gap = 15, 14 + (18 if narrow else 0)
    left = 4.0 if narrow else longest([name for name, _ in coverage], 24) + 22
    width = NARROW if narrow else WIDE
    room = width - left - (118 if narrow else 176)
    body, y = [], 6.0
    for name, labelled in coverage:
        middle = y + line * len(splits) / 2 + 3
        body.append(
            text(left, y + 11, name, "t b", limit=50)
            if narrow
            else text(left - 10, middle, name, "t b", "e", limit=24)
        )
        y += 18 if narrow else 0
        for k, split in enumerate(splits):
            count = max(real(labelled.get(split)), 0.0)
            share = 0.0 if math.isnan(count) else min(count / rows[split], 1.0)
            bar = f'x="{place(left)}" y="{place(y)}" height="8" rx="2"'
            body.append(f'<rect class="hollow" {bar} width="{place(room)}"/>')
            body.append(f'<rect class="fill f{k % 3}" {bar} width="{place(room * share)}"/>')
            words = f"{split} {_share(share)}"
            if not narrow and not math.isnan(count):
                words += f" · {int(count):,}"
            body.append(text(left + room + 8, y + 8, words, "k"))
            y += line
        y += gap - (18 if narrow else 0)
    style = "narrow" if narrow else "wide"
    return drawing(width, y, "Labelled rows per target", ", ".join(splits), body, style)


def _share(share: float) -> str:
    if share in (0.0, 1.0):
        return f"{100 * share:.0f} %"
    return "> 99 %" if share > 0.995 else "< 1 %" if share < 0.005 else f"{100 * share:.0f} %"


def forest(
    rows: Sequence[Mapping[str, Any]], title: str, ends: tuple[str, str], narrow: bool = False
) -> str:
    """Returns gains with their intervals, one line per target, the largest gain on top.

    Args:
        rows: Each with `target`, `delta` (percent), `interval` ([low, high] or None), `verdict`.
        ends: What the left and the right side of zero mean.
        narrow: Whether to draw for a phone: names above the lines.
    """
    known = [row for row in rows if not math.isnan(real(row.get("delta")))]
    if not known:
        return ""
    known.sort(key=lambda row: -real(row["delta"]))
    low, high = _gain_range(known)
    left = 8.0 if narrow else longest([str(r["target"]) for r in known], 24) + 24
    width = NARROW if narrow else WIDE
    scale = Scale(low, high, left + 6, width - (8 if narrow else 142))
    step, head = (42.0, 30.0) if narrow else (27.0, 30.0)
    bottom = head + step * len(known)
    grid = "".join(
        f"M{place(float(scale(v)))} {place(head)}V{place(bottom)}" for v in ticks(low, high)
    )
    zero = float(scale(0))
    body = [
        f'<path class="gr" d="{grid}"/>',
        f'<path class="zero" d="M{place(zero)} {place(head - 4)}V{place(bottom)}"/>',
        *(text(float(scale(v)), bottom + 15, tick_label(v), "k", "m") for v in ticks(low, high)),
        # On a phone zero may be close to an end: there the words go to the corners.
        text(4 if narrow else zero - 8, 16, f"← {ends[0]}", "t mu", "" if narrow else "e"),
        text(346 if narrow else zero + 8, 16, f"{ends[1]} →", "t mu", "e" if narrow else ""),
    ]
    for i, row in enumerate(known):
        y = head + step * (i + (0.72 if narrow else 0.5))
        name, words = str(row["target"]), gain(row["delta"], row.get("interval"))
        if narrow:
            body += [
                text(4, y - 12, name, "t b halo", limit=28),
                text(346, y - 12, words, "k halo", "e"),
            ]
        else:
            body += [text(left - 10, y + 4, name, "t b", "e", limit=24)]
            body += [text(width - 4, y + 4, words, "k", "e")]
        body.append(_whisker(row, scale, y))
    detail = "; ".join(f"{r['target']}: {gain(r['delta'], r.get('interval'))} %" for r in known)
    style = "narrow" if narrow else "wide"
    return drawing(width, bottom + 36, title, detail, [*body, _unit(scale, bottom)], style)


def _unit(scale: Scale, bottom: float) -> str:
    return text((scale.start + scale.end) / 2, bottom + 31, "gain in loss, %", "t mu", "m")


def _gain_range(rows: Sequence[Mapping[str, Any]]) -> tuple[float, float]:
    """Returns an axis that shows zero and all gains, and cuts intervals far longer than others."""
    gains = np.array([real(row["delta"]) for row in rows])
    ends = np.array([interval_of(row.get("interval")) for row in rows]).ravel()
    ends = ends[np.isfinite(ends)]
    reach = np.abs(np.concatenate([gains[np.isfinite(gains)], ends]))
    if not reach.size:
        return -1.0, 1.0
    largest = float(np.abs(gains[np.isfinite(gains)]).max(initial=0))
    cap = max(3 * float(np.median(reach)), 2 * largest, 5.0)
    shown = np.clip(np.concatenate([gains[np.isfinite(gains)], ends, [0.0]]), -cap, cap)
    low, high = float(shown.min()), float(shown.max())
    # Zero needs room on both sides for what the sides mean.
    size = max(high - low, 1.0)
    return min(low - 0.04 * size, -0.28 * size), max(high + 0.04 * size, 0.28 * size)


def _whisker(row: Mapping[str, Any], scale: Scale, y: float) -> str:
    style = MARKS.get(str(row.get("verdict")), "same")
    low, high = interval_of(row.get("interval"))
    parts = []
    if not (math.isnan(low) or math.isnan(high)):
        a, b = float(scale(low)), float(scale(high))
        parts.append(f'<path class="iv {style}" d="M{place(a)} {place(y)}H{place(b)}"/>')
        for cut, at, way in ((low < scale.low, a, 1), (high > scale.high, b, -1)):
            # An arrow head: the interval goes on beyond the axis.
            shape = f"M{place(at + 5 * way)} {place(y - 4)}L{place(at)} {place(y)}l{5 * way} 4"
            if cut:
                parts.append(f'<path class="iv {style}" d="{shape}"/>')
    x = place(float(scale(real(row["delta"]))))
    # Shape and colour both carry the verdict, for readers who don't tell the colours apart.
    if style == "good":
        mark = f'<path class="mk good" d="M{x} {place(y - 6)}l6 10h-12z"/>'
    elif style == "bad":
        mark = f'<path class="mk bad" d="M{x} {place(y + 6)}l6-10h-12z"/>'
    else:
        mark = f'<circle class="mk same" cx="{x}" cy="{place(y)}" r="4.5"/>'
    return "".join(parts) + mark
