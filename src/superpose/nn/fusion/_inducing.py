"""Attention through a few inducing tokens: its cost grows with the targets, not their square."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ._base import Listening

# Sixteen tokens hold what hundreds of targets have in common; more cost more and gain nothing.
TOKENS = 16


class InducingTokens(Listening):
    """Lets a few learned tokens read all states, and every state read the tokens.

    For hundreds of targets: time and memory are linear in T. Starts as the identity.

    Example:
        >>> h = torch.randn(2, 300, 8)
        >>> bool((InducingTokens(300, 8, rank=4)(h) == h).all())
        True

    Source:
        Lee et al. 2019, "Set Transformer", induced set attention block; departs by low rank, a sink
        whose value is zero and a gate that is zero at the start. A target can hear itself through
        the tokens: leaving it out would cost what the tokens save.
    """

    def __init__(
        self, n_targets: int, task_dim: int, *, rank: int = 16, donor_gradient: float = 1.0
    ) -> None:
        super().__init__(n_targets, task_dim, rank=rank, donor_gradient=donor_gradient)
        self.tokens = nn.Parameter(torch.randn(TOKENS, rank))
        self.labels = nn.Parameter(torch.randn(TOKENS, rank) / math.sqrt(rank))
        self.sink = nn.Parameter(torch.zeros(n_targets))
        self.gate = nn.Parameter(torch.zeros(n_targets, task_dim))

    def forward(self, states: Tensor) -> Tensor:
        u = self.common(states)
        scale = 1 / math.sqrt(self.tokens.shape[-1])
        query, key = self.query_and_key(u)
        read = F.softmax(scale * self.tokens @ key.transpose(-1, -2), -1)
        common = read @ self.spoken(u)  # (..., I, r)
        scores = scale * query @ (common + self.labels).transpose(-1, -2)
        sink = self.sink[:, None].expand(*scores.shape[:-1], 1)
        heard = F.softmax(torch.cat([scores, sink], -1), -1)[..., :-1] @ common
        return states + self.gate * self.out(heard)

    def attention(self, states: Tensor) -> Tensor | None:
        """There is no map: it would have T times T entries."""
        return None
