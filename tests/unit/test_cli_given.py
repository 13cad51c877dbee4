"""The command line of measured targets: what verbs pass on, what they print, what they refuse."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from typer.testing import CliRunner, Result

from superpose import Superpose, SuperposeError
from superpose.cli import app
from superpose.cli._screen import recommendation
from superpose.config import Config
from superpose.data import read_table, write_table
from superpose.record import EntanglementRecord, RunRecord

TABLE = pa.table({"x": [0.5, 1.5, 2.5], "no2": [4.0, None, 6.0], "co": [1.0, 2.0, 3.0]})
PAIRS = dict.fromkeys(("bits", "low", "high", "null", "p", "both"), np.full((2, 2), 0.4))
SINGLE = dict.fromkeys(("total", "total_low", "total_high", "n"), np.full(2, 0.4))
FOUND = EntanglementRecord(["no2", "co"], **PAIRS, **SINGLE, rows=3)


def run(*args: object) -> Result:
    return CliRunner().invoke(app, [str(arg) for arg in args])


def succeed(*args: object) -> str:
    result = run(*args)
    assert result.exit_code == 0, result.output
    return result.stdout


class Model:
    """Stands for a trained model and keeps what it was asked."""

    def __init__(self) -> None:
        self.record = RunRecord(entanglement=FOUND)
        self.config = Config.from_arguments(targets=["pm25", "level"])
        self.asked: dict[str, Any] = {}
        self.kinds: dict[str, Any] = {}

    def predict(self, source: Any, given: Any = None, *, proba: bool = False) -> pa.Table:
        self.asked["predict"] = given
        self.asked["proba"] = proba
        shares = {"level=good": [0.1, 0.2, 0.3]} if proba else {}
        return pa.table({"pm25": [1.0, 2.0, 3.0], **shares})

    def evaluate(self, source: Any, given: Any = None) -> dict[str, dict[str, float]]:
        self.asked["evaluate"] = given
        return {"pm25": {"rmse": 2.0, "score": 0.5}}

    def entanglement_record(self, source: Any = None, permutations: int = 10) -> Any:
        if source is None and self.record.entanglement is None:
            raise SuperposeError("entanglement: the run has measured none")
        if source is None:
            return self.record.entanglement
        self.asked["entangle"] = (str(source), permutations)
        return replace(FOUND, rows=99)

    def next_measurement(
        self, source: pa.Table, want: Any, given: Any, cost: Any, candidates: Any
    ) -> pa.Table:
        self.asked["measure"] = (source.num_rows, want, given, cost, candidates)
        price = (cost or {}).get("co", 1.0)
        return pa.Table.from_pylist(
            [
                {"row": row, "rank": rank, "measure": name, "bits": bits, "cost": price,
                 "bits_per_cost": bits / price}
                for row in range(source.num_rows)
                for rank, (name, bits) in enumerate([("co", 0.5), ("[red]", 0.25)], start=1)
            ]
        )  # fmt: skip


@pytest.fixture(autouse=True)
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Model:
    """A model in place of the one that would be loaded, and a working folder with a table."""
    monkeypatch.chdir(tmp_path)
    write_table(TABLE, tmp_path / "table.csv")
    (tmp_path / "first").mkdir()
    fake = Model()
    monkeypatch.setattr(Superpose, "load", lambda path: fake)
    return fake


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was printed as a table; the picture is its number of rows."""
    shown: list[Any] = []
    monkeypatch.setattr("superpose.report.entanglement_table", shown.append, raising=False)
    picture = lambda result: f"<svg>{result.rows}</svg>"  # noqa: E731
    monkeypatch.setattr("superpose.report.entanglement_picture", picture, raising=False)
    return shown


# Help.


@pytest.mark.parametrize("verb", ["entanglement", "measure"])
def test_help_of_a_verb_has_examples_that_can_be_typed(verb: str) -> None:
    output = succeed(verb, "--help")
    assert "Example" in output
    assert f"\n   superpose {verb}" in output
    assert verb in succeed("--help")


# Given.


@pytest.mark.parametrize(
    ("options", "given"),
    [
        ([], None),
        (["--given", "no2,co"], ["no2", "co"]),
        (["--given", "no2", "--given", " co , "], ["no2", "co"]),
        (["--given", "auto"], "auto"),
    ],
)
def test_given_is_passed_on(model: Model, options: list[str], given: Any) -> None:
    succeed("predict", "first", "table.csv", "--out", "p.csv", "--proba", *options)
    succeed("evaluate", "first", "table.csv", *options)
    assert model.asked == {"predict": given, "proba": True, "evaluate": given}
    assert read_table("p.csv").column_names == ["pm25", "level=good"]


def test_predictions_without_a_file_are_printed_as_csv(model: Model) -> None:
    assert succeed("predict", "first", "table.csv", "--given", "co") == '"pm25"\n1\n2\n3\n'


def test_given_has_to_name_something() -> None:
    result = run("predict", "first", "table.csv", "--out", "p.csv", "--given", ",")
    assert result.exit_code == 2
    message = "error: --given: no target is named; allowed: targets, separated by commas, or auto\n"
    assert result.stderr == message


# Entanglement.


def test_entanglement_shows_what_the_run_has_measured(model: Model, shown: list[Any]) -> None:
    output = succeed("entanglement", "first")
    assert shown == [FOUND]
    assert "Wrote first/entanglement.svg" in output
    assert Path("first/entanglement.svg").read_text(encoding="utf-8") == "<svg>3</svg>"
    assert "entangle" not in model.asked, "nothing is measured anew"


