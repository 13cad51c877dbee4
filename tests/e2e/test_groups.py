"""Groups by the command line: look-ahead finds the planted ones, a search evaluates, a run trains.

The table is planted: three targets follow one part of the inputs, three another, in an order that
mixes them.
"""

import json
from itertools import takewhile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import yaml
from typer.testing import CliRunner

from superpose import Superpose
from superpose.cli import app
from superpose.data import read_table, write_table

TARGETS = ["dust", "load", "haze", "flow", "alarm", "fault"]
GROUPS = [["dust", "haze", "alarm"], ["load", "flow", "fault"]]
SETTINGS = """\
data: table.csv
targets: [dust, load, haze, flow, alarm, fault]
model: {width: 32, members: 2, state: 8, rank: 4, embedding: 4}
training: {epochs: 8, batch_size: 32}
proof: {references: network, folds: 3}
"""


def run(*args: object) -> str:
    """Runs a command that has to succeed, and returns what it printed."""
    result = CliRunner().invoke(app, [str(arg) for arg in args])
    assert result.exit_code == 0, result.output
    return result.stdout


def planted(rows: int = 400) -> pa.Table:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows, 6))
    parts = {"air": x[:, 0] * x[:, 1] + np.sin(2 * x[:, 2]), "engine": np.abs(x[:, 3]) - x[:, 4]}
    columns = {f"x{i}": x[:, i] for i in range(6)}
    for part, names in zip(parts.values(), GROUPS, strict=True):
        for k, name in enumerate(names):
            y = (1 + k) * part + 0.2 * rng.normal(size=rows)
            columns[name] = np.where(y > np.median(y), "on", "off") if k == 2 else y
    return pa.table(columns)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("groups")
    write_table(planted(), folder / "table.csv")
    (folder / "superpose.yaml").write_text(SETTINGS, encoding="utf-8")
    run("train", folder / "superpose.yaml", "--out", folder / "first")
    return folder


@pytest.fixture(scope="module")
def pasted(folder: Path) -> list[list[str]]:
    """The groups that look-ahead suggests, pasted into the settings of a second run."""
    printed = run("affinity", folder / "first", "--epochs", "5")
    block = takewhile(
        lambda line: line.startswith(" "), printed[printed.index("groups:") :].splitlines()[1:]
    )
    lines = ["groups:", *block]
    settings = folder / "grouped.yaml"
    settings.write_text(SETTINGS + "\n".join(lines) + "\n", encoding="utf-8")
    run("train", settings, "--out", folder / "second")
    return yaml.safe_load("\n".join(lines))["groups"]


@pytest.mark.slow
def test_the_planted_groups_are_suggested(folder: Path, pasted: list[list[str]]) -> None:
    # How finely a family is divided hangs on the seed; that none is mixed with the other does not.
    assert pasted[0] == GROUPS[0]
    assert all(set(group) <= set(GROUPS[1]) for group in pasted[1:])
    assert (folder / "first" / "affinity.svg").exists()


@pytest.mark.slow
def test_a_grouped_run_shares_inside_the_groups_only(folder: Path, pasted: list[list[str]]) -> None:
    transfer = json.loads((folder / "second" / "transfer.json").read_text(encoding="utf-8"))
    shared = {row["target"]: row["shares_with"] for row in transfer}
    for target, others in shared.items():
        own = next(group for group in pasted if target in group)
        assert others == [name for name in own if name != target]
    page = (folder / "second" / "report.html").read_text(encoding="utf-8")
    assert "It shares its network with haze and alarm." in page
    weights = Superpose.load(folder / "second").record.attention.weights
    group_of = [next(n for n, group in enumerate(pasted) if t in group) for t in TARGETS]
    inside = np.equal.outer(group_of, group_of)
    assert weights[~inside].sum() == 0
    assert weights[inside].sum() > 0


@pytest.mark.slow
def test_a_grouped_run_predicts_from_its_bundle_and_uses_what_is_measured(
    folder: Path, pasted: object
) -> None:
    model, table = Superpose.load(folder / "second"), read_table(folder / "table.csv")
    plain = model.predict(table)
    given = model.predict(table, given=["dust"])
    assert plain.equals(Superpose.load(folder / "second" / "bundle").predict(table))
    assert given["dust"].to_pylist() == table["dust"].to_pylist()


@pytest.mark.slow
def test_a_search_evaluates_what_the_affinities_propose() -> None:
    model = Superpose(
        TARGETS,
        references="none",
        training={"epochs": 4, "batch_size": 64},
        model={"width": 16, "members": 1, "state": 4, "embedding": 4, "given": False},
        proof={"folds": 2},
    ).fit(planted())
    candidates = model.search_groups(folds=2).to_pandas().set_index("name")
    grouping = model.record.grouping
    assert {"all together", "all apart"} <= set(candidates.index)
    assert len(candidates) > 3
    assert candidates["loss"].idxmin() == grouping.winner
    assert grouping.recommended in ("all together", grouping.winner)
    assert [one.name for one in grouping.candidates] == candidates.index.tolist()


def test_a_run_of_a_frame_needs_its_table(tmp_path: Path) -> None:
    table = planted(90)
    model = Superpose(
        ["dust", "load"],
        ignore=TARGETS[2:],
        references="none",
        training={"epochs": 1},
        model={"width": 8, "members": 1},
        proof={"folds": 2},
    ).fit(table)
    model.save(tmp_path / "bundle")
    result = CliRunner().invoke(app, ["affinity", str(tmp_path / "bundle")])
    assert result.exit_code == 2
    message = "error: data: the run does not name its table; pass a frame or a path\n"
    assert result.stderr.endswith(message)
    with pytest.raises(Exception, match="its rows divide into"):
        Superpose.load(tmp_path / "bundle").affinity(table.slice(0, 60))
