"""What is read otherwise than it is written: the same list in init, check, train and the report."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from typer.testing import CliRunner

from superpose import Superpose
from superpose.cli import app
from superpose.errors import DataError

FAST = """
model: {width: 16, members: 2}
training: {epochs: 2}
proof: {references: none}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a table as people have them."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    lines = ["ward,share,cost,group,stay"]
    for row in range(120):
        share, cost = rng.uniform(20, 80), rng.integers(1000, 30_000)
        group = ["A", "B", "NA"][row % 3]
        stay = share / 10 + cost / 5000 + rng.normal()
        lines.append(f'{row % 7:03d},{share:.1f}%,"{cost:,}",{group},{stay:.3f}')
    (tmp_path / "t.csv").write_text("\n".join(lines) + "\n")
    return tmp_path


def run(*args: str) -> str:
    """The output of a command that has to succeed, in one line."""
    done = CliRunner().invoke(app, list(args))
    assert done.exit_code == 0, done.output
    return " ".join(done.output.split())


def test_every_command_and_the_report_print_the_same_list(folder: Path) -> None:
    first = run("init", "t.csv", "--targets", "stay")
    path = Path("superpose.yaml")
    path.write_text(path.read_text().split("model:")[0] + FAST)
    outputs = [first, run("check", "superpose.yaml"), run("train", "superpose.yaml", "--out", "r")]
    model = Superpose.load("r")
    assert len(model.conversions) == 3
    report = (folder / "r" / "report.html").read_text().replace("&#39;", "'").replace("&#34;", '"')
    for sentence in model.conversions:
        assert all(sentence in output for output in outputs)
        assert sentence in report
    heading = "Read differently from what is written"
    assert all(heading in output for output in [*outputs, report])
    assert "120 cells with % read as numbers" in model.conversions[0]
    assert "thousands separators" in model.conversions[1]
    assert "40 cells read as missing (40 'NA')" in model.conversions[2]


def test_a_model_reads_new_cells_as_it_has_read_its_own(folder: Path) -> None:
    model = Superpose("stay", references="none", model={"width": 16, "members": 2},
                      training={"epochs": 2}).fit("t.csv")  # fmt: skip
    head = "ward,share,cost,group\n"
    Path("text.csv").write_text(head + '003,53.2%,"12,300",NA\n')
    Path("plain.csv").write_text(head + "003,53.2 %,12300,\n")
    pred = model.predict("text.csv")
    assert pred.equals(model.predict("plain.csv"))
    numbers = pa.table({"ward": ["003"], "share": [53.2], "cost": [12300], "group": ["NA"]})
    with pytest.warns(UserWarning, match="column 'share': numbers without a unit are read as in %"):
        assert model.predict(numbers).equals(pred)
    for cell, reason in (("53.2 kg", "has another unit"), ("53.2", "lacks the unit")):
        Path("other.csv").write_text(head + f"003,{cell},12300,\n")
        with pytest.raises(DataError, match=f"column 'share', row 0: '{cell}' {reason}"):
            model.predict("other.csv")
