"""Methods that torchjd lacks: log-loss, GradNorm, DB-MTL."""

from __future__ import annotations

import torch
from torch import Tensor

from ._base import Balancer

SMALLEST = 1e-8  # a loss of nothing, or a gradient of nothing, would get a weight without limit


class LogLoss(Balancer):
    """Lowers the sum of the logarithms of the losses, so that equal ratios count alike.

    Also known as the geometric loss strategy (GLS lowers the geometric mean, whose gradient has
    the same direction), scale-invariant loss, and the loss half of DB-MTL.

    Example:
        >>> both = torch.tensor([True, True])
        >>> LogLoss(2).weigh(torch.tensor([0.5, 2.0]), None, both).tolist()
        [2.0, 0.5]
    """

    name = "log"

    def weigh(self, losses: Tensor, gramian: Tensor | None, present: Tensor) -> Tensor:
        return 1 / losses.clamp(min=SMALLEST)


class GradNorm(Balancer):
    """Learns weights that bring gradients to the size that each rate of training needs.

    Source:
        Chen et al., "GradNorm", ICML 2018, equations 1 and 2: the weights descend on
        sum |w_i n_i - mean(w n) r_i^alpha|, where n_i is the norm of a target's gradient, r_i its
        loss over that at the start, relative to the mean, and the product on the right is kept
        fixed; then they are scaled to sum to T. Departs by reading the gradients where the Gramian
        does.
    """

    name = "gradnorm"

    def __init__(self, targets: int, rate: float = 3e-3, **options: float) -> None:
        super().__init__(targets, rate, **options)
        self.weights = torch.nn.Parameter(torch.ones(targets))
        self.first = torch.full((targets,), torch.nan)
        self.optimizer = torch.optim.Adam([self.weights], self.option["rate"])

    def weigh(self, losses: Tensor, gramian: Tensor | None, present: Tensor) -> Tensor:
        assert gramian is not None
        norms = gramian.diagonal().clamp(min=0).sqrt()
        self.first = torch.where(present & self.first.isnan(), losses, self.first)
        ratio = losses / self.first.clamp(min=SMALLEST)
        sizes = self.weights.detach() * norms
        wanted = sizes[present].mean() * (ratio / ratio[present].mean()) ** self.option["alpha"]
        self.weights.grad = (sizes - wanted).sign() * norms / norms[present].mean()
        self.weights.grad[~present] = 0.0
        self.optimizer.step()
        with torch.no_grad():
            self.weights.clamp_(min=1e-3)  # a weight that falls to nothing never comes back
            self.weights.mul_(self.targets / self.weights.sum())
        return self.weights.detach().clone()


class DualBalancing(Balancer):
    """Takes logarithms of the losses and brings all gradients to the length of the longest.

    Source:
        Lin et al., "Dual-Balancing for Multi-Task Learning", 2023, equations 3 to 5. Departs by
        averaging the lengths of gradients over steps, not the gradients: at the trunk's output
        these belong to the rows of a batch.
    """

    name = "db-mtl"

    def __init__(self, targets: int, rate: float = 3e-3, **options: float) -> None:
        super().__init__(targets, rate, **options)
        self.lengths = torch.full((targets,), torch.nan)
        self.steps = 0

    def weigh(self, losses: Tensor, gramian: Tensor | None, present: Tensor) -> Tensor:
        assert gramian is not None
        self.steps += 1
        slopes = 1 / losses.clamp(min=SMALLEST)
        now = gramian.diagonal().clamp(min=0).sqrt() * slopes
        keep = self.option["beta"] / self.steps**0.5
        mixed = torch.where(self.lengths.isnan(), now, keep * self.lengths + (1 - keep) * now)
        self.lengths = torch.where(present, mixed, self.lengths)
        return slopes / self.lengths.nan_to_num(1.0).clamp(min=SMALLEST)
