"""What a guess is, and the words for a missing value that guesses look for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from superpose.columns import NumberFormat

# Words for a missing value that may stand among numbers or dates, in small letters.
MARKERS = frozenset(
    {
        "",
        "?",
        "-",
        "--",
        ".",
        "..",
        "*",
        "#",
        "na",
        "n/a",
        "n.a.",
        "nan",
        "nd",
        "n.d.",
        "n/d",
        "nil",
    }
    | {"none", "null", "missing", "unknown", "not available"}
)
# Of a guess that is looked at twice: cuts of half of the rows, and how many of them have to agree,
# so that of twenty other cuts nineteen nearly always do.
CUTS, AGREE = 100, 99


@dataclass(frozen=True)
class Guess:
    """What a column seems to be.

    Args:
        kind: name of the kind, or None if the column should not be used.
        reason: why, one short phrase.
        options: options for the kind's `fit`.
        missing: words in the column that stand for a missing value.
        warning: what the user should know about it; empty when nothing.
        otherwise: the kind to take if the user asks for a column that should not be used.
        number_format: how the column spells numbers, where they have to be read.
        conversions: what is read otherwise than it is written.
        fault: why nothing can be made of the column, with what to do about it; empty when all is
            well.
        rival: another kind that half of the rows alone could be taken for; empty for none.
    """

    kind: str | None
    reason: str
    options: dict[str, Any] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    warning: str = ""
    otherwise: str | None = None
    number_format: NumberFormat | None = None
    conversions: tuple[str, ...] = ()
    fault: str = ""
    rival: str = ""


def is_marker(word: str) -> bool:
    """Whether a word stands for a missing value among numbers."""
    return word.strip().lower() in MARKERS


def are_markers(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Marks the text that stands for a missing value among numbers."""
    lower = pc.utf8_lower(pc.utf8_trim_whitespace(values))
    return pc.is_in(lower, value_set=pa.array(sorted(MARKERS), type=values.type))


def cuts(counts: np.ndarray) -> np.ndarray:
    """How often each value stands in cuts of half of the rows, drawn at random: (CUTS, values).

    Args:
        counts: how often each value stands in the column, (values,).
    """
    rng = np.random.default_rng(0)  # the same column gets the same guess
    half = max(int(counts.sum()) // 2, 1)
    return rng.multivariate_hypergeometric(counts, half, CUTS, method="marginals")


def short(word: str) -> str:
    """A word for a message, cut where it is long."""
    return repr(word if len(word) <= 30 else f"{word[:27]}...")
