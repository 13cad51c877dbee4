"""How good is what `fit` hands back, on later rows that it was never given?

    python benchmarks/deployed.py --quick              # small tables, 2 seeds
    python benchmarks/deployed.py                      # all tables, 3 seeds; resumes
    python benchmarks/deployed.py --report             # only print what is stored
    python benchmarks/deployed.py --methods realmlp    # where `pytabkit` is installed

An outer test set is kept from every method: the newest fifth where there is time, whole groups
where there are groups, else a fifth at random. All other rows are given to every method. The
single-task models find their number of rounds on a part of the given rows, and are then fitted on
all of them. Superpose is handed the given rows and no word more than a user would say: the targets,
and the column of times or groups. Cells are stored as they end.
"""

from __future__ import annotations

import argparse
import os
import time
import warnings
from dataclasses import replace
from importlib.util import find_spec
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from _cells import Key
from _deployed_summary import show, summarise
from _fitted import declared
from _methods import BACKENDS, Outcome, Run, Task, canonical, make_task
from _outer import OUTER_LOADERS, SMALL, Outer, load_outer
from _run import Body, chosen, flags, run_missing, store_cell, study_of, write_json
from _scores import baseline, metrics, row_loss
from _tables import data_folder

BASELINES = ("catboost", "lightgbm", "hist")
METHODS = (*BASELINES, "superpose")
ASKED_FOR = {"realmlp": "pytabkit"}  # run only if named: slow, and of a package of its own


def fit_refitted(method: str, outer: Outer, seed: int) -> Run:
    """One model per target: rounds by early stopping, then all given rows."""
    table = outer.plain
    parts = outer.parts(seed)
    started = time.perf_counter()
    outcomes = {}
    for target in table.targets:
        task = make_task(table, target, parts=parts, seed=seed)
        worked = time.process_time()
        outcome = _refitted(method, task)
        outcomes[target] = replace(outcome, processor_seconds=time.process_time() - worked)
    return Run(outcomes, time.perf_counter() - started)


def _refitted(method: str, task: Task) -> Outcome:
    if len(np.unique(task.both.y)) < 2:
        row = baseline(task.kind, task.both.y, task.n_classes)
        return Outcome(np.tile(row, (len(task.test), 1)), None)
    backend = BACKENDS[method]
    held_out = task.validation if len(task.validation.y) else None
    _, rounds = backend(task, task.train, held_out=held_out, rounds=None)
    whole = replace(task, train=task.both)  # whose categories are known
    predict, _ = backend(whole, task.both, held_out=None, rounds=rounds)
    return Outcome(predict(task.test), None, rounds)


def fit_superpose(outer: Outer, seed: int, **settings: Any) -> Run:
    """Superpose as a user calls it; `details` keep its intervals and what it says of itself."""
    from superpose import Superpose
    from superpose.record import json_tables, plain

    table = outer.table
    frame = outer.frame
    parts = outer.parts(seed)
    given = np.isin(parts, ("train", "validation"))
    options = {"split": outer.split} if outer.split else {}
    model = Superpose(targets=declared(table), seed=seed, **options, **settings)
    started = time.perf_counter()
    worked = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(frame[given])
        seconds = time.perf_counter() - started
        processor_seconds = time.process_time() - worked
        rows = frame.loc[parts == "test"].drop(columns=list(table.targets))
        values, shares = model.predict(rows), model.predict_proba(rows)
    outcomes = {
        t: Outcome(canonical(table, t, pred=values, proba=shares), None) for t in table.targets
    }
    record = model.record
    details = {
        **json_tables(record),
        "cost": plain(record.costs),
        "regime": record.regime,
        "warnings": record.warnings,
        "processor_seconds": processor_seconds,
        "coverage": {t: _coverage(table.labels(t)[parts == "test"], values, t) for t in outcomes},
    }
    return Run(outcomes, seconds, details)


def _coverage(y: np.ndarray, values: Any, target: str) -> float | None:
    """Share of labels inside the stated interval; None for targets without one."""
    if f"{target}_low" not in values:
        return None
    low, high = (np.asarray(values[f"{target}_{end}"], dtype=float) for end in ("low", "high"))
    known = ~np.isnan(y)
    return float(((low <= y) & (y <= high))[known].mean())


def run_method(method: str, outer: Outer, seed: int) -> Run:
    """Fit one method on the given rows and predict the outer test."""
    if method in BACKENDS:
        return fit_refitted(method, outer, seed)
    return fit_superpose(outer, seed)


def chosen_methods(text: str | None) -> list[str]:
    """The methods of the flag; SystemExit if one is unknown, or its package is not installed."""
    methods = chosen(text, METHODS, allowed=(*METHODS, *ASKED_FOR), flag="--methods")
    for name in methods:
        package = ASKED_FOR.get(name)
        if package and find_spec(package) is None:
            raise SystemExit(f"--methods: {name} needs {package}; see benchmarks/README.md")
    return methods


def score(outer: Outer, seed: int, run: Run) -> Body:
    """Errors per target, and the per-row losses that stand beside the cell."""
    parts = outer.parts(seed)
    test = parts == "test"
    given = np.isin(parts, ("train", "validation"))
    rows: dict[str, np.ndarray] = {"rows": np.flatnonzero(test)}
    targets = {}
    for number, (name, kind) in enumerate(outer.table.targets.items()):
        y = outer.table.labels(name)
        outcome = run.targets[name]
        row = baseline(kind, y[given], len(outer.table.classes(name) or []))
        losses = row_loss(kind, y[test], outcome.test)
        targets[name] = {
            "kind": kind,
            "n": int(np.isfinite(losses).sum()),
            "loss": float(np.nanmean(losses)),
            "metrics": metrics(kind, y[test], outcome.test, baseline=row),
            "rounds": outcome.rounds,
            "processor_seconds": round(outcome.processor_seconds, 3),
        }
        rows[f"loss{number}"] = losses.astype(np.float32)
    body = {"way": outer.way, "seconds": round(run.seconds, 3), "targets": targets}
    return body | {"details": run.details}, rows


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Command line."""
    parser = flags(__doc__, "deployed", tables=OUTER_LOADERS, methods=(*METHODS, *ASKED_FOR))
    parser.add_argument("--data", help="folder of the public data sets (or $SUPERPOSE_DATA)")
    parser.add_argument("--subject", default="superpose", help="the method that is judged")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> None:
    """Run what is missing, print losses first, write the JSON."""
    options = parse(arguments)
    folder = data_folder(options.data)
    study = study_of(options, "deployed", tables=OUTER_LOADERS, quick=SMALL, seeds=3)
    if not options.report:
        methods = chosen_methods(options.methods)

        def run(key: Key) -> float:
            def work() -> Body:
                outer = load_outer(key.table, folder)
                return score(outer, key.seed, run_method(key.method, outer, key.seed))

            return store_cell(study.store, key, work)

        run_missing(study.missing(methods, paired=True), run, options.max_minutes)
    summary = summarise(study, folder, options.subject)
    print(show(summary))
    write_json(study, summary)


if __name__ == "__main__":
    main()
