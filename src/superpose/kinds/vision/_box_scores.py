"""Scores of predicted objects in images, as COCO counts them."""

from __future__ import annotations

import contextlib
import io
from typing import Any

import numpy as np

from superpose.distributions import Peaks
from superpose.errors import MissingExtraError

UNITS = 1000.0  # of a side, for the scores; areas of the usual sizes mean nothing here
MOST_SCORED = 100  # boxes of an image, as COCO counts them


def require_scorer(column: str) -> None:
    """Make sure that boxes can be scored.

    Raises:
        MissingExtraError: faster-coco-eval is not installed.
    """
    try:
        import faster_coco_eval  # noqa: F401
    except ImportError:
        purpose = f"scoring boxes of column {column!r}"
        raise MissingExtraError("faster-coco-eval", "vision", purpose) from None


def box_average_precision(
    y: np.ndarray, pred: list[Peaks], classes: int
) -> tuple[np.ndarray, np.ndarray]:
    """Average precision of each class, over IoU 0.50 to 0.95 and at 0.50, as COCO counts it.

    Args:
        y: class and box of the true objects, (N, K, 5), negative classes where there is none.
        pred: the predicted objects of each row.
        classes: number of classes.

    Returns:
        Two arrays (C,), NaN for a class without an object.
    """
    from faster_coco_eval import COCO, COCOeval_faster

    truth = list[dict[str, Any]]()
    results = list[dict[str, Any]]()
    for row, objects in enumerate(y):
        for label, box in [(x[0], x[1:] * UNITS) for x in objects if x[0] >= 0]:
            left, top = float(box[0]), float(box[1])
            wide = float(box[2] - box[0])
            high = float(box[3] - box[1])
            truth.append(
                {
                    "id": len(truth) + 1,
                    "image_id": row,
                    "category_id": int(label),
                    "bbox": [left, top, wide, high],
                    "area": wide * high,
                    "iscrowd": 0,
                }
            )
        own = pred[row]
        for label, score, box in zip(own.label, own.score, own.box * UNITS, strict=True):
            sides = [*box[:2].tolist(), float(box[2] - box[0]), float(box[3] - box[1])]
            box_entry = {"image_id": row, "category_id": int(label), "bbox": sides}
            results.append({**box_entry, "score": float(score)})
    none = np.full(classes, np.nan)
    if not truth:
        return none, none
    if not results:
        seen = np.isin(np.arange(classes), [t["category_id"] for t in truth])
        return np.where(seen, 0.0, np.nan), np.where(seen, 0.0, np.nan)
    images = [{"id": row, "height": UNITS, "width": UNITS} for row in range(len(y))]
    names = [{"id": c, "name": str(c)} for c in range(classes)]
    with contextlib.redirect_stdout(io.StringIO()):
        known = COCO({"images": images, "annotations": truth, "categories": names})
        scorer = COCOeval_faster(known, known.loadRes(results), iouType="bbox")
        scorer.params.maxDets = [1, 10, MOST_SCORED]
        scorer.evaluate()
        scorer.accumulate()
    precision = np.asarray(scorer.eval["precision"])[:, :, :, 0, 2]  # IoU, recall, class
    precision = np.where(precision < 0, np.nan, precision)
    return precision.mean(axis=(0, 1)), precision[0].mean(axis=0)
