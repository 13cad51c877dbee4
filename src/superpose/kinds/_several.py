"""Several numbers of one scale in a row: the steps of a forecast, a vector, the cells of a map."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from superpose.columns import (
    Column,
    as_steps,
    in_units,
    index_in_row,
    mean_absolute,
    root_mean_square,
)
from superpose.distributions import NormalVector, mean_of_known
from superpose.errors import DataError, location, message

from ._metrics import quiet
from ._observed import ObservedColumns
from ._target import TargetKind
from .tabular._number import CLIP


@dataclass(kw_only=True)
class SeveralNumbers(TargetKind):
    """Base of targets with H numbers in a row, some of which may be missing."""

    metric: ClassVar[str] = "rmse"
    higher_is_better: ClassVar[bool] = False
    mean: float
    scale: float
    constant_value: float | None = None

    @property
    @abstractmethod
    def distribution(self) -> NormalVector:
        """The means, then the scales of the numbers, standardised."""

    @property
    def constant_reason(self) -> str | None:
        if self.constant_value is None:
            return None
        return f"every value of the training rows is {self.constant_value:g}"

    def _metrics(self, y: np.ndarray, pred: np.ndarray, **options: Any) -> dict[str, float]:
        known = ~np.isnan(y)
        true = y[known]
        mean = self.distribution.parameters(pred)[0][known]
        error = mean - true
        return {
            "rmse": root_mean_square(error, self.scale) if len(true) else np.nan,
            "mae": mean_absolute(error, self.scale) if len(true) else np.nan,
            "r2": quiet("r2_score", true, mean) if len(true) > 1 and true.std() > 0 else np.nan,
        }

    def in_units(self, standard: np.ndarray) -> np.ndarray:
        """Undo the standardisation of labels or predicted means."""
        return in_units(standard, self.mean, self.scale)


def observed_mean(edges: list[float]) -> ObservedColumns:
    """Numbers of a row as others read them: the mean of those that are known.

    Args:
        edges: bin edges of that mean, standardised.
    """
    return ObservedColumns([edges], clipped_mean)


def clipped_mean(y: np.ndarray) -> np.ndarray:
    """The mean of the numbers of each row that are known, float32 (N, 1)."""
    return np.clip(mean_of_known(np.asarray(y)), -CLIP, CLIP).astype(np.float32)[:, None]


def number_block(column: str, values: Column, length: int | None = None) -> np.ndarray:
    """Lists of one length as (N, H), NaN where missing; a row without a list is missing.

    Args:
        column: name of the column, for messages.
        values: lists of numbers.
        length: numbers H of a list; as many as the first has if None.

    Raises:
        DataError: no lists of numbers, or the first row whose list has another length.
    """
    steps = as_steps(column, values, 1)
    counts = np.bincount(steps.rows, minlength=len(values))
    filled = np.flatnonzero(counts)
    if length is None:
        length = int(counts[filled[0]]) if len(filled) else 1
    wrong = filled[counts[filled] != length]
    if len(wrong):
        row = int(wrong[0])
        given = f"a list of {int(counts[row])}"
        fix = "write null for a step that is not known"
        raise DataError(
            message(location(column=column, row=row), given, f"lists of {length}", fix=fix)
        )
    block = np.full((len(values), length), np.nan)
    block[steps.rows, index_in_row(steps.rows, len(values))] = steps.values[:, 0]
    return block


def number_lists(block: np.ndarray) -> pa.Array:
    """Numbers (N, H) as lists, null in place of NaN, and where nothing of a row is known.

    Example:
        >>> number_lists(np.array([[1.0, np.nan], [np.nan, np.nan]])).to_pylist()
        [[1.0, None], None]
    """
    flat = pa.array(block.ravel(), from_pandas=True)
    ends = np.arange(len(block) + 1, dtype=np.int32) * block.shape[1]
    gone = np.isnan(block).all(axis=1)
    return pa.ListArray.from_arrays(pa.array(ends), flat, mask=pa.array(gone))
