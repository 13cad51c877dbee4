"""Lists of objects in a column: as structures or as JSON, read, checked, and scored."""

from __future__ import annotations

import contextlib
import io
import json
from typing import Any

import numpy as np
import pyarrow as pa

from superpose.errors import DataError, Faults, MissingExtraError, place

from ._box_math import Peaks
from ._pictures import read_all, require_pillow, size_of
from ._values import Column, as_text, is_text, one, plain, warn

SHOWN_FAULTS = 3
OUTSIDE = 1.0  # pixels; published boxes often end one pixel beyond the edge
UNITS = 1000.0  # of a side, for the scores; areas of the usual sizes mean nothing here
MOST_SCORED = 100  # boxes of an image, as COCO counts them

Objects = dict[int, list[tuple[str, list[float]]]]
TOLD = pa.list_(
    pa.struct([("class", pa.string()), ("box", pa.list_(pa.float64())), ("score", pa.float64())])
)


def sizes_of(source: Column, folder: str) -> tuple[dict[int, np.ndarray], dict[int, str]]:
    """Height and width of the image of each row, and why some can't be told."""
    return read_all(as_text(source).to_pylist(), folder, lambda path: np.array(size_of(path)))


def shares_of(
    column: str,
    values: Column,
    skips: bool,
    folder: str = "",
    source: Column | None = None,
    tell: bool = True,
) -> dict[int, list[tuple[str, np.ndarray]]]:
    """Objects by row, their boxes as shares of the sides of the image."""
    found: Objects = read_objects(column, values)
    if source is None:
        sizes = {row: np.ones(2) for row in found}
    else:
        require_pillow(column)
        sizes, _ = sizes_of(source, folder)
    return within(column, found, sizes, skips, tell)


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


def read_objects(column: str, values: Column) -> Objects:
    """Read the objects of each row that was labelled; a row without objects has an empty list.

    Raises:
        DataError: rows that hold anything but lists of classes and boxes, gathered.

    Example:
        >>> column = pa.chunked_array([['[{"class": "a", "box": [0, 0, 2, 1]}]', None]])
        >>> read_objects("cells", column)
        {0: [('a', [0.0, 0.0, 2.0, 1.0])]}
    """
    values = plain(values)
    rows = one(values).to_pylist()
    faults, found, wrong = Faults(DataError), Objects(), 0
    for row, value in enumerate(rows):
        if value is None or (isinstance(value, str) and not value.strip()):
            continue
        try:
            listed = json.loads(value) if is_text(values.type) else value
            found[row] = [(str(x["class"]), _corners(x["box"])) for x in listed]
        except (KeyError, TypeError, ValueError, RecursionError, OverflowError):
            wrong += 1
            if wrong <= SHOWN_FAULTS:
                faults.add(
                    place(column=column, row=row),
                    f"{str(value)[:60]!r} is no list of objects",
                    'a list such as [{"class": "cat", "box": [x1, y1, x2, y2]}], empty where '
                    "nothing is there, null where nobody has looked",
                )
    if wrong > SHOWN_FAULTS:
        faults.add(place(column=column), f"so in {wrong - SHOWN_FAULTS} more rows")
    faults.raise_any()
    return found


def _corners(box: Any) -> list[float]:
    corners = [float(x) for x in box]
    if len(corners) != 4 or not np.isfinite(corners).all():
        raise ValueError
    return corners


def within(
    column: str, found: Objects, sizes: dict[int, np.ndarray], skips: bool, tell: bool = True
) -> dict[int, list[tuple[str, np.ndarray]]]:
    """Boxes as shares of the sides of their images, cut at its edges.

    Args:
        column: name of the target, for messages.
        found: what `read_objects` gave, in pixels.
        sizes: height and width in pixels of the image of each row.
        skips: leave boxes out that have no area or lie outside, in place of raising.
        tell: warn of what was left out.

    Raises:
        DataError: the boxes that can't be of an object in the image, with their rows.
    """
    faults, wrong, out = Faults(DataError), 0, {}
    for row, objects in found.items():
        if row not in sizes:
            continue
        high, wide = map(float, sizes[row])
        kept = []
        for name, (x1, y1, x2, y2) in objects:
            outside = min(x1, y1) < -OUTSIDE or x2 > wide + OUTSIDE or y2 > high + OUTSIDE
            if outside or x2 <= x1 or y2 <= y1:
                wrong += 1
                if wrong <= SHOWN_FAULTS:
                    what = "lies outside of its image" if outside else "has no area"
                    faults.add(
                        place(column=column, row=row),
                        f"the box [{x1:g}, {y1:g}, {x2:g}, {y2:g}] {what}",
                        f"x1 < x2 within 0 to {wide:g}, y1 < y2 within 0 to {high:g}",
                        "mend the box, or write `on_error: skip` for the image",
                    )
                continue
            shares = np.array([x1 / wide, y1 / high, x2 / wide, y2 / high])
            kept.append((name, shares.clip(0, 1)))
        out[row] = kept
    if wrong and skips:
        if tell:
            many = f"{wrong} box{'es' * (wrong != 1)}"
            warn(f"target {column!r}: {many} without area or outside of the image left out")
        return out
    if wrong > SHOWN_FAULTS:
        faults.add(place(column=column), f"so with {wrong - SHOWN_FAULTS} more boxes")
    faults.raise_any()
    return out


def average_precision(
    y: np.ndarray, told: list[Peaks], classes: int
) -> tuple[np.ndarray, np.ndarray]:
    """Average precision of each class, over IoU 0.50 to 0.95 and at 0.50, as COCO counts it.

    Args:
        y: class and box of the true objects, (N, K, 5), negative classes where there is none.
        told: the objects that were found in each row.
        classes: number of classes.

    Returns:
        Two arrays (C,), NaN for a class without an object.
    """
    from faster_coco_eval import COCO, COCOeval_faster

    truth, results = list[dict[str, Any]](), list[dict[str, Any]]()
    for row, objects in enumerate(y):
        for label, box in [(x[0], x[1:] * UNITS) for x in objects if x[0] >= 0]:
            x, wide = float(box[0]), float(box[2] - box[0])
            top, high = float(box[1]), float(box[3] - box[1])
            truth.append(
                {
                    "id": len(truth) + 1,
                    "image_id": row,
                    "category_id": int(label),
                    "bbox": [x, top, wide, high],
                    "area": wide * high,
                    "iscrowd": 0,
                }
            )
        own = told[row]
        for label, score, box in zip(own.label, own.score, own.box * UNITS, strict=True):
            sides = [*box[:2].tolist(), float(box[2] - box[0]), float(box[3] - box[1])]
            found = {"image_id": row, "category_id": int(label), "bbox": sides}
            results.append({**found, "score": float(score)})
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
        judge = COCOeval_faster(known, known.loadRes(results), iouType="bbox")
        judge.params.maxDets = [1, 10, MOST_SCORED]
        judge.evaluate()
        judge.accumulate()
    precision = np.asarray(judge.eval["precision"])[:, :, :, 0, 2]  # IoU, recall, class
    precision = np.where(precision < 0, np.nan, precision)
    return precision.mean(axis=(0, 1)), precision[0].mean(axis=0)
