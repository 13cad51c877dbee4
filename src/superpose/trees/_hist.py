"""scikit-learn's histogram boosting as a reference, exported to plain arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from threadpoolctl import threadpool_limits

from ._boosters import Booster, Link, Rows, apply_link
from ._forest import Forest

# HistGradientBoosting stores a binned value in one byte, the last of them for missing.
MAX_BINS = 255


@dataclass(frozen=True)
class HistSettings:
    """Most leaves of a tree, share of the rows in a leaf, share of columns tried per split."""

    leaves: int
    leaf_share: float
    columns: float

    def leaf_rows(self, rows: int) -> int:
        """Fewest rows in a leaf: the usual 20, fewer where 20 rows are a good part of the table."""
        return int(np.clip(rows * self.leaf_share, 2, 20))


FINE = HistSettings(leaves=31, leaf_share=1 / 50, columns=1.0)
COARSE = HistSettings(leaves=8, leaf_share=1 / 12, columns=0.5)


class Hist(Booster):
    """scikit-learn's HistGradientBoosting, kept as plain arrays."""

    engine = "hist"
    RATE = 0.1
    ROUNDS = 500
    ROUNDS_WITHOUT_STOP = 100
    PATIENCE = 30
    SETTINGS: ClassVar[HistSettings] = FINE

    def __init__(self, forest: Forest, link: Link, rounds: int) -> None:
        self.forest = forest
        self.link = link
        self.rounds = rounds

    @classmethod
    def fit(cls, rows: Rows) -> Self:
        columns, bins = _survey(rows.X, FINE.leaf_rows(len(rows.X)))
        codes = [_levels(rows.X[:, c], rows.categorical[c]) for c in columns]
        model, best = cls.fit_sklearn(rows, cls.SETTINGS, columns=columns, levels=codes, bins=bins)
        levels = [np.zeros(0)] * rows.X.shape[1]
        for column, known in zip(columns, codes, strict=True):
            levels[column] = known
        forest = Forest.from_sklearn(model, levels=levels, columns=columns, rounds=best)
        return cls(forest, rows.link, best)

    @classmethod
    def fit_sklearn(
        cls,
        rows: Rows,
        settings: HistSettings,
        *,
        columns: np.ndarray,
        levels: list[np.ndarray],
        bins: int,
    ) -> tuple[Any, int]:
        """The scikit-learn model, and how many of its iterations to keep.

        Args:
            columns: (F',) columns to use.
            levels: known codes of each of these columns, empty for a number.
            bins: most bins of one column.
        """
        from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

        stops = rows.X_stop is not None
        longest = cls.ROUNDS if stops else cls.ROUNDS_WITHOUT_STOP
        options = {
            "learning_rate": cls.RATE,
            "max_iter": rows.rounds or longest,
            "max_leaf_nodes": settings.leaves,
            "min_samples_leaf": settings.leaf_rows(len(rows.X)),
            "max_features": settings.columns,
            # Rare classes need it: without it a pure leaf of a few rows runs off to certainty.
            "l2_regularization": 1.0,
            "max_bins": bins,
            "categorical_features": [len(one) > 0 for one in levels]
            if any(map(len, levels))
            else None,
            "early_stopping": stops,
            "n_iter_no_change": cls.PATIENCE,
            "random_state": rows.seed,
        }
        X = positions(rows.X[:, columns], levels)
        fit: dict[str, Any] = {}
        if rows.X_stop is not None:
            fit = {"X_val": positions(rows.X_stop[:, columns], levels), "y_val": rows.y_stop}
        with threadpool_limits(rows.threads, user_api="openmp"):
            if rows.classes:
                model = HistGradientBoostingClassifier(**options).fit(X, rows.y, **fit)
            else:
                loss = "poisson" if rows.link == "exp" else "squared_error"
                model = HistGradientBoostingRegressor(loss=loss, **options).fit(X, rows.y, **fit)
        if not stops:
            return model, model.n_iter_
        # Position 0 is the score of the baseline alone, so the argmax is the number of rounds.
        return model, int(np.argmax(model.validation_score_))

    def predict(self, X: np.ndarray) -> np.ndarray:
        return apply_link(self.link, self.forest.predict(X))

    def cut(self, rounds: int) -> Self:
        if rounds >= self.rounds:
            return self
        kept = self.forest.cut(rounds * len(self.forest.baseline))
        return type(self)(kept, self.link, rounds)

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        return {"link": self.link, "rounds": self.rounds}, self.forest.arrays()

    @classmethod
    def from_state(cls, state: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Self:
        return cls(Forest.from_arrays(arrays), state["link"], int(state["rounds"]))


class CoarseHist(Hist):
    """The same with few leaves and half of the columns tried per split.

    On small tables fine and coarse trees differ by several percent, in either direction.
    """

    engine = "hist-coarse"
    SETTINGS = COARSE


def positions(X: np.ndarray, levels: list[np.ndarray]) -> np.ndarray:
    """Replaces each code by its position among the known `levels` of its column, else by NaN."""
    out = X.astype(np.float64)
    for column, known in enumerate(levels):
        if len(known):
            position = np.minimum(np.searchsorted(known, out[:, column]), len(known) - 1)
            out[:, column] = np.where(known[position] == out[:, column], position, np.nan)
    return out


def _levels(column: np.ndarray, is_code: bool) -> np.ndarray:
    """Sorted codes to tell apart: the most frequent that fit one byte, the others count as missing.

    A code column that is wholly missing has no levels and is handled as a number.
    """
    if not is_code:
        return np.zeros(0)
    codes, counts = np.unique(column[~np.isnan(column)].astype(np.float64), return_counts=True)
    return np.sort(codes[np.argsort(-counts, kind="stable")[:MAX_BINS]])


def _survey(X: np.ndarray, leaf_rows: int) -> tuple[np.ndarray, int]:
    """Columns that can be split at all, and as many bins as the richest of them needs.

    A column whose commonest value leaves fewer than `leaf_rows` other rows has no valid split, yet
    costs as much as any other; and every column pays for the bins of the richest. On tables of
    rare yes/no columns (words, molecular fragments) the two together save most of a fit.
    """
    useful = []
    most = 2
    for column in range(X.shape[1]):
        ordered = np.sort(X[:, column])
        steps = np.flatnonzero(ordered[1:] != ordered[:-1])
        # NaN differs from NaN, so missing values count as runs of one; they are taken out here.
        missing = int(np.count_nonzero(np.isnan(ordered)))
        runs = np.diff(
            np.concatenate([[-1], steps[steps < len(ordered) - missing], [len(ordered) - 1]])
        )
        commonest = max(int(runs.max(initial=0)), missing)
        if len(ordered) - commonest >= leaf_rows:
            useful.append(column)
            most = max(most, len(runs))
    return np.array(useful or [0]), min(most, MAX_BINS)
