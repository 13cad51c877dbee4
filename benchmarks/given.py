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
import time
import traceback
from pathlib import Path
from typing import Any

# One thread unless told: cells of several methods may run side by side on a small machine.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from _cells import RESULTS, CellStore, Key, hardware, plan, versions
from _given_methods import METHODS
from _given_methods import QUICK as QUICK_METHODS
from _given_questions import Rows, ask
from _given_summary import show, summarise
from _given_tables import QUICK, TABLES, load_given_table
from _tables import data_folder
from accuracy import write_json


def run_cell(store: CellStore, key: Key, folder: Path, slack: float) -> float:
    """Fit, ask, score and store one cell; a failure is stored too and tried again next time."""
    name, method, seed = key
    table = load_given_table(name, folder, seed)
    cell: dict[str, Any] = {"table": name, "method": method, "seed": seed}
    cell |= {"versions": versions(), "hardware": hardware()}
    cell |= {"threads": int(os.environ["OMP_NUM_THREADS"])}
    cell |= {"split": table.rule, "note": table.note}
    started = time.perf_counter()
    try:
        cell |= ask(METHODS[method](), Rows(table, seed, slack))
    except Exception as fault:  # one method's fault must not end a run of hours
        traceback.print_exc()
        cell["failed"] = f"{type(fault).__name__}: {fault}"
    store.append(cell)
    return time.perf_counter() - started


def run_missing(
    store: CellStore, keys: list[Key], folder: Path, slack: float, max_minutes: float | None
) -> None:
    """Run the cells in `keys`, one line of progress each."""
    started = time.perf_counter()
    for number, key in enumerate(keys, start=1):
        minutes = (time.perf_counter() - started) / 60
        if max_minutes is not None and minutes > max_minutes:
            print(f"stopped after {max_minutes:g} minutes; {len(keys) - number + 1} cells left")
            return
        seconds = run_cell(store, key, folder, slack)
        print(
            f"[{number}/{len(keys)}] {key[0]} {key[1]} seed {key[2]}: {seconds:.1f} s", flush=True
        )


def chosen(text: str | None, default: tuple[str, ...], allowed: tuple[str, ...], flag: str) -> list:
    """The comma-separated names of a flag, all known."""
    names = text.split(",") if text else list(default)
    unknown = [name for name in names if name not in allowed]
    if unknown:
        raise SystemExit(f"{flag}: {unknown} unknown; allowed: {', '.join(allowed)}")
    return names


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", help="folder of the public data sets (or $SUPERPOSE_DATA)")
    parser.add_argument("--name", help="name of the result files (given, or given-quick)")
    parser.add_argument(
        "--quick", action="store_true", help="4 small tables, fast methods, 2 seeds"
    )
    parser.add_argument("--report", action="store_true", help="run nothing, print what is stored")
    parser.add_argument("--subject", default="superpose", help="the method that is judged")
    parser.add_argument("--tables", help=f"comma-separated; default {','.join(TABLES)}")
    parser.add_argument("--methods", help=f"comma-separated; default {','.join(METHODS)}")
    parser.add_argument("--seeds", type=int, help="number of seeds (default 5; quick 2)")
    parser.add_argument("--slack", type=float, default=1.0, help="factor on networks' time limits")
    parser.add_argument("--max-minutes", type=float, help="start no new cell after this long")
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
        run_missing(store, keys, data_folder(given.data), given.slack, given.max_minutes)
    # What is stored of other methods stands in the tables too: a run of one method adds to them.
    summary = summarise(store.read(), tables, seeds, list(every), given.subject)
    print(show(summary))
    write_json(RESULTS / f"{name}.json", summary, store, tables, seeds)


if __name__ == "__main__":
    main()
