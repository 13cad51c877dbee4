"""Line and point charts of the report, as inline SVG.

Each function takes plain arrays and returns one SVG string, or "" where there is nothing to show.
Curves and points are thinned deterministically: a chart of 100,000 rows is as small as one of 400.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from superpose.record import MULTI_TASK, SINGLE_TASK, CurveRecord, model_name

from ._curves import (
    Array,
    Span,
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
from ._svg import Frame, Scale, coord, dots, drawing, key_height, polyline, text
from ._wording import number, plural

POINTS = 300  # rows drawn one by one; more are counted in cells
CURVE_POINTS = 72  # enough for a curve 280 pixels wide
SERIES = 6  # curves that colours can tell apart
RUN_STYLES = {MULTI_TASK: "s0", SINGLE_TASK: "s1"}


def learning_curves(runs: Sequence[CurveRecord], target: str = "") -> str:
    """Returns training (thin) and validation (bold) loss per epoch, the best epoch marked.

    Args:
        runs: The networks.
        target: The chart's title.
    """
    drawn = [losses for run in runs for losses in (run.train, run.validation)]
    drawn = [losses for losses in drawn if np.isfinite(losses).any()]
    if not drawn:
        return ""
    # The first epochs may be off the scale; the later ones are what a reader compares.
    late = [losses[min(2, losses.size - 1) :] for losses in drawn]
    room = span(np.concatenate([*late, *(run.validation for run in runs)]))
    log = room.low > 0 and room.high / room.low > 8
    pad = 0.0 if log else 0.04 * (room.high - room.low)
    longest = max(losses.size for losses in drawn)
    styles = [RUN_STYLES.get(run.model, f"s{i % SERIES}") for i, run in enumerate(runs)]
    keys = [key for run, style in zip(runs, styles, strict=True) for key in _run_keys(run, style)]
    frame = Frame(
        (1, max(longest, 2)),
        (room.low - pad, room.high + pad),
        ("epoch", "loss"),
        log_y=log,
        top=key_height(len(keys)),
    )
    body = [frame.axes(), frame.key(keys)]
    for run, style in zip(runs, styles, strict=True):
        body.append(_losses(frame, run.train, f"thin {style}"))
        body.append(_losses(frame, run.validation, style))
        body.append(_best(frame, run, style))
    return drawing(
        frame.width,
        frame.height,
        title=f"Learning curves of {target}".strip(),
        detail="; ".join(filter(None, map(_best_in_words, runs))),
        body=body,
    )


def _losses(frame: Frame, losses: Array, style: str) -> str:
    seen = np.isfinite(losses)
    if not seen.any():
        return ""
    epochs = np.arange(1, losses.size + 1, dtype=np.float64)
    x, y = thin_curve(frame.x(epochs[seen]), frame.y(losses[seen]), CURVE_POINTS)
    return f'<path class="ln {style}" d="{polyline(x, y)}"/>'


def _best_loss(run: CurveRecord) -> float:
    """The validation loss of the epoch whose weights are kept, NaN where it is not known."""
    best = run.best_epoch
    known = best is not None and 0 <= best < run.validation.size
    return float(run.validation[best]) if known else math.nan


def _best(frame: Frame, run: CurveRecord, style: str) -> str:
    loss = _best_loss(run)
    if math.isnan(loss):
        return ""
    x = coord(float(frame.x((run.best_epoch or 0) + 1)))
    y = coord(float(frame.y(loss)))
    return f'<circle class="mark {style}" cx="{x}" cy="{y}" r="4"/>'


def _best_in_words(run: CurveRecord) -> str:
    loss = _best_loss(run)
    if math.isnan(loss):
        return ""
    epoch = (run.best_epoch or 0) + 1
    return f"{model_name(run.model)}: best epoch {epoch}, loss {number(loss)}"


def _run_keys(run: CurveRecord, style: str) -> list[tuple[str, str]]:
    name = model_name(run.model)
    keys = []
    if np.isfinite(run.validation).any():
        keys.append((f"ln {style}", f"{name}, validation"))
    if np.isfinite(run.train).any():
        keys.append((f"ln thin {style}", f"{name}, training"))
    return keys


def roc_curves(truth: Array, scores: Array, labels: Sequence[str], *, target: str = "") -> str:
    """Returns ROC curves, one per class (each against the rest), with their areas.

    Args:
        truth: 0 or 1 per row and class; NaN is missing.
        scores: Predicted chances.
        labels: One name per column.
        target: For the title.

    Shape:
        truth, scores: (N, K).
    """
    shown, total = _ranked(truth, scores, labels, points=roc_points)
    if not shown:
        return ""
    keys = _ranking_keys(shown, "AUC")
    names = ("false positive rate", "true positive rate")
    frame = Frame((0, 1), (0, 1), names, top=key_height(len(keys)))
    chance = polyline(frame.x([0, 1]), frame.y([0, 1]))
    body = [frame.axes(), frame.key(keys), f'<path class="ref" d="{chance}"/>']
    body += _ranking_lines(frame, shown)
    title = _ranking_title(f"ROC curve of {target}", len(shown), total)
    detail = "; ".join(f"{one.label}: AUC {number(one.area)}" for one in shown)
    return drawing(frame.width, frame.height, title=title, detail=detail, body=body)


def pr_curves(truth: Array, scores: Array, labels: Sequence[str], *, target: str = "") -> str:
    """Returns precision-recall curves, one per class, with their average precision.

    Shape:
        truth, scores: (N, K), as for `roc_curves`.
    """
    shown, total = _ranked(truth, scores, labels, points=pr_points)
    if not shown:
        return ""
    keys = _ranking_keys(shown, "AP")
    frame = Frame((0, 1), (0, 1), ("recall", "precision"), top=key_height(len(keys)))
    body = [frame.axes(), frame.key(keys)]
    if len(shown) == 1:
        base = shown[0].positives / max(np.isfinite(truth).sum(), 1)
        chance = polyline(frame.x([0, 1]), frame.y([base, base]))
        body.append(f'<path class="ref" d="{chance}"/>')
    body += _ranking_lines(frame, shown)
    title = _ranking_title(f"Precision and recall of {target}", len(shown), total)
    detail = "; ".join(f"{one.label}: AP {number(one.area)}" for one in shown)
    return drawing(frame.width, frame.height, title=title, detail=detail, body=body)


@dataclass(frozen=True, eq=False)
class Ranking:
    """The curve of one class against the rest: its label, its rows, its points, its area."""

    label: str
    positives: float
    x: Array
    y: Array
    area: float


def _ranked(
    truth: Array,
    scores: Array,
    labels: Sequence[str],
    *,
    points: Callable[[Array, Array], tuple[Array, Array, float]],
) -> tuple[list[Ranking], int]:
    """The curves of the six classes with most rows, and how many classes there are."""
    curves = []
    for k, label in enumerate(labels):
        known = np.isfinite(truth[:, k]) & np.isfinite(scores[:, k])
        y = truth[known, k]
        if both_classes(y):
            x, height, area = points(y, scores[known, k])
            curves.append(Ranking(label, float(y.sum()), x, height, area))
    common = sorted(curves, key=lambda one: -one.positives)[:SERIES]
    return [one for one in curves if one in common], len(labels)


def _ranking_keys(shown: Sequence[Ranking], unit: str) -> list[tuple[str, str]]:
    if len(shown) == 1:
        return [("ln s0", f"{unit} {number(shown[0].area)}")]
    return [(f"ln s{i}", f"{number(one.area)} {one.label}".strip()) for i, one in enumerate(shown)]


def _ranking_lines(frame: Frame, shown: Sequence[Ranking]) -> list[str]:
    lines = []
    for i, one in enumerate(shown):
        x, y = thin_curve(frame.x(one.x), frame.y(one.y), CURVE_POINTS)
        lines.append(f'<path class="ln s{i}" d="{polyline(x, y)}"/>')
    return lines


def _ranking_title(title: str, shown: int, total: int) -> str:
    return f"{title} ({shown} of {total} classes)" if total > shown > 1 else title


def calibration(truth: Array, chance: Array, *, target: str = "", what: str = "") -> str:
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
    x = frame.x(predicted)
    y = frame.y(observed)
    whiskers = "".join(
        f"M{coord(px)} {coord(a)}V{coord(b)}"
        for px, a, b in zip(x, frame.y(low), frame.y(high), strict=True)
    )
    error = float(np.sum(rows * np.abs(predicted - observed)) / rows.sum())
    body = [
        frame.axes(),
        f'<path class="ref" d="{polyline(frame.x([0, end]), frame.y([0, end]))}"/>',
        f'<path class="wh s0" d="{whiskers}"/><path class="ln s0" d="{polyline(x, y)}"/>',
        f'<path class="dot s0" d="{dots(x, y)}"/>',
        text(frame.x.start + 8, frame.top + 12, f"mean gap {number(error)}", style="k"),
    ]
    detail = f"{plural(int(rows.sum()), 'row')} in {plural(rows.size, 'bin')}"
    return drawing(
        frame.width,
        frame.height,
        title=f"Calibration of {target}".strip(),
        detail=detail,
        body=body,
    )


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
    return drawing(frame.width, frame.height, title=title, detail=detail, body=body)


def residuals(true: Array, predicted: Array, target: str = "") -> str:
    """Returns true minus predicted against predicted, with the median and the middle 80 %.

    Shape:
        true, predicted: (N,), as for `predicted_against_true`.
    """
    known = np.isfinite(true) & np.isfinite(predicted)
    left = true[known] - predicted[known]
    predicted = predicted[known]
    if not left.size:
        return ""
    across, up = span(predicted), span(left)
    limit = max(abs(up.low), abs(up.high))
    frame = Frame(across[:2], (-limit, limit), ("predicted", "true − predicted"), top=14)
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
    body.append(_edge_note(frame, _outside(predicted, across) | (np.abs(left) > limit)))
    detail = f"{plural(left.size, 'row')}; median error {number(np.median(left))}"
    return drawing(
        frame.width, frame.height, title=f"Residuals of {target}".strip(), detail=detail, body=body
    )


def _outside(values: Array, room: Span) -> np.ndarray:
    return (values < room.low) | (values > room.high)


def _edge_note(frame: Frame, outside: np.ndarray) -> str:
    count = int(outside.sum())
    if not count:
        return ""
    words = f"{plural(count, 'row')} beyond the axes, at the edge"
    return text(frame.x.end - 2, frame.y.start - 7, words, style="k", anchor="e")


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
