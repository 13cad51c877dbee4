"""The tail of a triple, retrieved from the entities of a graph that two towers have learned."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from superpose import Superpose

DATA = Path(os.environ.get("SUPERPOSE_DATA", "../shared/data")) / "kg_small" / "umls"


@pytest.fixture(scope="module")
def triples() -> pa.Table:
    """Some triples of UMLS."""
    if not DATA.is_dir():
        pytest.skip(f"{DATA} is not there")
    lines = (DATA / "train.txt").read_text(encoding="utf-8").splitlines()
    order = np.random.default_rng(0).permutation(len(lines))[:2000]
    head, relation, tail = zip(*(lines[row].split("\t") for row in order), strict=True)
    return pa.table({"head": head, "relation": relation, "tail": tail})


@pytest.fixture(scope="module")
def fitted(triples: pa.Table, tmp_path_factory: pytest.TempPathFactory) -> Superpose:
    """Two towers each for head and tail, which the relation by itself tells little of."""
    # All entities can be retrieved, also those that training rows lack.
    items = tmp_path_factory.mktemp("umls") / "items.csv"
    names = sorted({*triples["head"].to_pylist(), *triples["tail"].to_pylist()})
    items.write_text("\n".join(["name", *names]), encoding="utf-8")
    retrieval = {"kind": "retrieval", "items": str(items), "id": "name", "size": 16}
    return Superpose(
        [{"name": "tail", **retrieval}, {"name": "head", **retrieval}],
        inputs={"relation": "category"},
        references="none",
        split="random",
        model={"width": 64, "members": 2},
        proof={"folds": 1},
        training={"epochs": 12, "learning_rate": 0.006},
    ).fit(triples)


def test_it_beats_popularity(fitted: Superpose) -> None:
    for target in ("tail", "head"):
        test = fitted.record.metrics[target]
        assert test["deployed"]["recall_at_10"] > test["baseline"]["recall_at_10"] + 0.1, test
        assert test["deployed"]["mrr"] > 1.3 * test["baseline"]["mrr"], test
        assert test["deployed"]["score"] > 0.1, test


def test_an_item_that_is_given_helps_to_find_the_other(
    fitted: Superpose, triples: pa.Table
) -> None:
    rows = triples.slice(1500)
    alone, mrr = fitted.evaluate(rows), {}
    for target, other in (("tail", "head"), ("head", "tail")):
        given = fitted.evaluate(rows, given=other)[target]
        assert given["log_loss"] < alone[target]["log_loss"]
        mrr[target] = given["mrr"]
    # Of one direction alone the ranks vary with the processor.
    assert sum(mrr.values()) > alone["tail"]["mrr"] + alone["head"]["mrr"], (mrr, alone)


def test_the_first_item_is_predicted_and_the_best_are_listed(
    fitted: Superpose, triples: pa.Table, tmp_path: Path
) -> None:
    rows = triples.slice(0, 5)
    listed = fitted.predict_proba(rows)
    first = fitted.predict(rows)["tail"].to_pylist()
    assert [names[0] for names in listed["tail"].to_pylist()] == first
    assert [len(shares) for shares in listed["tail_probability"].to_pylist()] == [10] * 5
    known = {*triples["head"].to_pylist(), *triples["tail"].to_pylist()}
    assert set(fitted.sample(rows, n=2)["tail"].to_pylist()) <= known
    again = Superpose.load(fitted.save(tmp_path / "bundle"))
    assert again.predict_proba(rows).equals(listed)


def test_the_report_shows_queries_with_their_items(fitted: Superpose, tmp_path: Path) -> None:
    page = fitted.report(tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Share of rows found within the first items" in page
    assert "mean reciprocal rank" in page
    first = fitted.record.targets["tail"].chart.examples[0]
    assert f"<bdi>relation: {first.row['relation']}</bdi>" in page
