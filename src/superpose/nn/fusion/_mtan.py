"""Soft masks: each target picks the shared features that it needs."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ._base import NoFusion

SQUEEZE = 16  # width of the layer inside a mask


class _Towers(nn.Module):
    """A mask in (0, 1) over the trunk's output for each target, and a linear map behind it."""

    def __init__(self, hidden_dim: int, n_targets: int, task_dim: int) -> None:
        super().__init__()
        outer = 1 / math.sqrt(hidden_dim)
        inner = 1 / math.sqrt(SQUEEZE)

        def uniform(bound: float, *shape: int) -> nn.Parameter:
            return nn.Parameter(torch.empty(shape).uniform_(-bound, bound))

        self.squeeze = uniform(outer, n_targets, SQUEEZE, hidden_dim)
        self.excite = uniform(inner, n_targets, hidden_dim, SQUEEZE)
        self.excite_bias = nn.Parameter(torch.zeros(n_targets, hidden_dim))
        self.project = uniform(outer, n_targets, task_dim, hidden_dim)
        self.project_bias = uniform(outer, n_targets, task_dim)

    def masks(self, h: Tensor) -> Tensor:
        """Return (..., W) -> (..., T, W), between 0 and 1."""
        inner = F.relu(torch.einsum("...w,trw->...tr", h, self.squeeze))
        return torch.sigmoid(
            torch.einsum("...tr,twr->...tw", inner, self.excite) + self.excite_bias
        )

    def forward(self, h: Tensor) -> Tensor:
        kept = self.masks(h) * h[..., None, :]
        states = torch.einsum("...tw,tdw->...td", kept, self.project) + self.project_bias
        return states.flatten(-2)


class MTAN(NoFusion):
    """Forms each state from the trunk's output under a soft mask of the target's own.

    Example:
        >>> MTAN.towers(12, 3, task_dim=4, n_members=2)(torch.zeros(5, 2, 12)).shape
        torch.Size([5, 2, 12])

    Source:
        Liu et al. 2019, "End-to-End Multi-Task Learning with Attention", eqs. 1 and 2; departs by
        masking the trunk's output vector, where the paper masks the maps of every layer.
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
        return _Towers(hidden_dim, n_targets, task_dim)
