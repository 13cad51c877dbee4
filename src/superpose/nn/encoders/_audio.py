"""The built-in encoder of spectrograms: a small residual CNN, no download."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from ._maps import CONVOLUTION_RATE, MapEncoder

GROUPS, LAST = 4, 48
DROPOUT = 0.2  # of what the trunk reads; speakers are few and sentences alike


class _Block(nn.Module):
    """A residual block that halves pitch, and time by its stride."""

    def __init__(self, inside: int, outside: int, stride: int = 2) -> None:
        super().__init__()
        # Group norm, not batch norm: one row alone must predict as in any batch.
        self.norm1, self.norm2 = nn.GroupNorm(GROUPS, inside), nn.GroupNorm(GROUPS, outside)
        self.conv1 = nn.Conv2d(inside, outside, 3, stride=(stride, 2), padding=1)
        self.conv2 = nn.Conv2d(outside, outside, 3, padding=1)
        self.skip = nn.Conv2d(inside, outside, 1, stride=(stride, 2))

    def forward(self, x: Tensor) -> Tensor:
        h = self.conv1(F.relu(self.norm1(x)))
        return self.skip(x) + self.conv2(F.relu(self.norm2(h)))


class AudioEncoder(MapEncoder):
    """Read a spectrogram with three residual stages, and what is left of pitch side by side.

    A mean over pitch would forget what distinguishes vowels: which bands are loud.

    Args:
        mels: Bands of pitch.
        width: Smallest width d of a location; it has at least 64 numbers.

    Shape:
        block (B, T, mels) float, NaN where there is no sound -> tokens (B, 1, 2 d); ``map(block)``
        -> (B, T / 8, d).

    Example:
        >>> import torch
        >>> AudioEncoder(40, width=16)(torch.randn(2, 50, 40)).shape
        torch.Size([2, 1, 128])
    """

    rate = CONVOLUTION_RATE

    def __init__(self, mels: int, width: int) -> None:
        super().__init__()
        d = max(64, width)
        self.stem = nn.Conv2d(1, 16, 3, stride=2, padding=1)
        self.stages = nn.Sequential(_Block(16, 32), _Block(32, 48), _Block(48, LAST, stride=1))
        self.norm = nn.GroupNorm(GROUPS, LAST)
        self.across = nn.Linear(LAST * -(-mels // 16), d)
        self.map_features = d
        self.out_features = 2 * d

    def map(self, block: Tensor) -> Tensor:
        x = self.stages(self.stem(block.nan_to_num()[..., None, :, :]))
        x = F.relu(self.norm(x)).movedim(-3, -1)  # (B, T, pitch, channels)
        return F.dropout(F.relu(self.across(x.flatten(-2))), DROPOUT, self.training)

    def seen(self, block: Tensor) -> Tensor:
        there = ~block[..., 0, 0].isnan()
        n_locations = -(-block.shape[-2] // 8)
        return there[..., None].expand(*there.shape, n_locations)


def audio_encoder(kinds: Sequence[Any], width: int) -> nn.Module:
    """Build the encoder of an input of kind "audio"."""
    return AudioEncoder(kinds[0].mels, width)
