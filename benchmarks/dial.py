"""Does sharing gain as much as targets are related, and nothing where they are not? A dial.

    python benchmarks/dial.py --quick        # one table size, 2 seeds
    python benchmarks/dial.py                # 6 table sizes, 5 cosines, 3 seeds; resumes
    python benchmarks/dial.py --report       # only print what is stored

Synthetic tables in which the signals of any two targets have a planted cosine, from the lowest
that is possible to 1 (see `_planted.py`). The network with task attention, with static weights and
with only a shared trunk, each against a single-task net for each target. T targets can't
all have a cosine below -1/(T-1) with one another; the dial then starts there.
"""

from __future__ import annotations

import os
from functools import lru_cache
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from scipy.stats import spearmanr

from _cells import CellStore, Key, Study
from _planted import Plant, least_cosine, planted
from _print import grid
from _run import Body, chosen, flags, run_missing, store_cell, study_of, write_json
from _scores import error_gain
from _sharing import ALONE, Ready, make_ready, run_sharing
from accuracy import score_run
from superpose.models import Rows
from superpose.models.network import NetworkModel, build, heads_of

METHODS = (ALONE, "none", "static", "task-attention")
ATTENTION = METHODS[-1]
SIZES = ((8, 300), (2, 300), (32, 300), (8, 3000), (100, 100), (2, 10_000))
COSINES = (-0.5, 0.0, 0.5, 0.8, 1.0)
NEAR = 0.05  # a cosine of -1/31 is 0 for all purposes: not worth a point of its own
QUICK = SIZES[:1]


def dial(targets: int, rows: int) -> list[Plant]:
    """The plants of one size of table, from the least related to the same."""
    least = least_cosine(targets)
    cosines = [max(c, least) for c in COSINES if c >= least or least < -NEAR]
    return [Plant(targets, rows, cosine) for cosine in cosines]


PLANTS = {plant.name: plant for size in SIZES for plant in dial(*size)}


@lru_cache(maxsize=1)
def ready(name: str, seed: int) -> Ready:
    """The planted table encoded; all methods of the pair follow one another."""
    return make_ready(planted(PLANTS[name], seed), seed)


@torch.no_grad()
def listening(made: Ready, network: NetworkModel) -> dict[str, Any]:
    """How much each target leaves to the sink, and how far it is moved by what it reads.

    Weights alone don't tell: what is read passes a gate. `moved` is the norm of what fusion adds
    to a task state over the norm of the state, on the test rows.
    """
    inputs = made.inputs("test")
    weights = network.attention(Rows.of_arrays(made.codec, inputs))
    if weights is None:
        return {}
    heads = heads_of(made.codec, network.targets)
    one = build(made.codec, heads, network.architecture, embedding=network.embedding)().eval()
    state_dict = network.snapshots[max(network.snapshots)]
    one.load_state_dict({name: value[0] for name, value in state_dict.items()}, strict=False)
    tensors = {name: torch.from_numpy(group) for name, group in inputs.items()}
    before = one.task_states(one.hidden(tensors), tensors)
    after = one.fused_states(tensors)
    moved = ((after - before).square().sum((0, 1, 3)) / before.square().sum((0, 1, 3))).sqrt()
    return {"sink": weights[:, -1].tolist(), "moved": moved.tolist()}


def run_cell(store: CellStore, key: Key, made: Ready) -> float:
    """Train, score and store one cell."""

    def work() -> Body:
        run = run_sharing(made, key.method, inspect=listening)
        targets, _ = score_run(made.table, key.seed, run)
        errors = {name: {"error": scores["error"]} for name, scores in targets.items()}
        details = {k: v for k, v in run.details.items() if k not in ("held_losses", "picked")}
        return {"seconds": round(run.seconds, 3), "targets": errors, "details": details}, None

    return store_cell(store, key, work)


def _mean_error(values: list[float]) -> list[float | None]:
    """Mean and its standard error over the seeds."""
    error = float(np.std(values, ddof=1) / np.sqrt(len(values))) if len(values) > 1 else None
    return [float(np.mean(values)), error]


