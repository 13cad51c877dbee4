"""Boosted trees for one target: the reference every shared model has to beat."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from superpose.data import Features, Fold
from superpose.kinds import TargetKind
from superpose.models import FittedTrees
from superpose.trees import Engine, TreeData, TreeModel, fit_trees


def fit_references(
    engine: Engine,
    features: Features,
    kind: TargetKind,
    labels: np.ndarray,
    folds: Sequence[Fold],
    seed: int = 0,
) -> FittedTrees:
    """Fit one tree model per fold.

    The held-out rows of a fold stop its boosting; with several folds each model is then cut to the
    median length of the *others*, so that a row hardly gains from stopping the model it is judged
    by (a model that stopped short of the median can't be lengthened). Half of what ships comes from
    the folds' models, whose mean is steady, and half from one that has seen all rows, which is
    better where there is little noise.

    Args:
        engine: "hist", "catboost" or "lightgbm".
        features: What ``codec.features`` gave for all N rows.
        kind: The fitted target.
        labels: Encoded labels (N,) or (N, L).
        folds: Training and held-out rows.
        seed: Seed of the trees.
    """
    began = time.monotonic()
    known = kind.known(labels)
    asked = np.unique(np.concatenate([f.validation for f in folds]))
    folds = [Fold(f.train[known[f.train]], f.validation) for f in folds if known[f.train].any()]
    classes = (
        max(len(kind.labels), kind.width) if kind.tree in ("classification", "multilabel") else 0
    )

    told = kind.tree_labels(labels)

    def fit(fold: Fold, rounds: int | None = None) -> TreeModel:
        data = TreeData(
            features.matrix,
            told,
            categorical=features.categorical,
            train=fold.train,
            stop=fold.validation[known[fold.validation]] if rounds is None else None,
        )
        return fit_trees(
            engine,
            data,
            tree_task=kind.tree,  # type: ignore[arg-type]
            n_classes=classes,
            seed=seed,
            rounds=rounds,
        )

    models, whole = [fit(fold) for fold in folds], None
    if len(folds) > 1:
        found = np.array([m.rounds for m in models])
        models = [m.cut(int(np.median(np.delete(found, f)))) for f, m in enumerate(models)]
    total, count = np.zeros((len(labels), kind.width)), np.zeros((len(labels), 1))
    for model, fold in zip(models, folds, strict=True):
        total[fold.validation] += model.predict(features.matrix[fold.validation])
        count[fold.validation] += 1
    held_out = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    # Where all labels lie in one fold, nothing was learned for it: it is told what is known then.
    held_out[asked[count[asked, 0] == 0]] = kind.constant(np.full_like(labels, np.nan))
    if len(folds) > 1:
        rows = np.unique(np.concatenate([fold.train for fold in folds]))
        whole = fit(Fold(rows, rows), max(1, int(np.median(found))))
        whole = whole.with_errors_of(models)
    return FittedTrees(models, held_out, time.monotonic() - began, whole)
