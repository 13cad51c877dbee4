"""Encoders of table columns: every column becomes one token of a fixed width.

All encoders compute ``forward(block) -> tokens (B, S, d)`` and have ``out_features = S * d``, so
the trunk can be built without a trial run. They hold no data-dependent branches, because folds are
trained together under ``torch.func.vmap``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from superpose.functional import piecewise_linear

# A wide table (a thousand fingerprint bits) would turn 16 numbers per column into a first layer
# that is larger than the rest of the network; beyond this many numbers columns get narrower tokens.
MAX_EMBEDDED = 768


def column_width(columns: int, width: int) -> int:
    """Token width for a block of so many columns, between 1 and ``width``."""
    return max(1, min(width, MAX_EMBEDDED // max(columns, 1)))


class NumberEncoder(nn.Module):
    """Embed each number by an affine map plus a piecewise-linear one over its quantile bins.

    The piecewise-linear part starts at zero, so the encoder starts linear and bends where the data
    needs it. A missing number (NaN) has a learned token of its own.

    Args:
        edges: For each column its strictly increasing bin edges, in standardised units.
        width: Token width d (at least 1); wide blocks get narrower tokens.

    Shape:
        block (B, C) float with NaN for missing -> tokens (B, C, d).

    Example:
        >>> NumberEncoder([[-1.0, 0.0, 1.0]], width=4)(torch.tensor([[0.3], [float("nan")]])).shape
        torch.Size([2, 1, 4])

    Source:
        Gorishniy et al. 2022, "On Embeddings for Numerical Features", eq. 1; the affine part and
        the zero start follow TabM (ICLR 2025), appendix on embeddings.
    """

    def __init__(self, edges: list[list[float]], width: int) -> None:
        super().__init__()
        columns = len(edges)
        d = column_width(columns, width)
        bins = max(max((len(e) for e in edges), default=2) - 1, 1)
        low, span, used = torch.zeros(3, columns, bins).unbind(0)
        for c, e in enumerate(edges):
            points = torch.tensor(e if len(e) >= 2 else [0.0, 1.0])
            n = len(points) - 1
            low[c, :n] = points[:-1]
            span[c, :n] = points.diff()
            used[c, :n] = 1.0
        self.low: Tensor
        self.span: Tensor
        self.used: Tensor
        self.register_buffer("low", low)
        self.register_buffer("span", span + (1 - used))  # unused bins divide by one
        self.register_buffer("used", used)
        scale = 1 / math.sqrt(d)
        self.weight = nn.Parameter(torch.empty(columns, d).uniform_(-scale, scale))
        self.bias = nn.Parameter(torch.empty(columns, d).uniform_(-scale, scale))
        self.bend = nn.Parameter(torch.zeros(columns, bins, d))
        self.missing = nn.Parameter(torch.zeros(columns, d))
        self.out_features = columns * d

    def forward(self, block: Tensor) -> Tensor:
        gone = block.isnan()
        x = torch.where(gone, 0.0, block)
        bent = piecewise_linear(x, low=self.low, span=self.span, used=self.used)
        token = (
            x[..., None] * self.weight
            + self.bias
            + torch.einsum("...cn,cnd->...cd", bent, self.bend)
        )
        return torch.where(gone[..., None], self.missing, token)


class CategoryEncoder(nn.Module):
    """Embed each categorical column by a table of its own.

    Args:
        cardinalities: Number of codes of each column (0 is unseen or rare, 1 is missing).
        width: Token width d (at least 1).

    Shape:
        block (B, C) int -> tokens (B, C, d).

    Example:
        >>> CategoryEncoder([4, 3], width=8)(torch.tensor([[2, 0], [3, 1]])).shape
        torch.Size([2, 2, 8])
    """

    def __init__(self, cardinalities: list[int], width: int) -> None:
        super().__init__()
        d = column_width(len(cardinalities), width)
        offsets = torch.tensor([0, *cardinalities[:-1]]).cumsum(0)
        self.offsets: Tensor
        self.register_buffer("offsets", offsets)
        self.table = nn.Embedding(sum(cardinalities), d)
        nn.init.normal_(self.table.weight, std=1 / math.sqrt(d))
        self.out_features = len(cardinalities) * d

    def forward(self, block: Tensor) -> Tensor:
        return self.table(block + self.offsets)


class MultiHotEncoder(nn.Module):
    """Embed sets of categories as the mean of their members' embeddings.

    Args:
        sizes: Number of levels of each column.
        width: Token width d (at least 1).

    Shape:
        block (B, sum of sizes) float of zeros and ones, NaN where missing -> tokens (B, C, d).

    Example:
        >>> MultiHotEncoder([3], width=8)(torch.tensor([[1.0, 0.0, 1.0]])).shape
        torch.Size([1, 1, 8])
    """

    def __init__(self, sizes: list[int], width: int) -> None:
        super().__init__()
        self.sizes = list(sizes)
        self.tables = nn.ParameterList(torch.randn(n, width) / math.sqrt(width) for n in sizes)
        self.missing = nn.Parameter(torch.zeros(len(sizes), width))
        self.out_features = len(sizes) * width

    def forward(self, block: Tensor) -> Tensor:
        tokens = []
        for part, table, missing in zip(
            block.split(self.sizes, dim=-1), self.tables, self.missing, strict=True
        ):
            gone = part.isnan().any(-1, keepdim=True)
            hot = torch.where(part.isnan(), 0.0, part)
            mean = hot @ table / hot.sum(-1, keepdim=True).clamp(min=1.0)
            tokens.append(torch.where(gone, missing, mean))
        return torch.stack(tokens, dim=-2)


def numbers_encoder(kinds: Sequence[Any], width: int) -> nn.Module:
    """Build the encoder of inputs of the group "numbers"."""
    return NumberEncoder([edges for kind in kinds for edges in kind.edges], width)


def categories_encoder(kinds: Sequence[Any], width: int) -> nn.Module:
    """Build the encoder of inputs of the group "categories"."""
    return CategoryEncoder([kind.cardinality for kind in kinds], width)


def multihot_encoder(kinds: Sequence[Any], width: int) -> nn.Module:
    """Build the encoder of inputs of the group "multihot"."""
    return MultiHotEncoder([len(kind.levels) for kind in kinds], width)
