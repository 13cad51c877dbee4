"""Can one model for every subset of given targets keep up with models trained anew for each?

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

# One thread by default: cells of several methods may run side by side on a small machine.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from _cells import CellStore, Key
from _given_methods import METHODS
from _given_methods import QUICK as QUICK_METHODS
from _given_questions import Rows, evaluate
from _given_summary import show, summarise
from _given_tables import QUICK, TABLES, load_given_table
from _run import Body, chosen, flags, run_missing, store_cell, study_of, write_json
from _tables import data_folder


def run_cell(store: CellStore, key: Key, folder: Path, *, slack: float = 1.0) -> float:
    """Fit, predict, score and store one cell."""
    table = load_given_table(key.table, folder, key.seed)

    def work() -> Body:
        return evaluate(METHODS[key.method](), Rows(table, key.seed, slack)), None

    return store_cell(store, key, work, split=table.rule, note=table.note)


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Command line."""
    parser = flags(__doc__, "given", tables=TABLES, methods=METHODS)
    parser.add_argument("--data", help="folder of the public data sets (or $SUPERPOSE_DATA)")
    parser.add_argument("--subject", default="superpose", help="the method that is evaluated")
    parser.add_argument("--slack", type=float, default=1.0, help="factor on networks' time limits")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> None:
    """Run what is missing, print losses first, write the JSON."""
    options = parse(arguments)
    fast = QUICK_METHODS if options.quick else METHODS
    methods = chosen(options.methods, fast, allowed=METHODS, flag="--methods")
    study = study_of(options, "given", tables=TABLES, quick=QUICK, seeds=5)
    if not options.report:
        folder = data_folder(options.data)

        def run(key: Key) -> float:
            return run_cell(study.store, key, folder, slack=options.slack)

        run_missing(study.missing(methods), run, options.max_minutes)
    # What is stored of other methods stands in the tables too: a run of one method adds to them.
    summary = summarise(study, list(METHODS), options.subject)
    print(show(summary))
    write_json(study, summary)


if __name__ == "__main__":
    main()
