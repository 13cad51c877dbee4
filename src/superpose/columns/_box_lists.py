"""Lists of objects in a column: as structures or as JSON, read and checked."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

import numpy as np
import pyarrow as pa

from superpose.errors import SHOWN_FAULTS, DataError, Faults, location, message

from ._pictures import head_of, read_all, require_pillow, size_of
from ._values import Column, as_text, is_text, one, plain, warn

OUTSIDE_PIXELS = 1.0  # pixels; published boxes often end one pixel beyond the edge
OUTSIDE_SHARE = 0.01  # the same where boxes are shares of the sides
IGNORED = ("iscrowd", "difficult")  # marks of objects that are neither a target nor a false alarm

Objects = dict[int, list[tuple[str, list[float]]]]
PREDICTED_BOXES = pa.list_(
    pa.struct([("class", pa.string()), ("box", pa.list_(pa.float64())), ("score", pa.float64())])
)


def sizes_of(images: Column, folder: str) -> tuple[dict[int, np.ndarray], dict[int, str]]:
    """Height and width of the image of each row, and why some are not known."""
    return read_all(as_text(images).to_pylist(), folder, lambda path: np.array(size_of(path)))


def are_shares(objects_by_row: Objects) -> bool:
    """Whether boxes can only be shares of the sides: none leaves 0 to 1, which is one pixel.

    Example:
        >>> are_shares({0: [("cat", [0.1, 0.2, 0.5, 1.0])]}), are_shares({0: []})
        (True, False)
    """
    boxes = [box for objects in objects_by_row.values() for _, box in objects]
    return bool(boxes) and all(0 <= x <= 1 + OUTSIDE_SHARE for box in boxes for x in box)


def shares_of(
    column: str,
    objects_by_row: Objects,
    *,
    skips: bool,
    folder: str = "",
    images: Column | None = None,
    tell: bool = True,
    shares: bool = False,
) -> dict[int, list[tuple[str, np.ndarray]]]:
    """Objects by row, their boxes as shares of the sides of the image.

    Args:
        column: name of the target, for messages.
        objects_by_row: what `read_objects` gave.
        skips: as of `within`.
        folder: where the paths of images start.
        images: paths of the images; without, boxes are shares already.
        tell: as of `within`.
        shares: whether boxes are shares already.

    Raises:
        DataError: as of `within`; or boxes that are shares where those of training were pixels.
    """
    if images is None or shares:
        return within(
            column,
            objects_by_row,
            {row: np.ones(2) for row in objects_by_row},
            skips=skips,
            tell=tell,
        )
    if are_shares(objects_by_row):
        given = "every box lies within 0 to 1, as shares of the sides do"
        fix = "multiply them by the width and the height of their images"
        raise DataError(message(location(column=column), given, "pixels, as in training", fix=fix))
    require_pillow(column)
    heads, _ = read_all(as_text(images).to_pylist(), folder, head_of)
    sizes = {row: np.array(head[:2]) for row, head in heads.items()}
    turned = {row for row, head in heads.items() if head.orientation != 1}
    return within(column, objects_by_row, sizes, skips=skips, tell=tell, turned=turned)


def frame_notes(
    column: str,
    objects_by_row: Objects,
    *,
    ignored: int,
    shares: bool,
    images: Column | None,
    folder: str,
) -> tuple[list[str], list[str]]:
    """What is to be looked at of boxes in training rows, and what is read otherwise than written.

    Args:
        column: name of the target.
        objects_by_row, ignored: what `read_objects` gave.
        shares: whether boxes are read as shares of the sides.
        images: paths of the images.
        folder: where they start.
    """
    notes, conversions = [], []
    if ignored:
        given = f"{ignored} objects are marked {' or '.join(IGNORED)}; they are left out, so that "
        given += "they are not learned and finding them counts as wrong"
        conversions.append(
            message(location(column=column), given, fix="take the mark off to keep any")
        )
    if shares:
        given = (
            "every box lies within 0 to 1; they are read as shares of the sides of their image, "
        )
        fix = "to have pixels, write pixels of the files"
        conversions.append(
            message(location(column=column), f"{given}and predicted as such", fix=fix)
        )
    if images is not None:
        heads, _ = read_all(as_text(images).to_pylist(), folder, head_of)
        if turns := sum(
            head.orientation != 1 for r, head in heads.items() if objects_by_row.get(r)
        ):
            notes.append(
                f"target {column!r}: {turns} images with boxes are turned as their EXIF says, and "
                f"boxes are taken as those of the turned image; look at some in the report"
            )
    return notes, conversions


def read_objects(column: str, values: Column) -> tuple[Objects, int]:
    """Read the objects of each row that was labelled; a row without objects has an empty list.

    Returns:
        The objects by row, and how many were left out as they are marked iscrowd or difficult.

    Raises:
        DataError: rows that hold anything but lists of classes and boxes, gathered.

    Example:
        >>> column = pa.chunked_array([['[{"class": "a", "box": [0, 0, 2, 1]}]', None]])
        >>> read_objects("cells", column)
        ({0: [('a', [0.0, 0.0, 2.0, 1.0])]}, 0)
    """
    values = plain(values)
    rows = one(values).to_pylist()
    faults = Faults(DataError)
    objects_by_row = Objects()
    wrong = 0
    ignored = 0
    for row, value in enumerate(rows):
        if value is None or (isinstance(value, str) and not value.strip()):
            continue
        try:
            listed = json.loads(value) if is_text(values.type) else value
            kept = [x for x in listed if not any(_is_marked(x.get(mark)) for mark in IGNORED)]
            objects_by_row[row] = [(_name(x["class"]), _corners(x["box"])) for x in kept]
            ignored += len(listed) - len(kept)
        except (AttributeError, KeyError, TypeError, ValueError, RecursionError, OverflowError):
            wrong += 1
            if wrong <= SHOWN_FAULTS:
                faults.add(
                    location(column=column, row=row),
                    f"{str(value)[:60]!r} is no list of objects",
                    'a list such as [{"class": "cat", "box": [x1, y1, x2, y2]}], empty where '
                    "nothing is there, null where nobody has looked",
                )
    faults.add_rest(location(column=column), wrong - SHOWN_FAULTS, "so in {} more rows")
    faults.raise_any()
    return objects_by_row, ignored


def _is_marked(mark: Any) -> bool:
    return mark not in (None, 0, "0", "", "false", "False")


def _name(value: Any) -> str:
    if value is None or not str(value).strip():
        raise ValueError
    return str(value)


def _corners(box: Any) -> list[float]:
    corners = [float(x) for x in box]
    if len(corners) != 4 or not np.isfinite(corners).all():
        raise ValueError
    return corners


def within(
    column: str,
    objects_by_row: Objects,
    sizes: dict[int, np.ndarray],
    *,
    skips: bool,
    tell: bool = True,
    turned: Collection[int] = (),
) -> dict[int, list[tuple[str, np.ndarray]]]:
    """Boxes as shares of the sides of their images, cut at its edges.

    Args:
        column: name of the target, for messages.
        objects_by_row: what `read_objects` gave, in pixels.
        sizes: height and width in pixels of the image of each row.
        skips: leave boxes out that have no area or lie outside, in place of raising.
        tell: warn of what was left out.
        turned: rows whose image is turned as its EXIF says.

    Raises:
        DataError: the boxes that can't be of an object in the image, with their rows.
    """
    faults = Faults(DataError)
    wrong = 0
    cut = 0
    out = {}
    for row, objects in objects_by_row.items():
        if row not in sizes:
            continue
        high, wide = map(float, sizes[row])
        edge = OUTSIDE_PIXELS if max(high, wide) > 1 else OUTSIDE_SHARE
        kept = []
        for name, (x1, y1, x2, y2) in objects:
            beyond = max(-x1, -y1, x2 - wide, y2 - high)
            outside = beyond > edge
            if outside or x2 <= x1 or y2 <= y1:
                wrong += 1
                if wrong <= SHOWN_FAULTS:
                    what = "lies outside of its image" if outside else "has no area"
                    fix = "mend the box, or write `on_error: skip` for the image"
                    if outside and row in turned:
                        fix = (
                            "the image is turned as its EXIF says: turn its boxes too, or save it "
                        )
                        fix += "without EXIF"
                    faults.add(
                        location(column=column, row=row),
                        f"the box [{x1:g}, {y1:g}, {x2:g}, {y2:g}] {what}",
                        f"x1 < x2 within 0 to {wide:g}, y1 < y2 within 0 to {high:g}",
                        fix=fix,
                    )
                continue
            shares = np.array([x1 / wide, y1 / high, x2 / wide, y2 / high])
            cut += beyond > 1e-3 * edge  # what is less comes from rounding
            kept.append((name, shares.clip(0, 1)))
        out[row] = kept
    if cut and tell:
        many = f"{cut} box{'es end' if cut != 1 else ' ends'}"
        warn(f"target {column!r}: {many} less than a pixel beyond the edge of the image, cut there")
    if wrong and skips:
        if tell:
            many = f"{wrong} box{'es' * (wrong != 1)}"
            warn(f"target {column!r}: {many} without area or outside of the image left out")
        return out
    faults.add_rest(location(column=column), wrong - SHOWN_FAULTS, "so with {} more boxes")
    faults.raise_any()
    return out
