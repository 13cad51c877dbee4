"""The modules of a network, from the input column to the head of a target.

>>> import torch
>>> from superpose.nn import Architecture, Network, NumberEncoder
>>> numbers = NumberEncoder([[-1.0, 0.0, 1.0], [0.0, 1.0]], width=8)
>>> network = Network({"numbers": numbers}, sizes=[2, 1], architecture=Architecture(members=4))
>>> network({"numbers": torch.randn(5, 2)}).shape      # rows, members, targets, raw outputs
torch.Size([5, 4, 2, 2])
"""

from ._cost import Cost, network_cost
from ._grouped import Grouped
from ._measured import Measured
from ._network import GIVEN, Architecture, Network
from ._stacked import StackedNetworks, StateDict
from ._trunk import MemberLinear, Trunk, gradients_at_input
from .augment._augment import Augment, ImageAugment, Moved, follow_grid
from .augment._augment_signals import SeriesAugment, SoundAugment
from .augment._augment_tokens import TokenAugment
from .augment._rephrase import RephraseAugment
from .augment._table import AUGMENTS, augment_of
from .backbones._image import PretrainedImage, ReadImage
from .backbones._pretrained import Tuning, pretrained_model
from .backbones._speech import PretrainedAudio
from .backbones._table import BACKBONES
from .backbones._text import PretrainedText, PretrainedWords, WordVectors
from .backbones._translate import Translator
from .encoders._audio import AudioEncoder
from .encoders._encoders import CategoryEncoder, MultiHotEncoder, NumberEncoder
from .encoders._image import ImageEncoder
from .encoders._maps import MapEncoder
from .encoders._series import SeriesEncoder
from .encoders._table import ENCODERS, encoder_of
from .encoders._text import TextEncoder
from .encoders._vectors import VectorEncoder
from .encoders._words import BothWays, WordEncoder
from .fusion import FUSIONS, Fusion, NoFusion, TaskAttention
from .heads._dense import DenseNetwork, Outputs, OwnHead, PerPlace, PlaceHead
from .heads._from_past import FromPast
from .heads._generated import TextDecoder
from .heads._retrieval import ItemTower, RetrievalHead

__all__ = [
    "AUGMENTS",
    "BACKBONES",
    "ENCODERS",
    "FUSIONS",
    "GIVEN",
    "Architecture",
    "AudioEncoder",
    "Augment",
    "BothWays",
    "CategoryEncoder",
    "Cost",
    "DenseNetwork",
    "FromPast",
    "Fusion",
    "Grouped",
    "ImageAugment",
    "ImageEncoder",
    "ItemTower",
    "MapEncoder",
    "Measured",
    "MemberLinear",
    "Moved",
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
    "RephraseAugment",
    "RetrievalHead",
    "SeriesAugment",
    "SeriesEncoder",
    "SoundAugment",
    "StackedNetworks",
    "StateDict",
    "TaskAttention",
    "TextDecoder",
    "TextEncoder",
    "TokenAugment",
    "Translator",
    "Trunk",
    "Tuning",
    "VectorEncoder",
    "WordEncoder",
    "WordVectors",
    "augment_of",
    "encoder_of",
    "follow_grid",
    "gradients_at_input",
    "network_cost",
    "pretrained_model",
]
