"""Heads of their own form: with outputs for each location of an input, or a module of a kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor, nn


@dataclass(frozen=True)
class DenseHead:
    """A head with outputs for each location of an input's map, among a network's heads.

    Args:
        block: Name of the block of the input whose encoder offers the map.
        n_outputs: Raw outputs of each location.
    """

    block: str
    n_outputs: int


@dataclass(frozen=True)
class CustomHead:
    """A head that is a module of its own, among a network's heads.

    Args:
        make: Builds it for a state of D numbers; it is called as ``head(state, labels)``.
        labels: Block with the target's labels, which it reads where they are there; or None.

    Shape:
        state (B, D), labels (B, L) or None -> (B, C).
    """

    make: Callable[[int], nn.Module]
    labels: str | None = None


class LocationHead(nn.Module):
    """Read a map in the light of a task's state.

    The state scales and shifts every location of the map alike, and starts by doing neither.

    Args:
        map_dim: Width d of the map.
        task_dim: Width D of the task state.
        n_outputs: Raw outputs C of each location.

    Shape:
        map (B, S, d), state (B, D) -> (B, S, C).

    Example:
        >>> import torch
        >>> LocationHead(8, 4, n_outputs=3)(torch.zeros(2, 5, 8), torch.zeros(2, 4)).shape
        torch.Size([2, 5, 3])

    Source:
        FiLM, Perez et al. 2018, eq. 1, the scale written as 1 + gamma.
    """

    def __init__(self, map_dim: int, task_dim: int, n_outputs: int) -> None:
        super().__init__()
        self.light = nn.Linear(task_dim, 2 * map_dim)
        nn.init.zeros_(self.light.weight)
        nn.init.zeros_(self.light.bias)
        self.out = nn.Linear(map_dim, n_outputs)

    def forward(self, locations: Tensor, state: Tensor) -> Tensor:
        scale, shift = self.light(state)[..., None, :].chunk(2, -1)
        return self.out(locations * (1 + scale) + shift)
