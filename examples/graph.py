"""Kinship between two people, from what a knowledge graph states of each of them.

SUPERPOSE_DATA=path/to/data python examples/graph.py
"""

import os
from pathlib import Path

import numpy as np
import pyarrow as pa

from superpose import Superpose

FOLDER = Path(os.environ.get("SUPERPOSE_DATA", "../shared/data")) / "kg_small" / "kinships"


def pairs(folder: Path) -> pa.Table:
    """Two people in each row, what the first is to the second, and the second to the first.

    The rows are triples that the graph for the embeddings lacks.
    """
    terms: dict[tuple[str, str], str] = {}
    for part in ("valid", "test"):
        for line in (folder / f"{part}.txt").read_text(encoding="utf-8").splitlines():
            head, term, tail = line.split("\t")
            terms[head, tail] = term
    rows = [
        {"one": one, "other": other, "term": term, "back": terms.get((other, one))}
        for (one, other), term in terms.items()
    ]
    return pa.Table.from_pylist(rows)


def fit(table: pa.Table, pretrained: bool) -> Superpose:
    """A model whose people are vectors that the graph has taught, or random ones."""
    entity = {"kind": "entity", "graph": str(FOLDER / "train.txt"), "pretrained": pretrained}
    return Superpose(
        targets=[{"name": "term", "kind": "category"}, {"name": "back", "kind": "category"}],
        inputs=[{"name": "one", **entity}, {"name": "other", **entity}],
        proof={"folds": 1},  # one validation split, so that it ends soon
        references="network",
    ).fit(table)


def main() -> None:
    table = pairs(FOLDER)
    models = {"learned": fit(table, True), "random": fit(table, False)}
    for name, model in models.items():
        accuracy = {t: m["deployed"]["accuracy"] for t, m in model.record.metrics.items()}
        text = ", ".join(f"{target} {value:.3f}" for target, value in accuracy.items())
        print(f"{name} vectors, accuracy on test rows: {text}")
    rows = table.filter(np.asarray(table["back"].is_valid()))
    print(models["learned"].predict(rows.slice(0, 3), given="back").to_pylist())


if __name__ == "__main__":
    if FOLDER.is_dir():
        main()
    else:
        print(
            f"skipped: {FOLDER} is not there; set SUPERPOSE_DATA to the folder that holds kg_small/"
        )
