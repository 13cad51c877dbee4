"""Batches: which rows each network learns from in a step, and what it reads of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from superpose.config import TrainingConfig
from superpose.models.network import Inputs

from ._workers import Workers

# Tables of a few dozen rows have epochs of two or three steps; below this many steps an epoch
# repeats the rows, so that patience means about the same on every table.
SHORTEST_EPOCH = 16


@dataclass(frozen=True)
class Batch:
    """Rows of P networks, and what is done to them.

    Args:
        rows: Numbers of the rows.
        inputs: What the networks read, by the names of the codec's arrays.
        observed: Which targets of a row the networks are shown; None for none.
        augmented: Records of how inputs were augmented, by their names.

    Shape:
        rows (P, B), inputs (P, B, ...) each, observed bool (P, B, T).
    """

    rows: Tensor
    inputs: Inputs = field(default_factory=dict)
    observed: Tensor | None = None
    augmented: Mapping[str | None, Any] = field(default_factory=dict)

    def mixed(self, *, but: str | None = None) -> Tensor | None:
        """Return which rows show another row in part, bool (P, B); None for none.

        Args:
            but: The input that is passed over, whose locations have labels.
        """
        records = [r for name, r in self.augmented.items() if r is not None and name != but]
        masks = [record.mixed for record in records if record.mixed is not None]
        return torch.stack(masks).any(0) if masks else None


# What is done to every batch in training: inputs are augmented or hidden, targets are shown.
Transform = Callable[[Batch], Batch]


def batch_size(settings: TrainingConfig, train: Sequence[np.ndarray]) -> int:
    """Return the rows per step and network, of which the largest fold decides."""
    return settings.rows_per_step(max(map(len, train)))


class BatchSampler:
    """Draw rows for all networks at once, each from its own training rows, in a random order.

    Args:
        train: The training rows of each of P networks.
        size: Rows per step and network.
        dataset_ids: For each row of the table the number of its data set, if there are several.
        exponent: A data set of n training rows has a share of n ** exponent in every epoch: 1
            visits all rows alike, 0 all data sets alike.

    Example:
        >>> sampler = BatchSampler([np.arange(40), np.arange(20, 60)], 2)
        >>> len(sampler), next(sampler.epoch(seed=0)).shape
        (20, torch.Size([2, 2]))
    """

    def __init__(
        self,
        train: Sequence[np.ndarray],
        size: int,
        *,
        dataset_ids: np.ndarray | None = None,
        exponent: float = 1.0,
    ) -> None:
        self.train = train
        self.size = size
        self.dataset_ids = None if exponent == 1 else dataset_ids
        self.exponent = exponent

    def __len__(self) -> int:
        """Steps in which the training rows of every network are visited, at least once each."""
        return max(math.ceil(max(map(len, self.train)) / self.size), SHORTEST_EPOCH)

    def epoch(self, seed: int) -> Iterator[Tensor]:
        """Yield row numbers (P, B) for each step of an epoch."""
        generator = torch.Generator().manual_seed(seed)
        orders = [self._order(rows, generator) for rows in self.train]
        yield from torch.stack(orders).split(self.size, dim=1)

    def _order(self, train: np.ndarray, generator: torch.Generator) -> Tensor:
        """The rows of one network in the order of their visits."""
        needed = len(self) * self.size
        if self.dataset_ids is None:
            return _visits(train, needed, generator)
        ids = self.dataset_ids[train]
        parts = [train[ids == one] for one in np.unique(ids)]
        shares = np.array([len(part) for part in parts], float) ** self.exponent
        ends = np.round(np.cumsum(shares) / shares.sum() * needed).astype(int)
        visits = [
            _visits(part, many, generator)
            for part, many in zip(parts, np.diff(ends, prepend=0), strict=True)
        ]
        return torch.cat(visits)[torch.randperm(needed, generator=generator)]


def _visits(train: np.ndarray, needed: int, generator: torch.Generator) -> Tensor:
    """Rows in a random order, again and again until there are as many as needed."""
    rows = torch.from_numpy(train)
    passes = max(1, math.ceil(needed / len(train)))
    order = [rows[torch.randperm(len(rows), generator=generator)] for _ in range(passes)]
    return torch.cat(order)[:needed]


@dataclass(frozen=True)
class BatchLoader:
    """Gather what the networks read of the rows that are drawn, and transform it.

    Args:
        sampler: Draws the rows.
        inputs: Encoded inputs of all rows, where the networks are.
        transforms: What is done to a batch, in this order.
        workers: The processes that share the rows of a batch.
    """

    sampler: BatchSampler
    inputs: Inputs
    transforms: Sequence[Transform] = ()
    workers: Workers = field(default_factory=Workers)

    def __len__(self) -> int:
        """Steps of an epoch."""
        return len(self.sampler)

    def epoch(self, seed: int) -> Iterator[Batch]:
        """Yield the batches of an epoch; transforms draw from torch's global random stream."""
        device = next(iter(self.inputs.values())).device
        for drawn in self.sampler.epoch(seed):
            rows = self.workers.share(drawn).to(device)
            batch = Batch(rows, {name: block[rows] for name, block in self.inputs.items()})
            for transform in self.transforms:
                batch = transform(batch)
            yield batch
