"""Boxes on the locations of a map: what objects leave there, how boxes overlap, which ones stay.

Boxes are (x1, y1, x2, y2) as shares of the image's sides, so that all of this holds at any size.
Networks learn with the same formulas in `superpose.functional`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

# The deviation of the bell that an object leaves on the map, as a share of its side.
BELL = 0.09
LEAST_BELL = 0.6  # locations; below, the neighbours of a small object's centre teach nothing
NEAR = 0.2  # of the bell: up to there a location also predicts the object's box


class CenterHeatmap(NamedTuple):
    """What the locations of a map should predict.

    Args:
        heat: how near the centre of an object of each class is, (N, S, C), 1 at the centre.
        boxes: the box of the object that is nearest by its bell, (N, S, 4).
        share: how much that location counts for its object's box, (N, S); the locations of an
            object sum to 1, those near none have 0.
    """

    heat: np.ndarray
    boxes: np.ndarray
    share: np.ndarray


def center_heatmap(y: np.ndarray, grid: tuple[int, int], n_classes: int) -> CenterHeatmap:
    """Turn padded lists of objects into what the locations of a map should predict, float32.

    Args:
        y: class and box of each object, (N, K, 5); the class is negative or NaN where a row has
            fewer objects.
        grid: height h and width w of the map.
        n_classes: number C of classes.

    Example:
        >>> y = np.array([[[0.0, 0.25, 0.25, 0.75, 0.75]]])
        >>> int(center_heatmap(y, (3, 3), 1).heat[0, :, 0].argmax())
        4

    Source:
        Gaussian bells of objects after CenterNet (Zhou et al. 2019), as wide as the box in each
        direction and with boxes known to the locations around the centre too, as in TTFNet (Liu et
        al. 2020).
    """
    y = np.asarray(y, np.float32)
    label = y[..., 0]
    there = label >= 0  # not NaN either
    box = np.where(there[..., None], y[..., 1:], np.float32(0))
    sides = []
    for axis, count in ((1, grid[0]), (0, grid[1])):  # down, across
        low = box[..., axis] * np.float32(count)
        high = box[..., axis + 2] * np.float32(count)
        centre = np.clip(np.floor((low + high) / 2), 0, count - 1)
        scale = np.maximum((high - low) * np.float32(BELL), np.float32(LEAST_BELL))
        away = (np.arange(count, dtype=np.float32) - centre[..., None]) / scale[..., None]
        sides.append(np.exp(-0.5 * away**2))
    down, across = sides
    n, k = label.shape
    each = (down[..., :, None] * across[..., None, :]).reshape(n, k, grid[0] * grid[1])
    each = np.where(there[..., None], each, np.float32(0))
    heat = np.zeros((n, n_classes, each.shape[-1]), np.float32)
    rows, objects = np.nonzero(there)
    np.maximum.at(heat, (rows, label[rows, objects].astype(int)), each[rows, objects])
    owner = each.argmax(axis=1)
    best = np.take_along_axis(each, owner[:, None], 1)[:, 0]
    best = np.where(best >= np.float32(NEAR), best, np.float32(0))
    boxes = np.take_along_axis(box, owner[..., None], 1)
    total = np.zeros((n, k), np.float32)
    np.add.at(total, (np.arange(n)[:, None], owner), best)
    share = best / np.maximum(np.take_along_axis(total, owner, 1), np.float32(1e-6))
    return CenterHeatmap(heat.transpose(0, 2, 1), boxes, share)


def box_overlap(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Intersection over union of boxes (..., 4), broadcast against each other: (...), 0 to 1.

    Example:
        >>> half = np.array([0.0, 0.0, 0.5, 1.0])
        >>> float(box_overlap(half, np.array([0.0, 0.0, 1.0, 1.0])))
        0.5
    """
    low = np.maximum(a[..., :2], b[..., :2])
    high = np.minimum(a[..., 2:], b[..., 2:])
    inside = np.maximum(high - low, 0).prod(axis=-1)
    area = (a[..., 2:] - a[..., :2]).prod(axis=-1) + (b[..., 2:] - b[..., :2]).prod(axis=-1)
    return np.asarray(inside / np.maximum(area - inside, np.asarray(1e-9, area.dtype)))


class Peaks(NamedTuple):
    """Objects that a row's map shows, the surest first.

    Args:
        location: its index in the map, (K,).
        label: class, (K,).
        score: from 0 to 1, (K,).
        box: (K, 4).
    """

    location: np.ndarray
    label: np.ndarray
    score: np.ndarray
    box: np.ndarray


def find_peaks(
    heat: np.ndarray,
    boxes: np.ndarray,
    *,
    grid: tuple[int, int],
    least: float,
    most: int,
    overlapping: float = 0.5,
) -> list[Peaks]:
    """Find the objects of maps: locations that no neighbour exceeds, and no box twice.

    Args:
        heat: scores (N, S, C).
        boxes: the box of each location, (N, S, 4).
        grid: height and width of the map.
        least: scores below it are passed over.
        most: objects that a row has at most.
        overlapping: of two boxes of one class with a larger overlap the surer one stays.

    Example:
        >>> heat = np.zeros((1, 9, 1)); heat[0, 4] = 0.9
        >>> boxes = np.tile([0.2, 0.2, 0.8, 0.8], (1, 9, 1))
        >>> find_peaks(heat, boxes, grid=(3, 3), least=0.1, most=10)[0].location.tolist()
        [4]
    """
    maps = np.asarray(np.nan_to_num(heat), np.float32).swapaxes(1, 2)
    maps = maps.reshape(*maps.shape[:2], *grid)
    kept = np.where(maps >= _highest_nearby(maps), maps, 0.0)
    kept = kept.reshape(len(maps), heat.shape[1] * heat.shape[2])  # (N, C S)
    peaks = []
    for row, scores in enumerate(kept):
        sure = np.flatnonzero(scores >= max(least, 1e-6))
        sure = sure[np.argsort(-scores[sure], kind="stable")][: 4 * most]
        label, index = np.divmod(sure, grid[0] * grid[1])
        box = boxes[row, index]
        stays = _apart(box, label, overlapping)[:most]
        peaks.append(Peaks(index[stays], label[stays], scores[sure][stays], box[stays]))
    return peaks


def _highest_nearby(maps: np.ndarray) -> np.ndarray:
    """The largest of each location and its up to eight neighbours, (..., H, W)."""
    for axis in (-2, -1):
        edge = [(0, 0)] * maps.ndim
        edge[axis] = (1, 1)
        wide = np.pad(maps, edge, constant_values=-np.inf)
        shifted = [np.take(wide, np.arange(maps.shape[axis]) + n, axis) for n in range(3)]
        maps = np.maximum(np.maximum(shifted[0], shifted[1]), shifted[2])
    return maps


def _apart(box: np.ndarray, label: np.ndarray, overlapping: float) -> np.ndarray:
    """Numbers in a list, the surest first, of the boxes that no surer one of their class covers."""
    if not len(box):
        return np.zeros(0, int)
    boxes = np.asarray(box, np.float64)
    same_class = label[:, None] == label[None]
    covers = (box_overlap(boxes[:, None], boxes[None]) > overlapping) & same_class
    stays = np.ones(len(box), bool)
    for one in range(len(box)):
        if stays[one]:
            stays[one + 1 :] &= ~covers[one, one + 1 :]
    return np.flatnonzero(stays)
