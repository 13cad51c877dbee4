"""One run a folder: whoever comes second is refused at once, and a killed one keeps nobody out."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from superpose import Superpose
from superpose.errors import BundleError, DataError
from superpose.evaluation import locked
from superpose.evaluation._run_folder import LOCK

pytest.importorskip("fcntl")
SCRIPT = "import sys, time; from pathlib import Path; from superpose.evaluation import locked\n"
SCRIPT += "with locked(Path(sys.argv[1])): print('locked', flush=True); time.sleep(60)"
TABLE = pa.table({"x": [1.0, 2.0] * 30, "y": [0.5, 1.5, 2.5] * 20})


def small() -> Superpose:
    return Superpose(["y"], references="none", model={"width": 8}, training={"epochs": 1})


@pytest.fixture
def other(tmp_path: Path):
    """Another process that has a run in the folder `run`."""
    command = [sys.executable, "-c", SCRIPT, str(tmp_path / "run")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "locked\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


@pytest.mark.parametrize("resume", [False, True])
def test_a_second_run_is_refused_and_names_the_first(
    tmp_path: Path, other: subprocess.Popen, resume: bool
) -> None:
    wanted = rf"run: another run \(process {other.pid}\) writes there; wait for its end, or name"
    with pytest.raises(BundleError, match=wanted):
        small().fit(TABLE, out=tmp_path / "run", resume=resume)
    assert (tmp_path / "run" / LOCK).read_text() == str(other.pid)


def test_a_killed_run_keeps_nobody_out(tmp_path: Path, other: subprocess.Popen) -> None:
    os.kill(other.pid, signal.SIGKILL)
    other.wait()
    assert (tmp_path / "run" / LOCK).exists()
    with locked(tmp_path / "run"):
        assert (tmp_path / "run" / LOCK).read_text() == str(os.getpid())
    assert not (tmp_path / "run" / LOCK).exists()


def test_two_runs_of_one_process_are_kept_apart(tmp_path: Path) -> None:
    with (
        locked(tmp_path / "run"),
        pytest.raises(BundleError, match="another run"),
        locked(tmp_path / "run"),
    ):
        pass


def test_a_table_with_faults_leaves_no_folder_and_no_lock(tmp_path: Path) -> None:
    with pytest.raises(DataError):
        small().fit(TABLE.rename_columns(["x", "z"]), out=tmp_path / "runs" / "first")
    assert not (tmp_path / "runs").exists()
    (tmp_path / "mine").mkdir()
    with pytest.raises(DataError):
        small().fit(TABLE.rename_columns(["x", "z"]), out=tmp_path / "mine")
    assert list((tmp_path / "mine").iterdir()) == []


def test_a_lock_is_neither_a_link_nor_a_pipe(tmp_path: Path) -> None:
    victim, folder = tmp_path / "victim", tmp_path / "run"
    victim.write_text("mine")
    folder.mkdir()
    (folder / LOCK).symlink_to(victim)
    with pytest.raises(BundleError, match=r"run: can't be written \("), locked(folder):
        pass
    assert victim.read_text() == "mine"


def test_a_file_is_no_folder_of_a_run(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("mine")
    with pytest.raises(BundleError, match="a file; allowed: a new or empty folder"):
        small().fit(TABLE, out=tmp_path / "run")
    with pytest.raises(BundleError, match=r"can't be written \("):
        small().fit(TABLE, out=tmp_path / "run" / "inner")
