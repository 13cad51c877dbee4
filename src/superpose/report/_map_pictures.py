"""Pictures of maps of numbers: an image, its map and the predicted map, in one scale."""

from __future__ import annotations

import numpy as np

from ._curves import Array
from ._pictures import SHOWN_WIDTH, address
from ._svg import escape
from ._wording import number

# From low to high: ever brighter, so that it can be read without colours too.
LADDER = np.array(
    [[26, 20, 78], [44, 70, 138], [36, 122, 140], [74, 172, 108], [186, 202, 62], [252, 232, 84]]
)
NO_NUMBER = (128, 128, 128)
EDGES = (2, 98)  # percent of the numbers; beyond, the last colours go on


def colour_bounds(true: Array) -> tuple[float, float]:
    """Returns the lowest and the highest number that colours tell apart."""
    known = true[np.isfinite(true)]
    if not known.size:
        return 0.0, 1.0
    low, high = np.percentile(known, EDGES)
    return float(low), float(high) if high > low else float(low) + 1.0


def coloured(numbers: Array, bounds: tuple[float, float]) -> Array:
    """Returns numbers as colours, grey where there is none.

    Shape:
        (H, W) -> (H, W, 3) float, 0 to 255.

    Example:
        >>> coloured(np.array([[0.0, 1.0, np.nan]]), (0.0, 1.0)).tolist()
        [[[26.0, 20.0, 78.0], [252.0, 232.0, 84.0], [128.0, 128.0, 128.0]]]
    """
    share = np.clip((np.nan_to_num(numbers) - bounds[0]) / (bounds[1] - bounds[0]), 0, 1)
    steps = np.arange(len(LADDER)) / (len(LADDER) - 1)
    mixed = np.stack([np.interp(share, steps, LADDER[:, c]) for c in range(3)], axis=-1)
    return np.where(np.isnan(numbers)[..., None], np.array(NO_NUMBER, float), mixed)


def map_picture(pixels: Array, true: Array, pred: Array, *, bounds: tuple[float, float]) -> str:
    """Returns an image, its map and the predicted map, side by side, with the scale below.

    Args:
        pixels: The image.
        true, pred: Its maps.
        bounds: The lowest and the highest number that colours tell apart.

    Shape:
        pixels: (H, W, 3) uint8; true, pred: (H, W), NaN without a number.
    """
    image = np.asarray(pixels, float)
    panels = [image, coloured(true, bounds), coloured(pred, bounds)]
    whole = np.concatenate(panels, axis=1)
    ramp = np.linspace(bounds[0], bounds[1], whole.shape[1])
    bar = coloured(np.tile(ramp, (max(2, whole.shape[0] // 20), 1)), bounds)
    whole = np.concatenate([whole, bar], axis=0).round().astype(np.uint8)
    known = np.isfinite(true)
    away = float(np.abs(pred - true)[known].mean()) if known.any() else float("nan")
    words = escape(
        f"An image, its map and the predicted map, off by {number(away)} on the mean; colours "
        f"run from {number(bounds[0])} to {number(bounds[1])}."
    )
    wide = max(3 * SHOWN_WIDTH, whole.shape[1])
    return f'<img src="{address(whole)}" width="{wide}" alt="{words}">'


def scale_note(bounds: tuple[float, float]) -> str:
    """Says what the colours mean."""
    return (
        f"each shows an image, its map and the predicted map; the bar below runs from "
        f"{number(bounds[0])} to {number(bounds[1])}, grey has no number"
    )
