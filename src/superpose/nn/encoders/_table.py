"""Which encoder reads the array of which inputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch import nn

from superpose.nn.backbones._image import pretrained_image_encoder
from superpose.nn.backbones._speech import pretrained_audio_encoder
from superpose.nn.backbones._text import pretrained_text_encoder

from ._audio import audio_encoder
from ._encoders import categories_encoder, multihot_encoder, numbers_encoder
from ._image import image_encoder
from ._series import series_encoder
from ._text import sequence_encoder
from ._vectors import vectors_encoder
from ._words import text_encoder

BuildEncoder = Callable[[Sequence[Any], int], nn.Module]
"""Builds what reads the array of some fitted kinds of input, with tokens of a width."""

ENCODERS: dict[str, BuildEncoder] = {
    # Of groups, whose kinds are laid side by side:
    "numbers": numbers_encoder,
    "categories": categories_encoder,
    "multihot": multihot_encoder,
    # Of kinds that name it in their hints:
    "vectors": vectors_encoder,
    # Of kinds with an array of their own, by their names:
    "text": text_encoder,
    "sequence": sequence_encoder,
    "series": series_encoder,
    "image": image_encoder,
    "audio": audio_encoder,
    "pretrained-text": pretrained_text_encoder,
    "pretrained-image": pretrained_image_encoder,
    "pretrained-audio": pretrained_audio_encoder,
}


def encoder_of(kinds: Sequence[Any], width: int) -> nn.Module:
    """Build the module that turns the array of inputs into tokens (B, S, d).

    Args:
        kinds: The fitted inputs of one group, or a single input without one.
        width: Largest token width d of columns of a table, smallest of all others.

    Example:
        >>> import pyarrow as pa
        >>> from superpose.kinds import INPUT_KINDS
        >>> age = INPUT_KINDS["number"].fit("age", pa.chunked_array([[31.0, 47.0, 55.0]]))
        >>> type(encoder_of([age], width=8)).__name__
        'NumberEncoder'
    """
    kind = kinds[0]
    return ENCODERS[kind.group or kind.hints.encoder or kind.name](kinds, width)
