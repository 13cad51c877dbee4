"""Boosted trees for one target: the reference every shared model has to beat."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from superpose.data import Features, Fold
from superpose.kinds import TargetKind
from superpose.models import Fitted, TreesModel
from superpose.trees import Engine, TreeModel, TreeRows, fit_trees

# Fold models of a small table that are fitted again.
FEWEST_REFITTED = 2


@dataclass(frozen=True)
class TreeData:
    """What the trees of all targets are fitted on.

    Args:
        engine: "hist", "catboost" or "lightgbm".
        features: What ``codec.features`` gave for all N rows.
        kinds: The fitted targets.
        labels: Encoded labels (N,) or (N, L) of each.
        folds: Training and validation rows.
        seed: Seed of the trees.
    """

    engine: Engine
    features: Features
    kinds: Mapping[str, TargetKind]
    labels: Mapping[str, np.ndarray]
    folds: Sequence[Fold]
    seed: int = 0


def fit_reference(data: TreeData, target: str) -> Fitted[TreesModel]:
    """Fit one tree model per fold.

    The validation rows of a fold stop its boosting; with several folds each model is then cut to
    the median length of the *others*, so that a row hardly gains from stopping the model that
    predicts it (a model that stopped short of the median can't be lengthened). Half of what is
    deployed comes from the folds' models, whose mean is steady, and half from one that has seen all
    rows, which is better where there is little noise.

    Args:
        data: What to fit on.
        target: The target to fit for.
    """
    began = time.monotonic()
    known = data.kinds[target].distribution.known(data.labels[target])
    folds = [
        Fold(fold.train[known[fold.train]], fold.validation)
        for fold in data.folds
        if known[fold.train].any()
    ]
    models = [
        _fit(data, target, fold.train, stop=fold.validation[known[fold.validation]])
        for fold in folds
    ]
    whole = None
    if len(folds) > 1:
        lengths = np.array([model.rounds for model in models])
        models = [
            model.cut(int(np.median(np.delete(lengths, number))))
            for number, model in enumerate(models)
        ]
        rows = np.unique(np.concatenate([fold.train for fold in folds]))
        # Where folds differ in the rows that stop them only, each has seen all of these.
        if len(rows) > max(len(fold.train) for fold in folds):
            whole = _fit(data, target, rows, rounds=max(1, int(np.median(lengths))))
            whole = whole.with_errors_of(models)
    pred = _oof_predictions(data, target, models=models, folds=folds)
    model = TreesModel(data.engine, [target], models, whole, time.monotonic() - began)
    return Fitted(model, {target: pred})


def refit_reference(data: TreeData, model: TreesModel, copies: int = 1) -> TreesModel:
    """Fit trees again on all rows with a label, with the rounds that were found.

    The errors that they state stay those on rows that they had not seen.

    Args:
        data: What to fit on; its folds are not read.
        model: The trees that were deployed.
        copies: How often all rows lie one below the other in ``data``.
    """
    began = time.monotonic()
    target = model.target
    known = data.kinds[target].distribution.known(data.labels[target])
    rounds = max(1, int(np.median([fold.rounds for fold in model.folds])))
    n_rows = len(known) // copies

    def fitted(rows: np.ndarray) -> TreeModel:
        every = np.concatenate([rows + copy * n_rows for copy in range(copies)])
        trees = _fit(data, target, every[known[every]], rounds=rounds)
        return trees.with_errors_of(model.folds)

    whole = fitted(np.arange(n_rows))
    folds = [whole]
    if model.whole is not None:
        # The mean of trees that have each seen other rows is steady; a few do for that.
        rng = np.random.default_rng([data.seed, 7])
        turn = rng.permutation(n_rows) % len(model.folds)
        few = max(FEWEST_REFITTED, round(len(model.folds) / 3))
        folds = [fitted(np.flatnonzero(turn != fold)) for fold in range(few)]
    seconds = model.seconds + time.monotonic() - began
    return replace(
        model, folds=folds, whole=None if model.whole is None else whole, seconds=seconds
    )


def _fit(
    data: TreeData,
    target: str,
    train: np.ndarray,
    *,
    stop: np.ndarray | None = None,
    rounds: int | None = None,
) -> TreeModel:
    """Fit trees that rows with labels stop, or that have so many rounds."""
    kind = data.kinds[target]
    with_classes = kind.tree_task in ("classification", "multilabel")
    rows = TreeRows(
        data.features.matrix,
        kind.tree_labels(data.labels[target]),
        categorical=data.features.categorical,
        train=train,
        stop=stop,
    )
    return fit_trees(
        data.engine,
        rows,
        tree_task=kind.tree_task,  # type: ignore[arg-type]
        n_classes=max(len(kind.labels), kind.distribution.n_columns) if with_classes else 0,
        seed=data.seed,
        rounds=rounds,
    )


def _oof_predictions(
    data: TreeData, target: str, *, models: Sequence[TreeModel], folds: Sequence[Fold]
) -> np.ndarray:
    """Predictions (N, K) of validation rows by models that have not learned from them."""
    kind = data.kinds[target]
    labels = data.labels[target]
    total = np.zeros((len(labels), kind.distribution.n_columns))
    count = np.zeros((len(labels), 1))
    for model, fold in zip(models, folds, strict=True):
        total[fold.validation] += model.predict(data.features.matrix[fold.validation])
        count[fold.validation] += 1
    pred = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    # Where all labels lie in one fold, nothing was learned for it: what is known then is nothing.
    validated = np.unique(np.concatenate([fold.validation for fold in data.folds]))
    pred[validated[count[validated, 0] == 0]] = kind.distribution.baseline(
        np.full_like(labels, np.nan)
    )
    return pred
