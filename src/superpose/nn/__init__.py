"""The modules of a network, from the input column to the head of a target.

>>> import torch
>>> from superpose.nn import Architecture, Network, NumberEncoder
>>> numbers = NumberEncoder([[-1.0, 0.0, 1.0], [0.0, 1.0]], width=8)
>>> network = Network({"numbers": numbers}, {"weight": 2, "sick": 1}, Architecture(members=4))
>>> network({"numbers": torch.randn(5, 2)}).shape      # rows, members, targets, raw outputs
torch.Size([5, 4, 2, 2])
"""

from typing import TYPE_CHECKING

from superpose.moved import moved_names

from ._cost import Cost, network_cost
from ._dense_network import AnyHead, DenseNetwork, Outputs
from ._grouped import Grouped
from ._measured import Measured
from ._network import GIVEN, Architecture, Network
from ._stacked import StackedNetworks, StateDict
from ._trunk import MemberLinear, Trunk, gradients_at_input
from .augment._augment import Augment, AugmentRecord, ImageAugment, transform_grid
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
from .heads._bank import HeadBank, module_key
from .heads._base import Head
from .heads._dense import CustomHead, DenseHead, LocationHead
from .heads._item_tower import ItemTower, RetrievalHead
from .heads._residual_forecast import ResidualForecastHead
from .heads._table import HEADS, head_of
from .heads._text_decoder import TextDecoder

__all__ = [
    "AUGMENTS",
    "BACKBONES",
    "ENCODERS",
    "FUSIONS",
    "GIVEN",
    "HEADS",
    "AnyHead",
    "Architecture",
    "AudioEncoder",
    "Augment",
    "AugmentRecord",
    "BothWays",
    "CategoryEncoder",
    "Cost",
    "CustomHead",
    "DenseHead",
    "DenseNetwork",
    "Fusion",
    "Grouped",
    "Head",
    "HeadBank",
    "ImageAugment",
    "ImageEncoder",
    "ItemTower",
    "LocationHead",
    "MapEncoder",
    "Measured",
    "MemberLinear",
    "MultiHotEncoder",
    "Network",
    "NoFusion",
    "NumberEncoder",
    "Outputs",
    "PretrainedAudio",
    "PretrainedImage",
    "PretrainedText",
    "PretrainedWords",
    "ReadImage",
    "RephraseAugment",
    "ResidualForecastHead",
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
    "gradients_at_input",
    "head_of",
    "module_key",
    "network_cost",
    "pretrained_model",
    "transform_grid",
]

if not TYPE_CHECKING:  # type checkers know the new names only
    __getattr__ = moved_names(
        __name__,
        {
            "FromPast": "superpose.nn:ResidualForecastHead",
            "OwnHead": "superpose.nn:CustomHead",
            "PerPlace": "superpose.nn:DenseHead",
            "PlaceHead": "superpose.nn:LocationHead",
        },
    )
