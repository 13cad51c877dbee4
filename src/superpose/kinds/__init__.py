"""Kinds of inputs and targets: the one place to add another.

A kind knows everything about its column: how it is encoded, which module reads it, which loss and
metrics it has, and how predictions become the user's values again. To add one, write a class in a
file of its own and name it in a table below; the tests of all kinds then run on it.

    >>> import pyarrow as pa
    >>> from superpose.kinds import TARGET_KINDS
    >>> kind = TARGET_KINDS["binary"].fit("sick", pa.chunked_array([["no", "yes", None]]))
    >>> kind.encode(pa.chunked_array([["yes", None]])).tolist()
    [1.0, nan]
"""

from superpose.columns import Column, mask_array, present

from ._beside import Beside, FileForm
from ._input import InputHints, InputKind, Outside, Pictures
from ._metrics import auc
from ._options import Options
from ._target import TargetKind
from ._unknown import NamedClasses, Unknown, UnknownLabels
from .items._embedding import EmbeddingInput
from .items._entity import EntityInput
from .items._items import Items
from .items._retrieval import RetrievalTarget
from .items._sequence import SequenceInput
from .items._vector import VectorTarget
from .sound._audio import AudioInput
from .sound._pretrained_audio import PretrainedAudioInput
from .tabular._binary import BinaryInput, BinaryTarget
from .tabular._category import CategoryInput, CategoryTarget
from .tabular._count import CountTarget
from .tabular._date import DateInput
from .tabular._multicategory import MultiCategoryInput
from .tabular._multilabel import MultilabelTarget
from .tabular._number import NumberInput, NumberTarget
from .tabular._ordinal import OrdinalTarget
from .tabular._survival import SurvivalTarget
from .text._generated import GeneratedTextTarget
from .text._pretrained import PretrainedTextInput
from .text._text import TextInput
from .text._tokens import TokensTarget
from .time._forecast import ForecastTarget
from .time._series import SeriesInput
from .vision._boxes import BoxesTarget
from .vision._image import ImageInput
from .vision._map import MapTarget
from .vision._mask import MaskTarget
from .vision._pretrained_image import PretrainedImageInput

INPUT_KINDS: dict[str, type[InputKind]] = {
    kind.name: kind
    for kind in (
        NumberInput,
        CategoryInput,
        BinaryInput,
        DateInput,
        TextInput,
        ImageInput,
        MultiCategoryInput,
        SequenceInput,
        EmbeddingInput,
        EntityInput,
        SeriesInput,
        AudioInput,
        PretrainedTextInput,
        PretrainedImageInput,
        PretrainedAudioInput,
    )
}

TARGET_KINDS: dict[str, type[TargetKind]] = {
    kind.name: kind
    for kind in (
        NumberTarget,
        BinaryTarget,
        CategoryTarget,
        OrdinalTarget,
        MultilabelTarget,
        CountTarget,
        TokensTarget,
        MaskTarget,
        BoxesTarget,
        SurvivalTarget,
        ForecastTarget,
        MapTarget,
        RetrievalTarget,
        GeneratedTextTarget,
        VectorTarget,
    )
}

__all__ = [
    "INPUT_KINDS",
    "TARGET_KINDS",
    "Beside",
    "BinaryTarget",
    "Column",
    "FileForm",
    "InputHints",
    "InputKind",
    "Items",
    "NamedClasses",
    "Options",
    "Outside",
    "Pictures",
    "TargetKind",
    "Unknown",
    "UnknownLabels",
    "auc",
    "mask_array",
    "present",
]
