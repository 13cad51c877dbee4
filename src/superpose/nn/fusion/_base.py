"""What every fusion is: a way to form task states, and a way to let them exchange."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from superpose.functional import task_attention
from superpose.nn._trunk import MemberLinear


class Fusion(nn.Module):
    """Base of all fusions.

    Args:
        n_targets: Number of targets T (at least 1).
        task_dim: Width D of a task state.
        rank: Width r of what states say to each other (at least 1), where a method has one.
        donor_gradient: Share in [0, 1] of a listener's gradient that reaches what it listens to.

    Shape:
        states (..., M, T, D) of M ensemble members -> (..., M, T, D).
    """

    def __init__(
        self, n_targets: int, task_dim: int, *, rank: int = 16, donor_gradient: float = 1.0
    ) -> None:
        super().__init__()
        self.donor_gradient = donor_gradient

    @classmethod
    def towers(
        cls,
        hidden_dim: int,
        n_targets: int,
        *,
        task_dim: int,
        n_members: int,
        n_layers: int = 1,
    ) -> nn.Module:
        """Return the module that forms the states, (B, M, W) -> (B, M, T D): a linear map.

        Args:
            hidden_dim: Width W of the trunk.
            n_targets: Number of targets T.
            task_dim: Width D of a task state.
            n_members: Ensemble members M.
            n_layers: Layers of experts, where a method has some.
        """
        return MemberLinear(hidden_dim, n_targets * task_dim, n_members)

    def attention(self, states: Tensor) -> Tensor | None:
        """Return who listens to whom, (..., M or 1, T, T + 1), the sink last, if it has a map."""
        return None


class NoFusion(Fusion):
    """Leaves every task state as it is, so that only the trunk is shared.

    The mandatory control: what every other method has to beat.

    Example:
        >>> NoFusion(2, 4)(torch.ones(1, 2, 4)).sum().item()
        8.0
    """

    def forward(self, states: Tensor) -> Tensor:
        return states


class Residual(Fusion):
    """Base of fusions that add to each state what it hears, behind a gate that starts at zero.

    Members speak and listen in common: what passes between targets is made of the mean of their
    states, once for all of them. That costs an eighth of what eight exchanges would.

    A subclass has a ``norm``, a linear ``value`` and ``out``, a ``gate`` (T, D), and says in
    ``weights`` how much each target listens to each other one and to nobody.
    """

    norm: nn.Module
    value: nn.Module
    out: nn.Module
    gate: nn.Parameter

    def weights(self, u: Tensor) -> Tensor:
        """Weigh speakers for normalised states, (..., T, D) -> (..., T, T + 1), the sink last."""
        raise NotImplementedError

    def common(self, states: Tensor) -> Tensor:
        """Return the normalised mean of all members' states, (..., M, T, D) -> (..., 1, T, D)."""
        # The small sum is divided, not the large gradient behind it.
        return self.norm(states.sum(-3, keepdim=True) / states.shape[-3])

    def spoken(self, u: Tensor) -> Tensor:
        """Return what states say to others, (..., T, r); its gradient is scaled for the donors."""
        share = self.donor_gradient
        return self.value(u if share == 1 else share * u + (1 - share) * u.detach())

    def forward(self, states: Tensor) -> Tensor:
        u = self.common(states)
        return states + self.gate * self.out(task_attention(self.weights(u), self.spoken(u)))

    def attention(self, states: Tensor) -> Tensor | None:
        return self.weights(self.common(states))


class Listening(Residual):
    """Base of residual fusions that find their speakers by queries and keys.

    A subclass adds its sink and its gate.

    Args:
        n_targets, task_dim, rank, donor_gradient: As of every fusion.
        key_dim: Width of queries and keys (default: the rank).
    """

    def __init__(
        self,
        n_targets: int,
        task_dim: int,
        *,
        rank: int = 16,
        donor_gradient: float = 1.0,
        key_dim: int | None = None,
    ) -> None:
        super().__init__(n_targets, task_dim, rank=rank, donor_gradient=donor_gradient)
        key_dim = key_dim or rank
        self.norm = nn.RMSNorm(task_dim)
        self.query, self.key = (nn.Linear(task_dim, key_dim, bias=False) for _ in range(2))
        self.value = nn.Linear(task_dim, rank, bias=False)
        self.out = nn.Linear(rank, task_dim, bias=False)
        self.query_of = nn.Parameter(torch.randn(n_targets, key_dim) / math.sqrt(rank))
        self.key_of = nn.Parameter(torch.randn(n_targets, key_dim) / math.sqrt(rank))

    def query_and_key(self, u: Tensor) -> tuple[Tensor, Tensor]:
        """Return what each target looks for and what it offers, (..., T, K) each."""
        return self.query(u) + self.query_of, self.key(u) + self.key_of


def for_each_target(h: Tensor, n_targets: int) -> Tensor:
    """Show every target the same vector, without a copy, (..., W) -> (..., T, W).

    Example:
        >>> for_each_target(torch.zeros(5, 2), 3).shape
        torch.Size([5, 3, 2])
    """
    return h[..., None, :].expand(*h.shape[:-1], n_targets, h.shape[-1])
