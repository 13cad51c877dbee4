"""A boosted forest as plain arrays, with its own fast prediction.

A fitted scikit-learn ensemble can only be saved by pickling it. Its trees are small tables of
numbers, so they are kept as such: they survive in safetensors, load without running code, and
predict without scikit-learn.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np

from superpose.errors import BundleError, message

# One bit per leaf of a tree; 31 leaves is scikit-learn's default and the most that is used here.
MAX_LEAVES = 32
# Rows predicted together: trees x rows x 4 bytes then stay in the second-level cache.
CHUNK = 1024
# Multiplying an isolated bit by this De Bruijn sequence leaves its position in the top five bits,
# in an order that the leaf values are laid out by. Source: Leiserson, Prokop, Randall 1998.
DE_BRUIJN = np.uint32(0x077CB531)
BIT_SLOT = ((np.uint32(1) << np.arange(32, dtype=np.uint32)) * DE_BRUIJN) >> np.uint32(27)

_DTYPES = {
    "start": np.int64,
    "feature": np.int32,
    "right": np.int32,
    "threshold": np.float64,
    "missing_left": np.uint8,
    "value": np.float64,
    "bitset": np.int32,
    "bitsets": np.uint32,
    "baseline": np.float64,
    "levels": np.float64,
    "levels_start": np.int64,
}


@dataclass(frozen=True)
class Forest:
    """Trees in preorder: the left child of node i is node i + 1, its right child `right[i]`.

    A numeric node sends a value left when it is at most `threshold`; a categorical node when the
    position of the code among `levels` is set in its bitset; a missing or unseen value goes where
    `missing_left` says. Tree t adds to output t % K.

    Args:
        start: (trees + 1,) first node of each tree, then the number of nodes.
        feature: (nodes,) column that the node reads, -1 for a leaf.
        right: (nodes,) right child, counted from the start of the forest.
        threshold: (nodes,) numeric split points.
        missing_left: (nodes,) 1 where missing values go left.
        value: (nodes,) leaf values.
        bitset: (nodes,) row of `bitsets` for a categorical node, else -1.
        bitsets: (categorical nodes, 8) 256 bits each.
        baseline: (K,) added to every row.
        levels: known category codes of all features, one after the other, each sorted.
        levels_start: (F + 1,) where each feature's codes begin; an empty range is a number.
    """

    start: np.ndarray
    feature: np.ndarray
    right: np.ndarray
    threshold: np.ndarray
    missing_left: np.ndarray
    value: np.ndarray
    bitset: np.ndarray
    bitsets: np.ndarray
    baseline: np.ndarray
    levels: np.ndarray
    levels_start: np.ndarray
    _tables: list[_FeatureTable] = field(
        default_factory=list, init=False, repr=False, compare=False
    )

    @property
    def trees(self) -> int:
        """Number of trees, over all outputs."""
        return len(self.start) - 1

    @classmethod
    def from_sklearn(
        cls, model: Any, *, levels: list[np.ndarray], columns: np.ndarray, rounds: int
    ) -> Self:
        """Copies the first `rounds` iterations of a fitted HistGradientBoosting model.

        Args:
            model: fitted on `columns`, categories coded by their position in `levels`.
            levels: (F,) known codes per column, sorted; empty for a number.
            columns: (F',) columns that the model was fitted on.
            rounds: iterations to keep, 0 for the baseline alone.
        """
        kept = [tree for iteration in model._predictors[:rounds] for tree in iteration]
        # scikit-learn moves categorical columns to the front; undo that.
        categorical = np.array([len(levels[c]) > 0 for c in columns], dtype=bool)
        order = np.concatenate([columns[categorical], columns[~categorical]])
        sizes = [len(tree.nodes) for tree in kept]
        start = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        shift = np.repeat(start[:-1], sizes)
        nodes = np.concatenate([t.nodes for t in kept]) if kept else _no_nodes()
        bits = [tree.raw_left_cat_bitsets for tree in kept]
        bit_shift = np.concatenate([[0], np.cumsum([len(b) for b in bits])])[:-1]
        leaf = nodes["is_leaf"].astype(bool)
        split_by_code = nodes["is_categorical"].astype(bool) & ~leaf
        feature = order[nodes["feature_idx"]] if kept else np.zeros(0, np.int64)
        return cls(
            start=start,
            feature=np.where(leaf, -1, feature).astype(np.int32),
            right=np.where(leaf, 0, nodes["right"] + shift).astype(np.int32),
            threshold=np.where(leaf | split_by_code, 0.0, nodes["num_threshold"]),
            missing_left=nodes["missing_go_to_left"].astype(np.uint8),
            value=np.where(leaf, nodes["value"], 0.0),
            bitset=np.where(
                split_by_code, nodes["bitset_idx"] + np.repeat(bit_shift, sizes), -1
            ).astype(np.int32),
            bitsets=np.concatenate(bits).astype(np.uint32) if bits else np.zeros((0, 8), np.uint32),
            baseline=np.asarray(model._baseline_prediction, dtype=np.float64).ravel(),
            levels=np.concatenate([np.zeros(0), *levels]).astype(np.float64),
            levels_start=np.concatenate([[0], np.cumsum([len(one) for one in levels])]),
        )

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Sums the leaves that each row falls into.

        Every split that a row fails rules out the leaves on its left; the first leaf that is left
        over is the row's. Whole trees are then a few AND operations on bit masks, looked up by
        the rank of a value among all split points of its column.

        Args:
            X: (N, F) numbers, NaN for missing.

        Shape:
            (N, F) -> (N, K), before any link function.

        Source: Lucchese et al., QuickScorer, SIGIR 2015; the masks of one column are tabulated
        by rank here, which suits arrays better than their scan in threshold order.
        """
        rows = len(X)
        outputs = len(self.baseline)
        out = np.tile(self.baseline, (rows, 1))
        if not self.trees or not rows:
            return out
        tables = self._tables or self._build()
        slots = self._leaf_slots()
        offsets = (np.arange(self.trees, dtype=np.int64) * MAX_LEAVES)[:, None]
        for low in range(0, rows, CHUNK):
            part = X[low : low + CHUNK]
            alive = np.full((self.trees, len(part)), 0xFFFFFFFF, dtype=np.uint32)
            for table in tables:
                alive[table.trees] &= np.take(table.masks, table.rank(part), axis=1)
            alive &= -alive
            alive *= DE_BRUIJN
            alive >>= np.uint32(27)
            leaves = np.take(slots, alive + offsets)
            out[low : low + CHUNK] += leaves.reshape(-1, outputs, len(part)).sum(axis=0).T
        return out

    def cut(self, trees: int) -> Self:
        """The forest of the first so many trees."""
        end = self.start[min(trees, self.trees)]
        per_node = ("feature", "right", "threshold", "missing_left", "value", "bitset")
        kept = {name: getattr(self, name)[:end] for name in per_node}
        return replace(self, start=self.start[: trees + 1], **kept)

    def arrays(self) -> dict[str, np.ndarray]:
        """Everything needed to build the forest again."""
        return {name: np.asarray(getattr(self, name), dtype=d) for name, d in _DTYPES.items()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Self:
        """Builds a forest from `arrays()`.

        Raises:
            BundleError: the arrays do not describe trees.
        """
        missing = sorted(set(_DTYPES) - set(arrays))
        if missing:
            raise BundleError(damaged(f"{', '.join(missing)} missing"))
        forest = cls(**{name: np.asarray(arrays[name], dtype=d) for name, d in _DTYPES.items()})
        if not forest._is_sound():
            raise BundleError(damaged("its nodes do not form trees"))
        return forest

    def _is_sound(self) -> bool:
        nodes = len(self.feature)
        features = len(self.levels_start) - 1
        per_node = (self.right, self.threshold, self.missing_left, self.value, self.bitset)
        flat = (*per_node, self.feature, self.start, self.baseline, self.levels, self.levels_start)
        if any(one.ndim != 1 for one in flat) or self.bitsets.shape[1:] != (8,):
            return False
        if any(len(one) != nodes for one in per_node) or not len(self.start):
            return False
        if self.start[0] or self.start[-1] != nodes:
            return False
        if not len(self.baseline) or self.trees % len(self.baseline) or features < 0:
            return False
        inner = np.flatnonzero(self.feature >= 0)
        last = np.repeat(self.start[1:], np.diff(self.start))[inner]
        return bool(
            (np.diff(self.start) > 0).all()
            and (self.feature < features).all()
            and (self.bitset < len(self.bitsets)).all()
            and (self.right[inner] > inner + 1).all()
            and (self.right[inner] < last).all()
            and (np.diff(self._leaf_counts()[self.start]) <= MAX_LEAVES).all()
            and all(np.isfinite(x).all() for x in (self.value, self.baseline, self.levels))
            and not np.isnan(self.threshold).any()
            and self.levels_start[0] == 0
            and self.levels_start[-1] == len(self.levels)
            and (np.diff(self.levels_start) >= 0).all()
        )

    def _leaf_counts(self) -> np.ndarray:
        """(nodes + 1,) leaves before each node, over the whole forest."""
        return np.concatenate([[0], np.cumsum(self.feature < 0)])

    def _leaf_slots(self) -> np.ndarray:
        """(trees * 32,) leaf values in the order of the De Bruijn hash."""
        leaves = np.flatnonzero(self.feature < 0)
        tree = np.searchsorted(self.start, leaves, side="right") - 1
        counts = self._leaf_counts()
        position = counts[leaves] - counts[self.start[tree]]
        slots = np.zeros(self.trees * MAX_LEAVES)
        slots[tree * MAX_LEAVES + BIT_SLOT[position]] = self.value[leaves]
        return slots

    def _build(self) -> list[_FeatureTable]:
        nodes = np.flatnonzero(self.feature >= 0)
        tree = np.searchsorted(self.start, nodes, side="right") - 1
        counts = self._leaf_counts()
        first = counts[nodes + 1] - counts[self.start[tree]]
        n_leaves = counts[self.right[nodes]] - counts[nodes + 1]
        # The leaves of the left child are consecutive, because nodes stand in preorder.
        ones = (np.int64(1) << n_leaves) - 1
        mask = (~(ones << first) & 0xFFFFFFFF).astype(np.uint32)
        order = np.argsort(self.feature[nodes], kind="stable")
        groups = np.split(order, np.flatnonzero(np.diff(self.feature[nodes][order])) + 1)
        for group in groups:
            if len(group):
                self._tables.append(self._table(nodes[group], tree[group], mask[group]))
        return self._tables

    def _table(self, nodes: np.ndarray, tree: np.ndarray, mask: np.ndarray) -> _FeatureTable:
        column = int(self.feature[nodes[0]])
        trees, local = np.unique(tree, return_inverse=True)
        goes_right = self.missing_left[nodes] == 0
        codes = self.levels[self.levels_start[column] : self.levels_start[column + 1]]
        if len(codes):
            masks = _ones(len(trees), len(codes) + 1)
            bits = self.bitsets[self.bitset[nodes]].astype("<u4").view(np.uint8)
            left = np.unpackbits(bits, axis=1, bitorder="little")[:, : len(codes)]
            node, code = np.nonzero(left == 0)
            np.bitwise_and.at(masks, (local[node], code), mask[node])
            points = codes
            is_code = True
        else:
            points, position = np.unique(self.threshold[nodes], return_inverse=True)
            masks = _ones(len(trees), len(points) + 2)
            np.bitwise_and.at(masks, (local, position + 1), mask)
            masks[:, :-1] = np.bitwise_and.accumulate(masks[:, :-1], axis=1)
            is_code = False
        np.bitwise_and.at(masks[:, -1], local[goes_right], mask[goes_right])
        return _FeatureTable(column, trees, masks, points, is_code)


@dataclass(frozen=True)
class _FeatureTable:
    """What one column rules out: masks (trees that read it, ranks), the last rank is missing."""

    column: int
    trees: np.ndarray
    masks: np.ndarray
    points: np.ndarray
    is_code: bool

    def rank(self, X: np.ndarray) -> np.ndarray:
        values = X[:, self.column].astype(np.float64)
        rank = np.searchsorted(self.points, values, side="left")
        if self.is_code:
            is_known = self.points[np.minimum(rank, len(self.points) - 1)] == values
            return np.where(is_known, rank, self.masks.shape[1] - 1)
        return np.where(np.isnan(values), self.masks.shape[1] - 1, rank)


def damaged(what: str) -> str:
    """The message for a tree model that can't be read back."""
    return message("tree model", what, fix="the bundle is damaged or newer; save the model again")


def _ones(rows: int, columns: int) -> np.ndarray:
    return np.full((rows, columns), 0xFFFFFFFF, dtype=np.uint32)


def _no_nodes() -> np.ndarray:
    names = ["is_leaf", "is_categorical", "feature_idx", "right", "num_threshold"]
    names += ["missing_go_to_left", "value", "bitset_idx"]
    return np.zeros(0, dtype=[(name, np.float64) for name in names])
