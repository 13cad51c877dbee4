"""The same times mean the same, whichever reader brings them and whatever clock they stand on."""

import json
from datetime import time

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet
import pytest

from superpose import Superpose
from superpose.config import Config
from superpose.data import Codec, infer_schema, make_split, read_rows, read_table

ROWS = 240


def frame(column):
    rng = np.random.default_rng(0)
    return pd.DataFrame({"t": column, "x": rng.normal(size=ROWS), "y": rng.normal(size=ROWS)})


STAMPS = pd.date_range("2021-10-28", periods=ROWS, freq="59min", tz="Europe/Berlin")
COLUMNS = {
    "days": pd.date_range("2024-01-01", periods=ROWS, freq="D"),
    "moments": pd.date_range("2024-01-01", periods=ROWS, freq="37min"),
    "zone": STAMPS,
    "one offset": STAMPS.tz_convert("UTC").tz_convert("+02:00"),
    "times of day": [time(k % 24, k % 60) for k in range(ROWS)],
    "whole numbers": [20240101 + k % 28 for k in range(ROWS)],
    "day first": [f"{k % 28 + 1:02d}/{k % 12 + 1:02d}/2024" for k in range(ROWS)],
}


def sources(table, folder):
    """A frame by every way in."""
    spelled = table.assign(t=table["t"].astype(str) if table["t"].dtype != "int64" else table["t"])
    spelled.to_csv(folder / "t.csv", index=False)
    rows = [json.dumps(row) for row in spelled.to_dict("records")]
    (folder / "t.jsonl").write_text("\n".join(rows), encoding="utf-8")
    arrow = pa.Table.from_pandas(table, preserve_index=False)
    pyarrow.parquet.write_table(arrow, folder / "t.parquet")
    return {
        "pandas": table,
        "polars": pl.from_arrow(arrow),
        "arrow": arrow,
        "csv": str(folder / "t.csv"),
        "jsonl": str(folder / "t.jsonl"),
        "parquet": str(folder / "t.parquet"),
    }


@pytest.mark.parametrize("name", COLUMNS)
def test_every_reader_gives_the_same_kind_and_the_same_numbers(name, tmp_path):
    table = frame(COLUMNS[name])
    ways = sources(table, tmp_path)
    config = Config.from_arguments(targets="y")
    fitted = {}
    for way, source in ways.items():
        read = read_table(source)
        fitted[way] = Codec.fit(read, infer_schema(read, config), np.arange(ROWS))
    kinds = {way: codec.input_kinds[0] for way, codec in fitted.items()}
    assert {kind.name for kind in kinds.values()} == {"date"}
    expected = fitted["pandas"].inputs(read_table(table))["numbers"]
    for way, codec in fitted.items():
        # Trained by one way, asked by another: where zones differ in their names only.
        np.testing.assert_allclose(codec.inputs(read_table(ways[way]))["numbers"], expected)
        for other in ("csv", "jsonl", "parquet", "polars"):
            rows = read_table(ways[other])
            np.testing.assert_allclose(codec.inputs(rows)["numbers"], expected, err_msg=other)


@pytest.mark.parametrize("by", ["csv", "jsonl", "parquet", "polars"])
def test_windows_and_splits_by_time_are_the_same_from_every_reader(by, tmp_path):
    ways = sources(frame(pd.date_range(STAMPS[0], periods=ROWS, freq="h")), tmp_path)
    rule = {"time": "t", "length": 4, "columns": ["x"]}
    split = {"by": "time", "column": "t"}
    config = Config.from_arguments(targets="y", windows=rule, split=split)
    result = {way: read_rows(ways[way], config) for way in ("pandas", by)}
    parts = {way: make_split(t, config, infer_schema(t, config)) for way, t in result.items()}
    np.testing.assert_array_equal(parts[by].test, parts["pandas"].test)
    assert result[by]["window"].to_pylist() == result["pandas"]["window"].to_pylist()


def test_a_model_predicts_the_same_from_every_reader_and_from_other_zones(tmp_path):
    table = frame(STAMPS)
    fast = {"references": "none", "model": {"width": 16, "members": 2}, "training": {"epochs": 2}}
    model = Superpose("y", **fast).fit(table)
    expected = np.asarray(model.predict(table)["y"])
    ways = sources(table, tmp_path)
    ways["utc"] = table.assign(t=table["t"].dt.tz_convert("UTC"))
    for way, source in ways.items():
        pred = np.asarray(model.predict(source)["y"])
        np.testing.assert_array_equal(pred, expected, err_msg=way)


def test_a_stored_model_knows_the_step_of_its_training_rows(tmp_path):
    table = frame(pd.date_range("2024-01-01", periods=ROWS, freq="h"))
    fast = {"references": "none", "model": {"width": 16, "members": 2}, "training": {"epochs": 2}}
    rule = {"time": "t", "length": 4, "columns": ["x"]}
    Superpose("y", windows=rule, **fast).fit(table).save(tmp_path / "bundle")
    model = Superpose.load(tmp_path / "bundle")
    assert len(model.predict(table)) == ROWS - 3
    days = table.assign(t=pd.date_range("2024-01-01", periods=ROWS, freq="D"))
    with pytest.warns(UserWarning, match="another step than the training rows .86400 s instead"):
        model.predict(days)
    gap = table.drop(index=range(100, 110))
    with pytest.warns(UserWarning, match="1 gap .* so that 3 windows are left out"):
        assert len(model.predict(gap)) == ROWS - 10 - 6


def test_times_with_an_offset_are_read_from_jsonl_as_written(tmp_path):
    path = tmp_path / "t.jsonl"
    lines = [{"t": "2024-01-01T10:00:00+05:00", "n": "2024-01-01 10:00:00"}, {"n": "2024-01-02"}]
    path.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    read = read_table(path)
    assert read["t"].to_pylist() == ["2024-01-01T10:00:00+05:00", None]
    assert pa.types.is_timestamp(read["n"].type)


@pytest.mark.parametrize("zone", [None, "Asia/Tokyo"])
def test_moments_of_several_zones_in_one_frame_keep_each_its_own(zone):
    moments = [pd.Timestamp(2024, 1, 1, hour, tz=zone if hour % 2 else "UTC") for hour in range(20)]
    column = read_table(pd.DataFrame({"t": pd.Series(moments, dtype=object)}))["t"]
    assert pa.types.is_string(column.type)
    assert column[0].as_py() == "2024-01-01 00:00:00+00:00"
    assert column[1].as_py() == "2024-01-01 01:00:00" + ("+09:00" if zone else "")
