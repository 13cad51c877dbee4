"""The trunk: an MLP whose ensemble members share their matrices."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class MemberLinear(nn.Module):
    """Apply one matrix for all members, with each member's own input and output scales and bias.

    Args:
        in_dim: Width of the input.
        out_dim: Width of the output.
        members: Ensemble members M (at least 1).

    Shape:
        x (B, M, in_dim) -> (B, M, out_dim).

    Example:
        >>> MemberLinear(8, 4, members=3)(torch.zeros(2, 3, 8)).shape
        torch.Size([2, 3, 4])

    Source:
        BatchEnsemble (Wen et al. 2020), y = ((x * r) W) * s + b, as TabM (ICLR 2025) uses it.
    """

    def __init__(self, in_dim: int, out_dim: int, members: int) -> None:
        super().__init__()
        bound = 1 / math.sqrt(in_dim)
        self.weight = nn.Parameter(torch.empty(out_dim, in_dim).uniform_(-bound, bound))
        self.r = nn.Parameter(torch.ones(members, in_dim))
        self.s = nn.Parameter(torch.ones(members, out_dim))
        self.bias = nn.Parameter(torch.empty(members, out_dim).uniform_(-bound, bound))

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x * self.r, self.weight) * self.s + self.bias


def gradients_at_input(gradients: Tensor, *, weight: Tensor, r: Tensor, s: Tensor) -> Tensor:
    """Return the gradient at the input of a ``MemberLinear`` of each share of its outputs.

    Args:
        gradients: At the outputs, which are cut in T shares of D.
        weight, r, s: The layer's own.

    Shape:
        gradients (..., B, M, T, D), weight (..., T D, W), r (..., M, W), s (..., M, T D)
        -> (..., T, B, M, W).

    Example:
        >>> layer = MemberLinear(8, 6, members=2)
        >>> own = {"weight": layer.weight, "r": layer.r, "s": layer.s}
        >>> gradients_at_input(torch.ones(5, 2, 3, 2), **own).shape
        torch.Size([3, 5, 2, 8])
    """
    shares = (gradients.shape[-2], -1)
    gradients = gradients * s.unflatten(-1, shares).unsqueeze(-4)
    behind = torch.einsum("...bmtd,...tdw->...tbmw", gradients, weight.unflatten(-2, shares))
    return behind * r[..., None, None, :, :]


class Trunk(nn.Module):
    """Turn the flat tokens of a row into one hidden vector per ensemble member.

    The first, usually widest, matrix is applied once for all members: they part ways behind it, by
    random signs in front of the activation.

    Args:
        in_dim: Width of the flat tokens.
        hidden_dim: Width W of the hidden vectors (at least 1).
        depth: Hidden layers (at least 1).
        members: Ensemble members M (at least 1).
        dropout: Probability in [0, 1).

    Shape:
        x (B, in_dim) -> (B, M, W).

    Example:
        >>> Trunk(10, 16, depth=2, members=4, dropout=0.1)(torch.zeros(3, 10)).shape
        torch.Size([3, 4, 16])

    Source:
        TabM-mini (Gorishniy et al., ICLR 2025); departs by moving the members' first scale from the
        input to the first hidden layer, which divides the cost of that layer by M.
    """

    def __init__(
        self, in_dim: int, hidden_dim: int, *, depth: int, members: int, dropout: float
    ) -> None:
        super().__init__()
        self.first = nn.Linear(in_dim, hidden_dim, bias=False)
        bound = 1 / math.sqrt(max(in_dim, 1))
        # One member is a plain network; random signs are only there to set members apart.
        signs = (
            torch.randn(members, hidden_dim).sign() if members > 1 else torch.ones(1, hidden_dim)
        )
        self.signs = nn.Parameter(signs)
        self.bias = nn.Parameter(torch.empty(members, hidden_dim).uniform_(-bound, bound))
        self.layers = nn.ModuleList(
            MemberLinear(hidden_dim, hidden_dim, members) for _ in range(depth - 1)
        )
        self.dropout = dropout

    def forward(self, x: Tensor) -> Tensor:
        h = self.first(x)[..., None, :] * self.signs + self.bias
        for layer in self.layers:
            h = layer(self._drop(F.relu(h)))
        return self._drop(F.relu(h))

    def _drop(self, h: Tensor) -> Tensor:
        if not self.training or not self.dropout:
            return h
        # One mask for all members: drawing random numbers would cost as much as the matrices.
        return h * F.dropout(torch.ones_like(h[..., :1, :]), self.dropout)
