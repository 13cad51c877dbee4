"""Files of COCO: images, annotations and categories in one file of JSON."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PureWindowsPath
from typing import Any

from superpose.columns import ReadNotes, read_whole
from superpose.data.split._splits import PART_WORDS, PARTS
from superpose.errors import SHOWN_FAULTS, DataError, Faults, listing, message, place

from ._annotated import Annotated, Rows, Size, in_shown_frame, tell_ignored

OBJECTS = "instances"  # what a file of boxes is called where others stand beside it
KEYS = ("images", "annotations", "categories")
Entries = list[dict[str, Any]]


def load_coco(path: Path) -> dict[str, Any] | None:
    """What is in a file of COCO, or None if it holds other JSON; UTF-8, or with a mark UTF-16.

    Raises:
        DataError: it seems to be one, but breaks off.
    """
    try:
        data = read_whole(path)
    except OSError as fault:
        raise DataError(message(place(file=path), f"can't be read ({fault})")) from None
    # Of other files not all is parsed: lines of JSON can be large.
    if b"images" not in data.replace(b"\0", b""):
        return None
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        if b'"annotations"' in data and data.lstrip(b"\xef\xbb\xbf \r\n\t")[:1] == b"{":
            given = f"not a file of COCO ({error})"
            raise DataError(message(place(file=path), given, fix="write it anew")) from None
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
        notes.warnings.append(message(place(file=path), given, fix=f"only {OBJECTS} are read"))
    for part, file, value in objects or files:
        own = coco_rows(value, file, path, notes)
        for name in ("image", "boxes"):
            rows[name] += own[name]
        rows["split"] += [part] * len(own["image"])
    return rows


def coco_rows(value: Mapping[str, Any], file: Path, root: Path, notes: ReadNotes) -> Rows:
    """The images of a file of COCO with their boxes.

    Args:
        value: what the file holds.
        file: its path.
        root: the folder that paths of images are relative to.
        notes: takes what is to be said.

    Raises:
        DataError: every fault of the file.
    """
    faults = Faults(DataError)
    images, annotations, categories = (_entries(value, key, file, faults) for key in KEYS)
    faults.raise_any()
    names = _category_names(categories, file, faults, notes)
    boxes = _image_boxes(images, "annotations" in value, file, faults)
    _add_objects(annotations, names, boxes, file, faults, notes)
    faults.raise_any()
    paths = _paths(images, file, root, notes)
    found = [
        Annotated(path, _stated(image), boxes[str(image["id"])])
        for path, image in zip(paths, images, strict=True)
    ]
    in_shown_frame(found, file, notes)
    _tell_empty(found, file, notes)
    relative = [str(_relative(path, root)) for path in paths]
    return {"image": relative, "boxes": [image.objects for image in found]}


def _entries(value: Mapping[str, Any], key: str, file: Path, faults: Faults) -> Entries:
    """The entries under one of the keys of COCO."""
    entries = value.get(key, [] if key == "annotations" else None)
    if isinstance(entries, list) and all(isinstance(one, dict) for one in entries):
        return entries
    what = "nothing" if entries is None else "no list of objects"
    allowed = "images, annotations with bbox, and categories"
    faults.add(place(file=file), f"not a file of COCO ({what} under {key})", allowed)
    return []


def _category_names(
    categories: Entries, file: Path, faults: Faults, notes: ReadNotes
) -> dict[str, str]:
    """The name of each category by its id."""
    names: dict[str, str] = {}
    for n, one in enumerate(categories):
        name = str(one.get("name") or "").strip()
        key = str(one.get("id"))
        if one.get("id") is None or not name:
            what = "name" if not name else "id"
            faults.add(place(file=file), f"category {one.get('id', f'number {n}')} has no {what}")
        elif names.get(key, name) != name:
            given = f"category id {key} stands for {names[key]!r} and for {name!r}"
            faults.add(place(file=file), given, fix="give each category an id of its own")
        names.setdefault(key, name)
    twice = [name for name, many in Counter(names.values()).items() if many > 1 and name]
    if twice:
        given = f"several categories are called {listing(map(repr, twice))}"
        notes.conversions.append(message(place(file=file), given, fix="they are read as one class"))
    return names


def _image_boxes(
    images: Entries, labelled: bool, file: Path, faults: Faults
) -> dict[str, list[dict[str, Any]] | None]:
    """An empty list of objects for the id of each image, or None where there are no annotations."""
    bare = [n for n, one in enumerate(images) if one.get("id") is None or not one.get("file_name")]
    if bare:
        given = f"{len(bare)} images have no id or no file_name, first images[{bare[0]}]"
        faults.add(place(file=file), given, "an id and a file_name for each")
    twice = [key for key, n in Counter(str(one.get("id")) for one in images).items() if n > 1]
    if twice and not bare:
        given = f"{len(twice)} ids stand for several images, first {twice[0]}"
        faults.add(place(file=file), given, "an id of its own for each image")
    return {str(one.get("id")): [] if labelled else None for one in images}


def _add_objects(
    annotations: Entries,
    names: Mapping[str, str],
    boxes: Mapping[str, list[dict[str, Any]] | None],
    file: Path,
    faults: Faults,
    notes: ReadNotes,
) -> None:
    """Add the objects of annotations to the lists of their images."""
    strangers: dict[str, list[str]] = {}
    homeless: list[str] = []
    wrong: list[tuple[str, str]] = []
    bare: list[str] = []
    ignored = 0
    seen = set[tuple[Any, ...]]()
    twice: list[str] = []
    for n, one in enumerate(annotations):
        title = f"annotation {one.get('id', f'number {n}')}"
        image = str(one.get("image_id"))
        category = one.get("category_id")
        if not one.get("bbox"):
            bare.append(title)
        elif image not in boxes:
            homeless.append(f"{title} of image_id {image}")
        elif category is None:
            wrong.append((title, "has no category_id"))
        elif str(category) not in names:
            strangers.setdefault(str(category), []).append(title)
        elif (box := _corners(one["bbox"])) is None:
            wrong.append((title, f"has the bbox {str(one['bbox'])[:60]}"))
        elif one.get("iscrowd") in (1, True, "1"):
            ignored += 1
        elif (same := (one.get("id"), image, category, *box)) in seen and one.get("id") is not None:
            twice.append(title)
        else:
            seen.add(same)
            objects = boxes[image]
            assert objects is not None
            objects.append({"class": names[str(category)], "box": box})
    where = place(file=file)
    for category, titles in list(strangers.items())[:SHOWN_FAULTS]:
        given = f"{titles[0]}: category_id {category} is not among the categories"
        given += f", so in {len(titles) - 1} more annotations" if len(titles) > 1 else ""
        faults.add(
            where, given, listing(names), fix="add the category, or take the annotations out"
        )
    if len(strangers) > SHOWN_FAULTS:
        faults.add(where, f"so with {len(strangers) - SHOWN_FAULTS} more ids of categories")
    for title, what in wrong[:SHOWN_FAULTS]:
        faults.add(where, f"{title} {what}", "a category_id, and a bbox of x, y, width and height")
    if len(wrong) > SHOWN_FAULTS:
        faults.add(where, f"so with {len(wrong) - SHOWN_FAULTS} more annotations")
    total = len(annotations)
    if annotations and len(bare) == total:
        given = "not a file of COCO (no annotation has a bbox)"
        faults.add(where, given, "images, annotations with bbox, and categories")
    elif annotations and len(homeless) == total:
        given = f"no annotation has its image among the images, first {homeless[0]}"
        faults.add(where, given, "the ids of images as image_id")
    facts = [
        (bare, "annotations have no bbox, as captions", "they are left out"),
        (homeless, "annotations have no image among the images", "they are left out"),
        (twice, "annotations stand there twice", "they are read once"),
    ]
    for titles, what, then in facts:
        if titles:
            given = f"{len(titles)} of {total} {what}, first {titles[0]}"
            notes.warnings.append(message(where, given, fix=then))
    tell_ignored(ignored, file, notes)


def _corners(bbox: Any) -> list[float] | None:
    try:
        x, y, wide, high = map(float, bbox)
    except (TypeError, ValueError):
        return None
    box = [x, y, x + wide, y + high]
    return box if all(map(math.isfinite, box)) else None


def _stated(image: Mapping[str, Any]) -> Size | None:
    """The height and width that an entry states, if it does: many programs write zeros."""
    try:
        high, wide = int(image["height"]), int(image["width"])
    except (KeyError, TypeError, ValueError):
        return None
    return (high, wide) if high > 0 and wide > 0 else None


def _paths(images: Entries, file: Path, root: Path, notes: ReadNotes) -> list[Path]:
    """The file of each image: by its path, or by its name alone where it is written elsewhere.

    Raises:
        DataError: none of the files is there.
    """
    stem = file.stem.lower().removeprefix(f"{OBJECTS}_")
    folders = [file.parent, file.parent / "images", root, root / "images"]
    folders += [root / stem, root / "images" / stem, file.parent / stem]
    folders = list(dict.fromkeys(folder for folder in folders if folder.is_dir()))
    names = [str(image["file_name"]) for image in images]
    home = next((f for f in folders if any((f / name).is_file() for name in names)), root)
    folders = [home, *(folder for folder in folders if folder != home)]
    lasts = Counter(PureWindowsPath(name).name for name in names)
    found, moved, missing = list[Path](), list[str](), list[str]()
    for name in names:
        path = _first(folders, name)
        last = PureWindowsPath(name).name
        if path is None and lasts[last] == 1:
            path = _first(folders, last)
            moved += [name] * (path is not None)
        missing += [name] * (path is None)
        found.append(path or home / name)
    where = place(file=file)
    if names and len(missing) == len(names):
        given = f"none of its {len(names)} images is there, first {missing[0]}"
        fix = f"put them beside the file or in the folder images; looked in {listing(folders)}"
        raise DataError(message(where, given, fix=fix))
    if missing:
        given = f"{len(missing)} of {len(names)} images are missing, first {missing[0]}"
        notes.warnings.append(message(where, given))
    if moved:
        given = f"{len(moved)} of {len(names)} images are not where the file says, first {moved[0]}"
        fix = "the image of that name beside the file is read"
        notes.conversions.append(message(where, given, fix=fix))
    twice = [name for name, n in Counter(map(str, found)).items() if n > 1]
    if twice:
        given = f"{len(twice)} files stand for several images, first {Path(twice[0]).name}"
        notes.warnings.append(message(where, given, fix="each is a row of its own"))
    return found


def _first(folders: Sequence[Path], name: str) -> Path | None:
    return next((folder / name for folder in folders if (folder / name).is_file()), None)


def _tell_empty(images: Sequence[Annotated], file: Path, notes: ReadNotes) -> None:
    """Note how many images have no annotation."""
    empty = [image for image in images if not image.objects]
    if empty and empty[0].objects is None:
        given, fix = "no annotations", "nobody has looked at its images"
        notes.warnings.append(message(place(file=file), given, fix=fix))
    elif empty:
        given = f"{len(empty)} of {len(images)} images have no annotation of an object"
        given += f", first {empty[0].path.name}"
        fix = "they are read as images without objects; take out those that nobody has looked at"
        notes.conversions.append(message(place(file=file), given, fix=fix))


def _relative(path: Path, root: Path) -> Path:
    return path.relative_to(root) if path.is_relative_to(root) else path.resolve()
