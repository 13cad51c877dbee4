"""TabM for one target (Gorishniy et al., ICLR 2025; packages `tabm`, `rtdl_num_embeddings`).

Sixteen members, piecewise-linear embeddings of the numbers (none above `EMBED_INPUTS` columns,
where they would cost more than they give), AdamW, early stopping on validation. Width 96 and a
limit of processor seconds per fit keep five seeds of 140 targets to about an hour on one core.
"""

from __future__ import annotations

import copy
import math
import time
import warnings
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn import functional

if TYPE_CHECKING:
    from _methods import Predict, Rows, Task

MEMBERS, WIDTH, EMBED_WIDTH, EMBED_INPUTS = 16, 96, 8, 64
EPOCHS = 200
PATIENCE = 12
RATE = 2e-3
DECAY = 3e-4


class _Columns:
    """Numbers standardised with missing flags, categories indexed (0 is unseen or missing)."""

    def __init__(self, task: Task, x: pd.DataFrame) -> None:
        self.categories = task.categories
        self.numbers = [name for name in x.columns if name not in task.categories]
        self.levels = {name: sorted(x[name].dropna().unique()) for name in self.categories}
        values = x[self.numbers].to_numpy(dtype=np.float64, na_value=np.nan)
        with np.errstate(invalid="ignore"):
            spread = np.nanstd(values, axis=0)
        self.kept = np.nan_to_num(spread) > 0
        values = values[:, self.kept]
        self.mean, self.spread = np.nanmean(values, axis=0), np.nanstd(values, axis=0)
        self.gappy = np.isnan(values).any(0)

    def encode(self, x: pd.DataFrame) -> tuple[Tensor, Tensor]:
        """Numbers (N, C) float32 and category indices (N, G) int64."""
        values = x[self.numbers].to_numpy(dtype=np.float64, na_value=np.nan)[:, self.kept]
        flags = np.isnan(values[:, self.gappy])
        values = np.nan_to_num(np.clip((values - self.mean) / self.spread, -8, 8))
        codes = [
            pd.Categorical(x[name], categories=self.levels[name]).codes.astype(np.int64) + 1
            for name in self.categories
        ]
        grid = np.stack(codes, 1) if codes else np.zeros((len(x), 0), dtype=np.int64)
        return (
            torch.from_numpy(np.concatenate([values, flags], 1).astype(np.float32)),
            torch.from_numpy(grid),
        )


def _network(numbers: Tensor, cardinalities: list[int], outputs: int) -> nn.Module:
    import rtdl_num_embeddings
    import tabm

    embeddings = None
    if 0 < numbers.shape[1] <= EMBED_INPUTS:
        bins = max(2, min(32, len(numbers) // 8))
        with warnings.catch_warnings():  # it warns of every two-valued column
            warnings.simplefilter("ignore", UserWarning)
            edges = rtdl_num_embeddings.compute_bins(numbers, n_bins=bins)
            embeddings = rtdl_num_embeddings.PiecewiseLinearEmbeddings(
                edges, EMBED_WIDTH, activation=False, version="B"
            )
    return tabm.TabM.make(
        n_num_features=numbers.shape[1], cat_cardinalities=cardinalities or None, d_out=outputs,
        num_embeddings=embeddings, k=MEMBERS, d_block=WIDTH, n_blocks=2,
    )  # fmt: skip


def seconds_for(rows: int) -> float:
    """Processor seconds that one fit with early stopping may take."""
    return 2.5 if rows < 2000 else 5.0 if rows < 10_000 else 12.0


def train_tabm(
    task: Task, rows: Rows, held: Rows | None, rounds: int | None, outputs: int
) -> tuple[Predict, int]:
    """Train on `rows`; keep the epoch that is best on `held`, or take `rounds` epochs.

    Stops after `seconds_for(rows)` processor seconds, and then keeps the best epoch so far.
    """
    torch.manual_seed(task.seed)
    columns = _Columns(task, rows.x)
    numbers, codes = columns.encode(rows.x)
    network = _network(numbers, [len(level) + 1 for level in columns.levels.values()], outputs)
    mean = float(rows.y.mean())
    scale = float(rows.y.std()) or 1.0

    def loss(out: Tensor, y: Tensor) -> Tensor:  # out (B, k, outputs)
        if task.kind == "number":
            return ((out[..., 0] - y[:, None]) ** 2).mean()
        if task.kind == "count":
            log = (out[..., 0] + math.log(mean)).clamp(-10, 15)
            return (log.exp() - y[:, None] * log).mean() / mean
        out = out.flatten(0, 1)
        return functional.cross_entropy(out, y.long().repeat_interleave(MEMBERS))

    def answer(out: Tensor) -> Tensor:  # mean of the members' predictions
        if task.kind == "number":
            return out.mean(1)
        if task.kind == "count":
            return (out + math.log(mean)).clamp(-10, 15).exp().mean(1)
        return out.softmax(-1).mean(1)

    def forward(numbers: Tensor, codes: Tensor) -> Tensor:
        return network(numbers if numbers.shape[1] else None, codes if codes.shape[1] else None)

    @torch.no_grad()
    def infer(numbers: Tensor, codes: Tensor) -> Tensor:
        network.eval()
        pairs = zip(numbers.split(2048), codes.split(2048), strict=True)
        return torch.cat([answer(forward(n, c)) for n, c in pairs])

    def held_loss(prediction: Tensor, y: Tensor) -> float:
        if task.kind == "number":
            return float(((prediction[:, 0] - y) ** 2).mean())
        if task.kind == "count":
            return float((prediction[:, 0] - y * prediction[:, 0].log()).mean())
        return float(functional.nll_loss(prediction.clamp(1e-6).log(), y.long()))

    def encode_y(y: np.ndarray) -> Tensor:
        return torch.tensor((y - mean) / scale if task.kind == "number" else y).float()

    y = encode_y(rows.y)
    checked = None if held is None else (*columns.encode(held.x), encode_y(held.y))
    batch = 32 if len(y) < 500 else 128 if len(y) < 4000 else 256
    optimiser = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=DECAY, fused=True)
    shuffle = torch.Generator().manual_seed(task.seed)
    best = math.inf
    best_epoch = 0
    best_state = None
    limit = time.process_time() + seconds_for(len(y)) * task.slack
    for epoch in range(1, (rounds or EPOCHS) + 1):
        network.train()
        for index in torch.randperm(len(y), generator=shuffle).split(batch):
            optimiser.zero_grad()
            loss(forward(numbers[index], codes[index]), y[index]).backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
        if checked is None:
            best_epoch = epoch
        else:
            now = held_loss(infer(checked[0], checked[1]), checked[2])
            if now < best:
                best, best_epoch = now, epoch
                best_state = copy.deepcopy(network.state_dict())
            if epoch - best_epoch >= PATIENCE:
                break
        if rounds is None and time.process_time() > limit:
            break
    if best_state is not None:
        network.load_state_dict(best_state)

    def predict(x: pd.DataFrame) -> np.ndarray:
        out = infer(*columns.encode(x)).double().numpy()
        return out * scale + mean if task.kind == "number" else out

    return predict, best_epoch
