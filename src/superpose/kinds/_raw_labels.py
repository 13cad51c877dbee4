"""Labels as plain numbers without any fitting: what splits deal out, and leaks are looked for with.

Every function takes the name of a column, its values and its options, and gives float64 (N,) or
(N, L), NaN where missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from superpose.columns import (
    Column,
    as_floats,
    as_lifetimes,
    as_sets,
    as_steps,
    class_names,
    class_type,
    counted,
    find,
    guess_separator,
    hot,
    missing,
)

Options = Mapping[str, Any]


def codes_of(text: pa.Array) -> np.ndarray:
    """Number names from 0 by their alphabet.

    Example:
        >>> codes_of(pa.array(["b", None, "a"])).tolist()
        [1.0, nan, 0.0]
    """
    index = find(text, sorted(counted(text)[0]))
    return np.where(index < 0, np.nan, index)


def class_codes(column: str, values: Column, options: Options) -> np.ndarray:
    """The number of each row's class."""
    return codes_of(class_names(values, class_type(values)))


def plain_numbers(
    column: str, values: Column, options: Options, *, kind: str = "number"
) -> np.ndarray:
    """The numbers themselves; infinite ones are missing."""
    numbers = as_floats(column, values, kind)
    return np.where(np.isfinite(numbers), numbers, np.nan)


def lifetimes(column: str, values: Column, options: Options) -> np.ndarray:
    """Times until an event, below 0 where it was not seen."""
    return as_lifetimes(column, values)


def first_steps(column: str, values: Column, options: Options) -> np.ndarray:
    """The first number of each list: it shows how large labels are."""
    steps = as_steps(column, values, 1)
    first = np.full(len(values), np.nan)
    first[steps.rows[::-1]] = steps.values[::-1, 0]
    return first


def label_sets(
    column: str, values: Column, options: Options, *, separator: str | None = None
) -> np.ndarray:
    """Which labels a row has, (N, L)."""
    given = separator or options.get("separator")
    members, rows = as_sets(values, given or guess_separator(values))
    return hot(members, rows, gone=missing(values), levels=counted(members)[0]).astype(np.float64)


def any_label(column: str, values: Column, options: Options) -> np.ndarray:
    """Whether a row has any label, (N, 1): no file is opened for this."""
    return np.where(missing(values), np.nan, 0.0)[:, None]
