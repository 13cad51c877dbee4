"""The head of a target that names an item: one tower reads the row, the other the items."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# With more items a step of training compares each row with the items of its batch alone.
FEW_ITEMS = 2000
# An item that may be new is read by its inputs alone in this share of the steps.
WITHOUT_VECTOR = 0.3


class ItemTower(nn.Module):
    """A vector for each of K items: one of its own that is learned, and one from its inputs.

    Args:
        seen: For each item whether training rows name it; only then its own vector is learned.
        size: Numbers d of a vector (at least 1).
        encoders: One for each input of items; each has ``out_features``.
        blocks: For each encoder what it reads of all items, (K, ...).

    Shape:
        items (R) int -> (R, d).

    Example:
        >>> tower = ItemTower([True, True, False], size=4)
        >>> tower(torch.tensor([0, 2])).abs().sum(-1).sign().tolist()
        [1.0, 0.0]

    Source:
        Item towers after Yi et al. 2019. Own vectors that are dropped in training, so that new
        items are read as well as known ones: DropoutNet, Volkovs et al. 2017.
    """

    def __init__(
        self,
        seen: Sequence[bool],
        size: int,
        *,
        encoders: Sequence[nn.Module] = (),
        blocks: Sequence[Tensor] = (),
    ) -> None:
        super().__init__()
        self.vectors = nn.Parameter(torch.randn(len(seen), size) / math.sqrt(size))
        self.seen: Tensor
        self.register_buffer("seen", torch.tensor(seen, dtype=torch.float32)[:, None])
        self.encoders = nn.ModuleList(encoders)
        for index, block in enumerate(blocks):
            self.register_buffer(f"block{index}", block)
        inside = sum(cast(int, e.out_features) for e in encoders)
        self.read = (
            nn.Sequential(nn.Linear(inside, 2 * size), nn.ReLU(), nn.Linear(2 * size, size))
            if inside
            else None
        )

    def forward(self, items: Tensor) -> Tensor:
        own = self.vectors[items] * self.seen[items]
        if self.read is None:
            return own
        if self.training:
            own = own * (torch.rand_like(own[..., :1]) >= WITHOUT_VECTOR)
        tokens = [
            encode(getattr(self, f"block{index}")[items]).flatten(-2)
            for index, encode in enumerate(self.encoders)
        ]
        return own + self.read(torch.cat(tokens, -1))


class RetrievalHead(nn.Module):
    """Score all items for a row: the product of its vector with theirs, plus how common they are.

    With many items, training compares each row with the items of its batch only, and takes from
    each score the logarithm of the item's share of the training rows, which is how often it turns
    up in a batch by chance.

    Args:
        task_dim: Width D of the task state.
        counts: For each of K items the training rows that name it.
        tower: Gives the items their vectors.

    Shape:
        state (B, D) -> logits (B, K); in training with more than ``FEW_ITEMS`` items, with labels
        (B, 1) -> the logarithm of each label's probability in its batch, (B, 1).

    Example:
        >>> head = RetrievalHead(8, [3, 1, 0], ItemTower([True, True, False], size=4))
        >>> head(torch.zeros(2, 8)).shape
        torch.Size([2, 3])

    Source:
        Yi et al. 2019, "Sampling-Bias-Corrected Neural Modeling for Large Corpus Item
        Recommendations", eq. 4 and 5; departs by counting training rows instead of estimating
        frequencies from a stream, and by vectors that are not normalised.
    """

    def __init__(self, task_dim: int, counts: Sequence[int], tower: ItemTower) -> None:
        super().__init__()
        self.tower = tower
        size = tower.vectors.shape[1]
        self.ask = nn.Linear(task_dim, size)
        share = (torch.tensor(counts, dtype=torch.float32) + 0.5) / (sum(counts) + 1)
        self.log_share: Tensor
        self.register_buffer("log_share", share.log())
        # Scores begin as the popularity of items, which is the baseline to beat.
        self.popularity = nn.Parameter(torch.ones(()))

    def forward(self, state: Tensor, labels: Tensor | None = None) -> Tensor:
        query = self.ask(F.relu(state))
        if self.training and labels is not None and len(self.log_share) > FEW_ITEMS:
            return self._in_batch(query, labels[..., 0])
        every = torch.arange(len(self.log_share), device=state.device)
        return query @ self.tower(every).mT + self.popularity * self.log_share

    def _in_batch(self, query: Tensor, labels: Tensor) -> Tensor:
        known = ~labels.isnan()
        items = torch.where(known, labels, 0.0).long()
        share = self.log_share[items]
        logits = query @ self.tower(items).mT + self.popularity * share - share
        # A row has its own item once, wherever it stands; rows without a label offer none.
        other = ~torch.eye(len(items), dtype=torch.bool, device=items.device)
        twice = (items[:, None] == items) & other
        logits = logits.masked_fill(twice | (~known & other), -torch.inf)
        return F.log_softmax(logits, -1).diagonal()[..., None]
