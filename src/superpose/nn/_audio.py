"""The built-in encoder of spectrograms: a small residual CNN, no download."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from ._maps import MapEncoder

GROUPS = 4
DROPOUT = 0.2  # of what the trunk reads; speakers are few and sentences alike


class _Block(nn.Module):
    """A residual block that halves time and pitch."""

    def __init__(self, inside: int, outside: int) -> None:
        super().__init__()
        # Group norm, not batch norm: one row alone must predict as in any batch.
        self.norm1, self.norm2 = nn.GroupNorm(GROUPS, inside), nn.GroupNorm(GROUPS, outside)
        self.conv1 = nn.Conv2d(inside, outside, 3, stride=2, padding=1)
        self.conv2 = nn.Conv2d(outside, outside, 3, padding=1)
        self.skip = nn.Conv2d(inside, outside, 1, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        h = self.conv1(F.relu(self.norm1(x)))
        return self.skip(x) + self.conv2(F.relu(self.norm2(h)))


class AudioEncoder(MapEncoder):
    """Read a spectrogram with three residual stages; what is left of pitch is averaged.

    Args:
        width: Smallest width d of a place; it has at least 64 numbers.

    Shape:
        block (B, T, mels) float, NaN where there is no sound -> tokens (B, 1, 2 d); ``map(block)``
        -> (B, T / 16, d).

    Example:
        >>> import torch
        >>> AudioEncoder(16)(torch.randn(2, 50, 40)).shape
        torch.Size([2, 1, 128])
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        d = max(64, width + -width % GROUPS)
        self.stem = nn.Conv2d(1, 16, 3, stride=2, padding=1)
        self.stages = nn.Sequential(_Block(16, 32), _Block(32, 48), _Block(48, d))
        self.norm = nn.GroupNorm(GROUPS, d)
        self.map_features, self.out_features = d, 2 * d

    def map(self, block: Tensor) -> Tensor:
        x = self.stages(self.stem(block.nan_to_num()[..., None, :, :]))
        x = F.relu(self.norm(x)).mean(-1).transpose(-1, -2)
        return F.dropout(x, DROPOUT, self.training)

    def seen(self, block: Tensor) -> Tensor:
        there = ~block[..., 0, 0].isnan()
        places = -(-block.shape[-2] // 16)
        return there[..., None].expand(*there.shape, places)
