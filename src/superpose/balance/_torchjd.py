"""What torchjd offers for balancing, through one adapter for each of its two sorts.

A *scalarizer* makes one number of the losses: the weight of a target is that number's slope. A
*weighting* reads the Gramian of the targets' gradients. Methods of torchjd that work element by
element of the gradients (GradDrop, trimmed mean), need a second batch (MoDo, SDMGrad) or gradients
of several steps side by side (excess risk) have no weights of a Gramian; they are left out.
Three that would take longer than a step of the network are in `_fast.py`.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ._base import Balancer


class Scalarized(Balancer):
    """Base of methods that are a scalarizer of torchjd."""

    def __init__(self, targets: int, rate: float = 3e-3, **options: float) -> None:
        super().__init__(targets, rate, **options)
        self.scalarizer = self.make()
        learned = list(self.scalarizer.parameters())
        self.optimizer = torch.optim.Adam(learned, rate) if learned else None

    def make(self) -> Any:
        """Return the scalarizer of torchjd."""
        raise NotImplementedError

    def weigh(self, losses: Tensor, gramian: Tensor | None, present: Tensor) -> Tensor:
        values = losses.detach().clone().requires_grad_()
        with torch.enable_grad():
            total = self.scalarizer(values)
        # The scalarizer's own parameters learn from the number that the network learns from.
        learned = [p for p in self.scalarizer.parameters() if p.requires_grad]
        slopes = torch.autograd.grad(total, [values, *learned], allow_unused=True)
        for parameter, slope in zip(learned, slopes[1:], strict=True):
            parameter.grad = None if slope is None else slope * present
        if self.optimizer is not None:
            self.optimizer.step()
            self.optimizer.zero_grad()
        return slopes[0]


class UncertaintyWeights(Scalarized):
    """Learns a variance for each target that divides its loss."""

    name = "uw"

    def make(self) -> Any:
        from torchjd.scalarization import UW

        return UW(self.targets)


class DynamicAverage(Scalarized):
    """Weighs up targets whose loss fell least between the last two epochs."""

    name = "dwa"

    def make(self) -> Any:
        from torchjd.scalarization import DWA

        return DWA(self.option["temperature"])

    def end_epoch(self) -> None:
        self.scalarizer.step()


class RandomWeights(Scalarized):
    """Draws new weights for every batch."""

    name = "rlw"

    def make(self) -> Any:
        from torchjd.scalarization import Random

        return Random()


class ImpartialLosses(Scalarized):
    """Learns scales that bring all losses to the same size."""

    name = "imtl-l"

    def make(self) -> Any:
        from torchjd.scalarization import IMTLL

        return IMTLL(self.targets)


class GeometricMean(Scalarized):
    """Lowers the geometric mean of the losses."""

    name = "gls"

    def make(self) -> Any:
        from torchjd.scalarization import GeometricMean

        return GeometricMean()


class SmoothTchebycheff(Scalarized):
    """Lowers a smooth maximum of the losses."""

    name = "stch"

    def make(self) -> Any:
        from torchjd.scalarization import STCH

        return STCH(self.option["mu"])


class FastAdaptive(Scalarized):
    """Lowers all losses at an equal rate, by how the last step has changed them."""

    name = "famo"
    after = True

    def __init__(self, targets: int, rate: float = 3e-3, **options: float) -> None:
        super().__init__(targets, rate, **options)
        self.weighed = False

    def make(self) -> Any:
        from torchjd.scalarization import FAMO

        return FAMO(self.targets, lr=self.option["rate"])

    def weigh(self, losses: Tensor, gramian: Tensor | None, present: Tensor) -> Tensor:
        self.weighed = True
        return super().weigh(losses, gramian, present)

    def stepped(self, losses: Tensor) -> None:
        # A batch with labels of fewer than two targets is not weighed: there is nothing to compare,
        # and the losses of an earlier batch say nothing about this step.
        if self.weighed:
            self.scalarizer.update(losses)
        self.weighed = False


class BoundaryIntersection(Scalarized):
    """Lowers the losses along the diagonal, and punishes leaving it."""

    name = "pbi"

    def make(self) -> Any:
        from torchjd.scalarization import PBI

        return PBI(self.option["theta"], torch.ones(self.targets))


class Cosmos(Scalarized):
    """Lowers the mean loss, and rewards losses of equal size."""

    name = "cosmos"

    def make(self) -> Any:
        from torchjd.scalarization import COSMOS

        return COSMOS(self.option["lambda"], torch.full((self.targets,), 1 / self.targets))


class Weighted(Balancer):
    """Base of methods that are a weighting of torchjd.

    Some keep state of a fixed size. Which targets have labels changes from batch to batch, so
    every set of them that is met has a weighting of its own.
    """

    def __init__(self, targets: int, rate: float = 3e-3, **options: float) -> None:
        super().__init__(targets, rate, **options)
        self.weightings: dict[tuple[bool, ...], Any] = {}

    def make(self, count: int) -> Any:
        """Return the weighting of torchjd for some number of targets."""
        raise NotImplementedError

    def weights_for(self, weighting: Any, gramian: Tensor) -> Tensor:
        """Return the weights (t,) for a Gramian (t, t)."""
        return weighting(gramian)

    def weigh(self, losses: Tensor, gramian: Tensor | None, present: Tensor) -> Tensor:
        assert gramian is not None
        key = tuple(present.tolist())
        if key not in self.weightings:
            self.weightings[key] = self.make(sum(key))
        # Solvers stop at fixed tolerances, so gradients are brought to a size of about 1.
        part = gramian[present][:, present].double()
        part = part / part.diagonal().mean()
        weights = losses.new_zeros(self.targets)
        weights[present] = self.weights_for(self.weightings[key], part).to(weights.dtype)
        return weights


class MultipleGradient(Weighted):
    """Takes the shortest vector in the hull of the gradients."""

    name = "mgda"

    def make(self, count: int) -> Any:
        from torchjd.aggregation import MGDAWeighting

        return MGDAWeighting()


class CAGrad(Weighted):
    """Serves the worst-off target within a ball around the mean gradient."""

    name = "cagrad"

    def make(self, count: int) -> Any:
        from torchjd.aggregation import CAGradWeighting

        return CAGradWeighting(self.option["c"])


class ImpartialGradients(Weighted):
    """Takes the vector that has the same length along every gradient."""

    name = "imtl-g"

    def make(self, count: int) -> Any:
        from torchjd.aggregation import IMTLGWeighting

        return IMTLGWeighting()


class AlignedMTL(Weighted):
    """Levels the singular values of the gradients."""

    name = "aligned-mtl"

    def make(self, count: int) -> Any:
        from torchjd.aggregation import AlignedMTLWeighting

        return AlignedMTLWeighting()


class FairGrad(Weighted):
    """Shares progress by alpha-fairness."""

    name = "fairgrad"

    def make(self, count: int) -> Any:
        from torchjd.aggregation import FairGradWeighting

        return FairGradWeighting(self.option["alpha"])


class UPGrad(Weighted):
    """Projects each gradient onto the cone where no target is harmed, and adds them up."""

    name = "upgrad"

    def make(self, count: int) -> Any:
        from torchjd.aggregation import UPGradWeighting

        return UPGradWeighting()


class DualProj(Weighted):
    """Projects the mean gradient onto the cone where no target is harmed."""

    name = "dualproj"

    def make(self, count: int) -> Any:
        from torchjd.aggregation import DualProjWeighting

        return DualProjWeighting()


class PriorityDescent(Weighted):
    """Serves the first target, as far as the others keep some progress."""

    name = "pcd"

    def make(self, count: int) -> Any:
        from torchjd.aggregation import PCDWeighting

        return PCDWeighting(self.option["tau"])


class ConFIG(Weighted):
    """Takes the vector that has the same cosine to every gradient.

    What it makes of gradients J is a combination of J's rows. So it may be shown any t x t matrix
    with the Gramian of J instead, and the weights are read from what it makes of that.
    """

    name = "config"

    def make(self, count: int) -> Any:
        from torchjd.aggregation import ConFIG as Aggregator

        return Aggregator()

    def weights_for(self, weighting: Any, gramian: Tensor) -> Tensor:
        matrix = square_root(gramian)
        vector = weighting(matrix)[:, None]
        return torch.linalg.lstsq(matrix.T, vector, driver="gelsd").solution[:, 0]


def square_root(gramian: Tensor) -> Tensor:
    """Return a symmetric matrix R with R R = G, for a positive semi-definite G (t, t).

    Example:
        >>> square_root(torch.tensor([[4.0, 0.0], [0.0, 9.0]])).round().tolist()
        [[2.0, 0.0], [0.0, 3.0]]
    """
    values, vectors = torch.linalg.eigh(gramian)
    return vectors * values.clamp(min=0).sqrt() @ vectors.T
