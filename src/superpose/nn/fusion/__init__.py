"""Fusion: how targets share, one method in one file each; ``FUSIONS`` names them.

A method may act at two places. Most leave the trunk's linear map to task states as it is and let
the states exchange; the methods with experts or masks form the states themselves (``towers``).

>>> import torch
>>> from superpose.nn import FUSIONS
>>> exchange = FUSIONS["task-attention"](targets=3, state=8, rank=4)
>>> states = torch.randn(5, 3, 8)                       # rows, targets, width
>>> bool((exchange(states) == states).all())            # nothing is shared at the start
True
>>> form = FUSIONS["mmoe"].towers(width=12, targets=3, state=8, members=2)
>>> form(torch.randn(5, 2, 12)).shape                   # rows, members, targets times width
torch.Size([5, 2, 24])
"""

from ._adatt import AdaTT
from ._attention import TaskAttention
from ._base import Fusion, NoFusion, Residual
from ._born import BornAttention, BornReal, SignedAttention
from ._cross_stitch import CrossStitch
from ._essay import EssayFusion
from ._inducing import InducingTokens
from ._mmoe import MMoE
from ._mtan import MTAN
from ._ple import PLE
from ._static import StaticWeights

FUSIONS: dict[str, type[Fusion]] = {
    "task-attention": TaskAttention,
    "static": StaticWeights,
    "inducing": InducingTokens,
    "cross-stitch": CrossStitch,
    "mmoe": MMoE,
    "ple": PLE,
    "adatt": AdaTT,
    "mtan": MTAN,
    "born": BornAttention,
    "born-real": BornReal,
    "signed": SignedAttention,
    "essay": EssayFusion,
    "none": NoFusion,
}

__all__ = [
    "FUSIONS",
    "MTAN",
    "PLE",
    "AdaTT",
    "BornAttention",
    "BornReal",
    "CrossStitch",
    "EssayFusion",
    "Fusion",
    "InducingTokens",
    "MMoE",
    "NoFusion",
    "Residual",
    "SignedAttention",
    "StaticWeights",
    "TaskAttention",
]
