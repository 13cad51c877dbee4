"""The same cells are read alike, whichever file or frame they stand in, and the same is said."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

from superpose.config import Config
from superpose.data._codec import Codec
from superpose.data.read._jsonl import write_jsonl
from superpose.data.read._reading import read_rows, read_table
from superpose.data.schema._inference import infer_schema
from superpose.errors import DataError
from superpose.kinds import TARGET_KINDS

N = 60


def _csv(table: pa.Table, folder: Path) -> Path:
    path = folder / "t.csv"
    pa.csv.write_csv(table, path)
    return path


def _jsonl(table: pa.Table, folder: Path) -> Path:
    write_jsonl(table, folder / "t.jsonl", packed=False)
    return folder / "t.jsonl"


def _parquet(table: pa.Table, folder: Path) -> Path:
    pyarrow.parquet.write_table(table, folder / "t.parquet")
    return folder / "t.parquet"


READERS: dict[str, Callable[[pa.Table, Path], Any]] = {
    "csv": _csv,
    "jsonl": _jsonl,
    "parquet": _parquet,
    "arrow": lambda table, folder: table,
    "pandas": lambda table, folder: table.to_pandas(),
    "pandas-object": lambda table, folder: table.to_pandas().astype(object),
    "polars": lambda table, folder: pl.from_arrow(table),
    "categorical": lambda table, folder: table.to_pandas().astype("category"),
}

# The cells of a column, the kind as an input and as a target, what is said, and the first values.
CASES: dict[str, tuple[list[str], str, str, str, list]] = {
    "leading zeros": (["012", "12", "7"], "category", "category", "", ["012", "12", "7"]),
    "exponents as codes": (["1E5", "2E3", "9"], "category", "category", "", ["1E5", "2E3", "9"]),
    "long identifiers": (
        ["123456789012345678", "123456789012345679", "1"],
        *("category", "category", ""),
        ["123456789012345678", "123456789012345679", "1"],
    ),
    "percent": ([f"{i}.5%" for i in range(20)], "number", "number", "with %", [0.5, 1.5]),
    "currency": ([f"${i}.25" for i in range(20)], "number", "number", "with $", [0.25, 1.25]),
    "thousands": (
        [f"{i},500" for i in range(1, 21)],
        *("number", "number", "with thousands separators"),
        [1500, 2500],
    ),
    "decimal comma": (
        [f"{i},75" for i in range(20)],
        *("number", "number", "with a decimal comma"),
        [0.75, 1.75],
    ),
    "unit": ([f"{i}.5 kg" for i in range(20)], "number", "number", "with kg", [0.5, 1.5]),
    "limits": (
        ["<0.5", *(f"{i}.25" for i in range(19))],
        *("number", "number", "that are limits"),
        [0.5, 0.25],
    ),
    "words for missing": (
        ["a", "NA", "b", "c"],
        *("category", "category", "15 cells read as missing (15 'NA')"),
        ["a", None],
    ),
    "words among numbers": (
        ["1.5", "n.d.", *(f"{i}.25" for i in range(18))],
        *("number", "number", "3 cells read as missing (3 'n.d.')"),
        [1.5, None],
    ),
    "lists": (["['a', 'b']", "['b']", "[]"], "multicategory", "multilabel", "list", [["a", "b"]]),
}


def source(cells: list[str], reader: str, folder: Path) -> Any:
    column = (cells * N)[:N]
    x = [float(i % 7) + 0.25 for i in range(N)]
    return READERS[reader](pa.table({"x": x, "it": pa.array(column, pa.string())}), folder)


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("role", ["input", "target"])
def test_cells_are_read_alike(tmp_path: Path, reader: str, case: str, role: str) -> None:
    cells, as_input, as_target, sentences, first = CASES[case]
    table = read_table(source(cells, reader, tmp_path))
    config = Config.from_arguments(targets="it" if role == "target" else "x")
    schema = infer_schema(table, config)
    spec = (schema.targets if role == "target" else schema.inputs)[0]
    assert spec.kind == (as_target if role == "target" else as_input)
    values = spec.values(table)
    if not pa.types.is_list(values.type):
        values = values.cast(pa.float64() if spec.kind == "number" else pa.string())
    assert values.to_pylist()[: len(first)] == first
    result = [sentence for sentence in schema.conversions if "'it'" in sentence]
    assert any(sentences in sentence for sentence in result) if sentences else not result, result


@pytest.mark.parametrize("reader", [name for name in READERS if name != "categorical"])
def test_a_declared_category_keeps_how_codes_are_written(tmp_path: Path, reader: str) -> None:
    icd = ["250.10", "250.1", "401.0", "012", "1E5"]
    table = read_table(source(icd, reader, tmp_path))
    config = Config.from_arguments(targets={"it": "category"})
    (spec,) = infer_schema(table, config).targets
    assert TARGET_KINDS["category"].fit("it", spec.values(table)).labels == sorted(icd)


@pytest.mark.parametrize("reader", READERS)
def test_words_are_kept_where_the_settings_say_so(tmp_path: Path, reader: str) -> None:
    table = read_table(source(["NA", "DE", "FR"], reader, tmp_path))
    target = {"name": "it", "missing": []}
    (spec,) = infer_schema(table, Config.from_arguments(targets=[target])).targets
    assert spec.values(table).to_pylist()[:3] == ["NA", "DE", "FR"]
    target = {"name": "it", "missing": ["DE"]}
    (spec,) = infer_schema(table, Config.from_arguments(targets=[target])).targets
    assert spec.values(table).to_pylist()[:3] == ["NA", None, "FR"]


# What is read otherwise where it stands alone: the cells of the training rows, and of one new row.
ALONE: dict[str, tuple[list[str], str]] = {
    "thousands": (["1.234,5", "20,5", "7.001,25"], "1.234"),
    "numbers among words": (["2.0", "red", "blue"], "2.0"),
    "truth among words": (["TRUE", "FALSE", "maybe"], "TRUE"),
    "codes": (["012", "12", "7"], "12"),
    "decimals": (["0.50", "1.00", "2.50"], "1.00"),
    "lists among words": (["(1, 2)", "foo", "other"], "(1, 2)"),
    "lists": (["['a', 'b']", "['b']", "[]"], "['b']"),
    "limits": (["<0.5", *(f"{i}.25" for i in range(19))], "3.25"),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("case", ALONE)
def test_a_row_is_read_alike_whatever_stands_beside_it(
    tmp_path: Path, case: str, reader: str
) -> None:
    cells, alone = ALONE[case]
    inputs = [{"name": "it", "kind": "category"}] if case == "decimals" else "auto"
    table = read_table(source(cells, "csv", tmp_path))
    schema = infer_schema(table, Config.from_arguments(targets="x", inputs=inputs))
    codec = Codec.fit(table, schema, np.arange(N))
    row = (cells * N).index(alone) if alone in cells else None
    new = pa.table({"it": pa.array([alone, alone], pa.string())})
    read = codec.inputs(read_table(READERS[reader](new, tmp_path), known=schema.known))
    if row is not None:
        seen = codec.inputs(table)
        assert all((read[name][0] == seen[name][row]).all() for name in read)
    else:
        assert codec.input_kinds[0].encode(pa.chunked_array([[1234.0]])) == read["numbers"][0]


def test_a_model_of_a_file_with_decimal_commas_reads_points_as_thousands(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("umsatz;y\n5.125;4,96\n812;3,1\n1.500,5;2\n", encoding="utf-8")
    table = read_table(path)
    assert table.to_pydict() == {"umsatz": [5125, 812, 1500.5], "y": [4.96, 3.1, 2.0]}
    known = infer_schema(table, Config.from_arguments(targets="y")).known
    path.write_text("umsatz\n5.125\n", encoding="utf-8")
    assert read_table(path, known=known)["umsatz"].to_pylist() == [5125]
    assert (
        read_table(pd.DataFrame({"umsatz": ["5.125"]}), known=known)["umsatz"][0].as_py() == "5125"
    )
    settings = Config.from_arguments(targets="y", inputs=[{"name": "umsatz", "decimal": "."}])
    path.write_text("umsatz;y\n5.125;4,96\n8.120;3,1\n", encoding="utf-8")
    (spec,) = infer_schema(read := read_rows(path, settings), settings).inputs
    assert spec.values(read).to_pylist() == ["5.125", "8.120"]


def test_a_list_that_is_none_is_named_however_many_are() -> None:
    table = pa.table({"it": [["a"], ["b"], ["a", "b"]] * 20, "x": [0.5, 1.5, 2.5] * 20})
    known = infer_schema(table, Config.from_arguments(targets="x")).known
    with pytest.raises(DataError, match="column 'it', row 1: 'b' is no list"):
        read_table(pa.table({"it": ["['a']", "b"]}), known=known)


def test_a_sentinel_is_missing_once_the_settings_say_so() -> None:
    table = pa.table({"x": [*map(float, range(30)), -999.0] * 2, "y": [0.5, 1.5] * 31})
    config = Config.from_arguments(targets="y", inputs=[{"name": "x", "missing": [-999]}])
    schema = infer_schema(table, config)
    assert schema.inputs[0].values(table).null_count == 2
    assert not schema.warnings
    assert (
        "2 values are -999" in infer_schema(table, Config.from_arguments(targets="y")).warnings[0]
    )
