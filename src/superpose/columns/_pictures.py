"""Files of images: read, checked and kept for the next reader, without the rest of the package."""

from __future__ import annotations

import io
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple, TypeVar

import numpy as np

from superpose.errors import MissingExtraError

from ._files import require_regular
from ._unreadable import locate

T = TypeVar("T")
MOST_PIXELS = 100_000_000  # beyond, a small file can unpack to gigabytes
KEPT_BYTES = 400_000_000  # importance and trees read the same files again
ORIENTATION = 0x0112  # the entry of EXIF that says how an image is to be turned
SIDEWAYS = (5, 6, 7, 8)  # orientations that swap height and width
GREY_16, GREY_32, GREY_FLOAT = "16 bits", "32 bits", "floating point"
ALPHA, CMYK, PLAIN = "alpha", "CMYK", "plain"
FORMS = (PLAIN, ALPHA, CMYK, GREY_16, GREY_32, GREY_FLOAT)
Ranges = Mapping[str, Sequence[float]]
"""What is black and what is white in greys of more than eight bits, by form."""
USUAL_RANGES: Ranges = {GREY_16: (0.0, 65535.0)}


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
        self.arrays: OrderedDict[Any, np.ndarray] = OrderedDict()
        self.bytes = 0
        self.lock = Lock()

    def get(self, path: Path, how: tuple[Any, ...], read: Callable[[], np.ndarray]) -> np.ndarray:
        """Return what was read from a file in some way, reading it anew if it has changed."""
        key = (str(path), require_regular(path).st_mtime_ns, *how)
        with self.lock:
            if key in self.arrays:
                self.arrays.move_to_end(key)
                return self.arrays[key]
        array = read()
        with self.lock:
            if key not in self.arrays:
                self.arrays[key] = array
                self.bytes += array.nbytes
            while self.bytes > KEPT_BYTES and len(self.arrays) > 1:
                self.bytes -= self.arrays.popitem(last=False)[1].nbytes
        return array


KEPT = _Kept()


def require_size(image: Any) -> None:
    """Raise ValueError where an image would fill the memory."""
    if image.width * image.height > MOST_PIXELS:
        raise ValueError(f"{image.width} x {image.height} pixels, more than {MOST_PIXELS:,}")


class Head(NamedTuple):
    """What the head of an image file says.

    Args:
        high, wide: pixels as the image is shown, turned as its EXIF says.
        orientation: how it is turned, 1 to 8 as in EXIF; 1 is as it is stored.
        form: one of `FORMS`: how its pixels are stored.
        several: whether there are more frames or pages behind the first.
    """

    high: int
    wide: int
    orientation: int
    form: str
    several: bool


def head_of(path: Path) -> Head:
    """Read the head of an image file; its pixels are not decoded."""
    from PIL import Image

    def read() -> np.ndarray:
        with Image.open(path) as image:
            require_size(image)
            wide, high = image.size
            if image.format == "TIFF":  # of which pillow has turned the size, or not, by version
                wide, high = image.tag_v2[256], image.tag_v2[257]  # type: ignore[attr-defined]
            turn = orientation_of(image)
            high, wide = (wide, high) if turn in SIDEWAYS else (high, wide)
            form = FORMS.index(_form_of(image))
            # Behind the photo of a phone there often is a smaller one, or its depth.
            several = image.format != "MPO" and getattr(image, "is_animated", False)
            return np.array([high, wide, turn, form, several])

    high, wide, turn, form, several = KEPT.get(path, ("head",), read).tolist()
    return Head(high, wide, turn, FORMS[form], bool(several))


def orientation_of(image: Any) -> int:
    """How the EXIF of an opened image says that it is turned, 1 to 8."""
    if image.format == "PNG" and not {"exif", "Raw profile type exif"} & image.info.keys():
        return 1  # pillow would decode the pixels to look behind them; `turned` does
    return _exif_orientation(image)


def _exif_orientation(image: Any) -> int:
    try:
        orientation = image.getexif().get(ORIENTATION, 1)
    except Exception:  # of many classes; what is damaged says nothing, as viewers take it
        return 1
    return int(orientation) if orientation in range(1, 9) else 1


def _form_of(image: Any) -> str:
    if image.mode.startswith("I;16"):
        return GREY_16
    if image.mode == "I":  # older versions of pillow call PNG of 16 bits so
        return GREY_16 if image.format in ("PNG", "PPM") else GREY_32
    if image.mode == "F":
        return GREY_FLOAT
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        return ALPHA
    return CMYK if image.mode == "CMYK" else PLAIN


