"""Boosted trees that read measured targets: some of them, or all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from superpose.data import Features, Fold
from superpose.models import (
    ALL,
    HALF,
    TREES_ALL,
    TREES_SOME,
    ConditionalTreesModel,
    Fitted,
    Observed,
)

from ._references import TreeData, fit_reference, refit_reference

# Each row is learned from several times, with other targets hidden each time; small tables can
# afford more of it and need it more.
COPIES, COPIES_OF_FEW, FEW = 1, 4, 4000


def random_subsets(rng: np.random.Generator, rows: int, targets: int) -> np.ndarray:
    """Draw which targets are shown, (N, T): any number from none to all but one, equally likely."""
    order = rng.random((rows, targets)).argsort(1).argsort(1)
    return order < rng.integers(0, targets, (rows, 1))


def hidden_once(half: np.ndarray, index: int) -> np.ndarray:
    """Turn subsets (N, T) that show a target round, so that all models are shown the same there."""
    return np.where(half[:, index, None], ~half, half)


def fit_trees_some(data: TreeData, target: str, half: np.ndarray) -> Fitted[ConditionalTreesModel]:
    """Fit trees of one target from which other targets are hidden at random.

    Args:
        data: What to fit on.
        target: The target to fit for.
        half: Which targets (N, T) may be read in rows of the proof, at the level "half".

    Returns:
        The model, and its predictions (N, K) at the levels "half" and "all".
    """
    observed = Observed(data.kinds, data.labels)
    matrix = data.features.matrix
    index = list(data.kinds).index(target)
    return _fit_parts(
        data,
        target,
        name=TREES_SOME,
        learned=_copies_of_some(data, target),
        evaluated={
            HALF: observed.beside(matrix, target, shown=hidden_once(half, index)),
            ALL: observed.beside(matrix, target),
        },
    )


def _copies_of_some(data: TreeData, target: str) -> list[np.ndarray]:
    """Copies (N, F) of all rows, in each of which other targets are hidden at random."""
    observed = Observed(data.kinds, data.labels)
    matrix = data.features.matrix
    rng = np.random.default_rng([data.seed, list(data.kinds).index(target)])
    few = max(len(fold.train) for fold in data.folds) < FEW
    subsets = [
        random_subsets(rng, len(matrix), len(data.kinds))
        for _ in range(COPIES_OF_FEW if few else COPIES)
    ]
    return [observed.beside(matrix, target, shown=shown) for shown in subsets]


def refit_conditional_trees(data: TreeData, model: ConditionalTreesModel) -> ConditionalTreesModel:
    """Fit conditional trees again on all rows, as ``refit_reference`` fits others."""
    target = model.target
    if model.name == TREES_SOME:
        copies = _copies_of_some(data, target)
    else:
        copies = [Observed(data.kinds, data.labels).beside(data.features.matrix, target)]
    trees = refit_reference(_stacked(data, target, copies), model, len(copies))
    return replace(model, folds=trees.folds, whole=trees.whole, seconds=trees.seconds)


def _stacked(data: TreeData, target: str, copies: Sequence[np.ndarray]) -> TreeData:
    """Lay copies (N, F) of all rows one below the other."""
    extra = copies[0].shape[1] - data.features.matrix.shape[1]
    codes = data.features.categorical + [False] * extra
    features = Features(np.concatenate(copies), codes, [])
    labels = {target: np.concatenate([data.labels[target]] * len(copies))}
    return replace(data, features=features, labels=labels)


def fit_trees_all(data: TreeData, target: str) -> Fitted[ConditionalTreesModel]:
    """Fit trees of one target that read all others.

    Args:
        data: What to fit on.
        target: The target to fit for.

    Returns:
        The model, and its predictions (N, K) at the level "all".
    """
    every = Observed(data.kinds, data.labels).beside(data.features.matrix, target)
    return _fit_parts(data, target, name=TREES_ALL, learned=[], evaluated={ALL: every})


def _fit_parts(
    data: TreeData,
    target: str,
    *,
    name: str,
    learned: Sequence[np.ndarray],
    evaluated: Mapping[str, np.ndarray],
) -> Fitted[ConditionalTreesModel]:
    """Fit trees on copies (N, F) of all rows that differ by what is shown.

    Args:
        data: What to fit on.
        target: The target to fit for.
        name: Name of the model.
        learned: The copies that are learned from; without any, those that are evaluated.
        evaluated: For each level the copy that stops the trees, and is predicted.
    """
    rows = len(data.features.matrix)
    parts = [*learned, *evaluated.values()]
    train = range(max(len(learned), 1))
    stop = range(len(learned), len(parts))
    folds = [
        Fold(
            np.concatenate([fold.train + rows * copy for copy in train]),
            np.concatenate([fold.validation + rows * copy for copy in stop]),
        )
        for fold in data.folds
    ]
    fitted = fit_reference(replace(_stacked(data, target, parts), folds=folds), target)
    trees = fitted.model
    pred = fitted.oof_predictions[target].reshape(len(parts), rows, -1)[len(learned) :]
    model = ConditionalTreesModel(name, [target], trees.folds, trees.whole, trees.seconds)
    return Fitted(model, dict(zip(evaluated, pred, strict=True)))
