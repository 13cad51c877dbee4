"""Are intents and slots learned from scratch? ATIS with its official parts.

    python benchmarks/intents.py [--quick] [--report] [--seeds N] [--methods five-folds]

No pretrained weights; the test sentences are read once. `one-split` learns from the published
training sentences and chooses its epochs on the published validation sentences; `five-folds` learns
from both, each of five networks stopped on the fifth of the sentences that it has not seen, and the
mean of the five predictions; `ten-folds` has ten. Aims: slot F1 0.959, intent accuracy 0.969, whole
sentences 0.865.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from _cells import RESULTS, CellStore, Key, Study
from _print import grid
from _run import Body, chosen, flags, run_missing, store_cell, write_json
from superpose import Superpose
from superpose.data import read_table

TABLE = "atis"
METHODS = {"one-split": 1, "five-folds": 5, "ten-folds": 10}
AIMS = {"slot F1": 0.959, "intent accuracy": 0.969, "whole sentences": 0.865}
DATA = Path(os.environ.get("SUPERPOSE_DATA", Path(__file__).resolve().parents[2] / "shared/data"))


def fit(folds: int, epochs: int, seed: int) -> Body:
    """Fit once; the three figures on the test sentences, and the processor's seconds."""
    began = time.process_time()
    model = Superpose(
        targets=["intent", {"name": "slots", "kind": "tokens", "of": "words", "weight": 2}],
        model={"state": 64, "members": 4, "given": False},
        training={"batch_size": 32, "epochs": epochs},
        proof={"references": "none", "folds": folds},
        seed=seed,
    ).fit(DATA / "atis")
    seconds = time.process_time() - began
    test = read_table(DATA / "atis" / "test")
    metrics = model.evaluate(test)
    preds = model.predict(test).to_pylist()
    true = test.select(["intent", "slots"]).to_pylist()
    whole = sum(a == b for a, b in zip(preds, true, strict=True)) / len(true)
    values = (metrics["slots"]["f1"], metrics["intent"]["accuracy"], whole)
    figures = dict(zip(AIMS, map(float, values), strict=True))
    settings = model.config.model_dump(mode="json", exclude_none=True)
    return {"cpu_seconds": seconds, "figures": figures, "settings": settings}, None


def summarise(study: Study, methods: list[str]) -> dict[str, Any]:
    """Mean and standard deviation of each figure over the seeds that are stored."""
    rows = []
    for method in methods:
        cells = study.of(TABLE, method)
        for name in AIMS if cells else ():
            values = [cell["figures"][name] for cell in cells]
            row = {"method": method, "figure": name, "seeds": len(values)}
            row |= {"mean": float(np.mean(values)), "std": float(np.std(values))}
            rows.append(row | {"minutes": float(np.mean([c["cpu_seconds"] for c in cells])) / 60})
    return {"rows": rows, "aims": AIMS}


def show(summary: dict[str, Any]) -> str:
    """What was not reached first, then the table."""
    rows = summary["rows"]
    missed = [r for r in rows if r["mean"] < AIMS[r["figure"]]]
    lost = [f"  {r['method']}: {r['figure']} {r['mean']:.4f}" for r in missed]
    body = [
        [r["method"], r["figure"], f"{r['mean']:.4f}", f"{r['std']:.4f}", str(r["seeds"]),
         f"{r['minutes']:.1f}"] for r in rows
    ]  # fmt: skip
    head = ["method", "figure", "mean", "sd", "seeds", "minutes of a core"]
    return "\n".join(["Not reached:", *(lost or ["  nothing"]), "", grid(head, body)])


def main() -> None:
    """Run what is missing, print, write the JSON."""
    parser = flags(__doc__ or "", "intents", tables=[TABLE], methods=METHODS)
    options = parser.parse_args()
    seeds = list(range(options.seeds or (1 if options.quick else 5)))
    methods = chosen(options.methods, METHODS, allowed=METHODS, flag="--methods")
    name = options.name or ("intents-quick" if options.quick else "intents")
    study = Study(CellStore(RESULTS / f"{name}.cells.jsonl"), [TABLE], seeds)
    epochs = 2 if options.quick else 20

    def run(key: Key) -> float:
        return store_cell(study.store, key, lambda: fit(METHODS[key.method], epochs, key.seed))

    if not options.report:
        run_missing(study.missing(methods), run, options.max_minutes)
    summary = summarise(study, methods)
    print(show(summary))
    write_json(study, summary)


if __name__ == "__main__":
    main()
