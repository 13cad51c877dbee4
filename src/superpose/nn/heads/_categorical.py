"""Heads of classes: two, several, several in an order, sets of labels, or one at each location."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor

from superpose.functional import (
    binary_loss,
    category_loss,
    multilabel_loss,
    ordinal_log_probabilities,
    ordinal_loss,
)
from superpose.nn.augment._augment import AugmentRecord, transform_grid

from ._base import Head


@dataclass(frozen=True)
class BernoulliHead(Head):
    """The logit of yes.

    Example:
        >>> BernoulliHead().link(torch.zeros(1, 1)).tolist()
        [[0.5, 0.5]]
    """

    @classmethod
    def of(cls, kind: Any) -> Self:
        return cls()

    @property
    def n_outputs(self) -> int:
        return 1

    def loss(self, out: Tensor, y: Tensor) -> Tensor:
        return binary_loss(out, y)

    def link(self, out: Tensor) -> Tensor:
        return torch.cat([torch.sigmoid(-out), torch.sigmoid(out)], dim=-1)


@dataclass(frozen=True)
class _ClassesHead(Head):
    """As many raw outputs as there are classes."""

    n_classes: int

    @classmethod
    def of(cls, kind: Any) -> Self:
        return cls(kind.distribution.n_classes)

    @property
    def n_outputs(self) -> int:
        return self.n_classes


@dataclass(frozen=True)
class CategoricalHead(_ClassesHead):
    """A logit for each class."""

    def loss(self, out: Tensor, y: Tensor) -> Tensor:
        return category_loss(out, y)

    def link(self, out: Tensor) -> Tensor:
        return torch.softmax(out, dim=-1)


@dataclass(frozen=True)
class OrdinalHead(_ClassesHead):
    """A location and thresholds that rise."""

    def loss(self, out: Tensor, y: Tensor) -> Tensor:
        return ordinal_loss(out, y)

    def link(self, out: Tensor) -> Tensor:
        return ordinal_log_probabilities(out).exp()


@dataclass(frozen=True)
class MultilabelHead(Head):
    """A logit for each label."""

    n_labels: int

    @classmethod
    def of(cls, kind: Any) -> Self:
        return cls(kind.distribution.n_labels)

    @property
    def n_outputs(self) -> int:
        return self.n_labels

    def loss(self, out: Tensor, y: Tensor) -> Tensor:
        return multilabel_loss(out, y)

    def link(self, out: Tensor) -> Tensor:
        return torch.sigmoid(out)


@dataclass(frozen=True)
class LocationCategoricalHead(Head):
    """A logit for each class at each location.

    Args:
        n_classes: Classes C.
        class_weights: How much a location of each class weighs; even if None.
        grid: Height and width where locations are cells of an image.
    """

    n_classes: int
    class_weights: tuple[float, ...] | None = None
    grid: tuple[int, int] | None = None

    @classmethod
    def of(cls, kind: Any) -> Self:
        distribution = kind.distribution
        return cls(distribution.n_classes, distribution.class_weights, kind.locations.grid)

    @property
    def n_outputs(self) -> int:
        return self.n_classes

    def _weights(self, like: Tensor) -> Tensor | None:
        """Return the weights of the classes (C,)."""
        if self.class_weights is None:
            return None
        return torch.tensor(self.class_weights, dtype=like.dtype, device=like.device)

    def loss(self, out: Tensor, y: Tensor) -> Tensor:
        out = out.unflatten(-1, (-1, self.n_classes))
        y = y[..., : out.shape[-2]]  # a batch may lack the last locations, where no row has a word
        known = ~y.isnan()
        loss = category_loss(out, y)
        table = self._weights(out)
        if table is not None:
            # Over locations, not over their weights: an image full of rare things may weigh more.
            loss = loss * torch.where(known, table[torch.where(known, y, 0).long()], 0.0)
        return loss.sum(-1) / known.sum(-1).clamp(min=1)

    def link(self, out: Tensor) -> Tensor:
        """Return probabilities; what the weights of the loss have added is taken out again.

        A loss with weights w is least at q proportional to w p, so p is proportional to q / w.
        """
        out = out.unflatten(-1, (-1, self.n_classes))
        table = self._weights(out)
        if table is not None:
            out = out - table.log()
        return torch.softmax(out, dim=-1).flatten(-2)

    def transform_labels(self, y: Tensor, record: AugmentRecord) -> Tensor:
        return y if self.grid is None else transform_grid(y, self.grid, record)
