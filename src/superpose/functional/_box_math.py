"""Boxes on the locations of a map, as networks learn them: bells of objects, and how boxes overlap.

Boxes are (x1, y1, x2, y2) as shares of the image's sides, so that all of this holds at any size.
The same formulas for labels and scores stand in `superpose.distributions`.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

# The deviation of the bell that an object leaves on the map, as a share of its side.
BELL = 0.09
LEAST_BELL = 0.6  # locations; below, the neighbours of a small object's centre teach nothing
NEAR = 0.2  # of the bell: up to there a location also predicts the object's box


class CenterHeatmap(NamedTuple):
    """What the locations of a map should predict.

    Args:
        heat: How near the centre of an object of each class is, (..., S, C), 1 at the centre.
        boxes: The box of the object that is nearest by its bell, (..., S, 4).
        share: How much that location counts for its object's box, (..., S); the locations of an
            object sum to 1, those near none have 0.
    """

    heat: Tensor
    boxes: Tensor
    share: Tensor


def center_heatmap(y: Tensor, grid: tuple[int, int], n_classes: int) -> CenterHeatmap:
    """Turn padded lists of objects into what the locations of a map should predict.

    Args:
        y: Class and box of each object, (..., K, 5); the class is negative or NaN where a row has
            fewer objects.
        grid: Height h and width w of the map.
        n_classes: Number C of classes.

    Example:
        >>> y = torch.tensor([[[0.0, 0.25, 0.25, 0.75, 0.75]]])
        >>> center_heatmap(y, (3, 3), 1).heat[0, :, 0].argmax().item()
        4

    Source:
        Gaussian bells of objects after CenterNet (Zhou et al. 2019), as wide as the box in each
        direction and with boxes known to the locations around the centre too, as in TTFNet (Liu et
        al. 2020).
    """
    label = y[..., 0]
    there = label >= 0  # not NaN either
    box = torch.where(there[..., None], y[..., 1:], 0.0)
    sides = []
    for axis, count in ((1, grid[0]), (0, grid[1])):  # down, across
        low = box[..., axis] * count
        high = box[..., axis + 2] * count
        centre = ((low + high) / 2).floor().clamp(0, count - 1)
        scale = ((high - low) * BELL).clamp(min=LEAST_BELL)
        away = (torch.arange(count, device=y.device) - centre[..., None]) / scale[..., None]
        sides.append(torch.exp(-0.5 * away.square()))
    down, across = sides
    each = (down[..., :, None] * across[..., None, :]).flatten(-2)  # (..., K, S)
    each = torch.where(there[..., None], each, 0.0)
    index = torch.where(there, label, 0.0).long()[..., None].expand_as(each)
    shape = (*each.shape[:-2], n_classes, each.shape[-1])
    heat = torch.zeros(shape, device=y.device).scatter_reduce(-2, index, each, "amax")
    best, owner = each.max(-2)
    boxes = box.gather(-2, owner[..., None].expand(*owner.shape, 4))
    best = torch.where(best >= NEAR, best, 0.0)
    total = torch.zeros(label.shape, device=y.device).scatter_add(-1, owner, best)
    share = best / total.gather(-1, owner).clamp(min=1e-6)
    return CenterHeatmap(heat.transpose(-1, -2), boxes, share)


def box_overlap(a: Tensor, b: Tensor, generalized: bool = False) -> Tensor:
    """Intersection over union of boxes (..., 4), (...) between 0 and 1.

    Args:
        a, b: Boxes, broadcast against each other.
        generalized: Also take off the share of the hull that neither fills, so that boxes that
            don't touch differ too; then from -1 to 1.

    Example:
        >>> half = torch.tensor([0.0, 0.0, 0.5, 1.0])
        >>> box_overlap(half, torch.tensor([0.0, 0.0, 1.0, 1.0])).item()
        0.5

    Source:
        Generalised IoU, Rezatofighi et al. 2019, eq. 1 to 3.
    """
    low = torch.maximum(a[..., :2], b[..., :2])
    high = torch.minimum(a[..., 2:], b[..., 2:])
    inside = (high - low).clamp(min=0).prod(-1)
    area = (a[..., 2:] - a[..., :2]).prod(-1) + (b[..., 2:] - b[..., :2]).prod(-1)
    union = (area - inside).clamp(min=1e-9)
    ratio = inside / union
    if not generalized:
        return ratio
    low = torch.minimum(a[..., :2], b[..., :2])
    high = torch.maximum(a[..., 2:], b[..., 2:])
    hull = (high - low).prod(-1).clamp(min=1e-9)
    return ratio - (hull - union) / hull
