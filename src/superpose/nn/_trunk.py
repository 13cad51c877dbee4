"""The trunk: an MLP whose ensemble members share their matrices."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class MemberLinear(nn.Module):
    """Apply one matrix for all members, with each member's own input and output scales and bias.

    Args:
        inside: Width of the input.
        outside: Width of the output.
        members: Ensemble members M (at least 1).

    Shape:
        x (B, M, inside) -> (B, M, outside).

    Example:
        >>> MemberLinear(8, 4, members=3)(torch.zeros(2, 3, 8)).shape
        torch.Size([2, 3, 4])

    Source:
        BatchEnsemble (Wen et al. 2020), y = ((x * r) W) * s + b, as TabM (ICLR 2025) uses it.
    """

    def __init__(self, inside: int, outside: int, members: int) -> None:
        super().__init__()
        bound = 1 / math.sqrt(inside)
        self.weight = nn.Parameter(torch.empty(outside, inside).uniform_(-bound, bound))
        self.r = nn.Parameter(torch.ones(members, inside))
        self.s = nn.Parameter(torch.ones(members, outside))
        self.bias = nn.Parameter(torch.empty(members, outside).uniform_(-bound, bound))

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x * self.r, self.weight) * self.s + self.bias


def gradients_at_input(gradients: Tensor, weight: Tensor, r: Tensor, s: Tensor) -> Tensor:
    """Return what each share of a ``MemberLinear``'s outputs asks of its input.

    Args:
        gradients: At the outputs, which are cut in T shares of D.
        weight, r, s: The layer's own.

    Shape:
        gradients (..., B, M, T, D), weight (..., T D, W), r (..., M, W), s (..., M, T D)
        -> (..., T, B, M, W).

    Example:
        >>> layer = MemberLinear(8, 6, members=2)
        >>> gradients_at_input(torch.ones(5, 2, 3, 2), layer.weight, layer.r, layer.s).shape
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
        inside: Width of the flat tokens.
        width: Hidden width (at least 1).
        depth: Hidden layers (at least 1).
        members: Ensemble members M (at least 1).
        dropout: Probability in [0, 1).

    Shape:
        x (B, inside) -> (B, M, width).

    Example:
        >>> Trunk(10, width=16, depth=2, members=4, dropout=0.1)(torch.zeros(3, 10)).shape
        torch.Size([3, 4, 16])

    Source:
        TabM-mini (Gorishniy et al., ICLR 2025); departs by moving the members' first scale from the
        input to the first hidden layer, which divides the cost of that layer by M.
    """

    def __init__(self, inside: int, width: int, depth: int, members: int, dropout: float) -> None:
        super().__init__()
        self.first = nn.Linear(inside, width, bias=False)
        bound = 1 / math.sqrt(max(inside, 1))
        # One member is a plain network; random signs are only there to set members apart.
        signs = torch.randn(members, width).sign() if members > 1 else torch.ones(1, width)
        self.signs = nn.Parameter(signs)
        self.bias = nn.Parameter(torch.empty(members, width).uniform_(-bound, bound))
        self.layers = nn.ModuleList(MemberLinear(width, width, members) for _ in range(depth - 1))
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
