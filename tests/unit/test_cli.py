"""The command line: help with examples, errors in plain words, what verbs pass on and print."""

import json
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest
from typer.testing import CliRunner, Result

from superpose import Superpose
from superpose.cli import app, main
from superpose.config import Config, load_config
from superpose.data import BUNDLED, infer_schema, read_table, write_table
from superpose.models import load_folder, save_folder
from superpose.record import RunRecord, TargetRecord

VERBS = ["demo", "init", "check", "train", "evaluate", "predict", "report", "fusions"]
N = 80
TABLE = pa.table(
    {
        "x": [i * 7 % 31 + 0.5 for i in range(N)],
        "word": ["a", "b", "c", "d"] * (N // 4),
        "same": [1.0] * N,
        "y": [i * 7 % 31 * 2.0 + i % 3 for i in range(N)],
        "on": ["no", "yes"] * (N // 2),
    }
)


def run(*args: object) -> Result:
    return CliRunner().invoke(app, [str(arg) for arg in args])


def succeed(*args: object) -> str:
    result = run(*args)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder of its own with a table, so that commands can be typed as in the help."""
    monkeypatch.chdir(tmp_path)
    write_table(TABLE, tmp_path / "table.csv")
    return tmp_path


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of one epoch."""
    out = tmp_path_factory.mktemp("trained") / "first"
    model = Superpose(
        ["y", "on"],
        references="none",
        model={"width": 8, "members": 1},
        training={"epochs": 1},
        proof={"folds": 2, "repeats": 1},
    )
    model.fit(TABLE, out=out)
    return out


# Help.


@pytest.mark.parametrize("verb", VERBS)
def test_help_of_a_verb_has_examples_that_can_be_typed(verb: str) -> None:
    output = succeed(verb, "--help")
    assert "Example" in output
    assert f"\n   superpose {verb}" in output


def test_help_names_every_verb_and_where_to_start() -> None:
    for args in ((), ("-h",), ("--help",)):
        output = run(*args).output
        assert all(verb in output for verb in VERBS)
        assert "superpose demo" in output


def test_nothing_heavy_is_imported_before_a_verb_runs() -> None:
    code = (
        "import sys, superpose.cli, superpose.__main__\n"
        "heavy = {'torch', 'numpy', 'pyarrow', 'pydantic', 'sklearn', 'narwhals'}\n"
        "print(sorted(heavy & sys.modules.keys()))"
    )
    output = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert output.stdout.strip() == "[]"


def test_the_module_runs_as_the_command_does() -> None:
    command = [sys.executable, "-m", "superpose", "--version"]
    output = subprocess.run(command, capture_output=True, text=True, check=True)
    assert output.stdout == succeed("--version")


# Errors.


NO_TARGET = "--targets: no target is named; allowed: columns of the table, separated by commas"
COLUMNS = "allowed: the columns x, word, same, y, on"
# The message of each wrong command; a few go on with what to look at, which depends on the machine.
ERRORS = {
    "demo hart": (
        "bundled data: 'hart' given; allowed: air, machine, heart; did you mean 'heart'?"
    ),
    "demo --references tree": (
        "proof.references: 'tree' given; allowed: all, none, trees, network; did you mean 'trees'?"
    ),
    "init table.csv": f"{NO_TARGET}; for example: superpose init table.csv --targets a,b",
    "init tabel.csv --targets y": "tabel.csv: no such file; did you mean 'table.csv'?",
    "init table.csv --targets z": f"targets[0]: column 'z' is not in the table; {COLUMNS}",
    "check none.yaml": "none.yaml: no such file",
    "check bad.yaml": (
        "3 faults:\n"
        "  - bad.yaml:1: targets: the key is missing; add it\n"
        "  - bad.yaml:1: targts: unknown key; allowed: data, sources, targets, groups, "
        "ignore, inputs, windows, split, "
        "model, training, balance, proof, deploy, seed; did you mean 'targets'?\n"
        "  - bad.yaml:2: seed: 'x' given; allowed: a whole number"
    ),
    "check dataless.yaml": (
        "dataless.yaml:1: data: no table is named; add `data:` with the path of the table"
    ),
    "check twice.yaml": (
        "2 faults:\n"
        f"  - twice.yaml:2: targets[0]: column 'z' is not in the table; {COLUMNS}\n"
        "  - twice.yaml:3: targets[1]: target 'same' is constant: every labelled row is 1; "
        "allowed: at least 2 different labels; take it out, or give rows with another label"
    ),
    "check table.csv": f"{NO_TARGET}; for example: superpose check table.csv --targets a,b",
    "train table.csv --targets on --positive yes": (
        "--positive: 'yes' given; allowed: NAME=CLASS, NAME one of on; "
        "for example: --positive on=yes"
    ),
    "check table.csv --targets on --positive on=Yes": (
        "targets[0]: target 'on': positive: 'Yes' given; allowed: no, yes; did you mean 'yes'?"
    ),
    "check https://a.org/t.csv --targets y": (
        "https://a.org/t.csv: an address given; nothing is read from or written to the net; "
        "allowed: a path on this machine; download the file or mount its folder, and name its path"
    ),
    "train table.csv": f"{NO_TARGET}; for example: superpose train table.csv --targets a,b",
    "train table.csv --targets y --split tme": (
        "split.by: 'tme' given; allowed: random, stratified, group, time, column; "
        "did you mean 'time'?"
    ),
    "train table.csv --targets y --split time": (
        "split.column: no column given for a split by time; "
        "add `column:` with the name of the date or time column"
    ),
    "train good.yaml --targets y --split random": (
        "--targets, --split: given beside a settings file; write it into good.yaml"
    ),
    "train good.yaml --references al --seed -1": (
        "2 faults:\n"
        "  - proof.references: 'al' given; allowed: all, none, trees, network; "
        "did you mean 'all'?\n"
        "  - seed: -1 given; allowed: 0 or more"
    ),
    "train good.yaml --out taken": "taken: the folder exists; name another, or remove it",
    "train good.yaml --out new --resume": ("new: there is no run to resume; leave out `resume`"),
    "train good.yaml --out stopped": (
        "stopped: the folder exists; name another, or remove it; `--resume` continues it"
    ),
    "evaluate nowhere table.csv": "nowhere: no such folder; name a folder that superpose saved",
    "evaluate stopped table.csv": "stopped: this run has not ended; `--resume` continues it",
    "predict nowhere table.csv --out p.csv": (
        "nowhere: no such folder; name a folder that superpose saved"
    ),
    "report taken": "taken: no manifest.json in it; name a folder that superpose saved",
}


@pytest.mark.parametrize("command", ERRORS)
def test_a_fault_is_named_in_plain_words(folder: Path, command: str) -> None:
    settings = {
        "bad": "targts: [y]\nseed: x\n",
        "dataless": "targets: [y]\n",
        "twice": "targets:\n  - z\n  - same\ndata: table.csv\n",
        "good": "targets: [y]\ndata: table.csv\n",
    }
    for name, content in settings.items():
        (folder / f"{name}.yaml").write_text(content)
    (folder / "taken").mkdir()
    (folder / "taken" / "thesis.txt").write_text("precious")
    (folder / "stopped" / "work").mkdir(parents=True)
    before = sorted(folder.rglob("*"))
    result = run(*command.split())
    assert result.exit_code == 2
    assert f"error: {ERRORS[command]}" in result.stderr
    assert "Traceback" not in result.output
    assert sorted(folder.rglob("*")) == before, "a refused command leaves nothing behind"


def test_a_table_with_faults_leaves_the_run_folder_free(folder: Path) -> None:
    result = run("train", "table.csv", "--targets", "y,same", "--out", "runs/first")
    assert result.exit_code == 2
    assert "target 'same' is constant" in result.stderr
    assert not (folder / "runs").exists()


@pytest.mark.parametrize(
    ("args", "text"),
    [
        (["chek"], "No such command 'chek'. Did you mean 'check'?"),
        (["fit", "t.csv"], "No such command 'fit'. Did you mean 'train'?"),
        (["train"], "Missing argument 'SOURCE'"),
        (["train", "t.csv", "--seed", "one"], "Invalid value for '--seed'"),
    ],
)
def test_a_wrong_command_has_the_same_exit_code(args: list[str], text: str) -> None:
    result = run(*args)
    assert result.exit_code == 2
    assert text in result.stderr


@pytest.mark.parametrize("args", [["--debug", "demo", "hart"], ["demo", "hart", "--debug"]])
def test_debug_shows_the_traceback_wherever_it_stands(args: list[str]) -> None:
    result = run(*args)
    assert result.exit_code == 2
    assert "Traceback (most recent call last)" in result.stderr
    assert result.stderr.splitlines()[-1].startswith("error: bundled data: 'hart' given")


def test_a_defect_is_not_disguised_as_the_users_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("superpose.config.load_config", lambda path: 1 / 0)
    result = run("check", "superpose.yaml")
    assert isinstance(result.exception, ZeroDivisionError)
    assert result.exit_code == 1


def test_a_python_warning_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(path: Path) -> Config:
        warnings.warn("mind the gap", UserWarning, stacklevel=1)
        return Config.from_arguments(targets="y")

    monkeypatch.setattr("superpose.config.load_config", load)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        assert "Warning: mind the gap\n" in run("check", "superpose.yaml").stderr


# Verbs.


def test_init_writes_settings_that_give_the_same_schema(folder: Path) -> None:
    output = succeed("init", "table.csv", "--targets", "y, on")
    assert "Wrote superpose.yaml. Next: superpose check superpose.yaml" in output
    for word in ("y", "number", "binary", "category", "not used"):
        assert word in output
    config, table = load_config("superpose.yaml"), read_table("table.csv")
    by_hand = Config.from_arguments(targets=["y", "on"])
    kinds = [
        {spec.name: spec.kind for spec in (*schema.inputs, *schema.targets)}
        for schema in (infer_schema(table, config), infer_schema(table, by_hand))
    ]
    assert kinds[0] == kinds[1]
    assert [target.name for target in config.targets] == ["y", "on"]
    again = run("init", "table.csv", "--targets", "y")
    assert again.exit_code == 2
    assert "error: superpose.yaml: the file exists" in again.stderr


def test_targets_may_be_given_once_or_several_times() -> None:
    succeed("init", "table.csv", "--targets", "y", "--targets", "on,word", "--out", "a.yaml")
    assert [target.name for target in load_config("a.yaml").targets] == ["y", "on", "word"]


def test_check_tells_kinds_split_and_warnings_and_trains_nothing(folder: Path) -> None:
    table = TABLE.append_column("copy", TABLE["y"])
    write_table(table, folder / "table.csv")
    succeed("init", "table.csv", "--targets", "y,on")
    before = sorted(folder.rglob("*"))
    output = succeed("check", "superpose.yaml")
    assert "Split: stratified" in output
    assert "\nEvaluated on 10 folds of 68 rows\n" in output
    assert "4 levels" in output, "what the codec has learned of a column"
    assert "Warning: " in output
    assert "'copy'" in output
    assert "No fault was found. Next: superpose train superpose.yaml --out runs/first" in output
    assert sorted(folder.rglob("*")) == before


def test_check_opens_every_image(folder: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    image.new("RGB", (8, 8)).save(folder / "good.png")
    (folder / "bad.png").write_text("no image")
    files = ["good.png"] * (N - 1) + ["bad.png"]
    write_table(TABLE.append_column("photo", pa.array(files)), folder / "table.csv")
    (folder / "superpose.yaml").write_text(
        "data: table.csv\ntargets: [y]\ninputs: [{name: photo, kind: image}, x]\n"
    )
    result = run("check", "superpose.yaml")
    assert result.exit_code == 2
    assert f"row {N - 1}" in result.stderr
    assert "bad.png" in result.stderr


@pytest.fixture
def requested(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What a command asks the public class to do, without doing it."""
    requested: dict[str, Any] = {}

    def fit(self: Superpose, source: Any, **options: Any) -> Superpose:
        requested.update(config=self.config, source=source, **options)
        self.record = RunRecord(targets={"y": TargetRecord("y")}, warnings=["two rows are equal"])
        return self

    monkeypatch.setattr(Superpose, "fit", fit)
    return requested


def test_train_takes_a_table_and_targets(requested: dict[str, Any]) -> None:
    result = run("train", "table.csv", "--targets", "y,on", "--split", "group",
                 "--split-column", "word", "--references", "trees", "--seed", "3")  # fmt: skip
    assert result.exit_code == 0, result.output
    config = requested["config"]
    assert [target.name for target in config.targets] == ["y", "on"]
    assert (config.split.by, config.split.column) == ("group", "word")
    assert (config.proof.references, config.seed, config.data) == ("trees", 3, "table.csv")
    assert requested["out"] == Path("runs/table")
    assert not requested["resume"]
    assert requested["command"].startswith("superpose train table.csv --targets y,on --split group")
    assert "Warning: two rows are equal" in result.stderr
    assert "peak memory" in result.stdout
    assert "Report: runs/table/report.html" in result.stdout


def test_train_takes_settings_and_what_the_command_says_goes_first(
    requested: dict[str, Any],
) -> None:
    Path("own.yml").write_text("targets: [y]\ndata: table.csv\nseed: 5\nproof: {alpha: 0.1}\n")
    succeed("train", "own.yml", "--out", "runs/a", "--resume", "--references", "network")
    config = requested["config"]
    assert (config.seed, config.proof.alpha, config.proof.references) == (5, 0.1, "network")
    assert config.data_path == Path("table.csv")
    assert requested["resume"]
    assert requested["out"] == Path("runs/a")
    succeed("train", "own.yml", "--seed", "0")
    assert requested["config"].seed == 0
    assert requested["out"] == Path("runs/own")


def test_a_demo_tells_what_was_inferred_in_two_lines(requested: dict[str, Any]) -> None:
    output = succeed("demo", "heart", "--references", "none").splitlines()
    assert output[0].startswith("inputs:  5 category (hospital,")
    assert output[0].endswith(" of 920 rows")
    assert output[1] == "targets: 1 binary (disease), 1 ordinal (severity)"
    assert requested["out"] == Path("runs/demo-heart")
    assert requested["config"] == BUNDLED["heart"].config(references="none")


def test_a_demo_replaces_only_an_earlier_demo_of_its_own(requested: dict[str, Any]) -> None:
    out = Path("runs/demo-heart")
    mine = {
        "an earlier demo": BUNDLED["heart"].config(seed=9).to_yaml(),
        "another demo": BUNDLED["machine"].config().to_yaml(),
        "a run on one's own table": BUNDLED["heart"].config(data="table.csv").to_yaml(),
        "something else": None,
    }
    for what, settings in mine.items():
        out.mkdir(parents=True, exist_ok=True)
        (out / "note.txt").write_text("kept")
        (out / "superpose.yaml").unlink(missing_ok=True)
        if settings is not None:
            (out / "superpose.yaml").write_text(settings)
        succeed("demo", "heart")
        assert out.exists() == (what != "an earlier demo"), what
    (out / "superpose.yaml").write_text(mine["an earlier demo"] or "")
    succeed("demo", "heart", "--out", out)
    assert out.exists(), "a folder that is named is never removed"


def test_evaluate_prints_a_table_or_json(folder: Path, trained: Path) -> None:
    output = succeed("evaluate", trained, "table.csv")
    for word in ("y", "on", "rmse", "coverage", "auc", "score: 1 is perfect"):
        assert word in output
    metrics = json.loads(succeed("evaluate", trained, "table.csv", "--json"))
    assert set(metrics) == {"y", "on"}
    # One class only: an area under the curve is not defined, and JSON says null.
    write_table(TABLE.take(list(range(0, N, 2))), folder / "half.csv")
    assert json.loads(succeed("evaluate", trained, "half.csv", "--json"))["on"]["auc"] is None


def test_evaluate_wants_labels(folder: Path, trained: Path) -> None:
    write_table(TABLE.select(["x", "word"]), folder / "new.csv")
    result = run("evaluate", trained, "new.csv")
    assert result.exit_code == 2
    assert result.stderr == (
        "error: labels: only the columns x, word; allowed: at least one of the targets y, on; "
        "name a table with labels\n"
    )


def test_predict_writes_what_the_model_says(folder: Path, trained: Path) -> None:
    write_table(TABLE.select(["word", "x"]), folder / "new.csv")
    output = succeed("predict", trained, "new.csv", "--out", "p.parquet")
    assert output == f"Wrote p.parquet: {N} rows, columns y, y_low, y_high, on, on_set\n"
    model = Superpose.load(trained)
    assert pyarrow.parquet.read_table("p.parquet").equals(model.predict("new.csv"))
    succeed("predict", trained, "new.csv", "--out", "p.csv", "--proba")
    names = read_table("p.csv").column_names
    assert names[:5] == ["y", "y_low", "y_high", "on", "on_set"]
    assert {"on=no", "on=yes"} <= set(names)
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("args", "text"),
    [
        (["new.csv", "--out", "p.xlsx"], "p.xlsx: unknown format (.xlsx)"),
        (["nwe.csv", "--out", "p.csv"], "nwe.csv: no such file; did you mean 'new.csv'?"),
        (["short.csv", "--out", "p.csv"], "'word'"),
    ],
)
def test_predict_tells_what_it_can_not_read_or_write(
    folder: Path, trained: Path, args: list[str], text: str
) -> None:
    write_table(TABLE.select(["x", "word"]), folder / "new.csv")
    write_table(TABLE.select(["x"]), folder / "short.csv")
    result = run("predict", trained, *args)
    assert result.exit_code == 2
    assert text in result.stderr
    assert not list(folder.glob("p.*"))


def test_predict_does_not_overwrite_the_table_it_reads(folder: Path, trained: Path) -> None:
    write_table(TABLE.select(["word", "x"]), folder / "new.csv")
    before = (folder / "new.csv").read_bytes()
    result = run("predict", trained, "new.csv", "--out", "./new.csv")
    assert result.exit_code == 2
    assert "given both as the table and for the predictions" in result.stderr
    assert (folder / "new.csv").read_bytes() == before


def test_report_is_written_and_opened(
    folder: Path, trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    assert succeed("report", trained, "--out", "own.html") == "Wrote own.html\n"
    assert opened == []
    assert "<html" in Path("own.html").read_text(encoding="utf-8")
    succeed("report", trained, "--open")
    assert opened == [(trained / "report.html").resolve().as_uri()]


# The rest.


def test_main_is_the_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["superpose", "demo", "hart"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2


def test_a_bundle_whose_parts_do_not_fit_is_refused(trained: Path, folder: Path) -> None:
    faults = {
        ("config", "depth"): "bundle: config: depth: extra",
        ("record", "targets"): "bundle: record: targets.",
        ("model", "codec"): "its parts do not fit",
    }
    for (part, key), fault in faults.items():
        parts, arrays = load_folder(trained / "bundle")
        parts[part][key] = 3 if part == "config" else []
        save_folder(folder / "changed", parts, arrays)
        result = run("evaluate", folder / "changed", "table.csv")
        assert result.exit_code == 2
        assert f"changed: {fault}" in result.stderr
        assert "copy or save it again" in result.stderr


def test_what_this_machine_lacks_is_noted_before_a_run_folder_is_made(folder: Path) -> None:
    text = "data: table.csv\ntargets: [y]\ntraining: {device: cuda}\n"
    (folder / "s.yaml").write_text(text, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("torch.cuda.is_available", lambda: False)
        result = run("train", "s.yaml", "--out", "first")
    assert result.exit_code == 2
    assert "error: training.device: 'cuda' given; this machine has no GPU" in result.stderr
    assert not (folder / "first").exists()
