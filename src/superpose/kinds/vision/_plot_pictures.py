"""What the report shows of masks, boxes and maps: counts, and pictures with both drawn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from superpose.kinds._target import TargetKind

Facts = dict[str, Any]
Pixels = Callable[[np.ndarray], np.ndarray]

VOID = -1  # a pixel without a class
PICTURES = 6  # a third each of the worst, the middling and the best
CURVE_POINTS = 200
MOST_POINTS = 20_000  # places whose truth is drawn against what was told


def _pictured(
    kind: TargetKind, pixels: Pixels | None, y: np.ndarray, *, told: np.ndarray, chart: str
) -> Facts:
    """Pick pictures from the worst to the best.

    Args:
        kind: The fitted target of an image.
        pixels: Gives the images (n, 3, H, W) of some rows.
        y: Encoded labels (N, L).
        told: Canonical predictions (N, K).
        chart: Name of the chart in the report.
    """
    assert pixels is not None, "a target of an image has one"
    rows = _spread(kind, y, told)
    shown = pixels(rows).transpose(0, 2, 3, 1)
    return {"chart": chart, "labels": kind.labels, "pixels": shown, "rows": rows}


def _spread(kind: TargetKind, y: np.ndarray, told: np.ndarray) -> np.ndarray:
    """Rows with a label, the largest loss first."""
    distribution = kind.distribution
    known = np.flatnonzero(distribution.known(y))
    losses = distribution.row_loss(y[known], told[known])
    worst = known[np.argsort(-losses, kind="stable")]
    if len(worst) <= PICTURES:
        return worst
    third, middle = PICTURES // 3, (len(worst) - PICTURES // 3) // 2
    return np.concatenate([worst[:third], worst[middle : middle + third], worst[-third:]])


def mask_facts(kind: Any, pixels: Pixels | None, y: np.ndarray, told: np.ndarray) -> Facts:
    """Count places by true and told class, and draw some masks; arguments as of ``_pictured``."""
    found = _pictured(kind, pixels, y, told=told, chart="masks")
    rows = found["rows"]

    def classes(pred: np.ndarray) -> np.ndarray:
        ids = np.array([*kind.ids, VOID])
        order = np.argsort(ids)
        found = order[np.searchsorted(ids[order], kind.masks(pred))]
        return np.where(found == len(kind.ids), VOID, found)

    return {
        **found,
        "counts": kind.overlap(y, told),
        "true": classes(kind.distribution.point_mass(y[rows])),
        "told": classes(told[rows]),
    }


def map_facts(kind: Any, pixels: Pixels | None, y: np.ndarray, told: np.ndarray) -> Facts:
    """Numbers of places against what was told, and some maps; arguments as of ``_pictured``."""
    found = _pictured(kind, pixels, y, told=told, chart="maps")
    rows = found["rows"]
    places = np.flatnonzero(~np.isnan(y))
    if len(places) > MOST_POINTS:
        places = places[np.linspace(0, len(places) - 1, MOST_POINTS).astype(int)]
    means = told[:, : kind.count]
    return {
        **found,
        "value": kind.in_units(np.column_stack([y.ravel()[places], means.ravel()[places]])),
        "true": kind.maps(kind.in_units(y[rows])),
        "told": kind.maps(kind.in_units(means[rows])),
    }


def box_facts(kind: Any, pixels: Pixels | None, y: np.ndarray, told: np.ndarray) -> Facts:
    """Count objects by class, and draw some; arguments as of ``_pictured``."""
    found = _pictured(kind, pixels, y, told=told, chart="objects")
    rows = found["rows"]
    distribution = kind.distribution
    known = distribution.known(y)
    label, score, hit, true = distribution.matched(y[known], told[known])
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
    measured = kind.metrics(y[known], told[known]) if known.any() else {}
    sure = score >= kind.shown
    return {
        **found,
        "true_counts": true.tolist(),
        "told_counts": [int((sure & (label == c)).sum()) for c in range(len(kind.labels))],
        "hit_counts": [int((sure & hit & (label == c)).sum()) for c in range(len(kind.labels))],
        "ap50": [measured.get(f"ap50_{name}", np.nan) for name in kind.labels],
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
                distribution.objects_of(y[rows]), kind.found(told[rows]), strict=True
            )
        ],
    }
