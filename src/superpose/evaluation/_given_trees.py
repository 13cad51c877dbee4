"""Boosted trees that are told measured targets: some of them, or all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from superpose.data import Features, Fold
from superpose.kinds import TargetKind
from superpose.models import FittedTrees, Revealed
from superpose.trees import Engine

from ._references import fit_references

# Each row is learned from several times, with other targets hidden each time; small tables can
# afford more of it and need it more.
COPIES, COPIES_OF_FEW, FEW = 1, 4, 4000


def random_subsets(rng: np.random.Generator, rows: int, targets: int) -> np.ndarray:
    """Draw which targets are told, (N, T): any number from none to all but one, equally likely."""
    order = rng.random((rows, targets)).argsort(1).argsort(1)
    return order < rng.integers(0, targets, (rows, 1))


def hidden_once(half: np.ndarray, place: int) -> np.ndarray:
    """Turn subsets (N, T) that show a target round, so that all models are told the same there."""
    return np.where(half[:, place, None], ~half, half)


def fit_given_trees(
    engine: Engine,
    features: Features,
    kinds: Mapping[str, TargetKind],
    labels: Mapping[str, np.ndarray],
    target: str,
    folds: Sequence[Fold],
    half: np.ndarray,
    seed: int = 0,
    some: bool = True,
) -> FittedTrees:
    """Fit the trees of one target that are told others.

    Args:
        engine: What fits them.
        features: Inputs of all N rows.
        kinds: All fitted targets.
        labels: Encoded labels of all targets.
        target: The target to fit for.
        folds: Training and held-out rows.
        half: Which targets (N, T) are told to the rows that judge.
        seed: Seed of the trees and of what is hidden.
        some: Hide other targets at random; else the trees are told all there are.

    Returns:
        Trees whose ``held_out`` is (1, N, K), or with ``some`` (2, N, K): half of the others told,
        and all.
    """
    place, rows = list(kinds).index(target), len(features.matrix)
    revealed = Revealed.of(kinds, labels)
    copies = 1
    judges = [revealed.beside(features.matrix, place)]
    parts = list(judges)
    if some:
        judges.insert(0, revealed.beside(features.matrix, place, hidden_once(half, place)))
        copies = COPIES_OF_FEW if max(len(f.train) for f in folds) < FEW else COPIES
        rng = np.random.default_rng([seed, place])
        subsets = [random_subsets(rng, rows, len(kinds)) for _ in range(copies)]
        parts = [revealed.beside(features.matrix, place, s) for s in subsets] + judges
    first = len(parts) - len(judges)
    matrix = Features(
        np.concatenate(parts),
        features.categorical + [False] * int((revealed.owners != place).sum()),
        [],
    )
    tiled = [
        Fold(
            np.concatenate([f.train + rows * c for c in range(copies)]),
            np.concatenate([f.validation + rows * (first + j) for j in range(len(judges))]),
        )
        for f in folds
    ]
    y = np.concatenate([labels[target]] * len(parts))
    found = fit_references(engine, matrix, kinds[target], y, tiled, seed)
    held = found.held_out.reshape(len(parts), rows, -1)
    found.held_out = held[first:]
    return found
