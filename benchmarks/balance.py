"""Does weighing targets against each other help? Every balancing method against the plain sum.

    python benchmarks/balance.py --quick       # 3 small tables, 2 seeds
    python benchmarks/balance.py               # 8 tables, 5 seeds, standardised and raw; resumes
    python benchmarks/balance.py --report      # only print what is stored

One network with a shared trunk and a head for each target (hard sharing), as in `fusion.py`: no
trees, no mixtures. `raw` is the stress of scales: the loss of every second target is multiplied by
1,000 and that of the others divided by it, as if targets had been learned in units that nobody
chose. A method that balances should not mind. Test rows are read once.
"""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch

from _cells import RESULTS, CellStore, Key, plan
from _fusion_summary import duel
from _methods import Run
from _print import grid
from _run import Body, chosen, flags, run_missing, store_cell, write_json
from _sharing import ALONE, Ready, outcomes_of, run_sharing
from _summary import complete, finished, mean_ranks
from _tables import LOADERS, data_folder
from accuracy import score_run
from fusion import KEPT, load, ready
from superpose.balance import BALANCERS
from superpose.config import BalanceConfig
from superpose.training import fit_multi_task

RAW = "raw "
STRESS = 1e3
TABLES = (
    "andro", "jura", "parkinsons", "wq", "mi_complications", "nhanes", "bike_sharing",
    "beijing_air",
)  # fmt: skip
QUICK = ("andro", "jura", "enb")
METHODS = (ALONE, *BALANCERS, *(RAW + name for name in BALANCERS))


def run_balanced(made: Ready, method: str) -> Run:
    """Train one network under a method, and predict; `alone` is as in `fusion.py`."""
    if method == ALONE:
        return run_sharing(made, ALONE)
    started, worked = time.perf_counter(), time.process_time()
    recipe = made.recipe({"fusion": "none"}, 0, made.seed)
    name = method.removeprefix(RAW)
    names = list(made.labels)
    if method != name:
        scales = {t: STRESS ** (1 - 2 * (place % 2)) for place, t in enumerate(names)}
        recipe = replace(recipe, weights=scales)
    recipe = replace(recipe, balance=BalanceConfig(method=name))
    fitted = fit_multi_task(recipe)
    network = fitted.model
    took = time.perf_counter() - started
    work = time.process_time() - worked
    details: dict[str, Any] = {
        "epochs": len(network.curves[0]["train"]),
        "parameters": network.parameters,
        "processor_seconds": round(work, 3),
        "weights": (network.balance["weights"] or [[1.0] * len(names)])[-1],
    }
    return Run(outcomes_of(made, [fitted], names), took, details)


def run_cell(store: CellStore, key: Key, made: Ready) -> float:
    """Train, score and store one cell."""

    def work() -> Body:
        run = run_balanced(made, key[1])
        targets, rows = score_run(made.table, key[2], run)
        slim = {name: {k: found[k] for k in KEPT} for name, found in targets.items()}
        losses = {name: values for name, values in rows.items() if "prediction" not in name}
        return {"seconds": round(run.seconds, 3), "targets": slim, "details": run.details}, losses

    return store_cell(store, key, work, split=made.table.rule, note=made.table.note)


def summarise(
    store: CellStore, tables: list[str], seeds: list[int], folder: Path
) -> dict[str, Any]:
    """Each method over the plain sum on standardised targets, over the tables that have both."""
    cells, failed = finished(store, tables, seeds)
    means = complete(cells, tables, list(METHODS), seeds, lambda errors: sum(errors) / len(errors))
    methods = [m for m in METHODS if any(m in found for found in means.values())]

    def over(ours: str, other: str) -> dict[str, Any] | None:
        return duel(store, cells, means, ours, other, seeds, lambda name: load(name, folder))

    body = {
        method: {"over_sum": None if method == "sum" else over(method, "sum")} for method in methods
    }
    shared = [t for t, found in means.items() if all(m in found for m in methods)]
    return {
        "seeds": seeds,
        "failed": failed,
        "methods": body,
        "ranks": mean_ranks(means, methods) if shared else None,
        "tables": {name: {"errors": found} for name, found in means.items()},
    }


def show(summary: dict[str, Any]) -> str:
    """What the plain sum loses to first, then every method."""
    rows, ahead = [], []
    for method, found in summary["methods"].items():
        duel_ = found["over_sum"]
        if duel_ is None:
            continue
        mean, worst = duel_["mean_delta_percent"], duel_["worst"]
        spread = duel_["standard_error"]
        if mean > 0:
            ahead.append(f"{method} {mean:+.2f} % over {duel_['tables']} tables")
        rank = "." if summary["ranks"] is None else f"{summary['ranks']['by_target'][method]:.2f}"
        rows.append([
            method, rank, f"{mean:+.2f}", "." if spread is None else f"{spread:.2f}",
            f"{worst['table']}.{worst['target']} {worst['gain']:+.1f}",
            str(len(duel_["helped"])), str(len(duel_["harmed"])), str(duel_["tables"]),
        ])  # fmt: skip
    failed = [f"failed cell {'/'.join(map(str, f['cell']))}: {f['why']}" for f in summary["failed"]]
    head = [
        "method",
        "mean rank",
        "Δ% over sum",
        "± se",
        "worst target",
        "helped",
        "harmed",
        "tables",
    ]
    title = "Each method over the plain sum on standardised targets"
    first = ["Ahead of the default (the plain sum on standardised targets):", *(ahead or ["none"])]
    return "\n".join([*first, *failed, "", title, "", grid(head, rows)])


def main(arguments: list[str] | None = None) -> None:
    """Run what is missing, print losses first, write the JSON."""
    parser = flags(__doc__, "balance", LOADERS, METHODS)
    parser.add_argument("--data", help="folder of the public data sets (or $SUPERPOSE_DATA)")
    given = parser.parse_args(arguments)
    folder = data_folder(given.data)
    tables = chosen(given.tables, QUICK if given.quick else TABLES, LOADERS, "--tables")
    methods = chosen(given.methods, METHODS, METHODS, "--methods")
    seeds = list(range(given.seeds or (2 if given.quick else 5)))
    name = given.name or f"balance{'-quick' if given.quick else ''}"
    store = CellStore(RESULTS / f"{name}.cells.jsonl")
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    if not given.report:

        def run(key: Key) -> float:
            return run_cell(store, key, ready(key[0], folder, key[2]))

        run_missing(plan(methods, seeds, tables, store.done(), paired=True), run, given.max_minutes)
    summary = summarise(store, tables, seeds, folder)
    print(show(summary))
    if len(summary["methods"]) < len(METHODS):  # some have not got through all seeds yet
        first = summarise(store, tables, seeds[:1], folder)
        print(f"\nSeed {seeds[0]} alone, with all methods that have it\n\n{show(first)}")
        summary["first_seed"] = first
    write_json(RESULTS / f"{name}.json", summary, store, tables, seeds)


if __name__ == "__main__":
    main()
