"""Is the recommended measurement the right one? A closed loop on rows that no model has seen.

    python benchmarks/measure.py --quick       # two small tables, one seed, minutes
    python benchmarks/measure.py               # four tables, 3 seeds; resumes

For each target of a table in turn: nothing but the inputs is known, one other target is measured in
each row, then a second, and so on. The order is chosen row by row by `next_measurement`
(recommended), or is random, that of the table's columns (fixed), or that of the mean bits on the
validation rows (one order for all rows). After each step the squared error of the wanted target is
taken, over that with nothing known. Losses first: where another order is ahead of the recommended.

It uses the models that `given.py` has fitted and kept; what is missing is fitted.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd

from _cells import RESULTS, CellStore, Key, Study
from _fitted import fitted
from _given_tables import load_given_table
from _print import grid
from _run import Body, run_missing, store_cell, write_json
from _tables import data_folder

TABLES = ("andro", "jura", "wq", "beijing_stations")
QUICK = ("andro", "jura")
METHOD = "superpose"
ORDERS = ("recommended", "random", "fixed", "by mean bits")
ROWS = 100
STEPS = 3
DRAWS = 32

Choose = Callable[[pd.DataFrame, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Loop:
    """Other targets are measured one after the other, to predict one better.

    Args:
        model: fitted.
        wanted: the target to predict.
        others: the targets that may be measured, K of them.
    """

    model: Any
    wanted: str
    others: list[str]

    def observed(self, frame: pd.DataFrame, mask: np.ndarray) -> pd.DataFrame:
        """The rows with the values of the others where they are measured (N, K), no others."""
        values = {name: frame[name].where(mask[:, k]) for k, name in enumerate(self.others)}
        return frame.assign(**values)

    def bits(self, frame: pd.DataFrame, given: list[str]) -> np.ndarray:
        """Expected bits of each other target in each row (N, K), -inf where it is known."""
        advice = self.model.next_measurement(
            frame, self.wanted, given=given, candidates=self.others, draws=DRAWS
        )
        bits = np.full((len(frame), len(self.others)), -np.inf)
        index = {name: k for k, name in enumerate(self.others)}
        bits[advice["row"], advice["measure"].map(index)] = advice["bits"]
        return bits

    def orders(self, validation: pd.DataFrame, seed: int) -> dict[str, Choose]:
        """For each order a function that scores what to measure next (N, K), the best highest."""
        rng = np.random.default_rng([seed, 7])
        nothing = np.zeros((len(validation), len(self.others)), bool)
        mean_bits = self.bits(self.observed(validation, nothing), [])
        mean_bits = np.where(np.isfinite(mean_bits), mean_bits, 0).mean(0)
        fixed = -np.arange(len(self.others))
        return {
            "recommended": lambda frame, mask: self.bits(frame, self.others),
            "random": lambda frame, mask: rng.random(mask.shape),
            "fixed": lambda frame, mask: np.broadcast_to(fixed, mask.shape),
            "by mean bits": lambda frame, mask: np.broadcast_to(mean_bits, mask.shape),
        }

    def errors(self, rows: pd.DataFrame, choose: Choose) -> list[float]:
        """Mean squared error of the wanted target after 0, 1, ... measurements."""
        known = rows[self.others].notna().to_numpy()
        mask = np.zeros_like(known)
        errors = []
        for step in range(min(STEPS, len(self.others)) + 1):
            if step:
                score = choose(self.observed(rows, mask), mask)
                score = np.where(mask | ~known, -np.inf, score)
                best = score.argmax(1)
                left = np.isfinite(score).any(1)
                mask[np.flatnonzero(left), best[left]] = True
            preds = self.model.predict(self.observed(rows, mask), given=self.others)
            difference = np.asarray(preds[self.wanted], float) - rows[self.wanted].to_numpy(float)
            errors.append(float(np.mean(difference**2)))
        return errors


def measured(key: Key, folder: Path) -> Body:
    """All orders for every target of one table."""
    table = load_given_table(key.table, folder, key.seed)
    parts = table.split(key.seed)
    model, _ = fitted(table, parts, key.seed)
    rng = np.random.default_rng([key.seed, 3])
    frame = table.frame

    def some(part: str, wanted: str) -> pd.DataFrame:
        rows = np.flatnonzero((parts == part) & frame[wanted].notna().to_numpy())
        drawn = rows if len(rows) <= ROWS else np.sort(rng.choice(rows, ROWS, replace=False))
        return frame.iloc[drawn].reset_index(drop=True)

    started = time.perf_counter()
    targets = {}
    for wanted in table.targets:
        loop = Loop(model, wanted, [t for t in table.targets if t != wanted])
        test, validation = some("test", wanted), some("validation", wanted)
        targets[wanted] = {
            order: loop.errors(test, choose)
            for order, choose in loop.orders(validation, key.seed).items()
        }
    return {"targets": targets, "seconds": round(time.perf_counter() - started, 1)}, None


def run_cell(store: CellStore, key: Key, folder: Path) -> float:
    """Measure and store one table and seed."""
    return store_cell(store, key, lambda: measured(key, folder))


def summarise(study: Study) -> dict[str, Any]:
    """Per table and order the error after each measurement, over that with nothing known."""
    tables: dict[str, Any] = {}
    for name in study.tables:
        cells = study.of(name, METHOD)
        if not cells:
            continue
        curves = {
            order: np.mean(
                [np.array(by[order]) / by[order][0] for c in cells for by in c["targets"].values()],
                axis=0,
            ).tolist()
            for order in ORDERS
        }
        tables[name] = {"seeds": len(cells), "curves": curves}
    return {"tables": tables}


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
    lost = "\n".join(
        ["Behind another order (mean over the measurements):", *(losses or ["nowhere"])]
    )
    return f"{lost}\n\nError of the wanted target, nothing known = 1\n{grid(head, rows)}"


def main(arguments: list[str] | None = None) -> None:
    """Run what is missing, print, write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", help="folder of the public data sets (or $SUPERPOSE_DATA)")
    parser.add_argument("--quick", action="store_true", help="two small tables, one seed")
    parser.add_argument("--report", action="store_true", help="run nothing, print what is stored")
    parser.add_argument("--tables", help="comma-separated; default all")
    parser.add_argument("--seeds", type=int, help="default 3; quick 1")
    options = parser.parse_args(arguments)
    default = QUICK if options.quick else TABLES
    tables = options.tables.split(",") if options.tables else list(default)
    seeds = list(range(options.seeds or (1 if options.quick else 3)))
    name = "measure-quick" if options.quick else "measure"
    study = Study(CellStore(RESULTS / f"{name}.cells.jsonl"), tables, seeds)
    if not options.report:
        folder = data_folder(options.data)
        run_missing(study.missing([METHOD]), lambda key: run_cell(study.store, key, folder), None)
    summary = summarise(study)
    print(show(summary))
    write_json(study, summary)


if __name__ == "__main__":
    main()
