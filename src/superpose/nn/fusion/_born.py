"""Weights from squared amplitudes: complex ones with phases, and two real controls.

All three have the same number of parameters, so that a gain is not one of size.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ._base import Listening

TINY = 1e-12  # keeps the sum of squares of a row away from zero


class SignedAttention(Listening):
    """Task attention whose weights keep the sign of their score; their squares sum to one.

    The control of ``born`` that can subtract, but has no phases.

    Example:
        >>> weights = SignedAttention(3, 8, rank=4).weights(torch.randn(2, 3, 8))
        >>> torch.allclose(weights.square().sum(-1), torch.ones(2, 3))
        True
    """

    def __init__(
        self, n_targets: int, task_dim: int, *, rank: int = 16, donor_gradient: float = 1.0
    ) -> None:
        # Two numbers for each of the r components: a complex one, or twice as many real ones.
        super().__init__(
            n_targets, task_dim, rank=rank, donor_gradient=donor_gradient, key_dim=2 * rank
        )
        self.sink = nn.Parameter(torch.ones(n_targets))
        self.gate = nn.Parameter(torch.zeros(n_targets, task_dim))

    def scores(self, u: Tensor) -> Tensor:
        """Real scores of all pairs with the sink last, (..., T, T + 1); none of a task itself."""
        query, key = self.query_and_key(u)
        pairs = query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1])
        return self._beside(pairs, self.sink)

    def _beside(self, pairs: Tensor, sink: Tensor) -> Tensor:
        """Put the sink (T,) beside the pairs (..., T, T), and nothing for a task itself."""
        itself = torch.eye(len(sink), dtype=torch.bool, device=pairs.device)
        nobody = sink[:, None].expand(*pairs.shape[:-1], 1)
        return torch.cat([pairs.masked_fill(itself, 0.0), nobody], -1)

    def weights(self, u: Tensor) -> Tensor:
        scores = self.scores(u)
        return scores / (scores.square().sum(-1, keepdim=True) + TINY).sqrt()

    def attention(self, states: Tensor) -> Tensor:
        """Squared weights, which sum to one."""
        return F.normalize(self.weights(self.common(states)).square(), p=1, dim=-1)


class BornReal(SignedAttention):
    """Task attention whose weights are squared real scores, scaled to sum to one.

    The control of ``born`` that has as many parameters and no phases.

    Example:
        >>> weights = BornReal(3, 8, rank=4).weights(torch.randn(2, 3, 8))
        >>> bool((weights >= 0).all()), torch.allclose(weights.sum(-1), torch.ones(2, 3))
        (True, True)
    """

    def squares(self, u: Tensor) -> Tensor:
        """Squared size of all amplitudes with the sink last, (..., T, T + 1)."""
        return self.scores(u).square()

    def weights(self, u: Tensor) -> Tensor:
        squares = self.squares(u)
        return squares / (squares.sum(-1, keepdim=True) + TINY)

    def attention(self, states: Tensor) -> Tensor:
        return self.weights(self.common(states))


class BornAttention(BornReal):
    """Task attention with complex amplitudes, whose squared sizes are the weights (Born).

    Each query and key is a vector of r complex numbers, and the amplitude of a pair is their inner
    product, so that components of opposite phase cancel.

    Example:
        >>> weights = BornAttention(3, 8, rank=4).weights(torch.randn(2, 3, 8))
        >>> torch.allclose(weights.sum(-1), torch.ones(2, 3))
        True

    Source:
        Born 1926, "Zur Quantenmechanik der Stoßvorgänge": probabilities are squared amplitudes. No
        quantum computing is involved. A task has no amplitude for itself, and the sink has a real
        one.
    """

    def squares(self, u: Tensor) -> Tensor:
        query, key = self.query_and_key(u)
        a, b = query.chunk(2, -1)
        c, d = key.transpose(-1, -2).chunk(2, -2)
        # The conjugate of the query times the key; scaled as the real controls are.
        real = a @ c + b @ d
        imaginary = a @ d - b @ c
        size = (real.square() + imaginary.square()) / query.shape[-1]
        return self._beside(size, self.sink.square())
