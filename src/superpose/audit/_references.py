"""Boosted trees for one target: the reference every shared model has to beat."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from superpose.data import Features, Fold
from superpose.kinds import TargetKind
from superpose.trees import Engine, TreeModel, fit_trees


@dataclass
class FittedTrees:
    """The tree models of all folds for one target.

    Args:
        models: One for each fold.
        held_out: Predictions (N, K) for rows a model has not seen, NaN elsewhere; not in a bundle.
        seconds: Training time.
        whole: With several folds, a model of the rows of all folds.
    """

    models: list[TreeModel]
    held_out: np.ndarray
    seconds: float = 0.0
    whole: TreeModel | None = None

    def predict(self, features: np.ndarray) -> np.ndarray:
        """Average canonical predictions, (N, F) -> (N, K); the folds weigh as much as the whole."""
        told = np.mean([m.predict(features) for m in self.models], axis=0)
        return told if self.whole is None else (told + self.whole.predict(features)) / 2

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Split into JSON facts and arrays."""
        facts: list[dict[str, Any]] = []
        arrays: dict[str, np.ndarray] = {}
        every = [*self.models, self.whole] if self.whole else self.models
        for i, model in enumerate(every):
            own, parts = model.state()
            facts.append(own)
            arrays |= {f"{i}/{name}": part for name, part in parts.items()}
        return {"models": facts, "whole": bool(self.whole), "seconds": self.seconds}, arrays

    @classmethod
    def from_state(cls, facts: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Self:
        """Put back what ``state`` split."""
        models = []
        for i, own in enumerate(facts["models"]):
            parts = {
                k.split("/", 1)[1]: v for k, v in arrays.items() if k.split("/", 1)[0] == str(i)
            }
            models.append(TreeModel.from_state(own, parts))
        whole = models.pop() if facts["whole"] else None
        return cls(models, np.zeros((0, 0)), facts["seconds"], whole)


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
        return fit_trees(
            engine,
            features.matrix,
            features.categorical,
            told,
            fold.train,
            fold.validation[known[fold.validation]] if rounds is None else None,
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
