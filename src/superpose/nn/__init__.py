"""The modules of a network, from the input column to the head of a target.

>>> import torch
>>> from superpose.nn import Architecture, Network, NumberEncoder
>>> numbers = NumberEncoder([[-1.0, 0.0, 1.0], [0.0, 1.0]], width=8)
>>> network = Network({"numbers": numbers}, sizes=[2, 1], architecture=Architecture(members=4))
>>> network({"numbers": torch.randn(5, 2)}).shape      # rows, members, targets, raw outputs
torch.Size([5, 4, 2, 2])
"""

from ._audio import AudioEncoder
from ._backbones import PretrainedImage, ReadImage, image_model, stride_of, whole_and_places
from ._cost import Cost, network_cost
from ._dense import DenseNetwork, Outputs, OwnHead, PerPlace, PlaceHead
from ._encoders import CategoryEncoder, MultiHotEncoder, NumberEncoder
from ._from_past import FromPast
from ._generated import TextDecoder
from ._grouped import Grouped
from ._image import ImageEncoder
from ._maps import MapEncoder
from ._measured import Measured
from ._network import GIVEN, Architecture, Network
from ._pretrained import (
    PretrainedText,
    PretrainedWords,
    WordVectors,
    first_pieces,
    mean_of_tokens,
    pretrained_model,
    token_states,
)
from ._retrieval import ItemTower, RetrievalHead
from ._series import SeriesEncoder
from ._speech import PretrainedAudio, mean_of_frames, speech_model
from ._text import TextEncoder
from ._translate import Translator
from ._trunk import MemberLinear, Trunk, gradients_behind
from ._vectors import VectorEncoder
from ._words import BothWays, WordEncoder
from .fusion import FUSIONS, Fusion, NoFusion, TaskAttention

__all__ = [
    "FUSIONS",
    "GIVEN",
    "Architecture",
    "AudioEncoder",
    "BothWays",
    "CategoryEncoder",
    "Cost",
    "DenseNetwork",
    "FromPast",
    "Fusion",
    "Grouped",
    "ImageEncoder",
    "ItemTower",
    "MapEncoder",
    "Measured",
    "MemberLinear",
    "MultiHotEncoder",
    "Network",
    "NoFusion",
    "NumberEncoder",
    "Outputs",
    "OwnHead",
    "PerPlace",
    "PlaceHead",
    "PretrainedAudio",
    "PretrainedImage",
    "PretrainedText",
    "PretrainedWords",
    "ReadImage",
    "RetrievalHead",
    "SeriesEncoder",
    "TaskAttention",
    "TextDecoder",
    "TextEncoder",
    "Translator",
    "Trunk",
    "VectorEncoder",
    "WordEncoder",
    "WordVectors",
    "first_pieces",
    "gradients_behind",
    "image_model",
    "mean_of_frames",
    "mean_of_tokens",
    "network_cost",
    "pretrained_model",
    "speech_model",
    "stride_of",
    "token_states",
    "whole_and_places",
]
