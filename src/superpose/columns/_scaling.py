"""Between the user's units and float32: nothing overflows, what does not fit is refused."""

from __future__ import annotations

import numpy as np

from superpose.errors import DataError, location, message

# Of what networks and trees read. Its square overflows float32, but nothing squares an input.
FARTHEST = 1e30
# Of what is held in its own units: ten times below the largest of float32.
LARGEST = 1e37
_MOST = float(np.finfo(np.float64).max)


def standardised(values: np.ndarray, mean: float, scale: float) -> np.ndarray:
    """Values less their mean and over their scale, within what float32 holds.

    Example:
        >>> standardised(np.array([1.5e308, -1.5e308]), -1.5e308, 1.5e308).tolist()
        [2.0, 0.0]
    """
    with np.errstate(over="ignore"):
        standard = np.asarray((values - mean) / scale)
        if np.isinf(standard).any():  # a difference that overflows, or a scale next to nothing
            standard = np.where(np.isinf(standard), values / scale - mean / scale, standard)
    return np.clip(standard, -FARTHEST, FARTHEST)


def as_labels(column: str, values: np.ndarray, *, mean: float, scale: float) -> np.ndarray:
    """Standardised labels (N, ...) as float32.

    Raises:
        DataError: how many lie so far from those of the training rows that nothing can be learned
            from them or compared with them, with the first and its row.
    """
    labels = standardised(values, mean, scale)
    wrong = np.abs(labels) >= FARTHEST
    if wrong.any():
        at = np.unravel_index(int(np.argmax(wrong)), wrong.shape)
        given = f"{_counted(values, wrong)} too far from the labels of the training rows"
        allowed = f"their mean is {mean:.4g}, their standard deviation {scale:.4g}"
        fix = "mend the value, or leave the cell empty"
        raise DataError(
            message(location(column=column, row=int(at[0])), f"{given} ({allowed})", fix=fix)
        )
    return labels.astype(np.float32)


def in_units(standard: np.ndarray, mean: float, scale: float) -> np.ndarray:
    """Standardised values back in their units, finite however large these are.

    Example:
        >>> bool(np.isfinite(in_units(np.array([4.0]), 0.0, 1e308))[0])
        True
    """
    with np.errstate(over="ignore"):
        units = np.asarray(standard, np.float64) * scale + mean
    return np.asarray(np.clip(units, -_MOST, _MOST))


def root_mean_square(error: np.ndarray, scale: float) -> float:
    """The root of the mean square of standardised errors, in units."""
    with np.errstate(over="ignore", under="ignore"):
        result = float(np.sqrt(np.mean((error * scale) ** 2)))
    # Squares of 1e200 overflow and those of 1e-200 vanish.
    plain = 0.0 < result < np.inf
    return result if plain else float(np.sqrt(np.mean(error**2))) * scale


def mean_absolute(error: np.ndarray, scale: float) -> float:
    """The mean size of standardised errors, in units."""
    with np.errstate(over="ignore"):
        result = float(np.abs(error * scale).mean())
    return result if np.isfinite(result) else float(np.abs(error).mean()) * scale


def require_float32(
    column: str,
    values: np.ndarray,
    *,
    most: float = LARGEST,
    smallest: float = 0.0,
    fix: str = "",
) -> np.ndarray:
    """Makes sure that float32 holds numbers (N, ...) in their own units; infinite ones are others'.

    Args:
        column: name of the column.
        values: the numbers, NaN where missing.
        most: the largest size.
        smallest: sizes below it, but 0, are refused too.
        fix: what to do where it does not.

    Raises:
        DataError: how many it does not hold, with the first and its row.
    """
    size = np.abs(np.where(np.isfinite(values), values, 0.0))
    wrong = (size > most) | ((size < smallest) & (size > 0))
    if wrong.any():
        at = np.unravel_index(int(np.argmax(wrong)), wrong.shape)
        given = f"{_counted(values, wrong)} more than a network can hold"
        if size[at] < 1:
            given = f"{_counted(values, wrong)} too small to differ from 0"
        allowed = f"sizes from {smallest:g} to {most:g}" if smallest else f"sizes up to {most:g}"
        fix = fix or "give the column in another unit, or leave these cells empty"
        raise DataError(message(location(column=column, row=int(at[0])), given, allowed, fix=fix))
    return values


def _counted(values: np.ndarray, wrong: np.ndarray) -> str:
    """The first of some values and how many there are, with the verb."""
    first = values[wrong][0]
    count = int(wrong.sum())
    return f"{count} values, the first {first:g}, are" if count > 1 else f"{first:g} is"
