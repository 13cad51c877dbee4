"""Only regular files of a known size are opened: a pipe, a socket or a device may never end."""

import json
import os
import re
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from superpose.columns._files import read_text, read_whole, require_file, require_regular
from superpose.config import load_config
from superpose.data import read_table
from superpose.errors import ConfigError, DataError
from superpose.kinds._checkpoint import read_json
from superpose.kinds.items._entity import read_triples
from superpose.kinds.text._synonyms import read_synonyms

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")


def pipe(path: Path) -> Path:
    os.mkfifo(path)
    return path


def test_what_is_no_regular_file_is_named_without_opening_it(tmp_path: Path) -> None:
    here = os.getcwd()
    os.chdir(tmp_path)  # the name of a socket may have a hundred bytes
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("plug.csv")
        os.chdir(here)
        for path, word in (
            (pipe(tmp_path / "pipe.csv"), "a pipe"),
            (tmp_path / "plug.csv", "a socket"),
            (Path("/dev/null"), "a device"),
            (tmp_path, "a folder"),
        ):
            with pytest.raises(OSError, match=f"^{word} given, not a regular file$"):
                require_regular(path)
            if word != "a folder":
                wanted = f"{word} given; allowed: a regular file; write its content into a file"
                with pytest.raises(DataError, match=re.escape(wanted)):
                    require_file(path)


def test_a_link_to_a_pipe_is_a_pipe_and_one_to_a_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "link.csv").symlink_to(pipe(tmp_path / "pipe"))
    with pytest.raises(DataError, match="a pipe given"):
        read_table(tmp_path / "link.csv")
    (tmp_path / "a.csv").write_text("x,y\n1,2\n")
    (tmp_path / "b.csv").symlink_to(tmp_path / "a.csv")
    assert read_table(tmp_path / "b.csv").to_pydict() == {"x": [1], "y": [2]}


@pytest.mark.parametrize("ending", ["csv", "csv.gz", "tsv", "jsonl", "parquet", "feather", "json"])
def test_a_pipe_is_no_table(tmp_path: Path, ending: str) -> None:
    with pytest.raises(DataError, match="a pipe given"):
        read_table(pipe(tmp_path / f"train.{ending}"))


@pytest.mark.parametrize("name", ["train.csv", "train.json"])
def test_a_pipe_in_a_folder_is_no_table(tmp_path: Path, name: str) -> None:
    pipe(tmp_path / name)
    with pytest.raises(DataError, match="a pipe given"):
        read_table(tmp_path)


@pytest.mark.parametrize(
    ("read", "error"),
    [
        (load_config, ConfigError),
        (lambda path: read_text(path, DataError), DataError),
        (lambda path: read_synonyms(path, "text"), DataError),
        (lambda path: read_triples(path, "thing"), DataError),
        (lambda path: read_json("text", path), DataError),
    ],
)
def test_a_pipe_holds_no_settings_and_nothing_that_they_name(
    tmp_path: Path, read: Callable[[Path], object], error: type[Exception]
) -> None:
    with pytest.raises(error, match="a pipe given"):
        read(pipe(tmp_path / "pipe.yaml"))
    with pytest.raises(error, match="folder"):
        read(tmp_path)


def test_a_pipe_is_no_image_no_map_and_no_sound(tmp_path: Path) -> None:
    pytest.importorskip("PIL")
    pytest.importorskip("soundfile")
    from superpose.columns._number_maps import numbers_of
    from superpose.columns._pictures import class_ids, picture, read_all, size_of
    from superpose.kinds import INPUT_KINDS, TARGET_KINDS

    names = [pipe(tmp_path / name).name for name in ("a.png", "a.npy", "a.wav")]
    for read in (class_ids, numbers_of, size_of, lambda path: picture(path, (8, 8))):
        result, wrong = read_all(names[:2], str(tmp_path), read)
        assert not result
        assert set(wrong.values()) == {"a pipe given, not a regular file"}
    for family in (INPUT_KINDS["image"], INPUT_KINDS["audio"], TARGET_KINDS["mask"]):
        name = names[2] if family.name == "audio" else names[0]
        column = pa.chunked_array([[name] * 4])

        def read(family: Any = family, column: pa.ChunkedArray = column) -> None:
            kind = family.fit("a", column, folder=str(tmp_path))
            kind.encode(column, folder=str(tmp_path))  # images are read then

        with pytest.raises(DataError, match="a pipe given, not a regular file"):
            read()


def test_a_file_is_measured_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("12345")
    assert read_whole(path, most=5) == b"12345"
    with pytest.raises(OSError, match=r"^5 bytes, more than the 4 that are read$"):
        read_whole(path, most=4)
    with pytest.raises(ConfigError, match=r"a\.json: 5 bytes given; allowed: at most 4$"):
        read_text(path, ConfigError, most=4)
    os.truncate(path, 1 << 40)  # holds nothing, and would fill the memory
    with pytest.raises(DataError, match="1,099,511,627,776 bytes"):
        read_table(path)


def test_brackets_nested_without_end_are_no_annotations_and_no_checkpoint(tmp_path: Path) -> None:
    deep = "[" * 100_000
    (tmp_path / "train.json").write_text('{"images": ' + deep)
    with pytest.raises(DataError, match="unknown format"):
        read_table(tmp_path / "train.json")
    (tmp_path / "config.json").write_text(deep)
    with pytest.raises(DataError, match="not JSON"):
        read_json("text", tmp_path / "config.json")
    boxes = {"image": ["a.png"], "boxes": [deep]}
    from superpose.columns._box_lists import read_objects

    with pytest.raises(DataError, match="is no list of objects"):
        read_objects("boxes", pa.chunked_array([boxes["boxes"]]))
    big = json.dumps([{"class": "a", "box": [0, 0, 1, 10**400]}])
    with pytest.raises(DataError, match="is no list of objects"):
        read_objects("boxes", pa.chunked_array([[big]]))


def test_a_map_of_numbers_that_would_fill_the_memory_is_named(tmp_path: Path) -> None:
    import numpy as np

    from superpose.columns._number_maps import numbers_of

    np.lib.format.open_memmap(tmp_path / "a.npy", "w+", np.uint8, (20_000, 20_000))
    with pytest.raises(ValueError, match="400,000,000 numbers, more than 100,000,000"):
        numbers_of(tmp_path / "a.npy")
