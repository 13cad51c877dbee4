"""CSV files as people have them: comments, headers, separators, decimal commas."""

from pathlib import Path

import pytest

from superpose.columns._conversions import conversions_of
from superpose.data.read._reading import read_table
from superpose.errors import DataError


def put(folder: Path, text: str, name: str = "t.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_comments_above_the_header_are_passed_over_and_noted(tmp_path: Path) -> None:
    path = put(tmp_path, "# station 7\n# exported, twice\nx,y\n1,2\n3,4\n")
    table = read_table(path)
    assert table.to_pydict() == {"x": [1, 3], "y": [2, 4]}
    assert conversions_of(table) == [
        f"{path}: 2 line(s) above the header that start with # are read as comments; to read them, "
        "remove the #"
    ]


@pytest.mark.parametrize("above", ["# made by hand\n\n", "  # by\n", "#\n#\n"])
def test_blank_lines_and_blanks_may_stand_among_comments(tmp_path: Path, above: str) -> None:
    assert read_table(put(tmp_path, above + "a;b;c\n1;2;3\n")).column_names == ["a", "b", "c"]


def test_the_separator_that_a_spreadsheet_names_is_taken(tmp_path: Path) -> None:
    table = read_table(put(tmp_path, "sep=;\na,1;b\n3;4\n"))
    assert table.to_pydict() == {"a,1": [3], "b": [4]}
    assert not conversions_of(table)


def test_a_file_of_one_line_has_no_rows(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no rows, only the columns a, b, y"):
        read_table(put(tmp_path, "a,b,y"))


def test_where_commas_are_decimal_signs_points_are_thousands(tmp_path: Path) -> None:
    table = read_table(put(tmp_path, "umsatz;y\n5.125;4,96\n812;3,1\n"))
    assert table.to_pydict() == {"umsatz": [5125, 812], "y": [4.96, 3.1]}
    assert "2 cells read with points between thousands" in conversions_of(table)[0]


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


def test_decimal_commas_are_read_and_noted(tmp_path: Path) -> None:
    table = read_table(put(tmp_path, "x;code\n1,5;a,b\n2;c\n"))
    assert table.to_pydict() == {"x": [1.5, 2.0], "code": ["a,b", "c"]}
    assert conversions_of(table) == ["column 'x': 2 cells read with a decimal comma"]


def test_a_very_long_header_is_read(tmp_path: Path) -> None:
    names = [f"column_{k:06d}" for k in range(20_000)]
    table = read_table(put(tmp_path, ",".join(names) + "\n" + ",".join(["1"] * 20_000) + "\n"))
    assert table.num_columns == 20_000
