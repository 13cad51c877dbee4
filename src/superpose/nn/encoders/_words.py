"""The built-in encoder of words that get a label each: small, from scratch, no download."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from superpose.columns import SPELLINGS
from superpose.functional import lstm

from ._maps import MapEncoder, without_padding
from ._text import TextEncoder

# A word that is hidden in training is read by its spelling alone, as one never seen before.
HIDDEN = 0.1
DROPOUT = 0.4  # of what is read and of what was read; tables of sentences are small
PAD, UNKNOWN = 0, 1


class BothWays(nn.Module):
    """Read a sequence forwards and backwards with a long short-term memory each.

    Args:
        inside: Width of the input.
        outside: Width of the output, even; each direction has half of it.

    Shape:
        x (B, S, inside), seen (B, S) bool -> (B, S, outside).

    Example:
        >>> BothWays(6, 8)(torch.zeros(2, 5, 6), torch.ones(2, 5, dtype=torch.bool)).shape
        torch.Size([2, 5, 8])

    Source:
        Schuster and Paliwal 1997, "Bidirectional Recurrent Neural Networks".
    """

    def __init__(self, inside: int, outside: int) -> None:
        super().__init__()
        half = outside // 2
        bound = 1 / math.sqrt(half)
        self.read = nn.Linear(inside, 2 * 4 * half)
        self.recurrent = nn.Parameter(torch.empty(2, half, 4 * half).uniform_(-bound, bound))

    def forward(self, x: Tensor, seen: Tensor) -> Tensor:
        there, back = self.read(x).unflatten(-1, (2, -1)).unbind(-2)
        here = seen.to(x.dtype)
        gates = torch.stack([there, back.flip(-2)])
        read = lstm(gates, self.recurrent, torch.stack([here, here.flip(-1)]))
        return torch.cat([read[0], read[1].flip(-2)], -1)


class WordEncoder(MapEncoder):
    """Read words by a number each and by their spelling, in both directions.

    Args:
        vocabulary: Number of word numbers; 0 is padding, 1 an unknown word.
        spellings: Number of hashes that prefixes, suffixes and shapes are put in.
        width: Smallest width d of a word; it has at least 128 numbers.

    Shape:
        block (B, S, 1 + G) int: number of the word, hashes of its spelling -> tokens (B, 1, 2 d);
        ``map(block)`` -> (B, S, d).

    Example:
        >>> block = torch.tensor([[[5, 9, 3], [1, 4, 8], [0, 0, 0]]])
        >>> WordEncoder(100, 16, width=16)(block).shape
        torch.Size([1, 1, 256])

    Source:
        BiLSTM tagging after Huang et al. 2015; hashed prefixes and suffixes in place of characters.
    """

    def __init__(self, vocabulary: int, spellings: int, width: int) -> None:
        super().__init__()
        d = max(128, width + width % 2)
        self.table, self.spelling = nn.Embedding(vocabulary, d), nn.Embedding(spellings, d)
        nn.init.normal_(self.table.weight, std=0.1)
        nn.init.normal_(self.spelling.weight, std=0.05)  # some seven of them are summed
        self.read = BothWays(d, d)
        self.map_features = d
        self.out_features = 2 * d

    def map(self, block: Tensor) -> Tensor:
        number = block[..., 0]
        seen = self.seen(block)
        if self.training:
            hidden = torch.rand(number.shape, device=number.device) < HIDDEN
            number = torch.where(hidden & seen, UNKNOWN, number)
        x = self.table(number) + self.spelling(block[..., 1:]).sum(-2)
        x = self.read(F.dropout(x, DROPOUT, self.training), seen)
        return F.dropout(x, DROPOUT, self.training)

    def seen(self, block: Tensor) -> Tensor:
        return block[..., 0] != PAD

    def trimmed(self, block: Tensor) -> Tensor:
        return without_padding(block, self.seen(block))


def text_encoder(kinds: Sequence[Any], width: int) -> nn.Module:
    """Build the encoder of an input of kind "text"."""
    if kinds[0].unit == "divided":
        return WordEncoder(kinds[0].vocabulary, SPELLINGS, width)
    return TextEncoder(kinds[0].vocabulary, width)
