"""Fusion: how targets share, one method in one file each; ``FUSIONS`` has them by name.

A method may act at two points. Most leave the trunk's linear map to task states as it is and let
the states exchange; the methods with experts or masks form the states themselves (``towers``).

>>> import torch
>>> from superpose.nn import FUSIONS
>>> exchange = FUSIONS["task-attention"](3, 8, rank=4)
>>> states = torch.randn(5, 3, 8)                       # rows, targets, width
>>> bool((exchange(states) == states).all())            # nothing is shared at the start
True
>>> form = FUSIONS["mmoe"].towers(12, 3, task_dim=8, n_members=2)
>>> form(torch.randn(5, 2, 12)).shape                   # rows, members, targets times width
torch.Size([5, 2, 24])
"""

from superpose.methods import FUSION_METHODS, Classes

from ._attention import TaskAttention
from ._base import Fusion, NoFusion

FUSIONS: Classes[Fusion] = Classes(FUSION_METHODS)

__all__ = ["FUSIONS", "Fusion", "NoFusion", "TaskAttention"]
