"""Softmax attention without residual, sink or gate: the baseline."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from superpose.functional import essay_attention

from ._base import Fusion


class EssayFusion(Fusion):
    """Replaces every state by the attention-weighted mean of all, H' = softmax(QKᵀ/√d) H.

    Kept as a baseline: it starts by averaging tasks into one.

    Example:
        >>> import torch
        >>> EssayFusion(3, 8)(torch.zeros(2, 3, 8)).shape
        torch.Size([2, 3, 8])
    """

    def __init__(
        self, n_targets: int, task_dim: int, *, rank: int = 16, donor_gradient: float = 1.0
    ) -> None:
        super().__init__(n_targets, task_dim, rank=rank, donor_gradient=donor_gradient)
        self.query, self.key = (nn.Linear(task_dim, task_dim, bias=False) for _ in range(2))

    def forward(self, states: Tensor) -> Tensor:
        return essay_attention(self.query(states), self.key(states), states)[0]

    def attention(self, states: Tensor) -> Tensor:
        weights = essay_attention(self.query(states), self.key(states), states)[1]
        return torch.cat([weights, torch.zeros_like(weights[..., :1])], dim=-1)
