"""The modules of a network, from the input column to the head of a target.

>>> import torch
>>> from superpose.nn import Architecture, Network, NumberEncoder
>>> numbers = NumberEncoder([[-1.0, 0.0, 1.0], [0.0, 1.0]], width=8)
>>> network = Network({"numbers": numbers}, sizes=[2, 1], architecture=Architecture(members=4))
>>> network({"numbers": torch.randn(5, 2)}).shape      # rows, members, targets, raw outputs
torch.Size([5, 4, 2, 2])
"""

from ._encoders import CategoryEncoder, MultiHotEncoder, NumberEncoder
from ._fusion import FUSIONS, EssayFusion, Fusion, NoFusion, TaskAttention
from ._image import ImageEncoder
from ._measured import Measured
from ._network import GIVEN, Architecture, Network
from ._text import TextEncoder
from ._trunk import MemberLinear, Trunk

__all__ = [
    "FUSIONS",
    "GIVEN",
    "Architecture",
    "CategoryEncoder",
    "EssayFusion",
    "Fusion",
    "ImageEncoder",
    "Measured",
    "MemberLinear",
    "MultiHotEncoder",
    "Network",
    "NoFusion",
    "NumberEncoder",
    "TaskAttention",
    "TextEncoder",
    "Trunk",
]
