"""CSV files as people have them: comments, headers, separators, decimal commas."""

from pathlib import Path

import pytest

from superpose.data._conversions import conversions_of
from superpose.data._reading import read_table
from superpose.errors import DataError


def put(folder: Path, text: str, name: str = "t.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_comments_above_the_header_are_passed_over_and_said(tmp_path: Path) -> None:
    path = put(tmp_path, "# station 7\n# exported, twice\nx,y\n1,2\n3,4\n")
    table = read_table(path)
    assert table.to_pydict() == {"x": [1, 3], "y": [2, 4]}
    assert conversions_of(table) == [
        f"{path}: 2 line(s) above the header that start with # are read as comments; to read them, "
        "remove the #"
    ]


def test_a_header_may_start_with_a_hash(tmp_path: Path) -> None:
    table = read_table(put(tmp_path, "#chrom,pos\na,2\nb,4\n"))
    assert table.column_names == ["#chrom", "pos"]
    assert not conversions_of(table)


def test_a_comment_below_the_header_is_named_with_its_line(tmp_path: Path) -> None:
    path = put(tmp_path, "# a comment\nx,y\n1,2\n# another\n3,4\n")
    with pytest.raises(DataError, match=r"t.csv:4: .*remove the comments that start with #"):
        read_table(path)


@pytest.mark.parametrize(
    "text",
    [
        "5.1,3.5,setosa\n4.9,3.0,setosa\n7.0,3.2,virginica\n",
        "63,145\n37,130\n41,120\n",
        "39, Private, 0\n50, Private, 7\n1, Self, 0\n",
    ],
)
def test_a_first_line_of_data_is_no_header(tmp_path: Path, text: str) -> None:
    path = put(tmp_path, text)
    with pytest.raises(DataError, match="the first line seems to be data, not names") as caught:
        read_table(path)
    assert str(caught.value).startswith(f"{path}:1: ")


@pytest.mark.parametrize(
    "text",
    [
        "country,1990,1991\nSweden,3,4\nPeru,5,6\n",  # years beside a name
        "0,1,2\n5,6,7\n8,9,1\n",  # as frames without names are saved
        "1,2,label\n5,6,a\n8,9,b\n",
        "2020,2021\nx,y\nz,w\n",
        "7\n8\n9\n",
    ],
)
def test_other_headers_with_numbers_are_headers(tmp_path: Path, text: str) -> None:
    assert read_table(put(tmp_path, text)).column_names == text.split("\n")[0].split(",")


def test_decimal_commas_are_read_and_said(tmp_path: Path) -> None:
    table = read_table(put(tmp_path, "x;code\n1,5;a,b\n2;c\n"))
    assert table.to_pydict() == {"x": [1.5, 2.0], "code": ["a,b", "c"]}
    assert conversions_of(table) == ["column 'x': 2 cells read with a decimal comma"]


def test_a_very_long_header_is_read(tmp_path: Path) -> None:
    names = [f"column_{k:06d}" for k in range(20_000)]
    table = read_table(put(tmp_path, ",".join(names) + "\n" + ",".join(["1"] * 20_000) + "\n"))
    assert table.num_columns == 20_000
