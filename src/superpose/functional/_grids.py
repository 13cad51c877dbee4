"""Values of the cells of a map, brought to the pixels of an image."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F


def enlarge(values: np.ndarray, grid: tuple[int, int], size: tuple[int, int]) -> np.ndarray:
    """Bring values of the cells of a map to the pixels of an image, bilinearly.

    Args:
        values: One row of cells after the other; NaN counts as 0.
        grid: Height h and width w of the map in cells.
        size: Height H and width W of the image in pixels.

    Shape:
        (n, h w, C) -> float32 (n, H, W, C).

    Example:
        >>> enlarge(np.array([[[0.0], [1.0]]]), (1, 2), (1, 4))[0, 0, :, 0].tolist()
        [0.0, 0.25, 0.75, 1.0]
    """
    coarse = torch.from_numpy(np.nan_to_num(values).astype(np.float32)).unflatten(1, grid)
    fine = F.interpolate(coarse.movedim(-1, 1), size=size, mode="bilinear", align_corners=False)
    return fine.movedim(1, -1).numpy()
