"""What runs the pretrained model of each kind of input that has one."""

from __future__ import annotations

from typing import Any

from ._image import FrozenImages
from ._speech import FrozenSounds
from ._text import FrozenText
from ._translate import Translations

BACKBONES: dict[str, Any] = {
    "text": Translations(),
    "pretrained-text": FrozenText(),
    "pretrained-image": FrozenImages(),
    "pretrained-audio": FrozenSounds(),
}
"""By the name of a kind: an object with the methods that the kind needs of its backbone."""
