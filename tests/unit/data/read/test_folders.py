"""Folders whose files are the parts of one table."""

from pathlib import Path

import pytest

from superpose.config import Config
from superpose.data import divided, folder_of, read_table, write_starter
from superpose.errors import DataError

AIRPORT = {"seq.in": "to new york\nfares", "seq.out": "O B-to I-to\nO", "label": "flight\nfare"}


def aligned(folder: Path, **changes: str) -> Path:
    """A folder of three files whose lines belong together."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in {**AIRPORT, **{k.replace("_", "."): v for k, v in changes.items()}}.items():
        (folder / name).write_text(text + "\n", encoding="utf-8")
    return folder


def put(folder: Path, name: str, text: str) -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def test_aligned_files_are_words_slots_and_intent(tmp_path: Path) -> None:
    table = read_table(aligned(tmp_path / "atis"))
    assert table.to_pydict() == {
        "words": [["to", "new", "york"], ["fares"]],
        "slots": [["O", "B-to", "I-to"], ["O"]],
        "intent": ["flight", "fare"],
    }
    assert folder_of(table) == (tmp_path / "atis").resolve()


def test_empty_lines_are_missing_labels(tmp_path: Path) -> None:
    table = read_table(aligned(tmp_path, seq_out="\nO", label="\nfare"))
    assert table["slots"].to_pylist() == [None, ["O"]]
    assert table["intent"].to_pylist() == [None, "fare"]


def test_labels_may_be_left_out(tmp_path: Path) -> None:
    aligned(tmp_path)
    (tmp_path / "label").unlink()
    (tmp_path / "seq.out").unlink()
    assert read_table(tmp_path).column_names == ["words"]


def test_parts_become_one_table_with_their_names(tmp_path: Path) -> None:
    for name in ("train", "valid", "test"):
        aligned(tmp_path / name)
    put(tmp_path, "README.md", "not a part")
    table = read_table(tmp_path)
    assert table.column_names == ["words", "slots", "intent", "split"]
    assert table["split"].to_pylist() == [
        part for part in ("train", "validation", "test") for _ in range(2)
    ]


def test_files_are_parts_by_a_word_in_their_names(tmp_path: Path) -> None:
    put(tmp_path, "weibo.train", "a\tO\n")
    put(tmp_path, "weibo.dev", "b\tO\n")
    put(tmp_path, "contest.txt", "no part: the word is not test")
    assert read_table(tmp_path).to_pydict() == {
        "words": [["a"], ["b"]],
        "tags": [["O"], ["O"]],
        "split": ["train", "validation"],
    }


def test_parts_of_any_format_are_read_and_their_types_agree(tmp_path: Path) -> None:
    put(tmp_path, "my-train.csv", "x,y\n1,a\n")
    put(tmp_path, "my-test.csv", "x,y\n1.5,b\n")
    assert read_table(tmp_path)["x"].to_pylist() == [1.0, 1.5]


def test_two_files_for_one_part_are_refused(tmp_path: Path) -> None:
    put(tmp_path, "train.csv", "x\n1\n")
    put(tmp_path, "train-old.csv", "x\n1\n")
    with pytest.raises(DataError, match=r"both train-old.csv and train.csv are named as train; "):
        read_table(tmp_path)


def test_columns_that_differ_are_named_with_their_part(tmp_path: Path) -> None:
    put(tmp_path, "train.csv", "x,y\n1,2\n")
    put(tmp_path, "test.csv", "x,z\n1,2\n")
    with pytest.raises(DataError, match=r"test.csv: its columns are x, z; allowed: x, y, as of"):
        read_table(tmp_path)


def test_a_column_named_split_is_in_the_way(tmp_path: Path) -> None:
    put(tmp_path, "train.csv", "x,split\n1,2\n")
    with pytest.raises(DataError, match=r"the column 'split' stands in it already; rename it"):
        read_table(tmp_path)


def test_a_folder_without_training_rows_is_refused(tmp_path: Path) -> None:
    put(tmp_path, "test.csv", "x\n1\n")
    with pytest.raises(DataError, match=r"a folder given, without a part for training; allowed: "):
        read_table(tmp_path)


def test_files_of_different_lengths_are_named(tmp_path: Path) -> None:
    aligned(tmp_path, label="flight")
    with pytest.raises(DataError) as caught:
        read_table(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}: seq.in has 2 lines, seq.out has 2 lines, label has 1 lines; allowed: as many "
        "lines in each file; line by line the files are one table; look for a line that is missing"
    )


def test_lines_with_too_few_labels_are_named_with_file_and_line(tmp_path: Path) -> None:
    many = "\n".join(["a b"] * 5)
    aligned(tmp_path, seq_in=many, seq_out="O O\n" + "\n".join(["O"] * 4), label="\n".join("abcde"))
    with pytest.raises(DataError) as caught:
        read_table(tmp_path)
    where = tmp_path / "seq.out"
    requested = "allowed: one label for each word, or an empty line"
    assert list(caught.value.faults) == [
        *(f"{where}:{n}: 1 labels for the 2 words of seq.in; {requested}" for n in (2, 3, 4)),
        f"{where}: so it goes on in 1 more lines",
    ]


def test_a_folder_is_taken_as_it_is_divided_unless_the_settings_say_how(tmp_path: Path) -> None:
    put(tmp_path, "train.csv", "x,y\n1,2\n")
    plain = Config.from_arguments(targets="y")
    result = divided(plain, tmp_path)
    assert (result.split.by, result.split.column) == ("column", "split")
    requested = Config.from_arguments(targets="y", split="random")
    assert divided(requested, tmp_path) is requested
    assert divided(plain, tmp_path / "train.csv") is plain
    assert divided(plain, None) is plain


def test_a_starter_of_a_folder_names_its_parts_and_the_words_of_labels(tmp_path: Path) -> None:
    for name in ("train", "test"):
        aligned(tmp_path / "atis" / name)
    table = read_table(tmp_path / "atis")
    write_starter(table, tmp_path / "atis", targets=["intent", "slots"], path=tmp_path / "s.yaml")
    text = (tmp_path / "s.yaml").read_text(encoding="utf-8")
    assert "  by: column\n  column: split\n" in text
    assert "  - {name: slots, kind: tokens, of: words}" in text
