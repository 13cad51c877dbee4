"""Folders of images with their labels, as they are published, read as tables of paths.

What is read is the layout alone; the images are opened when a model is trained.
"""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from superpose.errors import DataError, Faults, message, place

from ._files import read_text, read_whole
from ._splits import PART_WORDS, PARTS

IMAGE_ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff", ".gif")
ANNOTATED = "annot"  # what the folder of masks is called beside that of images
BOXES = pa.list_(pa.struct([("class", pa.string()), ("box", pa.list_(pa.float64()))]))
SPLIT = "split"
SHOWN_FAULTS = 3

Rows = dict[str, list[Any]]


def read_images(path: Path) -> pa.Table | None:
    """Read a folder of images as a table, or None if it has no layout that is known.

    A folder of Pascal VOC has ``image`` and ``boxes``, one of COCO files too; folders such as train
    and trainannot give ``image`` and ``mask``; folders named by a class ``image`` and ``class``.
    What is divided already also has ``split``. Paths are relative to the folder.

    Raises:
        DataError: files that don't fit the layout, gathered.
    """
    layout = _layout_of(path)
    return None if layout is None else _table(layout.read(path))


def is_divided(path: Path) -> bool:
    """Whether a folder of images says which are for training, validation and test."""
    layout = _layout_of(path)
    return layout is not None and layout.divides(path)


def read_coco(path: Path) -> pa.Table | None:
    """Read a file of COCO as a table with ``image`` and ``boxes``; None if it holds other JSON.

    Raises:
        DataError: the keys of COCO, but not what belongs under them.
    """
    value = _load_coco(path)
    return None if value is None else _table(_coco_rows(value, path, path.parent))


def _load_coco(path: Path) -> dict[str, Any] | None:
    """The images and annotations in a file of COCO, or None if it is none."""
    try:
        blob = read_whole(path)
    except OSError as fault:
        raise DataError(message(place(file=path), f"can't be read ({fault})")) from None
    try:
        value = json.loads(blob) if blob.startswith(b"{") else None
    except (ValueError, RecursionError):
        return None
    known = isinstance(value, dict) and {"images", "annotations", "categories"} <= set(value)
    return value if known else None


def _table(rows: Rows) -> pa.Table:
    types = {"boxes": BOXES}
    return pa.table({n: pa.array(v, types.get(n, pa.string())) for n, v in rows.items()})


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in IMAGE_ENDINGS and path.is_file()


def _parts(path: Path) -> dict[str, Path]:
    """The folders of training, validation and test, as far as there are."""
    found: dict[str, Path] = {}
    for entry in sorted(path.iterdir()) if path.is_dir() else []:
        if entry.is_dir() and entry.name.lower() in PART_WORDS:
            found.setdefault(PARTS[PART_WORDS[entry.name.lower()]], entry)
    return {part: found[part] for part in PARTS if part in found}


def _images(folder: Path) -> list[Path]:
    return sorted(entry for entry in folder.iterdir() if _is_image(entry))


# Folders of images beside folders of masks.


def _has_masks(path: Path) -> bool:
    return any(part.with_name(part.name + ANNOTATED).is_dir() for part in _parts(path).values())


def _mask_rows(path: Path) -> Rows:
    rows: Rows = {"image": [], "mask": [], SPLIT: []}
    faults = Faults(DataError)
    for part, folder in _parts(path).items():
        beside = folder.with_name(folder.name + ANNOTATED)
        masks = {m.stem: m for m in (_images(beside) if beside.is_dir() else [])}
        images = _images(folder)
        alone = sorted(masks.keys() - {image.stem for image in images})
        if alone:
            given = f"{len(alone)} masks have no image in {folder.name}, first {alone[0]}"
            faults.add(place(file=beside), given, fix="name masks as their images")
        for image in images:
            mask = masks.get(image.stem)
            rows["image"].append(str(image.relative_to(path)))
            rows["mask"].append(mask and str(mask.relative_to(path)))
            rows[SPLIT].append(part)
    faults.raise_any()
    return rows


# A folder of images for each class.


def _class_folders(path: Path) -> list[Path]:
    folders = [entry for entry in sorted(path.iterdir()) if entry.is_dir()]
    return folders if folders and all(map(_images, folders)) else []


def _has_classes(path: Path) -> bool:
    parts = _parts(path)
    if parts:
        return all(map(_class_folders, parts.values()))
    return len(_class_folders(path)) > 1


def _class_rows(path: Path) -> Rows:
    parts = _parts(path)
    rows: Rows = {"image": [], "class": [], **({SPLIT: []} if parts else {})}
    for part, whole in (parts or {"": path}).items():
        for folder in _class_folders(whole):
            for image in _images(folder):
                rows["image"].append(str(image.relative_to(path)))
                rows["class"].append(folder.name)
                if parts:
                    rows[SPLIT].append(part)
    return rows


# Pascal VOC: a file of XML for each image.


def _is_voc(path: Path) -> bool:
    return (path / "Annotations").is_dir() and (path / "JPEGImages").is_dir()


