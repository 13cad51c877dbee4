"""Which head a distribution has: the one table to enter another in."""

from __future__ import annotations

from typing import Any

from superpose.distributions import (
    Bernoulli,
    Categorical,
    Count,
    Detections,
    Distribution,
    Hazard,
    Items,
    LocationCategorical,
    Multilabel,
    Normal,
    NormalVector,
    Ordinal,
    Text,
)

from ._base import Head
from ._categorical import (
    BernoulliHead,
    CategoricalHead,
    LocationCategoricalHead,
    MultilabelHead,
    OrdinalHead,
)
from ._count import CountHead
from ._detections import DetectionHead
from ._hazard import HazardHead
from ._items import ItemsHead
from ._normal import NormalHead, NormalVectorHead
from ._text import TextHead

HEADS: dict[type[Distribution], type[Head]] = {
    Normal: NormalHead,
    NormalVector: NormalVectorHead,
    Bernoulli: BernoulliHead,
    Categorical: CategoricalHead,
    Ordinal: OrdinalHead,
    Multilabel: MultilabelHead,
    Count: CountHead,
    Hazard: HazardHead,
    LocationCategorical: LocationCategoricalHead,
    Items: ItemsHead,
    Detections: DetectionHead,
    Text: TextHead,
}


def head_of(kind: Any) -> Head:
    """Return the head of a fitted target.

    Args:
        kind: A ``TargetKind``; its distribution is looked up in ``HEADS``.

    Raises:
        TypeError: A distribution without a head.
    """
    family = type(kind.distribution)
    if family not in HEADS:
        raise TypeError(
            f"distribution {family.__name__} has no head; write one and enter it in "
            f"superpose.nn.HEADS"
        )
    return HEADS[family].of(kind)
