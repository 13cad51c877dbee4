"""Balancing: how targets weigh against each other in a step; ``BALANCERS`` names the methods.

All answer one question: given the losses of a batch, and for some methods the inner products of
the targets' gradients, what weight does each target get?

>>> import torch
>>> from superpose.balance import BALANCERS, weights_of
>>> conflict = torch.tensor([[1.0, -0.5], [-0.5, 4.0]])   # the second gradient is twice as long
>>> both = torch.tensor([True, True])
>>> weights = weights_of(BALANCERS["imtl-g"](2), torch.ones(2), conflict, both)
>>> [round(float(w), 2) for w in weights]                 # as much progress along each of them
[1.33, 0.67]

Most are torchjd's, which is asked; written again are the three that would outlast a step there.
"""

from ._base import Balancer, Option, PlainSum, weights_of
from ._fast import GradVac, NashMTL, PCGrad
from ._own import DualBalancing, GradNorm, LogLoss
from ._torchjd import (
    AlignedMTL,
    BoundaryIntersection,
    CAGrad,
    ConFIG,
    Cosmos,
    DualProj,
    DynamicAverage,
    FairGrad,
    FastAdaptive,
    GeometricMean,
    ImpartialGradients,
    ImpartialLosses,
    MultipleGradient,
    PriorityDescent,
    RandomWeights,
    SmoothTchebycheff,
    UncertaintyWeights,
    UPGrad,
)

BALANCERS: dict[str, type[Balancer]] = {
    "sum": PlainSum,
    "log": LogLoss,
    "uw": UncertaintyWeights,
    "dwa": DynamicAverage,
    "rlw": RandomWeights,
    "imtl-l": ImpartialLosses,
    "gls": GeometricMean,
    "stch": SmoothTchebycheff,
    "pbi": BoundaryIntersection,
    "cosmos": Cosmos,
    "famo": FastAdaptive,
    "gradnorm": GradNorm,
    "db-mtl": DualBalancing,
    "mgda": MultipleGradient,
    "pcgrad": PCGrad,
    "gradvac": GradVac,
    "cagrad": CAGrad,
    "imtl-g": ImpartialGradients,
    "nash-mtl": NashMTL,
    "aligned-mtl": AlignedMTL,
    "fairgrad": FairGrad,
    "config": ConFIG,
    "upgrad": UPGrad,
    "dualproj": DualProj,
    "pcd": PriorityDescent,
}

__all__ = ["BALANCERS", "Balancer", "Option", "weights_of"]
