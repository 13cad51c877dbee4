"""One process of a training by several; `test_workers.py` starts it.

python worker.py RANK SIZE FILE OUT METHOD AT
"""

import json
import sys

import numpy as np
import pyarrow as pa
import torch
import torch.distributed as dist

from superpose.data import Fold
from superpose.kinds import TARGET_KINDS
from superpose.nn import Architecture, Network, NumberEncoder
from superpose.training import Balancing, Settings, train


def main(rank: int, size: int, meeting: str, out: str, method: str, at: str) -> None:
    """Train a small network without dropout, and write its curves."""
    if size > 1:
        dist.init_process_group("gloo", f"file://{meeting}", rank=rank, world_size=size)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(96, 4)).astype(np.float32)
    values = np.column_stack([x[:, 0] + x[:, 1], x[:, 0] - x[:, 2], x[:, 3]])
    values[rng.random(values.shape) < 0.3] = np.nan
    kinds, labels = [], []
    for k, column in enumerate(values.T):
        rows = pa.chunked_array([pa.array(column, from_pandas=True)])
        kinds.append(TARGET_KINDS["number"].fit(f"y{k}", rows))
        labels.append(kinds[-1].encode(rows))
    sizes = Architecture(width=16, members=2, depth=2, state=4, rank=2, dropout=0.0)

    def make() -> Network:
        return Network({"numbers": NumberEncoder([[-1.0, 0.0, 1.0]] * 4, 4)}, [2] * 3, sizes)

    trained = train(
        make,
        {"numbers": torch.from_numpy(x)},
        kinds,
        labels,
        [Fold(np.arange(64), np.arange(64, 96))],
        Settings(3, batch_size=16, balance=Balancing(method, 2, at)),
    )
    told = {"curves": trained.curves, "balance": trained.balance}
    with open(f"{out}.{rank}", "w", encoding="utf-8") as file:
        json.dump(told, file)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:])
