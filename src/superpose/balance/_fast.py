"""Methods that torchjd has too, but whose solver would take longer than the step itself.

Of Nash's bargain it solves up to twenty convex programs a step, and where gradients are many or
depend on each other it may stop far from the bargain; the projections of GradVac and PCGrad it
makes pair by pair in Python. With 30 targets these are 140, 47 and 10 ms, and here 1, 6 and 6.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ._base import Balancer


class GradVac(Balancer):
    """Turns gradients towards the cosine that they usually have.

    Source:
        Wang et al., "Gradient Vaccine", ICLR 2021, algorithm 1: each gradient is projected on the
        others in a random order; here all gradients take a step of their orders at once. The usual
        cosine of a pair is kept whatever other targets a batch has.
    """

    name = "gradvac"

    def __init__(self, targets: int, rate: float = 3e-3, **options: float) -> None:
        super().__init__(targets, rate, **options)
        self.usual = torch.zeros(targets, targets, dtype=torch.float64)
        # Without the option the usual cosine stays where it begins, at 0.
        self.beta = self.option.get("beta", 0.0)

    def weigh(self, losses: Tensor, gramian: Tensor | None, present: Tensor) -> Tensor:
        assert gramian is not None
        here = present.nonzero()[:, 0]
        pairs = here[:, None], here
        raw, self.usual[pairs] = vaccinated(gramian[pairs].double(), self.usual[pairs], self.beta)
        return losses.new_zeros(self.targets).masked_scatter(present, raw.to(losses.dtype))


class PCGrad(GradVac):
    """Projects each gradient off those it conflicts with.

    Source:
        Yu et al., "Gradient Surgery for Multi-Task Learning", NeurIPS 2020, algorithm 1, which is
        GradVac's where the cosine to be had is always 0.
    """

    name = "pcgrad"


def vaccinated(gramian: Tensor, usual: Tensor, beta: float) -> tuple[Tensor, Tensor]:
    """Project gradients on each other until every pair has the cosine that it usually has.

    Args:
        gramian: The gradients' inner products.
        usual: For each pair the cosine that is to be had at least.
        beta: How far a pair's usual cosine moves to the one that is met, from 0 to 1.

    Shape:
        gramian (t, t), usual (t, t) -> weights (t,), usual (t, t).

    Example:
        >>> conflict = torch.tensor([[1.0, -0.5], [-0.5, 1.0]])
        >>> vaccinated(conflict, torch.zeros(2, 2), beta=0.0)[0].tolist()
        [1.5, 1.5]
    """
    count = len(gramian)
    smallest = 1e-8
    each = torch.arange(count)
    usual = usual.clone()
    made = torch.eye(count, dtype=gramian.dtype)  # of which gradients each one is made by now
    inner = gramian.clone()
    lengths = gramian.diagonal().clamp(min=0).sqrt()
    for other in torch.rand(count, count).argsort(1).unbind(1):
        length = (inner * made).sum(1).clamp(min=0).sqrt()
        cosine = inner[each, other] / (length * lengths[other] + smallest)
        wanted = usual[each, other]
        sine, wanted_sine = ((1 - c * c).clamp(min=0).sqrt() for c in (cosine, wanted))
        added = length * (wanted * sine - cosine * wanted_sine)
        added = added / (lengths[other] * wanted_sine + smallest)
        added = torch.where((cosine < wanted) & (each != other), added, 0.0)
        made[each, other] += added
        inner += added[:, None] * gramian[other]
        usual[each, other] += torch.where(each != other, beta * (cosine - wanted), 0.0)
    return made.sum(0), usual


class NashMTL(Balancer):
    """Bargains for a direction that no target would trade for another.

    Source:
        Navon et al., "Multi-Task Learning as a Bargaining Game", ICML 2022, claim 3.1: weights w
        with G w = 1 / w for the Gramian G. Departs by solving that exactly: it is where the convex
        function w'Gw / 2 - sum log w has its minimum, and Newton's method with the step that
        self-concordance allows (Nesterov, "Lectures on Convex Optimization", 2018, 5.2) always
        gets there. Where gradients can be combined to nothing, the bargain has no end; a little
        of the identity in G makes it that combination.

    Example:
        >>> gramian, both = torch.tensor([[1.0, -0.5], [-0.5, 4.0]]), torch.tensor([True, True])
        >>> weights = NashMTL(2).weigh(torch.ones(2), gramian, both)
        >>> gains = weights * (gramian @ weights)  # a weight is worth the same progress to both
        >>> bool(torch.isclose(gains[0], gains[1]))
        True
    """

    name = "nash-mtl"

    def weigh(self, losses: Tensor, gramian: Tensor | None, present: Tensor) -> Tensor:
        assert gramian is not None
        raw = bargain(gramian[present][:, present].double())
        return losses.new_zeros(self.targets).masked_scatter(present, raw.to(losses.dtype))


def bargain(gramian: Tensor, steps: int = 200) -> Tensor:
    """Return the positive w (t,) with G w = 1 / w for a positive semi-definite G (t, t).

    Example:
        >>> bargain(torch.tensor([[4.0, 0.0], [0.0, 1.0]])).round(decimals=3).tolist()
        [0.5, 1.0]
    """
    count = len(gramian)
    # A gradient's length divides its weight and changes nothing else.
    lengths = gramian.diagonal().sqrt()
    gramian = gramian / lengths / lengths[:, None]
    gramian = gramian + 1e-9 * torch.eye(count, dtype=gramian.dtype)
    weights = gramian.new_ones(count) * (count / gramian.sum().clamp(min=1e-6)).sqrt()
    for _ in range(steps):
        slope = gramian @ weights - 1 / weights
        step = torch.linalg.solve(gramian + (weights**-2).diag(), slope)
        decrement = (slope @ step).clamp(min=0).sqrt().item()
        # Near the minimum a whole step stays positive and doubles the digits.
        weights = weights - (step if decrement < 0.25 else step / (1 + decrement))
        if decrement < 1e-9:
            break
    return weights / lengths
