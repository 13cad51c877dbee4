"""How long will an engine run? C-MAPSS FD001: windows of 21 sensors, three targets.

    python benchmarks/signals.py [--quick] [--report] [--seeds N] [--step N]

One fit for each seed gives the errors of the multi-task net, of a single-task net for each target,
of boosted trees on seven summaries of each sensor, and of what is deployed. All are tested on the
last window of the 100 official test engines; a quarter of the training engines chooses. Cells are
stored as they end and the benchmark resumes.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pyarrow as pa

from _cells import RESULTS, CellStore, Key, Study
from _print import grid
from _run import Body, flags, run_missing, store_cell, write_json
from superpose import Superpose
from superpose.record import json_tables, plain

sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))
from engines import SENSORS, STAGES, read  # the table of the example

TABLE, METHOD = "cmapss", "superpose"
# Cells of earlier versions have these names of models; newer ones have both.
FORMER = {
    "shipped": "deployed",
    "constant": "baseline",
    "joint": "multi_task",
    "alone": "single_task",
}
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


def summarise(study: Study) -> dict[str, Any]:
    """Mean and standard deviation over seeds of each model's figure on each target."""
    cells = study.of(TABLE, METHOD)
    rows = []
    for target, metric in FIGURES.items():
        by_seed = [
            {FORMER.get(name, name): scores[metric] for name, scores in by_model.items()}
            for by_model in (cell["metrics"][target] for cell in cells)
        ]
        for name in by_seed[0] if by_seed else ():
            values = [by_model[name] for by_model in by_seed]
            row = {"target": target, "metric": metric, "model": name, "seeds": len(values)}
            rows.append(row | {"mean": float(np.mean(values)), "std": float(np.std(values))})
    seconds = [cell["cpu_seconds"] for cell in cells]
    return {"rows": rows, "cpu_seconds": float(np.mean(seconds)) if seconds else None}


def show(summary: dict[str, Any]) -> str:
    """The table, losses of the multi-task net against the others first."""
    rows = summary["rows"]
    multi_task = {r["target"]: r["mean"] for r in rows if r["model"] == "multi_task"}
    lines = ["Losses of the multi-task net"]
    for r in rows:
        ours = multi_task[r["target"]]
        better = (ours < r["mean"]) == (r["metric"] == "rmse")
        if r["model"] in ("single_task", "trees") and not better:
            lines.append(f"  {r['target']}: {ours:.4g} against {r['model']}")
    body = [
        [r["target"], r["model"], r["metric"], f"{r['mean']:.3f}", f"{r['std']:.3f}"] for r in rows
    ]
    return "\n".join([*lines, "", grid(["target", "model", "metric", "mean", "sd"], body)])


def main() -> None:
    """Run what is missing, print, write the JSON."""
    parser = flags(__doc__, "signals", tables=[TABLE], methods=[METHOD])
    parser.add_argument("--step", type=int, default=3, help="cycles from window to window")
    options = parser.parse_args()
    seeds = list(range(options.seeds or (1 if options.quick else 5)))
    step, epochs = (12, 2) if options.quick else (options.step, 100)
    name = options.name or ("signals-quick" if options.quick else "signals")
    study = Study(CellStore(RESULTS / f"{name}.cells.jsonl"), [TABLE], seeds)

    def run(key: Key) -> float:
        return store_cell(study.store, key, lambda: fit(step, epochs, key.seed), step=step)

    if not options.report:
        run_missing(study.missing([METHOD]), run, options.max_minutes)
    summary = summarise(study)
    print(show(summary))
    write_json(study, summary)


if __name__ == "__main__":
    main()
