"""Tables out: the caller's library, or a file that is whole or not there."""

import errno
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from superpose.data.read import _writing
from superpose.data.read._reading import read_table
from superpose.data.read._writing import like, write_table
from superpose.errors import DataError

RESULT = pa.table({"p": [1, 2], "q": ["a", None], "tags": [["a", "b"], ["c"]]})


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        (pd.DataFrame({"x": [1, 2]}), pd.DataFrame),
        (pl.DataFrame({"x": [1, 2]}), pl.DataFrame),
        (pl.LazyFrame({"x": [1, 2]}), pl.LazyFrame),
        (pa.table({"x": [1, 2]}), pa.Table),
        ("x.csv", pa.Table),
        (Path("x.csv"), pa.Table),
    ],
)
def test_results_come_back_in_the_library_of_the_caller(source: Any, kind: type) -> None:
    assert isinstance(like(source, RESULT), kind)


def test_results_for_pandas_keep_its_index() -> None:
    result = like(pd.DataFrame({"x": [1, 2]}, index=["u", "v"]), RESULT)
    assert list(result.index) == ["u", "v"]
    assert list(result["p"]) == [1, 2]


@pytest.mark.parametrize("ending", ["parquet", "feather", "jsonl", "ndjson.gz", "jsonl.gz"])
def test_a_written_table_reads_back(tmp_path: Path, ending: str) -> None:
    path = tmp_path / "new" / f"r.{ending}"
    write_table(RESULT, path)
    assert read_table(path).to_pydict() == RESULT.to_pydict()
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("ending", ["csv", "tsv", "csv.gz", "tsv.gz"])
def test_lists_become_text_in_csv(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"r.{ending}"
    write_table(RESULT, path)
    expected = {**RESULT.to_pydict(), "tags": ["a;b", "c"]}
    assert read_table(path).to_pydict() == expected


def test_dates_in_jsonl_are_iso_text(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    write_table(pa.table({"t": pa.array([0], pa.timestamp("s"))}), path)
    assert path.read_text() == '{"t": "1970-01-01T00:00:00"}\n'


def test_an_unknown_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"r.xlsx: unknown format \(.xlsx\)"):
        write_table(RESULT, tmp_path / "r.xlsx")


def test_a_full_disk_leaves_the_old_file_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "r.parquet"
    write_table(RESULT, path)

    def full(table: pa.Table, draft: Path) -> None:
        draft.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(_writing.pyarrow.parquet, "write_table", full)
    with pytest.raises(DataError) as caught:
        write_table(RESULT.slice(1), path)
    assert str(caught.value) == (
        f"{path}: can't be written (No space left on device); make room, or name another folder"
    )
    assert read_table(path).num_rows == 2
    assert [entry.name for entry in tmp_path.iterdir()] == ["r.parquet"]
