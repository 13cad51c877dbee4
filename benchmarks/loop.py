"""Does the training loop cost throughput? Against a bare hand-written torch loop.

python benchmarks/loop.py [--repeats 5] [--epochs 3]

Both train the same network on the same tensors in memory: 12 numbers to 6 number targets with
gaps, batches of 256, AdamW, clipped gradients, and one loss of the held-out rows per epoch. The
bare loop knows its one kind of target and keeps nothing; ours also weighs every target, watches
its validation loss and keeps the best epoch of each. Both run in turn in one process; the ratio is
the median over the turns (to stay at 0.9 or above).
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor, nn
from torch.nn import functional

from _cells import RESULTS, hardware, versions
from _print import grid
from superpose.config import TrainingConfig
from superpose.data import Codec, ColumnSpec, Fold, Schema
from superpose.nn import Architecture, Network, NumberEncoder
from superpose.training import TrainingSpec, fit, multi_task_jobs

LIMIT = 0.9
ROWS = 20_000
HELD_OUT = 2_000
INPUTS = 12
TARGETS = 6
BATCH = 256


def make_data(seed: int = 0) -> tuple[Tensor, np.ndarray]:
    """Standardised inputs (N, C) and gappy standardised labels (N, T)."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(ROWS + HELD_OUT, INPUTS)).astype(np.float32)
    y = np.tanh(x @ rng.normal(size=(INPUTS, TARGETS))) + 0.3 * rng.normal(size=(len(x), TARGETS))
    y = ((y - y.mean(0)) / y.std(0)).astype(np.float32)
    y[rng.random(y.shape) < 0.05] = np.nan
    return torch.from_numpy(x), y


def make_network() -> Network:
    """The default network for these inputs and targets."""
    edges = np.linspace(-3, 3, 33).tolist()
    encoder = NumberEncoder([edges] * INPUTS, 16)
    return Network({"numbers": encoder}, {str(t): 2 for t in range(TARGETS)}, Architecture())


def bare(x: Tensor, labels: np.ndarray, epochs: int) -> None:
    """The loop a person writes by hand for this one network."""
    torch.manual_seed(0)
    network = make_network()
    optimizer = torch.optim.AdamW(network.parameters(), 2e-3, weight_decay=1e-2, fused=True)
    y = torch.from_numpy(labels)

    def loss(out: Tensor, y: Tensor) -> Tensor:  # (B, M, T, 2), (B, T)
        known = ~y.isnan()[:, None]
        y = y.nan_to_num()[:, None]
        mean = out[..., 0]
        scale = functional.softplus(out[..., 1]) + 1e-3
        squared = 0.5 * (mean - y) ** 2
        likelihood = 0.5 * ((mean.detach() - y) / scale) ** 2 + scale.log()
        return ((squared + likelihood) * known).mean((0, 1)).sum()

    for _ in range(epochs):
        network.train()
        for rows in torch.randperm(ROWS).split(BATCH):
            optimizer.zero_grad()
            loss(network({"numbers": x[rows]}), y[rows]).backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
        network.eval()
        with torch.no_grad():
            for start in range(ROWS, ROWS + HELD_OUT, 4096):
                loss(network({"numbers": x[start : start + 4096]}), y[start : start + 4096])


def make_spec(x: Tensor, labels: np.ndarray, epochs: int) -> TrainingSpec:
    """The package's training on the same rows, which are numbers as they are."""
    columns = {f"x{k}": column for k, column in enumerate(x.T.numpy())}
    columns |= {f"y{k}": pa.array(column, from_pandas=True) for k, column in enumerate(labels.T)}
    table = pa.table(columns)
    schema = Schema(
        [ColumnSpec(f"x{k}", "number") for k in range(INPUTS)],
        [ColumnSpec(f"y{k}", "number") for k in range(TARGETS)],
    )
    codec = Codec.fit(table, schema, np.arange(ROWS))
    return TrainingSpec(
        codec=codec,
        inputs={"numbers": x.numpy()},
        labels=codec.labels(table),
        folds=[Fold(np.arange(ROWS), np.arange(ROWS, ROWS + HELD_OUT))],
        architecture=Architecture(),
        settings=TrainingConfig(
            epochs=epochs, patience=epochs, batch_size=BATCH, precision="fp32", device="cpu"
        ),
        given=False,
    )


def ours(spec: TrainingSpec) -> None:
    """The package's loop."""
    fit(spec, multi_task_jobs(TARGETS, spec.folds), make_network)


def seconds(work: Callable[[], None]) -> float:
    """Wall-clock of one call."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def main() -> None:
    """Print and store the ratio; exit code 1 below the limit."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--threads", type=int, help="torch threads (default: torch's own)")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    x, labels = make_data()
    spec = make_spec(x, labels, options.epochs)
    bare(x, labels, 1)  # warms the allocator and the thread pool for both
    turns = [
        (
            seconds(lambda: bare(x, labels, options.epochs)),
            seconds(lambda: ours(spec)),
        )
        for _ in range(options.repeats)
    ]
    ratio = statistics.median(one / two for one, two in turns)
    rows = ROWS * options.epochs
    by_hand, by_us = (statistics.median(column) for column in zip(*turns, strict=True))
    body = [
        ["bare loop", f"{by_hand:.2f}", f"{rows / by_hand:,.0f}"],
        ["superpose.training", f"{by_us:.2f}", f"{rows / by_us:,.0f}"],
    ]
    print(f"throughput {ratio:.3f} of the bare loop's (limit {LIMIT}):", end=" ")
    print("ok" if ratio >= LIMIT else "TOO SLOW")
    print(grid(["loop", "seconds", "rows per second"], body))
    result = {
        "ratio": ratio,
        "limit": LIMIT,
        "epochs": options.epochs,
        "threads": torch.get_num_threads(),
        "seconds_bare_and_ours": turns,
        "versions": versions(),
        "hardware": hardware(),
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "loop.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    sys.exit(ratio < LIMIT)


if __name__ == "__main__":
    main()
