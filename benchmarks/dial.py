"""Does sharing gain as much as targets are related, and nothing where they are not? A dial.

    python benchmarks/dial.py --quick        # one table size, 2 seeds
    python benchmarks/dial.py                # 6 table sizes, 5 cosines, 3 seeds; resumes
    python benchmarks/dial.py --report       # only print what is stored

Synthetic tables in which the signals of any two targets have a planted cosine, from the lowest
that is possible to 1 (see `_planted.py`). The network with task attention, with static weights and
with a shared trunk alone, each against the same network for each target alone. T targets can't
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

from _cells import RESULTS, CellStore, Key, plan
from _planted import Plant, least_cosine, planted
from _print import grid
from _run import Body, chosen, flags, run_missing, store_cell, write_json
from _scores import error_gain
from _sharing import ALONE, Ready, make_ready, run_sharing
from _summary import Cells, finished
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
    """How much each target leaves to the sink, and how far it is moved by what it hears.

    Weights alone don't tell: what is heard passes a gate. `moved` is the size of what fusion adds
    to a state over the size of the state, on the test rows.
    """
    blocks = made.inputs("test")
    weights = network.attention(Rows.of_arrays(made.codec, blocks))
    if weights is None:
        return {}
    heads = heads_of(made.codec, network.targets)
    one = build(made.codec, heads, network.architecture, embedding=network.embedding)().eval()
    state = network.snapshots[max(network.snapshots)]
    one.load_state_dict({name: value[0] for name, value in state.items()}, strict=False)
    tensors = {name: torch.from_numpy(block) for name, block in blocks.items()}
    before = one.task_states(one.hidden(tensors), tensors)
    after = one.fused_states(tensors)
    moved = ((after - before).square().sum((0, 1, 3)) / before.square().sum((0, 1, 3))).sqrt()
    return {"sink": weights[:, -1].tolist(), "moved": moved.tolist()}


def run_cell(store: CellStore, key: Key, made: Ready) -> float:
    """Train, score and store one cell."""

    def work() -> Body:
        run = run_sharing(made, key[1], look=listening)
        targets, _ = score_run(made.table, key[2], run)
        errors = {name: {"error": found["error"]} for name, found in targets.items()}
        details = {k: v for k, v in run.details.items() if k not in ("held_losses", "picked")}
        return {"seconds": round(run.seconds, 3), "targets": errors, "details": details}, None

    return store_cell(store, key, work)


def _mean_error(values: list[float]) -> list[float | None]:
    """Mean and its standard error over the seeds."""
    spread = float(np.std(values, ddof=1) / np.sqrt(len(values))) if len(values) > 1 else None
    return [float(np.mean(values)), spread]


def _point(cells: Cells, plant: Plant, seeds: list[int]) -> dict[str, Any] | None:
    """One setting of the dial: errors, gains over alone, what goes to the sink."""
    there = [s for s in seeds if all((plant.name, m, s) in cells for m in METHODS)]
    if not there:
        return None

    def errors(method: str, seed: int) -> np.ndarray:
        return np.array([t["error"] for t in cells[plant.name, method, seed]["targets"].values()])

    def told(method: str, what: str) -> float | None:
        """Mean over seeds and targets; each target's own share stands in the cells."""
        found = [cells[plant.name, method, s]["details"].get(what) for s in there]
        return None if None in found else float(np.mean(found))

    methods = {}
    for method in METHODS[1:]:
        gains = [
            error_gain("number", float(errors(method, s).mean()), float(errors(ALONE, s).mean()))
            for s in there
        ]
        methods[method] = {
            "gain": _mean_error(gains), "sink": told(method, "sink"), "moved": told(method, "moved")
        }  # fmt: skip
    alone = [float(errors(ALONE, s).mean()) for s in there]
    point = {"targets": plant.targets, "rows": plant.rows, "cosine": plant.cosine}
    return point | {"seeds": len(there), "alone": _mean_error(alone), "methods": methods}


def summarise(store: CellStore, tables: list[str], seeds: list[int]) -> dict[str, Any]:
    """Every point of the dial, and for each size how gains rise with the cosine."""
    cells, failed = finished(store, tables, seeds)
    points = [_point(cells, PLANTS[name], seeds) for name in tables]
    points = [point for point in points if point is not None]
    rises = []
    for size in SIZES:
        mine = [p for p in points if (p["targets"], p["rows"]) == size and p["cosine"] >= 0]
        if len(mine) > 2:
            cosines = [p["cosine"] for p in mine]
            rises.append({"targets": size[0], "rows": size[1]} | {
                m: float(spearmanr(cosines, [p["methods"][m]["gain"][0] for p in mine]).statistic)
                for m in METHODS[1:]
            })  # fmt: skip
    return {"seeds": seeds, "failed": failed, "points": points, "rises": rises}


def _gain(value: list[float | None]) -> str:
    mean, spread = value
    return f"{mean:+.1f}" if spread is None else f"{mean:+.1f} ± {spread:.1f}"


def _size(point: dict[str, Any]) -> str:
    return f"{point['targets']} targets, {point['rows']:,} rows"


def show(summary: dict[str, Any]) -> str:
    """Losses first, then the dial."""
    points = summary["points"]
    lines = ["Losses: where sharing is behind the network alone by more than a standard error", ""]
    lines += [f"failed cell {'/'.join(map(str, f['cell']))}: {f['why']}" for f in summary["failed"]]
    lost = [
        f"{_size(p)}, cosine {p['cosine']:.2g}: {method} {_gain(found['gain'])} %"
        for p in points
        for method, found in p["methods"].items()
        if found["gain"][0] + (found["gain"][1] or 0) < 0
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
        gains = [_gain(found["gain"]) for found in p["methods"].values()]
        heard = p["methods"][ATTENTION]
        sink, moved = (f"{heard[k]:.2f}" for k in ("sink", "moved"))
        rows.append([_size(p), f"{p['cosine']:.2g}", f"{p['alone'][0]:.3f}", *gains, sink, moved,
                     f"{1 / p['targets']:.2f}", str(p["seeds"])])  # fmt: skip
    head = ["table", "cosine", "alone", *METHODS[1:], "to the sink", "moved", "sink at start",
            "seeds"]  # fmt: skip
    title = (
        "RRMSE of the network alone against the signal, and gains over it in percent (± standard "
        f"error over seeds);\nfor {ATTENTION}: the mean weight that goes to the sink, and the size "
        "of what is added to a state over the state's"
    )
    return "\n".join([*lines, "", title, "", grid(head, rows)])


def main(arguments: list[str] | None = None) -> None:
    """Run what is missing, print losses first, write the JSON."""
    given = flags(__doc__, "dial", PLANTS, METHODS).parse_args(arguments)
    small = [plant.name for size in QUICK for plant in dial(*size)]
    tables = chosen(given.tables, small if given.quick else PLANTS, PLANTS, "--tables")
    methods = chosen(given.methods, METHODS, METHODS, "--methods")
    seeds = list(range(given.seeds or (2 if given.quick else 3)))
    name = given.name or ("dial-quick" if given.quick else "dial")
    store = CellStore(RESULTS / f"{name}.cells.jsonl")
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    if not given.report:
        keys = plan(methods, seeds, tables, store.done(), paired=True)
        run_missing(keys, lambda k: run_cell(store, k, ready(k[0], k[2])), given.max_minutes)
    summary = summarise(store, tables, seeds)
    print(show(summary))
    write_json(RESULTS / f"{name}.json", summary, store, tables, seeds)


if __name__ == "__main__":
    main()
