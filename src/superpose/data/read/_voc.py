"""Folders of Pascal VOC: a file of XML for each image, and lists of names for each part."""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from superpose.columns import ReadNotes, read_text
from superpose.data.split._parts import PART_WORDS, PARTS
from superpose.errors import SHOWN_FAULTS, DataError, Faults, location, message

from ._annotated import (
    Annotated,
    Rows,
    Size,
    hold_shares,
    images_in,
    in_shown_frame,
    note_ignored,
)

ANNOTATIONS, IMAGES, SETS = "Annotations", "JPEGImages", "ImageSets/Main"
SIDES = ("xmin", "ymin", "xmax", "ymax")
# Lists of one class say after the name whether it is there.
_MARK = re.compile(r"\s+(-1|0|1)$")


def is_voc(path: Path) -> bool:
    """Whether a folder is laid out as Pascal VOC."""
    return (path / ANNOTATIONS).is_dir() and (path / IMAGES).is_dir()


def voc_parts(path: Path) -> dict[str, str]:
    """The part of each image that a list names; of a name in several the last list counts."""
    return {name: part for _, part, name in _listed(path)}


def _listed(path: Path) -> Iterator[tuple[Path, str, str]]:
    """Each list, its part, and each name in it."""
    for file in sorted((path / SETS).glob("*.txt")):
        if file.stem.lower() in PART_WORDS and file.stat().st_size:
            part = PARTS[PART_WORDS[file.stem.lower()]]
            for line in read_text(file, DataError).splitlines():
                if line.strip():
                    yield file, part, _MARK.sub("", line.strip())


def voc_rows(path: Path, notes: ReadNotes) -> Rows:
    """The images of a folder with their boxes, and the part of each where lists name them.

    Pixels are counted from 1 in Pascal VOC, and the last one is a part of the box: columns 8 to 19
    of an array are written as xmin 9 and xmax 20, and read as 8 to 20.

    Raises:
        DataError: files that don't hold what belongs there, gathered.
    """
    images = images_in(path / IMAGES)
    sets = voc_parts(path)
    _note_unpaired(path, images, sets, notes=notes)
    used = [image for image in images if not sets or image.stem in sets]
    if not used:
        given = f"no image of {IMAGES} is named in the lists of {SETS}"
        fix = (
            f"name images as their files without ending, such as {images[0].stem}" if images else ""
        )
        raise DataError(message(location(file=path), given, fix=fix))
    faults = Faults(DataError)
    ignored = 0
    annotated: list[Annotated] = []
    for image in used:
        file = path / ANNOTATIONS / f"{image.stem}.xml"
        # An image without a file was not looked at; one whose file has no object is empty.
        if not file.is_file():
            annotated.append(Annotated(image, None, None))
            continue
        stated, objects, left_out = _read(file, faults)
        ignored += left_out
        annotated.append(Annotated(image, stated, objects))
    faults.raise_any()
    note_ignored(ignored, path / ANNOTATIONS, notes)
    _count_from_zero(annotated, path / ANNOTATIONS, notes)
    in_shown_frame(annotated, path / ANNOTATIONS, notes)
    rows: Rows = {"image": [str(image.relative_to(path)) for image in used]}
    rows["boxes"] = [image.objects for image in annotated]
    if sets:
        rows["split"] = [sets[image.stem] for image in used]
    return rows


def _note_unpaired(
    path: Path, images: Sequence[Path], sets: dict[str, str], *, notes: ReadNotes
) -> None:
    """Note images without annotations, annotations without images, and names that fit neither."""
    stems = {image.stem for image in images}
    files = {file.stem for file in (path / ANNOTATIONS).glob("*.xml")}
    parts: dict[str, set[str]] = {}
    for _, part, name in _listed(path):
        parts.setdefault(name, set()).add(part)
    wanted = stems & sets.keys() if sets else stems
    left_out, nobody = "they are left out", "they count as images that nobody has looked at"
    facts = [
        (wanted - files, f"images have no file in {ANNOTATIONS}", nobody),
        (files - stems, f"files of {ANNOTATIONS} have no image in {IMAGES}", left_out),
        (sets.keys() - stems, f"names in the lists of {SETS} have no image", left_out),
        (stems - wanted, f"images of {IMAGES} are in no list of {SETS}", left_out),
        (
            {n for n, own in parts.items() if len(own) > 1},
            "images are in several parts",
            "the last list counts",
        ),
    ]
    for names, what, then in facts:
        if names:
            given = f"{len(names)} {what}, first {min(names)}"
            notes.warnings.append(message(location(file=path), given, fix=then))


def _read(file: Path, faults: Faults) -> tuple[Size | None, list[dict[str, Any]], int]:
    """The size that a file states, its objects, and how many are left out as difficult."""
    try:
        root = ET.parse(file).getroot()
        things = root.findall("object")
        kept = [t for t in things if (t.findtext("difficult") or "").strip() not in ("1", "true")]
        objects = [_object(thing, 1 + things.index(thing)) for thing in kept]
        sides = [root.findtext(f"size/{side}") for side in ("height", "width")]
        high, wide = (int(float(side or 0)) for side in sides)
    except (ET.ParseError, ValueError, OverflowError) as error:
        if len(faults.messages) < SHOWN_FAULTS:
            faults.add(location(file=file), f"not a file of Pascal VOC ({error})", fix="mend it")
        return None, [], 0
    # Many programs write zeros where they don't know.
    return (high, wide) if high > 0 and wide > 0 else None, objects, len(things) - len(kept)


def _object(thing: ET.Element, number: int) -> dict[str, Any]:
    name = (thing.findtext("name") or "").strip()
    if not name:
        raise ValueError(f"object {number} has no name")
    texts = [thing.findtext(f"bndbox/{side}") for side in SIDES]
    if None in texts:
        raise ValueError(f"object {number} has no {SIDES[texts.index(None)]}")
    box = [float(text or "") for text in texts]
    if not all(map(math.isfinite, box)):
        raise ValueError(f"object {number} has the box {box}")
    return {"class": name, "box": box}


def _count_from_zero(images: Sequence[Annotated], file: Path, notes: ReadNotes) -> None:
    """Bring boxes that count pixels from 1 to pixels from 0, and say so."""
    things = [one for image in images for one in image.objects or []]
    if not things or hold_shares(images):
        return
    early = sum(min(one["box"][:2]) < 1 for one in things)
    where = location(file=file)
    if early:
        given = f"{early} of {len(things)} boxes begin before pixel 1, where Pascal VOC begins"
        fix = "so all are taken as counted from 0, without the last pixel, and read as they stand"
        notes.conversions.append(message(where, given, fix=fix))
        return
    for one in things:
        x1, y1, x2, y2 = one["box"]
        one["box"] = [x1 - 1, y1 - 1, x2, y2]
    given = f"{len(things)} boxes count pixels from 1, with the last one, as Pascal VOC does"
    fix = "they are read from xmin - 1 and ymin - 1; to keep them, write a column of boxes as JSON"
    notes.conversions.append(message(where, given, fix=fix))
