"""A recurrent network over the steps of a sequence, without a branch that depends on the data."""

from __future__ import annotations

import torch
from torch import Tensor


def lstm(gates: Tensor, recurrent: Tensor, seen: Tensor) -> Tensor:
    """Carry a memory along sequences; where nothing is seen it is emptied.

    With z_t = x_t W + h_{t-1} U + b, cut into i, f, o and g, all of width h:

        c_t = σ(f) c_{t-1} + σ(i) tanh(g);   h_t = σ(o) tanh(c_t)

    Args:
        gates: What the inputs alone add to the gates, x_t W + b.
        recurrent: The matrix U.
        seen: 1 where a sequence has a step, 0 where it is padded.

    Shape:
        gates (R, B, S, 4 h), recurrent (R, h, 4 h), seen (R, B, S) -> (R, B, S, h); R sequences are
        read at once that have matrices of their own, such as two directions.

    Example:
        >>> lstm(torch.zeros(2, 3, 5, 16), torch.zeros(2, 4, 16), torch.ones(2, 3, 5)).shape
        torch.Size([2, 3, 5, 4])

    Source:
        Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000. Written out,
        because torch's own has no rule for ``vmap``, by which folds are trained in one pass.
    """
    hidden_dim = recurrent.shape[-2]
    hidden = memory = gates.new_zeros(*gates.shape[:2], hidden_dim)
    outputs = []
    for here, there in zip(gates.unbind(2), seen[..., None].unbind(2), strict=True):
        z = torch.baddbmm(here, hidden, recurrent)
        enter, keep, leave = z[..., : 3 * hidden_dim].sigmoid().chunk(3, -1)
        memory = there * (keep * memory + enter * z[..., 3 * hidden_dim :].tanh())
        hidden = leave * memory.tanh()
        outputs.append(hidden)
    return torch.stack(outputs, 2)
