"""Line and point charts of the report, as inline SVG.

Each function takes plain arrays and returns one SVG string, or "" where there is nothing to show.
Curves and points are thinned deterministically: a chart of 100,000 rows is as small as one of 400.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ._curves import (
    Array,
    Span,
    as_floats,
    both_classes,
    lattice,
    pr_points,
    reliability,
    roc_points,
    running_quantiles,
    span,
    thin_curve,
    wilson,
)
from ._svg import Frame, Scale, dots, drawing, key_height, place, polyline, text
from ._wording import number, plural

POINTS = 300  # rows drawn one by one; more are counted in cells
CURVE_POINTS = 72  # enough for a curve 280 pixels wide
SERIES = 6  # curves that colours can tell apart


def learning_curves(runs: Sequence[Mapping[str, Any]], target: str = "") -> str:
    """Returns training (thin) and validation (bold) loss per epoch, the best epoch marked.

    Args:
        runs: ``{"name": "joint" | "alone", "train": [...], "validation": [...], "best": epoch}``
            with `best` counted from 0; losses may be NaN.
        target: The chart's title.
    """
    series = [(_run_style(run, i), run, _losses(run)) for i, run in enumerate(runs)]
    drawn = [losses for _, _, pair in series for losses in pair if np.isfinite(losses).any()]
    if not drawn:
        return ""
    # The first epochs may be off the scale; the later ones are what a reader compares.
    values = np.concatenate([losses[min(2, losses.size - 1) :] for losses in drawn])
    values = np.concatenate([values, *[pair[1] for _, _, pair in series]])
    room = span(values)
    log = room.low > 0 and room.high / room.low > 8
    pad = 0.0 if log else 0.04 * (room.high - room.low)
    longest = max(losses.size for losses in drawn)
    keys = [entry for style, run, pair in series for entry in _run_keys(style, run, pair)]
    frame = Frame(
        (1, max(longest, 2)),
        (room.low - pad, room.high + pad),
        ("epoch", "loss"),
        log_y=log,
        top=key_height(len(keys)),
    )
    body, words = [frame.axes(), frame.key(keys)], []
    for style, run, pair in series:
        for losses, weight in zip(pair, ("thin ", ""), strict=True):
            epochs = np.arange(1, losses.size + 1, dtype=np.float64)
            seen = np.isfinite(losses)
            if seen.any():
                px, py = thin_curve(frame.x(epochs[seen]), frame.y(losses[seen]), CURVE_POINTS)
                body.append(f'<path class="ln {weight}{style}" d="{polyline(px, py)}"/>')
        best = run.get("best")
        if best is not None and 0 <= int(best) < pair[1].size and np.isfinite(pair[1][int(best)]):
            at, loss = int(best) + 1, pair[1][int(best)]
            x, y = place(float(frame.x(at))), place(float(frame.y(loss)))
            body.append(f'<circle class="mark {style}" cx="{x}" cy="{y}" r="4"/>')
            words.append(f"{run.get('name', 'run')}: best epoch {at}, loss {number(loss)}")
    return drawing(
        frame.width, frame.height, f"Learning curves of {target}".strip(), "; ".join(words), body
    )


def _run_style(run: Mapping[str, Any], position: int) -> str:
    known = {"joint": "s0", "alone": "s1"}
    return known.get(str(run.get("name")), f"s{position % SERIES}")


def _losses(run: Mapping[str, Any]) -> tuple[Array, Array]:
    return as_floats(run.get("train")), as_floats(run.get("validation"))


def _run_keys(
    style: str, run: Mapping[str, Any], pair: tuple[Array, Array]
) -> list[tuple[str, str]]:
    name, keys = str(run.get("name", "run")), []
    if np.isfinite(pair[1]).any():
        keys.append((f"ln {style}", f"{name}, validation"))
    if np.isfinite(pair[0]).any():
        keys.append((f"ln thin {style}", f"{name}, training"))
    return keys


def roc_curves(truth: Array, scores: Array, labels: Sequence[str], target: str = "") -> str:
    """Returns ROC curves, one per class (each against the rest), with their areas.

    Args:
        truth: 0 or 1 per row and class; NaN is missing.
        scores: Predicted chances.
        labels: One name per column.

    Shape:
        truth, scores: (N, K).
    """
    frame_names = ("false positive rate", "true positive rate")
    return _ranking(truth, scores, labels, f"ROC curve of {target}", frame_names, roc=True)


def pr_curves(truth: Array, scores: Array, labels: Sequence[str], target: str = "") -> str:
    """Returns precision-recall curves, one per class, with their average precision.

    Shape:
        truth, scores: (N, K), as for `roc_curves`.
    """
    title = f"Precision and recall of {target}"
    return _ranking(truth, scores, labels, title, ("recall", "precision"), roc=False)


def _ranking(
    truth: Array,
    scores: Array,
    labels: Sequence[str],
    title: str,
    names: tuple[str, str],
    roc: bool,
) -> str:
    curves = []
    for k, label in enumerate(labels):
        known = np.isfinite(truth[:, k]) & np.isfinite(scores[:, k])
        y, s = truth[known, k], scores[known, k]
        if both_classes(y):
            curves.append((label, float(y.sum()), *(roc_points if roc else pr_points)(y, s)))
    if not curves:
        return ""
    # Beyond what colours can tell apart, the classes with most rows are shown.
    common = sorted(curves, key=lambda c: -c[1])[:SERIES]
    shown = [c for c in curves if any(c is other for other in common)]
    unit = "AUC" if roc else "AP"
    keys = [(f"ln s{i}", f"{number(c[4])} {c[0]}".strip()) for i, c in enumerate(shown)]
    if len(shown) == 1:
        keys = [("ln s0", f"{unit} {number(shown[0][4])}")]
    frame = Frame((0, 1), (0, 1), names, top=key_height(len(keys)))
    if len(labels) > len(shown) > 1:
        title += f" ({len(shown)} of {len(labels)} classes)"
    body = [frame.axes(), frame.key(keys)]
    if roc:
        body.append(f'<path class="ref" d="{polyline(frame.x([0, 1]), frame.y([0, 1]))}"/>')
    elif len(shown) == 1:
        base = shown[0][1] / max(np.isfinite(truth).sum(), 1)
        body.append(f'<path class="ref" d="{polyline(frame.x([0, 1]), frame.y([base, base]))}"/>')
    for i, (_, _, x, y, _) in enumerate(shown):
        px, py = thin_curve(frame.x(x), frame.y(y), CURVE_POINTS)
        body.append(f'<path class="ln s{i}" d="{polyline(px, py)}"/>')
    detail = "; ".join(f"{c[0]}: {unit} {number(c[4])}" for c in shown)
    return drawing(frame.width, frame.height, title, detail, body)


def calibration(truth: Array, chance: Array, target: str = "", what: str = "") -> str:
    """Returns observed rate against predicted chance, with 95 % intervals of the rate.

    Args:
        truth: 0 or 1; NaN is missing.
        chance: Predicted chance of 1.
        what: What the chance is of, for the axis.

    Shape:
        truth, chance: (N,).
    """
    known = np.isfinite(truth) & np.isfinite(chance)
    if not known.any():
        return ""
    predicted, observed, rows = reliability(truth[known], chance[known])
    low, high = wilson(observed, rows)
    # Rare classes live near zero: there the whole unit square would hide everything.
    top = float(max(predicted.max(), high.max()))
    end = 1.0 if top > 0.5 else max(top * 1.1, 1e-6)
    frame = Frame((0, end), (0, end), (f"predicted chance {what}".strip(), "observed rate"), top=14)
    x, y = frame.x(predicted), frame.y(observed)
    whiskers = "".join(
        f"M{place(px)} {place(a)}V{place(b)}"
        for px, a, b in zip(x, frame.y(low), frame.y(high), strict=True)
    )
    error = float(np.sum(rows * np.abs(predicted - observed)) / rows.sum())
    body = [
        frame.axes(),
        f'<path class="ref" d="{polyline(frame.x([0, end]), frame.y([0, end]))}"/>',
        f'<path class="wh s0" d="{whiskers}"/><path class="ln s0" d="{polyline(x, y)}"/>',
        f'<path class="dot s0" d="{dots(x, y)}"/>',
        text(frame.x.start + 8, frame.top + 12, f"mean gap {number(error)}", "k"),
    ]
    detail = f"{plural(int(rows.sum()), 'row')} in {plural(rows.size, 'bin')}"
    return drawing(frame.width, frame.height, f"Calibration of {target}".strip(), detail, body)


def predicted_against_true(true: Array, predicted: Array, target: str = "") -> str:
    """Returns predicted values against true ones: points, or density cells from 300 rows on.

    Args:
        true, predicted: In the user's units; NaN rows are left out.

    Shape:
        true, predicted: (N,).
    """
    known = np.isfinite(true) & np.isfinite(predicted)
    true, predicted = true[known], predicted[known]
    if not true.size:
        return ""
    both = span(np.concatenate([true, predicted]))
    frame = Frame(both[:2], both[:2], ("true", "predicted"), top=14)
    line = polyline(frame.x(both[:2]), frame.y(both[:2]))
    body = [
        frame.axes(),
        _cloud(frame.x(true), frame.y(predicted)),
        f'<path class="ref" d="{line}"/>',
        _edge_note(frame, _outside(true, both) | _outside(predicted, both)),
    ]
    detail = f"{plural(true.size, 'row')}; the dashed line is a perfect prediction"
    title = f"Predicted against true {target}".strip()
    return drawing(frame.width, frame.height, title, detail, body)


def residuals(true: Array, predicted: Array, target: str = "") -> str:
    """Returns true minus predicted against predicted, with the median and the middle 80 %.

    Shape:
        true, predicted: (N,), as for `predicted_against_true`.
    """
    known = np.isfinite(true) & np.isfinite(predicted)
    predicted, left = predicted[known], true[known] - predicted[known]
    if not left.size:
        return ""
    across, up = span(predicted), span(left)
    reach = max(abs(up.low), abs(up.high))
    frame = Frame(across[:2], (-reach, reach), ("predicted", "true − predicted"), top=14)
    middle = polyline([frame.x.start, frame.x.end], frame.y([0, 0]))
    body = [
        frame.axes(),
        _cloud(frame.x(predicted), frame.y(left)),
        f'<path class="ref" d="{middle}"/>',
    ]
    centres, bands = running_quantiles(predicted, left)
    if centres.size:
        x = frame.x(centres)
        for row, style in zip(bands, ("ln thin", "ln", "ln thin"), strict=True):
            body.append(f'<path class="{style} s1" d="{polyline(x, frame.y(row))}"/>')
    body.append(_edge_note(frame, _outside(predicted, across) | (np.abs(left) > reach)))
    detail = f"{plural(left.size, 'row')}; median error {number(np.median(left))}"
    return drawing(frame.width, frame.height, f"Residuals of {target}".strip(), detail, body)


def _outside(values: Array, room: Span) -> np.ndarray:
    return (values < room.low) | (values > room.high)


def _edge_note(frame: Frame, outside: np.ndarray) -> str:
    count = int(outside.sum())
    if not count:
        return ""
    words = f"{plural(count, 'row')} beyond the axes, at the edge"
    return text(frame.x.end - 2, frame.y.start - 7, words, "k", "e")


def _cloud(x: Array, y: Array) -> str:
    """Draws positions on paper as points, or as cells shaded by how many rows they hold."""
    if x.size <= POINTS:
        return f'<path class="pt s0" d="{dots(x, y)}"/>'
    cx, cy, counts = lattice(x, y, 8.0)
    # Log counts: one crowded cell must not bleach all others.
    shade = Scale(1, max(float(counts.max()), 2), 0, 4.999, log=True)(counts).astype(int)
    return "".join(
        f'<path class="hx h{level}" d="{dots(cx[shade == level], cy[shade == level])}"/>'
        for level in range(5)
        if (shade == level).any()
    )
