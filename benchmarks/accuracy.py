"""Is what Superpose deploys better than the best single-task models, over many tables?

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

# One thread by default: cells of several methods may run side by side on a small machine.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from _cells import CellStore, Key
from _methods import Run, run_method
from _print import show
from _run import Body, flags, run_missing, store_cell, study_of, write_json
from _scores import METRIC, baseline, error, metrics, row_loss
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
        base = baseline(kind, y[train], len(table.classes(name) or []))
        scores = metrics(kind, y[test], outcome.test, baseline=base)
        losses = row_loss(kind, y[test], outcome.test)
        held_out = y[validation]
        held_out = held_out[~np.isnan(held_out)]
        validation_loss = (
            None
            if outcome.validation is None or not len(held_out)
            else float(row_loss(kind, held_out, outcome.validation).mean())
        )
        targets[name] = {
            "kind": kind,
            "n": int(np.isfinite(losses).sum()),
            "metric": METRIC[kind],
            "error": error(kind, scores),
            "loss": float(np.nanmean(losses)),
            "validation_loss": validation_loss,
            "metrics": scores,
            "rounds": outcome.rounds,
            "seconds": round(outcome.seconds, 3),
            "processor_seconds": round(outcome.processor_seconds, 3),
        }
        rows[f"loss{number}"] = losses.astype(np.float32)
        rows[f"prediction{number}"] = outcome.test.astype(np.float32)
    return targets, rows


def run_cell(store: CellStore, key: Key, table: Table, *, slack: float = 1.0) -> float:
    """Fit, score and store one cell."""

    def work() -> Body:
        run = run_method(key.method, table, seed=key.seed, slack=slack)
        targets, rows = score_run(table, key.seed, run)
        body = {"seconds": round(run.seconds, 3), "targets": targets, "details": run.details}
        return body, rows

    return store_cell(store, key, work)


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Command line."""
    parser = flags(__doc__, "accuracy", tables=LOADERS, methods=METHODS)
    parser.add_argument("--data", help="folder of the public data sets (or $SUPERPOSE_DATA)")
    parser.add_argument("--subject", default="superpose", help="the method that is evaluated")
    parser.add_argument("--slack", type=float, default=1.0, help="factor on TabM's time limits")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> None:
    """Run what is missing, print losses first, write the JSON."""
    options = parse(arguments)
    folder = data_folder(options.data)
    methods = options.methods.split(",") if options.methods else list(METHODS)
    study = study_of(options, "accuracy", tables=LOADERS, quick=QUICK, seeds=5)
    if not options.report:

        def run(key: Key) -> float:
            return run_cell(study.store, key, load_table(key.table, folder), slack=options.slack)

        run_missing(study.missing(methods), run, options.max_minutes)
    summary = summarise(study, folder, options.subject)
    print(show(summary))
    write_json(study, summary)


if __name__ == "__main__":
    main()
