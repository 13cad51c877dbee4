"""What the report shows of masks, boxes and maps: counts, and pictures with both drawn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from superpose.kinds._target import TargetKind

from ._mask_classes import confusion

Facts = dict[str, Any]
Pixels = Callable[[np.ndarray], np.ndarray]

VOID = -1  # a pixel without a class
PICTURES = 6  # a third each of the worst, the middling and the best
CURVE_POINTS = 200
MOST_POINTS = 20_000  # locations whose truth is drawn against the prediction


def _pictured(
    kind: TargetKind, pixels: Pixels | None, *, y: np.ndarray, pred: np.ndarray, chart: str
) -> Facts:
    """Pick pictures from the worst to the best.

    Args:
        kind: The fitted target of an image.
        pixels: Gives the images (n, 3, H, W) of some rows.
        y: Encoded labels (N, L).
        pred: Canonical predictions (N, K).
        chart: Name of the chart in the report.
    """
    assert pixels is not None, "a target of an image has one"
    rows = _worst_to_best(kind, y, pred)
    shown = pixels(rows).transpose(0, 2, 3, 1)
    return {"chart": chart, "labels": kind.labels, "pixels": shown, "rows": rows}


def _worst_to_best(kind: TargetKind, y: np.ndarray, pred: np.ndarray) -> np.ndarray:
    """Rows with a label, the largest loss first."""
    distribution = kind.distribution
    known = np.flatnonzero(distribution.known(y))
    losses = distribution.row_loss(y[known], pred[known])
    worst = known[np.argsort(-losses, kind="stable")]
    if len(worst) <= PICTURES:
        return worst
    third = PICTURES // 3
    middle = (len(worst) - third) // 2
    return np.concatenate([worst[:third], worst[middle : middle + third], worst[-third:]])


def mask_facts(kind: Any, pixels: Pixels | None, *, y: np.ndarray, pred: np.ndarray) -> Facts:
    """Count locations by true and predicted class, and draw some masks.

    Arguments are those of `_pictured`.
    """
    facts = _pictured(kind, pixels, y=y, pred=pred, chart="masks")
    rows = facts["rows"]

    def classes(z: np.ndarray) -> np.ndarray:
        ids = np.array([*kind.ids, VOID])
        order = np.argsort(ids)
        index = order[np.searchsorted(ids[order], kind.masks(z))]
        return np.where(index == len(kind.ids), VOID, index)

    return {
        **facts,
        "counts": confusion(y, kind.choose(pred), len(kind.labels)),
        "true": classes(kind.distribution.point_mass(y[rows])),
        "told": classes(pred[rows]),
    }


def map_facts(kind: Any, pixels: Pixels | None, *, y: np.ndarray, pred: np.ndarray) -> Facts:
    """True and predicted numbers of locations, and some maps; arguments as of `_pictured`."""
    facts = _pictured(kind, pixels, y=y, pred=pred, chart="maps")
    rows = facts["rows"]
    known = np.flatnonzero(~np.isnan(y))
    if len(known) > MOST_POINTS:
        known = known[np.linspace(0, len(known) - 1, MOST_POINTS).astype(int)]
    means = pred[:, : kind.count]
    return {
        **facts,
        "value": kind.in_units(np.column_stack([y.ravel()[known], means.ravel()[known]])),
        "true": kind.maps(kind.in_units(y[rows])),
        "told": kind.maps(kind.in_units(means[rows])),
    }


def box_facts(kind: Any, pixels: Pixels | None, *, y: np.ndarray, pred: np.ndarray) -> Facts:
    """Count objects by class, and draw some; arguments as of `_pictured`."""
    facts = _pictured(kind, pixels, y=y, pred=pred, chart="objects")
    rows = facts["rows"]
    distribution = kind.distribution
    known = distribution.known(y)
    label, score, hit, true = distribution.matched(y[known], pred[known])
    curves = []
    for c in range(len(kind.labels)):
        own = label == c
        order = np.argsort(-score[own], kind="stable")
        hits = np.cumsum(hit[own][order])
        recall = hits / max(true[c], 1)
        precision = hits / np.arange(1, len(hits) + 1)
        few = np.unique(np.linspace(0, max(len(hits) - 1, 0), CURVE_POINTS).astype(int))
        few = few[: len(hits)]
        curves.append({"recall": recall[few].tolist(), "precision": precision[few].tolist()})
    metrics = kind.metrics(y[known], pred[known]) if known.any() else {}
    sure = score >= kind.shown
    return {
        **facts,
        "true_counts": true.tolist(),
        "told_counts": [int((sure & (label == c)).sum()) for c in range(len(kind.labels))],
        "hit_counts": [int((sure & hit & (label == c)).sum()) for c in range(len(kind.labels))],
        "ap50": [metrics.get(f"ap50_{name}", np.nan) for name in kind.labels],
        "curves": curves,
        "objects": [
            {
                "true": [[int(x[0]), *map(float, x[1:])] for x in objects if x[0] >= 0],
                "told": [
                    [int(c), *map(float, box), float(s)]
                    for c, box, s in zip(own.label, own.box, own.score, strict=True)
                ],
            }
            for objects, own in zip(
                distribution.objects_of(y[rows]), kind.peaks(pred[rows]), strict=True
            )
        ],
    }
