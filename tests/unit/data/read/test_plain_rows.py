"""What people give as data: rows as plain values work, and what is no table says the right call."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from superpose import Superpose
from superpose.config import Config, load_config
from superpose.data import read_table, write_table
from superpose.errors import BundleError, ConfigError, DataError

ROWS = [{"x": 0.5 * i, "on": "yes" if i % 3 else "no", "y": 2.0 * i} for i in range(60)]
COLUMNS = {name: [row[name] for row in ROWS] for name in ROWS[0]}


@pytest.fixture(scope="module")
def model():
    small = {"model": {"width": 8, "members": 1}, "training": {"epochs": 1}}
    proof = {"folds": 2, "repeats": 1}
    return Superpose(["y", "on"], references="none", proof=proof, **small).fit(ROWS)


def test_records_and_lists_by_column_are_tables():
    assert read_table(ROWS).equals(read_table(pa.table(COLUMNS)))
    assert read_table(COLUMNS).equals(read_table(pa.table(COLUMNS)))
    by_series = {"x": pd.Series([1.0, 2.0]), "y": np.array([3, 4]), "z": pa.array(["a", "b"])}
    assert read_table(by_series).to_pydict() == {"x": [1.0, 2.0], "y": [3, 4], "z": ["a", "b"]}
    assert read_table([{"a": 1}, {"a": "b"}])["a"].to_pylist() == ["1", "b"]


def test_a_model_learns_from_them_and_answers_them(model):
    frame = model.predict(pd.DataFrame(ROWS[:3]))
    for source in (ROWS[:3], {name: values[:3] for name, values in COLUMNS.items()}):
        assert model.predict(source).to_pandas().equals(frame)
    assert model.predict([{"x": 1.0}]).num_rows == 1


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ({"x": 1.0, "w": "a"}, r"a dict of single values given \(x, w\); .*: model.predict\(\[\{"),
        ({"w": "a", "v": "b"}, "give one row as a list of one dict"),
        ({"x": [1.0], "w": "a"}, "of which 'w' holds str; allowed: a list of values for each"),
        ({"x": [1.0], "w": ["a", "b"]}, "columns of several lengths given: 'x' 1, 'w' 2"),
        (pd.Series({"x": 1.0}), r"Series given; .*: rows of a table; give one row as frame.iloc\["),
        (np.zeros((2, 2)), r"name its columns: pandas.DataFrame\(array, columns"),
        ([1.0, 2.0], "give a list of dicts, one for each row, or a dict with a list for each"),
        ([], "give a list of dicts"),
        (["a.csv", "b.csv"], r"give several files by name: \{'north': 'north.csv'"),
    ],
)
def test_what_is_no_table_says_the_right_call(source, text):
    with pytest.raises(DataError, match=text):
        read_table(source)


def test_sources_by_name_are_sources_still(tmp_path):
    for name in ("north", "south"):
        write_table(pa.table(COLUMNS), tmp_path / f"{name}.csv")
    sources = {name: str(tmp_path / f"{name}.csv") for name in ("north", "south")}
    assert read_table(sources).num_rows == 120
    with pytest.raises(DataError, match=r"source 'south': .*none.csv: no such file"):
        read_table({**sources, "south": str(tmp_path / "none.csv")})


def test_the_home_folder_is_read_and_written_everywhere(tmp_path, monkeypatch, model):
    monkeypatch.setenv("HOME", str(tmp_path))
    write_table(pa.table(COLUMNS), "~/table.csv")
    assert read_table("~/table.csv").num_rows == 60
    assert read_table({"a": "~/table.csv", "b": Path("~/table.csv")}).num_rows == 120
    settings = tmp_path / "s.yaml"
    settings.write_text("data: ~/table.csv\ntargets: [y]\n", encoding="utf-8")
    assert load_config("~/s.yaml").data_path == tmp_path / "table.csv"
    several = Config.from_arguments(targets="y").model_copy(update={"sources": {"a": "~/b"}})
    assert several.data_path == {"a": tmp_path / "b"}
    model.save("~/saved")
    assert Superpose.load("~/saved").kinds.keys() == model.kinds.keys()
    assert model.report("~/report.html") == tmp_path / "report.html"


@pytest.mark.parametrize("address", ["https://a.org/t.csv", "s3://b/t.parquet", Path("gs://b/t")])
def test_an_address_is_refused_with_the_way_around(address, model):
    text = r"an address given; .*; allowed: a path on this machine; download the file or mount"
    with pytest.raises(DataError, match=text):
        read_table(address)
    with pytest.raises(ConfigError, match=text):
        _ = Config.from_arguments(targets="y", data="s3://b/t.csv").data_path
    for call in (Superpose.load, model.save, model.report):
        with pytest.raises(BundleError, match=text):
            call(address)


def test_two_ways_to_say_the_references_have_to_agree():
    given = r"references: 'none' given beside proof=\{'references': 'trees'\}; .*; remove one"
    with pytest.raises(ConfigError, match=given):
        Superpose("y", references="none", proof={"references": "trees"})
    agreed = Superpose("y", references="none", proof={"references": "none", "alpha": 0.1})
    assert agreed.config.proof.references == "none"


def test_the_device_of_other_tools_is_known():
    with pytest.raises(ConfigError, match=r"'gpu' given; .*; did you mean 'cuda'\?"):
        Superpose("y", training={"device": "gpu"})
