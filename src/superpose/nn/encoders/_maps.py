"""Encoders that offer a map beside their token: one vector for each location of a row."""

from __future__ import annotations

import torch
from torch import Tensor, nn

# Deep stacks of convolutions learn nothing for epochs at the step size that suits the trunk.
CONVOLUTION_RATE = 1 / 3


def without_padding(block: Tensor, seen: Tensor) -> Tensor:
    """Cut a block behind the last location that any of its rows has; one is left at least.

    Shape:
        block (..., S, n), seen (..., S) bool -> (..., s, n).

    Example:
        >>> without_padding(torch.ones(1, 3, 2), torch.tensor([[True, True, False]])).shape
        torch.Size([1, 2, 2])
    """
    used = seen.flatten(0, -2).any(0).nonzero()
    return block[..., : int(used[-1]) + 1 if len(used) else 1, :]


class MapEncoder(nn.Module):
    """Base of encoders whose input has locations: words of a text, cells of an image.

    The trunk reads what is pooled from the map; heads with outputs for each location read the
    map itself. A subclass sets both widths, and may set smaller steps than the trunk's: ``rate`` is
    the share of the learning rate that its weights take, above 0.

    Shape:
        block (B, ...) -> tokens (B, 1, W) with W = ``out_features``; ``map(block)`` -> (B, S, d)
        with d = ``map_features``, the locations of an image row by row; ``seen(block)`` -> (B, S).
    """

    out_features: int
    map_features: int
    rate: float = 1.0

    def open_map(self) -> None:
        """Build what only a map needs; called once, where a head reads it."""

    def map(self, block: Tensor) -> Tensor:
        """Return one vector for each location, (B, S, d)."""
        raise NotImplementedError

    def token_and_map(self, block: Tensor) -> tuple[Tensor, Tensor]:
        """Return the tokens (B, 1, W) and the map (B, S, d) of one pass."""
        locations = self.map(block)
        return self.pool(locations, self.seen(block)), locations

    def seen(self, block: Tensor) -> Tensor:
        """Mark the locations that a row has, bool (B, S); the others are padding."""
        raise NotImplementedError

    def pool(self, locations: Tensor, seen: Tensor) -> Tensor:
        """Turn a map into the token that the trunk reads, (B, 1, W): mean and maximum.

        A row without any location has zeros: the least maximum there is would drown other inputs.
        """
        here = seen[..., None]
        mean = torch.where(here, locations, 0.0).sum(-2) / here.sum(-2).clamp(min=1)
        highest = torch.where(here, locations, -1e4).amax(-2).clamp(min=-10.0)
        token = torch.cat([mean, highest], dim=-1)
        return torch.where(here.any(-2), token, 0.0)[..., None, :]

    def trimmed(self, block: Tensor) -> Tensor:
        """Drop locations that no row of a batch has; a block that has none comes back as it is."""
        return block

    def forward(self, block: Tensor) -> Tensor:
        return self.pool(self.map(block), self.seen(block))


def where_seen(there: Tensor, token: Tensor) -> Tensor:
    """Make the tokens (B, 1, W) of rows that have nothing to read nothing, and their gradient too.

    Args:
        there: Which rows have something to read, bool (B,).
        token: What was read.
    """
    return torch.where(there[..., None, None], token, 0.0)
