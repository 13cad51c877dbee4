"""RealMLP-TD of one target (Holzmüller et al., NeurIPS 2024; package `pytabkit`).

The authors' tuned defaults: 256 epochs with the rate of their schedule, of which the one that is
best on validation counts. A refit goes through the same schedule and stops at that epoch, as
pytabkit's own refit does. For probabilities the authors advise the log-loss as the validation
metric and no label smoothing. Categories are pytabkit's to encode. Numbers it takes without gaps
only: a missing one is the mean, with a flag beside it, as AutoGluon fills them for RealMLP.

It has no Poisson loss. Counts are learned as their square roots, whose squared error is near the
Poisson deviance; the mean is E[sqrt y]^2 + Var[sqrt y], the latter from the rows that were learned.
(On validation rows of two count tables this was better than plain counts and than log(1 + y).)
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.impute import SimpleImputer

if TYPE_CHECKING:
    from _methods import Predict, Rows, Task


class GapFiller:
    """Means of the numbers of some rows, and flags where those rows have gaps."""

    def __init__(self, x: pd.DataFrame, categories: list[str]) -> None:
        self.categories = categories
        self.numbers = [n for n in x.columns if n not in categories and x[n].notna().any()]
        self.filler = SimpleImputer(strategy="mean", add_indicator=True)
        if self.numbers:
            self.filler.fit(x[self.numbers])

    def fill(self, x: pd.DataFrame) -> pd.DataFrame:
        """Inputs as pytabkit takes them: float32 without gaps, categories as they are."""
        out = x[self.categories].astype(object)
        if self.numbers:
            names = self.filler.get_feature_names_out()
            values = self.filler.transform(x[self.numbers]).astype(np.float32)
            out = pd.concat([out, pd.DataFrame(values, index=x.index, columns=names)], axis=1)
        return out.reset_index(drop=True)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what pytabkit prints of a refit, and what Lightning says of every fit."""
    logger = logging.getLogger("pytorch_lightning")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), redirect_stdout(StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def train_realmlp(
    task: Task, rows: Rows, *, held_out: Rows | None, rounds: int | None, threads: int
) -> tuple[Predict, int]:
    """Train on `rows`; keep the epoch that is best on `held_out`, or stop after `rounds` epochs.

    Predictions are means (N, 1) for numbers and counts, else probabilities of the classes.
    """
    from pytabkit import RealMLP_TD_Classifier, RealMLP_TD_Regressor

    filler = GapFiller(rows.x, task.categories)
    options: dict[str, Any] = {"device": "cpu", "n_threads": threads, "random_state": task.seed}
    if held_out is None:
        options |= {"val_fraction": 0.0, "stop_epoch": rounds}
    if task.kind in ("number", "count"):
        model = RealMLP_TD_Regressor(**options)
    else:
        model = RealMLP_TD_Classifier(**options, val_metric_name="cross_entropy", use_ls=False)

    def labels(y: np.ndarray) -> np.ndarray:
        if task.kind == "count":
            return np.sqrt(y)
        return y if task.kind == "number" else y.astype(int)

    known: dict[str, Any] = {"cat_col_names": task.categories}
    if held_out is not None:
        known |= {"X_val": filler.fill(held_out.x), "y_val": labels(held_out.y)}
    x = filler.fill(rows.x)
    with _quiet():
        model.fit(x, labels(rows.y), **known)
    if held_out is not None:  # one metric, one epoch
        rounds = max(1, *model.fit_params_["stop_epoch"].values())

    def raw(x: pd.DataFrame) -> np.ndarray:
        with _quiet():
            if task.kind in ("number", "count"):
                return np.asarray(model.predict(x), dtype=np.float64)[:, None]
            return np.asarray(model.predict_proba(x), dtype=np.float64)

    if task.kind != "count":
        return lambda x: raw(filler.fill(x)), rounds
    variance = np.mean((labels(rows.y) - raw(x)[:, 0]) ** 2)
    return lambda x: raw(filler.fill(x)) ** 2 + variance, rounds
