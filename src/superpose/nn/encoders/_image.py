"""The built-in image encoder: a small residual CNN, and a decoder where heads read a map."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ._convolution import StandardConv2d
from ._maps import CONVOLUTION_RATE, MapEncoder, where_seen

WIDTHS = (32, 64, 96, 128)  # at a half, a quarter, an eighth and a sixteenth of the sides
GROUPS = 8


class _Block(nn.Module):
    """A residual block; the first convolution may halve the sides."""

    def __init__(self, inside: int, outside: int, stride: int) -> None:
        super().__init__()
        # Group norm, not batch norm: one row alone must predict as in any batch.
        self.norm1, self.norm2 = nn.GroupNorm(GROUPS, inside), nn.GroupNorm(GROUPS, outside)
        self.conv1 = StandardConv2d(inside, outside, 3, stride=stride, padding=1, bias=False)
        self.conv2 = StandardConv2d(outside, outside, 3, padding=1)
        same = stride == 1 and inside == outside
        self.skip = nn.Identity() if same else StandardConv2d(inside, outside, 1, stride=stride)

    def forward(self, x: Tensor) -> Tensor:
        h = self.conv1(F.relu(self.norm1(x)))
        return self.skip(x) + self.conv2(F.relu(self.norm2(h)))


class _Decoder(nn.Module):
    """Bring what is seen at a sixteenth of the sides back to a finer map, level by level.

    Source:
        Feature pyramid, Lin et al. 2017: lateral connections are added to what comes from above;
        departs by a residual block at each level, and by the mean over the image that is added
        at every location of the coarsest level (Liu et al. 2015, ParseNet).
    """

    def __init__(self, stride: int) -> None:
        super().__init__()
        finest = int(math.log2(stride)) - 1
        levels = range(len(WIDTHS) - 2, finest - 1, -1)
        top = WIDTHS[-1]
        self.whole = nn.Linear(top, top)
        self.neck = nn.Sequential(_Block(top, top, 1), _Block(top, top, 1))
        self.above = nn.ModuleList(StandardConv2d(WIDTHS[n + 1], WIDTHS[n], 1) for n in levels)
        self.aside = nn.ModuleList(StandardConv2d(WIDTHS[n], WIDTHS[n], 1) for n in levels)
        self.blocks = nn.ModuleList(_Block(WIDTHS[n], WIDTHS[n], 1) for n in levels)
        self.norm = nn.GroupNorm(GROUPS, WIDTHS[finest])
        self.out_features = WIDTHS[finest]

    def forward(self, levels: list[Tensor]) -> Tensor:
        x = levels[-1]
        x = self.neck(x + self.whole(x.mean((-2, -1)))[..., None, None])
        parts = zip(levels[-2::-1], self.above, self.aside, self.blocks, strict=False)
        for level, above, aside, block in parts:
            finer = F.interpolate(above(x), size=level.shape[-2:], mode="nearest")
            x = block(aside(level) + finer)
        return F.relu(self.norm(x))


class ImageEncoder(MapEncoder):
    """Read an image with three residual stages and pool the last to one token.

    A decoder that gives a finer map is built by ``open_map`` only, where a head reads it; the token
    then also has the mean and the maximum of the map.

    Args:
        width: Smallest token width d; the token has at least 128 numbers.
        stride: Pixels of a side of a location of the map: 2, 4 or 8.

    Shape:
        block (B, 3, H, W) uint8 -> tokens (B, 1, d); ``map(block)`` -> (B, S, W) with the locations
        row by row, S = ceil(H / stride) ceil(W / stride).

    Example:
        >>> import torch
        >>> encode = ImageEncoder(16, stride=4)
        >>> pictures = torch.zeros(2, 3, 64, 48, dtype=torch.uint8)
        >>> encode(pictures).shape
        torch.Size([2, 1, 128])
        >>> encode.open_map()
        >>> encode.map(pictures).shape
        torch.Size([2, 192, 64])

    Source:
        Pre-activation residual blocks, He et al. 2016, with group normalisation (Wu and He 2018)
        and standardised weights (Qiao et al. 2019).
    """

    rate = CONVOLUTION_RATE

    def __init__(self, width: int, stride: int = 4) -> None:
        super().__init__()
        self.stem = StandardConv2d(3, WIDTHS[0], 3, stride=2, padding=1)
        pairs = itertools.pairwise(WIDTHS)
        self.stages = nn.ModuleList(_Block(a, b, 2) for a, b in pairs)
        self.norm = nn.GroupNorm(GROUPS, WIDTHS[-1])
        wide = width > WIDTHS[-1]
        self.widen = nn.Linear(WIDTHS[-1], width) if wide else nn.Identity()
        self.out_features = max(WIDTHS[-1], width)
        self.stride = stride
        self.map_features = WIDTHS[int(math.log2(stride)) - 1]
        self.decoder: _Decoder | None = None

    def open_map(self) -> None:
        if self.decoder is None:
            self.decoder = _Decoder(self.stride)
            # What was learned of locations says much of the whole: how many, how large a share.
            self.out_features += 2 * self.map_features

    def _levels(self, block: Tensor) -> list[Tensor]:
        x = self.stem(block.to(self.stem.weight.dtype) / 127.5 - 1)
        levels = [x]
        for stage in self.stages:
            x = stage(x)
            levels.append(x)
        return levels

    def _token(self, top: Tensor) -> Tensor:
        return self.widen(F.relu(self.norm(top)).mean((-2, -1)))[..., None, :]

    def map(self, block: Tensor) -> Tensor:
        return self.token_and_map(block)[1]

    def token_and_map(self, block: Tensor) -> tuple[Tensor, Tensor]:
        assert self.decoder is not None, "open_map() builds what a map needs"
        levels = self._levels(block)
        locations = self.decoder(levels).flatten(-2).transpose(-1, -2)
        whole = torch.cat([locations.mean(-2), locations.amax(-2)], -1)[..., None, :]
        return _where_seen(block, torch.cat([self._token(levels[-1]), whole], -1)), locations

    def seen(self, block: Tensor) -> Tensor:
        high, wide = (-(-side // self.stride) for side in block.shape[-2:])
        return torch.ones((), dtype=torch.bool, device=block.device).expand(
            *block.shape[:-3], high * wide
        )

    def forward(self, block: Tensor) -> Tensor:
        if self.decoder is not None:
            return self.token_and_map(block)[0]
        return _where_seen(block, self._token(self._levels(block)[-1]))


def _where_seen(block: Tensor, token: Tensor) -> Tensor:
    """Make the token of a row without an image nothing, and its gradient too.

    An image of zeros has next to no variance: normalising it blows its gradient up by powers of
    ten, and beside that no other row would be learned from.
    """
    return where_seen(block.flatten(-3).any(-1).bool(), token)  # of bytes `any` is a byte


def image_encoder(kinds: Sequence[Any], width: int) -> nn.Module:
    """Build the encoder of an input of kind "image"."""
    return ImageEncoder(width, kinds[0].stride)
