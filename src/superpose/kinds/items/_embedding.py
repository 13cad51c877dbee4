"""Vectors that another model has made: embeddings of sentences, images, molecules, users."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from superpose.columns import Column, is_list, one, plain, require_float32
from superpose.errors import DataError, location, message
from superpose.kinds._input import InputHints, InputKind

FARTHEST = 1e3  # spreads


@dataclass(kw_only=True)
class VectorInput(InputKind):
    """Base of inputs that give the network a vector in every row, NaN throughout where missing."""

    hints: ClassVar[InputHints] = InputHints(encoder="vectors")
    mean: list[float]
    scale: list[float]
    count: int  # training rows that have a vector

    @property
    def drop_reason(self) -> str | None:
        return None if self.count else "empty"

    def take_moments(self, vectors: np.ndarray) -> None:
        """Learn how vectors (N, D) of training rows are standardised."""
        self.mean, self.scale, self.count = moments(vectors)

    @abstractmethod
    def encode(self, values: Column) -> np.ndarray:
        """Standardised vectors (N, D), NaN throughout where missing."""

    def features(self, values: Column) -> tuple[np.ndarray, list[bool], list[str]]:
        return as_features(self.column, self.encode(values))


def standardised(vectors: np.ndarray, mean: Sequence[float], scale: Sequence[float]) -> np.ndarray:
    """Vectors (..., D) less their mean and over their scale, float32."""
    with np.errstate(over="ignore"):
        centred = vectors - np.asarray(mean, np.float32)
        standard = np.asarray(centred / np.asarray(scale, np.float32), np.float32)
    # A number so far out is of another model; the network would make infinity of it.
    return np.clip(standard, -FARTHEST, FARTHEST)


def as_features(column: str, vectors: np.ndarray) -> tuple[np.ndarray, list[bool], list[str]]:
    """Vectors (N, D) as columns for trees, none of them categorical, with their names."""
    names = [f"{column} ({i})" for i in range(vectors.shape[1])]
    return vectors, [False] * len(names), names


def moments(vectors: np.ndarray) -> tuple[list[float], list[float], int]:
    """The mean and scale of each number of vectors (N, D), and how many rows have one."""
    there = vectors[~np.isnan(vectors).any(axis=1)].astype(np.float64)
    if not len(there):
        length = vectors.shape[1]
        return [0.0] * length, [1.0] * length, 0
    scale = there.std(axis=0)
    # All numbers of an embedding are of one kind; one that hardly varies must not be blown up.
    least = max(float(scale.max()) * 1e-3, 1e-12)
    mean = there.mean(axis=0).tolist()
    return mean, np.maximum(scale, least).tolist(), len(there)


@dataclass(kw_only=True)
class EmbeddingInput(VectorInput):
    """A vector of so many numbers in every row, as a list.

    Example:
        >>> values = pa.chunked_array([[[0.0, 1.0], [2.0, 5.0], None]])
        >>> EmbeddingInput.fit("e", values).encode(values).tolist()
        [[-1.0, -1.0], [1.0, 1.0], [nan, nan]]
    """

    name: ClassVar[str] = "embedding"
    hints: ClassVar[InputHints] = InputHints(takes_lists=True, encoder="vectors")

    @classmethod
    def check(cls, column: str, values: Column, **options: Any) -> None:
        _matrix(column, values, None)

    @classmethod
    def fit(cls, column: str, values: Column, **options: Any) -> Self:
        mean, scale, count = moments(_matrix(column, values, None))
        return cls(column=column, mean=mean, scale=scale, count=count)

    def encode(self, values: Column) -> np.ndarray:
        vectors = _matrix(self.column, values, len(self.mean))
        return standardised(vectors, self.mean, self.scale)

    def describe(self) -> str:
        return f"vectors of {len(self.mean)} numbers"


def _matrix(column: str, values: Column, length: int | None) -> np.ndarray:
    """Lists of numbers as float32 (N, D), NaN throughout where a row has no list.

    Raises:
        DataError: no lists of numbers; a list of another length, or with a gap, with its row.
    """
    values = plain(values)
    if pa.types.is_null(values.type):
        return np.full((len(values), length or 1), np.nan, np.float32)
    if not is_list(values.type) or not _numeric(values.type.value_type):
        given = f"holds {values.type}"
        raise DataError(message(location(column=column), given, "a list of numbers in every row"))
    lists = one(values)
    if pa.types.is_fixed_size_list(lists.type):
        lists = lists.cast(pa.list_(lists.type.value_type))
    lengths = np.asarray(pc.fill_null(pc.list_value_length(lists), 0))
    there = np.asarray(lists.is_valid())
    known = lengths[there]
    expected = length or (int(np.bincount(known).argmax()) if len(known) else 1)
    wrong = there & (lengths != expected)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise DataError(
            message(
                location(column=column, row=row),
                f"a list of {lengths[row]} numbers",
                f"{expected} numbers, as in the other rows",
                fix="mend the row, or leave the cell empty",
            )
        )
    flat = pc.list_flatten(lists).cast(pa.float64())
    wide = np.asarray(pc.fill_null(flat, np.nan), np.float64).reshape(-1, max(expected, 1))
    gaps = ~np.isfinite(wide).all(axis=1)
    if gaps.any():
        row = int(np.flatnonzero(there)[np.argmax(gaps)])
        given = "a list with a gap or a number that is not finite"
        fix = "fill the gap, or leave the cell empty"
        raise DataError(message(location(column=column, row=row), given, "numbers only", fix=fix))
    vectors = np.full((len(lengths), max(expected, 1)), np.nan)
    vectors[there] = wide
    return require_float32(column, vectors).astype(np.float32)


def _numeric(kind: pa.DataType) -> bool:
    return bool(pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_null(kind))
