"""Reading a folder whose files are the parts of one table: train, validation and test."""

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from superpose.columns import conversions_of, read_text, with_conversions
from superpose.config import Config, SplitConfig
from superpose.data.split._parts import PART_WORDS, PARTS
from superpose.errors import DataError, Faults, listing, location, message

from ._hub import is_dataset, parts_of
from ._image_folders import is_divided, read_images

PART = "split"  # the column that tells the part of each row
# The files of a part as data sets of utterances are published: words, a label for each, a class.
ALIGNED = {"seq.in": "words", "seq.out": "slots", "label": "intent"}
_SHOWN_LINES = 3

Reader = Callable[[Path], pa.Table]


def read_folder(path: Path, reader_of: Callable[[Path], Reader | None]) -> pa.Table:
    """Reads a folder of parts as one table with the column ``split``, or a folder of aligned files.

    A part is a file or a folder in whose name the word train, validation (valid, val, dev) or test
    stands. A folder with the files seq.in, seq.out and label, whose lines belong together, has the
    columns ``words``, ``slots`` and ``intent``. Folders of images are read by `read_images`.

    Args:
        path: the folder.
        reader_of: tells what reads a file; None for files that are no tables.

    Raises:
        DataError: no part for training, two files for one part, columns that differ, or lines that
            do not belong together.
    """
    if (path / "seq.in").is_file():
        return _read_aligned(path)
    images = read_images(path)
    if images is not None:
        return images
    parts = find_parts(path, reader_of)
    if PARTS[0] not in parts:
        raise DataError(
            message(
                location(file=path),
                "a folder given, without a part for training",
                "a file, or a folder with a file for each of train, validation and test",
                fix="put the word train, validation or test into the names of the files",
            )
        )
    tables = {}
    for part, file in parts.items():
        reader = _read_aligned if file.is_dir() else reader_of(file)
        assert reader is not None
        tables[part] = reader(file)
    first = tables[PARTS[0]].column_names
    faults = Faults(DataError)
    for part, table in tables.items():
        if PART in table.column_names:
            given = f"the column {PART!r} stands in it already"
            faults.add(location(file=parts[part]), given, fix="rename it, or name one file")
        elif table.column_names != first:
            given = f"its columns are {listing(table.column_names)}"
            faults.add(
                location(file=parts[part]), given, f"{listing(first)}, as of the other parts"
            )
    faults.raise_any()
    divided = [
        table.append_column(PART, pa.array([part] * table.num_rows, pa.string()))
        for part, table in tables.items()
    ]
    conversions = [
        f"{parts[part].name}: {one}" for part in tables for one in conversions_of(tables[part])
    ]
    whole = pa.concat_tables(divided, promote_options="permissive")
    return with_conversions(whole.replace_schema_metadata(None), conversions)


def find_parts(path: Path, reader_of: Callable[[Path], Reader | None]) -> dict[str, Path]:
    """The file or folder of each part.

    Raises:
        DataError: two files for one part.
    """
    files: dict[str, Path] = {}
    faults = Faults(DataError)
    for entry in sorted(path.iterdir()):
        words = re.split(r"[^a-z]+", entry.name.lower())
        named = {PARTS[PART_WORDS[word]] for word in words if word in PART_WORDS}
        usable = (entry / "seq.in").is_file() if entry.is_dir() else reader_of(entry) is not None
        if len(named) != 1 or not usable:
            continue
        part = named.pop()
        if part in files:
            given = f"both {files[part].name} and {entry.name} are named as {part}"
            faults.add(location(file=path), given, fix="name one file, or move one of them away")
        files.setdefault(part, entry)
    faults.raise_any()
    return {part: files[part] for part in PARTS if part in files}


def as_divided(config: Config, data: Any, reader_of: Callable[[Path], Reader | None]) -> Config:
    """The settings for what is divided already: by its parts, unless they say how.

    Args:
        config: the settings.
        data: what the table is read from.
        reader_of: as of `read_folder`.
    """
    several = isinstance(data, Mapping) and not is_dataset(data)
    sources = data.values() if several else [data]
    if "by" in config.split.model_fields_set:
        return config
    if not all(_is_divided(one, reader_of) for one in sources):
        return config
    rule = {**config.split.model_dump(exclude_unset=True), "by": "column", "column": PART}
    return config.model_copy(update={"split": SplitConfig.model_validate(rule)})


def _is_divided(data: Any, reader_of: Callable[[Path], Reader | None]) -> bool:
    """Whether what is read from a source has a column with the part of each row."""
    if (parts := parts_of(data)) is not None:
        return len(parts) > 1
    if not isinstance(data, str | os.PathLike) or not os.path.isdir(data):
        return False
    return is_divided(Path(data)) or bool(find_parts(Path(data), reader_of))


def _read_aligned(path: Path) -> pa.Table:
    """Reads a folder of files whose lines belong together."""
    lines = {
        name: read_text(path / file, DataError).splitlines()
        for file, name in ALIGNED.items()
        if (path / file).is_file()
    }
    counts = {file: len(lines[name]) for file, name in ALIGNED.items() if name in lines}
    if len(set(counts.values())) > 1:
        given = ", ".join(f"{file} has {count} lines" for file, count in counts.items())
        fix = "line by line the files are one table; look for a line that is missing"
        raise DataError(message(location(file=path), given, "as many lines in each file", fix=fix))
    columns: dict[str, Any] = {"words": [line.split() for line in lines["words"]]}
    if "slots" in lines:
        columns["slots"] = [line.split() or None for line in lines["slots"]]
        _require_even(path / "seq.out", columns["words"], columns["slots"])
    if "intent" in lines:
        columns["intent"] = [line.strip() or None for line in lines["intent"]]
    types = {"intent": pa.string()}
    return pa.table(
        {n: pa.array(v, types.get(n, pa.list_(pa.string()))) for n, v in columns.items()}
    )


def _require_even(path: Path, words: list[list[str]], slots: list[list[str] | None]) -> None:
    """Makes sure that every line has a label for each word, or none at all."""
    uneven = [
        (number, len(labels), len(sentence))
        for number, (sentence, labels) in enumerate(zip(words, slots, strict=True), start=1)
        if labels is not None and len(labels) != len(sentence)
    ]
    if not uneven:
        return
    faults = Faults(DataError)
    for number, labels, many in uneven[:_SHOWN_LINES]:
        faults.add(
            location(file=path, line=number),
            f"{labels} labels for the {many} words of seq.in",
            "one label for each word, or an empty line",
        )
    n_more = len(uneven) - _SHOWN_LINES
    faults.add_rest(location(file=path), n_more, "so it goes on in {} more lines")
    faults.raise_any()
