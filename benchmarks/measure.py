"""Is the recommended measurement the right one? A closed loop on rows that no model has seen.

    python benchmarks/measure.py --quick       # two small tables, one seed, minutes
    python benchmarks/measure.py               # four tables, 3 seeds; resumes

For each target of a table in turn: nothing but the inputs is known, one other target is revealed in
each row, then a second, and so on. The order is chosen row by row by `next_measurement`
(recommended), or is random, that of the table's columns (fixed), or that of the mean bits on the
validation rows (one order for all rows). After each step the squared error of the wanted target is
taken, over that with nothing known. Losses first: where another order is ahead of the recommended.

It asks the models that `given.py` has fitted and kept; what is missing is fitted.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd

from _cells import RESULTS, CellStore, hardware, plan, versions
from _fitted import fitted
from _given_tables import load_given_table
from _print import grid
from _run import write_json
from _table import Table
from _tables import data_folder

TABLES = ("andro", "jura", "wq", "beijing_stations")
QUICK = ("andro", "jura")
ORDERS = ("recommended", "random", "fixed", "by mean bits")
ROWS, STEPS, DRAWS = 100, 3, 32

Choose = Callable[[pd.DataFrame, np.ndarray], np.ndarray]


def without_hidden(frame: pd.DataFrame, names: list[str], shown: np.ndarray) -> pd.DataFrame:
    """The rows with the values of `names` where they have been revealed (N, K), and no others."""
    values = {name: frame[name].where(shown[:, k]) for k, name in enumerate(names)}
    return frame.assign(**values)


def orders(
    model: Any, table: Table, wanted: str, held: pd.DataFrame, seed: int
) -> dict[str, Choose]:
    """For each order what it reveals next in every row (N,), by place among the other targets."""
    names = [t for t in table.targets if t != wanted]
    rng = np.random.default_rng([seed, 7])
    places = {name: place for place, name in enumerate(names)}

    def ranks(frame: pd.DataFrame, given: list[str]) -> np.ndarray:
        advice = model.next_measurement(frame, wanted, given=given, candidates=names, draws=DRAWS)
        bits = np.full((len(frame), len(names)), -np.inf)
        bits[advice["row"], advice["measure"].map(places)] = advice["bits"]
        return bits

    mean_bits = ranks(without_hidden(held, names, np.zeros((len(held), len(names)), bool)), [])
    mean_bits = np.where(np.isfinite(mean_bits), mean_bits, 0).mean(0)
    return {
        "recommended": lambda frame, shown: ranks(frame, names),
        "random": lambda frame, shown: rng.random(shown.shape),
        "fixed": lambda frame, shown: np.broadcast_to(-np.arange(len(names)), shown.shape),
        "by mean bits": lambda frame, shown: np.broadcast_to(mean_bits, shown.shape),
    }


def loop(model: Any, table: Table, wanted: str, rows: pd.DataFrame, choose: Choose) -> list[float]:
    """Mean squared error of the wanted target after 0, 1, ... reveals."""
    names = [t for t in table.targets if t != wanted]
    known = rows[names].notna().to_numpy()
    shown = np.zeros_like(known)
    errors = []
    for step in range(min(STEPS, len(names)) + 1):
        if step:
            told = without_hidden(rows, names, shown)
            score = np.where(shown | ~known, -np.inf, choose(told, shown))
            best = score.argmax(1)
            left = np.isfinite(score).any(1)
            shown[np.flatnonzero(left), best[left]] = True
        told = without_hidden(rows, names, shown)
        predicted = np.asarray(model.predict(told, given=names)[wanted], float)
        errors.append(float(np.mean((predicted - rows[wanted].to_numpy(float)) ** 2)))
    return errors


def run_cell(store: CellStore, name: str, seed: int, folder: Any) -> None:
    """All orders for every target of one table that has at least three."""
    table = load_given_table(name, folder, seed)
    parts = table.split(seed)
    model, _ = fitted(table, parts, seed)
    rng = np.random.default_rng([seed, 3])
    frame = table.frame

    def some(part: str, wanted: str) -> pd.DataFrame:
        rows = np.flatnonzero((parts == part) & frame[wanted].notna().to_numpy())
        chosen = rows if len(rows) <= ROWS else np.sort(rng.choice(rows, ROWS, replace=False))
        return frame.iloc[chosen].reset_index(drop=True)

    started = time.perf_counter()
    found = {}
    for wanted in table.targets:
        rows, held = some("test", wanted), some("validation", wanted)
        found[wanted] = {
            order: loop(model, table, wanted, rows, choose)
            for order, choose in orders(model, table, wanted, held, seed).items()
        }
    store.append(
        {
            "table": name, "method": "superpose", "seed": seed, "targets": found,
            "seconds": round(time.perf_counter() - started, 1), "versions": versions(),
            "hardware": hardware(), "threads": int(os.environ["OMP_NUM_THREADS"]),
        }
    )  # fmt: skip


def summarise(store: CellStore, tables: list[str]) -> dict[str, Any]:
    """Per table and order the error after each reveal, over that with nothing known."""
    found: dict[str, Any] = {}
    for name in tables:
        cells = [cell for (table, _, _), cell in store.read().items() if table == name]
        if not cells:
            continue
        curves = {
            order: np.mean(
                [np.array(by[order]) / by[order][0] for c in cells for by in c["targets"].values()],
                axis=0,
            ).tolist()
            for order in ORDERS
        }
        found[name] = {"seeds": len(cells), "curves": curves}
    return {"tables": found}


def show(summary: dict[str, Any]) -> str:
    """Losses first, then the table."""
    losses, rows = [], []
    for name, facts in summary["tables"].items():
        mean = {order: float(np.mean(curve[1:])) for order, curve in facts["curves"].items()}
        ahead = [order for order in ORDERS[1:] if mean[order] < mean["recommended"]]
        best = f"recommended {mean['recommended']:.3f}"
        losses += [f"{name}: {order} {mean[order]:.3f}, {best}" for order in ahead]
        for order, curve in facts["curves"].items():
            steps = [f"{x:.3f}" for x in curve[1:]] + ["."] * (STEPS + 1 - len(curve))
            rows.append([name, order, *steps, f"{mean[order]:.3f}", str(facts["seeds"])])
    head = ["table", "order", *(f"after {n + 1}" for n in range(STEPS)), "mean", "seeds"]
    lost = "\n".join(["Behind another order (mean over the reveals):", *(losses or ["nowhere"])])
    return f"{lost}\n\nError of the wanted target, nothing known = 1\n{grid(head, rows)}"


def main(arguments: list[str] | None = None) -> None:
    """Run what is missing, print, write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", help="folder of the public data sets (or $SUPERPOSE_DATA)")
    parser.add_argument("--quick", action="store_true", help="two small tables, one seed")
    parser.add_argument("--report", action="store_true", help="run nothing, print what is stored")
    parser.add_argument("--tables", help="comma-separated; default all")
    parser.add_argument("--seeds", type=int, help="default 3; quick 1")
    given = parser.parse_args(arguments)
    tables = given.tables.split(",") if given.tables else list(QUICK if given.quick else TABLES)
    seeds = range(given.seeds or (1 if given.quick else 3))
    name = "measure-quick" if given.quick else "measure"
    store = CellStore(RESULTS / f"{name}.cells.jsonl")
    if not given.report:
        for table, _, seed in plan(["superpose"], seeds, tables, store.done()):
            run_cell(store, table, seed, data_folder(given.data))
            print(f"{table} seed {seed}", flush=True)
    summary = summarise(store, tables)
    print(show(summary))
    write_json(RESULTS / f"{name}.json", summary, store, tables, list(seeds))


if __name__ == "__main__":
    main()
