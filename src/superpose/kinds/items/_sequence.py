"""Histories: categories in an order, such as what was bought, read or prescribed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

import numpy as np
import pyarrow as pa
from pydantic import Field

from superpose.columns import Column, as_text, as_words, counted, find, index_in_row, missing
from superpose.kinds._input import InputHints, InputKind
from superpose.kinds._options import DropOptions, Options

MOST_LEVELS = 50_000
TREE_LEVELS = 64  # counts for trees, of the most frequent names
PAD, UNSEEN, FIRST = 0, 1, 2


class SequenceOptions(Options):
    """Options of a history.

    Args:
        length: newest members of a history that are read.
        augment: how histories are augmented while the network learns: drop, the share of the
            members that are made unknown; they are not unless it is set.
    """

    length: int = Field(default=50, ge=1, le=512)
    augment: DropOptions | Literal["off"] | None = None


@dataclass(kw_only=True)
class SequenceInput(InputKind):
    """A history of names, oldest first, as a list or as text with blanks between the names.

    The newest ``length`` members are read, newest first, so that a position says how long ago.

    Example:
        >>> values = pa.chunked_array([[["milk", "tea"], ["tea"], None]])
        >>> SequenceInput.fit("bought", values, length=3).encode(values).tolist()
        [[2, 3, 0], [2, 0, 0], [0, 0, 0]]
    """

    name: ClassVar[str] = "sequence"
    options: ClassVar[type[Options]] = SequenceOptions
    hints: ClassVar[InputHints] = InputHints(takes_lists=True)
    levels: list[str]
    length: int
    pooled: int = 0
    dropped: float = 0.0

    @property
    def drop_reason(self) -> str | None:
        return None if self.levels else "empty"

    @classmethod
    def fit(cls, column: str, values: Column, **options: Any) -> Self:
        settings = SequenceOptions.model_validate(options)
        names, counts = counted(_members(values)[0])
        order = np.argsort(-np.asarray(counts), kind="stable")[:MOST_LEVELS]
        levels = [names[i] for i in order]
        notes = []
        if len(names) > MOST_LEVELS:
            notes = [f"input {column!r}: {len(names)} names; the {MOST_LEVELS} most frequent stay"]
        return cls(
            column=column,
            notes=notes,
            levels=levels,
            length=settings.length,
            pooled=len(names) - len(levels),
            dropped=settings.augment.drop if isinstance(settings.augment, DropOptions) else 0.0,
        )

    def _codes(self, values: Column) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The code of each member, its row, and how many of its row came later."""
        members, rows = _members(values)
        codes = find(members, self.levels) + FIRST
        codes[codes < FIRST] = UNSEEN
        counts = np.bincount(rows, minlength=len(values))
        return codes, rows, counts[rows] - 1 - index_in_row(rows, len(values))

    def encode(self, values: Column) -> np.ndarray:
        codes, rows, age = self._codes(values)
        block = np.full((len(values), self.length), PAD, np.int64)
        read = age < self.length
        block[rows[read], age[read]] = codes[read]
        return block

    def features(self, values: Column) -> tuple[np.ndarray, list[bool], list[str]]:
        codes, rows, age = self._codes(values)
        count = len(values)
        n_levels = min(TREE_LEVELS, len(self.levels))
        lengths = np.bincount(rows, minlength=count)
        newest = np.full(count, np.nan)
        newest[rows[age == 0]] = codes[age == 0]
        # As a category only what trees can tell apart; the others are one level.
        newest[newest >= FIRST + TREE_LEVELS] = UNSEEN
        shown = (codes >= FIRST) & (codes < FIRST + n_levels)
        cells = np.bincount(
            rows[shown] * n_levels + codes[shown] - FIRST, minlength=count * n_levels
        )
        matrix = np.column_stack([newest, lengths, cells.reshape(count, n_levels)]).astype(
            np.float32
        )
        matrix[missing(values)] = np.nan
        names = [f"{self.column} (newest)", f"{self.column} (length)"]
        names += [f"{self.column} ({level})" for level in self.levels[:n_levels]]
        return matrix, [True, *[False] * (n_levels + 1)], names

    @property
    def vocabulary(self) -> int:
        """Number of codes, padding and unseen included."""
        return len(self.levels) + FIRST

    def describe(self) -> str:
        return f"histories of {len(self.levels)} names, the newest {self.length}"


def _members(values: Column) -> tuple[pa.Array, np.ndarray]:
    """The members of all histories and the row of each; gaps are left out."""
    words, rows = as_words(values)
    there = np.asarray(words.is_valid())
    return as_text(words.drop_null()), rows[there]
