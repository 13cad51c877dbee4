"""Tables in: formats, frames, and one clear error for each way a file can be wrong."""

import gzip
from datetime import time
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest

from superpose.data.read._reading import read_table
from superpose.data.read._table_metadata import folder_of, levels_of
from superpose.errors import DataError


def put(folder: Path, name: str, content: str | bytes) -> Path:
    """Writes a file."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


FORMATS = (
    ".csv, .tsv, .jsonl, .ndjson, .conll, .conllu, .iob, .bio, .parquet, .pq, .feather, .arrow; "
    ".csv, .tsv, .jsonl, .ndjson, .conll, .conllu, .iob, .bio also with .gz"
)
EVEN = (
    "allowed: as many values in every row as the header has names; "
    "look for a missing separator, or put quotes around values that contain one"
)


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("e.csv", "", ": the file is empty; fill it or name another"),
        ("h.csv", "x,y\n", ": no rows, only the columns x, y; give at least one row"),
        ("b.csv", "\n\n", ": the file holds blank lines only; write a header"),
        ("d.csv", "x,a,x,x\n1,2,3,4\n",
            ": column 'x': 3 columns have this name (columns 1, 3, 4); rename or drop all but one"),
        ("n.csv", "4,5,4\n1,2,3\n", ": column '4': 2 columns have this name (columns 1, 3); "
            "the first line seems to be data; write a header above it"),
        ("r.csv", "x,y\n1,2\n3\n", f":3: the header has 2 columns, line 3 has 1; {EVEN}"),
        ("q.csv", 'x,y\n"a\nb",2\n3,4,5\n',
            f":4: the header has 2 columns, line 4 has 3; {EVEN}"),
        ("m.csv", "x,y\n1\n2\n3\n4\n5\n", ":2: the header has 2 columns, line 2 has 1, "
            f"line 3 has 1, line 4 has 1; so it goes on in 2 more; {EVEN}"),
        ("r.tsv", "x\ty\n1\t2\t3\n", f":2: the header has 2 columns, line 2 has 3; {EVEN}"),
        ("r.csv.gz", gzip.compress(b"x,y\n1\n", mtime=0),
            f":2: the header has 2 columns, line 2 has 1; {EVEN}"),
        ("l.csv", "x,y\n1,José\n".encode("latin-1"),
            ":2: byte 9 (0xe9) is not UTF-8 but seems to be cp1252; allowed: UTF-8; "
            'convert it with: iconv -f cp1252 -t utf-8 "l.csv" > "l-utf8.csv"'),
        ("lh.csv", "näme,y\n1,2\n".encode("latin-1"),
            ":1: byte 1 (0xe4) is not UTF-8 but seems to be cp1252; allowed: UTF-8; "
            'convert it with: iconv -f cp1252 -t utf-8 "lh.csv" > "lh-utf8.csv"'),
        ("g.csv", "城市,值\n北京,3\n".encode("gb18030"),
            ":1: byte 0 (0xb3) is not UTF-8 but seems to be gb18030; allowed: UTF-8; "
            'convert it with: iconv -f gb18030 -t utf-8 "g.csv" > "g-utf8.csv"'),
        ("u.csv", "x,y\n1,2\n".encode("utf-16"),
            ":1: byte 0 (0xff) is not UTF-8 but seems to be utf-16; allowed: UTF-8; "
            'convert it with: iconv -f utf-16 -t utf-8 "u.csv" > "u-utf8.csv"'),
        ("bin.csv", bytes(range(256)), ":2: byte 128 (0x80) is not UTF-8 and seems to be no text "
            "at all; allowed: UTF-8; name a CSV, TSV or JSONL file"),
        ("l.csv.gz", gzip.compress(b"x\n\xe9\n", mtime=0),
            ":2: byte 2 (0xe9) is not UTF-8 but seems to be cp1252; allowed: UTF-8; "
            "unpack the file and save it as UTF-8"),
        ("l.jsonl", b'{"a":"x"}\n{"a":"\xe9t"}\n',
            ":2: byte 16 (0xe9) is not UTF-8 but seems to be cp1252; allowed: UTF-8; "
            'convert it with: iconv -f cp1252 -t utf-8 "l.jsonl" > "l-utf8.jsonl"'),
        ("z.csv.gz", "no gzip", ": can't be read (Not a gzipped file (b'no'))"),
        ("j.jsonl", '{"a":1}\n{"a":\n',
            ":2: not valid JSON (Expecting value); allowed: one JSON object per line"),
        ("k.jsonl", '{"a":1}\n\n[1]\n', ":3: a list given; allowed: one JSON object per line"),
        ("x.xlsx", "?", f": unknown format (.xlsx); allowed: {FORMATS}; save the sheet as CSV"),
        ("x", "?", f": unknown format (no ending); allowed: {FORMATS}"),
        ("x.parquet.gz", "?", f": unknown format (.parquet.gz); allowed: {FORMATS}"),
    ],
)  # fmt: skip
def test_a_wrong_file_has_one_clear_error(
    tmp_path: Path, name: str, content: str | bytes, expected: str
) -> None:
    path = put(tmp_path, name, content)
    with pytest.raises(DataError) as caught:
        read_table(path)
    assert str(caught.value) == f"{path}{expected}"


@pytest.mark.parametrize("name", ["x.parquet", "x.feather"])
def test_a_damaged_binary_file_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match=rf"not a readable \.{name[2:]} file \(.*write it anew"):
        read_table(put(tmp_path, name, "not that"))


def test_a_byte_far_into_a_file_is_found_with_its_line(tmp_path: Path) -> None:
    path = put(tmp_path, "late.csv", b"x,y\n" + b"1,abc\n" * 400_000 + b"2,\xff\n")
    with pytest.raises(DataError, match=r"late.csv:400002: byte 2400006 \(0xff\)"):
        read_table(path)


def test_a_character_cut_between_two_pieces_is_no_fault(tmp_path: Path) -> None:
    # 1 MiB is the size of a piece; the two bytes of the letter lie on both sides of its end.
    start = b'{"a": "' + b"x" * (2**20 - 8)
    path = put(tmp_path, "cut.jsonl", start + 'é"}\n'.encode())
    assert read_table(path).num_rows == 1


def test_a_missing_file_is_named_with_its_neighbour(tmp_path: Path) -> None:
    put(tmp_path, "station.csv", "x\n1\n")
    with pytest.raises(DataError, match=r"sttion.csv: no such file; did you mean 'station.csv'\?"):
        read_table(tmp_path / "sttion.csv")
    with pytest.raises(DataError, match=r"zz: no such file; look into "):
        read_table(str(tmp_path / "zz"))
    with pytest.raises(DataError, match=r"no such file; the folder .*none does not exist either"):
        read_table(tmp_path / "none" / "station.csv")
    with pytest.raises(DataError, match="a folder given, without a part for training; allowed: "):
        read_table(tmp_path)
    with pytest.raises(DataError, match=r"can't be read \(File name too long\)"):
        read_table(tmp_path / ("x" * 300))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (3, "data: int given; allowed: a path, or a frame of pandas, polars, Arrow or datasets"),
        (
            pd.Series([1]),
            "data: Series given; allowed: rows of a table; give one row as frame.iloc[[0]] or "
            "[row.to_dict()], one column as frame[['name']]",
        ),
        (pd.DataFrame({"a": []}), "the frame: no rows, only the columns a; give at least one row"),
        (pl.DataFrame(), "the frame: no columns; allowed: at least one input and one target"),
        (
            pd.DataFrame([[1, 2]], columns=["a", "a"]),
            "the frame: column 'a': 2 columns have this name (columns 1, 2); "
            "rename or drop all but one",
        ),
        (
            pa.table([[1], [2]], names=["a", "a "]),
            "the frame: column 'a': 2 columns have this name (columns 1, 2); "
            "rename or drop all but one",
        ),
    ],
)  # fmt: skip
def test_a_wrong_frame_has_one_clear_error(source: Any, expected: str) -> None:
    with pytest.raises(DataError) as caught:
        read_table(source)
    assert str(caught.value) == expected


def test_arrow_tables_with_equal_names_are_refused() -> None:
    with pytest.raises(DataError, match="column 'a'"):
        read_table(pa.table([[1], [2]], names=["a", "a"]))


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.csv", "\ufeffx, y\n1,?\n2,b\n", {"x": [1, 2], "y": ["?", "b"]}),
        ("semicolon.csv", "x;y\n1,5;2\n2,5;3\n", {"x": [1.5, 2.5], "y": [2, 3]}),
        ("point.csv", "x;y\n1.5;2,5\n", {"x": [1.5], "y": [2.5]}),
        ("bar.csv", 'x|"a,b,c"\n1|2\n', {"x": [1], "a,b,c": [2]}),
        ("a.tsv", "x\ty\n1\ta,b\n", {"x": [1], "y": ["a,b"]}),
        ("index.csv", ",a\n0,5\n", {"column_1": [0], "a": [5]}),
        ("lines.csv", 'x,y\n"a\nb",1\n', {"x": ["a\nb"], "y": [1]}),
        ("gaps.csv", "x,y\n,NA\n1,b\n", {"x": [None, 1], "y": ["NA", "b"]}),
        ("a.csv.gz", gzip.compress(b"x,y\n1,b\n", mtime=0), {"x": [1], "y": ["b"]}),
        ("a.jsonl", '{"x":1,"y":["b"]}\n{"x":2}\n', {"x": [1, 2], "y": [["b"], None]}),
        ("mixed.ndjson", '{"x":1}\n{"x":"b"}\n{"x":null}', {"x": ["1", "b", None]}),
        ("long.jsonl", '{"x":18446744073709551615}\n{"x":5}\n',
            {"x": ["18446744073709551615", "5"]}),
        ("huge.jsonl", '{"x":1e300}\n{"x":5}\n', {"x": [1e300, 5.0]}),
        ("a.jsonl.gz", gzip.compress(b'{"x":1}\n', mtime=0), {"x": [1]}),
    ],
)  # fmt: skip
def test_text_files_are_read(
    tmp_path: Path, name: str, content: str | bytes, expected: dict
) -> None:
    assert read_table(put(tmp_path, name, content)).to_pydict() == expected


@pytest.mark.parametrize("name", ["a.parquet", "a.pq", "a.feather", "a.arrow"])
def test_binary_files_are_read(tmp_path: Path, name: str) -> None:
    table = pa.table({"x": [1.5, None], "y": ["a", None]})
    if name.endswith(("pq", "parquet")):
        pyarrow.parquet.write_table(table, tmp_path / name)
    else:
        pyarrow.feather.write_feather(table, str(tmp_path / name))
    assert read_table(tmp_path / name).to_pydict() == table.to_pydict()


def test_the_folder_of_a_file_travels_with_the_table(tmp_path: Path) -> None:
    table = read_table(put(tmp_path, "a.csv", "x,y\n1,2\n3,4\n"))
    assert folder_of(table) == tmp_path.resolve()
    assert folder_of(table.select(["y"]).take([1])) == tmp_path.resolve()
    assert folder_of(read_table(table)) == tmp_path.resolve()
    assert folder_of(read_table(pa.table({"x": [1]}))) is None


def test_pandas_frames_become_plain_columns() -> None:
    frame = pd.DataFrame(
        {
            "number": [1.0, float("nan")],
            "mixed": [1, "x"],
            "level": pd.Categorical(["hi", "lo"], ["lo", "hi"], ordered=True),
            "name": pd.Categorical(["u", None]),
            "wait": pd.to_timedelta([1.5, None], unit="s"),
            5: [True, False],
        },
        index=[7, 9],
    )
    table = read_table(frame)
    assert table.to_pydict() == {
        "number": [1.0, None],
        "mixed": ["1", "x"],
        "level": ["hi", "lo"],
        "name": ["u", None],
        "wait": [1.5, None],
        "5": [True, False],
    }
    assert levels_of(table, "level") == ["lo", "hi"]
    assert levels_of(read_table(table), "level") == ["lo", "hi"]
    assert levels_of(table, "name") is None


def test_polars_frames_become_plain_columns() -> None:
    frame = pl.DataFrame(
        {
            "number": [1.0, float("nan")],
            "level": pl.Series(["hi", "lo"], dtype=pl.Enum(["lo", "hi"])),
            "name": pl.Series(["u", None], dtype=pl.Categorical),
            "tags": [["a"], []],
        }
    )
    table = read_table(frame)
    assert table.to_pydict() == {
        "number": [1.0, None],
        "level": ["hi", "lo"],
        "name": ["u", None],
        "tags": [["a"], []],
    }
    assert table.schema.field("name").type == pa.string()
    assert levels_of(table, "level") == ["lo", "hi"]
    assert read_table(frame.lazy()).equals(table)


def test_arrow_types_become_plain() -> None:
    table = pa.table(
        {
            "half": pa.array([1.5, None], pa.float32()),
            "large": pa.array(["a", "b"], pa.large_string()),
            "view": pa.array(["a", "b"], pa.string_view()),
            "money": pa.array([1, 2]).cast(pa.decimal128(21, 2)),
            "clock": pa.array([60, None], pa.time32("s")),
        }
    )
    plain = read_table(table)
    kinds = [pa.float64(), pa.string(), pa.string(), pa.float64(), pa.time64("us")]
    assert plain.schema.types == kinds
    assert plain.column("clock").to_pylist() == [time(0, 1), None]
    assert read_table(table.to_batches()[0]).equals(plain)


def test_what_only_pandas_knows_becomes_numbers_or_text() -> None:
    frame = pd.DataFrame(
        {
            "bin": pd.cut([0.5, 1.5], [0, 1, 2]),
            "day": pd.period_range("2020-01-01", periods=2, freq="D"),
            "complex": [1j, 2j],
            "huge": [10**30, 1],
            "sparse": pd.arrays.SparseArray([0.0, 1.5]),
        }
    )
    assert read_table(frame).to_pydict() == {
        "bin": ["(0, 1]", "(1, 2]"],
        "day": ["2020-01-01", "2020-01-02"],
        "complex": ["1j", "2j"],
        "huge": ["1" + "0" * 30, "1"],
        "sparse": [0.0, 1.5],
    }


def test_a_column_without_a_name_gets_one_by_its_position() -> None:
    assert read_table(pd.DataFrame({"x": [1], " ": [2]})).column_names == ["x", "column_2"]


def test_extension_types_are_read_as_what_they_are_stored_in() -> None:
    table = pa.table({"id": pa.array([b"0123456789abcdef"], pa.uuid())})
    assert read_table(table).schema.field("id").type == pa.binary(16)


def test_a_frame_that_arrow_has_no_type_for_is_refused() -> None:
    frame = pl.DataFrame({"x": pl.Series([1], dtype=pl.Int128)})
    with pytest.raises(DataError, match=r"a column has no Arrow type \(.*cast or drop it"):
        read_table(frame)


def test_a_quote_that_is_never_closed_is_named_with_its_line(tmp_path: Path) -> None:
    path = put(tmp_path, "q.csv", 'x,y\n1,2\n3,"4\n5,6\n7,8\n')
    with pytest.raises(DataError, match=r"q\.csv:3: a quote is opened and never closed"):
        read_table(path)
    several = put(tmp_path, "s.csv", 'x,y\n1,2\n3,"4\n5"\n')
    assert read_table(several).column("y").to_pylist() == ["2", "4\n5"]
