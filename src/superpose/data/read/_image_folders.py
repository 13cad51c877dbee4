"""Folders of images with their labels, as they are published, read as tables of paths.

What is read is the layout alone; the images are opened when a model is trained.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from superpose.columns import ReadNotes
from superpose.data.split._parts import PART_WORDS, PARTS
from superpose.errors import DataError, Faults, listing, location, message

from ._annotated import Rows, images_in
from ._coco import coco_folder_rows, coco_rows, has_coco, load_coco
from ._coco_content import CocoContent
from ._voc import is_voc, voc_parts, voc_rows

ANNOTATED = "annot"  # what the folder of masks is called beside that of images
BOXES = pa.list_(pa.struct([("class", pa.string()), ("box", pa.list_(pa.float64()))]))
SPLIT = "split"


def read_images(path: Path) -> pa.Table | None:
    """Read a folder of images as a table, or None if it has no layout that is known.

    A folder of Pascal VOC has ``image`` and ``boxes``, one of COCO files too; folders such as train
    and trainannot give ``image`` and ``mask``; folders named by a class ``image`` and ``class``.
    What is divided already also has ``split``. Paths are relative to the folder.

    Raises:
        DataError: files that don't fit the layout, gathered.
    """
    layout = _layout_of(path)
    notes = ReadNotes()
    return None if layout is None else _table(layout.read(path, notes), notes)


def is_divided(path: Path) -> bool:
    """Whether a folder of images says which are for training, validation and test."""
    layout = _layout_of(path)
    return layout is not None and layout.divides(path)


def read_coco(path: Path) -> pa.Table | None:
    """Read a file of COCO as a table with ``image`` and ``boxes``; None if it holds other JSON.

    Raises:
        DataError: the keys of COCO, but not what belongs under them.
    """
    value = load_coco(path)
    if value is None:
        return None
    notes = ReadNotes()
    return _table(coco_rows(CocoContent(value, path, notes), path.parent), notes)


def _table(rows: Rows, notes: ReadNotes) -> pa.Table:
    types = {"boxes": BOXES}
    table = pa.table({n: pa.array(v, types.get(n, pa.string())) for n, v in rows.items()})
    return notes.on(table)


def _parts(path: Path) -> dict[str, Path]:
    """The folders of training, validation and test, as far as there are."""
    folders: dict[str, Path] = {}
    for entry in sorted(path.iterdir()) if path.is_dir() else []:
        if entry.is_dir() and entry.name.lower() in PART_WORDS:
            folders.setdefault(PARTS[PART_WORDS[entry.name.lower()]], entry)
    return {part: folders[part] for part in PARTS if part in folders}


# Folders of images beside folders of masks.


def _has_masks(path: Path) -> bool:
    return any(part.with_name(part.name + ANNOTATED).is_dir() for part in _parts(path).values())


def _mask_rows(path: Path, notes: ReadNotes) -> Rows:
    rows: Rows = {"image": [], "mask": [], SPLIT: []}
    faults = Faults(DataError)
    for part, folder in _parts(path).items():
        beside = folder.with_name(folder.name + ANNOTATED)
        masks = {m.stem: m for m in (images_in(beside) if beside.is_dir() else [])}
        images = images_in(folder)
        alone = sorted(masks.keys() - {image.stem for image in images})
        if alone:
            given = f"{len(alone)} masks have no image in {folder.name}, first {alone[0]}"
            faults.add(location(file=beside), given, fix="name masks as their images")
        for image in images:
            mask = masks.get(image.stem)
            rows["image"].append(str(image.relative_to(path)))
            rows["mask"].append(mask and str(mask.relative_to(path)))
            rows[SPLIT].append(part)
        bare = [image.name for image in images if image.stem not in masks]
        if bare:
            given = f"{len(bare)} of {len(images)} images have no mask, first {bare[0]}"
            fix = "they count as images that nobody has looked at"
            notes.warnings.append(message(location(file=folder), given, fix=fix))
    faults.raise_any()
    return rows


# A folder of images for each class.


def _class_folders(path: Path) -> list[Path]:
    """The folders of classes: each has images, or nothing at all."""
    folders = [entry for entry in sorted(path.iterdir()) if entry.is_dir()]
    full = [folder for folder in folders if images_in(folder)]
    return folders if full and all(f in full or not _others(f) for f in folders) else []


def _others(folder: Path) -> list[str]:
    """The names in a folder that are no images, but for those that systems write by themselves."""
    images = {image.name for image in images_in(folder)}
    hidden = ("thumbs.db", "desktop.ini")
    return sorted(
        entry.name
        for entry in folder.iterdir()
        if entry.name not in images and entry.name[0] != "." and entry.name.lower() not in hidden
    )


def _has_classes(path: Path) -> bool:
    parts = _parts(path)
    if parts:
        return all(map(_class_folders, parts.values()))
    return sum(bool(images_in(folder)) for folder in _class_folders(path)) > 1


def _class_rows(path: Path, notes: ReadNotes) -> Rows:
    parts = _parts(path)
    rows: Rows = {"image": [], "class": [], **({SPLIT: []} if parts else {})}
    for part, whole in (parts or {"": path}).items():
        folders = _class_folders(whole)
        for folder in folders:
            for image in images_in(folder):
                rows["image"].append(str(image.relative_to(path)))
                rows["class"].append(folder.name)
                if parts:
                    rows[SPLIT].append(part)
        _note_left_out(whole, folders, notes)
    return rows


def _note_left_out(whole: Path, folders: list[Path], notes: ReadNotes) -> None:
    """Note the empty folders of classes, and what is no image in the others."""
    where = location(file=whole)
    if empty := [folder.name for folder in folders if not images_in(folder)]:
        given = f"{len(empty)} folders of classes are empty: {listing(empty)}"
        notes.warnings.append(message(where, given, fix="no row has such a class"))
    others = [f"{folder.name}/{name}" for folder in folders for name in _others(folder)]
    if others:
        given = f"{len(others)} entries of folders of classes are no images, first {others[0]}"
        notes.warnings.append(message(where, given, fix="they are not read"))


class _Layout(NamedTuple):
    """How a folder may be laid out: whether it is, what is read, whether that is divided."""

    fits: Callable[[Path], bool]
    read: Callable[[Path, ReadNotes], Rows]
    divides: Callable[[Path], bool]


_LAYOUTS = [
    _Layout(is_voc, voc_rows, lambda path: bool(voc_parts(path))),
    _Layout(has_coco, coco_folder_rows, lambda path: True),
    _Layout(_has_masks, _mask_rows, lambda path: True),
    _Layout(_has_classes, _class_rows, lambda path: bool(_parts(path))),
]


def _layout_of(path: Path) -> _Layout | None:
    return next((layout for layout in _LAYOUTS if layout.fits(path)), None)
