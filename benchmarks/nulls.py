"""How often is a challenger deployed where sharing can't help? At most once in twenty runs.

    python benchmarks/nulls.py --quick              # two tables, 2 seeds
    python benchmarks/nulls.py                      # 200 runs: 5 tables, 2 nulls, 20 seeds; resumes
    python benchmarks/nulls.py --report             # only print what is stored

Every run draws 250 rows, five inputs and two targets of a real table, and makes of them a table in
which the targets have nothing to do with each other, in one of two ways:

- `noise`: the labels of each target are permuted, so that nothing predicts them;
- `apart`: each target has a copy of the inputs of its own, and the rows of target and copy are
  permuted together. Each is as predictable as it was, from inputs that no other target needs.

Superpose has its default settings but for two: at most 30 epochs, so that a run takes some ten
seconds of a core, and no refit, which comes after the decision. A run counts if any target has a
mixture with the multi-task network deployed.
"""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from scipy.stats import beta

from _cells import Key, Study
from _fitted import declared
from _print import grid
from _run import Body, chosen, flags, run_missing, store_cell, study_of, write_json
from _table import Table
from _tables import data_folder, load_table

TABLES = ("jura", "enb", "wq", "heart_4sites", "bike_sharing")
QUICK = ("jura", "heart_4sites")
ROWS, INPUTS, TARGETS = 250, 5, 2  # of a run, at most
SETTINGS = {"deploy": {"refit": False}, "training": {"epochs": 30}}
SEEDS = 20
AIM = 0.05  # of the runs


def drawn(table: Table, rng: np.random.Generator) -> Table:
    """Some rows, inputs and targets of a table, the others gone."""
    targets = _some(list(table.targets), TARGETS, rng)
    columns = [*_some(table.inputs, INPUTS, rng), *targets]
    rows = _some(list(range(len(table.frame))), ROWS, rng)
    frame = table.frame.iloc[rows][columns].reset_index(drop=True)
    return replace(table, frame=frame, targets={name: table.targets[name] for name in targets})


def _some(things: list[Any], most: int, rng: np.random.Generator) -> list[Any]:
    """At most so many of them, in their order."""
    return [things[k] for k in np.sort(rng.permutation(len(things))[:most])]


def noise(table: Table, rng: np.random.Generator) -> Table:
    """The table with the labels of each target permuted."""
    labels = {name: table.frame[name].to_numpy()[_order(table, rng)] for name in table.targets}
    return replace(table, frame=table.frame.assign(**labels))


def apart(table: Table, rng: np.random.Generator) -> Table:
    """The table with inputs for each target alone, independent of all other targets and inputs."""
    blocks = []
    for name in table.targets:
        block = table.frame[[*table.inputs, name]].iloc[_order(table, rng)].reset_index(drop=True)
        blocks.append(block.rename(columns={x: f"{x} of {name}" for x in table.inputs}))
    return replace(table, frame=pd.concat(blocks, axis=1))


def _order(table: Table, rng: np.random.Generator) -> np.ndarray:
    return rng.permutation(len(table.frame))


NULLS: dict[str, Callable[[Table, np.random.Generator], Table]] = {"noise": noise, "apart": apart}


def null_table(source: Table, null: str, seed: int) -> Table:
    """What is fitted in a run: rows and targets drawn, and then made unrelated."""
    rng = np.random.default_rng([seed, 0x4011])
    return NULLS[null](drawn(source, rng), rng)


def fit(table: Table, seed: int) -> Body:
    """Fit once; what is deployed for each target, and what the tests said."""
    from superpose import Superpose

    model = Superpose(targets=declared(table), seed=seed, **SETTINGS)
    worked = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(table.frame)
    targets = {}
    for name, target in model.record.targets.items():
        decision = target.decision
        targets[name] = {
            "kind": table.targets[name],
            "deployed": decision.replaced,
            "conclusive": decision.conclusive,
            "weights": decision.deployed.weights,
            "p": decision.test.p,
            "gain": decision.test.gain,
            "verdict": target.sharing.verdict,
        }
    seconds = round(time.process_time() - worked, 2)
    return {"processor_seconds": seconds, "regime": model.record.regime, "targets": targets}, None


