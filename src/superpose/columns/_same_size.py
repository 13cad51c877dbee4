"""Labels of pixels stand beside an image of the same size."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from superpose.errors import SHOWN_FAULTS, DataError, Faults, location

from ._pictures import SIDEWAYS, head_of, read_all
from ._values import Column, as_text, warn


def fits_image(
    column: str,
    what: str,
    *,
    sizes: Mapping[int, np.ndarray],
    images: Column,
    folder: str,
    skips: bool,
) -> np.ndarray:
    """Mark the rows (N,) whose labels have the size of their image, or whose size is not known.

    Args:
        column: name of the target.
        what: what its labels are, such as "mask".
        sizes: height and width of the labels by row.
        images: paths of the images.
        folder: where relative paths start.
        skips: whether a row that does not fit is passed over, with a warning.

    Raises:
        DataError: labels of another size, with their rows, unless they are skipped.
    """
    heads, _ = read_all(as_text(images).to_pylist(), folder, head_of)
    image_sizes = {row: np.array(head[:2]) for row, head in heads.items()}
    differ = [r for r in sizes if r in image_sizes and (sizes[r] != image_sizes[r]).any()]
    fits = np.ones(len(images), bool)
    fits[differ] = False
    if differ and skips:
        warn(
            f"target {column!r}: {len(differ)} of {len(images)} {what}s have another size "
            f"than their image and count as unlabelled; the first is in row {differ[0]}"
        )
        return fits
    faults = Faults(DataError)
    for row in differ[:SHOWN_FAULTS]:
        size, own = (" x ".join(map(str, x[row])) for x in (sizes, image_sizes))
        given = f"its {what} is {size} pixels"
        fix = f"write {what}s of the size of their images, or `on_error: skip` for the image"
        if (sizes[row] == image_sizes[row][::-1]).all() and heads[row].orientation in SIDEWAYS:
            fix = f"the image is turned as its EXIF says: turn its {what} too, or save it without"
        faults.add(location(column=column, row=row), given, f"{own}, as its image", fix=fix)
    faults.add_rest(location(column=column), len(differ) - SHOWN_FAULTS, "so in {} more rows")
    faults.raise_any()
    return fits
