"""Fusion: how task states exchange information. One class per method; FUSIONS names them."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from superpose.functional import essay_attention, task_attention, task_attention_weights


class Fusion(nn.Module):
    """Base of all fusions: states (..., T, D) -> states (..., T, D)."""

    def attention(self, states: Tensor) -> Tensor | None:
        """Tell who listens to whom, (..., T, T + 1) with the sink last, or None without a map."""
        return None


class NoFusion(Fusion):
    """Leave every task state as it is: the mandatory control.

    Example:
        >>> NoFusion(2, 4)(torch.ones(1, 2, 4)).sum().item()
        8.0
    """

    def __init__(self, targets: int, state: int, rank: int = 0) -> None:
        super().__init__()

    def forward(self, states: Tensor) -> Tensor:
        return states


class EssayFusion(Fusion):
    """Replace every state by the attention-weighted mean of all states, H' = softmax(QKᵀ/√d) H.

    Kept as a baseline: it starts by averaging tasks into one.

    Example:
        >>> EssayFusion(3, 8)(torch.zeros(2, 3, 8)).shape
        torch.Size([2, 3, 8])
    """

    def __init__(self, targets: int, state: int, rank: int = 0) -> None:
        super().__init__()
        self.query, self.key = (nn.Linear(state, state, bias=False) for _ in range(2))

    def forward(self, states: Tensor) -> Tensor:
        return essay_attention(self.query(states), self.key(states), states)[0]

    def attention(self, states: Tensor) -> Tensor:
        weights = essay_attention(self.query(states), self.key(states), states)[1]
        return torch.cat([weights, torch.zeros_like(weights[..., :1])], dim=-1)


class TaskAttention(Fusion):
    """Add to each state what it chooses to hear from the others; starts as the identity.

    Args:
        targets: Number of targets T (at least 1).
        state: State width D.
        rank: Width r of queries, keys and values (at least 1).

    Shape:
        states (..., T, D) -> (..., T, D).

    Example:
        >>> h = torch.randn(2, 3, 8)
        >>> bool((TaskAttention(3, 8, rank=4)(h) == h).all())
        True

    Source:
        Vaswani et al. 2017, eq. 1, with a sink whose value is zero, a bias per pair, no attention
        of a task to itself, and a gate per task that is zero at the start.
    """

    def __init__(self, targets: int, state: int, rank: int = 16) -> None:
        super().__init__()
        self.norm = nn.RMSNorm(state)
        self.query, self.key, self.value = (nn.Linear(state, rank, bias=False) for _ in range(3))
        self.out = nn.Linear(rank, state, bias=False)
        self.query_of = nn.Parameter(torch.randn(targets, rank) / math.sqrt(rank))
        self.key_of = nn.Parameter(torch.randn(targets, rank) / math.sqrt(rank))
        self.pair = nn.Parameter(torch.zeros(targets, targets))
        self.sink = nn.Parameter(torch.zeros(targets))
        self.gate = nn.Parameter(torch.zeros(targets, state))

    def _weights(self, u: Tensor) -> Tensor:
        query, key = self.query(u) + self.query_of, self.key(u) + self.key_of
        return task_attention_weights(query, key, self.pair, self.sink)

    def forward(self, states: Tensor) -> Tensor:
        u = self.norm(states)
        heard = task_attention(self._weights(u), self.value(u))
        return states + self.gate * self.out(heard)

    def attention(self, states: Tensor) -> Tensor:
        return self._weights(self.norm(states))


FUSIONS: dict[str, type[Fusion]] = {
    "essay": EssayFusion,
    "none": NoFusion,
    "task-attention": TaskAttention,
}
