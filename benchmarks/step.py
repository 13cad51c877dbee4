"""What does balancing cost? The time of a training step, relative to that of the plain sum.

    python benchmarks/step.py --quick      # T = 2 and 10, two turns
    python benchmarks/step.py              # T = 2, 10, 30, 100, five turns; half an hour
    python benchmarks/step.py --targets 30 # these anew, the others as they are stored
    python benchmarks/step.py --report     # print what is stored

One network with an MLP trunk (20 numbers, batches of 512), a CNN trunk (64 x 64 pixels, batches of
64) and, as it is shipped for tables, with 8 members; without and with attention between targets.
A step is forward, losses, weights, backward, AdamW. All ways take turns in one process, and a ratio
is the median over the turns of that turn's own plain sum. Losses first: what is over the limits.

Ours reads gradients at the trunk's output; `every 4`, the default, reads them in every fourth step.
The others are UPGrad by torchjd's autojac and autogram, and a backward pass for each target (as
LibMTL does it).
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "2")

import torch
from torch import Tensor

from _cells import RESULTS, hardware, versions
from _print import grid
from superpose.balance import BALANCERS
from superpose.config import BalanceConfig
from superpose.methods import BALANCE_METHODS
from superpose.nn import Architecture, ImageEncoder, Network, NumberEncoder, StackedNetworks
from superpose.training import Balance

TARGETS = (2, 10, 30, 100)
# What a step may cost at so many targets, for every method that reads gradients.
LIMITS = {("mlp", 10): 2.0, ("mlp", 30): 3.0, ("cnn", 10): 1.5, ("cnn", 30): 2.0}
MANY = (250, 500, 1000)  # targets that only inducing tokens are to serve
FUSION_LIMIT = 1.25  # of the default fusion, with 10 targets
SLOWEST = 40.0  # a way that takes longer for one step is not timed again
LONG = 2.0  # a way that takes longer is timed for one step in two turns, which is enough for it
MEMBERS = Architecture(dropout=0.0)
SIZES = {
    "mlp": replace(MEMBERS, width=512, depth=3, members=1),
    "cnn": replace(MEMBERS, width=128, depth=1, members=1),
    "default": MEMBERS,
}


@dataclass(frozen=True)
class Case:
    """What is measured together: a trunk, a fusion and a number of targets."""

    trunk: str
    fusion: str
    targets: int


NETWORKS = [
    ("mlp", "none"),
    ("cnn", "none"),
    ("mlp", "task-attention"),
    ("cnn", "task-attention"),
    ("default", "task-attention"),
]

Step = Callable[[], None]


class Bench:
    """One network, one batch, and the ways to make a step with them."""

    def __init__(self, case: Case) -> None:
        torch.manual_seed(0)
        architecture = replace(SIZES[case.trunk], fusion=case.fusion)
        if case.trunk == "cnn":
            self.batch = {"image": torch.randint(0, 256, (1, 64, 3, 64, 64), dtype=torch.uint8)}
        else:
            self.batch = {"numbers": torch.randn(1, 512, 20)}

        def make() -> Network:
            edges = [torch.linspace(-3, 3, 49).tolist()] * 20
            encoder = ImageEncoder(16) if case.trunk == "cnn" else NumberEncoder(edges, 16)
            outputs = {str(t): 1 for t in range(case.targets)}
            return Network({next(iter(self.batch)): encoder}, outputs, architecture)

        self.network = StackedNetworks(make, 1)
        self.targets = case.targets
        self.rows = next(iter(self.batch.values())).shape[1]
        self.labels = torch.randn(1, self.rows, 1, case.targets)
        self.optimizer = torch.optim.AdamW(self.network.parameters(), 1e-4, fused=True)

    def losses(self, probe: Tensor | None = None) -> Tensor:
        """(1, T)."""
        out = self.network(self.batch, probe)
        return (out[..., 0] - self.labels).square().mean((1, 2))

    def finish(self) -> None:
        self.optimizer.step()
        self.optimizer.zero_grad()

    def plain(self) -> Step:
        def step() -> None:
            self.losses().sum().backward()
            self.finish()

        return step

    def ours(self, method: str, every: int, at: str = "trunk") -> Step:
        balance = Balance(
            BalanceConfig(method=method, every=every, at=at), self.network, self.targets, rate=1e-3
        )
        balance.watched = False  # what it records once in a while has no part in this
        balance.begin(3)
        present = torch.ones(1, self.targets, dtype=torch.bool)

        def step() -> None:
            probe = balance.gradient_probe(self.rows)
            losses = self.losses(probe)
            detached = losses.detach()
            balance.combine(losses, probe, lambda: (detached, present)).sum().backward()
            self.finish()
            balance.events.clear()

        return step

    def each_backward(self) -> Step:
        """A whole backward pass for each target, then UPGrad on the gradients of what is shared."""
        from torchjd.aggregation import UPGrad

        shared = self.network.shared()
        aggregate = UPGrad()

        def step() -> None:
            rows = []
            for loss in self.losses()[0]:
                for weight in shared:
                    weight.grad = None
                loss.backward(retain_graph=True)
                rows.append(torch.cat([weight.grad.flatten() for weight in shared]))
            gradient = aggregate(torch.stack(rows))
            parts = gradient.split([w.numel() for w in shared])
            for weight, part in zip(shared, parts, strict=True):
                weight.grad = part.view_as(weight)
            self.finish()

        return step

    def autojac(self) -> Step:
        from torchjd.aggregation import UPGrad
        from torchjd.autojac import jac_to_grad, mtl_backward

        shared = self.network.shared()
        aggregate = UPGrad()
        network = self.network.single
        shared_ids = {id(w) for w in shared}
        heads = [w for w in network.parameters() if id(w) not in shared_ids]

        def step() -> None:
            row = {name: group[0] for name, group in self.batch.items()}
            hidden = network.hidden(row)
            states = network.task_states(hidden, row)
            for fuse in network.fusion:
                states = fuse(states)
            states = torch.relu(states)
            out = torch.einsum("...mtd,mtdo->...mto", states, network.heads.weight)
            out = out + network.heads.bias
            losses = (out[..., 0] - self.labels[0]).square().mean((0, 1))
            # The heads lie in one tensor: their gradients come from the plain sum.
            grads = torch.autograd.grad(losses.sum(), heads, retain_graph=True, allow_unused=True)
            mtl_backward(
                list(losses),
                features=hidden,
                tasks_params=[[]] * self.targets,
                shared_params=shared,
                retain_graph=True,
            )
            jac_to_grad(shared, aggregate)
            for weight, grad in zip(heads, grads, strict=True):
                weight.grad = grad
            self.finish()

        return step

    def autogram(self) -> Step:
        from torchjd.aggregation import UPGradWeighting
        from torchjd.autogram import Engine

        network = self.network.single
        engine = Engine(network.encoders[next(iter(self.batch))], network.trunk, batch_dim=None)
        weigh = UPGradWeighting()

        def step() -> None:
            losses = self.losses()[0]
            losses.backward(weigh(engine.compute_gramian(losses)))
            self.finish()

        return step


def ways(bench: Bench, apart: Bench, fusion: str) -> dict[str, Callable[[], Step]]:
    """The ways to make a step, by name; every method where nothing passes between targets.

    Args:
        apart: The same again for autogram, whose engine leaves hooks in the network.
    """
    steps: dict[str, Callable[[], Step]] = {"plain sum": bench.plain}
    readers = [name for name, method in BALANCE_METHODS.items() if method.reads == "gradients"]
    for name in readers if fusion == "none" else ["upgrad"]:
        steps[name] = lambda name=name: bench.ours(name, 1)
        steps[f"{name}, every 4"] = lambda name=name: bench.ours(name, 4)
    steps["upgrad on parameters"] = lambda: bench.ours("upgrad", 1, "parameters")
    if fusion == "none":
        steps["autojac"] = bench.autojac
        steps["autogram"] = apart.autogram
        steps["a backward each"] = bench.each_backward
    return steps


def measure(case: Case, turns: int) -> list[dict[str, object]]:
    """Time all ways in turns; a way takes four steps a turn, so that `every 4` is seen whole."""
    bench, apart = (Bench(case) for _ in range(2))
    steps = {}
    seconds: dict[str, list[float]] = {}
    failed = {}
    long = set()
    for name, make in ways(bench, apart, case.fusion).items():
        try:
            steps[name] = make()
            started = time.perf_counter()
            steps[name]()  # warm
            took = time.perf_counter() - started
            if took > SLOWEST:
                failed[name] = f"one step takes more than {SLOWEST:g} s"
                del steps[name]
            elif took > LONG and not name.endswith(", every 4"):
                long.add(name)
        except Exception as fault:  # one way's fault must not end the run
            failed[name] = f"{type(fault).__name__}: {fault}"[:200]
            steps.pop(name, None)
        seconds[name] = []
    for turn in range(turns):
        for name, step in steps.items():
            if name in long and turn > 1:
                continue
            count = 1 if name in long else 4
            started = time.perf_counter()
            for _ in range(count):
                step()
            seconds[name].append((time.perf_counter() - started) / count)
    cells: list[dict[str, object]] = []
    for name, times in seconds.items():
        cell: dict[str, object] = asdict(case) | {"way": name}
        if name in failed:
            cell["failed"] = failed[name]
        else:
            pairs = zip(times, seconds["plain sum"], strict=False)  # long ways end early
            cell["ratio"] = round(statistics.median(a / b for a, b in pairs), 3)
            cell["milliseconds"] = round(1000 * statistics.median(times), 2)
        cells.append(cell)
    return cells


def fusion_cost(turns: int, targets: int = 10) -> dict[str, object]:
    """A plain step with the default fusion over one without, on the network as it is shipped."""
    benches = [Bench(Case("default", fusion, targets)) for fusion in ("none", "task-attention")]
    steps = [bench.plain() for bench in benches]
    ratios = []
    for step in steps:
        step()
    for _ in range(3 * turns):
        took = []
        for step in steps:
            started = time.perf_counter()
            for _ in range(4):
                step()
            took.append(time.perf_counter() - started)
        ratios.append(took[1] / took[0])
    return {"targets": targets, "ratio": round(statistics.median(ratios), 3)}


def many_targets(targets: int) -> dict[str, object]:
    """Seconds and peak memory of a training step and a prediction with inducing tokens."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    bench = Bench(Case("default", "inducing", targets))
    bench.batch = {name: group[:, :128] for name, group in bench.batch.items()}
    bench.labels = bench.labels[:, :128]
    bench.rows = 128
    step = bench.plain()
    step()
    started = time.perf_counter()
    step()
    took = time.perf_counter() - started
    with torch.no_grad():
        bench.network(bench.batch)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"targets": targets, "seconds": round(took, 3), "mib": round((peak - before) / 1024)}


