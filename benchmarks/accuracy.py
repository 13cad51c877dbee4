"""What does Superpose ship, against the best single-task models, over many tables?

    python benchmarks/accuracy.py --quick              # small tables, 2 seeds, minutes
    python benchmarks/accuracy.py                      # all tables, 5 seeds; resumes
    python benchmarks/accuracy.py --report             # only print what is stored

Every (table, method, seed) cell is stored as it ends under benchmarks/results/, so that a run
that was cut goes on where it stopped. AutoGluon's cells come from `autogluon_cells.py`.
"""

from __future__ import annotations

import argparse
import json
import os
import time
import traceback
from pathlib import Path
from typing import Any

# One thread unless told: cells of several methods may run side by side on a small machine.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from _cells import RESULTS, CellStore, Key, hardware, plan, strict, versions
from _methods import Run, run_method
from _print import show
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
        y, outcome = table.labels(name), run.targets[name]
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
    """Fit, score and store one cell; a failure is stored too and tried again next time."""
    cell: dict[str, Any] = {"table": table.name, "method": method, "seed": seed}
    cell |= {"versions": versions(), "hardware": hardware()}
    cell["threads"] = int(os.environ["OMP_NUM_THREADS"])
    started = time.perf_counter()
    try:
        run = run_method(method, table, seed, slack)
        targets, rows = score_run(table, seed, run)
    except Exception as fault:  # one method's fault must not end a run of hours
        traceback.print_exc()
        store.append(cell | {"failed": f"{type(fault).__name__}: {fault}"})
        return time.perf_counter() - started
    cell |= {"seconds": round(run.seconds, 3), "targets": targets, "details": run.details}
    store.append(cell, rows)
    return run.seconds


def run_missing(
    store: CellStore, keys: list[Key], folder: Path, slack: float, max_minutes: float | None
) -> None:
    """Run the cells in `keys`, one line of progress each."""
    started = time.perf_counter()
    for number, (name, method, seed) in enumerate(keys, start=1):
        if max_minutes is not None and time.perf_counter() - started > 60 * max_minutes:
            print(f"stopped after {max_minutes:g} minutes; {len(keys) - number + 1} cells left")
            return
        seconds = run_cell(store, load_table(name, folder), method, seed, slack)
        minutes = (time.perf_counter() - started) / 60
        print(
            f"[{number}/{len(keys)}] {name} {method} seed {seed}: {seconds:.1f} s"
            f" ({minutes:.1f} min so far)",
            flush=True,
        )


def write_json(
    path: Path, summary: dict[str, Any], store: CellStore, tables: list[str], seeds: list[int]
) -> None:
    """The summary and every cell, one cell a line; equal environments are stored once."""
    environments: list[dict[str, Any]] = []
    lines = []
    for (table, _, seed), cell in sorted(store.read().items()):
        if table not in tables or seed not in seeds:
            continue
        environment = {key: cell.pop(key) for key in ("versions", "hardware", "threads")}
        if environment not in environments:
            environments.append(environment)
        cell["environment"] = environments.index(environment)
        lines.append(json.dumps(rounded(cell), separators=(",", ":")))
    head = json.dumps(rounded(strict(summary | {"environments": environments})), indent=1)
    body = ",\n".join(lines)
    path.write_text(f'{head[:-2]},\n "cells": [\n{body}\n]\n}}\n', encoding="utf-8")


def rounded(value: Any) -> Any:
    """Floats to six significant digits: enough to check any figure, a third of the bytes."""
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [rounded(item) for item in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", help="folder of the public data sets (or $SUPERPOSE_DATA)")
    parser.add_argument("--name", help="name of the result files (accuracy, or accuracy-quick)")
    parser.add_argument("--quick", action="store_true", help="small tables and 2 seeds")
    parser.add_argument("--report", action="store_true", help="run nothing, print what is stored")
    parser.add_argument("--subject", default="superpose", help="the method that is judged")
    parser.add_argument("--tables", help="comma-separated; default all")
    parser.add_argument("--methods", help=f"comma-separated; default {','.join(METHODS)}")
    parser.add_argument("--seeds", type=int, help="number of seeds (default 5; quick 2)")
    parser.add_argument("--slack", type=float, default=1.0, help="factor on TabM's time limits")
    parser.add_argument("--max-minutes", type=float, help="start no new cell after this long")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> None:
    """Run what is missing, print losses first, write the JSON."""
    given = parse(arguments)
    folder = data_folder(given.data)
    tables = given.tables.split(",") if given.tables else list(QUICK if given.quick else LOADERS)
    unknown = [name for name in tables if name not in LOADERS]
    if unknown:
        raise SystemExit(f"--tables: {unknown} unknown; allowed: {', '.join(LOADERS)}")
    methods = given.methods.split(",") if given.methods else list(METHODS)
    seeds = range(given.seeds or (2 if given.quick else 5))
    name = given.name or ("accuracy-quick" if given.quick else "accuracy")
    store = CellStore(RESULTS / f"{name}.cells.jsonl")
    if not given.report:
        keys = plan(methods, seeds, tables, store.done())
        run_missing(store, keys, folder, given.slack, given.max_minutes)
    summary = summarise(store, tables, list(seeds), folder, given.subject)
    print(show(summary))
    write_json(RESULTS / f"{name}.json", summary, store, tables, list(seeds))


if __name__ == "__main__":
    main()
