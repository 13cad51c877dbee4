"""The verb `affinity`: what it passes on, what it prints, what it refuses."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner, Result

from superpose import Superpose
from superpose.cli import app
from superpose.config import groups_text, load_config
from superpose.record import AffinityRecord, CandidateRecord, GroupingRecord, RunRecord

GROUPS = [["no2", "co"], ["NO"]]
TARGETS = ["no2", "co", "NO"]
FOUND = AffinityRecord(
    targets=TARGETS,
    lookahead=np.array([[0, 0.1, 0], [0.1, 0, 0], [0, 0, 0]]),
    cosine=np.eye(3),
    residual=None,
    bits=None,
    single_task=True,
    run_groups=[],
    groups=GROUPS,
    n_looks=5,
    n_networks=1,
    n_epochs=10,
)


def run(*args: object) -> Result:
    return CliRunner().invoke(app, [str(arg) for arg in args])


def succeed(*args: object) -> str:
    result = run(*args)
    assert result.exit_code == 0, result.output
    return result.stdout


def candidate(name: str, groups: list[list[str]], loss: float, gain: float) -> CandidateRecord:
    return CandidateRecord(name, groups, loss, 0.01, gain, gain_error=1.0, gains=[gain] * 3)


class Model:
    """Stands for a trained model and keeps what it was asked."""

    def __init__(self) -> None:
        self.record = RunRecord()
        self.asked: dict[str, Any] = {}
        self.recommended = "all apart"

    def affinity(self, source: Any, epochs: int, progress: Any) -> None:
        self.asked["affinity"] = (source, epochs)
        self.record = replace(self.record, affinity=FOUND)

    def search_groups(self, source: Any, folds: int, progress: Any) -> None:
        self.asked["search"] = (source, folds)
        together, apart = "all together", "all apart"
        result = GroupingRecord(
            targets=TARGETS,
            candidates=[
                candidate(together, [TARGETS], 0.5, 0.0),
                candidate(apart, [["no2"], ["co"], ["NO"]], 0.4, 20.0),
            ],
            winner=apart,
            recommended=self.recommended,
            n_folds=folds,
            n_rows=90,
        )
        self.record = replace(self.record, grouping=result)


@pytest.fixture(autouse=True)
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Model:
    """A model in place of the one that would be loaded, and a run whose settings name a table."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "first").mkdir()
    settings = "data: ../table.csv\ntargets: [no2, co, 'NO']\n"
    (tmp_path / "first" / "superpose.yaml").write_text(settings, encoding="utf-8")
    fake = Model()
    monkeypatch.setattr(Superpose, "load", lambda path: fake)
    return fake


def block(text: str) -> Any:
    """The settings that can be pasted, as they are read."""
    lines = text[text.index("groups:") :].splitlines()
    return yaml.safe_load("\n".join([lines[0], *(one for one in lines[1:] if one[:3] == "  -")]))


def test_help_has_examples_that_can_be_typed() -> None:
    output = succeed("affinity", "--help")
    assert "Example" in output
    assert "\n   superpose affinity runs/first" in output
    assert "affinity" in succeed("--help")


def test_the_table_is_the_one_that_the_run_names(model: Model) -> None:
    succeed("affinity", "first")
    assert model.asked == {"affinity": (Path("first/../table.csv"), 10)}


def test_a_table_can_be_named_and_options_are_passed_on(model: Model) -> None:
    succeed("affinity", "first", "other.csv", "--epochs", "4", "--search", "--folds", "3")
    assert model.asked == {"affinity": (Path("other.csv"), 4), "search": (Path("other.csv"), 3)}


def test_a_bundle_has_no_settings_to_name_a_table(model: Model) -> None:
    Path("first/superpose.yaml").unlink()
    succeed("affinity", "first")
    assert model.asked["affinity"] == (None, 10)


def test_the_suggestion_can_be_pasted_and_is_called_one() -> None:
    output = succeed("affinity", "first")
    assert block(output) == {"groups": GROUPS}
    assert "Look-ahead suggests 2 groups; NO stands alone." in output
    assert "It is a suggestion. What it is worth is found by --search." in output


def test_a_search_prints_the_groups_that_it_recommends(model: Model) -> None:
    output = succeed("affinity", "first", "--search")
    assert model.asked["search"][1] == 5
    assert block(output) == {"groups": [["no2"], ["co"], ["NO"]]}
    assert "The best is all apart" in output
    assert "It is a suggestion" not in output


def test_where_all_together_is_recommended_there_is_nothing_to_paste(model: Model) -> None:
    model.recommended = "all together"
    output = succeed("affinity", "first", "--search")
    assert "the recommendation is all together, which is the default" in output
    assert "groups:" not in output


def test_the_picture_lies_in_the_run_or_where_the_option_says() -> None:
    assert f"Wrote {Path('first/affinity.svg')}" in succeed("affinity", "first")
    assert Path("first/affinity.svg").read_text(encoding="utf-8").startswith("<svg")
    succeed("affinity", "first", "--out", "other.svg")
    assert Path("other.svg").exists()


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ("--folds 3", "--folds: given without --search; add --search, or leave it out"),
        ("--out map.png", "--out: 'map.png' given; allowed: a file that ends in .svg"),
    ],
)
def test_affinity_refuses(model: Model, options: str, text: str) -> None:
    result = run("affinity", "first", *options.split())
    assert result.exit_code == 2
    assert f"error: {text}" in result.stderr
    assert model.asked == {}


def test_any_name_survives_the_way_through_the_settings(tmp_path: Path) -> None:
    names = ["no", "2020", "a, b", "汽车", "- x", "'q'", "#5", "null", "x" * 200]
    file = tmp_path / "superpose.yaml"
    listed = yaml.safe_dump({"targets": names}, allow_unicode=True)
    file.write_text(listed + groups_text([names[:4], names[4:]]), encoding="utf-8")
    assert load_config(file).groups == [names[:4], names[4:]]
