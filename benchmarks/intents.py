"""Are intents and slots learned from scratch? ATIS with its official parts.

    python benchmarks/intents.py [--quick] [--report] [--seeds N] [--methods five-folds]

No pretrained weights; the test sentences are read once. `one-split` learns from the published
training sentences and chooses its epochs on the published validation sentences; `five-folds` learns
from both, each of five networks stopped on the fifth of the sentences that it has not seen, and the
mean of the five answers; `ten-folds` has ten. Asked: slot F1 0.959, intent accuracy 0.969, whole
sentences 0.865.
"""

from __future__ import annotations

import os
import time
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from _cells import RESULTS, CellStore, plan
from _print import grid
from _run import Body, chosen, flags, run_missing, store_cell, write_json
from superpose import Superpose
from superpose.data import read_table

TABLE = "atis"
METHODS = {"one-split": 1, "five-folds": 5, "ten-folds": 10}
ASKED = {"slot F1": 0.959, "intent accuracy": 0.969, "whole sentences": 0.865}
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
    found = model.evaluate(test)
    told = model.predict(test).to_pylist()
    true = test.select(["intent", "slots"]).to_pylist()
    whole = sum(a == b for a, b in zip(told, true, strict=True)) / len(true)
    values = (found["slots"]["f1"], found["intent"]["accuracy"], whole)
    figures = dict(zip(ASKED, map(float, values), strict=True))
    settings = model.config.model_dump(mode="json", exclude_none=True)
    return {"cpu_seconds": seconds, "figures": figures, "settings": settings}, None


def summarise(store: CellStore, methods: list[str], seeds: list[int]) -> dict[str, Any]:
    """Mean and spread of each figure over the seeds that are stored."""
    cells = store.read()
    rows = []
    for method in methods:
        found = [cells.get((TABLE, method, seed)) for seed in seeds]
        done = [cell for cell in found if cell is not None and "failed" not in cell]
        for name in ASKED if done else ():
            values = [cell["figures"][name] for cell in done]
            row = {"method": method, "figure": name, "seeds": len(values)}
            row |= {"mean": float(np.mean(values)), "spread": float(np.std(values))}
            rows.append(row | {"minutes": float(np.mean([c["cpu_seconds"] for c in done])) / 60})
    return {"rows": rows, "asked": ASKED}


def show(summary: dict[str, Any]) -> str:
    """What was not reached first, then the table."""
    rows = summary["rows"]
    missed = [r for r in rows if r["mean"] < ASKED[r["figure"]]]
    lost = [f"  {r['method']}: {r['figure']} {r['mean']:.4f}" for r in missed]
    body = [
        [r["method"], r["figure"], f"{r['mean']:.4f}", f"{r['spread']:.4f}", str(r["seeds"]),
         f"{r['minutes']:.1f}"] for r in rows
    ]  # fmt: skip
    head = ["method", "figure", "mean", "sd", "seeds", "minutes of a core"]
    return "\n".join(["Not reached:", *(lost or ["  nothing"]), "", grid(head, body)])


def main() -> None:
    """Run what is missing, print, write the JSON."""
    parser = flags(__doc__ or "", "intents", [TABLE], METHODS)
    given = parser.parse_args()
    seeds = list(range(given.seeds or (1 if given.quick else 5)))
    methods = chosen(given.methods, METHODS, METHODS, "--methods")
    name = given.name or ("intents-quick" if given.quick else "intents")
    store = CellStore(RESULTS / f"{name}.cells.jsonl")
    epochs = 2 if given.quick else 20
    if not given.report:
        run_missing(
            plan(methods, seeds, [TABLE], store.done()),
            lambda key: store_cell(store, key, partial(fit, METHODS[key[1]], epochs, key[2])),
            given.max_minutes,
        )
    summary = summarise(store, methods, seeds)
    print(show(summary))
    write_json(RESULTS / f"{name}.json", summary, store, [TABLE], seeds)


if __name__ == "__main__":
    main()