def _voc_parts(path: Path) -> dict[str, str]:
    """The part of each image that a part names."""
    return {
        name: PARTS[PART_WORDS[file.stem.lower()]]
        for file in sorted((path / "ImageSets" / "Main").glob("*.txt"))
        if file.stem.lower() in PART_WORDS
        for line in read_text(file, DataError).splitlines()
        if (name := line.split()[0] if line.split() else "")
    }


def _voc_rows(path: Path) -> Rows:
    sets = _voc_parts(path)
    rows: Rows = {"image": [], "boxes": [], **({SPLIT: []} if sets else {})}
    faults = Faults(DataError)
    for image in _images(path / "JPEGImages"):
        if sets and image.stem not in sets:
            continue  # the authors left it out of every part
        rows["image"].append(str(image.relative_to(path)))
        file = path / "Annotations" / f"{image.stem}.xml"
        # An image without a file was not looked at; one whose file has no object is empty.
        rows["boxes"].append(_voc_boxes(file, faults) if file.is_file() else None)
        if sets:
            rows[SPLIT].append(sets[image.stem])
    faults.raise_any()
    return rows


def _voc_boxes(file: Path, faults: Faults) -> list[dict[str, Any]]:
    try:
        objects = ET.parse(file).getroot().findall("object")
        found = [
            {
                "class": str(thing.findtext("name")),
                "box": [
                    float(str(thing.findtext(f"bndbox/{side}")))
                    for side in ("xmin", "ymin", "xmax", "ymax")
                ],
            }
            for thing in objects
        ]
    except (ET.ParseError, ValueError) as error:
        if len(faults.found) < SHOWN_FAULTS:
            faults.add(place(file=file), f"not a file of Pascal VOC ({error})", fix="mend it")
        return []
    return found


# COCO: one file of JSON for a part.


def _coco_files(path: Path) -> Iterator[tuple[str, Path, dict[str, Any]]]:
    """Each part, its file and what that holds; a file whose name tells no part is passed over."""
    for folder in (path, path / "annotations"):
        for file in sorted(folder.glob("*.json")) if folder.is_dir() else []:
            words = file.stem.lower().replace("-", "_").split("_")
            named = [w.rstrip("0123456789") for w in words]
            part = next((PARTS[PART_WORDS[w]] for w in named if w in PART_WORDS), "")
            value = _load_coco(file) if part else None
            if value is not None:
                yield part, file, value


def _has_coco(path: Path) -> bool:
    return any(True for _ in _coco_files(path))


def _coco_folder_rows(path: Path) -> Rows:
    rows: Rows = {"image": [], "boxes": [], SPLIT: []}
    for part, file, value in _coco_files(path):
        own = _coco_rows(value, file, path)
        for name in ("image", "boxes"):
            rows[name] += own[name]
        rows[SPLIT] += [part] * len(own["image"])
    return rows


def _coco_rows(value: dict[str, Any], file: Path, root: Path) -> Rows:
    try:
        names = {c["id"]: str(c["name"]) for c in value["categories"]}
        boxes: dict[Any, list[dict[str, Any]]] = {image["id"]: [] for image in value["images"]}
        for one in value["annotations"]:
            x, y, wide, high = map(float, one["bbox"])
            box = {"class": names[one["category_id"]], "box": [x, y, x + wide, y + high]}
            boxes[one["image_id"]].append(box)
        found = {image["id"]: str(image["file_name"]) for image in value["images"]}
    except (KeyError, TypeError, ValueError) as error:
        given = f"not a file of COCO ({type(error).__name__}: {error})"
        allowed = "images, annotations with bbox, and categories"
        raise DataError(message(place(file=file), given, allowed)) from None
    folders = [file.parent, file.parent / "images", root, root / "images"]
    stem = file.stem.lower().removeprefix("instances_")
    folders += [root / stem, root / "images" / stem, file.parent / stem]
    home = next((f for f in folders if any((f / n).is_file() for n in found.values())), root)
    paths = [str(_relative(home / name, root)) for name in found.values()]
    return {"image": paths, "boxes": [boxes[key] for key in found]}


def _relative(path: Path, root: Path) -> Path:
    return path.relative_to(root) if path.is_relative_to(root) else path.resolve()


class _Layout(NamedTuple):
    """How a folder may be laid out: whether it is, what is read, whether that is divided."""

    fits: Callable[[Path], bool]
    read: Callable[[Path], Rows]
    divides: Callable[[Path], bool]


_LAYOUTS = [
    _Layout(_is_voc, _voc_rows, lambda path: bool(_voc_parts(path))),
    _Layout(_has_coco, _coco_folder_rows, lambda path: True),
    _Layout(_has_masks, _mask_rows, lambda path: True),
    _Layout(_has_classes, _class_rows, lambda path: bool(_parts(path))),
]


def _layout_of(path: Path) -> _Layout | None:
    return next((layout for layout in _LAYOUTS if layout.fits(path)), None)
