"""The examples' own way of reading public data, and a model of a slice that beats the baseline."""

from __future__ import annotations

import os
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from superpose import Superpose
from superpose.data import read_table

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("SUPERPOSE_DATA", ROOT.parent / "shared/data"))
SMALL = {"width": 32, "members": 2, "state": 8, "given": False}


def example(name: str, *needs: str) -> dict[str, Any]:
    """The names of an example; the test is skipped where its data is not there."""
    for folder in needs:
        if not (DATA / folder).exists():
            pytest.skip(f"{folder} is not there")
    return runpy.run_path(str(ROOT / "examples" / f"{name}.py"), run_name="example")


def test_tweets_of_five_sources_are_one_table_and_their_tasks_are_learned() -> None:
    names = example("tweets", "tweeteval")
    sources = {task: names["tweets"](DATA / "tweeteval", task) for task in names["TASKS"]}
    assert {t: s.num_rows for t, s in sources.items()} == {
        "irony": 4601,
        "hate": 12970,
        "emotion": 5052,
        "offensive": 14100,
        "stance": 4163,
    }
    two = {
        task: thinned(sources[task], train=2500, validation=300, test=500)
        for task in ("offensive", "emotion")
    }
    model = Superpose(
        ["offensive", "emotion"],
        split={"by": "column", "column": "split"},
        model=SMALL,
        training={"sampling": "uniform", "epochs": 5},
        proof={"references": "none", "folds": 1},
    ).fit(two)
    metrics = model.record.metrics
    assert metrics["emotion"]["deployed"]["macro_auc"] > 0.55
    assert metrics["offensive"]["deployed"]["auc"] > 0.55


def thinned(table: pa.Table, **rows: int) -> pa.Table:
    """The first rows of each part."""
    parts = np.asarray(table["split"])
    chosen = [np.flatnonzero(parts == part)[:many] for part, many in rows.items()]
    return table.take(np.concatenate(chosen))


def test_people_of_a_graph_are_classified_by_its_triples() -> None:
    names = example("graph", "kg_small")
    table = names["pairs"](DATA / "kg_small" / "kinships")
    accuracy = {}
    for pretrained in (True, False):
        entity = {
            "kind": "entity",
            "graph": str(DATA / "kg_small/kinships/train.txt"),
            "size": 16,
            "pretrained": pretrained,
        }
        model = Superpose(
            [{"name": "term", "kind": "category"}],
            inputs=[{"name": "one", **entity}, {"name": "other", **entity}],
            model=SMALL,
            training={"epochs": 10},
            proof={"references": "none", "folds": 1},
        ).fit(table)
        accuracy[pretrained] = model.record.metrics["term"]["deployed"]["accuracy"]
    assert accuracy[True] > accuracy[False] + 0.1


def test_signs_of_posts_and_articles_are_labelled_by_one_model() -> None:
    names = example("chinese", "weibo_ner", "ud_chinese_gsdsimp_devtest")
    sources = {
        "posts": names["posts"](DATA / "weibo_ner"),
        "articles": names["articles"](DATA / "ud_chinese_gsdsimp_devtest"),
    }
    assert [s.num_rows for s in sources.values()] == [1890, 1000]
    small = {
        name: thinned(rows, train=250, validation=40, test=60) for name, rows in sources.items()
    }
    model = Superpose(
        [{"name": n, "kind": "tokens", "of": "characters"} for n in ("boundary", "speech")],
        ignore=["entity"],
        split={"by": "column", "column": "split"},
        model=SMALL,
        training={"sampling": "uniform", "epochs": 4, "batch_size": 32},
        proof={"references": "none", "folds": 1},
    ).fit(small)
    metrics = model.record.metrics
    assert metrics["boundary"]["deployed"]["accuracy"] > 0.7
    assert metrics["speech"]["deployed"]["accuracy"] > metrics["speech"]["baseline"]["accuracy"]


def test_assays_of_molecules_are_learned_from_their_formulas() -> None:
    names = example("molecules", "tox21")
    table = read_table(names["FILE"]).slice(0, 3000)
    model = Superpose(
        ["SR-MMP", "NR-AhR"],
        inputs=[{"name": "smiles", "kind": "text"}],
        model=SMALL,
        training={"epochs": 6},
        proof={"references": "none", "folds": 1},
    ).fit(table)
    metrics = model.record.metrics
    assert np.mean([metrics[t]["deployed"]["auc"] for t in metrics]) > 0.65
