"""Sentences with an intent and a label for each word, from a file to predictions."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from typer.testing import CliRunner

from superpose import Superpose
from superpose.cli import app
from superpose.errors import DataError

SLOTS = {"name": "slots", "kind": "tokens", "of": "words"}
MODEL = {"width": 32, "members": 2, "state": 16}


@pytest.fixture(scope="module")
def sentences(make_utterances: Callable[..., pa.Table]) -> pa.Table:
    """Four hundred sentences."""
    return make_utterances(400, seed=1)


@pytest.fixture(scope="module")
def fitted(sentences: pa.Table) -> Superpose:
    """Trained on them, untested."""
    return Superpose(
        ["intent", SLOTS],
        references="none",
        model=MODEL,
        proof={"folds": 2},
        training={"epochs": 10, "batch_size": 32},
    ).fit(sentences)


def test_both_targets_are_learned(fitted: Superpose) -> None:
    metrics = {t: m["deployed"] for t, m in fitted.record.metrics.items()}
    assert metrics["intent"]["accuracy"] > 0.8, metrics
    assert metrics["slots"]["f1"] > 0.8, metrics
    assert metrics["slots"]["score"] > 0.5, metrics


def test_every_word_has_a_label_and_spans_are_whole(
    fitted: Superpose, make_utterances: Callable[..., pa.Table]
) -> None:
    new = make_utterances(50, seed=2).select(["words"])
    pred = fitted.predict(new)["slots"].to_pylist()
    words = new["words"].to_pylist()
    assert [len(labels) for labels in pred] == [len(row) for row in words]
    for labels in pred:
        for before, label in zip(["O", *labels], labels, strict=False):
            assert label[0] != "I" or before[1:] == label[1:]


def test_a_word_that_was_never_seen_leaves_the_labels_of_others(fitted: Superpose) -> None:
    rows = pa.table({"words": [["fly", "to", "timbuktu", "friday"]]})
    (labels,) = fitted.predict(rows)["slots"].to_pylist()
    assert (len(labels), labels[:2], labels[3]) == (4, ["O", "O"], "B-day")


def test_what_is_known_of_a_row_sharpens_the_rest(fitted: Superpose, sentences: pa.Table) -> None:
    rows = sentences.slice(0, 20)
    pred = fitted.predict(rows, given=["slots"])
    for kept, labels in zip(rows["slots"].to_pylist(), pred["slots"].to_pylist(), strict=True):
        for was, now in zip(kept or [], labels, strict=False):
            assert was is None or was == now
    assert set(fitted.evaluate(rows, given=["intent"])) == {"slots"}
    drawn = fitted.sample(rows.select(["words"]), n=2)
    assert drawn.num_rows == 40
    assert all(row for row in drawn["slots"].to_pylist())
    advice = fitted.next_measurement(rows.slice(0, 3), want="intent", draws=4, given=None)
    assert set(advice["measure"].to_pylist()) == {"slots"}


def test_a_saved_model_predicts_the_same(
    fitted: Superpose, sentences: pa.Table, tmp_path: Path
) -> None:
    again = Superpose.load(fitted.save(tmp_path / "bundle"))
    rows = sentences.slice(0, 30)
    assert again.predict(rows).equals(fitted.predict(rows))
    assert again.predict_proba(rows).equals(fitted.predict_proba(rows))
    assert "Labelled sentences" in again.report(tmp_path / "r.html").read_text(encoding="utf-8")


def test_labels_in_a_scored_table_are_never_read(fitted: Superpose, sentences: pa.Table) -> None:
    rows = sentences.slice(0, 30)
    # Not even whether they fit the words.
    wrong = rows.set_column(1, "slots", pa.array([["O"]] * 30))
    assert fitted.predict(wrong).equals(fitted.predict(rows.select(["words"])))
    with pytest.raises(DataError, match="labels for the"):
        fitted.evaluate(wrong)


def test_a_folder_of_parts_is_trained_from_the_command_line(
    make_utterances: Callable[..., pa.Table], tmp_path: Path
) -> None:
    folder = tmp_path / "trips"
    for seed, (part, rows) in enumerate((("train", 80), ("valid", 40), ("test", 40))):
        table = make_utterances(rows, seed=seed, gaps=0.0)
        (folder / part).mkdir(parents=True)
        for name, column in (("seq.in", "words"), ("seq.out", "slots")):
            lines = [" ".join(row) for row in table[column].to_pylist()]
            (folder / part / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
        (folder / part / "label").write_text("\n".join(table["intent"].to_pylist()) + "\n")
    settings = tmp_path / "s.yaml"
    settings.write_text(
        "data: trips\ntargets: [intent, {name: slots, of: words}]\n"
        "model: {width: 8, members: 1, state: 4}\ntraining: {epochs: 1}\n"
        "proof: {references: network, folds: 2}\n",
        encoding="utf-8",
    )
    run = CliRunner()
    checked = run.invoke(app, ["check", str(settings)])
    assert checked.exit_code == 0, checked.output
    divided = "as column 'split' says: 80 train, 40 validation, 40 test rows"
    assert divided in checked.output.replace("\n", " ")
    out = tmp_path / "run"
    trained = run.invoke(app, ["train", str(settings), "--out", str(out)])
    assert trained.exit_code == 0, trained.output
    assert "by: column" in (out / "superpose.yaml").read_text(encoding="utf-8")
    scored = run.invoke(app, ["evaluate", str(out), str(folder / "test"), "--json"])
    assert set(json.loads(scored.output)) == {"intent", "slots"}
    file = tmp_path / "pred.jsonl"
    done = run.invoke(app, ["predict", str(out), str(folder / "test"), "--out", str(file)])
    assert done.exit_code == 0, done.output
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert len(lines) == 40
    assert isinstance(lines[0]["slots"], list)
