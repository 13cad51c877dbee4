"""What the command line shows: progress on a terminal and in a log, and which class is positive."""

import html
import io
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from rich.console import Console
from typer.testing import CliRunner

from superpose import Superpose
from superpose.cli import app
from superpose.cli._screen import Stages
from superpose.data import write_table

TABLE = pa.table(
    {
        "x": [i * 7 % 31 + 0.5 for i in range(80)],
        "y": [i * 7 % 31 * 2.0 + i % 3 for i in range(80)],
        "on": ["no", "yes"] * 40,
    }
)


def succeed(*args: object) -> str:
    result = CliRunner().invoke(app, [str(arg) for arg in args])
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder of its own with a table."""
    monkeypatch.chdir(tmp_path)
    write_table(TABLE, tmp_path / "table.csv")
    return tmp_path


def test_progress_without_a_terminal_is_lines(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(range(0, 1000, 10))
    monkeypatch.setattr("time.monotonic", lambda: float(next(clock)))
    with Stages(Console(file=io.StringIO())) as stages:
        for share in (0.0, 0.1, 0.3, 0.2, 0.6, 1.0):
            stages("multi-task network", share)
        stages("test and report", 1.0)
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        "multi-task net: 0%, 0 s",
        "multi-task net: 30%, 20 s, about 47 s left",
        "multi-task net: 60%, 40 s, about 27 s left",
        "multi-task net: 100%, 50 s",
        "test and report: 100%, 0 s",
    ]


def test_a_log_has_a_line_a_minute_where_progress_is_slow(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(range(0, 1000, 40))
    monkeypatch.setattr("time.monotonic", lambda: float(next(clock)))
    with Stages(Console(file=io.StringIO())) as stages:
        for share in (0.0, 0.05, 0.1, 0.1):
            stages("boosted trees", share)
    output = capsys.readouterr().err.splitlines()
    assert [line.split(",")[0] for line in output] == ["boosted trees: 0%", "boosted trees: 10%"]


def test_progress_on_a_terminal_is_a_bar_for_each_stage() -> None:
    screen = io.StringIO()
    with Stages(Console(file=screen, force_terminal=True, width=80)) as stages:
        stages("boosted trees", 1.0)
        stages("multi-task network", 0.5)
        stages("multi-task network", 0.4)
        stages("given: boosted trees", 0.25)
    output = screen.getvalue()
    assert "boosted trees" in output
    assert "100%" in output
    assert "50%" in output
    assert "s left" in output
    assert "read measured targets" in output
    assert "40%" not in output, "a bar never runs back"


def test_init_check_and_train_tell_the_positive_class_and_take_another(folder: Path) -> None:
    output = succeed("init", "table.csv", "--targets", "on,y", "--out", "first.yaml")
    assert "two values, 'no' and 'yes'; 'yes' is positive" in " ".join(output.split())
    assert "; 'yes' is positive" in (folder / "first.yaml").read_text(encoding="utf-8")
    succeed("init", "table.csv", "--targets", "on,y", "--positive", "on=no", "--out", "other.yaml")
    assert 'positive: "no"' in (folder / "other.yaml").read_text(encoding="utf-8")
    for args in (("other.yaml",), ("table.csv", "--targets", "on,y", "--positive", "on=no")):
        output = " ".join(succeed("check", *args).split())
        assert "'no' is positive" in output
        assert "'yes' is positive" not in output
    assert output.endswith(
        "Next: superpose train table.csv --targets on,y --positive on=no --out runs/first"
    )


def test_the_positive_class_is_remembered(folder: Path) -> None:
    target = {"name": "on", "positive": "no"}
    small: dict[str, Any] = {"model": {"width": 8, "members": 1}, "training": {"epochs": 1}}
    model = Superpose([target, "y"], references="none", proof={"folds": 2, "repeats": 1}, **small)
    model.fit(TABLE).save(folder / "model")
    again = Superpose.load(folder / "model")
    assert again.kinds["on"].labels == ["yes", "no"]
    report = again.report("r.html").read_text(encoding="utf-8")
    assert "'no' is positive" in html.unescape(report)
