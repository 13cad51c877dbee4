"""The linear heads of several targets, kept by the targets' names and computed together."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ._residual_forecast import ResidualForecastHead


class HeadBank(nn.Module):
    """A linear map from the state of each target to its raw outputs, all in one product.

    The maps stand side by side in one weight, in the order of the names, padded to the widest.

    Args:
        heads: For each target, by its name, the raw outputs of its head (0 for none), or a
            ``ResidualForecastHead``.
        members: Ensemble members M (at least 1).
        task_dim: Width D of a task's state.

    Shape:
        states (B, M, T, D) -> raw outputs (B, M, T, O) with O that of the widest head; a target
        uses the first of them, as many as its head has.

    Example:
        >>> bank = HeadBank({"weight": 2, "sick": 1}, members=4, task_dim=8)
        >>> bank.draw()
        >>> bank(torch.zeros(5, 4, 2, 8), {}).shape, bank.names
        (torch.Size([5, 4, 2, 2]), ['weight', 'sick'])
    """

    def __init__(
        self, heads: Mapping[str, int | ResidualForecastHead], *, members: int, task_dim: int
    ) -> None:
        super().__init__()
        self.names = list(heads)
        self.residual = {n: h for n, h in heads.items() if isinstance(h, ResidualForecastHead)}
        widest = max(head if isinstance(head, int) else head.n_columns for head in heads.values())
        self.weight = nn.Parameter(torch.empty(members, len(heads), task_dim, widest))
        self.bias = nn.Parameter(torch.zeros(members, len(heads), widest))

    def draw(self) -> None:
        """Draw the weights anew; a network says when, since draws from one seed have an order."""
        bound = 1 / math.sqrt(self.weight.shape[2])
        nn.init.uniform_(self.weight, -bound, bound)

    def forward(self, states: Tensor, inputs: Mapping[str, Tensor]) -> Tensor:
        out = torch.einsum("...mtd,mtdo->...mto", F.relu(states), self.weight) + self.bias
        if not self.residual:
            return out
        columns = dict(zip(self.names, out.unbind(-2), strict=True))
        for name, head in self.residual.items():
            raw = head(columns[name], inputs[head.block])
            columns[name] = F.pad(raw, (0, out.shape[-1] - head.n_outputs))
        return torch.stack(list(columns.values()), -2)


def module_key(target: str) -> str:
    """Return the key of a target among modules, whose names may hold no dot.

    Example:
        >>> module_key("no. of calls")
        'of no%2E of calls'
    """
    # The word in front keeps names such as "keys" and "items" from hiding what a ModuleDict has.
    return f"of {target.replace('%', '%25').replace('.', '%2E')}"
