"""Measured targets: what is known of a target is written into its own task state."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn


class Measured(nn.Module):
    """Add to the state of each measured target an embedding of its value.

    Args:
        widths: For each target the number of columns in which its value is read.
        task_dim: Width D of a task state.
        own: Indices of the targets whose states there are, where these are not all.

    Shape:
        states (..., M, T, D), values (..., R) with R the sum of widths and NaN where hidden ->
        (..., M, T, D); with ``own`` T is their number.

    Example:
        >>> write = Measured([1, 2], task_dim=4)
        >>> hidden = torch.full((3, 3), float("nan"))
        >>> write(torch.ones(3, 8, 2, 4), hidden).sum().item()
        192.0
    """

    def __init__(
        self, widths: Sequence[int], task_dim: int, own: Sequence[int] | None = None
    ) -> None:
        super().__init__()
        self.widths = list(widths)
        self.own = own
        widths = widths if own is None else [widths[index] for index in own]
        owners = [target for target, width in enumerate(widths) for _ in range(width)]
        belongs = torch.zeros(len(widths), len(owners))
        belongs[owners, range(len(owners))] = 1.0
        self.belongs: Tensor
        self.register_buffer("belongs", belongs)
        bound = 1 / math.sqrt(task_dim)
        self.value = nn.Parameter(torch.empty(len(owners), task_dim).uniform_(-bound, bound))
        self.known = nn.Parameter(torch.zeros(len(owners), task_dim))

    def forward(self, states: Tensor, values: Tensor) -> Tensor:
        if self.own is not None:
            columns = values.split(self.widths, -1)
            values = torch.cat([columns[index] for index in self.own], -1)
        is_known = (~values.isnan()).to(self.value.dtype)[..., None]
        embedded = (
            torch.where(values.isnan(), 0.0, values)[..., None] * self.value + is_known * self.known
        )
        return states + (self.belongs @ embedded)[..., None, :, :]
