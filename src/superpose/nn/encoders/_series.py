"""The built-in encoder of series: residual blocks of dilated convolutions, no download."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ._maps import MapEncoder

DROPOUT = 0.1  # within a block; recordings are few and their windows overlap


class DilatedBlock(nn.Module):
    """Add to every step a function of it and its neighbours at a distance.

    The convolution is a matrix over three shifted copies: on a CPU that is faster than a
    convolution for maps this small, and it runs under ``vmap`` as it is.

    Args:
        width: Width d of a step.
        distance: Steps to each of the two neighbours, at least 1.

    Shape:
        x (B, S, d) -> (B, S, d).

    Example:
        >>> DilatedBlock(8, distance=2)(torch.zeros(3, 10, 8)).shape
        torch.Size([3, 10, 8])
    """

    def __init__(self, width: int, distance: int) -> None:
        super().__init__()
        self.distance = distance
        # Over the channels of a step alone, without other rows and the padding.
        self.norm = nn.LayerNorm(width)
        self.mix = nn.Linear(3 * width, width)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        far = self.distance
        steps = x.shape[-2]
        h = F.pad(self.norm(x), (0, 0, far, far))
        near = [h[..., k * far : k * far + steps, :] for k in range(3)]
        h = F.gelu(self.mix(torch.cat(near, -1)))
        return x + self.out(F.dropout(h, DROPOUT, self.training))


def unrolled(block: Tensor) -> Tensor:
    """Fill the gaps of a series with what was seen last, and say how long ago that was.

    Shape:
        block (B, S, C), NaN where missing -> (B, S, 3 C): values, 0 where nothing was seen yet;
        whether a value is there; the logarithm of 1 plus the steps since the last one.

    Example:
        >>> unrolled(torch.tensor([[[2.0], [torch.nan]]]))[0].round(decimals=2).tolist()
        [[2.0, 1.0, 0.0], [2.0, 0.0, 0.6899999976158142]]

    Source:
        Che et al. 2018 (GRU-D), section 2.3, without the learned decay.
    """
    there = ~block.isnan()
    step = torch.arange(block.shape[-2], device=block.device)[:, None].expand(block.shape[-2:])
    last = torch.where(there, step, -1).cummax(-2).values
    seen = last >= 0
    filled = torch.where(there, block, 0.0).gather(-2, last.clamp(min=0))
    since = torch.where(seen, step - last, block.shape[-2]).to(block.dtype).log1p()
    return torch.cat([torch.where(seen, filled, 0.0), there.to(block.dtype), since], -1)


class SeriesEncoder(MapEncoder):
    """Read a series with blocks whose dilation doubles each time.

    As many blocks as it takes until the last step has heard of the first.

    Args:
        channels: Channels C.
        length: Steps S.
        width: Smallest width d of a step; it has at least 64 numbers.

    Shape:
        block (B, S, C) float, NaN where missing -> tokens (B, 1, 3 d): mean, maximum and last step;
        ``map(block)`` -> (B, S, d).

    Example:
        >>> SeriesEncoder(3, length=20, width=16)(torch.randn(2, 20, 3)).shape
        torch.Size([2, 1, 192])

    Source:
        Bai et al. 2018 (TCN), looking both ways within the window, with one convolution to a block.
    """

    def __init__(self, channels: int, length: int, width: int) -> None:
        super().__init__()
        d = max(64, width)
        self.read = nn.Linear(3 * channels, d)
        depth = max(1, math.ceil(math.log2(length)))
        self.blocks = nn.ModuleList(DilatedBlock(d, 2**k) for k in range(depth))
        self.norm = nn.LayerNorm(d)
        self.map_features = d
        self.out_features = 3 * d

    def map(self, block: Tensor) -> Tensor:
        x = self.read(unrolled(block))
        for read in self.blocks:
            x = read(x)
        return self.norm(x)

    def seen(self, block: Tensor) -> Tensor:
        return ~block.isnan().all(-1)

    def pool(self, locations: Tensor, seen: Tensor) -> Tensor:
        whole = super().pool(locations, seen)
        # The last step is the present, whether anything was measured then or not.
        return torch.cat([whole, locations[..., -1:, :]], dim=-1)


def series_encoder(kinds: Sequence[Any], width: int) -> nn.Module:
    """Build the encoder of an input of kind "series"."""
    return SeriesEncoder(len(kinds[0].kept), kinds[0].length, width)
