"""Several processes that train one network together, each on its share of every batch."""

from __future__ import annotations

from collections.abc import Iterable

import torch
import torch.distributed as dist
from torch import Tensor


class Workers:
    """The processes of a training: one, or all that ``torch.distributed`` has brought together.

    Every process holds the whole network and sees the same plan of batches. Gradients are averaged
    before each step, so all weights stay the same in all of them.

    Example:
        >>> Workers().share(torch.arange(6)[None]).tolist()
        [[0, 1, 2, 3, 4, 5]]
    """

    def __init__(self) -> None:
        several = dist.is_available() and dist.is_initialized()
        self.rank = dist.get_rank() if several else 0
        self.size = dist.get_world_size() if several else 1

    def share(self, rows: Tensor) -> Tensor:
        """Return this process's part of a batch of rows (P, B)."""
        return rows[:, self.rank :: self.size] if rows.shape[1] >= self.size else rows

    def mean(self, values: Tensor) -> Tensor:
        """Return the mean of a tensor over the processes."""
        if self.size > 1:
            values = values.clone()
            dist.all_reduce(values)
            values /= self.size
        return values

    def average(self, weights: Iterable[Tensor]) -> None:
        """Replace the gradients of weights by their means over the processes."""
        if self.size > 1:
            grads = [w.grad for w in weights if w.grad is not None]
            flat = self.mean(torch.cat([g.flatten() for g in grads]))
            for grad, part in zip(grads, flat.split([g.numel() for g in grads]), strict=True):
                grad.copy_(part.view_as(grad))

    def any(self, flag: bool) -> bool:
        """Tell whether a flag is up in any process, so that all of them do the same."""
        return bool(self.mean(torch.tensor(float(flag))) > 0)
