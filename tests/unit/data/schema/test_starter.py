"""The first settings file: readable, loadable, never written over another."""

from pathlib import Path

import pyarrow as pa
import pytest

from superpose.config import load_config
from superpose.data.read._reading import read_table
from superpose.data.schema._inference import infer_schema
from superpose.data.schema._starter import write_starter
from superpose.errors import ConfigError, DataError

N = 40
TABLE = pa.table(
    {
        "No": list(range(N)),
        "when": [f"2020-01-{day % 28 + 1:02d}" for day in range(N)],
        "on": ["a", "b", "c", "d"] * (N // 4),
        "1e5": [0.5, 1.5] * (N // 2),
        "grün: #1": [*(str(n % 9) for n in range(N - 1)), "oops"],
        "tags": ["a;b", "b", "b;c", "a;c", "c"] * (N // 5),
        "y": [1.5, 2.5, 3.5, None] * (N // 4),
        "level": ["low", "high", "low", None] * (N // 4),
    }
)


def test_a_starter_loads_and_gives_the_same_schema(tmp_path: Path) -> None:
    data, path = tmp_path / "t.csv", tmp_path / "new" / "superpose.yaml"
    data.write_text("x")
    written = write_starter(TABLE, data, targets=["y", "level"], path=path)
    config = load_config(path)
    assert config.data == "../t.csv"
    assert config.data_path is not None
    assert config.data_path.exists()
    again = infer_schema(TABLE, config)
    for before, after in (written.inputs, again.inputs), (written.targets, again.targets):
        assert [(c.name, c.kind, c.options, c.missing) for c in before] == [
            (c.name, c.kind, c.options, c.missing) for c in after
        ]


def test_a_starter_tells_every_kind_with_its_reason(tmp_path: Path) -> None:
    path = tmp_path / "superpose.yaml"
    write_starter(TABLE, None, targets="y", path=path)
    text = path.read_text(encoding="utf-8")
    for line in (
        '  - {name: "y", kind: number}  # numbers',
        "  - {name: when, kind: date}  # dates",
        '  - {name: "on", kind: category}  # 4 different words',
        '  - {name: "1e5", kind: number}  # numbers',
        "  - {name: tags, kind: multicategory}  # a few words joined by ';'",
        "  - \"grün: #1\"  # number: whole numbers, written as text; 'oops' for missing",
        '  - "No"  # whole numbers that only count the rows',
        "# Rows that follow each other are best split by time, column when.",
    ):
        assert line in text.splitlines()
    assert "data:" not in text


def test_levels_are_written_low_to_high(tmp_path: Path) -> None:
    path = tmp_path / "superpose.yaml"
    levels = ["low", "no", "high"]
    write_starter(TABLE, None, targets=[{"name": "level", "levels": levels}], path=path)
    assert '  - {name: level, kind: ordinal, levels: [low, "no", high]}' in path.read_text()
    assert load_config(path).targets[0].levels == levels


def test_an_existing_file_is_never_touched(tmp_path: Path) -> None:
    path = tmp_path / "superpose.yaml"
    path.write_text("mine")
    with pytest.raises(ConfigError) as caught:
        write_starter(TABLE, None, targets="y", path=path)
    assert str(caught.value) == (
        f"{path}: the file exists; name another file, or move this one away"
    )
    assert path.read_text() == "mine"


def test_nothing_is_written_when_a_target_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "superpose.yaml"
    with pytest.raises(DataError, match="did you mean 'level'"):
        write_starter(TABLE, None, targets="levl", path=path)
    assert not path.exists()


def test_a_path_that_can_not_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(ConfigError, match=r"can't be written \(.*\); name another folder"):
        write_starter(TABLE, None, targets="y", path=tmp_path / "file" / "superpose.yaml")


def test_a_starter_of_a_file_names_it(tmp_path: Path) -> None:
    data = tmp_path / "my data.csv"
    data.write_text("x,y\n1.5,2.5\n2.5,3.5\n0.5,1\n")
    path = tmp_path / "superpose.yaml"
    write_starter(read_table(data), data, targets="y", path=path)
    assert load_config(path).data_path == data
