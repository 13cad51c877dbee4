"""Numbers of a record in memory and in JSON: NaN here is null there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Annotated, Any

import numpy as np
from pydantic import BeforeValidator, ConfigDict, PlainValidator

UNKNOWN = float("nan")


def _number(value: Any) -> Any:
    return UNKNOWN if value is None else value


def _array(value: Any) -> np.ndarray:
    """Keeps an array as it is; lists become float64, null in them NaN.

    Raises:
        ValueError: Rows of different lengths, or something that is no number.
    """
    try:
        return value if isinstance(value, np.ndarray) else np.asarray(value, np.float64)
    except TypeError as error:  # pydantic turns the other one alone into a fault of the field
        raise ValueError(str(error)) from None


# A number that may be unknown.
Real = Annotated[float, BeforeValidator(_number)]
# Numbers side by side, NaN where unknown.
Array = Annotated[np.ndarray, PlainValidator(_array)]


class Record:
    """What all records have in common: a stored field that is unknown is a fault."""

    __pydantic_config__ = ConfigDict(extra="forbid")


def require_shapes(sizes: Mapping[str, int], arrays: Mapping[str, tuple[Any, str]]) -> None:
    """Makes sure that arrays have the sizes that their letters stand for.

    Args:
        sizes: The size of each letter that is known; `.` stands for any size.
        arrays: By name the array and a letter for each of its axes; None is no array.

    Raises:
        ValueError: The first array of another shape.

    Example:
        >>> require_shapes({"T": 2}, {"bits": (np.eye(2), "TT")})
    """
    for name, (array, letters) in arrays.items():
        if array is None:
            continue
        wanted = tuple(sizes.get(letter) for letter in letters)
        fits = len(wanted) == array.ndim and all(
            size in (None, have) for size, have in zip(wanted, array.shape, strict=True)
        )
        # JSON has one word for every empty array: [].
        if not fits and (array.size or 0 not in wanted):
            raise ValueError(f"{name} has the shape {array.shape}")


def plain(value: Any) -> Any:
    """Turns records, arrays and numbers into what JSON can hold; what is not finite becomes null.

    Example:
        >>> plain({"loss": np.float64("nan"), "best": (1, np.int64(2))})
        {'loss': None, 'best': [1, 2]}
    """
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, np.generic):
        return plain(value.item())
    return None if isinstance(value, float) and not np.isfinite(value) else value
