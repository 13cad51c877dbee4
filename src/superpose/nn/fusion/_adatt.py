"""Adaptive task-to-task fusion: experts of all targets, gated for each, beside one's own."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ._base import NoFusion, for_each_target

OWN = 2  # experts of each target, in every layer


class _Level(nn.Module):
    """One fusion level: every target hears the experts of all, and its own once more."""

    def __init__(self, in_dim: int, n_targets: int, task_dim: int) -> None:
        super().__init__()
        bound = 1 / math.sqrt(in_dim)
        shape = (n_targets, OWN, task_dim, in_dim)
        self.own = nn.Parameter(torch.empty(shape).uniform_(-bound, bound))
        self.own_bias = nn.Parameter(torch.zeros(n_targets, OWN, task_dim))
        shape = (n_targets, n_targets, OWN, in_dim)  # listener, owner, expert
        self.listen = nn.Parameter(torch.empty(shape).uniform_(-bound, bound))
        self.native = nn.Parameter(torch.full((n_targets, OWN), 1 / OWN))

    def weights(self, own: Tensor) -> Tensor:
        """Gate of each target over all experts, (..., T, I) -> (..., T, T, OWN)."""
        scores = torch.einsum("...ti,tkei->...tke", own, self.listen)
        return F.softmax(scores.flatten(-2), -1).unflatten(-1, scores.shape[-2:])

    def forward(self, own: Tensor) -> Tensor:
        experts = F.relu(torch.einsum("...ti,tedi->...ted", own, self.own) + self.own_bias)
        heard = self.weights(own).flatten(-2) @ experts.flatten(-3, -2)
        return heard + torch.einsum("...ted,te->...td", experts, self.native)


class _Towers(nn.Module):
    """The levels, one after the other."""

    def __init__(self, hidden_dim: int, n_targets: int, *, task_dim: int, n_layers: int) -> None:
        super().__init__()
        self.targets = n_targets
        self.levels = nn.ModuleList(
            _Level(hidden_dim if level == 0 else task_dim, n_targets, task_dim)
            for level in range(n_layers)
        )

    def forward(self, h: Tensor) -> Tensor:
        own = for_each_target(h, self.targets)
        for level in self.levels:
            own = level(own)
        return own.flatten(-2)

    def attention(self, h: Tensor) -> Tensor:
        """What each target gives the experts of each other one in the first level; no sink."""
        weights = self.levels[0].weights(for_each_target(h, self.targets)).sum(-1)  # type: ignore[operator]
        return torch.cat([weights, torch.zeros_like(weights[..., :1])], -1)


class AdaTT(NoFusion):
    """Forms each state from the experts of all targets by a gate, and its own by a linear map.

    Example:
        >>> AdaTT.towers(12, 3, task_dim=4, n_members=2)(torch.zeros(5, 2, 12)).shape
        torch.Size([5, 2, 12])

    Source:
        Li et al. 2023, "AdaTT: Adaptive Task-to-Task Fusion Network", the variant with experts of
        targets only (AdaTT-sp), eqs. 1 to 5; the experts read the trunk's output.
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
        return _Towers(hidden_dim, n_targets, task_dim=task_dim, n_layers=n_layers)
