"""Masked-label networks: one network that reads the row, the known labels and which are known.

Hidden and missing labels are 0, with 0 in the mask. In training every row of every epoch reveals
another random subset of its labels, and the loss is on those it hides. Plain: two layers of 256.
With members: TabM (Gorishniy et al. 2025) with piecewise-linear embeddings of numbers and labels.
"""

from __future__ import annotations

import copy
import math
import time
import warnings
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn import functional

from _given_methods import reveal
from _given_questions import Question, Rows
from _methods import REFIT_ROWS
from _tabm import EMBED_INPUTS, EMBED_WIDTH, _Columns

WIDTH = 256
DROPOUT = 0.1
EPOCHS = 300
PATIENCE = 16
DECAY = 3e-4
RATE, RATE_MEMBERS = 1e-3, 2e-3
CHECKS = 2  # random subsets that are watched on the validation rows, beside the empty one


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


class Network(nn.Module):
    """Numbers (B, C), category indices (B, G), labels (B, T), mask (B, T) -> (B, k, T)."""

    def __init__(
        self, numbers: Tensor, cards: list[int], labels: Tensor, members: int | None
    ) -> None:
        super().__init__()
        self.cards = cards
        tasks = labels.shape[1]
        self.read_numbers = self.read_labels = None
        if members is not None:
            self.read_numbers, self.read_labels = _embedding(numbers), _embedding(labels)
        each = [
            1 if part is None else EMBED_WIDTH for part in (self.read_numbers, self.read_labels)
        ]
        width = numbers.shape[1] * each[0] + sum(cards) + tasks * each[1] + tasks
        self.body: nn.Module
        if members is None:
            self.body = nn.Sequential(
                nn.Linear(width, WIDTH), nn.ReLU(), nn.Dropout(DROPOUT),
                nn.Linear(WIDTH, WIDTH), nn.ReLU(), nn.Dropout(DROPOUT),
                nn.Linear(WIDTH, tasks),
            )  # fmt: skip
        else:
            import tabm

            self.body = tabm.TabM.make(
                n_num_features=width, d_out=tasks, k=members, d_block=WIDTH // 2, n_blocks=2
            )

    def forward(self, numbers: Tensor, codes: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
        if self.read_numbers is not None:
            numbers = self.read_numbers(numbers).flatten(1)
        read = labels if self.read_labels is None else self.read_labels(labels)
        shown = mask if self.read_labels is None else mask[..., None]
        parts = [numbers, (read * shown).flatten(1), mask]
        parts += [functional.one_hot(codes[:, i], n).float() for i, n in enumerate(self.cards)]
        out = self.body(torch.cat(parts, 1))
        return out if out.ndim == 3 else out[:, None]


class Masked:
    """One masked-label network for all targets.

    Args:
        members: members of TabM; None is the plain network.
    """

    def __init__(self, members: int | None) -> None:
        self.members = members

    def fit(self, rows: Rows, asked: list[Question]) -> None:
        self.kinds = rows.targets
        self.rows = rows
        self.counts = torch.tensor([kind == "count" for kind in self.kinds.values()])
        self.stopped: dict[str, Any] = {}
        x, y = rows.x("train"), rows.y("train")
        epochs = self._train(x, y, (rows.x("validation"), rows.y("validation")), None)
        if len(x) + len(rows.x("validation")) < REFIT_ROWS:
            x, y = pd.concat([x, rows.x("validation")]), pd.concat([y, rows.y("validation")])
            self._train(x, y, None, epochs)

    def _encode(self, y: pd.DataFrame) -> Tensor:
        """Labels as the network reads them, standardised; counts on a log scale. NaN missing."""
        values = torch.tensor(y[list(self.kinds)].to_numpy(dtype=np.float64))
        values = torch.where(self.counts, values.clamp(min=0).log1p(), values)
        return ((values - self.middle) / self.scale).float()

    def _loss(self, out: Tensor, y: Tensor) -> Tensor:
        """Loss (B, T) of outputs (B, k, T) at labels in the user's units, NaN where missing."""
        number = (out - ((y - self.mean) / self.spread).float()[:, None]) ** 2
        level = self.mean.clamp(min=1e-6).float()  # of counts; numbers may lie below 0
        log = (out + level.log()).clamp(-10, 15)
        count = (log.exp() - y.float()[:, None] * log) / level
        return torch.where(self.counts, count, number).mean(1)

    def _answer(self, out: Tensor) -> Tensor:
        """Predictions (B, T) in the user's units: the mean over the members."""
        log = (out.double() + self.mean.clamp(min=1e-6).log()).clamp(-10, 15)
        number = out.double() * self.spread + self.mean
        return torch.where(self.counts, log.exp(), number).mean(1)

    def _train(
        self,
        x: pd.DataFrame,
        y: pd.DataFrame,
        held: tuple[pd.DataFrame, pd.DataFrame] | None,
        rounds: int | None,
    ) -> int:
        seed = self.rows.seed
        torch.manual_seed(seed)
        rng = np.random.default_rng([seed, 3])
        self.columns = _Columns(SimpleNamespace(categories=self.rows.table.categories), x)  # type: ignore[arg-type]
        raw = torch.tensor(y.to_numpy(dtype=np.float64))
        self.mean, self.spread = _moments(raw)
        self.middle, self.scale = _moments(torch.where(self.counts, raw.clamp(min=0).log1p(), raw))
        numbers, codes = self.columns.encode(x)
        labels = self._encode(y)
        cards = [len(level) + 1 for level in self.columns.levels.values()]
        self.network = Network(numbers, cards, labels, self.members)
        tasks = labels.shape[1]
        checks = [] if held is None else self._checks(*held)
        rate = RATE if self.members is None else RATE_MEMBERS
        optimiser = torch.optim.AdamW(self.network.parameters(), rate, weight_decay=DECAY)
        batch = 32 if len(raw) < 500 else 128 if len(raw) < 4000 else 256
        known = ~labels.isnan()
        filled = labels.nan_to_num()
        best = math.inf
        best_epoch = 0
        best_state = None
        limit = time.process_time() + seconds_for(len(raw)) * self.rows.slack
        for epoch in range(1, (rounds or EPOCHS) + 1):
            self.network.train()
            shown = torch.from_numpy(reveal(len(raw), tasks, rng, tasks - 1)) & known
            for index in torch.from_numpy(rng.permutation(len(raw))).split(batch):
                mask = shown[index]
                wanted = known[index] & ~mask
                if not wanted.any():
                    continue
                optimiser.zero_grad()
                out = self.network(numbers[index], codes[index], filled[index] * mask, mask.float())
                loss = self._loss(out, raw[index].nan_to_num())
                (loss * wanted).sum().div(wanted.sum()).backward()
                nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
                optimiser.step()
            if held is None:
                best_epoch = epoch
                continue
            now = sum(self._held_loss(*check) for check in checks)
            if now < best:
                best, best_epoch = now, epoch
                best_state = copy.deepcopy(self.network.state_dict())
            if epoch - best_epoch >= PATIENCE:
                break
            if time.process_time() > limit:
                self.stopped["at_limit"] = epoch
                break
        if best_state is not None:
            self.network.load_state_dict(best_state)
        self.stopped.setdefault("epochs", best_epoch)
        return best_epoch

    def _checks(self, x: pd.DataFrame, y: pd.DataFrame) -> list[tuple[Tensor, ...]]:
        """Held-out inputs and labels, each with one choice of what is revealed."""
        raw = torch.tensor(y.to_numpy(dtype=np.float64))
        labels = self._encode(y)
        rng = np.random.default_rng([self.rows.seed, 4])
        tasks = raw.shape[1]
        masks = [np.zeros(raw.shape, dtype=bool)]
        masks += [reveal(len(raw), tasks, rng, tasks - 1) for _ in range(CHECKS)]
        known = [torch.from_numpy(mask) & ~raw.isnan() for mask in masks]
        return [(*self.columns.encode(x), labels, mask, raw) for mask in known]

    def _held_loss(
        self, numbers: Tensor, codes: Tensor, labels: Tensor, mask: Tensor, raw: Tensor
    ) -> float:
        wanted = ~raw.isnan() & ~mask
        loss = self._loss(self._infer(numbers, codes, labels, mask), raw.nan_to_num())
        return float((loss * wanted).sum() / wanted.sum())

    @torch.no_grad()
    def _infer(self, numbers: Tensor, codes: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
        self.network.eval()
        arrays = (numbers, codes, labels.nan_to_num() * mask, mask.float())
        pieces = zip(*(array.split(2048) for array in arrays), strict=True)
        return torch.cat([self.network(*piece) for piece in pieces])

    def predict(
        self, x: pd.DataFrame, known: pd.DataFrame, wanted: tuple[str, ...]
    ) -> dict[str, np.ndarray]:
        labels = self._encode(known.reindex(columns=list(self.kinds)).astype(np.float64))
        out = self._answer(self._infer(*self.columns.encode(x), labels, ~labels.isnan()))
        return {name: out[:, i].numpy() for i, name in enumerate(self.kinds) if name in wanted}

    def size(self) -> int | None:
        return sum(p.numel() * p.element_size() for p in self.network.parameters())

    def details(self) -> dict[str, Any]:
        return self.stopped


def _moments(values: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of every column over its known values; 1 where constant."""
    mean = values.nanmean(0)
    spread = ((values - mean) ** 2).nanmean(0).sqrt()
    return mean, torch.where(spread > 0, spread, 1.0)
