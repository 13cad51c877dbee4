"""The encoder of columns that hold a vector in every row: embeddings, entities of a graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn


class VectorEncoder(nn.Module):
    """Turn a vector into one token by a linear map.

    Args:
        size: Numbers of the vector (at least 1).
        width: Smallest token width d; the token has at least 64 numbers.

    Shape:
        block (B, size) float, NaN throughout where missing -> tokens (B, 1, d).

    Example:
        >>> VectorEncoder(5, width=16)(torch.full((2, 5), torch.nan)).shape
        torch.Size([2, 1, 64])
    """

    def __init__(self, size: int, width: int) -> None:
        super().__init__()
        d = max(64, width)
        self.map = nn.Linear(size, d)
        self.missing = nn.Parameter(torch.zeros(d))
        self.out_features = d

    def forward(self, block: Tensor) -> Tensor:
        gone = block.isnan()
        token = self.map(torch.where(gone, 0.0, block))
        return torch.where(gone.any(-1, keepdim=True), self.missing, token)[..., None, :]


def vectors_encoder(kinds: Sequence[Any], width: int) -> nn.Module:
    """Build the encoder of an input that has a vector in every row."""
    return VectorEncoder(len(kinds[0].mean), width)
