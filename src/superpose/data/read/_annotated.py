"""Images whose boxes stand in files beside them: boxes in pixels of the image as it is shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from superpose.columns import (
    IGNORED,
    OUTSIDE_PIXELS,
    SIDEWAYS,
    Head,
    ReadNotes,
    are_shares,
    head_of,
    read_all,
)
from superpose.errors import SHOWN_FAULTS, DataError, Faults, location, message

IMAGE_ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff", ".gif")
LOOK = "look at some of them in the report before you trust their scores"

Rows = dict[str, list[Any]]
Size = tuple[int, int]  # height and width


def images_in(folder: Path) -> list[Path]:
    """The files of images in a folder, by name."""
    return sorted(
        entry
        for entry in folder.iterdir()
        if entry.suffix.lower() in IMAGE_ENDINGS and entry.is_file()
    )


@dataclass
class Annotated:
    """An image and what its annotation says.

    Args:
        path: the file, which may be missing.
        stated: height and width in pixels as the annotation states them, if it does.
        objects: class and box of each object; None where nobody has looked.
    """

    path: Path
    stated: Size | None
    objects: list[dict[str, Any]] | None


class _Frame(NamedTuple):
    """A size of the file that an annotation is of, and whether it is that of the stored pixels."""

    size: Size
    stored: bool


def hold_shares(images: Sequence[Annotated]) -> bool:
    """Whether the boxes of images are shares of the sides, as none of them leaves 0 to 1."""
    pairs = [[("", one["box"]) for one in image.objects or []] for image in images]
    return are_shares(dict(enumerate(pairs)))


def in_shown_frame(images: Sequence[Annotated], file: Path, notes: ReadNotes) -> None:
    """Bring boxes into pixels of the image as it is shown, and note where that changes them.

    Boxes that are shares of the sides become pixels. Boxes of an image whose stated size is that of
    the stored pixels are turned as the image is. Where the stated size is that of the file at
    another scale, they are rescaled.

    Args:
        images: their boxes are changed.
        file: where the annotations stand, for messages.
        notes: takes the notes.

    Raises:
        DataError: sizes that lead to no size of the file, or boxes beyond the size that is stated
            where that is not the size of the file.
    """
    heads = _heads(images)
    if hold_shares(images):
        _from_shares(images, heads)
        many = sum(bool(image.objects) for image in images)
        given = (
            f"the boxes of {many} images lie within 0 to 1; they are read as shares of the sides"
        )
        fix = "to have pixels, write pixels of the files"
        notes.conversions.append(message(location(file=file), given, fix=fix))
        given = f"the boxes of {many} images are taken for shares"
        notes.warnings.append(message(location(file=file), given, fix=LOOK))
        return
    frames = {
        n: _frame_of(images[n].stated, head) for n, head in heads.items() if images[n].objects
    }
    _require_frames(images, heads, frames, file=file)
    # Where one file has its boxes as stored, those with sides that tell nothing have them so too.
    stored = any(frame.stored for frame in frames.values() if frame)
    sized, turned = [], []
    for n, frame in frames.items():
        assert frame is not None
        image, head = images[n], heads[n]
        if image.stated is not None and image.stated != frame.size:
            _rescale(image, image.stated, frame.size)
            sized.append(n)
        even = stored and frame.size == _stored(head)
        if frame.stored or (even and head.orientation != 1):
            for one in image.objects or []:
                one["box"] = turned_box(one["box"], head.orientation, frame.size)
            turned.append(n)
    where = location(file=file)
    if sized:
        first = images[sized[0]]
        assert first.stated is not None
        given = (
            f"the boxes of {len(sized)} images were drawn at another size than that of the file "
        )
        given += f"({first.path.name}: {_sides(first.stated)}, not {_sides(heads[sized[0]][:2])})"
        fix = "they are read at the size of the file; to keep them, state that size"
        notes.conversions.append(message(where, given, fix=fix))
        given = f"the boxes of {len(sized)} images are rescaled to the size of the file"
        notes.warnings.append(message(where, given, fix=LOOK))
    if turned:
        given = f"the boxes of {len(turned)} images are those of the image as it is stored"
        fix = (
            "they are turned with it, as its EXIF says; to keep them, save the images without EXIF"
        )
        notes.conversions.append(message(where, given, fix=fix))
        given = f"the boxes of {len(turned)} images are turned"
        notes.warnings.append(message(where, given, fix=LOOK))


def note_ignored(many: int, file: Path, notes: ReadNotes) -> None:
    """Note how many objects were left out for their mark, if there are any."""
    if many:
        given = (
            f"{many} objects are marked {' or '.join(IGNORED)}; they are left out, so that they "
        )
        fix = "are not learned and finding them counts as wrong; take the mark off to keep any"
        notes.conversions.append(message(location(file=file), given + fix))


def _heads(images: Sequence[Annotated]) -> dict[int, Head]:
    """The heads of the files that can be read; the others are refused when images are read."""
    try:
        import PIL  # noqa: F401
    except ImportError:  # an error when images are read, too
        return {}
    return read_all([str(image.path) for image in images], "", head_of)[0]


def _stored(head: Head) -> Size:
    return (head.wide, head.high) if head.orientation in SIDEWAYS else (head.high, head.wide)


def _frame_of(stated: Size | None, head: Head) -> _Frame | None:
    """The frame that a stated size leads to; None where it leads to none."""
    shown = _Frame((head.high, head.wide), False)
    if stated is None:
        return shown
    both = (shown, _Frame(_stored(head), True))
    frames = [f for f in both if f.size == stated] or [f for f in both if _alike(f.size, stated)]
    return frames[0] if frames else None


def _alike(one: Size, other: Size) -> bool:
    """Whether one size is the other at another scale, but for the rounding of the smaller."""
    small, large = sorted([one, other])
    factor = max(large[0] / small[0], large[1] / small[1])
    return all(abs(a * factor - b) <= factor for a, b in zip(small, large, strict=True))


def _require_frames(
    images: Sequence[Annotated],
    heads: Mapping[int, Head],
    frames: Mapping[int, _Frame | None],
    *,
    file: Path,
) -> None:
    """Make sure that every stated size leads to a frame.

    Raises:
        DataError: the images where it does not.
    """
    faults = Faults(DataError)
    wrong = 0
    for n, frame in frames.items():
        image = images[n]
        own = heads[n][:2]
        if image.stated is None or (frame and frame.size == image.stated):
            continue
        given = ""
        if frame is None:
            given = f"{image.path.name} is {_sides(own)}, but {_sides(image.stated)} is stated"
        elif _is_beyond(image):
            given = f"{image.path.name} has boxes beyond the {_sides(image.stated)} that are stated"
            given += f", and is {_sides(own)}"
        if given:
            wrong += 1
            if wrong <= SHOWN_FAULTS:
                fix = "state the size of the file, and write boxes in its pixels"
                faults.add(location(file=file), given, fix=fix)
    faults.add_rest(location(file=file), wrong - SHOWN_FAULTS, "so with {} more images")
    faults.raise_any()


def _is_beyond(image: Annotated) -> bool:
    assert image.stated is not None
    high, wide = image.stated
    ends = [one["box"][2:] for one in image.objects or []]
    return any(x > wide + OUTSIDE_PIXELS or y > high + OUTSIDE_PIXELS for x, y in ends)


def _sides(size: Size) -> str:
    return f"{size[1]} pixels wide and {size[0]} high"


def _rescale(image: Annotated, own: Size, size: Size) -> None:
    across, down = size[1] / own[1], size[0] / own[0]
    for one in image.objects or []:
        x1, y1, x2, y2 = one["box"]
        one["box"] = [x1 * across, y1 * down, x2 * across, y2 * down]


def _from_shares(images: Sequence[Annotated], heads: Mapping[int, Head]) -> None:
    for n, image in enumerate(images):
        size = heads[n][:2] if n in heads else image.stated
        if size is not None:  # else the file is missing, which is an error when images are read
            _rescale(image, (1, 1), size)


def turned_box(box: Sequence[float], orientation: int, stored: Size) -> list[float]:
    """A box of an image as it is stored, in the image as it is shown.

    Args:
        box: x1, y1, x2, y2 in pixels.
        orientation: of the image, 1 to 8 as in EXIF.
        stored: height and width at which the image is stored.

    Example:
        >>> turned_box([0, 0, 10, 20], 6, (30, 40))
        [10, 0, 30, 10]
    """
    (x1, y1, x2, y2), (high, wide) = box, stored
    if orientation in (2, 3, 7, 8):
        x1, x2 = wide - x2, wide - x1
    if orientation in (3, 4, 6, 7):
        y1, y2 = high - y2, high - y1
    return [y1, x1, y2, x2] if orientation in SIDEWAYS else [x1, y1, x2, y2]
