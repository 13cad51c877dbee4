"""The head of items: a row's vector against those of all items."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor, nn

from superpose.functional import category_loss
from superpose.nn.encoders._table import encoder_of

from ._base import Head
from ._item_tower import ItemTower, RetrievalHead

WIDTH = 16  # of the token of a column that describes items


@dataclass(frozen=True, eq=False)
class ItemsHead(Head):
    """A logit for each item, from two towers.

    Args:
        kind: The fitted target, which knows how often each item occurs and what describes it.
    """

    kind: Any

    @classmethod
    def of(cls, kind: Any) -> Self:
        return cls(kind)

    @property
    def n_outputs(self) -> int:
        return int(self.kind.distribution.n_classes)

    def module(self, task_dim: int) -> nn.Module:
        inputs = self.kind.inputs
        encoders = [encoder_of([kind], WIDTH) for kind, _ in inputs]
        blocks = [torch.from_numpy(block) for _, block in inputs]
        seen = [count > 0 for count in self.kind.counts]
        tower = ItemTower(seen, self.kind.vector, encoders=encoders, blocks=blocks)
        return RetrievalHead(task_dim, self.kind.counts, tower)

    def loss(self, out: Tensor, y: Tensor) -> Tensor:
        if out.shape[-1] == 1:  # the logarithm of the label's probability in its batch
            return torch.where(y.isnan(), 0.0, -out[..., 0])
        return category_loss(out, y)

    def link(self, out: Tensor) -> Tensor:
        return torch.softmax(out, dim=-1)
