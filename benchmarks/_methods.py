"""The methods under comparison: boosted trees, TabM and RealMLP per target, and Superpose.

A single-task baseline sees one target: rows without that label are dropped for it alone. It
trains on the training rows and stops early on the validation rows. Below `REFIT_ROWS` rows of
training and validation together it is then fitted anew on both with the same number of rounds,
so that no method is left with fewer rows than another. Settings are each library's defaults
with a learning rate of 0.05 (0.002 for TabM, that of its authors for RealMLP), smaller leaves below
400 rows, and settings of CatBoost that save time (see `fit_catboost`); nothing is tuned for any
method.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import pandas as pd

from _fitted import fitted
from _scores import baseline
from _table import Table

REFIT_ROWS = 4000
ROUNDS = 2000
PATIENCE = 50
RATE = 0.05
THREADS = int(os.environ.get("OMP_NUM_THREADS", "1"))
Predict = Callable[[pd.DataFrame], np.ndarray]


@dataclass(frozen=True)
class Rows:
    """Inputs and labels of some rows; y is float64 without NaN, classes counted from 0."""

    x: pd.DataFrame
    y: np.ndarray


@dataclass(frozen=True)
class Task:
    """One target of one table, as a single-task method sees it; `slack` scales time limits."""

    kind: str
    n_classes: int
    categories: list[str]
    train: Rows
    validation: Rows
    test: pd.DataFrame
    seed: int
    slack: float = 1.0

    @property
    def both(self) -> Rows:
        """Training and validation rows together."""
        x = pd.concat([self.train.x, self.validation.x])
        return Rows(x, np.concatenate([self.train.y, self.validation.y]))


@dataclass(frozen=True)
class Outcome:
    """Canonical predictions of one target on the test rows and its labelled validation rows.

    Args:
        test: (test rows, K).
        validation: (labelled validation rows, K), of the model before any refit; None: unknown.
        rounds: boosting rounds or epochs that were used.
        seconds: wall-clock of this target, of fitting and predicting.
        processor_seconds: the same in processor time, which other work on the machine leaves be.
    """

    test: np.ndarray
    validation: np.ndarray | None
    rounds: int = 0
    seconds: float = 0.0
    processor_seconds: float = 0.0


@dataclass(frozen=True)
class Run:
    """What one method predicted for one table and seed."""

    targets: dict[str, Outcome]
    seconds: float
    details: dict[str, Any] = field(default_factory=dict)


class Backend(Protocol):
    """Fits one model; `fit_catboost` and the others are backends."""

    def __call__(
        self, task: Task, rows: Rows, *, held_out: Rows | None, rounds: int | None
    ) -> tuple[Predict, int]:
        """Fit `rows`: stop early on `held_out`, or else after `rounds`; returns the rounds too."""


def make_task(
    table: Table, target: str, *, parts: np.ndarray, seed: int, slack: float = 1.0
) -> Task:
    """The single-task view of one target: inputs only, labelled rows only."""
    y = table.labels(target)
    x = table.frame[table.inputs]

    def rows(part: str) -> Rows:
        chosen = (parts == part) & ~np.isnan(y)
        return Rows(x[chosen], y[chosen])

    return Task(
        kind=table.targets[target],
        n_classes=len(table.classes(target) or []),
        categories=table.categories,
        train=rows("train"),
        validation=rows("validation"),
        test=x[parts == "test"],
        seed=seed,
        slack=slack,
    )


def fit_target(task: Task, backend: Backend) -> Outcome:
    """Early stopping on validation, then a refit on both parts where rows are few."""
    started, worked = time.perf_counter(), time.process_time()
    if len(np.unique(task.train.y)) < 2:  # nothing to learn: the baseline is the best prediction
        row = baseline(task.kind, task.train.y, task.n_classes)
        test = np.tile(row, (len(task.test), 1))
        return Outcome(test, np.tile(row, (len(task.validation.y), 1)))
    held_out = task.validation if len(task.validation.y) else None
    predict, rounds = backend(task, task.train, held_out=held_out, rounds=None)
    validation = predict(task.validation.x)
    if len(task.train.y) + len(task.validation.y) < REFIT_ROWS:
        predict, _ = backend(task, task.both, held_out=None, rounds=rounds)
    test = predict(task.test)
    elapsed = time.perf_counter() - started, time.process_time() - worked
    return Outcome(test, validation, rounds, *elapsed)


def _of_all_classes(probability: np.ndarray, seen: np.ndarray, n_classes: int) -> np.ndarray:
    """Probabilities of the classes seen in training, as columns of all classes."""
    out = np.zeros((len(probability), n_classes))
    out[:, seen] = probability
    return out


def _seen_only(
    rows: Rows, held_out: Rows | None, kind: str
) -> tuple[np.ndarray, Rows, Rows | None]:
    """Relabels classes to 0..S-1; held-out rows of a class never trained on are left out."""
    if kind in ("number", "count"):
        return np.array([]), rows, held_out
    seen = np.unique(rows.y).astype(int)
    rows = Rows(rows.x, np.searchsorted(seen, rows.y.astype(int)).astype(float))
    if held_out is not None:
        known = np.isin(held_out.y, seen)
        labels = np.searchsorted(seen, held_out.y[known].astype(int)).astype(float)
        held_out = Rows(held_out.x[known], labels)
    return seen, rows, held_out


def _coded(x: pd.DataFrame, task: Task) -> pd.DataFrame:
    """Category columns as pandas categories of the training rows; unseen ones are missing."""
    x = x.copy()
    for name in task.categories:
        levels = sorted(task.train.x[name].dropna().unique())
        x[name] = pd.Categorical(x[name], categories=levels)
    return x


def _leaf(rows: Rows) -> int:
    """Least rows in a leaf: the libraries' 20, less below 400 rows, where 20 forbids a split."""
    return int(np.clip(len(rows.y) // 20, 2, 20))


def fit_catboost(
    task: Task, rows: Rows, *, held_out: Rows | None, rounds: int | None
) -> tuple[Predict, int]:
    """CatBoost with native categories."""
    from catboost import CatBoostClassifier, CatBoostRegressor

    def plain(x: pd.DataFrame) -> pd.DataFrame:
        named = {name: x[name].astype(object).fillna("missing") for name in task.categories}
        return x.assign(**named)

    seen, rows, held_out = _seen_only(rows, held_out, task.kind)
    common = {
        "iterations": rounds or ROUNDS,
        "learning_rate": RATE,
        "random_seed": task.seed,
        "thread_count": THREADS,
        "cat_features": task.categories,
        # One-hot up to 16 levels and no products of categories: 4 to 25 times faster here, and
        # a lower loss than the defaults on heart_4sites, nhanes and adult.
        "one_hot_max_size": 16,
        "max_ctr_complexity": 1,
        "allow_writing_files": False,
        "verbose": False,
    }
    if len(rows.x.columns) > len(task.train.y):
        # Wide small tables (oes97, atp1d) took a minute a target; this is ten times faster.
        # 500 rounds at twice the rate stand for the library's own 1000.
        wide = {"learning_rate": 2 * RATE, "border_count": 64, "iterations": rounds or 500}
        common |= wide
    if held_out is not None:
        common["early_stopping_rounds"] = PATIENCE
    if task.kind in ("number", "count"):
        model = CatBoostRegressor(
            loss_function="RMSE" if task.kind == "number" else "Poisson", **common
        )
    else:
        model = CatBoostClassifier(
            loss_function="Logloss" if len(seen) == 2 else "MultiClass", **common
        )
    # Poisson rates start at 1, from where counts of hundreds take a step beyond any float.
    unit = rows.y.mean() if task.kind == "count" else 1.0
    eval_set = None if held_out is None else (plain(held_out.x), held_out.y / unit)
    model.fit(plain(rows.x), rows.y / unit, eval_set=eval_set)

    def predict(x: pd.DataFrame) -> np.ndarray:
        if task.kind == "number":
            return model.predict(plain(x))[:, None]
        if task.kind == "count":
            return model.predict(plain(x), prediction_type="Exponent")[:, None] * unit
        return _of_all_classes(model.predict_proba(plain(x)), seen, task.n_classes)

    predict.model = model  # type: ignore[attr-defined]  # for who wants its size
    return predict, model.tree_count_


def fit_lightgbm(
    task: Task, rows: Rows, *, held_out: Rows | None, rounds: int | None
) -> tuple[Predict, int]:
    """LightGBM with native categories."""
    import lightgbm

    seen, rows, held_out = _seen_only(rows, held_out, task.kind)
    objective = {"number": "regression", "count": "poisson"}.get(task.kind)
    if objective is None:
        objective = "binary" if len(seen) == 2 else "multiclass"
    settings: dict[str, Any] = {
        "objective": objective,
        "learning_rate": RATE,
        "min_data_in_leaf": _leaf(rows),
        "seed": task.seed,
        "num_threads": THREADS,
        "deterministic": True,
        "force_col_wise": True,
        "verbose": -1,
    }
    if objective == "multiclass":
        settings["num_class"] = len(seen)
    # Column names of the public sets hold signs that LightGBM's text form forbids.
    names = {name: f"c{i}" for i, name in enumerate(rows.x.columns)}

    def coded(x: pd.DataFrame) -> pd.DataFrame:
        return _coded(x, task).rename(columns=names)

    data = lightgbm.Dataset(coded(rows.x), rows.y)
    options: dict[str, Any] = {}
    if held_out is not None:
        options["valid_sets"] = [lightgbm.Dataset(coded(held_out.x), held_out.y, reference=data)]
        options["callbacks"] = [lightgbm.early_stopping(PATIENCE, verbose=False)]
    booster = lightgbm.train(settings, data, num_boost_round=rounds or ROUNDS, **options)
    used = booster.best_iteration if held_out is not None else booster.current_iteration()
    used = max(used, 1)

    def predict(x: pd.DataFrame) -> np.ndarray:
        out = booster.predict(coded(x), num_iteration=used, num_threads=THREADS)
        if objective in ("regression", "poisson"):
            return out[:, None]
        if objective == "binary":
            out = np.stack([1 - out, out], 1)
        return _of_all_classes(out, seen, task.n_classes)

    return predict, used


def fit_hist(
    task: Task, rows: Rows, *, held_out: Rows | None, rounds: int | None
) -> tuple[Predict, int]:
    """scikit-learn's HistGradientBoosting with native categories."""
    from itertools import islice

    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    seen, rows, held_out = _seen_only(rows, held_out, task.kind)
    common = {
        "learning_rate": RATE,
        "max_iter": rounds or ROUNDS,
        "min_samples_leaf": _leaf(rows),
        "early_stopping": held_out is not None,
        "n_iter_no_change": PATIENCE,
        "tol": 0.0,
        "scoring": "loss",
        "random_state": task.seed,
        "categorical_features": "from_dtype",
    }
    if task.kind in ("number", "count"):
        loss = "squared_error" if task.kind == "number" else "poisson"
        model = HistGradientBoostingRegressor(loss=loss, **common)
    else:
        model = HistGradientBoostingClassifier(**common)
    if held_out is None:
        model.fit(_coded(rows.x, task), rows.y)
        used = model.n_iter_
    else:
        model.fit(_coded(rows.x, task), rows.y, X_val=_coded(held_out.x, task), y_val=held_out.y)
        used = max(int(np.argmax(model.validation_score_)), 1)

    def predict(x: pd.DataFrame) -> np.ndarray:
        x = _coded(x, task)
        # The model keeps the rounds after its best one; stop where validation was best.
        if task.kind in ("number", "count"):
            return next(islice(model.staged_predict(x), used - 1, None))[:, None]
        out = next(islice(model.staged_predict_proba(x), used - 1, None))
        return _of_all_classes(out, seen, task.n_classes)

    return predict, used


def fit_tabm(
    task: Task, rows: Rows, *, held_out: Rows | None, rounds: int | None
) -> tuple[Predict, int]:
    """TabM of one target; see `_tabm.py`."""
    from _tabm import train_tabm

    seen, rows, held_out = _seen_only(rows, held_out, task.kind)
    outputs = max(len(seen), 1)
    predict, used = train_tabm(task, rows, held_out=held_out, rounds=rounds, n_outputs=outputs)
    if task.kind in ("number", "count"):
        return predict, used
    return lambda x: _of_all_classes(predict(x), seen, task.n_classes), used


def fit_realmlp(
    task: Task, rows: Rows, *, held_out: Rows | None, rounds: int | None
) -> tuple[Predict, int]:
    """RealMLP of one target; see `_realmlp.py`."""
    from _realmlp import train_realmlp

    seen, rows, held_out = _seen_only(rows, held_out, task.kind)
    predict, used = train_realmlp(task, rows, held_out=held_out, rounds=rounds, threads=THREADS)
    if task.kind in ("number", "count"):
        return predict, used
    return lambda x: _of_all_classes(predict(x), seen, task.n_classes), used


BACKENDS: dict[str, Backend] = {
    "catboost": fit_catboost,
    "lightgbm": fit_lightgbm,
    "hist": fit_hist,
    "tabm": fit_tabm,
    "realmlp": fit_realmlp,
}
# Single-task references that Superpose is measured against; AutoGluon is a rival beside them.
REFERENCES = ("catboost", "lightgbm", "hist", "tabm")


def fit_references(name: str, table: Table, *, seed: int, slack: float = 1.0) -> Run:
    """One model per target with the backend called `name`."""
    parts = table.split(seed)
    started = time.perf_counter()
    outcomes = {
        target: fit_target(
            make_task(table, target, parts=parts, seed=seed, slack=slack), BACKENDS[name]
        )
        for target in table.targets
    }
    return Run(outcomes, time.perf_counter() - started)


def canonical(table: Table, name: str, *, pred: Any, proba: Any) -> np.ndarray:
    """Canonical predictions of a target from the columns that the package names.

    Class probabilities are in columns "target=class"; a class that never occurs in training has
    none and gets probability 0.

    Args:
        table: whose target it is.
        name: of the target.
        pred: predictions, in a frame or a mapping by column.
        proba: class probabilities, likewise.
    """
    classes = table.classes(name)
    if classes is None:
        return np.asarray(pred[name], dtype=np.float64)[:, None]
    columns = [f"{name}={level}" for level in classes]
    shares = [np.asarray(proba[c], dtype=np.float64) if c in proba else None for c in columns]
    absent = np.zeros(next(len(share) for share in shares if share is not None))
    return np.stack([absent if share is None else share for share in shares], axis=1)


def fit_superpose(table: Table, seed: int) -> Run:
    """Superpose on all targets at once: what it deploys per target, with its own proof."""
    parts = table.split(seed)
    model, took = fitted(table, parts, seed)
    started = time.perf_counter()
    test = table.frame.loc[parts == "test", table.inputs]
    pred = model.predict(test)
    proba = model.predict_proba(test)
    outcomes = {
        name: Outcome(canonical(table, name, pred=pred, proba=proba), None)
        for name in table.targets
    }
    from superpose.record import json_tables, plain

    record = model.record
    kept = {**json_tables(record), "cost": plain(record.costs), "regime": record.regime}
    return Run(outcomes, took["seconds"] + time.perf_counter() - started, kept)


def run_method(name: str, table: Table, *, seed: int, slack: float = 1.0) -> Run:
    """Fit the method called `name` on one table and seed; SystemExit lists the known names."""
    if name == "superpose":
        return fit_superpose(table, seed)
    if name not in BACKENDS:
        raise SystemExit(f"--methods: {name!r} is unknown; allowed: {[*BACKENDS, 'superpose']}")
    return fit_references(name, table, seed=seed, slack=slack)
