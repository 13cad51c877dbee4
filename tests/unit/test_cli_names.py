"""What is shown: names can hold what a terminal obeys, and it never gets there."""

import io
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest
from typer.testing import CliRunner, Result

from superpose import Superpose
from superpose.cli import _app, app
from superpose.cli._screen import echo_data
from superpose.record import RunRecord, SharingRecord, TargetRecord
from superpose.report import Screen, verdict_table

N = 80
TABLE = pa.table(
    {
        "x": [i * 7 % 31 + 0.5 for i in range(N)],
        "y": [i * 7 % 31 * 2.0 + i % 3 for i in range(N)],
        "on": ["no", "yes"] * (N // 2),
    }
)


def run(*args: object) -> Result:
    return CliRunner().invoke(app, [str(arg) for arg in args])


EVIL = "y\x1b[31m\x1b]0;owned\x07\u202e"


def test_control_characters_of_names_never_reach_the_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    columns = {EVIL if name == "y" else name: TABLE.column(name) for name in TABLE.column_names}
    columns["word"] = pa.array(["a\x1b[2J", "b\r", "c", "d"] * (N // 4))
    pyarrow.parquet.write_table(pa.table(columns), tmp_path / "evil.parquet")
    for args in (
        ("init", "evil.parquet", "--targets", "on,word"),
        ("check", "superpose.yaml"),
        ("init", "evil.parquet", "--targets", "nothing"),
        ("check", f"{EVIL}.yaml"),
        ("train", "evil.parquet", "--targets", "on\x1b[1m"),
    ):
        result = run(*args)
        assert not set(result.output) & set("\x1b\x07\r\u202e"), (args, result.output)
    (tmp_path / "keys.yaml").write_text('"tar\\egets": [on]\ndata: evil.parquet\n')
    result = run("check", "keys.yaml")
    assert r"tar\x1bgets" in result.output


def test_tables_of_rich_show_control_characters_and_keep_their_own_styles() -> None:
    out = io.StringIO()
    target = TargetRecord(EVIL, metric="rmse", sharing=SharingRecord(verdict="harmed"))
    verdict_table(
        RunRecord(targets={EVIL: target}), Screen(file=out, force_terminal=True, width=200)
    )
    output = out.getvalue()
    assert r"y\x1b[31m" in output
    assert "\x1b]0;" not in output
    assert "\x1b[31m" in output  # what harms is red
    assert not set(output) & set("\x07\u202e")


def test_names_do_not_turn_the_direction_of_the_report(tmp_path: Path) -> None:
    name = f"<script>{EVIL}\"'"
    rows = TABLE.rename_columns(["x", name, "on"])
    fast = {"model": {"width": 8, "members": 1}, "training": {"epochs": 1}}
    model = Superpose([name], references="none", **fast).fit(rows)
    text = model.report(tmp_path / "report.html").read_text(encoding="utf-8")
    assert not set(text) & set("\x1b\x07\u202e")
    assert "<script>y" not in text
    assert r"y\x1b[31m" in text


def test_predictions_are_data_for_a_program_and_text_for_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    echo_data("a\x1b[2J\n")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    echo_data("a\x1b[2J\n")
    assert capsys.readouterr().out.endswith("\na\\x1b[2J\n")


def test_every_verb_prints_through_one_door() -> None:
    for file in Path(_app.__file__).parent.glob("*.py"):
        count = file.read_text(encoding="utf-8").count("typer.echo(")
        assert count == (2 if file.name == "_screen.py" else 0), file.name
