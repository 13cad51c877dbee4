"""Objects in an image: for each location of its map how near one is, and its box."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ._base import Distribution, Latent
from ._boxes import CenterHeatmap, Peaks, box_overlap, center_heatmap, find_peaks
from ._class_scores import (
    class_from_normal,
    class_information,
    class_to_normal,
    condition_classes,
)
from ._normal_scores import PROBABILITY_FLOOR

LEAST_SCORE = (
    0.003  # score from which an object is scored, as average precision reads the unsure ones
)
RIGHT = 0.5  # overlap from which a box is right
ROWS_AT_ONCE = 64  # rows whose heatmaps are in memory at once


@dataclass(frozen=True)
class Detections(Distribution):
    """Objects with a class and a box (x1, y1, x2, y2), as shares of the sides.

    Labels (N, 5 M) hold class and box of up to M objects, class -1 where a row has fewer, NaN
    without labels. A prediction holds for each location of a map a score for each class, how near
    the centre of such an object is, and the box of the object that is nearest, (N, S (C + 4)),
    float32.

    Args:
        grid: height and width of the map.
        n_classes: classes C.
        n_objects: objects M of a row, at most.
        typical: half the width and the height of an object.
        objects_per_row: on the mean, at least 1; losses are in its units.

    Example:
        >>> dist = Detections((4, 4), n_classes=1, n_objects=1, typical=(0.2, 0.2))
        >>> pred = dist.point_mass(np.array([[0.0, 0.0, 0.0, 0.5, 0.5]]))
        >>> dist.peaks(pred, least=0.3)[0].box.tolist()
        [[0.0, 0.0, 0.5, 0.5]]
    """

    grid: tuple[int, int]
    n_classes: int
    n_objects: int
    typical: tuple[float, float]
    objects_per_row: float = 1.0

    @property
    def n_locations(self) -> int:
        """Locations S of a row's map."""
        return self.grid[0] * self.grid[1]

    @property
    def n_columns(self) -> int:
        return self.n_locations * (self.n_classes + 4)

    @property
    def label_shape(self) -> tuple[int, ...]:
        return (5 * self.n_objects,)

    @property
    def dtype(self) -> type:
        return np.float32

    @property
    def latent(self) -> Latent:
        return _DetectionLatent(self)

    def split(self, pred: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Scores (..., S, C) and boxes (..., S, 4) of predictions."""
        parts = np.reshape(pred, (*np.shape(pred)[:-1], self.n_locations, self.n_classes + 4))
        return parts[..., :-4], parts[..., -4:]

    def objects_of(self, y: np.ndarray) -> np.ndarray:
        """Labels as (N, M, 5), without an object where a row has no labels."""
        objects = np.where(np.isnan(y), -1.0, y).reshape(len(y), self.n_objects, 5)
        return np.asarray(objects, np.float32)

    def heatmap(self, y: np.ndarray) -> CenterHeatmap:
        """What the locations of labelled rows should predict."""
        return center_heatmap(self.objects_of(y), self.grid, self.n_classes)

    def typical_boxes(self) -> np.ndarray:
        """The boxes (S, 4) that networks start from: of a typical object, around each location."""
        high, wide = self.grid
        down = (np.arange(high, dtype=np.float32) + np.float32(0.5)) / np.float32(high)
        across = (np.arange(wide, dtype=np.float32) + np.float32(0.5)) / np.float32(wide)
        centre = np.stack(np.meshgrid(down, across, indexing="ij")[::-1], -1).reshape(-1, 2)
        one = np.float32(np.log(2))  # the softplus of nothing, by which networks scale a side
        half = one * (np.asarray(self.typical, np.float32) / one)
        return np.concatenate([centre - half, centre + half], axis=-1)

    def peaks(self, pred: np.ndarray, least: float) -> list[Peaks]:
        """The objects of each row that are predicted with at least this score."""
        scores, boxes = self.split(np.asarray(pred))
        return find_peaks(scores, boxes, grid=self.grid, least=least, most=self.n_objects)

    def matched(self, y: np.ndarray, pred: np.ndarray) -> tuple[np.ndarray, ...]:
        """Pair predicted objects with true ones: each takes the true one that it covers most.

        Returns:
            Class, score and whether it is right (an overlap of 0.5 or more, with a true object that
            no surer one has taken) of each predicted object, and the number of true objects by
            class (C,).
        """
        objects = self.objects_of(y)
        parts = []
        for own, true in zip(self.peaks(pred, LEAST_SCORE), objects, strict=True):
            right = np.zeros(len(own.label), bool)
            same = box_overlap(own.box[:, None], true[None, :, 1:])
            same = np.where(own.label[:, None] == true[None, :, 0], same, -1.0)
            for n in range(len(own.label)):  # the surest first
                best = int(same[n].argmax())
                if same[n, best] >= RIGHT:
                    right[n] = True
                    same[:, best] = -1.0
            parts.append((own.label, own.score, right))
        label, score, right = (np.concatenate([[], *x]) for x in zip(*parts, strict=True))
        there = objects[..., 0][objects[..., 0] >= 0].astype(int)
        return label, score, right.astype(bool), np.bincount(there, minlength=self.n_classes)

    def point_mass(self, y: np.ndarray) -> np.ndarray:
        heat, boxes, share = self.heatmap(y)
        boxes = np.where(share[..., None] > 0, boxes, self.typical_boxes())
        certain = np.concatenate([heat, boxes], axis=-1).reshape(len(y), self.n_columns)
        certain[~self.known(y)] = np.nan
        return np.asarray(certain, np.float32)

    def row_loss(self, y: np.ndarray, pred: np.ndarray) -> np.ndarray:
        """What a row's map gets wrong, in units of the mean number of objects.

        The squared distance between scores and bells, which is proper for the mean bell, and one
        minus the overlap of the boxes predicted around the centre of each object.
        """
        out = np.full(len(y), np.nan)
        for first in range(0, len(y), ROWS_AT_ONCE):
            rows = slice(first, first + ROWS_AT_ONCE)
            heat, boxes, share = self.heatmap(y[rows])
            scores, pred_boxes = self.split(np.asarray(pred[rows]))
            wrong = np.square(scores - heat, dtype=np.float64).sum(axis=(1, 2))
            same = box_overlap(pred_boxes.astype(np.float32), boxes)
            out[rows] = wrong + ((1 - same) * share).sum(axis=1, dtype=np.float64)
        return np.where(self.known(y), out / self.objects_per_row, np.nan)

    def log_prob(self, y: np.ndarray, pred: np.ndarray) -> np.ndarray:
        """Of the bells, as if whether a centre is near were independent at each location.

        Neighbours agree, so it overstates; differences between two predictions of one row are what
        it is for.
        """
        heat = self.heatmap(y).heat
        p = np.clip(self.split(np.asarray(pred, np.float64))[0], PROBABILITY_FLOOR, 1 - 1e-6)
        each = heat * np.log(p) + (1 - heat) * np.log(1 - p)
        return np.where(self.known(y), each.sum(axis=(1, 2)), np.nan)

    def baseline(self, y: np.ndarray) -> np.ndarray:
        rows = np.flatnonzero(self.known(y))
        heat = np.zeros((self.n_locations, self.n_classes))
        for row in rows:  # one at a time: all bells of a thousand images don't fit into memory
            heat += self.heatmap(y[row : row + 1]).heat[0] / len(rows)
        return np.concatenate([heat, self.typical_boxes()], axis=-1).ravel()

    def information(self, preds: np.ndarray) -> np.ndarray:
        scores, _ = self.split(preds)
        bits = np.zeros(preds.shape[1])
        for row, own in enumerate(self.peaks(preds.mean(axis=0), LEAST_SCORE)):
            p = scores[:, row, own.location, own.label]  # (n, M)
            bits[row] = class_information(np.stack([1 - p, p], axis=-1)).sum()
        return bits


@dataclass(frozen=True)
class _DetectionLatent(Latent):
    """Each variable stands for one object that the map shows: is it there?"""

    of: Detections

    @property
    def n_latent(self) -> int:
        return self.of.n_objects

    def _candidates(self, pred: np.ndarray) -> tuple[list[Peaks], np.ndarray]:
        """What may be there, and the probabilities (N, M, 2) that each of them is not and is."""
        peaks = self.of.peaks(pred, LEAST_SCORE)
        there = np.zeros((len(peaks), self.of.n_objects))
        for row, own in enumerate(peaks):
            there[row, : len(own.score)] = own.score
        return peaks, np.stack([1 - there, there], axis=-1)

    def to_normal(
        self, y: np.ndarray, pred: np.ndarray, share: np.ndarray | None = None
    ) -> np.ndarray:
        peaks, chances = self._candidates(pred)
        is_there = np.zeros(chances.shape[:2])
        for row, (own, objects) in enumerate(zip(peaks, self.of.objects_of(y), strict=True)):
            true = objects[objects[:, 0] >= 0]
            if len(true) and len(own.label):
                same = box_overlap(own.box[:, None], true[None, :, 1:])
                hit = (same >= RIGHT) & (own.label[:, None] == true[None, :, 0])
                is_there[row, : len(own.label)] = hit.any(axis=1)
        is_there[~self.of.known(y)] = np.nan
        return class_to_normal(chances, is_there, share)

    def from_normal(self, pred: np.ndarray, z: np.ndarray) -> np.ndarray:
        peaks, chances = self._candidates(pred)
        drawn = class_from_normal(chances, np.reshape(z, chances.shape[:2]))
        block = self.of.missing(len(peaks)).astype(np.float64)
        for row, own in enumerate(peaks):
            objects = np.zeros((self.of.n_objects, 5))
            objects[:, 0] = -1
            kept = drawn[row, : len(own.label)] > 0
            box = own.box[kept].clip(0, 1)
            objects[: kept.sum()] = np.column_stack([own.label[kept], box])
            block[row] = objects.ravel()
        return block

    def condition(self, pred: np.ndarray, mean: np.ndarray, *, sd: np.ndarray) -> np.ndarray:
        peaks, chances = self._candidates(pred)
        conditioned = condition_classes(chances, mean, sd)[..., 1]
        out = np.array(pred, np.float64).reshape(len(pred), self.of.n_locations, -1)
        for row, own in enumerate(peaks):
            out[row, own.location, own.label] = conditioned[row, : len(own.label)]
        return out.reshape(len(pred), -1)
