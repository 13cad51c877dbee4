"""AutoGluon in the same table as `accuracy.py`: one predictor per target, good_quality.

AutoGluon pins old versions of other packages, so it runs in an environment of its own:

    python -m venv ../ag-venv
    ../ag-venv/bin/pip install torch==2.13.0
    ../ag-venv/bin/pip install "autogluon.tabular[lightgbm,catboost,xgboost,fastai]"
    ../ag-venv/bin/python benchmarks/autogluon_cells.py --seconds 20 --max-minutes 60

It gets the training and validation rows together (it bags by itself) and appends its cells to
the store that `accuracy.py` prints. A cell made under another time limit is made anew.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from dataclasses import dataclass

import numpy as np

from _cells import RESULTS, CellStore, Key
from _methods import Outcome, Run
from _run import Body, run_missing, store_cell
from _table import Table
from _tables import LOADERS, QUICK, data_folder, load_table
from accuracy import score_run

METHOD = "autogluon"
FOLDS = 8  # what good_quality bags with


@dataclass(frozen=True)
class Limits:
    """What one target may use: seconds by the clock, and cores."""

    seconds: float
    cpus: int


def fit_one(table: Table, target: str, *, parts: np.ndarray, limits: Limits) -> Outcome:
    """One TabularPredictor on all labelled training and validation rows."""
    from autogluon.tabular import TabularPredictor

    started = time.perf_counter()
    kind = table.targets[target]
    y = table.labels(target)
    chosen = (parts != "test") & ~np.isnan(y)
    problem, metric = {
        "number": ("regression", "root_mean_squared_error"),
        "count": ("regression", "root_mean_squared_error"),
        "binary": ("binary", "roc_auc"),
    }.get(kind, ("multiclass", "log_loss"))
    x = table.frame[table.inputs]
    train = x[chosen].assign(__y__=y[chosen] if problem == "regression" else y[chosen].astype(int))
    options = {}
    if table.clusters is not None:  # rows of one subject or week stay in one fold
        names, member = np.unique(table.clusters[chosen], return_inverse=True)
        train["__fold__"] = np.random.default_rng(0).permutation(len(names))[member] % FOLDS
        options["groups"] = "__fold__"
    with tempfile.TemporaryDirectory() as folder:

        def fit(name: str, **more: object) -> TabularPredictor:
            predictor = TabularPredictor(
                "__y__",
                problem_type=problem,
                eval_metric=metric,
                path=os.path.join(folder, name),
                verbosity=0,
                **options,
            )
            return predictor.fit(
                train,
                presets="good_quality",
                time_limit=limits.seconds,
                num_cpus=limits.cpus,
                **more,
            )

        try:
            predictor = fit("first")
        except Exception:  # its search for the stacking depth can use up a short limit
            predictor = fit("second", dynamic_stacking=False)
        test = x[parts == "test"]
        if problem == "regression":
            out = predictor.predict(test).to_numpy(dtype=float)[:, None]
        else:
            proba = predictor.predict_proba(test)
            out = np.zeros((len(test), len(table.classes(target) or [])))
            out[:, [int(name) for name in proba.columns]] = proba.to_numpy()
    return Outcome(out, None, seconds=time.perf_counter() - started)


def run_cell(store: CellStore, key: Key, table: Table, *, limits: Limits) -> float:
    """Fit, score and store one cell."""

    def work() -> Body:
        parts = table.split(key.seed)
        started = time.perf_counter()
        outcomes = {
            target: fit_one(table, target, parts=parts, limits=limits) for target in table.targets
        }
        details = {"seconds_per_target": limits.seconds}
        run = Run(outcomes, time.perf_counter() - started, details)
        targets, rows = score_run(table, key.seed, run)
        body = {"seconds": round(run.seconds, 3), "targets": targets, "details": run.details}
        return body, rows

    return store_cell(store, key, work, threads=limits.cpus)


def main() -> None:
    """Run the missing AutoGluon cells."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", help="folder of the public data sets (or $SUPERPOSE_DATA)")
    parser.add_argument("--name", default="accuracy", help="name of the result files")
    parser.add_argument("--quick", action="store_true", help="small tables and 2 seeds")
    parser.add_argument("--tables", help="comma-separated; default all")
    parser.add_argument("--seeds", type=int, help="number of seeds (default 5; quick 2)")
    parser.add_argument("--seconds", type=float, default=20.0, help="time limit per target")
    parser.add_argument("--cpus", type=int, default=2, help="cores AutoGluon may use")
    parser.add_argument("--max-minutes", type=float, help="start no new cell after this long")
    options = parser.parse_args()
    folder = data_folder(options.data)
    default = QUICK if options.quick else LOADERS
    tables = options.tables.split(",") if options.tables else list(default)
    seeds = range(options.seeds or (2 if options.quick else 5))
    store = CellStore(RESULTS / f"{options.name}.cells.jsonl")
    limits = Limits(options.seconds, options.cpus)
    same_limit = {
        key
        for key, cell in store.read().items()
        if "failed" not in cell and cell["details"].get("seconds_per_target") == limits.seconds
    }
    keys = [Key(table, METHOD, seed) for seed in seeds for table in tables]

    def run(key: Key) -> float:
        return run_cell(store, key, load_table(key.table, folder), limits=limits)

    run_missing([key for key in keys if key not in same_limit], run, options.max_minutes)


if __name__ == "__main__":
    main()
