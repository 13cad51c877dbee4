"""A stopped command ends with the exit code of the signal and one line that says how to go on."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from superpose.cli import app
from superpose.cli._stopping import stoppable, stopped

TABLE = "x,y\n" + "".join(f"{i * 7 % 31},{i * 7 % 31 * 2.5 + i % 3}\n" for i in range(80))
SETTINGS = """
data: table.csv
targets: [y]
model: {width: 8, members: 1}
training: {epochs: 2}
proof: {references: none, folds: 2, repeats: 1}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "table.csv").write_text(TABLE, encoding="utf-8")
    (tmp_path / "s.yaml").write_text(SETTINGS, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stopped_run_says_how_it_goes_on_and_does(
    folder: Path, monkeypatch: pytest.MonkeyPatch, sent: signal.Signals, code: int
) -> None:
    from superpose.evaluation import _fit_models

    real = _fit_models.fit_multi_task

    def halfway(*given: object, **more: object) -> None:
        os.kill(os.getpid(), sent)
        time.sleep(5)

    monkeypatch.setattr(_fit_models, "fit_multi_task", halfway)
    result = CliRunner().invoke(app, ["train", "s.yaml", "--out", "runs/a"])
    assert result.exit_code == code
    assert result.stderr.splitlines()[-1] == (
        "stopped: runs/a keeps what is trained; go on with: "
        "superpose train s.yaml --out runs/a --resume"
    )
    assert "Traceback" not in result.output
    monkeypatch.setattr(_fit_models, "fit_multi_task", real)
    again = CliRunner().invoke(app, ["train", "s.yaml", "--out", "runs/a", "--resume"])
    assert again.exit_code == 0, again.output
    assert (folder / "runs" / "a" / "bundle").is_dir()


def test_what_is_stopped_before_training_leaves_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def halfway(*given: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("superpose.evaluation.prepare", halfway)
    result = CliRunner().invoke(app, ["train", "s.yaml", "--out", "runs/a"])
    assert result.exit_code == 130
    assert "stopped: training had not begun, so nothing was written" in result.stderr
    assert not (folder / "runs").exists()
    monkeypatch.setattr("superpose.data.read_table", halfway)
    result = CliRunner().invoke(app, ["init", "table.csv", "--targets", "y"])
    assert result.exit_code == 130
    assert result.stderr == "\nstopped: nothing was written\n"
    assert not (folder / "superpose.yaml").exists()


def test_a_run_that_had_ended_is_noted_as_whole(folder: Path) -> None:
    (folder / "a" / "bundle").mkdir(parents=True)
    assert stopped(Path("a"), "superpose demo") == (
        "stopped: the run had ended already; all of it is in a"
    )


def test_a_resumed_command_is_not_advised_to_resume_twice(folder: Path) -> None:
    (folder / "a" / "work").mkdir(parents=True)
    assert stopped(Path("a"), "superpose demo --resume").endswith("with: superpose demo --resume")


def test_signals_are_as_they_were_afterwards() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with stoppable():
        assert signal.getsignal(signal.SIGTERM) != before
    assert signal.getsignal(signal.SIGTERM) == before
    result = []

    def other() -> None:
        with stoppable():
            result.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=other)
    thread.start()
    thread.join()
    assert result == [before]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
def test_a_process_that_is_ended_has_the_exit_code_of_the_signal(folder: Path) -> None:
    code = (
        "import os, signal, superpose.cli as verbs\n"
        "import superpose.data as data\n"
        "data.read_table = lambda path: os.kill(os.getpid(), signal.SIGTERM)\n"
        "verbs.main()\n"
    )
    command = [sys.executable, "-c", code, "init", "table.csv", "--targets", "y"]
    output = subprocess.run(command, capture_output=True, text=True, check=False)
    assert output.returncode == 143
    assert output.stderr == "\nstopped: nothing was written\n"
