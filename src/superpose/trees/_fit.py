"""Fitting the boosted-tree references: for each target the model that sharing has to beat."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from superpose.errors import ConfigError, TrainingError, message

from ._boosters import Baseline, Booster, Link, Rows
from ._hazards import stacked
from ._tree_rows import TreeRows, finite
from ._trees import BOOSTERS, TreeModel, TreeTask

Engine = Literal["hist", "hist-coarse", "catboost", "lightgbm"]

# Fewer rows than this say nothing about when to stop: one lucky row would decide.
FEWEST_STOP_ROWS = 8
# Fewer rows than this can't hold two leaves; the baseline is then the honest prediction.
FEWEST_TRAIN_ROWS = 8
# The floor keeps the likelihood of a perfectly fitted target finite.
SMALLEST_SCALE = 1e-3


def fit_trees(
    engine: Engine,
    data: TreeRows,
    *,
    tree_task: TreeTask,
    n_classes: int = 0,
    seed: int = 0,
    threads: int | None = 1,
    rounds: int | None = None,
) -> TreeModel:
    """Fits boosted trees for one target; rows without a label are left out.

    Args:
        engine: "hist" (scikit-learn), "catboost" or "lightgbm" (extras).
        data: features, labels and rows.
        tree_task: the loss.
        n_classes: classes (classification) or labels (multilabel).
        seed: any non-negative integer; the same seed gives the same trees.
        threads: at most this many, None for all. One by default: a fit is a long row of steps of
            well under a millisecond, and threads that wait for one another on a busy machine were
            measured to make it ten times slower or worse.
        rounds: most boosting iterations, None for the engine's default.

    Raises:
        ConfigError: an engine that does not exist.
        MissingExtraError: an engine that is not installed.
        TrainingError: no training row has a label.

    Example:
        >>> X = np.linspace(0, 1, 200, dtype=np.float32)[:, None]
        >>> rows = np.arange(200)
        >>> data = TreeRows(X, X[:, 0] > 0.5, [False], rows[::2], rows[1::2])
        >>> model = fit_trees("hist", data, tree_task="classification", n_classes=2)
        >>> model.predict(X[:1]).argmax()
        np.int64(0)
    """
    if engine not in BOOSTERS or engine == Baseline.engine:
        raise ConfigError(message("proof.trees", f"{engine!r} given", "hist, catboost, lightgbm"))
    data = replace(data, X=finite(data.X), y=np.asarray(data.y, dtype=np.float64))
    fit = _Fit(
        engine=engine,
        data=data,
        tree_task=tree_task,
        n_classes=n_classes,
        seed=seed,
        threads=threads,
        rounds=rounds,
    )
    if tree_task == "hazards":
        one = replace(fit, data=stacked(data), tree_task="classification", n_classes=2)
        return replace(one.model(), tree_task="hazards", n_classes=data.y.shape[1])
    return fit.model()


@dataclass(frozen=True)
class _Part:
    """The booster of one column of labels.

    Args:
        booster: what was fitted.
        present: the classes that training showed.
        rare: probability given to each class that training never showed.
        scale: root mean squared error; numbers and steps only.
    """

    booster: Booster
    present: list[int] = field(default_factory=list)
    rare: float = 0.0
    scale: float = 1.0


@dataclass(frozen=True)
class _Fit:
    """One fit; the arguments are those of `fit_trees`."""

    engine: Engine
    data: TreeRows
    tree_task: TreeTask
    n_classes: int
    seed: int
    threads: int | None
    rounds: int | None

    def model(self) -> TreeModel:
        """The trees of the target."""
        several = self.tree_task in ("multilabel", "steps")
        columns = list(self.data.y.T if several else self.data.y[None])
        parts = [self._part(labels) for labels in columns]
        last = parts[-1]
        return TreeModel(
            engine=self.engine,
            tree_task=self.tree_task,
            n_classes=self.n_classes,
            parts=[part.booster for part in parts],
            present=last.present,
            rare=last.rare,
            scale=last.scale if self.tree_task == "regression" else 1.0,
            scales=[part.scale for part in parts] if self.tree_task == "steps" else [],
        )

    def _part(self, labels: np.ndarray) -> _Part:
        train = _labelled(labels, self.data.train)
        if len(train):
            return self._fitted(labels, train, _labelled(labels, self.data.stop))
        known = self.data.y[self.data.train]
        if self.tree_task == "steps" and not np.isnan(known).all():
            # A step that no training row knows: all there is to say is the mean of the others.
            scale = max(float(np.nanstd(known)), SMALLEST_SCALE)
            return _Part(Baseline(np.nanmean(known)), scale=scale)
        given = "no training row has a label"
        raise TrainingError(message("trees", given, "1 or more", fix="add labels for it"))

    def _fitted(self, labels: np.ndarray, train: np.ndarray, stop: np.ndarray) -> _Part:
        link: Link = "exp" if self.tree_task == "poisson" else "identity"
        values = labels
        present: list[int] = []
        rare = 0.0
        if self.tree_task in ("classification", "multilabel"):
            present = np.unique(labels[train]).astype(int).tolist()
            link = "logistic" if len(present) == 2 else "softmax"
            rare = 1 / (len(train) + (self.n_classes if self.tree_task == "classification" else 2))
            values = np.searchsorted(present, labels).astype(np.float64)
            # A class that training never showed has no output, so it can't help to stop either.
            stop = stop[np.isin(labels[stop], present)]
        stopping = stop if len(stop) >= FEWEST_STOP_ROWS else None
        X = self.data.X
        rows = Rows(
            X=X[train],
            y=values[train],
            X_stop=None if stopping is None else X[stopping],
            y_stop=None if stopping is None else values[stopping],
            categorical=[bool(c) for c in self.data.categorical],
            link=link,
            classes=len(present),
            rounds=self.rounds,
            seed=self.seed,
            threads=self.threads,
        )
        booster = self._booster(rows, present, rare)
        if self.tree_task not in ("regression", "steps"):
            return _Part(booster, present, rare)
        seen = train if stopping is None else stopping
        error = booster.predict(X[seen])[:, 0] - labels[seen]
        return _Part(booster, scale=max(float(np.sqrt(np.mean(error**2))), SMALLEST_SCALE))

    def _booster(self, rows: Rows, present: list[int], rare: float) -> Booster:
        """The engine's booster, or the baseline where the rows leave nothing to learn."""
        if self.tree_task == "multilabel" and len(present) < 2:
            return Baseline(np.array([rare, 1 - rare] if present == [1] else [1 - rare, rare]))
        few = len(rows.X) < FEWEST_TRAIN_ROWS or not rows.X.shape[1]
        if few or np.ptp(rows.y) == 0:
            return Baseline.fit(rows)
        return BOOSTERS[self.engine].fit(rows)


def _labelled(labels: np.ndarray, rows: np.ndarray | None) -> np.ndarray:
    if rows is None:
        return np.zeros(0, dtype=np.int64)
    rows = np.asarray(rows, dtype=np.int64)
    return rows[~np.isnan(labels[rows])]
