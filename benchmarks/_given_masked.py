"""Masked-label networks: one network that reads the row, the known labels and which are known.

Hidden and missing labels are 0, with 0 in the mask. In training another random subset of the labels
is observed in every row of every epoch, and the loss is on the others. Plain: two layers of 256.
With members: TabM (Gorishniy et al. 2025) with piecewise-linear embeddings of numbers and labels.
"""

from __future__ import annotations

import copy
import math
import time
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn import functional

from _given_methods import draw_observed
from _given_questions import Labelled, Question, Rows
from _methods import REFIT_ROWS
from _tabm import EMBED_INPUTS, EMBED_WIDTH, ColumnEncoder

WIDTH = 256
DROPOUT = 0.1
EPOCHS = 300
PATIENCE = 16
DECAY = 3e-4
RATE = 1e-3
RATE_MEMBERS = 2e-3
CHECKS = 2  # random subsets whose validation loss is summed, beside the empty one


def seconds_for(rows: int) -> float:
    """Processor seconds that one fit with early stopping may take."""
    return 60.0 if rows < 2000 else 180.0 if rows < 10_000 else 900.0


def _embedding(values: Tensor) -> nn.Module | None:
    """Piecewise-linear embeddings of the columns of `values`, NaN where missing."""
    import rtdl_num_embeddings

    if not 0 < values.shape[1] <= EMBED_INPUTS:
        return None
    bins = max(2, min(32, len(values) // 8))
    with warnings.catch_warnings():  # it warns of every two-valued column
        warnings.simplefilter("ignore", UserWarning)
        edges = []
        for column in values.T:
            known = column[~column.isnan()][:, None]
            edges += rtdl_num_embeddings.compute_bins(known, n_bins=bins)
        return rtdl_num_embeddings.PiecewiseLinearEmbeddings(
            edges, EMBED_WIDTH, activation=False, version="B"
        )


@dataclass(frozen=True)
class Batch:
    """What the network reads of B rows.

    Args:
        numbers: (B, C).
        codes: category indices (B, G).
        labels: (B, T), encoded, 0 where they are missing or hidden.
        mask: (B, T) of bool, True where a label is observed.
    """

    numbers: Tensor
    codes: Tensor
    labels: Tensor
    mask: Tensor

    def take(self, index: Tensor | slice) -> Batch:
        """Some of the rows."""
        return Batch(self.numbers[index], self.codes[index], self.labels[index], self.mask[index])

    def observing(self, mask: Tensor) -> Batch:
        """The same rows with the labels in `mask` observed and all others hidden."""
        return Batch(self.numbers, self.codes, self.labels * mask, mask)


class Network(nn.Module):
    """Reads a `Batch`, predicts all labels: (B, k, T) of k members.

    Args:
        numbers: number columns of the training rows.
        labels: their labels, NaN where missing.
        cardinalities: indices of each category column.
        members: members of TabM; None is the plain network.
    """

    def __init__(
        self, numbers: Tensor, labels: Tensor, *, cardinalities: list[int], members: int | None
    ) -> None:
        super().__init__()
        self.cardinalities = cardinalities
        tasks = labels.shape[1]
        self.read_numbers = None if members is None else _embedding(numbers)
        self.read_labels = None if members is None else _embedding(labels)
        number_dim = 1 if self.read_numbers is None else EMBED_WIDTH
        label_dim = 1 if self.read_labels is None else EMBED_WIDTH
        n_inputs = numbers.shape[1] * number_dim + sum(cardinalities) + tasks * label_dim + tasks
        self.body: nn.Module
        if members is None:
            self.body = nn.Sequential(
                nn.Linear(n_inputs, WIDTH), nn.ReLU(), nn.Dropout(DROPOUT),
                nn.Linear(WIDTH, WIDTH), nn.ReLU(), nn.Dropout(DROPOUT),
                nn.Linear(WIDTH, tasks),
            )  # fmt: skip
        else:
            import tabm

            self.body = tabm.TabM.make(
                n_num_features=n_inputs, d_out=tasks, k=members, d_block=WIDTH // 2, n_blocks=2
            )

    def forward(self, batch: Batch) -> Tensor:
        numbers = batch.numbers
        if self.read_numbers is not None:
            numbers = self.read_numbers(numbers).flatten(1)
        mask = batch.mask.float()
        if self.read_labels is None:
            labels = batch.labels * mask
        else:
            labels = self.read_labels(batch.labels) * mask[..., None]
        parts = [numbers, labels.flatten(1), mask]
        codes = zip(batch.codes.T, self.cardinalities, strict=True)
        parts += [functional.one_hot(code, n).float() for code, n in codes]
        out = self.body(torch.cat(parts, 1))
        return out if out.ndim == 3 else out[:, None]


class Masked:
    """One masked-label network for all targets.

    Args:
        members: members of TabM; None is the plain network.
    """

    def __init__(self, members: int | None) -> None:
        self.members = members

    def fit(self, rows: Rows, questions: list[Question]) -> None:
        self.kinds = rows.targets
        self.rows = rows
        self.counts = torch.tensor([kind == "count" for kind in self.kinds.values()])
        self.stopped: dict[str, Any] = {}
        train, validation = (rows.labelled(part) for part in ("train", "validation"))
        epochs = self._train(train, held_out=validation, rounds=None)
        if len(train) + len(validation) < REFIT_ROWS:
            self._train(train + validation, held_out=None, rounds=epochs)

    def _encode(self, y: pd.DataFrame) -> Tensor:
        """Labels as the network reads them, standardised; counts on a log scale. NaN missing."""
        values = torch.tensor(y[list(self.kinds)].to_numpy(dtype=np.float64))
        values = torch.where(self.counts, values.clamp(min=0).log1p(), values)
        return ((values - self.middle) / self.scale).float()

    def _loss(self, out: Tensor, y: Tensor) -> Tensor:
        """Loss (B, T) of outputs (B, k, T) at labels in the user's units, NaN where missing."""
        number = (out - ((y - self.mean) / self.std).float()[:, None]) ** 2
        rate = self.mean.clamp(min=1e-6).float()  # of counts; numbers may lie below 0
        log = (out + rate.log()).clamp(-10, 15)
        count = (log.exp() - y.float()[:, None] * log) / rate
        return torch.where(self.counts, count, number).mean(1)

    def _predictions(self, out: Tensor) -> Tensor:
        """Predictions (B, T) in the user's units: the mean over the members."""
        log = (out.double() + self.mean.clamp(min=1e-6).log()).clamp(-10, 15)
        number = out.double() * self.std + self.mean
        return torch.where(self.counts, log.exp(), number).mean(1)

    def _prepare(self, train: Labelled) -> tuple[Batch, Tensor]:
        """Fit scales and the columns on training rows, and make the network for them.

        Returns the encoded rows with all labels that are known, and the raw labels.
        """
        self.columns = ColumnEncoder(train.x, self.rows.table.categories)
        raw = torch.tensor(train.y.to_numpy(dtype=np.float64))
        self.mean, self.std = _moments(raw)
        self.middle, self.scale = _moments(torch.where(self.counts, raw.clamp(min=0).log1p(), raw))
        numbers, codes = self.columns.encode(train.x)
        labels = self._encode(train.y)
        self.network = Network(
            numbers, labels, cardinalities=self.columns.cardinalities, members=self.members
        )
        return Batch(numbers, codes, labels.nan_to_num(), ~labels.isnan()), raw

    def _train(self, train: Labelled, *, held_out: Labelled | None, rounds: int | None) -> int:
        """Train anew; returns the epoch that was best on `held_out`, or `rounds`."""
        seed = self.rows.seed
        torch.manual_seed(seed)
        rng = np.random.default_rng([seed, 3])
        known, raw = self._prepare(train)
        checks = [] if held_out is None else self._checks(held_out)
        rate = RATE if self.members is None else RATE_MEMBERS
        optimiser = torch.optim.AdamW(self.network.parameters(), rate, weight_decay=DECAY)
        best = math.inf
        best_epoch = 0
        best_weights = None
        limit = time.process_time() + seconds_for(len(raw)) * self.rows.slack
        for epoch in range(1, (rounds or EPOCHS) + 1):
            self._train_epoch(known, raw, optimiser=optimiser, rng=rng)
            if held_out is None:
                best_epoch = epoch
                continue
            loss = sum(self._validation_loss(batch, labels) for batch, labels in checks)
            if loss < best:
                best = loss
                best_epoch = epoch
                best_weights = copy.deepcopy(self.network.state_dict())
            if epoch - best_epoch >= PATIENCE:
                break
            if time.process_time() > limit:
                self.stopped["at_limit"] = epoch
                break
        if best_weights is not None:
            self.network.load_state_dict(best_weights)
        self.stopped.setdefault("epochs", best_epoch)
        return best_epoch

    def _train_epoch(
        self,
        known: Batch,
        raw: Tensor,
        *,
        optimiser: torch.optim.Optimizer,
        rng: np.random.Generator,
    ) -> None:
        """One pass over the rows, with another subset of the labels observed in each."""
        self.network.train()
        tasks = raw.shape[1]
        batch_size = 32 if len(raw) < 500 else 128 if len(raw) < 4000 else 256
        observed = torch.from_numpy(draw_observed(raw.shape, rng, tasks - 1)) & known.mask
        for index in torch.from_numpy(rng.permutation(len(raw))).split(batch_size):
            mask = observed[index]
            batch = known.take(index)
            wanted = batch.mask & ~mask
            if not wanted.any():
                continue
            optimiser.zero_grad()
            loss = self._loss(self.network(batch.observing(mask)), raw[index].nan_to_num())
            (loss * wanted).sum().div(wanted.sum()).backward()
            nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
            optimiser.step()

    def _checks(self, held_out: Labelled) -> list[tuple[Batch, Tensor]]:
        """Held-out rows, each time with other labels observed, and their raw labels."""
        raw = torch.tensor(held_out.y.to_numpy(dtype=np.float64))
        labels = self._encode(held_out.y)
        rng = np.random.default_rng([self.rows.seed, 4])
        masks = [np.zeros(raw.shape, dtype=bool)]
        masks += [draw_observed(raw.shape, rng, raw.shape[1] - 1) for _ in range(CHECKS)]
        known = Batch(*self.columns.encode(held_out.x), labels.nan_to_num(), ~raw.isnan())
        return [(known.observing(torch.from_numpy(mask) & known.mask), raw) for mask in masks]

    def _validation_loss(self, batch: Batch, raw: Tensor) -> float:
        wanted = ~raw.isnan() & ~batch.mask
        loss = self._loss(self._infer(batch), raw.nan_to_num())
        return float((loss * wanted).sum() / wanted.sum())

    @torch.no_grad()
    def _infer(self, batch: Batch) -> Tensor:
        self.network.eval()
        starts = range(0, len(batch.labels), 2048)
        return torch.cat([self.network(batch.take(slice(i, i + 2048))) for i in starts])

    def predict(
        self, x: pd.DataFrame, known: pd.DataFrame, wanted: tuple[str, ...]
    ) -> dict[str, np.ndarray]:
        labels = self._encode(known.reindex(columns=list(self.kinds)).astype(np.float64))
        batch = Batch(*self.columns.encode(x), labels.nan_to_num(), ~labels.isnan())
        out = self._predictions(self._infer(batch))
        return {name: out[:, i].numpy() for i, name in enumerate(self.kinds) if name in wanted}

    def n_bytes(self) -> int | None:
        return sum(p.numel() * p.element_size() for p in self.network.parameters())

    def details(self) -> dict[str, Any]:
        return self.stopped


def _moments(values: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of every column over its known values; 1 where it is 0."""
    mean = values.nanmean(0)
    std = ((values - mean) ** 2).nanmean(0).sqrt()
    return mean, torch.where(std > 0, std, 1.0)
