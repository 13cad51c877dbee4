"""What every balancing method is: losses and gradients of one network in, weights out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from superpose.methods import BALANCE_METHODS

if TYPE_CHECKING:  # the table of methods is read where torch is not installed
    from torch import Tensor


class Balancer(ABC):
    """Base of all balancing methods; an instance serves one network.

    A method only says how targets weigh against each other. What it returns is scaled to a mean of
    1 by `weights_of`: the length of a step is left to the optimizer.

    Args:
        targets: Number of targets T (at least 2).
        rate: Learning rate of weights that are learned.
        options: Values of the method's options, by name.
    """

    name: ClassVar[str]  # its key in `BALANCE_METHODS`
    after: ClassVar[bool] = False  # whether it reads the losses of a batch again after the step

    def __init__(self, targets: int, rate: float = 3e-3, **options: float) -> None:
        known = BALANCE_METHODS[self.name].options
        self.targets, self.rate = targets, rate
        self.option = {name: options.get(name, o.default) for name, o in known.items()}

    @property
    def gradients(self) -> bool:
        """Whether it reads the Gramian."""
        return BALANCE_METHODS[self.name].reads == "gradients"

    @abstractmethod
    def weigh(self, losses: Tensor, gramian: Tensor | None, present: Tensor) -> Tensor:
        """Weigh the targets of a batch against each other.

        Args:
            losses: Positive losses; of targets that are not in the batch the last known one.
            gramian: Inner products of the targets' gradients, where the method reads them.
            present: Which targets have a label in the batch; at least two.

        Shape:
            losses (T,), gramian (T, T), present (T,) -> (T,).
        """

    def stepped(self, losses: Tensor) -> None:  # noqa: B027 (most methods need nothing)
        """Learn what the losses (T,) of the last batch have become by the step."""

    def end_epoch(self) -> None:  # noqa: B027
        """Learn that an epoch is over."""


class PlainSum(Balancer):
    """Weighs all targets alike; each counts by the share of its uncertainty that is explained.

    Example:
        >>> import torch
        >>> PlainSum(2).weigh(torch.ones(2), None, torch.ones(2, dtype=torch.bool)).tolist()
        [1.0, 1.0]
    """

    name = "sum"

    def weigh(self, losses: Tensor, gramian: Tensor | None, present: Tensor) -> Tensor:
        return losses.new_ones(self.targets)


def weights_of(
    balancer: Balancer, losses: Tensor, gramian: Tensor | None, *, present: Tensor
) -> Tensor:
    """Compute a method's weights, scaled so that those of the targets in the batch have the mean 1.

    Fewer than two targets have nothing to be balanced against. A target without a gradient can't
    be in anybody's way; it is left out of the Gramian.

    Shape:
        losses (T,), gramian (T, T), present (T,) -> (T,), 1 for targets that are not in the batch.

    Example:
        >>> import torch
        >>> from superpose.balance import BALANCERS
        >>> method, two = BALANCERS["log"](3), torch.tensor([True, True, False])
        >>> weights_of(method, torch.tensor([1.0, 3.0, 1.0]), None, present=two).tolist()
        [1.5, 0.5, 1.0]
    """
    weights = losses.new_ones(balancer.targets)
    if gramian is not None:
        present = present & (gramian.diagonal() > 0)
    if present.sum() < 2:
        return weights
    raw = balancer.weigh(losses, gramian, present)[present]
    # Weights of opposite signs may cancel; then their sizes set the scale.
    total = raw.sum()
    total = total if total > 1e-3 * raw.abs().sum() else raw.abs().sum()
    if total > 0 and bool(raw.isfinite().all()):  # a solver may have failed
        weights[present] = raw * (len(raw) / total)
    return weights
