"""Balancing: how targets weigh against each other in a step; ``BALANCERS`` has the methods by name.

All compute the same: given the losses of a batch, and for some methods the inner products of
the targets' gradients, the weight of each target.

>>> import torch
>>> from superpose.balance import BALANCERS, weights_of
>>> conflict = torch.tensor([[1.0, -0.5], [-0.5, 4.0]])   # the second gradient is twice as long
>>> both = torch.tensor([True, True])
>>> weights = weights_of(BALANCERS["imtl-g"](2), torch.ones(2), conflict, present=both)
>>> [round(float(w), 2) for w in weights]                 # as much progress along each of them
[1.33, 0.67]

Most are torchjd's, and computed there; written again are the three that would outlast a step there.
"""

from superpose.methods import BALANCE_METHODS, Classes

from ._base import Balancer, weights_of

BALANCERS: Classes[Balancer] = Classes(BALANCE_METHODS)

__all__ = ["BALANCERS", "Balancer", "weights_of"]