def over(facts: dict[str, Any]) -> list[str]:
    """Ways of ours that cost more than the limits allow, and the default fusion if it does."""
    lines = []
    for cell in facts["cells"]:
        limit = LIMITS.get((str(cell["trunk"]), int(str(cell["targets"]))))
        ours = str(cell["way"]).split(",")[0] in BALANCERS
        if limit and ours and float(str(cell.get("ratio", "inf"))) > limit:
            what = f"{cell['trunk']}, {cell['fusion']}, {cell['targets']} targets: {cell['way']}"
            lines.append(f"{what} {cell.get('ratio', cell.get('failed'))} (limit {limit:g})")
    if (ratio := facts["fusion"].get("ratio", 0)) > FUSION_LIMIT:
        lines.append(f"the default fusion: {ratio} (limit {FUSION_LIMIT:g})")
    return lines


def all_many() -> list[dict[str, object]]:
    """Measure many targets in a process each: the peak of one must not hide that of the next."""
    cells = []
    for count in MANY:
        command = [sys.executable, __file__, "--many", str(count)]
        printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        cells.append(json.loads(printed))
    return cells


def report(facts: dict[str, Any]) -> None:
    """Print what is stored, what is over the limits first."""
    cells = facts["cells"]
    print("Over the limits:", *(over(facts) or ["nothing"]), sep="\n  ")
    names = list(dict.fromkeys((c["trunk"], c["fusion"], c["way"]) for c in cells))
    by = {(c["trunk"], c["fusion"], c["way"], c["targets"]): c for c in cells}
    columns = sorted({c["targets"] for c in cells})
    rows = [[*name, *(str(by.get((*name, n), {}).get("ratio", "-")) for n in columns)]
            for name in names]  # fmt: skip
    print(grid(["trunk", "fusion", "way", *(f"T = {n}" for n in columns)], rows))
    if "ratio" in facts["fusion"]:
        ratio = facts["fusion"]["ratio"]
        print(f"\nPlain step with attention over one without, 10 targets: {ratio}")
    many = [[str(v) for v in m.values()] for m in facts["many"]]
    print(grid(["targets", "seconds a step", "MiB"], many))


