"""Attention across tasks, and the piecewise-linear code of numbers."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def task_attention_weights(query: Tensor, key: Tensor, *, pair: Tensor, sink: Tensor) -> Tensor:
    """Weigh for each task the other tasks and a sink that stands for "listen to nobody".

    Args:
        query: Queries of the listening tasks.
        key: Keys of the speaking tasks.
        pair: A learned bias for each pair (listener, speaker).
        sink: A learned score of the sink for each listener.

    Shape:
        query, key (..., T, r), pair (T, T), sink (T,) -> (..., T, T + 1), the sink last; each row
        sums to one and a task has no weight on itself.

    Example:
        >>> q = torch.zeros(2, 3, 4)
        >>> task_attention_weights(q, q, pair=torch.zeros(3, 3), sink=torch.zeros(3))[0, 0].tolist()
        [0.0, 0.3333333432674408, 0.3333333432674408, 0.3333333432674408]

    Source:
        Vaswani et al. 2017, eq. 1; departs by the sink, the pair bias, and the masked diagonal.
    """
    targets = query.shape[-2]
    scores = query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1]) + pair
    itself = torch.eye(targets, dtype=torch.bool, device=query.device)
    scores = scores.masked_fill(itself, -torch.inf)
    nobody = (scores.new_zeros(scores.shape[:-1]) + sink)[..., None]
    return torch.cat([scores, nobody], dim=-1).softmax(-1)


def task_attention(weights: Tensor, value: Tensor) -> Tensor:
    """Sum what each task hears; the sink (last weight) speaks zero.

    Shape:
        weights (..., T, T + 1), value (..., T, r) -> (..., T, r).

    Example:
        >>> weights = torch.tensor([[0.0, 0.5, 0.5], [1.0, 0.0, 0.0]])
        >>> task_attention(weights, torch.tensor([[2.0], [4.0]]))
        tensor([[2.],
                [2.]])
    """
    return weights[..., :-1] @ value


def essay_attention(query: Tensor, key: Tensor, states: Tensor) -> tuple[Tensor, Tensor]:
    """Mix task states by softmax(QKᵀ/√d) H and return the mixture and the weights.

    Shape:
        query, key (..., T, d), states (..., T, D) -> (..., T, D) and (..., T, T).

    Example:
        >>> essay_attention(torch.zeros(2, 3), torch.zeros(2, 3), torch.tensor([[1.0], [3.0]]))[0]
        tensor([[2.],
                [2.]])
    """
    weights = (query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1])).softmax(-1)
    return weights @ states, weights


def piecewise_linear(x: Tensor, *, low: Tensor, span: Tensor, used: Tensor) -> Tensor:
    """Code a number by how far it fills each of its bins, from 0 (below) to 1 (above).

    Args:
        x: Finite numbers.
        low: Lower edges of the bins.
        span: Widths of the bins (above 0).
        used: One for a bin in use, zero for padding.

    Shape:
        x (..., C), the others (C, n) -> (..., C, n).

    Example:
        >>> one = torch.ones(1, 2)
        >>> low = torch.tensor([[0.0, 1.0]])
        >>> piecewise_linear(torch.tensor([[1.5]]), low=low, span=one, used=one).tolist()
        [[[1.0, 0.5]]]

    Source:
        Gorishniy et al. 2022, eq. 1; departs by clamping the outer bins too, so that an outlier at
        prediction time can't drive the network beyond what it has seen.
    """
    return ((x[..., None] - low) / span).clamp(0.0, 1.0) * used
