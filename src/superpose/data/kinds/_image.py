"""Images named by their paths."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from torch import nn

from superpose.errors import DataError, MissingExtraError, message, place
from superpose.nn import ImageEncoder

from ._base import InputKind
from ._values import Column, as_text

SIDE = 64  # pixels
GREY_SIDE = 8  # pixels of the summary for trees
MOST_PIXELS = 100_000_000  # beyond, a small file can unpack to gigabytes
CACHED = 4096  # decoded images kept, 50 MB: importance and trees read the same files again


@lru_cache(maxsize=CACHED)
def _load(path: str, changed: int) -> np.ndarray:
    """Decode one file to uint8 (3, 64, 64); ``changed`` is its time stamp, a part of the key."""
    from PIL import Image  # an extra: only tables with images need it

    with Image.open(path) as image:
        if image.width * image.height > MOST_PIXELS:
            raise ValueError(f"{image.width} x {image.height} pixels, more than {MOST_PIXELS:,}")
        image.draft("RGB", (SIDE * 2, SIDE * 2))  # JPEG decodes straight to a smaller size
        small = image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    pixels = np.asarray(small, np.uint8).transpose(2, 0, 1).copy()
    if not pixels.any():
        pixels[:] = 1  # all zero means missing; a black image is there
    return pixels


@dataclass(kw_only=True)
class ImageInput(InputKind):
    """A path to an image, relative to the folder of the table; read as 64 x 64 RGB.

    A row without a path becomes an image of zeros, which no image on disk becomes.
    """

    name: ClassVar[str] = "image"
    block: ClassVar[str | None] = None
    needs_folder: ClassVar[bool] = True
    count: int  # training rows with a path

    @property
    def useless(self) -> str | None:
        return None if self.count else "empty"

    @classmethod
    def fit(cls, column: str, values: Column, **options: Any) -> Self:
        _require_pillow(column)
        return cls(column=column, count=len(values) - as_text(values).null_count)

    def encode(self, values: Column, folder: str = "") -> np.ndarray:
        """Pixels as uint8 (N, 3, 64, 64), zeros where there is no path.

        Args:
            values: paths.
            folder: where relative paths start.

        Raises:
            DataError: a file that is missing, no image or too large, with its row.
            MissingExtraError: pillow is not installed.
        """
        _require_pillow(self.column)
        paths = as_text(values).to_pylist()
        block = np.zeros((len(paths), 3, SIDE, SIDE), np.uint8)
        rows = [row for row, path in enumerate(paths) if path]

        def read(row: int) -> np.ndarray:
            return self._read(Path(folder, paths[row]), row)

        with ThreadPoolExecutor() as pool:  # decoding runs outside the interpreter's lock
            for row, pixels in zip(rows, pool.map(read, rows), strict=True):
                block[row] = pixels
        return block

    def _read(self, path: Path, row: int) -> np.ndarray:
        try:
            return _load(str(path), os.stat(path).st_mtime_ns)
        except (OSError, ValueError, SyntaxError, _bomb()) as error:
            reason = "no such file" if isinstance(error, FileNotFoundError) else str(error)
            where = place(column=self.column, row=row)
            fix = "mend the path or the file, or leave the cell empty if there is no image"
            raise DataError(
                message(where, f"image {path} can't be read: {reason}", fix=fix)
            ) from None

    def features(
        self, values: Column, folder: str = ""
    ) -> tuple[np.ndarray, list[bool], list[str]]:
        pixels = self.encode(values, folder)
        step = SIDE // GREY_SIDE
        tiles = pixels.reshape(len(pixels), 3, GREY_SIDE, step, GREY_SIDE, step)
        grey = tiles.mean(axis=(1, 3, 5), dtype=np.float32).reshape(len(pixels), -1)
        grey[~pixels.reshape(len(pixels), -1).any(axis=1)] = np.nan
        names = [f"{self.column} ({y},{x})" for y in range(GREY_SIDE) for x in range(GREY_SIDE)]
        return grey, [False] * len(names), names

    @classmethod
    def encoder(cls, kinds: Sequence[Any], width: int) -> nn.Module:
        return ImageEncoder(width)

    def describe(self) -> str:
        return f"{self.count} images, read at {SIDE} x {SIDE}"


def _require_pillow(column: str) -> None:
    try:
        import PIL  # noqa: F401
    except ImportError:
        raise MissingExtraError(
            "pillow", "vision", f"reading images of column {column!r}"
        ) from None


def _bomb() -> type[Exception]:
    from PIL import Image

    return Image.DecompressionBombError
