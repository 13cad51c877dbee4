"""Heads of numbers: one, several in a row, or one at each location."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor

from superpose.functional import gaussian_loss, gaussian_parameters
from superpose.nn.augment._augment import AugmentRecord, transform_grid

from ._base import Head


@dataclass(frozen=True)
class NormalHead(Head):
    """The mean and the scale of a number.

    Example:
        >>> NormalHead().link(torch.zeros(1, 2)).round(decimals=3).tolist()
        [[0.0, 0.6940000057220459]]
    """

    @classmethod
    def of(cls, kind: Any) -> Self:
        return cls()

    @property
    def n_outputs(self) -> int:
        return 2

    def loss(self, out: Tensor, y: Tensor) -> Tensor:
        return gaussian_loss(out, y)

    def nonnegative_loss(self, out: Tensor, y: Tensor) -> Tensor:
        # A likelihood of a density has no least value; the squared error has.
        mean, _ = gaussian_parameters(out)
        return torch.where(y.isnan(), 0.0, (y.nan_to_num() - mean).square())

    def link(self, out: Tensor) -> Tensor:
        return torch.stack(gaussian_parameters(out), dim=-1)


@dataclass(frozen=True)
class NormalVectorHead(Head):
    """The means and the scales of several numbers.

    Args:
        size: Numbers H of a row.
        grid: Height and width where the numbers are of the locations of an image. Raw outputs of a
            location then lie side by side; elsewhere all means come before all scales.
    """

    size: int
    grid: tuple[int, int] | None = None

    @classmethod
    def of(cls, kind: Any) -> Self:
        return cls(kind.distribution.size, kind.locations.grid if kind.locations else None)

    @property
    def n_outputs(self) -> int:
        return 2 * self.size if self.grid is None else 2

    def _pairs(self, out: Tensor) -> Tensor:
        """Raw outputs as (..., H, 2): mean and raw scale of each number."""
        if self.grid is None:
            return torch.stack(out.chunk(2, -1), dim=-1)
        return out.unflatten(-1, (-1, 2))

    def loss(self, out: Tensor, y: Tensor) -> Tensor:
        known = (~y.isnan()).sum(-1).clamp(min=1)
        return gaussian_loss(self._pairs(out), y).sum(-1) / known

    def nonnegative_loss(self, out: Tensor, y: Tensor) -> Tensor:
        mean, _ = gaussian_parameters(self._pairs(out))
        known = (~y.isnan()).sum(-1).clamp(min=1)
        return torch.where(y.isnan(), 0.0, (y.nan_to_num() - mean).square()).sum(-1) / known

    def link(self, out: Tensor) -> Tensor:
        return torch.cat(gaussian_parameters(self._pairs(out)), dim=-1)

    def transform_labels(self, y: Tensor, record: AugmentRecord) -> Tensor:
        return y if self.grid is None else transform_grid(y, self.grid, record)
