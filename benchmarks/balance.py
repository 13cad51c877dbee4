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

from _cells import CellStore, Key, Study
from _fusion_summary import duel
from _methods import Run
from _print import grid
from _run import chosen, flags, run_missing, store_cell, study_of, write_json
from _sharing import ALONE, Ready, outcomes_of, run_sharing
from _summary import complete, mean_ranks
from _tables import LOADERS, data_folder
from fusion import body_of, load, ready
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
    """Train one network by a method, and predict; `alone` is as in `fusion.py`."""
    if method == ALONE:
        return run_sharing(made, ALONE)
    started, worked = time.perf_counter(), time.process_time()
    name = method.removeprefix(RAW)
    names = list(made.labels)
    spec = replace(made.spec({"fusion": "none"}, 0, made.seed), balance=BalanceConfig(method=name))
    if method != name:
        scales = {t: STRESS ** (1 - 2 * (index % 2)) for index, t in enumerate(names)}
        spec = replace(spec, weights=scales)
    fitted = fit_multi_task(spec)
    network = fitted.model
    seconds = time.perf_counter() - started
    processor_seconds = time.process_time() - worked
    details: dict[str, Any] = {
        "epochs": len(network.curves[0]["train"]),
        "parameters": network.parameters,
        "processor_seconds": round(processor_seconds, 3),
        "weights": (network.balance["weights"] or [[1.0] * len(names)])[-1],
    }
    return Run(outcomes_of(made, [fitted], names), seconds, details)


def run_cell(store: CellStore, key: Key, made: Ready) -> float:
    """Train, score and store one cell."""
    table = made.table
    return store_cell(
        store,
        key,
        lambda: body_of(made, run_balanced(made, key.method)),
        split=table.rule,
        note=table.note,
    )


def summarise(study: Study, folder: Path) -> dict[str, Any]:
    """Each method over the plain sum on standardised targets, over the tables that have both."""
    means = complete(study, METHODS, lambda errors: sum(errors) / len(errors))
    methods = [m for m in METHODS if any(m in errors for errors in means.values())]

    def over_sum(method: str) -> dict[str, Any] | None:
        if method == "sum":
            return None
        return duel(study, means, ours=method, other="sum", load=lambda name: load(name, folder))

    body = {method: {"over_sum": over_sum(method)} for method in methods}
    complete_tables = [t for t, errors in means.items() if all(m in errors for m in methods)]
    return {
        "seeds": study.seeds,
        "failed": study.failed,
        "methods": body,
        "ranks": mean_ranks(means, methods) if complete_tables else None,
        "tables": {name: {"errors": errors} for name, errors in means.items()},
    }


def show(summary: dict[str, Any]) -> str:
    """What is ahead of the plain sum first, then every method."""
    rows, ahead = [], []
    for method, figures in summary["methods"].items():
        over = figures["over_sum"]
        if over is None:
            continue
        mean, worst = over["mean_delta_percent"], over["worst"]
        error = over["standard_error"]
        if mean > 0:
            ahead.append(f"{method} {mean:+.2f} % over {over['tables']} tables")
        rank = "." if summary["ranks"] is None else f"{summary['ranks']['by_target'][method]:.2f}"
        rows.append([
            method, rank, f"{mean:+.2f}", "." if error is None else f"{error:.2f}",
            f"{worst['table']}.{worst['target']} {worst['gain']:+.1f}",
            str(len(over["helped"])), str(len(over["harmed"])), str(over["tables"]),
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
    parser = flags(__doc__, "balance", tables=LOADERS, methods=METHODS)
    parser.add_argument("--data", help="folder of the public data sets (or $SUPERPOSE_DATA)")
    options = parser.parse_args(arguments)
    folder = data_folder(options.data)
    methods = chosen(options.methods, METHODS, allowed=METHODS, flag="--methods")
    study = study_of(options, "balance", tables=TABLES, quick=QUICK, seeds=5, allowed=LOADERS)
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    if not options.report:

        def run(key: Key) -> float:
            return run_cell(study.store, key, ready(key.table, folder, key.seed))

        run_missing(study.missing(methods, paired=True), run, options.max_minutes)
    summary = summarise(study, folder)
    print(show(summary))
    if len(summary["methods"]) < len(METHODS):  # some have not got through all seeds yet
        first = summarise(replace(study, seeds=study.seeds[:1]), folder)
        print(f"\nSeed {study.seeds[0]} alone, with all methods that have it\n\n{show(first)}")
        summary["first_seed"] = first
    write_json(study, summary)


if __name__ == "__main__":
    main()