def _point(study: Study, plant: Plant) -> dict[str, Any] | None:
    """One setting of the dial: errors, gains over single-task nets, what goes to the sink."""
    cells = study.cells
    keys = {
        seed: {method: Key(plant.name, method, seed) for method in METHODS} for seed in study.seeds
    }
    complete = [by.values() for by in keys.values() if all(key in cells for key in by.values())]
    if not complete:
        return None
    by_method = {m: [cells[key] for by in complete for key in by if key.method == m]
                 for m in METHODS}  # fmt: skip
    errors = {
        method: [float(np.mean([t["error"] for t in cell["targets"].values()])) for cell in mine]
        for method, mine in by_method.items()
    }

    def mean_detail(method: str, name: str) -> float | None:
        """Mean over seeds and targets; each target's own share stands in the cells."""
        values = [cell["details"].get(name) for cell in by_method[method]]
        return None if None in values else float(np.mean(values))

    methods = {
        method: {
            "gain": _mean_error(
                [error_gain("number", ours, single)
                 for ours, single in zip(errors[method], errors[ALONE], strict=True)]
            ),
            "sink": mean_detail(method, "sink"),
            "moved": mean_detail(method, "moved"),
        }
        for method in METHODS[1:]
    }  # fmt: skip
    point = {"targets": plant.targets, "rows": plant.rows, "cosine": plant.cosine}
    alone = _mean_error(errors[ALONE])
    return point | {"seeds": len(complete), "alone": alone, "methods": methods}


def summarise(study: Study) -> dict[str, Any]:
    """Every point of the dial, and for each size of table how gains rise with the cosine."""
    points = [_point(study, PLANTS[name]) for name in study.tables]
    points = [point for point in points if point is not None]
    rises = []
    for targets, rows in SIZES:
        mine = [p for p in points if (p["targets"], p["rows"]) == (targets, rows)]
        mine = [p for p in mine if p["cosine"] >= 0]
        if len(mine) > 2:
            cosines = [p["cosine"] for p in mine]
            rises.append({"targets": targets, "rows": rows} | {
                m: float(spearmanr(cosines, [p["methods"][m]["gain"][0] for p in mine]).statistic)
                for m in METHODS[1:]
            })  # fmt: skip
    return {"seeds": study.seeds, "failed": study.failed, "points": points, "rises": rises}


def _gain(value: list[float | None]) -> str:
    mean, error = value
    return f"{mean:+.1f}" if error is None else f"{mean:+.1f} ± {error:.1f}"


def _size(point: dict[str, Any]) -> str:
    return f"{point['targets']} targets, {point['rows']:,} rows"


def show(summary: dict[str, Any]) -> str:
    """Losses first, then the dial."""
    points = summary["points"]
    lines = [
        "Losses: where sharing is behind the single-task net by more than a standard error",
        "",
    ]
    lines += [f"failed cell {'/'.join(map(str, f['cell']))}: {f['why']}" for f in summary["failed"]]
    lost = [
        f"{_size(p)}, cosine {p['cosine']:.2g}: {method} {_gain(figures['gain'])} %"
        for p in points
        for method, figures in p["methods"].items()
        if figures["gain"][0] + (figures["gain"][1] or 0) < 0
    ]
    lines += lost or ["none"]
    flat = [
        f"{_size(r)}: gain of {m} does not rise with the cosine (rank correlation {r[m]:+.2f})"
        for r in summary["rises"]
        for m in METHODS[1:]
        if not r[m] > 0.5
    ]
    lines += flat
    rows = []
    for p in points:
        gains = [_gain(figures["gain"]) for figures in p["methods"].values()]
        attention = p["methods"][ATTENTION]
        sink, moved = (f"{attention[k]:.2f}" for k in ("sink", "moved"))
        rows.append([_size(p), f"{p['cosine']:.2g}", f"{p['alone'][0]:.3f}", *gains, sink, moved,
                     f"{1 / p['targets']:.2f}", str(p["seeds"])])  # fmt: skip
    head = ["table", "cosine", "alone", *METHODS[1:], "to the sink", "moved", "sink at start",
            "seeds"]  # fmt: skip
    title = (
        "RRMSE of the single-task net against the signal, and gains over it in percent (± standard "
        f"error over seeds);\nfor {ATTENTION}: the mean weight that goes to the sink, and the size "
        "of what is added to a state over the state's"
    )
    return "\n".join([*lines, "", title, "", grid(head, rows)])


def main(arguments: list[str] | None = None) -> None:
    """Run what is missing, print losses first, write the JSON."""
    options = flags(__doc__, "dial", tables=PLANTS, methods=METHODS).parse_args(arguments)
    small = [plant.name for size in QUICK for plant in dial(*size)]
    methods = chosen(options.methods, METHODS, allowed=METHODS, flag="--methods")
    study = study_of(options, "dial", tables=PLANTS, quick=small, seeds=3)
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    if not options.report:

        def run(key: Key) -> float:
            return run_cell(study.store, key, ready(key.table, key.seed))

        run_missing(study.missing(methods, paired=True), run, options.max_minutes)
    summary = summarise(study)
    print(show(summary))
    write_json(study, summary)


if __name__ == "__main__":
    main()
