"""One process of a training by several; `test_workers.py` starts it.

python worker.py RANK SIZE FILE OUT METHOD AT
"""

import json
import sys

import numpy as np
import pyarrow as pa
import torch.distributed as dist

from superpose.config import BalanceConfig, TrainingConfig
from superpose.data import Codec, ColumnSpec, Fold, Schema
from superpose.nn import Architecture
from superpose.training import TrainingSpec, fit_multi_task


def main(rank: int, size: int, meeting: str, out: str, method: str, at: str) -> None:
    """Train a small network without dropout, and write its curves."""
    if size > 1:
        dist.init_process_group("gloo", f"file://{meeting}", rank=rank, world_size=size)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(96, 4)).astype(np.float32)
    values = np.column_stack([x[:, 0] + x[:, 1], x[:, 0] - x[:, 2], x[:, 3]])
    values[rng.random(values.shape) < 0.3] = np.nan
    columns = {f"x{k}": column for k, column in enumerate(x.T)}
    columns |= {f"y{k}": pa.array(column, from_pandas=True) for k, column in enumerate(values.T)}
    table = pa.table(columns)
    schema = Schema(
        [ColumnSpec(f"x{k}", "number") for k in range(4)],
        [ColumnSpec(f"y{k}", "number") for k in range(3)],
    )
    codec = Codec.fit(table, schema, np.arange(96))
    spec = TrainingSpec(
        codec=codec,
        inputs=codec.inputs(table),
        labels=codec.labels(table),
        folds=[Fold(np.arange(64), np.arange(64, 96))],
        architecture=Architecture(width=16, members=2, depth=2, state=4, rank=2, dropout=0.0),
        settings=TrainingConfig(epochs=3, batch_size=16),
        balance=BalanceConfig(method=method, every=2, at=at),
        embedding=4,
        given=False,
    )
    trained = fit_multi_task(spec).model
    facts = {"curves": trained.curves, "balance": trained.balance}
    with open(f"{out}.{rank}", "w", encoding="utf-8") as file:
        json.dump(facts, file)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:])
