"""What augments the array of which input while networks learn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ._augment import Augment, image_augment, pretrained_image_augment
from ._augment_signals import audio_augment, series_augment
from ._augment_tokens import sequence_augment, text_augment

AUGMENTS: dict[str, Callable[[Any], Augment | None]] = {
    "text": text_augment,
    "sequence": sequence_augment,
    "series": series_augment,
    "image": image_augment,
    "audio": audio_augment,
    "pretrained-image": pretrained_image_augment,
}
"""By the name of a kind: builds what augments the array of a fitted input, None for nothing."""


def augment_of(kind: Any) -> Augment | None:
    """Build what augments the array of a fitted input while networks learn, None for nothing.

    Example:
        >>> import pyarrow as pa
        >>> from superpose.kinds import INPUT_KINDS
        >>> bought = pa.chunked_array([[["milk", "tea"], ["tea"]]])
        >>> augment_of(INPUT_KINDS["sequence"].fit("bought", bought, augment={"drop": 0.2}))
        TokenAugment(drop=0.2, replace=0.0, others=None, rephrase=None)
    """
    build = AUGMENTS.get(kind.name)
    return None if build is None else build(kind)
