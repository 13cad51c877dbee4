"""Weights between targets that do not depend on the row."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from superpose.functional import task_attention_weights

from ._base import Residual


class StaticWeights(Residual):
    """Task attention whose weights are the same for all rows: pair biases and the sink alone.

    The control that shows whether it matters that attention looks at the row.

    Example:
        >>> h = torch.randn(2, 3, 8)
        >>> StaticWeights(3, 8, rank=4).attention(h)[0, 0].tolist()
        [0.0, 0.3333333432674408, 0.3333333432674408, 0.3333333432674408]
    """

    def __init__(
        self, n_targets: int, task_dim: int, *, rank: int = 16, donor_gradient: float = 1.0
    ) -> None:
        super().__init__(n_targets, task_dim, rank=rank, donor_gradient=donor_gradient)
        self.norm = nn.RMSNorm(task_dim)
        self.value = nn.Linear(task_dim, rank, bias=False)
        self.out = nn.Linear(rank, task_dim, bias=False)
        self.pair = nn.Parameter(torch.zeros(n_targets, n_targets))
        self.sink = nn.Parameter(torch.zeros(n_targets))
        self.gate = nn.Parameter(torch.zeros(n_targets, task_dim))

    def weights(self, u: Tensor) -> Tensor:
        nothing = u.new_zeros(len(self.sink), 1)
        same = task_attention_weights(nothing, nothing, pair=self.pair, sink=self.sink)
        return same.expand(*u.shape[:-2], *same.shape)
