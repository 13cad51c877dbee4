"""What does Superpose ship, against the best single-task models, over many tables?

    python benchmarks/accuracy.py --quick              # small tables, 2 seeds, minutes
    python benchmarks/accuracy.py                      # all tables, 5 seeds; resumes
    python benchmarks/accuracy.py --report             # only print what is stored

Every (table, method, seed) cell is stored as it ends under benchmarks/results/, so that a run
that was cut goes on where it stopped. AutoGluon's cells come from `autogluon_cells.py`.
"""

from __future__ import annotations

import argparse
import os
from typing import Any

# One thread unless told: cells of several methods may run side by side on a small machine.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from _cells import RESULTS, CellStore, Key, plan
from _methods import Run, run_method
from _print import show
from _run import Body, chosen, flags, run_missing, store_cell, write_json
from _scores import METRIC, constant, error, metrics, row_loss
from _summary import summarise
from _table import Table
from _tables import LOADERS, QUICK, data_folder, load_table

METHODS = ("catboost", "lightgbm", "hist", "tabm", "superpose")


def score_run(table: Table, seed: int, run: Run) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Metrics per target of one run, and the per-row arrays that stand beside the cell."""
    parts = table.split(seed)
    test, validation, train = (parts == name for name in ("test", "validation", "train"))
    rows: dict[str, np.ndarray] = {"rows": np.flatnonzero(test)}
    targets = {}
    for number, (name, kind) in enumerate(table.targets.items()):
        y = table.labels(name)
        outcome = run.targets[name]
        floor = constant(kind, y[train], len(table.classes(name) or []))
        found = metrics(kind, y[test], outcome.test, floor)
        losses = row_loss(kind, y[test], outcome.test)
        held = y[validation]
        held = held[~np.isnan(held)]
        held_loss = (
            None
            if outcome.validation is None or not len(held)
            else float(row_loss(kind, held, outcome.validation).mean())
        )
        targets[name] = {
            "kind": kind,
            "n": int(np.isfinite(losses).sum()),
            "metric": METRIC[kind],
            "error": error(kind, found),
            "loss": float(np.nanmean(losses)),
            "validation_loss": held_loss,
            "metrics": found,
            "rounds": outcome.rounds,
            "seconds": round(outcome.seconds, 3),
            "processor_seconds": round(outcome.processor_seconds, 3),
        }
        rows[f"loss{number}"] = losses.astype(np.float32)
        rows[f"prediction{number}"] = outcome.test.astype(np.float32)
    return targets, rows


def run_cell(store: CellStore, table: Table, method: str, seed: int, slack: float) -> float:
    """Fit, score and store one cell."""

    def work() -> Body:
        run = run_method(method, table, seed, slack)
        targets, rows = score_run(table, seed, run)
        body = {"seconds": round(run.seconds, 3), "targets": targets, "details": run.details}
        return body, rows

    return store_cell(store, (table.name, method, seed), work)


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Command line."""
    parser = flags(__doc__, "accuracy", LOADERS, METHODS)
    parser.add_argument("--data", help="folder of the public data sets (or $SUPERPOSE_DATA)")
    parser.add_argument("--subject", default="superpose", help="the method that is judged")
    parser.add_argument("--slack", type=float, default=1.0, help="factor on TabM's time limits")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> None:
    """Run what is missing, print losses first, write the JSON."""
    given = parse(arguments)
    folder = data_folder(given.data)
    tables = chosen(given.tables, QUICK if given.quick else LOADERS, LOADERS, "--tables")
    methods = given.methods.split(",") if given.methods else list(METHODS)
    seeds = range(given.seeds or (2 if given.quick else 5))
    name = given.name or ("accuracy-quick" if given.quick else "accuracy")
    store = CellStore(RESULTS / f"{name}.cells.jsonl")
    if not given.report:
        keys = plan(methods, seeds, tables, store.done())

        def run(key: Key) -> float:
            return run_cell(store, load_table(key[0], folder), key[1], key[2], given.slack)

        run_missing(keys, run, given.max_minutes)
    summary = summarise(store, tables, list(seeds), folder, given.subject)
    print(show(summary))
    write_json(RESULTS / f"{name}.json", summary, store, tables, list(seeds))


if __name__ == "__main__":
    main()
