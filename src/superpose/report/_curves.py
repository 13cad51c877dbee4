"""The numbers behind the plots: ROC, precision-recall, reliability, confusion, density, thinning.

Everything is a pure function of arrays. Missing labels (NaN) are dropped by the caller with
`present`. What is thinned is thinned by position, never by chance, so that a report can be
rebuilt byte for byte.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Span(NamedTuple):
    """An axis range and how many values lie outside it."""

    low: float
    high: float
    outside: int


def roc_points(truth: Array, score: Array) -> tuple[Array, Array, float]:
    """Returns false and true positive rates from (0, 0) to (1, 1), and the area under them.

    Args:
        truth: 0 or 1 per row; both classes must be there.
        score: Higher means class 1; equal scores share one point.

    Shape:
        truth, score: (N,). The rates: (P,) with P at most N + 1.

    Example:
        >>> roc_points(np.array([0., 1., 1.]), np.array([.1, .4, .9]))[2]
        1.0
    """
    hits, misses = _cumulated(truth, score)
    false_rate = np.concatenate([[0.0], misses / misses[-1]])
    true_rate = np.concatenate([[0.0], hits / hits[-1]])
    return false_rate, true_rate, float(np.trapezoid(true_rate, false_rate))


def pr_points(truth: Array, score: Array) -> tuple[Array, Array, float]:
    """Returns recall, precision and the average precision (the step-wise sum, not a trapezoid).

    Shape:
        truth, score: (N,). Recall and precision: (P,), recall rising.
    """
    hits, misses = _cumulated(truth, score)
    recall = hits / hits[-1]
    precision = hits / (hits + misses)
    area = float(np.sum(np.diff(recall, prepend=0.0) * precision))
    return np.concatenate([[0.0], recall]), np.concatenate([precision[:1], precision]), area


def _cumulated(truth: Array, score: Array) -> tuple[Array, Array]:
    order = np.argsort(-score, kind="stable")
    ranked = truth[order]
    ends = np.append(np.diff(score[order]) != 0, True)
    hits = np.cumsum(ranked)[ends]
    return hits, np.cumsum(1 - ranked)[ends]


def both_classes(truth: Array) -> bool:
    """Tells whether a ranking curve is defined."""
    return bool(truth.size and truth.min() == 0 and truth.max() == 1)


def reliability(truth: Array, chance: Array, bins: int = 10) -> tuple[Array, Array, Array]:
    """Returns mean predicted chance, observed rate and rows, in bins of about equal rows.

    Shape:
        truth, chance: (N,). Each result: (K,) with K at most `bins`.
    """
    edges = np.unique(np.quantile(chance, np.linspace(0, 1, bins + 1)[1:-1]))
    index = np.searchsorted(edges, chance, side="right")
    rows = np.bincount(index, minlength=edges.size + 1).astype(np.float64)
    kept = rows > 0
    predicted = np.bincount(index, weights=chance, minlength=rows.size)[kept] / rows[kept]
    observed = np.bincount(index, weights=truth, minlength=rows.size)[kept] / rows[kept]
    return predicted, observed, rows[kept]


def wilson(rate: Array, rows: Array, z: float = 1.96) -> tuple[Array, Array]:
    """Returns the Wilson interval of a rate.

    Source: Wilson 1927, doi:10.1080/01621459.1927.10502953.
    """
    centre = (rate + z**2 / (2 * rows)) / (1 + z**2 / rows)
    half = z / (1 + z**2 / rows) * np.sqrt(rate * (1 - rate) / rows + (z / rows) ** 2 / 4)
    return np.clip(centre - half, 0, 1), np.clip(centre + half, 0, 1)


def confusion_counts(truth: Array, predicted: Array, classes: int) -> Array:
    """Returns how often class i (row) was predicted as class j (column).

    Shape:
        truth, predicted: (N,) class indices. Result: (K, K).
    """
    flat = truth.astype(np.int64) * classes + predicted.astype(np.int64)
    counts = np.bincount(flat, minlength=classes * classes)
    return counts.reshape(classes, classes).astype(np.float64)


class ClassRow(NamedTuple):
    """One class in the classification report."""

    label: str
    precision: float
    recall: float
    f1: float
    rows: int


def class_report(counts: Array, labels: list[str]) -> list[ClassRow]:
    """Returns precision, recall and F1 per class from confusion counts; NaN where undefined."""
    rows = []
    for k, label in enumerate(labels):
        rows.append(class_row(label, counts[k, k], counts[:, k].sum(), true=counts[k].sum()))
    return rows


def class_row(label: str, right: float, predicted: float, *, true: float) -> ClassRow:
    """Returns precision, recall and F1 from counts; NaN where undefined.

    Args:
        label: The class.
        right: How many are rightly predicted.
        predicted: How many are predicted.
        true: How many there are.
    """
    return ClassRow(
        label,
        precision=float(right / predicted) if predicted else math.nan,
        recall=float(right / true) if true else math.nan,
        f1=float(2 * right / (true + predicted)) if true + predicted else math.nan,
        rows=int(true),
    )


def span(values: Array) -> Span:
    """Returns an axis range that a few extreme values can't stretch.

    The whole range is kept unless it is over three times that of the middle 99 %.
    """
    values = values[np.isfinite(values)]
    if not values.size:
        return Span(0.0, 1.0, 0)
    low, high = float(values.min()), float(values.max())
    q_low, q_high = (float(q) for q in np.quantile(values, [0.005, 0.995]))
    if q_high > q_low and high - low > 3 * (q_high - q_low):
        margin = 0.25 * (q_high - q_low)
        low = max(low, q_low - margin)
        high = min(high, q_high + margin)
    if high - low <= 1e-12 * max(abs(low), abs(high)):
        pad = abs(low) * 0.05 or 0.5
        low -= pad
        high += pad
    return Span(low, high, int(np.sum((values < low) | (values > high))))


def thin_curve(x: Array, y: Array, limit: int) -> tuple[Array, Array]:
    """Returns at most about `limit` points of a curve, evenly spaced along its drawn length."""
    if x.size <= limit:
        return x, y
    scale_x, scale_y = np.ptp(x) or 1.0, np.ptp(y) or 1.0
    steps = np.hypot(np.diff(x) / scale_x, np.diff(y) / scale_y)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    picks = np.searchsorted(along, np.linspace(0, along[-1], limit), side="left")
    picks = np.unique(np.clip(np.concatenate([[0], picks, [x.size - 1]]), 0, x.size - 1))
    return x[picks], y[picks]


def lattice(x: Array, y: Array, cell: float) -> tuple[Array, Array, Array]:
    """Returns centres and counts of the used cells of a hexagonal lattice.

    Args:
        x, y: Positions on paper.
        cell: Distance of neighbouring centres, on paper.

    Shape:
        x, y: (N,). Each result: (K,), one entry per cell that holds a point.

    Source: Carr et al. 1987, doi:10.1080/01621459.1987.10478445 (two interleaved grids).
    """
    height = cell * math.sqrt(3)
    first = np.stack([np.round(x / cell), np.round(y / height)])
    second = np.stack([np.floor(x / cell) + 0.5, np.floor(y / height) + 0.5])
    far = np.hypot(x - first[0] * cell, y - first[1] * height)
    near = np.hypot(x - second[0] * cell, y - second[1] * height)
    chosen = np.where(near < far, second, first)
    # Doubled coordinates are whole numbers; a cell's number is row * columns + column.
    across, up = np.round(chosen * 2).astype(np.int64)
    origin = (across.min(initial=0), up.min(initial=0))
    columns = int(across.max(initial=0) - origin[0]) + 1
    cells, counts = np.unique((up - origin[1]) * columns + across - origin[0], return_counts=True)
    centre_x = (cells % columns + origin[0]) / 2 * cell
    return centre_x, (cells // columns + origin[1]) / 2 * height, counts.astype(np.float64)


def running_quantiles(x: Array, y: Array, bins: int = 12) -> tuple[Array, Array]:
    """Returns bin centres and the 10, 50 and 90 % quantiles of y in bins of equal rows of x.

    Shape:
        x, y: (N,). Results: (K,) and (3, K); K is 0 below 60 rows.
    """
    if x.size < 60:
        return np.zeros(0), np.zeros((3, 0))
    parts = np.array_split(np.argsort(x, kind="stable"), min(bins, x.size // 20))
    centres = np.array([np.median(x[part]) for part in parts])
    return centres, np.stack([np.quantile(y[part], [0.1, 0.5, 0.9]) for part in parts], axis=1)
