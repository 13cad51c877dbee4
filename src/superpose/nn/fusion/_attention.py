"""Attention between task states: the default."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from superpose.functional import task_attention_weights

from ._base import Listening


class TaskAttention(Listening):
    """Adds to each state what it chooses to hear from the others; starts as the identity.

    Example:
        >>> h = torch.randn(2, 3, 8)
        >>> bool((TaskAttention(3, 8, rank=4)(h) == h).all())
        True

    Source:
        Vaswani et al. 2017, eq. 1, with a sink whose value is zero, a bias per pair, no attention
        of a task to itself, and a gate per task that is zero at the start.
    """

    def __init__(
        self, n_targets: int, task_dim: int, *, rank: int = 16, donor_gradient: float = 1.0
    ) -> None:
        super().__init__(n_targets, task_dim, rank=rank, donor_gradient=donor_gradient)
        self.pair = nn.Parameter(torch.zeros(n_targets, n_targets))
        self.sink = nn.Parameter(torch.zeros(n_targets))
        self.gate = nn.Parameter(torch.zeros(n_targets, task_dim))

    def weights(self, u: Tensor) -> Tensor:
        query, key = self.query_and_key(u)
        return task_attention_weights(query, key, pair=self.pair, sink=self.sink)