def test_entanglement_is_measured_on_a_table(model: Model, shown: list[Any]) -> None:
    output = succeed("entanglement", "first", "table.csv", "--out", "own.SVG")
    assert model.asked["entangle"] == ("table.csv", 10)
    assert "Wrote own.SVG" in output
    assert Path("own.SVG").read_text(encoding="utf-8") == "<svg>99</svg>"
    assert not Path("first/entanglement.svg").exists()
    succeed("entanglement", "first", "table.csv", "--permutations", "50")
    assert model.asked["entangle"] == ("table.csv", 50)
    assert Path("first/entanglement.svg").exists()


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (
            ["--permutations", "5"],
            "error: --permutations: given without a table; name a table with labels, or leave it "
            "out\n",
        ),
        (["--out", "p.png"], "error: --out: 'p.png' given; allowed: a file that ends in .svg\n"),
        (["table.csv", "--permutations", "0"], "Invalid value for '--permutations'"),
    ],
)
def test_entanglement_refuses(shown: list[Any], options: list[str], text: str) -> None:
    result = run("entanglement", "first", *options)
    assert result.exit_code == 2
    assert text in result.stderr
    assert not list(Path().rglob("*.svg"))


def test_entanglement_says_where_the_run_has_measured_none(model: Model, shown: list[Any]) -> None:
    model.record = RunRecord()
    result = run("entanglement", "first")
    assert result.exit_code == 2
    assert "error: entanglement: the run has measured none" in result.stderr
    assert not list(Path().rglob("*.svg"))


# What to measure next.


def test_measure_prints_the_ranks_and_one_sentence(model: Model) -> None:
    output = succeed("measure", "first", "table.csv", "--want", "pm25, pm10")
    assert model.asked["measure"] == (3, ["pm25", "pm10"], "auto", {}, None)
    lines = [line.split() for line in output.splitlines()]
    assert lines[0] == ["row", "measure", "next", "expected", "bits"]
    assert lines[1:4] == [["0", "co", "0.500"], ["[red]", "0.250"], ["1", "co", "0.500"]]
    assert (
        "Row 0. Measure co next: it is expected to tell 0.50 bits about pm25 and pm10, "
        "twice as much as [red]." in output
    )


def test_measure_passes_everything_on(model: Model) -> None:
    output = succeed(
        "measure", "first", "table.csv", "--want", "pm25", "--given", "no2", "--candidates",
        "co,o3", "--cost", "co=0.5,o3=3", "--cost", "pm10=2e1",
    )  # fmt: skip
    prices = {"co": 0.5, "o3": 3.0, "pm10": 20.0}
    assert model.asked["measure"] == (3, ["pm25"], ["no2"], prices, ["co", "o3"])
    assert "bits per cost" in output
    assert "for a cost of 0.5, twice as much per unit of cost as [red]" in output


def test_measure_shows_some_rows_and_writes_all(model: Model) -> None:
    output = succeed("measure", "first", "table.csv", "--want", "pm25", "--rows", "2")
    assert model.asked["measure"][0] == 2, "rows that are not shown are not computed"
    assert output.count("co ") == 3, "one line a row, and the sentence"
    assert "2 of 3 rows are shown; `--rows N` shows more." in output
    output = succeed("measure", "first", "table.csv", "--want", "pm25", "--rows", "1",
                   "--out", "advice.csv")  # fmt: skip
    columns = "row, rank, measure, bits, cost, bits_per_cost"
    assert f"Wrote advice.csv: 6 rows, columns {columns}" in output
    assert read_table("advice.csv")["row"].to_pylist() == [0, 0, 1, 1, 2, 2]


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (
            "",
            "--want: no target is named; allowed: targets of the model, separated by commas; "
            "for example: superpose measure first table.csv --want a,b",
        ),
        (
            "--want pm25 --cost co",
            "--cost: 'co' given; allowed: NAME=NUMBER, separated by commas; "
            "for example: --cost pm10=3,co=0.5",
        ),
        ("--want pm25 --cost co=cheap", "--cost: 'co=cheap' given; allowed: NAME=NUMBER"),
        ("--want pm25 --cost =3", "--cost: '=3' given; allowed: NAME=NUMBER"),
        ("--want pm25 --cost co=1,co=2", "--cost: 'co' stands twice; remove one"),
        (
            "--want pm25 --out ./table.csv",
            "table.csv: given both as the table and for the advice; name another",
        ),
    ],
)
def test_measure_refuses(model: Model, options: str, text: str) -> None:
    before = Path("table.csv").read_bytes()
    result = run("measure", "first", "table.csv", *options.split())
    assert result.exit_code == 2
    assert f"error: {text}" in result.stderr
    assert model.asked == {}
    assert Path("table.csv").read_bytes() == before


def ranks(*bits: float, cost: float = 1.0) -> list[dict[str, Any]]:
    return [
        {"measure": name, "bits": b, "cost": cost, "bits_per_cost": b / cost}
        for name, b in zip("abc", bits, strict=False)
    ]


@pytest.mark.parametrize(
    ("ranked", "end"),
    [
        (ranks(0.4), "0.40 bits about y."),
        (ranks(0.4, 0.39, 0.1), "0.40 bits about y, about as much as b."),
        (ranks(0.4, 0.2), "0.40 bits about y, twice as much as b."),
        (ranks(0.4, 0.3), "0.40 bits about y, 1.3 times as much as b."),
        (ranks(0.4, 0.01), "0.40 bits about y, 40 times as much as b."),
        (ranks(0.4, 0.0), "0.40 bits about y; b would tell next to nothing."),
        (ranks(0.001, 0.0), "No measurement is expected to tell anything about y."),
    ],
)
def test_the_sentence_compares_the_best_with_the_next(
    ranked: list[dict[str, Any]], end: str
) -> None:
    assert recommendation(ranked, ["y"]).endswith(end)
