"""Kinds of inputs and targets: the one place to add another.

A kind knows everything about its column: how it is encoded, which module reads it, which loss and
metrics it has, and how predictions become the user's values again. To add one, write a class in a
file of its own and name it in a table below; the tests of all kinds then run on it.

    >>> import pyarrow as pa
    >>> from superpose.data.kinds import TARGET_KINDS
    >>> kind = TARGET_KINDS["binary"].fit("sick", pa.chunked_array([["no", "yes", None]]))
    >>> kind.encode(pa.chunked_array([["yes", None]])).tolist()
    [1.0, nan]
"""

from ._audio import AudioInput
from ._base import Beside, InputKind, TargetKind
from ._binary import BinaryInput, BinaryTarget
from ._boxes import BoxesTarget
from ._category import CategoryInput, CategoryTarget
from ._count import CountTarget
from ._date import DateInput
from ._embedding import EmbeddingInput
from ._entity import EntityInput
from ._forecast import ForecastTarget
from ._generated import GeneratedTextTarget
from ._image import ImageInput
from ._items import Items
from ._map import MapTarget
from ._mask import MaskTarget
from ._masks import mask_array
from ._multicategory import MultiCategoryInput
from ._multilabel import MultilabelTarget
from ._number import NumberInput, NumberTarget
from ._options import Options
from ._ordinal import OrdinalTarget
from ._pretrained import PretrainedTextInput
from ._pretrained_audio import PretrainedAudioInput
from ._pretrained_image import PretrainedImageInput
from ._retrieval import RetrievalTarget
from ._sequence import SequenceInput
from ._series import SeriesInput
from ._survival import SurvivalTarget
from ._text import TextInput
from ._tokens import TokensTarget
from ._unknown import NamedClasses, Unknown, UnknownLabels
from ._values import Column, present
from ._vector import VectorTarget

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
    "InputKind",
    "Items",
    "NamedClasses",
    "Options",
    "TargetKind",
    "Unknown",
    "UnknownLabels",
    "mask_array",
    "present",
]