def binomial_interval(hits: int, runs: int, level: float = 0.95) -> tuple[float, float]:
    """The exact interval of a share (Clopper and Pearson 1934)."""
    tail = (1 - level) / 2
    low = beta.ppf(tail, hits, runs - hits + 1) if hits else 0.0
    high = beta.isf(tail, hits + 1, runs - hits) if hits < runs else 1.0
    return float(low), float(high)


def summarise(study: Study) -> dict[str, Any]:
    """Count the runs with a challenger deployed, over all and by null and table."""
    rows = []
    for null in NULLS:
        rows += [_counted(study, [null], [table]) for table in study.tables]
        rows.append(_counted(study, [null], study.tables))
    total = _counted(study, list(NULLS), study.tables)
    return {"aim": AIM, "settings": SETTINGS, "total": total, "rows": rows, "failed": study.failed}


def _counted(study: Study, nulls: list[str], tables: list[str]) -> dict[str, Any]:
    """How many runs, how many of them deployed a challenger, and what they said of sharing."""
    cells = [cell for table in tables for null in nulls for cell in study.of(table, null)]
    hits = sum(any(t["deployed"] for t in cell["targets"].values()) for cell in cells)
    targets = [target for cell in cells for target in cell["targets"].values()]
    seconds = [cell["processor_seconds"] for cell in cells]
    return {
        "null": " and ".join(nulls),
        "table": tables[0] if len(tables) == 1 else "all",
        "runs": len(cells),
        "deployed": hits,
        "interval": binomial_interval(hits, len(cells)) if cells else None,
        "targets": len(targets),
        "targets_deployed": sum(t["deployed"] for t in targets),
        "helped": sum(t["verdict"] == "helped" for t in targets),
        "harmed": sum(t["verdict"] == "harmed" for t in targets),
        "processor_seconds": float(np.mean(seconds)) if cells else None,
    }


def show(summary: dict[str, Any]) -> str:
    """Whether the aim is met, then the counts."""
    total = summary["total"]
    lines = [f"failed cell {'/'.join(map(str, f['cell']))}: {f['why']}" for f in summary["failed"]]
    if not total["runs"]:
        return "\n".join([*lines, "no run is stored"])
    share = total["deployed"] / total["runs"]
    low, high = total["interval"]
    lines.append(
        f"{total['deployed']} of {total['runs']} runs deployed a challenger: {share:.1%} "
        f"(exact 95 % interval {low:.1%} to {high:.1%}; aim: at most {summary['aim']:.0%})"
    )
    head = ["null", "table", "runs", "deployed", "95 % interval", "targets", "deployed", "helped",
            "harmed", "processor s"]  # fmt: skip
    body = [
        [r["null"], r["table"], str(r["runs"]), str(r["deployed"]),
         "{:.3f} to {:.3f}".format(*r["interval"]),
         *(str(r[key]) for key in ("targets", "targets_deployed", "helped", "harmed")),
         f"{r['processor_seconds']:.1f}"]
        for r in [*summary["rows"], total]
        if r["runs"]
    ]  # fmt: skip
    return "\n".join([*lines, "", grid(head, body)])


def main(arguments: list[str] | None = None) -> None:
    """Run what is missing, print, write the JSON."""
    parser = flags(__doc__, "nulls", tables=TABLES, methods=NULLS)
    parser.add_argument("--data", help="folder of the public data sets (or $SUPERPOSE_DATA)")
    options = parser.parse_args(arguments)
    nulls = chosen(options.methods, NULLS, allowed=NULLS, flag="--methods")
    study = study_of(options, "nulls", tables=TABLES, quick=QUICK, seeds=SEEDS)
    if not options.report:
        folder = data_folder(options.data)

        def run(key: Key) -> float:
            def work() -> Body:
                return fit(
                    null_table(load_table(key.table, folder), key.method, key.seed), key.seed
                )

            return store_cell(study.store, key, work)

        run_missing(study.missing(nulls, paired=True), run, options.max_minutes)
    summary = summarise(study)
    print(show(summary))
    write_json(study, summary)


if __name__ == "__main__":
    main()
