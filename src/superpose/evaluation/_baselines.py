"""Candidates that learn nothing from the inputs: what is deployed has to be better than they."""

from __future__ import annotations

import numpy as np

from superpose.kinds import TargetKind
from superpose.models import (
    BASELINE,
    LAST_VALUE,
    SEASON_BEFORE,
    BaselineModel,
    Fitted,
    NaiveForecastModel,
    naive_forecast,
)
from superpose.prepare import Prepared

from ._context import Context, scatter_rows


def fit_baselines(context: Context) -> list[Fitted[BaselineModel]]:
    """Fit for every target its constant and, where there is time, the value that was last known.

    Of a forecast that is the last number of each window, and the number a period before where
    windows hold it; of other targets the constant of the newest block of time.
    """
    prepared = context.prepared
    folds = prepared.plan.tree_folds
    learned = np.unique(np.concatenate([fold.train for fold in folds]))
    shown = np.concatenate([fold.validation for fold in folds])
    fitted = []
    for target in prepared.targets:
        for name in _names(prepared, target):
            parts = []
            for fold in folds:
                own = fit_baseline(prepared, target, name=name, rows=fold.train)
                parts.append(own.predict(prepared.rows.take(fold.validation))[target])
            pred = scatter_rows(np.concatenate(parts), shown, prepared.table.num_rows)
            model = fit_baseline(prepared, target, name=name, rows=learned)
            fitted.append(Fitted(model, {target: pred}))
    return fitted


def fit_baseline(prepared: Prepared, target: str, *, name: str, rows: np.ndarray) -> BaselineModel:
    """Fit one of them on some rows.

    Args:
        prepared: The table.
        target: The target to fit for.
        name: "baseline", "last value" or "season before".
        rows: Indices of the rows to learn from.
    """
    kind = prepared.codec.target_kinds[target]
    labels = prepared.labels[target]
    rows = rows[kind.distribution.known(labels[rows])]
    if name == BASELINE:
        return BaselineModel(name, [target], kind.distribution.baseline(labels[rows]))
    if kind.anchor is not None:
        return _naive_forecast(prepared, kind, name=name, rows=rows)
    return BaselineModel(
        name, [target], kind.distribution.baseline(labels[_newest(prepared, rows)])
    )


def _names(prepared: Prepared, target: str) -> list[str]:
    """Which of them there are for a target."""
    anchor = prepared.codec.target_kinds[target].anchor
    names = [BASELINE]
    if anchor is not None or prepared.config.split.by == "time":
        names.append(LAST_VALUE)
    if anchor is not None and anchor.before:
        names.append(SEASON_BEFORE)
    return names


def _newest(prepared: Prepared, rows: np.ndarray) -> np.ndarray:
    """The rows of the newest block of time; blocks are numbered along it."""
    clusters = prepared.split.clusters
    assert clusters is not None
    return rows[clusters[rows] == clusters[rows].max()] if len(rows) else rows


def _naive_forecast(
    prepared: Prepared, kind: TargetKind, *, name: str, rows: np.ndarray
) -> NaiveForecastModel:
    """The number that stands in the window; its errors on the rows are its scales."""
    labels = prepared.labels[kind.column][rows].astype(np.float64)
    steps = labels.shape[1]
    values = kind.distribution.baseline(labels)
    assert kind.anchor is not None
    mean = naive_forecast(
        prepared.rows.take(rows), kind.anchor, steps, season=name == SEASON_BEFORE
    )
    errors = kind.distribution.baseline(labels - mean)
    values[steps:] = np.hypot(errors[:steps], errors[steps:])
    return NaiveForecastModel(name, [kind.column], values)
