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
from .augment._augment import Augment, AugmentOptions, ImageAugment, Moved, follow_grid, how_varied
from .augment._augment_signals import (
    AudioAugmentOptions,
    SeriesAugment,
    SeriesAugmentOptions,
    SoundAugment,
)
from .augment._augment_tokens import DropOptions, TextAugmentOptions, TokenAugment, read_synonyms
from .augment._rephrase import RephraseAugment, rephrased
from .backbones._backbones import (
    PretrainedImage,
    ReadImage,
    image_model,
    stride_of,
    whole_and_places,
)
from .backbones._checkpoints import (
    SIGNAL_FILES,
    TEXT_FILES,
    Checkpoint,
    Share,
    find_model,
    frozen,
    read_json,
    refused,
    require_transformers,
)
from .backbones._pretrained import (
    PretrainedText,
    PretrainedWords,
    WordVectors,
    first_pieces,
    mean_of_tokens,
    pretrained_model,
    token_states,
)
from .backbones._speech import PretrainedAudio, mean_of_frames, speech_model
from .backbones._translate import Translator
from .encoders._audio import AudioEncoder
from .encoders._encoders import CategoryEncoder, MultiHotEncoder, NumberEncoder
from .encoders._image import ImageEncoder
from .encoders._maps import MapEncoder
from .encoders._series import SeriesEncoder
from .encoders._text import TextEncoder
from .encoders._vectors import VectorEncoder
from .encoders._words import BothWays, WordEncoder
from .fusion import FUSIONS, Fusion, NoFusion, TaskAttention
from .heads._dense import DenseNetwork, Outputs, OwnHead, PerPlace, PlaceHead
from .heads._from_past import FromPast
from .heads._generated import TextDecoder
from .heads._retrieval import ItemTower, RetrievalHead

__all__ = [
    "FUSIONS",
    "GIVEN",
    "SIGNAL_FILES",
    "TEXT_FILES",
    "Architecture",
    "AudioAugmentOptions",
    "AudioEncoder",
    "Augment",
    "AugmentOptions",
    "BothWays",
    "CategoryEncoder",
    "Checkpoint",
    "Cost",
    "DenseNetwork",
    "DropOptions",
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
    "SeriesAugmentOptions",
    "SeriesEncoder",
    "Share",
    "SoundAugment",
    "StackedNetworks",
    "StateDict",
    "TaskAttention",
    "TextAugmentOptions",
    "TextDecoder",
    "TextEncoder",
    "TokenAugment",
    "Translator",
    "Trunk",
    "VectorEncoder",
    "WordEncoder",
    "WordVectors",
    "find_model",
    "first_pieces",
    "follow_grid",
    "frozen",
    "gradients_at_input",
    "how_varied",
    "image_model",
    "mean_of_frames",
    "mean_of_tokens",
    "network_cost",
    "pretrained_model",
    "read_json",
    "read_synonyms",
    "refused",
    "rephrased",
    "require_transformers",
    "speech_model",
    "stride_of",
    "token_states",
    "whole_and_places",
]
