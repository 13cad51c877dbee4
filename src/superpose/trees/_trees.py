"""Boosted-tree references: for each target, the single-task model that sharing has to beat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Self

import numpy as np

from superpose.errors import BundleError, ConfigError, TrainingError, message
from superpose.stored import require_finite

from ._boosters import Booster, CatBoost, Constant, LightGBM, Link, Rows
from ._forest import damaged
from ._hazards import lived_through, stacked, with_interval
from ._hist import CoarseHist, Hist

Engine = Literal["hist", "hist-coarse", "catboost", "lightgbm"]
TreeTask = Literal["regression", "poisson", "classification", "multilabel", "hazards", "steps"]

BOOSTERS: dict[str, type[Booster]] = {
    b.engine: b for b in (Constant, Hist, CoarseHist, CatBoost, LightGBM)
}

# Fewer rows than this say nothing about when to stop: one lucky row would decide.
FEWEST_STOP_ROWS = 8
# Fewer rows than this can't hold two leaves; the constant is then the honest answer.
FEWEST_TRAIN_ROWS = 8


@dataclass(frozen=True)
class TreeModel:
    """One target's boosted trees, in the target's canonical prediction.

    Args:
        engine: what fitted it.
        tree_task: the loss.
        n_classes: classes, labels or intervals; 0 for numbers and counts.
        parts: one booster, or one per label for multilabel targets and one per step ahead.
        present: (classes seen in training,) class of each output column.
        rare: probability given to each class that training never showed.
        scale: root mean squared error, in the units of y; numbers only.
        scales: that of each step ahead.
    """

    engine: str
    tree_task: TreeTask
    n_classes: int
    parts: list[Booster]
    present: list[int]
    rare: float
    scale: float
    scales: list[float] = field(default_factory=list)

    @property
    def rounds(self) -> int:
        """Boosting iterations kept; the mean over parts where there are several."""
        return round(float(np.mean([part.rounds for part in self.parts])))

    def cut(self, rounds: int) -> Self:
        """The same model after its first so many rounds, where it has more."""
        return replace(self, parts=[part.cut(max(1, rounds)) for part in self.parts])

    def with_errors_of(self, others: Sequence[Self]) -> Self:
        """The same model with the mean errors of others, as its own are of rows it has learned."""
        scales = np.mean([m.scales for m in others], axis=0).tolist()
        return replace(self, scale=float(np.mean([m.scale for m in others])), scales=scales)

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Canonical predictions.

        Args:
            X: (N, F) features as at fitting, NaN for missing.

        Shape:
            (N, F) -> number (N, 2) mean and scale, count (N, 1) rate, classes (N, n_classes)
            probabilities that sum to 1, multilabel (N, n_classes) marginals, hazards (N, n_classes
            + 1) the probability of each interval and of living beyond the last, steps (N, 2 H) the
            mean of each and then the scale of each.
        """
        X = finite(X)
        if self.tree_task == "hazards":
            ask = replace(self, tree_task="classification", n_classes=2).predict
            hazard = [ask(with_interval(X, k))[:, 1] for k in range(self.n_classes)]
            return lived_through(np.stack(hazard, axis=1))
        if self.tree_task == "multilabel":
            return np.stack([part.predict(X)[:, -1] for part in self.parts], axis=1)
        if self.tree_task == "steps":
            means = np.stack([part.predict(X)[:, 0] for part in self.parts], axis=1)
            return np.concatenate([means, np.tile(self.scales, (len(X), 1))], axis=1)
        found = self.parts[0].predict(X)
        if self.tree_task == "regression":
            return np.column_stack([found, np.full(len(X), self.scale)])
        if self.tree_task == "poisson":
            return found
        absent = self.n_classes - len(self.present)
        out = np.full((len(X), self.n_classes), self.rare)
        out[:, self.present] = found * (1 - self.rare * absent)
        return out

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """JSON-able settings and named arrays; nothing is pickled."""
        parts: list[dict[str, Any]] = []
        arrays: dict[str, np.ndarray] = {}
        for i, part in enumerate(self.parts):
            settings, own = part.state()
            parts.append({"engine": part.engine, **settings})
            arrays |= {f"{i}.{name}": array for name, array in own.items()}
        state = {
            "engine": self.engine,
            "tree_task": self.tree_task,
            "n_classes": self.n_classes,
            "parts": parts,
            "present": self.present,
            "rare": self.rare,
            "scale": self.scale,
            "scales": self.scales,
        }
        return state, arrays

    @classmethod
    def from_state(cls, state: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Self:
        """The inverse of `state`.

        Raises:
            BundleError: an engine is unknown, or the arrays are not what was saved.
        """
        parts: list[Booster] = []
        try:
            for i, part in enumerate(state["parts"]):
                own = {
                    name.removeprefix(f"{i}."): array
                    for name, array in arrays.items()
                    if name.startswith(f"{i}.")
                }
                parts.append(BOOSTERS[part["engine"]].from_state(part, own))
            require_finite(state, "trees")
            return cls(
                engine=str(state["engine"]),
                tree_task=state["tree_task"],
                n_classes=int(state["n_classes"]),
                parts=parts,
                present=[int(c) for c in state["present"]],
                rare=float(state["rare"]),
                scale=float(state["scale"]),
                scales=[float(s) for s in state.get("scales", [])],
            )
        except (KeyError, TypeError, ValueError) as error:
            raise BundleError(damaged(f"{error!r} while reading")) from error


def fit_trees(
    engine: Engine,
    X: np.ndarray,
    categorical: list[bool],
    y: np.ndarray,
    rows_train: np.ndarray,
    rows_stop: np.ndarray | None = None,
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
        X: (N, F) float32 features, NaN for missing.
        categorical: (F,) which columns hold category codes.
        y: (N,) labels as the target's kind gives them to trees, or (N, L) for multilabel, hazards
            and steps; NaN for missing.
        rows_train: indices of the rows to learn from.
        rows_stop: indices of the rows whose loss says when to stop; None for a fixed length.
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
        >>> model = fit_trees("hist", X, [False], X[:, 0] > 0.5, rows[::2], rows[1::2],
        ...                   tree_task="classification", n_classes=2)
        >>> model.predict(X[:1]).argmax()
        np.int64(0)
    """
    if engine not in BOOSTERS or engine == Constant.engine:
        raise ConfigError(message("proof.trees", f"{engine!r} given", "hist, catboost, lightgbm"))
    X = finite(X)
    y = np.asarray(y, dtype=np.float64)
    if tree_task == "hazards":
        X2, y2, train, stop = stacked(X, y, rows_train, rows_stop)
        options = {"seed": seed, "threads": threads, "rounds": rounds, "n_classes": 2}
        codes = [*categorical, False]
        one = fit_trees(engine, X2, codes, y2, train, stop, tree_task="classification", **options)  # type: ignore[arg-type]
        return replace(one, tree_task="hazards", n_classes=y.shape[1])
    columns = y.T if tree_task in ("multilabel", "steps") else y[None]
    parts: list[Booster] = []
    present: list[int] = []
    scale, rare = 1.0, 0.0
    scales: list[float] = []
    for labels in columns:
        train, stop = _labelled(labels, rows_train), _labelled(labels, rows_stop)
        if not len(train) and tree_task == "steps" and not np.isnan(y[rows_train]).all():
            # A step that no training row knows: all there is to say is the mean of the others.
            parts.append(Constant(np.nanmean(y[rows_train])))
            scales.append(max(float(np.nanstd(y[rows_train])), 1e-3))
            continue
        if not len(train):
            raise TrainingError(
                message(
                    "trees", "no training row has a label", "1 or more", fix="add labels for it"
                )
            )
        link: Link = "exp" if tree_task == "poisson" else "identity"
        values = labels
        classes = 0
        if tree_task in ("classification", "multilabel"):
            present = np.unique(labels[train]).astype(int).tolist()
            classes = len(present)
            link = "logistic" if classes == 2 else "softmax"
            rare = 1 / (len(train) + (n_classes if tree_task == "classification" else 2))
            values = np.searchsorted(present, labels).astype(np.float64)
            # A class that training never showed has no output, so it can't help to stop either.
            stop = stop[np.isin(labels[stop], present)]
        judged = stop if len(stop) >= FEWEST_STOP_ROWS else None
        rows = Rows(
            X=X[train],
            y=values[train],
            X_stop=None if judged is None else X[judged],
            y_stop=None if judged is None else values[judged],
            categorical=[bool(c) for c in categorical],
            link=link,
            classes=classes,
            rounds=rounds,
            seed=seed,
            threads=threads,
        )
        part = _fit_part(engine, rows, tree_task, present, rare)
        parts.append(part)
        if tree_task in ("regression", "steps"):
            seen = train if judged is None else judged
            error = part.predict(X[seen])[:, 0] - labels[seen]
            # The floor keeps the likelihood of a perfectly fitted target finite.
            scales.append(max(float(np.sqrt(np.mean(error**2))), 1e-3))
    if tree_task == "regression":
        scale = scales[0]
        scales = []
    return TreeModel(engine, tree_task, n_classes, parts, present, rare, scale, scales)


def finite(X: np.ndarray) -> np.ndarray:
    """float32 features with infinities as missing, as everywhere else; engines disagree on them."""
    X = np.asarray(X, dtype=np.float32)
    return X if not np.isinf(X).any() else np.where(np.isinf(X), np.float32(np.nan), X)


def _fit_part(
    engine: Engine, rows: Rows, task: TreeTask, present: list[int], rare: float
) -> Booster:
    """The engine's booster, or a constant where the rows leave nothing to learn."""
    if task == "multilabel" and len(present) < 2:
        return Constant(np.array([rare, 1 - rare] if present == [1] else [1 - rare, rare]))
    nothing_to_learn = len(rows.X) < FEWEST_TRAIN_ROWS or np.ptp(rows.y) == 0 or not rows.X.shape[1]
    if nothing_to_learn:
        return Constant.fit(rows)
    return BOOSTERS[engine].fit(rows)


def _labelled(labels: np.ndarray, rows: np.ndarray | None) -> np.ndarray:
    if rows is None:
        return np.zeros(0, dtype=np.int64)
    rows = np.asarray(rows, dtype=np.int64)
    return rows[~np.isnan(labels[rows])]
