"""One fold: which rows a model learns from, and which it is validated on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Fold:
    """The rows of one model.

    Args:
        train: Indices of the rows that it learns from.
        validation: Indices of the rows on which it is stopped and evaluated.

    Example:
        >>> fold = Fold(train=np.arange(8), validation=np.arange(8, 10))
        >>> len(fold.train), len(fold.validation)
        (8, 2)
    """

    train: np.ndarray
    validation: np.ndarray
