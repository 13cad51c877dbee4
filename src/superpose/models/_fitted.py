"""A model fresh from its fitting."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, TypeVar

import numpy as np

from ._base import Model

M = TypeVar("M", bound=Model)


@dataclass
class Fitted(Generic[M]):
    """A model, and what it predicts for rows that it has not learned from.

    Args:
        model: The model.
        oof_predictions: For each target the canonical predictions (N, K) of all rows, NaN where a
            row is in no fold's validation; of conditional trees by level instead, for one target.
    """

    model: M
    oof_predictions: dict[str, np.ndarray] = field(default_factory=dict)
