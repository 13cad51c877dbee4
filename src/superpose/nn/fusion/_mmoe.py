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

    def __init__(self, width: int, targets: int, state: int, members: int) -> None:
        super().__init__()
        bound = 1 / math.sqrt(width)
        self.experts = MemberLinear(width, EXPERTS * state, members)
        self.choose = nn.Parameter(torch.empty(targets, EXPERTS, width).uniform_(-bound, bound))
        self.choose_bias = nn.Parameter(torch.zeros(targets, EXPERTS))

    def forward(self, h: Tensor) -> Tensor:
        experts = F.relu(self.experts(h)).unflatten(-1, (EXPERTS, -1))
        scores = torch.einsum("...w,tew->...te", h, self.choose) + self.choose_bias
        return (F.softmax(scores, -1) @ experts).flatten(-2)


class MMoE(NoFusion):
    """Forms each state as a mixture of shared experts, weighed by the target's own gate.

    Example:
        >>> MMoE.towers(width=12, targets=3, state=4, members=2)(torch.zeros(5, 2, 12)).shape
        torch.Size([5, 2, 12])

    Source:
        Ma et al. 2018, "Modeling Task Relationships in Multi-task Learning with Multi-gate
        Mixture-of-Experts", eqs. 4 to 6; the experts read the trunk's output instead of the input.
    """

    @classmethod
    def towers(
        cls, width: int, targets: int, state: int, members: int, blocks: int = 1
    ) -> nn.Module:
        return _Towers(width, targets, state, members)
