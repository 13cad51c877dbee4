"""Targets with a label for each location of an input: a word of a text, a cell of an image."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from superpose.columns import Column


def _all_fit(values: Column, inputs: Column, **options: Any) -> np.ndarray:
    return np.ones(len(values), bool)


def _as_they_are(decoded: pa.Array, inputs: Column, **options: Any) -> pa.Array:
    return decoded


@dataclass(frozen=True)
class Locations:
    """The locations of an input at which a target has a label each.

    Raw outputs, canonical predictions and labels of all locations lie side by side: a row has as
    many as the input has, and NaN where it has no such location.

    Args:
        of: name of the input.
        count: locations of a row, at most.
        grid: height and width where they are cells of an image; None where they are words.
        fits: marks the rows (N,) whose labels fit their input, given the labels, the values of the
            input, and the folder of its files; raises DataError with rows that don't.
        in_units: decoded predictions in units of each row's own input, such as the pixels of its
            image.
    """

    of: str
    count: int
    grid: tuple[int, int] | None = None
    fits: Callable[..., np.ndarray] = _all_fit
    in_units: Callable[..., pa.Array] = _as_they_are
