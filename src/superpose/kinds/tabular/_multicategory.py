"""Sets of categories as an input: tags, symptoms, genres."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from torch import nn

from superpose.columns import (
    Column,
    as_sets,
    counted,
    guess_separator,
    hot,
    missing,
    require_members,
)
from superpose.kinds._input import InputKind
from superpose.nn import MultiHotEncoder

MOST_LEVELS = 512
RARE_FROM = 200  # rows; below, even a level seen once may be all there is


@dataclass(kw_only=True)
class MultiCategoryInput(InputKind):
    """A set of names per row, as a list or a joined string; unseen names are passed over.

    Example:
        >>> import pyarrow as pa
        >>> kind = MultiCategoryInput.fit("tags", pa.chunked_array([["a;b", "a", "c;a"]]))
        >>> kind.encode(pa.chunked_array([["b;a", "z", None]])).tolist()
        [[1.0, 1.0, 0.0], [0.0, 0.0, 0.0], [nan, nan, nan]]
    """

    name: ClassVar[str] = "multicategory"
    block: ClassVar[str | None] = "multihot"
    takes_lists: ClassVar[bool] = True
    levels: list[str]
    separator: str | None = None
    pooled: int = 0

    @property
    def width(self) -> int:
        return len(self.levels)

    @property
    def useless(self) -> str | None:
        return None if self.levels else "empty"

    @classmethod
    def fit(cls, column: str, values: Column, **options: Any) -> Self:
        require_members(f"input {column!r}", values)
        separator = options.get("separator") or guess_separator(values)
        gone = missing(values)
        members, _ = as_sets(values, separator)
        names, counts = counted(members)
        least = 2 if len(gone) > RARE_FROM else 1
        kept = [name for name, count in zip(names, counts, strict=True) if count >= least]
        levels, notes = kept[:MOST_LEVELS], []
        if len(kept) > MOST_LEVELS:
            notes.append(
                f"input {column!r}: {len(kept)} names; the {MOST_LEVELS} most frequent stay"
            )
        return cls(
            column=column,
            notes=notes,
            levels=levels,
            separator=separator,
            pooled=len(names) - len(levels),
        )

    def encode(self, values: Column) -> np.ndarray:
        members, rows = as_sets(values, self.separator)
        return hot(members, rows, gone=missing(values), levels=self.levels)

    def features(self, values: Column) -> tuple[np.ndarray, list[bool], list[str]]:
        names = [f"{self.column} ({level})" for level in self.levels]
        return self.encode(values), [False] * len(names), names

    @classmethod
    def encoder(cls, kinds: Sequence[Any], width: int) -> nn.Module:
        return MultiHotEncoder([kind.width for kind in kinds], width)

    def describe(self) -> str:
        left_out = f", {self.pooled} rare left out" if self.pooled else ""
        return f"sets of {len(self.levels)} names{left_out}"
