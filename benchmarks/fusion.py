"""Which way to share is best, with nothing else around it? The joint network against itself alone.

    python benchmarks/fusion.py --quick        # 2 small tables, 2 seeds
    python benchmarks/fusion.py                # 8 tables, 17 methods, 5 seeds; resumes
    python benchmarks/fusion.py --report       # only print what is stored
    python benchmarks/fusion.py --trials 4     # learning rate times dropout, chosen on validation

A ladder from the same network for each target alone, over a shared trunk, static weights and
attention without a sink, to the methods of other papers. No trees and no mixtures of models. With
one trial every method has the package's own learning rate and dropout; with more, each gets the
same ones, and the validation rows choose. Test rows are read once. Cells are stored as they end.
"""

from __future__ import annotations

import os
from functools import cache, lru_cache
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch

from _cells import RESULTS, CellStore, Key, plan
from _fusion_summary import SUBJECT, show, summarise
from _run import Body, chosen, flags, run_missing, store_cell, write_json
from _sharing import METHODS, TRIALS, Ready, make_ready, run_sharing
from _table import Table, capped
from _tables import LOADERS, data_folder, load_table
from accuracy import score_run

# Rows to train on, so that a cell costs seconds; sharing is for few labels in any case.
CAP = 1000
# From 2 to 14 targets, with and without gaps, of every kind but counts. Not the smallest ones: ten
# test rows say little.
TABLES = (
    "jura", "enb", "parkinsons", "wq", "mi_complications", "tox21", "nhanes", "beijing_air",
)  # fmt: skip
QUICK = ("jura", "enb")
# What is kept of a target's scores; the row losses behind the paired tests lie beside the cells.
KEPT = ("kind", "n", "metric", "error", "loss", "validation_loss", "rounds")


@cache
def load(name: str, folder: Path) -> Table:
    """A table with at most `CAP` training rows."""
    return capped(load_table(name, folder), CAP)


@lru_cache(maxsize=1)
def ready(name: str, folder: Path, seed: int) -> Ready:
    """The table encoded for a seed; all methods of the pair follow one another."""
    return make_ready(load(name, folder), seed)


def run_cell(store: CellStore, key: Key, made: Ready, trials: int) -> float:
    """Train, score and store one cell."""
    table = made.table

    def work() -> Body:
        run = run_sharing(made, key[1], trials)
        targets, rows = score_run(table, key[2], run)
        slim = {name: {k: found[k] for k in KEPT} for name, found in targets.items()}
        losses = {name: values for name, values in rows.items() if "prediction" not in name}
        body = {"seconds": round(run.seconds, 3), "targets": slim, "details": run.details}
        return body, losses

    rows = {part: len(made.rows(part)) for part in ("train", "validation", "test")}
    return store_cell(store, key, work, split=table.rule, note=table.note, rows=rows)


def main(arguments: list[str] | None = None) -> None:
    """Run what is missing, print losses first, write the JSON."""
    parser = flags(__doc__, "fusion", LOADERS, METHODS)
    parser.add_argument("--data", help="folder of the public data sets (or $SUPERPOSE_DATA)")
    parser.add_argument("--subject", default=SUBJECT, help="the method that is judged")
    parser.add_argument(
        "--trials", type=int, default=1, choices=range(1, len(TRIALS) + 1),
        help="settings that every method may try; the name of the results tells them apart",
    )  # fmt: skip
    given = parser.parse_args(arguments)
    folder = data_folder(given.data)
    tables = chosen(given.tables, QUICK if given.quick else TABLES, LOADERS, "--tables")
    methods = chosen(given.methods, METHODS, METHODS, "--methods")
    seeds = list(range(given.seeds or (2 if given.quick else 5)))
    tried = "" if given.trials == 1 else f"-{given.trials}-trials"
    name = given.name or f"fusion{tried}{'-quick' if given.quick else ''}"
    store = CellStore(RESULTS / f"{name}.cells.jsonl")
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    if not given.report:

        def run(key: Key) -> float:
            return run_cell(store, key, ready(key[0], folder, key[2]), given.trials)

        run_missing(plan(methods, seeds, tables, store.done(), paired=True), run, given.max_minutes)
    summary = summarise(store, tables, seeds, lambda name: load(name, folder), given.subject)
    print(show(summary))
    write_json(RESULTS / f"{name}.json", summary, store, tables, seeds)


if __name__ == "__main__":
    main()
