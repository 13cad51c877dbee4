"""Levels with an order: low, medium, high."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
from pydantic import Field

from superpose.columns import NUMERIC, Column, holds_masks
from superpose.distributions import Ordinal
from superpose.errors import DataError
from superpose.kinds._hints import TargetHints
from superpose.kinds._metrics import kappa
from superpose.kinds._options import Levels, Options

from ._classes import ClassTarget, CountedClasses, ordered

MOST_LEVELS = 100  # beyond, the levels are a measurement


class OrdinalOptions(Options):
    """Options of an ordinal target.

    Args:
        levels: the levels, low to high.
    """

    levels: Levels | None = Field(default=None, min_length=2, max_length=MOST_LEVELS)


@dataclass(kw_only=True)
class OrdinalTarget(ClassTarget):
    """One of several classes that have an order, given low to high by ``levels``.

    Numbers and ordered dictionaries carry their order with them.

    Example:
        >>> values = pa.chunked_array([["low", "high", "low"]])
        >>> kind = OrdinalTarget.fit("risk", values, levels=["low", "medium", "high"])
        >>> kind.encode(values).tolist()
        [0.0, 2.0, 0.0]
    """

    name: ClassVar[str] = "ordinal"
    options: ClassVar[type[Options]] = OrdinalOptions
    metric: ClassVar[str] = "quadratic_kappa"
    higher_is_better: ClassVar[bool] = True
    hints: ClassVar[TargetHints] = TargetHints(
        scale="ordinal",
        tree_task="classification",
        guess_from="ordered levels",
        guess_reason="an ordered category in the frame",
    )

    @property
    def distribution(self) -> Ordinal:
        return Ordinal(len(self.levels))

    @classmethod
    def accepts(cls, values: Column) -> bool:
        return not (pa.types.is_nested(values.type) or holds_masks(values))

    @classmethod
    def _order(cls, column: str, values: Column, classes: CountedClasses) -> list[str]:
        names = classes.names
        if len(names) > MOST_LEVELS:
            raise DataError(
                f"target {column!r}: {len(names)} levels; an ordinal target has at most "
                f"{MOST_LEVELS}; declare it as kind number"
            )
        if len(names) == 1:
            raise DataError(
                f"target {column!r}: every labelled training row is {names[0]!r}; an ordinal "
                f"target needs two levels; name them all under levels, or take it out"
            )
        if classes.type in NUMERIC:
            return ordered(names, classes.type)
        if pa.types.is_dictionary(values.type) and values.type.ordered:
            known = [str(v) for v in values.chunk(0).dictionary.to_pylist()]
            if set(names) <= set(known):
                return known
        raise DataError(
            f"target {column!r}: ordinal, but the order of {sorted(names)[:6]} is not known; "
            f"give levels: [lowest, ..., highest]"
        )

    def _metrics(self, y: np.ndarray, pred: np.ndarray, **options: Any) -> dict[str, float]:
        names = ("quadratic_kappa", "mae", "accuracy", "log_loss")
        if not len(y):
            return dict.fromkeys(names, np.nan)
        chosen = self.choose(pred)
        values = (
            kappa(y, chosen, len(self.levels)),
            float(np.abs(chosen - y).mean()),
            float((chosen == y).mean()),
            float(self.distribution.row_loss(y, pred).mean()),
        )
        return dict(zip(names, values, strict=True))
