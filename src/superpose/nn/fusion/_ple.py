"""Progressive layered extraction: experts of each target beside shared ones, layer by layer."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ._base import NoFusion, for_each_target

OWN, SHARED = 1, 2  # experts of each target and shared ones, in every layer


class _Level(nn.Module):
    """One extraction network; the last one has no shared output, as nothing would read it."""

    def __init__(self, in_dim: int, n_targets: int, *, task_dim: int, last: bool) -> None:
        super().__init__()
        bound = 1 / math.sqrt(in_dim)

        def weight(*shape: int) -> nn.Parameter:
            return nn.Parameter(torch.empty(*shape, in_dim).uniform_(-bound, bound))

        self.own = weight(n_targets, OWN, task_dim)
        self.own_bias = nn.Parameter(torch.zeros(n_targets, OWN, task_dim))
        self.shared = weight(SHARED, task_dim)
        self.shared_bias = nn.Parameter(torch.zeros(SHARED, task_dim))
        self.choose = weight(n_targets, OWN + SHARED)
        self.last = last
        if not last:
            self.pool_own = weight(n_targets, OWN)
            self.pool_shared = weight(SHARED)

    def forward(self, own: Tensor, shared: Tensor) -> tuple[Tensor, Tensor]:
        """Read (..., T, I) and (..., I); give (..., T, D) and (..., D)."""
        mine = F.relu(torch.einsum("...ti,tedi->...ted", own, self.own) + self.own_bias)
        ours = F.relu(torch.einsum("...i,cdi->...cd", shared, self.shared) + self.shared_bias)
        everyone = ours[..., None, :, :].expand(*mine.shape[:-2], *ours.shape[-2:])
        scores = torch.einsum("...ti,tei->...te", own, self.choose)
        weights = F.softmax(scores, -1)[..., None, :]
        out = (weights @ torch.cat([mine, everyone], -2)).squeeze(-2)
        if self.last:
            return out, shared
        scores = torch.cat(
            [
                torch.einsum("...i,tei->...te", shared, self.pool_own).flatten(-2),
                torch.einsum("...i,ci->...c", shared, self.pool_shared),
            ],
            -1,
        )
        experts = torch.cat([mine.flatten(-3, -2), ours], -2)
        return out, (F.softmax(scores, -1)[..., None, :] @ experts).squeeze(-2)


class _Towers(nn.Module):
    """The levels, one after the other."""

    def __init__(self, hidden_dim: int, n_targets: int, *, task_dim: int, n_layers: int) -> None:
        super().__init__()
        self.targets = n_targets
        self.levels = nn.ModuleList(
            _Level(
                hidden_dim if level == 0 else task_dim,
                n_targets,
                task_dim=task_dim,
                last=level == n_layers - 1,
            )
            for level in range(n_layers)
        )

    def forward(self, h: Tensor) -> Tensor:
        own = for_each_target(h, self.targets)
        shared = h
        for level in self.levels:
            own, shared = level(own, shared)
        return own.flatten(-2)


class PLE(NoFusion):
    """Forms each state from an expert of its own and shared experts, layer by layer.

    Example:
        >>> towers = PLE.towers(12, 3, task_dim=4, n_members=2, n_layers=2)
        >>> towers(torch.zeros(5, 2, 12)).shape
        torch.Size([5, 2, 12])

    Source:
        Tang et al. 2020, "Progressive Layered Extraction", eqs. 1 to 6; the experts read the
        trunk's output instead of the input, and members of the ensemble share them.
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
