"""What every head is: the loss and the link of a distribution, as torch computes them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Self

from torch import Tensor, nn


class Head(ABC):
    """Compare raw outputs of a network with labels, and turn them into a canonical prediction.

    A head has no weights: raw outputs come from a linear map of the task's state, which a
    ``HeadBank`` keeps, or from a module of the head's own. Heads that are equal have the same
    formulas, so that one call serves all targets that have them.
    """

    @classmethod
    @abstractmethod
    def of(cls, kind: Any) -> Self:
        """Build the head of a fitted target, whose distribution it is in the table for."""

    @property
    @abstractmethod
    def n_outputs(self) -> int:
        """Raw outputs of a row, or of each location where there are outputs for each."""

    @abstractmethod
    def loss(self, out: Tensor, y: Tensor) -> Tensor:
        """Return the training loss of each row, 0 where the label is missing.

        Shape:
            out (..., O), y (...) or (..., H) -> (...).
        """

    def nonnegative_loss(self, out: Tensor, y: Tensor) -> Tensor:
        """Return what balancing compares: as ``loss``, but 0 for a perfect prediction."""
        return self.loss(out, y)

    @abstractmethod
    def link(self, out: Tensor) -> Tensor:
        """Return the canonical prediction of raw outputs, (..., O) -> (..., K)."""

    def transform_labels(self, y: Tensor, record: Any) -> Tensor:
        """Return labels (..., H) of a batch whose input was augmented, by its ``AugmentRecord``."""
        return y

    def module(self, task_dim: int) -> nn.Module:
        """Return the module that makes raw outputs in place of a linear map, if the kind says so.

        It reads a state (B, D), and labels (B, H) or None, and returns (B, O). Where it reads
        labels its outputs in training may have another form, which ``loss`` knows.
        """
        raise NotImplementedError(f"{type(self).__name__} has no module of its own")
