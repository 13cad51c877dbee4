"""How the images of a column are read: turned, on white, greys of many bits by their range."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from superpose.errors import location, message

from ._pictures import (
    ALPHA,
    CMYK,
    GREY_16,
    GREY_32,
    GREY_FLOAT,
    Head,
    Ranges,
    head_of,
    range_of,
    read_all,
)
from ._unreadable import windows_paths
from ._values import warn

BITS = (8, 10, 12, 14, 16)  # of a pixel, as cameras have them
DEEP = (GREY_16, GREY_32, GREY_FLOAT)


def heads_of(paths: Sequence[str | None], folder: str) -> tuple[dict[int, Head], dict[int, str]]:
    """The head of the image of each row that has one, and the reason where it can't be read."""
    return read_all(paths, folder, head_of)


def read_forms(
    column: str, paths: Sequence[str | None], folder: str
) -> tuple[dict[str, list[float]], list[str]]:
    """Learn from training rows how images are read.

    Args:
        column: name of the input, for messages.
        paths: the path of each row, None without one.
        folder: where relative paths start.

    Returns:
        What is black and what is white in greys of more than eight bits, by form: of 16 bits from 0
        to the largest number of 8, 10, 12, 14 or 16 bits that holds all, of others the least and
        the largest number. Then one sentence for each way in which pixels are not read as stored.
    """
    heads, _ = heads_of(paths, folder)
    rows: dict[str, list[int]] = {}
    for row, head in heads.items():
        rows.setdefault(head.form, []).append(row)
    deep = {form: [paths[row] for row in rows[form]] for form in DEEP if form in rows}
    ranges = {form: _range(form, own, folder) for form, own in deep.items()}
    ranges = {form: bounds for form, bounds in ranges.items() if bounds}
    many = f"of {len(heads)} training images"
    conversions = windows_paths(column, paths, folder)
    where = location(column=column)
    if turns := sum(head.orientation != 1 for head in heads.values()):
        given = f"{turns} {many} are turned as their EXIF says, and so are read as they are shown"
        fix = "labels of their pixels belong to the turned image; to keep them as they are "
        conversions.append(message(where, given, fix=fix + "stored, save them without EXIF"))
    if several := sum(head.several for head in heads.values()):
        given = f"{several} {many} hold several frames or pages; the first is read"
        conversions.append(
            message(where, given, fix="write a file, and a row, for each to have them all")
        )
    if ALPHA in rows:
        given = f"{len(rows[ALPHA])} {many} have transparency, and are read on white"
        conversions.append(
            message(where, given, fix="to have another ground, save them without it")
        )
    if CMYK in rows:
        given = f"{len(rows[CMYK])} {many} are in CMYK, and are read as RGB without a profile"
        conversions.append(message(where, given, fix="to have exact colours, save them in RGB"))
    for form, (low, high) in ranges.items():
        given = f"{len(rows[form])} {many} are grey of {form}; {low:g} is read as black and "
        fix = "to have another range, save them in 8 bits"
        conversions.append(message(where, f"{given}{high:g} as white, in all rows alike", fix=fix))
    return ranges, conversions


def _range(form: str, paths: Sequence[str | None], folder: str) -> list[float]:
    """What is black and white in images of a form; empty where no pixel holds a number."""
    extremes, _ = read_all(paths, folder, range_of)
    bounds = np.array(list(extremes.values())).reshape(-1, 2)
    bounds = bounds[~np.isnan(bounds).any(axis=1)]
    if not len(bounds):
        return []
    low = float(bounds[:, 0].min())
    high = float(bounds[:, 1].max())
    if form != GREY_16:
        return [low, high]
    return [0.0, next(float(2**bits - 1) for bits in BITS if high < 2**bits)]


def warn_of_clipped(
    column: str, paths: Sequence[str | None], folder: str, *, ranges: Ranges
) -> None:
    """Warn of greys beyond the range of the training rows, which become black or white."""
    if not ranges:
        return
    heads, _ = heads_of(paths, folder)
    deep = [row for row, head in heads.items() if head.form in ranges]
    extremes, _ = read_all([paths[row] for row in deep], folder, range_of)
    beyond = []
    for row, (low, high) in ((deep[n], x.tolist()) for n, x in extremes.items()):
        black, white = ranges[heads[row].form]
        if low < black or high > white:
            beyond.append((row, low, high))
    if beyond:
        row, low, high = beyond[0]
        warn(
            f"input {column!r}: {len(beyond)} images have greys beyond those of the training rows, "
            f"which are cut there; the first, {paths[row]} in row {row}, has {low:g} to {high:g}"
        )
