"""The built-in image encoder: a small residual CNN, no download."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn


class _Block(nn.Module):
    def __init__(self, inside: int, outside: int) -> None:
        super().__init__()
        # Group norm, not batch norm: one row alone must predict as in any batch.
        self.norm1, self.norm2 = nn.GroupNorm(4, inside), nn.GroupNorm(4, outside)
        self.conv1 = nn.Conv2d(inside, outside, 3, stride=2, padding=1)
        self.conv2 = nn.Conv2d(outside, outside, 3, padding=1)
        self.skip = nn.Conv2d(inside, outside, 1, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        h = self.conv1(F.relu(self.norm1(x)))
        return self.skip(x) + self.conv2(F.relu(self.norm2(h)))


class ImageEncoder(nn.Module):
    """Read an image with three residual stages and pool its map to one token.

    Args:
        width: Smallest token width d; the token has at least 64 numbers.

    Shape:
        block (B, 3, H, W) uint8 -> tokens (B, 1, d); ``map(block)`` -> (B, d, H/16, W/16).

    Example:
        >>> import torch
        >>> ImageEncoder(16)(torch.zeros(2, 3, 64, 64, dtype=torch.uint8)).shape
        torch.Size([2, 1, 64])
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        d = max(64, width)
        self.stem = nn.Conv2d(3, 16, 3, stride=2, padding=1)
        self.stages = nn.Sequential(_Block(16, 32), _Block(32, 48), _Block(48, d))
        self.norm = nn.GroupNorm(4, d)
        self.out_features = d

    def map(self, block: Tensor) -> Tensor:
        x = block.to(self.stem.weight.dtype) / 127.5 - 1
        return F.relu(self.norm(self.stages(self.stem(x))))

    def forward(self, block: Tensor) -> Tensor:
        return self.map(block).mean((-2, -1))[..., None, :]
