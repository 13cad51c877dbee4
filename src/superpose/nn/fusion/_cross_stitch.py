"""Cross-stitch units: every state becomes a learned linear mixture of all states."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ._base import Fusion

# The paper's start for two tasks: nine tenths of itself, one tenth of the other.
OWN = 0.9


class CrossStitch(Fusion):
    """Mixes states channel by channel with learned weights that may be negative.

    Example:
        >>> mixed = CrossStitch(2, 1)(torch.tensor([[1.0], [0.0]]))
        >>> [round(value, 2) for value in mixed.flatten().tolist()]
        [0.9, 0.1]

    Source:
        Misra et al. 2016, "Cross-stitch Networks for Multi-task Learning", eq. 1, one unit per
        channel; departs by standing between the task states instead of between the layers of
        whole networks, and by sharing the tenth of the others among T - 1 of them.
    """

    def __init__(
        self, n_targets: int, task_dim: int, *, rank: int = 16, donor_gradient: float = 1.0
    ) -> None:
        super().__init__(n_targets, task_dim, rank=rank, donor_gradient=donor_gradient)
        start = torch.full((n_targets, n_targets), (1 - OWN) / max(n_targets - 1, 1))
        start.fill_diagonal_(OWN if n_targets > 1 else 1.0)
        self.mixing = nn.Parameter(start[..., None].repeat(1, 1, task_dim))

    def forward(self, states: Tensor) -> Tensor:
        return torch.einsum("...jd,kjd->...kd", states, self.mixing)

    def attention(self, states: Tensor) -> Tensor:
        """Share of each speaker in the absolute weights of a listener; there is no sink."""
        size = self.mixing.abs().mean(-1)
        share = size / size.sum(-1, keepdim=True).clamp(min=1e-12)
        whole = torch.cat([share, torch.zeros_like(share[:, :1])], -1)
        return whole.expand(*states.shape[:-2], *whole.shape)
