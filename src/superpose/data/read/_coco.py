"""Files of COCO: which files are some, and their images with boxes as rows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from superpose.columns import ReadNotes, read_whole
from superpose.data.split._parts import PART_WORDS, PARTS
from superpose.errors import DataError, listing, location, message

from ._annotated import Annotated, Rows, in_shown_frame
from ._coco_content import CocoContent, stated_size

OBJECTS = "instances"  # what a file of boxes is called where others stand beside it
KEYS = ("images", "annotations", "categories")


def load_coco(path: Path) -> dict[str, Any] | None:
    """What is in a file of COCO, or None if it holds other JSON; UTF-8, or with a mark UTF-16.

    Raises:
        DataError: it seems to be one, but breaks off.
    """
    try:
        data = read_whole(path)
    except OSError as fault:
        raise DataError(message(location(file=path), f"can't be read ({fault})")) from None
    # Of other files not all is parsed: lines of JSON can be large.
    if b"images" not in data.replace(b"\0", b""):
        return None
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        if b'"annotations"' in data and data.lstrip(b"\xef\xbb\xbf \r\n\t")[:1] == b"{":
            given = f"not a file of COCO ({error})"
            raise DataError(message(location(file=path), given, fix="write it anew")) from None
        return None
    known = isinstance(value, dict) and "images" in value and len(value.keys() & set(KEYS)) > 1
    return value if known else None


def _coco_files(path: Path) -> Iterator[tuple[str, Path, dict[str, Any]]]:
    """Each part, its file and what that holds; a file whose name tells no part is passed over."""
    for folder in (path, path / "annotations"):
        for file in sorted(folder.glob("*.json")) if folder.is_dir() else []:
            words = file.stem.lower().replace("-", "_").split("_")
            named = [w.rstrip("0123456789") for w in words]
            part = next((PARTS[PART_WORDS[w]] for w in named if w in PART_WORDS), "")
            value = load_coco(file) if part else None
            if value is not None and "categories" in value:  # else it holds captions
                yield part, file, value


def has_coco(path: Path) -> bool:
    """Whether a folder holds files of COCO whose names tell a part."""
    return any(True for _ in _coco_files(path))


def coco_folder_rows(path: Path, notes: ReadNotes) -> Rows:
    """The images of all files of a folder, with their boxes and their part.

    Raises:
        DataError: as of `coco_rows`.
    """
    rows: Rows = {"image": [], "boxes": [], "split": []}
    files = list(_coco_files(path))
    objects = [one for one in files if one[1].stem.lower().startswith(OBJECTS)]
    others = [file.name for _, file, _ in files if file not in {own for _, own, _ in objects}]
    if objects and others:
        given = f"{listing(others)} beside files of {OBJECTS}, which hold the same images"
        notes.warnings.append(message(location(file=path), given, fix=f"only {OBJECTS} are read"))
    for part, file, value in objects or files:
        own = coco_rows(CocoContent(value, file, notes), path)
        for name in ("image", "boxes"):
            rows[name] += own[name]
        rows["split"] += [part] * len(own["image"])
    return rows


def coco_rows(content: CocoContent, root: Path) -> Rows:
    """The images of a file of COCO with their boxes.

    Args:
        content: the file.
        root: the folder that paths of images are relative to.

    Raises:
        DataError: every fault of the file.
    """
    images, annotations, categories = (content.entries(key) for key in KEYS)
    content.faults.raise_any()
    names = content.category_names(categories)
    boxes = content.objects(annotations, names, content.empty_boxes(images))
    content.faults.raise_any()
    paths = content.paths(images, _folders(content.file, root))
    annotated = [
        Annotated(path, stated_size(image), boxes[str(image["id"])])
        for path, image in zip(paths, images, strict=True)
    ]
    in_shown_frame(annotated, content.file, content.notes)
    content.note_empty(annotated)
    relative = [str(_relative(path, root)) for path in paths]
    return {"image": relative, "boxes": [image.objects for image in annotated]}


def _folders(file: Path, root: Path) -> list[Path]:
    """Where the images of a file may be, the likeliest first; at last the root itself."""
    stem = file.stem.lower().removeprefix(f"{OBJECTS}_")
    folders = [file.parent, file.parent / "images", root, root / "images"]
    folders += [root / stem, root / "images" / stem, file.parent / stem]
    return [*dict.fromkeys(folders), root]


def _relative(path: Path, root: Path) -> Path:
    return path.relative_to(root) if path.is_relative_to(root) else path.resolve()
