"""Column files: a word on each line, its labels beside it, a blank line between sentences."""

import gzip
from pathlib import Path

import pytest

from superpose.data import read_table, write_table
from superpose.errors import DataError

UNIVERSAL = (
    "# sent_id = 1\n"
    "1-2\tdel\t_\t_\t_\t_\t_\t_\t_\t_\n"
    "1\tde\tde\tADP\tIN\t_\t3\tcase\t_\t_\n"
    "2\tel\tel\tDET\tDT\tNumber=Sing\t3\tdet\t_\t_\n"
    "2.1\tx\tx\tX\t_\t_\t_\t_\t_\t_\n"
    "\n"
    "1\t_\t_\tSYM\t_\t_\t0\troot\t_\t_\n"
)


def put(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_two_columns_are_words_and_tags(tmp_path: Path) -> None:
    path = put(tmp_path, "a.conll", "New\tB-LOC\nYork\tI-LOC\n\n#\tO\n")
    assert read_table(path).to_pydict() == {
        "words": [["New", "York"], ["#"]],
        "tags": [["B-LOC", "I-LOC"], ["O"]],
    }


def test_columns_between_are_numbered_and_blanks_divide_where_no_tab_does(tmp_path: Path) -> None:
    text = "-DOCSTART- -X- O O\n\nEU NNP B-NP B-ORG\nrejects VBZ  B-VP O\n\n\n\n. . O O\n\n"
    table = read_table(put(tmp_path, "a.iob", text))
    assert table.column_names == ["words", "column_2", "column_3", "tags"]
    assert table["words"].to_pylist() == [["EU", "rejects"], ["."]]
    assert table["column_3"].to_pylist() == [["B-NP", "B-VP"], ["O"]]


def test_columns_of_conllu_have_their_names_and_gaps(tmp_path: Path) -> None:
    table = read_table(put(tmp_path, "a.conllu", UNIVERSAL))
    assert table.to_pydict() == {
        "words": [["de", "el"], ["_"]],
        "lemma": [["de", "el"], ["_"]],
        "upos": [["ADP", "DET"], ["SYM"]],
        "xpos": [["IN", "DT"], [None]],
        "feats": [[None, "Number=Sing"], [None]],
        "deprel": [["case", "det"], ["root"]],
    }


def test_packed_files_and_windows_lines_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.bio.gz"
    path.write_bytes(gzip.compress("﻿a\tO\r\n\r\nb\tO\r\n".encode()))
    assert read_table(path)["words"].to_pylist() == [["a"], ["b"]]


def test_lines_of_another_length_are_named(tmp_path: Path) -> None:
    path = put(tmp_path, "a.conll", "a\tO\nb\n\nc\tO\nd\nd\nd\n")
    with pytest.raises(DataError) as caught:
        read_table(path)
    assert str(caught.value) == (
        f"{path}:2: the first word has 2 columns, line 2 has 1, line 5 has 1, line 6 has 1; so it "
        "goes on in 1 more; allowed: as many columns for every word, and a blank line between "
        "sentences; look for a missing label, or a blank inside of one"
    )


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("a.conll", "a\nb\n", ": 1 column on each line; allowed: a word and at least one label"),
        ("a.conll", "\n\n", ": 0 columns on each line; allowed: a word and at least one label"),
        ("a.conllu", "1\ta\n", ": 2 columns on each line; allowed: the ten columns of CoNLL-U"),
    ],
)
def test_a_file_without_labels_is_refused(
    tmp_path: Path, name: str, text: str, expected: str
) -> None:
    path = put(tmp_path, name, text)
    with pytest.raises(DataError) as caught:
        read_table(path)
    assert str(caught.value) == f"{path}{expected}"


def test_other_encodings_are_named(tmp_path: Path) -> None:
    path = tmp_path / "a.conll"
    path.write_bytes(b"a\tO\n\xff\tO\n")
    with pytest.raises(DataError, match=r"a.conll:2: byte 4 \(0xff\) is not UTF-8"):
        read_table(path)


def test_predictions_are_not_written_as_columns(tmp_path: Path) -> None:
    table = read_table(put(tmp_path, "a.conll", "a\tO\n"))
    with pytest.raises(DataError, match=r"unknown format \(.conll\); allowed: .csv, .tsv"):
        write_table(table, tmp_path / "b.conll")
