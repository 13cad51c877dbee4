"""From a table to predictions by the command line alone, and the same after being killed."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet
import pytest
import yaml
from typer.testing import CliRunner

from superpose.cli import app
from superpose.data import load_bundled, read_table, write_table

TARGETS = ["disease", "severity"]
# Small enough for seconds, long enough that a kill after the first epoch leaves most of the work.
TINY = {
    "model": {"width": 32, "members": 2, "state": 8, "rank": 4, "embedding": 4},
    "training": {"epochs": 12, "patience": 12, "batch_size": 32},
    "proof": {"trees": ["hist"], "folds": 2, "repeats": 1},
}


def run(*args: object) -> str:
    """Runs a command that has to succeed, and returns what it printed."""
    result = CliRunner().invoke(app, [str(arg) for arg in args])
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table to learn from, one to be tested on, one without labels, and settings."""
    folder = tmp_path_factory.mktemp("commands")
    table = load_bundled("heart")
    # Every fourth row, so that all four hospitals are on both sides.
    rows = list(range(table.num_rows))
    learn, test = table.take([r for r in rows if r % 4 == 1]), table.take(rows[::4])
    write_table(learn, folder / "heart.csv")
    write_table(test, folder / "test.parquet")
    write_table(test.drop_columns(TARGETS), folder / "new.csv")

    first = folder / "first.yaml"
    run("init", folder / "heart.csv", "--targets", ",".join(TARGETS), "--out", first)
    settings = yaml.safe_load(first.read_text(encoding="utf-8"))
    for section, values in TINY.items():
        settings[section] |= values
    text = yaml.safe_dump(settings, sort_keys=False)
    (folder / "superpose.yaml").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def whole(folder: Path) -> Path:
    """A run that nobody disturbed."""
    run("train", folder / "superpose.yaml", "--out", folder / "whole")
    return folder / "whole"


def test_what_init_wrote_passes_check_and_nothing_is_trained(folder: Path) -> None:
    before = sorted(folder.iterdir())
    for name in ("first.yaml", "superpose.yaml"):
        printed = run("check", folder / name)
        assert "No fault was found." in printed
        assert "hospital" in printed
        assert "stratified" in printed
    assert sorted(folder.iterdir()) == before


def test_a_run_leaves_everything_that_is_promised(whole: Path) -> None:
    assert {entry.name for entry in whole.iterdir()} == {
        "bundle",
        "metrics.json",
        "report.html",
        "superpose.yaml",
        "transfer.json",
    }
    transfer = json.loads((whole / "transfer.json").read_text(encoding="utf-8"))
    assert [row["target"] for row in transfer] == TARGETS
    assert {"kind", "metric", "n_rows", "multi_task", "single_task", "best_single_task", "deployed",
            "deployed_weights", "test", "half_given", "all_given", "gain", "gain_low", "p",
            "verdict"} <= transfer[0].keys()  # fmt: skip
    former = {"n", "model", "alone", "reference", "delta", "interval", "shipped", "shipped_value"}
    assert former <= transfer[0].keys(), "they stay for one version"
    # Its settings find the table from where they lie.
    assert "No fault was found." in run("check", whole / "superpose.yaml")


def test_what_is_deployed_beats_the_baseline_on_rows_never_seen(folder: Path, whole: Path) -> None:
    metrics = json.loads(run("evaluate", whole, folder / "test.parquet", "--json"))
    assert list(metrics) == TARGETS
    for target, values in metrics.items():
        assert values["score"] > 0, f"{target} is no better than the baseline: {values}"
    own = json.loads((whole / "metrics.json").read_text(encoding="utf-8"))
    assert all(own[target]["deployed"]["score"] > 0 for target in TARGETS)
    printed = run("evaluate", whole, folder / "test.parquet")
    assert all(target in printed for target in TARGETS)


def test_predictions_are_one_row_for_each_row_in_every_format(folder: Path, whole: Path) -> None:
    run("predict", whole, folder / "new.csv", "--out", folder / "p.parquet", "--proba")
    run("predict", whole, folder / "new.csv", "--out", folder / "p.csv")
    rich = pyarrow.parquet.read_table(folder / "p.parquet")
    plain = read_table(folder / "p.csv")
    assert rich.num_rows == plain.num_rows == read_table(folder / "new.csv").num_rows
    columns = [name for target in TARGETS for name in (target, f"{target}_set")]
    assert plain.column_names == columns
    assert rich.column_names[:4] == columns
    shares = [rich[name].to_numpy() for name in rich.column_names if name.startswith("severity=")]
    assert len(shares) == 5
    assert abs(sum(shares) - 1).max() < 1e-6
    # A table that has labels is predicted without reading them.
    run("predict", whole, folder / "test.parquet", "--out", folder / "q.csv")
    assert (folder / "q.csv").read_bytes() == (folder / "p.csv").read_bytes()


def test_the_report_is_written_anew_from_the_run(whole: Path) -> None:
    report = whole / "report.html"
    before = report.read_text(encoding="utf-8")
    report.unlink()
    run("report", whole)
    assert report.read_text(encoding="utf-8") == before


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="the system has no SIGKILL")
def test_killed_twice_and_resumed_equals_not_killed(folder: Path, whole: Path) -> None:
    out, settings = folder / "killed", folder / "superpose.yaml"
    command = [sys.executable, "-m", "superpose", "train", str(settings), "--out", str(out)]
    # First while the multi-task network is trained, then while the single-task networks are.
    for stage, more in ("multi-task", []), ("single-task-0", ["--resume"]):
        kill_when((out / "work" / f"{stage}.checkpoint").exists, [*command, *more])
        assert not (out / "bundle").exists()
    run("train", settings, "--out", out, "--resume")
    assert not (out / "work").exists()
    for run_folder, name in (whole, "whole.parquet"), (out, "resumed.parquet"):
        run("predict", run_folder, folder / "new.csv", "--out", folder / name, "--proba")
    preds = pyarrow.parquet.read_table(folder / "whole.parquet")
    assert pyarrow.parquet.read_table(folder / "resumed.parquet").equals(preds)
    for name in ("metrics.json", "transfer.json"):
        assert (out / name).read_bytes() == (whole / name).read_bytes()


def kill_when(reached: Callable[[], bool], command: list[str]) -> None:
    """Runs a command and kills it, without any warning, as soon as it has come so far."""
    # As many threads as the tests have: sums of more threads differ in the last bit.
    one_thread = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, env=one_thread, stderr=subprocess.PIPE) as process:
        end = time.monotonic() + 120
        while not reached() and process.poll() is None and time.monotonic() < end:
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        assert process.stderr is not None
        printed = process.stderr.read().decode()
    assert process.returncode == -signal.SIGKILL, printed
