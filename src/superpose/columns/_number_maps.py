"""Maps of numbers: read from files or lists, brought to a grid, and written as files and lists."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from superpose.errors import DataError, location, message

from ._pictures import KEPT, MOST_PIXELS, orientation_of, read_all, require_size, size_of, turned
from ._scaling import LARGEST
from ._values import Column, as_text, is_list, is_text, one, plain

# Only numbers are written so; other files of images may also hold the ids of classes.
_FILE = re.compile(r"\.npy$", re.IGNORECASE)
GREY = ("L", "I", "I;16", "I;16B", "I;16L", "F")


def holds_maps(values: Column) -> bool:
    """Whether a column begins with lists of lists, or with the name of a file of numbers.

    Example:
        >>> holds_maps(pa.chunked_array([["depth/1.npy", None]]))
        True
    """
    if is_list(values.type):
        return is_list(values.type.value_type)
    if not is_text(values.type):
        return False
    first = values.drop_null().slice(0, 1).to_pylist()
    return any(_FILE.search(name) for name in first)


def numbers_of(path: Path) -> np.ndarray:
    """Read a file of numbers as float32 (H, W), NaN where there is none.

    Args:
        path: a ``.npy`` file of two axes, or an image in grey of 8, 16 or 32 bits.

    Raises:
        ValueError: the file holds colours, or something else than a map of numbers.
    """

    def read() -> np.ndarray:
        if path.suffix.lower() == ".npy":
            return _as_float32(_array(path))
        from PIL import Image

        with Image.open(path) as image:
            require_size(image)
            if image.mode not in GREY:
                raise ValueError(f"it holds colours (mode {image.mode}), not one number a pixel")
            return _as_float32(np.asarray(turned(image, orientation_of(image))))

    numbers = KEPT.get(path, ("numbers",), read)
    return np.where(np.isfinite(numbers), numbers, np.nan)


def _as_float32(numbers: np.ndarray) -> np.ndarray:
    """Numbers as float32, or ValueError where that does not hold them."""
    size = np.abs(np.where(np.isfinite(numbers), numbers, 0).astype(np.float64))
    if size.max(initial=0.0) > LARGEST:
        many = int((size > LARGEST).sum())
        raise ValueError(f"{many} of its numbers are beyond {LARGEST:g}; give them in another unit")
    return np.array(numbers, np.float32)


def _array(path: Path) -> np.ndarray:
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)  # read when it is looked at
    except EOFError as fault:
        raise ValueError(f"it breaks off ({fault})") from None
    if array.size > MOST_PIXELS:
        raise ValueError(f"it holds {array.size:,} numbers, more than {MOST_PIXELS:,}")
    if array.ndim != 2 or array.dtype.kind not in "uifb" or not array.size:
        raise ValueError(f"it holds {array.dtype} of the shape {array.shape}, not a map of numbers")
    return np.asarray(array)


def size_of_map(path: Path) -> np.ndarray:
    """The height and width of a file of numbers."""
    return np.array(_array(path).shape if path.suffix.lower() == ".npy" else size_of(path))


def read_maps(
    column: str, values: Column, folder: str, *, read: Callable[[Path], np.ndarray] = numbers_of
) -> tuple[dict[int, np.ndarray], dict[int, str]]:
    """What is read of each row that has a map, from files or lists, and why it can't be elsewhere.

    Args:
        column: name of the column.
        values: paths, or lists of lists of numbers.
        folder: where relative paths start.
        read: what reads a file.

    Raises:
        DataError: the column holds neither paths nor lists of lists of numbers.
    """
    values = plain(values)
    if not is_list(values.type):
        return read_all(as_text(values).to_pylist(), folder, read)
    if not (is_list(values.type.value_type)):
        given = f"it holds {values.type}"
        allowed = "paths of files, or a list of lists of numbers in every row"
        raise DataError(message(location(column=column), given, allowed))
    maps: dict[int, np.ndarray] = {}
    wrong: dict[int, str] = {}
    for row, lists in enumerate(one(values).to_pylist()):
        if lists is None:
            continue
        if len({len(line or ()) for line in lists}) != 1 or not lists[0]:
            wrong[row] = "its lines are not of one length"
            continue
        numbers = np.array(lists, float)
        try:
            maps[row] = _as_float32(np.where(np.isfinite(numbers), numbers, np.nan))
        except ValueError as fault:
            wrong[row] = str(fault)
    return maps, wrong


def averaged(numbers: np.ndarray, grid: tuple[int, int]) -> np.ndarray:
    """The mean of the pixels of each location that have a number, NaN without any.

    Args:
        numbers: of each pixel, (H, W).
        grid: height and width in locations; where they are finer, the nearest pixel is taken.

    Example:
        >>> averaged(np.array([[1.0, 3.0], [5.0, np.nan]]), (2, 1)).tolist()
        [[2.0], [5.0]]
    """
    known = ~np.isnan(numbers)
    total = np.where(known, numbers, 0.0).astype(np.float64)
    count = known.astype(np.float64)
    for axis, (side, cells) in enumerate(zip(numbers.shape, grid, strict=True)):
        if side < cells:
            nearest = ((np.arange(cells) + 0.5) * side / cells).astype(int)
            total, count = total.take(nearest, axis), count.take(nearest, axis)
        else:
            starts = np.arange(cells) * side // cells
            total = np.add.reduceat(total, starts, axis)
            count = np.add.reduceat(count, starts, axis)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def as_lists(maps: np.ndarray) -> pa.Array:
    """Maps (N, H, W) as lists of lists, null where a row has no number at all.

    Example:
        >>> as_lists(np.array([[[1.0, np.nan]], [[np.nan, np.nan]]])).to_pylist()
        [[[1.0, None]], None]
    """
    rows, high, wide = maps.shape
    flat = pa.array(maps.ravel().astype(np.float32), from_pandas=True)
    lines = pa.ListArray.from_arrays(_ends(rows * high, wide), flat)
    gone = np.isnan(maps).all(axis=(1, 2))
    return pa.ListArray.from_arrays(_ends(rows, high), lines, mask=pa.array(gone))


def _ends(count: int, length: int) -> pa.Array:
    return pa.array(np.arange(count + 1, dtype=np.int32) * length)


def as_npy(numbers: Any) -> bytes:
    """A map of numbers, lists of lists or an array, as the content of a ``.npy`` file, float32."""
    stream = io.BytesIO()
    np.save(stream, np.array(numbers, np.float32), allow_pickle=False)
    return stream.getvalue()
