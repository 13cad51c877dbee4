"""Multi-gate mixture of experts: shared experts, mixed for each target by a gate of its own."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from superpose.nn._trunk import MemberLinear

from ._base import NoFusion

EXPERTS = 8  # as in the paper's experiments


class _Towers(nn.Module):
    """Experts on the trunk's output, and a gate over them for each target."""

    def __init__(self, hidden_dim: int, n_targets: int, *, task_dim: int, n_members: int) -> None:
        super().__init__()
        bound = 1 / math.sqrt(hidden_dim)
        self.experts = MemberLinear(hidden_dim, EXPERTS * task_dim, n_members)
        self.choose = nn.Parameter(
            torch.empty(n_targets, EXPERTS, hidden_dim).uniform_(-bound, bound)
        )
        self.choose_bias = nn.Parameter(torch.zeros(n_targets, EXPERTS))

    def forward(self, h: Tensor) -> Tensor:
        experts = F.relu(self.experts(h)).unflatten(-1, (EXPERTS, -1))
        scores = torch.einsum("...w,tew->...te", h, self.choose) + self.choose_bias
        return (F.softmax(scores, -1) @ experts).flatten(-2)


class MMoE(NoFusion):
    """Forms each state as a mixture of shared experts, weighed by the target's own gate.

    Example:
        >>> MMoE.towers(12, 3, task_dim=4, n_members=2)(torch.zeros(5, 2, 12)).shape
        torch.Size([5, 2, 12])

    Source:
        Ma et al. 2018, "Modeling Task Relationships in Multi-task Learning with Multi-gate
        Mixture-of-Experts", eqs. 4 to 6; the experts read the trunk's output instead of the input.
    """

    @classmethod
    def towers(
        cls,
        hidden_dim: int,
        n_targets: int,
        *,
        task_dim: int,
        n_members: int,
        n_layers: int = 1,
    ) -> nn.Module:
        return _Towers(hidden_dim, n_targets, task_dim=task_dim, n_members=n_members)
