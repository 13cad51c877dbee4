"""Can one model that answers every subset keep up with models trained anew for each subset?

    python benchmarks/given.py --quick              # 4 small tables, 2 seeds, fast methods
    python benchmarks/given.py                      # 9 tables, 5 seeds; resumes
    python benchmarks/given.py --report             # only print what is stored

Three levels: no other target is given, one random half of them (drawn per table and seed; the
rest is scored), all others. Every (table, method, seed) cell is stored as it ends under
benchmarks/results/, so that a run that was cut goes on where it stopped.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

# One thread unless told: cells of several methods may run side by side on a small machine.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from _cells import RESULTS, CellStore, Key, plan
from _given_methods import METHODS
from _given_methods import QUICK as QUICK_METHODS
from _given_questions import Rows, ask
from _given_summary import show, summarise
from _given_tables import QUICK, TABLES, load_given_table
from _run import Body, chosen, flags, run_missing, store_cell, write_json
from _tables import data_folder


def run_cell(store: CellStore, key: Key, folder: Path, slack: float) -> float:
    """Fit, ask, score and store one cell."""
    name, method, seed = key
    table = load_given_table(name, folder, seed)

    def work() -> Body:
        return ask(METHODS[method](), Rows(table, seed, slack)), None

    return store_cell(store, key, work, split=table.rule, note=table.note)


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Command line."""
    parser = flags(__doc__, "given", TABLES, METHODS)
    parser.add_argument("--data", help="folder of the public data sets (or $SUPERPOSE_DATA)")
    parser.add_argument("--subject", default="superpose", help="the method that is judged")
    parser.add_argument("--slack", type=float, default=1.0, help="factor on networks' time limits")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> None:
    """Run what is missing, print losses first, write the JSON."""
    given = parse(arguments)
    every = tuple(METHODS)
    tables = chosen(given.tables, QUICK if given.quick else TABLES, TABLES, "--tables")
    fast = QUICK_METHODS if given.quick else every
    methods = chosen(given.methods, fast, every, "--methods")
    seeds = list(range(given.seeds or (2 if given.quick else 5)))
    name = given.name or ("given-quick" if given.quick else "given")
    store = CellStore(RESULTS / f"{name}.cells.jsonl")
    if not given.report:
        keys = plan(methods, seeds, tables, store.done())
        folder = data_folder(given.data)
        run_missing(keys, lambda key: run_cell(store, key, folder, given.slack), given.max_minutes)
    # What is stored of other methods stands in the tables too: a run of one method adds to them.
    summary = summarise(store.read(), tables, seeds, list(every), given.subject)
    print(show(summary))
    write_json(RESULTS / f"{name}.json", summary, store, tables, seeds)


if __name__ == "__main__":
    main()
