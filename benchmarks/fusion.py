"""Which way to share is best by itself? Multi-task nets against single-task nets.

    python benchmarks/fusion.py --quick        # 2 small tables, 2 seeds
    python benchmarks/fusion.py                # 8 tables, 17 methods, 5 seeds; resumes
    python benchmarks/fusion.py --report       # only print what is stored
    python benchmarks/fusion.py --trials 4     # learning rate times dropout, chosen on validation

A ladder from a single-task net for each target, over a shared trunk, static weights and
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

from _cells import CellStore, Key
from _fusion_summary import SUBJECT, show, summarise
from _methods import Run
from _run import Body, chosen, flags, run_missing, store_cell, study_of, write_json
from _sharing import METHODS, TRIALS, Ready, make_ready, run_sharing
from _table import Table, capped
from _tables import LOADERS, data_folder, load_table
from accuracy import score_run

# Rows to train on, so that a cell costs seconds; sharing is for few labels in any case.
CAP = 1000
# From 2 to 14 targets, with and without gaps, of every kind but counts. Not the smallest ones: ten
# test rows tell little.
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


def body_of(made: Ready, run: Run) -> Body:
    """What is stored of a run: the scores in `KEPT`, and the row losses."""
    targets, rows = score_run(made.table, made.seed, run)
    kept = {name: {k: scores[k] for k in KEPT} for name, scores in targets.items()}
    losses = {name: values for name, values in rows.items() if "prediction" not in name}
    return {"seconds": round(run.seconds, 3), "targets": kept, "details": run.details}, losses


def run_cell(store: CellStore, key: Key, made: Ready, *, trials: int) -> float:
    """Train, score and store one cell."""
    table = made.table

    def work() -> Body:
        return body_of(made, run_sharing(made, key.method, trials=trials))

    rows = {part: len(made.rows(part)) for part in ("train", "validation", "test")}
    return store_cell(store, key, work, split=table.rule, note=table.note, rows=rows)


def main(arguments: list[str] | None = None) -> None:
    """Run what is missing, print losses first, write the JSON."""
    parser = flags(__doc__, "fusion", tables=LOADERS, methods=METHODS)
    parser.add_argument("--data", help="folder of the public data sets (or $SUPERPOSE_DATA)")
    parser.add_argument("--subject", default=SUBJECT, help="the method that is evaluated")
    parser.add_argument(
        "--trials", type=int, default=1, choices=range(1, len(TRIALS) + 1),
        help="settings that every method may try; the name of the results tells them apart",
    )  # fmt: skip
    options = parser.parse_args(arguments)
    folder = data_folder(options.data)
    methods = chosen(options.methods, METHODS, allowed=METHODS, flag="--methods")
    tried = "" if options.trials == 1 else f"-{options.trials}-trials"
    study = study_of(
        options, f"fusion{tried}", tables=TABLES, quick=QUICK, seeds=5, allowed=LOADERS
    )
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    if not options.report:

        def run(key: Key) -> float:
            made = ready(key.table, folder, key.seed)
            return run_cell(study.store, key, made, trials=options.trials)

        run_missing(study.missing(methods, paired=True), run, options.max_minutes)
    summary = summarise(study, lambda name: load(name, folder), options.subject)
    print(show(summary))
    write_json(study, summary)


if __name__ == "__main__":
    main()
