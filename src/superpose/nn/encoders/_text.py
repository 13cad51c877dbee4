"""The built-in text encoder: small enough to train from scratch, no download."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ._maps import MapEncoder


class TextEncoder(MapEncoder):
    """Read word ids with one transformer block and pool them to one token.

    Args:
        vocabulary: Number of word ids; id 0 is padding.
        width: Token width d before the pooled token, which is twice as wide (mean and maximum).
        length: Longest text in words that has a position of its own.

    Shape:
        block (B, S) int -> tokens (B, 1, 2 d); ``map(block)`` -> (B, S, d) for heads per word.

    Example:
        >>> TextEncoder(100, width=16)(torch.tensor([[5, 9, 0], [7, 0, 0]])).shape
        torch.Size([2, 1, 128])
    """

    def __init__(self, vocabulary: int, width: int, *, length: int = 512, heads: int = 4) -> None:
        super().__init__()
        d = max(64, width)
        self.table = nn.Embedding(vocabulary, d)
        nn.init.normal_(self.table.weight, std=0.1)
        self.place = nn.Parameter(torch.randn(length, d) * 0.02)
        self.norm, self.norm_out = nn.LayerNorm(d), nn.LayerNorm(d)
        self.mix = nn.Linear(d, 3 * d)
        self.back = nn.Linear(d, d)
        self.wide = nn.Linear(d, 2 * d)
        self.narrow = nn.Linear(2 * d, d)
        self.heads = heads
        self.map_features = d
        self.out_features = 2 * d

    def map(self, block: Tensor) -> Tensor:
        x = self.table(block) + self.place[: block.shape[-1]]
        q, k, v = self.mix(self.norm(x)).unflatten(-1, (3, self.heads, -1)).unbind(-3)
        q, k, v = (t.transpose(-2, -3) for t in (q, k, v))
        seen = (block != 0)[..., None, None, :]
        # The first position stays visible, so that an empty text does not divide by zero.
        seen = seen | (torch.arange(block.shape[-1], device=block.device) == 0)
        # By hand: torch's fused attention falls back to a slow loop, with a warning, under vmap.
        scores = (q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])).masked_fill(~seen, -torch.inf)
        mixed = scores.softmax(-1) @ v
        x = x + self.back(mixed.transpose(-2, -3).flatten(-2))
        return x + self.narrow(F.gelu(self.wide(self.norm_out(x))))

    def seen(self, block: Tensor) -> Tensor:
        return block != 0


def sequence_encoder(kinds: Sequence[Any], width: int) -> nn.Module:
    """Build the encoder of an input of kind "sequence"."""
    return TextEncoder(kinds[0].vocabulary, width)