def main(arguments: list[str] | None = None) -> None:
    """Measure, store each network as it ends, print what is over the limits first."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="2 and 10 targets, two turns, no JSON")
    parser.add_argument("--turns", type=int, help="default 5; quick 2")
    parser.add_argument("--targets", help="comma-separated; default 2,10,30,100")
    parser.add_argument("--report", action="store_true", help="print what is stored")
    parser.add_argument("--many", type=int, help=argparse.SUPPRESS)  # one measure, in this process
    options = parser.parse_args(arguments)
    if options.many:
        print(json.dumps(many_targets(options.many)))
        return
    path = RESULTS / "step.json"
    stored = json.loads(path.read_text()) if path.exists() and not options.quick else {}
    facts: dict[str, Any] = {"cells": [], "fusion": {}, "many": []} | stored
    turns = options.turns or (2 if options.quick else 5)
    counts = [int(n) for n in options.targets.split(",")] if options.targets else list(TARGETS)

    def keep() -> None:
        facts.update(threads=torch.get_num_threads(), turns=turns, over=over(facts),
                     versions=versions(), hardware=hardware())  # fmt: skip
        if not options.quick:
            path.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")

    if not options.report:
        facts["fusion"] = fusion_cost(turns)
        facts["many"] = all_many()
        for targets in counts[:2] if options.quick else counts:
            for trunk, fusion in NETWORKS:
                case = Case(trunk, fusion, targets)
                others = [cell for cell in facts["cells"] if asdict(case).items() - cell.items()]
                facts["cells"] = others + measure(case, turns)
                keep()
                print(f"measured {trunk}, {fusion}, {targets}", file=sys.stderr, flush=True)
    report(facts)


if __name__ == "__main__":
    main()
