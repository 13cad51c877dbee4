"""Several sources in one table: what is joined, what is refused, and what the settings say."""

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from superpose import Superpose
from superpose.columns._conversions import ReadNotes, conversions_of, warnings_of
from superpose.config import Config, load_config
from superpose.data import infer_schema, read_table, sources_of, write_table
from superpose.errors import ConfigError, DataError
from superpose.record import SourceRecord

WRITTEN = pa.table({"x": [1.0, 2.0, 3.0, 4.0], "digit": [1, 2, 1, 2]})
SPOKEN = pa.table({"x": [5, 6], "digit": [1, 2], "speaker": ["Ann", "Bob"]})


def test_rows_lie_below_each_other_and_what_a_source_lacks_is_empty() -> None:
    table = read_table({"written": WRITTEN, "spoken": pd.DataFrame(SPOKEN.to_pydict())})
    assert table.column_names == ["x", "digit", "source", "speaker"]
    assert table["x"].to_pylist() == [1, 2, 3, 4, 5, 6]
    assert table["speaker"].to_pylist() == [None] * 4 + ["Ann", "Bob"]
    assert sources_of(table).to_pylist() == ["written"] * 4 + ["spoken"] * 2  # type: ignore[union-attr]
    # What was read stays what it is when it is read again.
    assert sources_of(read_table(table)) is not None
    assert sources_of(read_table(WRITTEN)) is None


def test_the_source_is_no_input_unless_it_is_named() -> None:
    table = read_table({"written": WRITTEN, "spoken": SPOKEN})
    schema = infer_schema(table, Config.from_arguments(targets="digit"))
    assert "source" in schema.ignored
    named = Config.from_arguments(targets="digit", inputs=["x", "source"])
    assert infer_schema(table, named).input_names == ["x", "source"]


def test_paths_beside_their_source_are_found_from_anywhere(tmp_path: Path) -> None:
    sources = {}
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.png").write_bytes(b"")
        frame = pa.table({"image": ["a.png", None], "word": ["x", "y"]})
        write_table(frame, tmp_path / name / "table.csv")
        sources[name] = tmp_path / name / "table.csv"
    table = read_table(sources)
    assert table["image"].to_pylist() == [
        str(tmp_path / "one" / "a.png"),
        None,
        str(tmp_path / "two" / "a.png"),
        None,
    ]
    assert table["word"].to_pylist() == ["x", "y", "x", "y"]


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        (
            {"a": WRITTEN, "b": pa.table({"x": [["w"]], "source": [1]})},
            "2 faults:\n"
            "  - column 'source': source 'b' has a column 'source' already; rename it: it names "
            "the sources\n"
            "  - column 'x': double in 'a', list<item: string> in 'b'; allowed: one type of "
            "values; give it one type in all sources, or another name in one of them",
        ),
        (
            {"a": WRITTEN},
            "sources: 1 given: 'a'; allowed: two or more, each with a name; give a path or a frame "
            "by itself where there is one",
        ),
        (
            {"a": pd.DataFrame({"x": []}), "b": "nowhere.csv"},
            "2 faults:\n"
            "  - source 'a': the frame: no rows, only the columns x; give at least one row\n"
            "  - source 'b': nowhere.csv: no such file",
        ),
    ],
)
def test_sources_that_do_not_fit_are_refused_at_once(
    sources: dict[str, object], expected: str
) -> None:
    with pytest.raises(DataError) as caught:
        read_table(sources)
    assert str(caught.value).startswith(expected)


def test_the_settings_name_sources_relative_to_their_file(tmp_path: Path) -> None:
    file = tmp_path / "superpose.yaml"
    file.write_text("sources: {a: x/a.csv, b: b.csv}\ntargets: [y]\n")
    assert load_config(file).data_path == {"a": tmp_path / "x/a.csv", "b": tmp_path / "b.csv"}
    file.write_text("data: c.csv\nsources: {a: a.csv}\ntargets: [y]\n")
    with pytest.raises(ConfigError) as caught:
        load_config(file)
    assert [fault.removeprefix(f"{file}:") for fault in caught.value.faults] == [
        "2: sources: a mapping given; allowed: 2 keys or more",
        "2: sources: given beside data; keep `data` for one table, or `sources` for several",
    ]


def test_a_run_of_sources_keeps_where_they_are_and_says_what_each_brings(tmp_path: Path) -> None:
    for name, column in (("a", "low"), ("b", "high")):
        rows = {"x": [i * 0.1 for i in range(40)], column: [float(i % 7) for i in range(40)]}
        write_table(pa.table(rows), tmp_path / f"{name}.csv")
    file = tmp_path / "superpose.yaml"
    file.write_text(
        "sources: {a: a.csv, b: b.csv}\ntargets: [low, high]\n"
        "training: {epochs: 1, sampling: uniform}\nproof: {references: none, folds: 2}\n"
    )
    model = Superpose.from_config(load_config(file)).fit(out=tmp_path / "run")
    assert model.record.data.sources == [
        SourceRecord("a", 40, {"low": 40, "high": 0}),
        SourceRecord("b", 40, {"low": 0, "high": 40}),
    ]
    again = load_config(tmp_path / "run" / "superpose.yaml")
    assert read_table(again.data_path).equals(read_table(load_config(file).data_path))
    assert '<th scope="row" class="name"><bdi>b</bdi></th>' in (
        tmp_path / "run" / "report.html"
    ).read_text(encoding="utf-8")


def test_new_rows_may_lack_what_a_source_has_lacked_and_nothing_else() -> None:
    rows = range(30)
    tables = {
        "a": pa.table({"x": [i * 0.1 for i in rows], "word": ["u", "v"] * 15, "y": [*rows]}),
        "b": pa.table(
            {"x": [i * 0.2 for i in rows], "e": [[float(i), 1.0] for i in rows], "y": [*rows]}
        ),
    }
    model = Superpose(
        [{"name": "y", "kind": "number"}],
        inputs=["x", "word", {"name": "e", "kind": "embedding"}],
        references="none",
        training={"epochs": 1},
    ).fit(tables)
    assert model.predict(tables["a"]).num_rows == model.predict(tables["b"]).num_rows == 30
    with pytest.raises(DataError) as caught:
        model.predict(tables["a"].drop_columns("x"))
    assert "column 'x': an input of the model, but not in the table" in str(caught.value)


def test_what_readers_say_names_the_source():
    notes = ReadNotes(["3 cells are percent"], ["2 rows look odd"])
    both = {"a": notes.on(pa.table({"x": [1, 2]})), "b": pa.table({"x": [3, 4]})}
    table = read_table(both)
    assert conversions_of(table) == ["source 'a': 3 cells are percent"]
    assert warnings_of(table) == ["source 'a': 2 rows look odd"]