def turned(image: Any, orientation: int) -> Any:
    """An opened image, decoded, as it is shown.

    Raises:
        ValueError: its EXIF stands behind its pixels, where `head_of` does not look.
    """
    from PIL.Image import Transpose

    image.load()
    if image.format == "TIFF":
        return image  # pillow has turned it
    if image.format == "PNG" and _exif_orientation(image) != orientation:
        raise ValueError("its EXIF says that it is turned, but behind the pixels; save it anew")
    how = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }
    return image.transpose(how[orientation]) if orientation in how else image


def picture(path: Path, size: tuple[int, int], ranges: Ranges = USUAL_RANGES) -> np.ndarray:
    """Decode one file to uint8 (3, H, W) as it is shown; none is all zero, which means missing.

    Args:
        path: the file.
        size: height and width to bring it to.
        ranges: what is black and white in greys of more than eight bits.

    Raises:
        ValueError: a grey whose range is not known.
    """
    from PIL import Image

    def read() -> np.ndarray:
        with Image.open(path) as image:
            require_size(image)
            turn = orientation_of(image)
            high, wide = size[::-1] if turn in SIDEWAYS else size
            image.draft("RGB", (wide * 2, high * 2))  # JPEG decodes to a smaller size
            colours = _in_rgb(turned(image, turn), _form_of(image), ranges)
            small = colours.resize((size[1], size[0]), Image.Resampling.BILINEAR)
        pixels = np.asarray(small, np.uint8).transpose(2, 0, 1).copy()
        if not pixels.any():
            pixels[:] = 1
        return pixels

    known = tuple((form, *bounds) for form, bounds in sorted(ranges.items()))
    return KEPT.get(path, ("picture", *size, *known), read)


def _in_rgb(image: Any, form: str, ranges: Ranges) -> Any:
    """A decoded image in RGB: transparency on white, greys of many bits by their range."""
    from PIL import Image

    if form == ALPHA:
        sheet = Image.new("RGBA", image.size, "white")
        sheet.alpha_composite(image.convert("RGBA"))
        return sheet.convert("RGB")
    if form not in (GREY_16, GREY_32, GREY_FLOAT):
        return image.convert("RGB")
    if form not in ranges:
        raise ValueError(f"it is grey of {form}, and no training image was: its range is unknown")
    low, high = ranges[form]
    share = (np.asarray(image).astype(np.float64) - low) / ((high - low) or 1.0)
    share = np.nan_to_num(share, nan=0.0, posinf=1.0, neginf=0.0)
    return Image.fromarray((share.clip(0, 1) * 255).round().astype(np.uint8)).convert("RGB")


def range_of(path: Path) -> np.ndarray:
    """The least and the largest finite number in an image in grey, float64 (2,)."""
    from PIL import Image

    def read() -> np.ndarray:
        with Image.open(path) as image:
            require_size(image)
            numbers = np.asarray(image).astype(np.float64)
        numbers = numbers[np.isfinite(numbers)]
        return np.array([numbers.min(), numbers.max()] if len(numbers) else [np.nan] * 2)

    return KEPT.get(path, ("range",), read)


def size_of(path: Path) -> tuple[int, int]:
    """The height and width of an image file as it is shown, from its head."""
    return head_of(path)[:2]


def class_ids(path: Path) -> np.ndarray:
    """Decode a file of class ids to int32 (H, W).

    Raises:
        ValueError: the file holds colours.
    """
    from PIL import Image

    def read() -> np.ndarray:
        with Image.open(path) as image:
            require_size(image)
            # Mode 1 is black and white.
            if image.mode not in ("1", "L", "P", "I", "I;16", "I;16B", "I;16L"):
                raise ValueError(f"it holds colours (mode {image.mode}), not class ids")
            return np.asarray(turned(image, orientation_of(image))).astype(np.int32)

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
    paths: Sequence[str | None], folder: str, read: Callable[[Path], T]
) -> tuple[dict[int, T], dict[int, str]]:
    """Read the file of each row that has one.

    Returns:
        What was read by row, and the reason by row where a file can't be read.
    """
    errors = unreadable()

    def attempt(row: int) -> T | str:
        try:
            return read(locate(folder, str(paths[row])))
        except errors as error:
            return reason_of(error)

    rows = [row for row, path in enumerate(paths) if path]
    with ThreadPoolExecutor() as pool:  # decoding runs outside the interpreter's lock
        read_rows = dict(zip(rows, pool.map(attempt, rows), strict=True))
    contents = {row: x for row, x in read_rows.items() if not isinstance(x, str)}
    return contents, {row: x for row, x in read_rows.items() if isinstance(x, str)}
