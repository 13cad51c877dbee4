"""Files of images: read, checked and kept for the next reader, without the rest of the package."""

from __future__ import annotations

import io
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from superpose.data._files import require_regular
from superpose.errors import MissingExtraError

MOST_PIXELS = 100_000_000  # beyond, a small file can unpack to gigabytes
KEPT_BYTES = 400_000_000  # importance and trees read the same files again


def require_pillow(column: str) -> None:
    """Make sure that images can be read.

    Raises:
        MissingExtraError: pillow is not installed.
    """
    try:
        import PIL  # noqa: F401
    except ImportError:
        raise MissingExtraError(
            "pillow", "vision", f"reading images of column {column!r}"
        ) from None


def unreadable() -> tuple[type[Exception], ...]:
    """What pillow raises at files that are missing, cut off, no images or too large."""
    from PIL import Image

    return (OSError, ValueError, SyntaxError, Image.DecompressionBombError)


def reason_of(error: Exception) -> str:
    """Say in words why a file can't be read."""
    return "no such file" if isinstance(error, FileNotFoundError) else str(error)


class _Kept:
    """What was read from files, the latest within a number of bytes."""

    def __init__(self) -> None:
        self.found: OrderedDict[Any, np.ndarray] = OrderedDict()
        self.bytes, self.lock = 0, Lock()

    def get(self, path: Path, how: tuple[Any, ...], read: Callable[[], np.ndarray]) -> np.ndarray:
        """Return what was read from a file in some way, reading it anew if it has changed."""
        key = (str(path), require_regular(path).st_mtime_ns, *how)
        with self.lock:
            if key in self.found:
                self.found.move_to_end(key)
                return self.found[key]
        array = read()
        with self.lock:
            if key not in self.found:
                self.found[key] = array
                self.bytes += array.nbytes
            while self.bytes > KEPT_BYTES and len(self.found) > 1:
                self.bytes -= self.found.popitem(last=False)[1].nbytes
        return array


KEPT = _Kept()


def require_size(image: Any) -> None:
    """Raise ValueError where an image would fill the memory."""
    if image.width * image.height > MOST_PIXELS:
        raise ValueError(f"{image.width} x {image.height} pixels, more than {MOST_PIXELS:,}")


def picture(path: Path, size: tuple[int, int]) -> np.ndarray:
    """Decode one file to uint8 (3, H, W) with no image all zero, which means missing."""
    from PIL import Image

    def read() -> np.ndarray:
        with Image.open(path) as image:
            require_size(image)
            image.draft("RGB", (size[1] * 2, size[0] * 2))  # JPEG decodes to a smaller size
            small = image.convert("RGB").resize((size[1], size[0]), Image.Resampling.BILINEAR)
        pixels = np.asarray(small, np.uint8).transpose(2, 0, 1).copy()
        if not pixels.any():
            pixels[:] = 1
        return pixels

    return KEPT.get(path, ("picture", *size), read)


def size_of(path: Path) -> tuple[int, int]:
    """The height and width of an image file, from its head."""
    from PIL import Image

    def read() -> np.ndarray:
        with Image.open(path) as image:
            require_size(image)
            return np.array([image.height, image.width])

    high, wide = KEPT.get(path, ("size",), read)
    return int(high), int(wide)


def class_ids(path: Path) -> np.ndarray:
    """Decode a file of class ids to int32 (H, W).

    Raises:
        ValueError: the file holds colours.
    """
    from PIL import Image

    def read() -> np.ndarray:
        with Image.open(path) as image:
            require_size(image)
            if image.mode == "1":  # black and white
                return np.asarray(image).astype(np.int32)
            if image.mode not in ("L", "P", "I", "I;16", "I;16B", "I;16L"):
                raise ValueError(f"it holds colours (mode {image.mode}), not class ids")
            return np.asarray(image).astype(np.int32)

    return KEPT.get(path, ("ids",), read)


def as_png(ids: np.ndarray) -> bytes:
    """The content of a PNG in grey: of eight bits where they hold every number, else of sixteen.

    Args:
        ids: whole numbers (H, W) from 0 to 65535.
    """
    from PIL import Image

    stream = io.BytesIO()
    kind = np.uint8 if ids.max(initial=0) < 256 else np.uint16
    Image.fromarray(ids.astype(kind)).save(stream, format="PNG")
    return stream.getvalue()


def read_all(
    paths: Sequence[str | None], folder: str, read: Callable[[Path], np.ndarray]
) -> tuple[dict[int, np.ndarray], dict[int, str]]:
    """Read the file of each row that has one.

    Returns:
        What was read by row, and the reason by row where a file can't be read.
    """
    errors = unreadable()

    def attempt(row: int) -> np.ndarray | str:
        try:
            return read(Path(folder, str(paths[row])))
        except errors as error:
            return reason_of(error)

    rows = [row for row, path in enumerate(paths) if path]
    with ThreadPoolExecutor() as pool:  # decoding runs outside the interpreter's lock
        read_rows = dict(zip(rows, pool.map(attempt, rows), strict=True))
    found = {row: x for row, x in read_rows.items() if not isinstance(x, str)}
    return found, {row: x for row, x in read_rows.items() if isinstance(x, str)}
