"""What a file of COCO holds: entries checked against each other, objects put to their images."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PureWindowsPath
from typing import Any

from superpose.columns import ReadNotes
from superpose.errors import SHOWN_FAULTS, DataError, Faults, beyond, listing, location, message

from ._annotated import Annotated, Size, note_ignored

Entries = list[dict[str, Any]]
Boxes = dict[str, list[dict[str, Any]] | None]


@dataclass
class Objects:
    """What becomes of the annotations of a file.

    Args:
        boxes: the objects of each image by its id; None where there are no annotations.
        ignored: annotations of crowds, which are left out.
        bare: titles of those without a box.
        homeless: titles of those whose image is not among the images.
        twice: titles of those that stand there again.
        strangers: titles by an id that is not among the categories.
        wrong: title and fault of those that can't be read.
    """

    boxes: Boxes
    ignored: int = 0
    bare: list[str] = field(default_factory=list)
    homeless: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    strangers: dict[str, list[str]] = field(default_factory=dict)
    wrong: list[tuple[str, str]] = field(default_factory=list)


class CocoContent:
    """The content of a file while it is read, with its faults and the notes on it.

    Args:
        value: what the file holds.
        file: its path.
        notes: takes the notes on it.
    """

    def __init__(self, value: Mapping[str, Any], file: Path, notes: ReadNotes) -> None:
        self.value = value
        self.file = file
        self.notes = notes
        self.where = location(file=file)
        self.faults = Faults(DataError)

    def entries(self, key: str) -> Entries:
        """The entries under one of the keys of COCO."""
        entries = self.value.get(key, [] if key == "annotations" else None)
        if isinstance(entries, list) and all(isinstance(one, dict) for one in entries):
            return entries
        what = "nothing" if entries is None else "no list of objects"
        allowed = "images, annotations with bbox, and categories"
        self.faults.add(self.where, f"not a file of COCO ({what} under {key})", allowed)
        return []

    def category_names(self, categories: Entries) -> dict[str, str]:
        """The name of each category by its id."""
        names: dict[str, str] = {}
        for n, one in enumerate(categories):
            name = str(one.get("name") or "").strip()
            key = str(one.get("id"))
            if one.get("id") is None or not name:
                what = "name" if not name else "id"
                self.faults.add(
                    self.where, f"category {one.get('id', f'number {n}')} has no {what}"
                )
            elif names.get(key, name) != name:
                given = f"category id {key} stands for {names[key]!r} and for {name!r}"
                self.faults.add(self.where, given, fix="give each category an id of its own")
            names.setdefault(key, name)
        twice = [name for name, many in Counter(names.values()).items() if many > 1 and name]
        if twice:
            given = f"several categories are called {listing(map(repr, twice))}"
            self._converted(given, "they are read as one class")
        return names

    def empty_boxes(self, images: Entries) -> Boxes:
        """An empty list of objects by the id of each image; None where nothing is annotated."""
        bare = [
            n for n, one in enumerate(images) if one.get("id") is None or not one.get("file_name")
        ]
        if bare:
            given = f"{len(bare)} images have no id or no file_name, first images[{bare[0]}]"
            self.faults.add(self.where, given, "an id and a file_name for each")
        twice = [key for key, n in Counter(str(one.get("id")) for one in images).items() if n > 1]
        if twice and not bare:
            given = f"{len(twice)} ids stand for several images, first {twice[0]}"
            self.faults.add(self.where, given, "an id of its own for each image")
        labelled = "annotations" in self.value
        return {str(one.get("id")): [] if labelled else None for one in images}

    def objects(
        self,
        annotations: Entries,
        names: Mapping[str, str],
        boxes: Boxes,
    ) -> Boxes:
        """The objects of each image by its id; what can't be read is a fault or is noted.

        Args:
            annotations: the entries.
            names: of `category_names`.
            boxes: of `empty_boxes`.
        """
        objects = _sorted(annotations, names, Objects(boxes))
        self._refuse(objects, len(annotations), names)
        facts = [
            (objects.bare, "annotations have no bbox, as captions", "they are left out"),
            (objects.homeless, "annotations have no image among the images", "they are left out"),
            (objects.twice, "annotations stand there twice", "they are read once"),
        ]
        for titles, what, then in facts:
            if titles:
                given = f"{len(titles)} of {len(annotations)} {what}, first {titles[0]}"
                self._warned(given, then)
        note_ignored(objects.ignored, self.file, self.notes)
        return objects.boxes

    def _refuse(self, objects: Objects, total: int, names: Mapping[str, str]) -> None:
        """Keeps the faults of annotations."""
        faults = self.faults
        for category, titles in list(objects.strangers.items())[:SHOWN_FAULTS]:
            given = f"{titles[0]}: category_id {category} is not among the categories"
            given += beyond(len(titles) - 1, ", so in {} more annotations")
            fix = "add the category, or take the annotations out"
            faults.add(self.where, given, listing(names), fix=fix)
        n_more = len(objects.strangers) - SHOWN_FAULTS
        faults.add_rest(self.where, n_more, "so with {} more ids of categories")
        for title, what in objects.wrong[:SHOWN_FAULTS]:
            allowed = "a category_id, and a bbox of x, y, width and height"
            faults.add(self.where, f"{title} {what}", allowed)
        n_more = len(objects.wrong) - SHOWN_FAULTS
        faults.add_rest(self.where, n_more, "so with {} more annotations")
        if total and len(objects.bare) == total:
            given = "not a file of COCO (no annotation has a bbox)"
            faults.add(self.where, given, "images, annotations with bbox, and categories")
        elif total and len(objects.homeless) == total:
            given = f"no annotation has its image among the images, first {objects.homeless[0]}"
            faults.add(self.where, given, "the ids of images as image_id")

    def paths(self, images: Entries, folders: Sequence[Path]) -> list[Path]:
        """The file of each image: by its path, or by its name alone where it is written elsewhere.

        Args:
            images: the entries.
            folders: where they may be, the likeliest first; the last one is taken where none is.

        Raises:
            DataError: none of the files is there.
        """
        names = [str(image["file_name"]) for image in images]
        there = [folder for folder in folders if folder.is_dir()]
        home = next((f for f in there if any((f / name).is_file() for name in names)), folders[-1])
        there = list(dict.fromkeys([home, *there]))
        lasts = Counter(PureWindowsPath(name).name for name in names)
        paths: list[Path] = []
        moved: list[str] = []
        missing: list[str] = []
        for name in names:
            path = _first(there, name)
            last = PureWindowsPath(name).name
            if path is None and lasts[last] == 1:
                path = _first(there, last)
                moved += [name] * (path is not None)
            missing += [name] * (path is None)
            paths.append(path or home / name)
        if names and len(missing) == len(names):
            given = f"none of its {len(names)} images is there, first {missing[0]}"
            fix = f"put them beside the file or in the folder images; looked in {listing(there)}"
            raise DataError(message(self.where, given, fix=fix))
        if missing:
            self._warned(f"{len(missing)} of {len(names)} images are missing, first {missing[0]}")
        if moved:
            given = f"{len(moved)} of {len(names)} images are not where the file says, "
            given += f"first {moved[0]}"
            self._converted(given, "the image of that name beside the file is read")
        twice = [name for name, n in Counter(map(str, paths)).items() if n > 1]
        if twice:
            given = f"{len(twice)} files stand for several images, first {Path(twice[0]).name}"
            self._warned(given, "each is a row of its own")
        return paths

    def note_empty(self, images: Sequence[Annotated]) -> None:
        """Notes how many images have no annotation."""
        empty = [image for image in images if not image.objects]
        if empty and empty[0].objects is None:
            self._warned("no annotations", "nobody has looked at its images")
        elif empty:
            given = f"{len(empty)} of {len(images)} images have no annotation of an object"
            given += f", first {empty[0].path.name}"
            fix = "they are read as images without objects; take out those that nobody has looked "
            self._converted(given, f"{fix}at")

    def _warned(self, given: str, fix: str = "") -> None:
        self.notes.warnings.append(message(self.where, given, fix=fix))

    def _converted(self, given: str, fix: str) -> None:
        self.notes.conversions.append(message(self.where, given, fix=fix))


def _sorted(annotations: Entries, names: Mapping[str, str], into: Objects) -> Objects:
    """Puts each annotation to its image, or among those that have none."""
    seen: set[tuple[Any, ...]] = set()
    for n, one in enumerate(annotations):
        title = f"annotation {one.get('id', f'number {n}')}"
        image = str(one.get("image_id"))
        category = one.get("category_id")
        if not one.get("bbox"):
            into.bare.append(title)
        elif image not in into.boxes:
            into.homeless.append(f"{title} of image_id {image}")
        elif category is None:
            into.wrong.append((title, "has no category_id"))
        elif str(category) not in names:
            into.strangers.setdefault(str(category), []).append(title)
        elif (box := _corners(one["bbox"])) is None:
            into.wrong.append((title, f"has the bbox {str(one['bbox'])[:60]}"))
        elif one.get("iscrowd") in (1, True, "1"):
            into.ignored += 1
        elif (same := (one.get("id"), image, category, *box)) in seen and one.get("id") is not None:
            into.twice.append(title)
        else:
            seen.add(same)
            objects = into.boxes[image]
            assert objects is not None
            objects.append({"class": names[str(category)], "box": box})
    return into


def _corners(bbox: Any) -> list[float] | None:
    try:
        x, y, wide, high = map(float, bbox)
    except (TypeError, ValueError):
        return None
    box = [x, y, x + wide, y + high]
    return box if all(map(math.isfinite, box)) else None


def stated_size(image: Mapping[str, Any]) -> Size | None:
    """The height and width that an entry states, if it does: many programs write zeros."""
    try:
        high, wide = int(image["height"]), int(image["width"])
    except (KeyError, TypeError, ValueError):
        return None
    return (high, wide) if high > 0 and wide > 0 else None


def _first(folders: Sequence[Path], name: str) -> Path | None:
    return next((folder / name for folder in folders if (folder / name).is_file()), None)
