"""Measured targets by the command line: predict, evaluate, entanglement, measure on a real run.

The table is planted: two targets share a part that no input has, so each tells much about the
other; a third is a noisy view of it; a fourth has nothing to do with them.
"""

import json
import warnings
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from typer.testing import CliRunner, Result

from superpose import Superpose
from superpose.cli import app
from superpose.data import read_table, write_table

TARGETS = ["dust", "haze", "alarm", "visits"]
ROWS, LEARNED = 360, 280
SETTINGS = """\
data: learn.csv
targets:
  - {name: dust, kind: number}
  - {name: haze, kind: number}
  - {name: alarm, kind: binary}
  - {name: visits, kind: count}
model: {width: 32, members: 2, state: 8, rank: 4, embedding: 4}
training: {epochs: 8, patience: 8, batch_size: 32}
proof: {references: trees, trees: [hist], folds: 2, repeats: 1}
"""


def invoke(*args: object) -> Result:
    return CliRunner().invoke(app, [str(arg) for arg in args])


def run(*args: object) -> str:
    """Runs a command that has to succeed, and returns what it printed."""
    result = invoke(*args)
    assert result.exit_code == 0, result.output
    return result.stdout


def planted() -> pa.Table:
    rng = np.random.default_rng(0)
    x, z, hidden = rng.normal(size=(3, ROWS))
    dust = 20 + 5 * (x + hidden)
    columns = {
        "x": x,
        "z": z,
        "dust": dust,
        "haze": 100 + 6 * (dust - 20) + 5 * rng.normal(size=ROWS),
        "alarm": np.where(x + hidden + 0.8 * rng.normal(size=ROWS) > 0.5, "on", "off"),
        "visits": rng.poisson(np.exp(0.7 + 0.3 * z)),
    }
    # The extremes are learned from, so that no test row warns of values that were never seen.
    numbers = [columns[name] for name in ("dust", "haze", "visits")]
    extremes = {int(row) for y in numbers for row in (y.argmin(), y.argmax())}
    order = sorted(range(ROWS), key=lambda row: row not in extremes)
    return pa.table({name: values[order] for name, values in columns.items()})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run, and rows that it has not seen."""
    folder = tmp_path_factory.mktemp("given")
    table = planted()
    write_table(table.slice(0, LEARNED), folder / "learn.csv")
    write_table(table.slice(LEARNED), folder / "test.csv")
    (folder / "superpose.yaml").write_text(SETTINGS, encoding="utf-8")
    run("train", folder / "superpose.yaml", "--out", folder / "first")
    return folder


def changed(folder: Path, name: str, column: str, values: Sequence[object]) -> Path:
    """The test table with other values in a column."""
    table = read_table(folder / "test.csv")
    index = table.column_names.index(column)
    table = table.set_column(index, column, pa.array(values))
    write_table(table, folder / name)
    return folder / name


def predict(folder: Path, table: Path, *options: str) -> pa.Table:
    run("predict", folder / "first", table, "--out", folder / "p.parquet", *options)
    return read_table(folder / "p.parquet")


def test_labels_are_never_read_without_given(folder: Path) -> None:
    test = read_table(folder / "test.csv")
    pred = predict(folder, folder / "test.csv", "--proba")
    order = np.random.default_rng(1).permutation(test.num_rows)
    permuted = test
    for name in TARGETS:
        index = test.column_names.index(name)
        permuted = permuted.set_column(index, name, test[name].take(order))
    write_table(permuted, folder / "permuted.csv")
    assert predict(folder, folder / "permuted.csv", "--proba").equals(pred)
    write_table(test.select(["z", "x"]), folder / "bare.csv")
    assert predict(folder, folder / "bare.csv", "--proba").equals(pred)
    nonsense = changed(folder, "nonsense.csv", "dust", ["?!"] * test.num_rows)
    assert predict(folder, nonsense, "--proba").equals(pred)
    # Nor does a label that is not named take part where another one is given.
    one = predict(folder, folder / "test.csv", "--given", "alarm")
    assert predict(folder, nonsense, "--given", "alarm").equals(one)
    write_table(test.select(["x", "z", "alarm"]), folder / "alarm.csv")
    assert predict(folder, folder / "alarm.csv", "--given", "auto").equals(one)


def test_a_given_target_comes_back_and_sharpens_the_others(folder: Path) -> None:
    test = read_table(folder / "test.csv")
    pred = predict(folder, folder / "test.csv", "--given", "haze,visits")
    haze = pred["haze"].to_numpy()
    np.testing.assert_array_equal(haze, test["haze"].to_numpy())
    np.testing.assert_allclose(pred["haze_high"].to_numpy(), haze, rtol=1e-6)
    np.testing.assert_allclose(pred["haze_low"].to_numpy(), haze, rtol=1e-6)
    assert pred["visits"].to_pylist() == test["visits"].to_pylist()
    scores = [
        json.loads(run("evaluate", folder / "first", folder / "test.csv", "--json", *options))
        for options in ((), ("--given", "haze,visits"))
    ]
    assert list(scores[0]) == TARGETS
    assert list(scores[1]) == ["dust", "alarm"], "what is given is not scored"
    assert scores[1]["dust"]["rmse"] < 0.6 * scores[0]["dust"]["rmse"]
    errors = pred["dust"].to_numpy() - test["dust"].to_numpy()
    assert np.sqrt(np.mean(errors**2)) == pytest.approx(scores[1]["dust"]["rmse"])


def test_given_values_may_be_missing_row_by_row(folder: Path) -> None:
    test = read_table(folder / "test.csv")
    some = [value if row % 2 else None for row, value in enumerate(test["haze"].to_pylist())]
    gaps = changed(folder, "gaps.csv", "haze", some)
    pred, none, every = (
        predict(folder, table, *options).to_pydict()
        for table, options in (
            (gaps, ("--given", "haze")),
            (folder / "test.csv", ()),
            (folder / "test.csv", ("--given", "haze")),
        )
    )
    for name in pred:
        for row, value in enumerate(pred[name]):
            expected = (every if row % 2 else none)[name][row]
            assert value == (expected if isinstance(value, str) else pytest.approx(expected)), name


def test_entanglement_finds_what_was_planted(folder: Path) -> None:
    measured = run("entanglement", folder / "first", folder / "test.csv", "--permutations", "3",
                   "--out", folder / "own.svg")  # fmt: skip
    printed = run("entanglement", folder / "first")
    for text in (measured, printed):
        assert all(target in text for target in TARGETS)
    assert "Wrote" in printed
    for picture in (folder / "own.svg", folder / "first" / "entanglement.svg"):
        root = ElementTree.parse(picture).getroot()
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        words = " ".join(root.itertext())
        assert all(target in words for target in TARGETS)
    model = Superpose.load(folder / "first")
    pairs = [r for r in model.entanglement().to_pylist() if r["given"] != "all others"]
    strongest = {(pair["given"], pair["about"]) for pair in pairs[:2]}
    assert strongest == {("dust", "haze"), ("haze", "dust")}
    bits = {(pair["given"], pair["about"]): pair["bits"] for pair in pairs}
    assert bits["dust", "haze"] > 0.5
    assert abs(bits["visits", "dust"]) < 0.1


def test_measure_recommends_the_truly_best_target(folder: Path) -> None:
    candidates = ("--candidates", "visits,alarm,haze")
    rows = ("--rows", "3", "--out", folder / "advice.csv")
    test = folder / "test.csv"
    printed = run("measure", folder / "first", test, "--want", "dust", *candidates, *rows)
    assert "Measure haze next: it is expected to tell" in printed
    assert "bits about dust" in printed
    advice = read_table(folder / "advice.csv").to_pydict()
    best = [name for name, rank in zip(advice["measure"], advice["rank"], strict=True) if rank == 1]
    assert best == ["haze"] * (ROWS - LEARNED)
    bits_by = {
        name: np.mean(
            [b for m, b in zip(advice["measure"], advice["bits"], strict=True) if m == name]
        )
        for name in ("alarm", "visits")
    }
    assert bits_by["alarm"] > 2 * bits_by["visits"]
    # At a price that is high enough the second best is better.
    dear = run("measure", folder / "first", folder / "test.csv", "--want", "dust", "--candidates",
               "alarm,haze", "--cost", "haze=1000", "--rows", "1")  # fmt: skip
    assert "Measure alarm next" in dear
    assert "per unit of cost" in dear


TO_P = ("--out", "bad.csv")
HOUSE = "allowed: dust, haze, alarm, visits"
WRONG = {
    "a name that is nearly a target": (
        ("predict", "test.csv", "--given", "haez", *TO_P),
        f"given: 'haez' is no target of this model; {HOUSE}; did you mean 'haze'?",
    ),
    "an input": (
        ("evaluate", "test.csv", "--given", "x"),
        f"given: 'x' is no target of this model; {HOUSE}; give targets only; inputs are read "
        f"anyway",
    ),
    "a target that the table lacks": (
        ("predict", "lacks.csv", "--given", "haze", *TO_P),
        "column 'haze': given, but not in the table; add the column, empty where it was not "
        "measured, or leave it out of given",
    ),
    "several faults at once": (
        ("predict", "lacks.csv", "--given", "haze,dost", *TO_P),
        "2 faults:",
    ),
    "words in a column of numbers": (
        ("predict", "words.csv", "--given", "haze", *TO_P),
        "column 'haze', row 0: 'much' is not a number, but the column is declared as number; mend "
        "the value, leave it empty if it is missing, or declare the column as another kind",
    ),
    "a target both given and wanted": (
        ("measure", "test.csv", "--given", "haze", "--want", "dust,haze"),
        "want: 'haze' is both given and wanted; what is measured needs no prediction: take it out "
        "of one of them",
    ),
    "a negative cost": (
        ("measure", "test.csv", "--given", "haze", "--want", "dust", "--cost", "alarm=-2"),
        "cost['alarm']: -2.0 given; allowed: a number above 0",
    ),
    "a wanted column that is no target": (
        ("measure", "test.csv", "--want", "dusk", "--given", "haze"),
        f"want: 'dusk' is no target of this model; {HOUSE}; did you mean 'dust'?",
    ),
    "nothing left to measure": (
        ("measure", "test.csv", "--want", "dust"),
        "candidates: every target is given or wanted, so none is left to measure; want fewer "
        "targets, or name candidates",
    ),
    "nothing left to score": (
        ("evaluate", "test.csv", "--given", "auto"),
        "given: every target is given, so none is left to score; name fewer targets",
    ),
    "entanglement of a table with one target": (
        ("entanglement", "one.csv"),
        "entanglement: the table has 1 of the targets; allowed: two or more; add their columns",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_fault_is_reported_in_plain_words(
    folder: Path, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    test = read_table("test.csv")
    write_table(test.drop_columns(["haze"]), "lacks.csv")
    write_table(test.select(["x", "z", "dust"]), "one.csv")
    changed(folder, "words.csv", "haze", ["much", *["2.5"] * (test.num_rows - 1)])
    (verb, table, *options), text = WRONG[what]
    result = invoke(verb, "first", table, *options)
    assert result.exit_code == 2, result.output
    assert f"error: {text}" in result.stderr
    assert "Traceback" not in result.output
    assert not Path("bad.csv").exists()


def test_a_value_that_training_never_saw_warns_with_its_row(folder: Path) -> None:
    values = read_table(folder / "test.csv")["haze"].to_pylist()
    values[7] = 1e6
    far = changed(folder, "far.csv", "haze", values)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        result = invoke(
            "predict", folder / "first", far, "--given", "haze", "--out", folder / "far.parquet"
        )
    assert result.exit_code == 0, result.output
    assert result.stderr == (
        "Warning: column 'haze', row 7: 1000000.0 is outside of what the training rows had; "
        "predictions that rest on it are extrapolated\n"
    )
