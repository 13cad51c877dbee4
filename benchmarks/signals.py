"""How long will an engine run? C-MAPSS FD001: windows of 21 sensors, three targets.

    python benchmarks/signals.py [--quick] [--report] [--seeds N] [--step N]

One fit for each seed tells of the joint network, of the same network alone for each target, of
boosted trees on seven summaries of each sensor, and of what ships. All are judged on the last
window of the 100 official test engines; a quarter of the training engines chooses. Cells are stored
as they end and the benchmark resumes.
"""

from __future__ import annotations

import os
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pyarrow as pa

from _cells import RESULTS, CellStore, plan
from _print import grid
from _run import Body, flags, run_missing, store_cell, write_json
from superpose import Superpose
from superpose.record import json_tables, plain

sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))
from engines import SENSORS, STAGES, read  # the table of the example

TABLE, METHOD = "cmapss", "superpose"
FIGURES = {"life": "rmse", "fails_within_30": "auc", "stage": "accuracy"}


def fit(step: int, epochs: int, seed: int) -> Body:
    """Fit once; the test metrics of every model, and the processor's seconds."""
    began = time.process_time()
    model = Superpose(
        ["life", "fails_within_30", {"name": "stage", "levels": STAGES}],
        windows={
            "group": "engine",
            "time": "cycle",
            "length": 30,
            "step": step,
            "columns": SENSORS,
        },
        split={"by": "column", "column": "part", "validation": 0.2, "test": 0.2},
        ignore=["altitude", "speed", "throttle", "cycle"],
        model={"members": 4, "given": False},
        proof={"folds": 1, "trees": ["hist"]},
        training={"patience": 5, "epochs": epochs},
        seed=seed,
    ).fit(pa.concat_tables([read("train"), read("test")]))
    return {
        "cpu_seconds": time.process_time() - began,
        "stages": plain(model.record.costs),
        **json_tables(model.record),
    }, None


def summarise(store: CellStore, seeds: list[int]) -> dict[str, Any]:
    """Mean and spread over seeds of each model's figure on each target."""
    found = [store.read().get((TABLE, METHOD, seed)) for seed in seeds]
    done = [cell for cell in found if cell is not None and "failed" not in cell]
    rows = []
    for target, metric in FIGURES.items():
        for name in done[0]["metrics"][target] if done else ():
            values = [cell["metrics"][target][name][metric] for cell in done]
            row = {"target": target, "metric": metric, "model": name, "seeds": len(values)}
            rows.append(row | {"mean": float(np.mean(values)), "spread": float(np.std(values))})
    seconds = [cell["cpu_seconds"] for cell in done]
    return {"rows": rows, "cpu_seconds": float(np.mean(seconds)) if seconds else None}


def show(summary: dict[str, Any]) -> str:
    """The table, losses of the joint network against the others first."""
    rows = summary["rows"]
    joint = {r["target"]: r["mean"] for r in rows if r["model"] == "joint"}
    lines = ["Losses of the joint network"]
    for r in rows:
        better = (joint[r["target"]] < r["mean"]) == (r["metric"] == "rmse")
        if r["model"] in ("alone", "trees", "hist") and not better:
            lines.append(f"  {r['target']}: {joint[r['target']]:.4g} against {r['model']}")
    body = [
        [r["target"], r["model"], r["metric"], f"{r['mean']:.3f}", f"{r['spread']:.3f}"]
        for r in rows
    ]
    return "\n".join([*lines, "", grid(["target", "model", "metric", "mean", "sd"], body)])


def main() -> None:
    """Run what is missing, print, write the JSON."""
    parser = flags(__doc__, "signals", [TABLE], [METHOD])
    parser.add_argument("--step", type=int, default=3, help="cycles from window to window")
    given = parser.parse_args()
    seeds = list(range(given.seeds or (1 if given.quick else 5)))
    step, epochs = (12, 2) if given.quick else (given.step, 100)
    name = given.name or ("signals-quick" if given.quick else "signals")
    store = CellStore(RESULTS / f"{name}.cells.jsonl")
    if not given.report:
        missing = plan([METHOD], seeds, [TABLE], store.done())
        run_missing(
            missing,
            lambda key: store_cell(store, key, partial(fit, step, epochs, key[2]), step=step),
            given.max_minutes,
        )
    summary = summarise(store, seeds)
    print(show(summary))
    write_json(RESULTS / f"{name}.json", summary, store, [TABLE], seeds)


if __name__ == "__main__":
    main()
