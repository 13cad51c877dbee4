"""TabM of one target (Gorishniy et al., ICLR 2025; packages `tabm`, `rtdl_num_embeddings`).

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

MEMBERS = 16
WIDTH = 96
EMBED_WIDTH = 8
EMBED_INPUTS = 64
EPOCHS = 200
PATIENCE = 12
RATE = 2e-3
DECAY = 3e-4


class ColumnEncoder:
    """Numbers standardised with missing flags, categories indexed (0 is unseen or missing)."""

    def __init__(self, x: pd.DataFrame, categories: list[str]) -> None:
        self.categories = categories
        self.numbers = [name for name in x.columns if name not in categories]
        self.levels = {name: sorted(x[name].dropna().unique()) for name in categories}
        values = x[self.numbers].to_numpy(dtype=np.float64, na_value=np.nan)
        with np.errstate(invalid="ignore"):
            std = np.nanstd(values, axis=0)
        self.kept = np.nan_to_num(std) > 0
        values = values[:, self.kept]
        self.mean = np.nanmean(values, axis=0)
        self.std = np.nanstd(values, axis=0)
        self.gappy = np.isnan(values).any(0)

    @property
    def cardinalities(self) -> list[int]:
        """Indices of each category column."""
        return [len(levels) + 1 for levels in self.levels.values()]

    def encode(self, x: pd.DataFrame) -> tuple[Tensor, Tensor]:
        """Numbers (N, C) float32 and category indices (N, G) int64."""
        values = x[self.numbers].to_numpy(dtype=np.float64, na_value=np.nan)[:, self.kept]
        flags = np.isnan(values[:, self.gappy])
        values = np.nan_to_num(np.clip((values - self.mean) / self.std, -8, 8))
        codes = [
            pd.Categorical(x[name], categories=self.levels[name]).codes.astype(np.int64) + 1
            for name in self.categories
        ]
        grid = np.stack(codes, 1) if codes else np.zeros((len(x), 0), dtype=np.int64)
        return (
            torch.from_numpy(np.concatenate([values, flags], 1).astype(np.float32)),
            torch.from_numpy(grid),
        )


def _network(numbers: Tensor, cardinalities: list[int], n_outputs: int) -> nn.Module:
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
        n_num_features=numbers.shape[1], cat_cardinalities=cardinalities or None, d_out=n_outputs,
        num_embeddings=embeddings, k=MEMBERS, d_block=WIDTH, n_blocks=2,
    )  # fmt: skip


def seconds_for(rows: int) -> float:
    """Processor seconds that one fit with early stopping may take."""
    return 2.5 if rows < 2000 else 5.0 if rows < 10_000 else 12.0


class _Model:
    """The network of one target with what its inputs, losses and predictions need.

    Args:
        task: the target.
        rows: to learn from; they scale inputs and labels.
        n_outputs: 1, or the classes.
    """

    def __init__(self, task: Task, rows: Rows, n_outputs: int) -> None:
        self.kind = task.kind
        self.columns = ColumnEncoder(rows.x, task.categories)
        self.numbers, self.codes = self.columns.encode(rows.x)
        self.network = _network(self.numbers, self.columns.cardinalities, n_outputs)
        self.mean = float(rows.y.mean())
        self.scale = float(rows.y.std()) or 1.0

    def encode_y(self, y: np.ndarray) -> Tensor:
        """Labels as the loss reads them: numbers standardised."""
        return torch.tensor((y - self.mean) / self.scale if self.kind == "number" else y).float()

    def forward(self, numbers: Tensor, codes: Tensor) -> Tensor:
        """Outputs of all members, (B, k, n_outputs)."""
        numbers_or_none = numbers if numbers.shape[1] else None
        return self.network(numbers_or_none, codes if codes.shape[1] else None)

    def loss(self, out: Tensor, y: Tensor) -> Tensor:
        """Mean training loss of outputs (B, k, n_outputs)."""
        if self.kind == "number":
            return ((out[..., 0] - y[:, None]) ** 2).mean()
        if self.kind == "count":
            log = (out[..., 0] + math.log(self.mean)).clamp(-10, 15)
            return (log.exp() - y[:, None] * log).mean() / self.mean
        out = out.flatten(0, 1)
        return functional.cross_entropy(out, y.long().repeat_interleave(MEMBERS))

    def mean_of_members(self, out: Tensor) -> Tensor:
        """Mean of the members' predictions, (B, n_outputs)."""
        if self.kind == "number":
            return out.mean(1)
        if self.kind == "count":
            return (out + math.log(self.mean)).clamp(-10, 15).exp().mean(1)
        return out.softmax(-1).mean(1)

    @torch.no_grad()
    def infer(self, numbers: Tensor, codes: Tensor) -> Tensor:
        """Predictions of encoded rows, of numbers standardised."""
        self.network.eval()
        pairs = zip(numbers.split(2048), codes.split(2048), strict=True)
        return torch.cat([self.mean_of_members(self.forward(n, c)) for n, c in pairs])

    def validation_loss(self, prediction: Tensor, y: Tensor) -> float:
        """Mean loss of predictions, by which the epoch is chosen."""
        if self.kind == "number":
            return float(((prediction[:, 0] - y) ** 2).mean())
        if self.kind == "count":
            return float((prediction[:, 0] - y * prediction[:, 0].log()).mean())
        return float(functional.nll_loss(prediction.clamp(1e-6).log(), y.long()))

    def predict(self, x: pd.DataFrame) -> np.ndarray:
        """Predictions in the user's units."""
        out = self.infer(*self.columns.encode(x)).double().numpy()
        return out * self.scale + self.mean if self.kind == "number" else out


def train_tabm(
    task: Task, rows: Rows, *, held_out: Rows | None, rounds: int | None, n_outputs: int
) -> tuple[Predict, int]:
    """Train on `rows`; keep the epoch that is best on `held_out`, or take `rounds` epochs.

    Stops after `seconds_for(rows)` processor seconds, and then keeps the best epoch so far.
    """
    torch.manual_seed(task.seed)
    model = _Model(task, rows, n_outputs)
    network = model.network
    y = model.encode_y(rows.y)
    if held_out is not None:
        validation = model.columns.encode(held_out.x)
        validation_y = model.encode_y(held_out.y)
    batch_size = 32 if len(y) < 500 else 128 if len(y) < 4000 else 256
    optimiser = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=DECAY, fused=True)
    shuffle = torch.Generator().manual_seed(task.seed)
    best = math.inf
    best_epoch = 0
    best_weights = None
    limit = time.process_time() + seconds_for(len(y)) * task.slack
    for epoch in range(1, (rounds or EPOCHS) + 1):
        network.train()
        for index in torch.randperm(len(y), generator=shuffle).split(batch_size):
            optimiser.zero_grad()
            out = model.forward(model.numbers[index], model.codes[index])
            model.loss(out, y[index]).backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
        if held_out is None:
            best_epoch = epoch
        else:
            loss = model.validation_loss(model.infer(*validation), validation_y)
            if loss < best:
                best = loss
                best_epoch = epoch
                best_weights = copy.deepcopy(network.state_dict())
            if epoch - best_epoch >= PATIENCE:
                break
        if rounds is None and time.process_time() > limit:
            break
    if best_weights is not None:
        network.load_state_dict(best_weights)
    return model.predict, best_epoch
