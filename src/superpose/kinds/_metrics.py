"""Metrics of class probabilities; NaN, not an exception, where the rows do not define one."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

BINS = 15  # the customary number of equal-width bins of the calibration error


def _sklearn(name: str) -> Any:
    # Imported at the first score: it would double the time that `import superpose` takes.
    from sklearn import metrics

    return getattr(metrics, name)


def quiet(metric: str, *arguments: object, **options: object) -> float:
    """Call a metric of scikit-learn by name; NaN where it raises or the rows do not define it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an undefined metric shows as NaN, once, in the table
        try:
            return float(_sklearn(metric)(*arguments, **options))
        except ValueError:
            return float("nan")


def auc(y: np.ndarray, p: np.ndarray) -> float:
    """Area under the ROC curve; NaN unless both classes occur."""
    return quiet("roc_auc_score", y, p) if _both(y) else float("nan")


def average_precision(y: np.ndarray, p: np.ndarray) -> float:
    """Area under the precision-recall curve; NaN unless both classes occur."""
    return quiet("average_precision_score", y, p) if _both(y) else float("nan")


def _both(y: np.ndarray) -> bool:
    return len(y) > 0 and bool(y.min() != y.max())


def nan_mean(values: list[float] | np.ndarray) -> float:
    """Mean of the defined values; NaN without any."""
    defined = np.asarray(values, np.float64)
    defined = defined[~np.isnan(defined)]
    return float(defined.mean()) if len(defined) else float("nan")


def calibration_error(confidence: np.ndarray, correct: np.ndarray, bins: int = BINS) -> float:
    """Mean gap between stated and observed probability over equal-width bins, weighted by rows.

    Source:
        Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, eq. 3.
    """
    if not len(confidence):
        return float("nan")
    index = np.minimum((confidence * bins).astype(int), bins - 1)
    stated = np.bincount(index, weights=confidence, minlength=bins)
    observed = np.bincount(index, weights=correct, minlength=bins)
    return float(np.abs(stated - observed).sum() / len(confidence))


def macro_auc(y: np.ndarray, pred: np.ndarray) -> float:
    """Mean one-against-rest AUC over the classes that occur among the rows."""
    return nan_mean([auc((y == k).astype(int), pred[:, k]) for k in range(pred.shape[1])])


def brier(y: np.ndarray, pred: np.ndarray) -> float:
    """Mean squared distance between the probabilities and the class that occurred."""
    if not len(y):
        return float("nan")
    truth = np.eye(pred.shape[1])[y.astype(int)]
    return float(((pred - truth) ** 2).sum(axis=1).mean())


def kappa(y: np.ndarray, chosen: np.ndarray, classes: int) -> float:
    """Agreement beyond chance with squared distances; NaN when either side has one class only."""
    if not len(y):
        return float("nan")
    return quiet(
        "cohen_kappa_score",
        y.astype(int),
        chosen.astype(int),
        weights="quadratic",
        labels=list(range(classes)),
    )


def per_class(y: np.ndarray, chosen: np.ndarray, labels: list[str]) -> dict[str, dict[str, float]]:
    """Precision, recall, F1 and support of each class.

    Args:
        y: true class indices (N,), or 0/1 (N, L) for label sets.
        chosen: predicted ones, same shape.
        labels: names of the classes.
    """
    if not len(y):
        undefined = {"precision": np.nan, "recall": np.nan, "f1": np.nan, "support": 0.0}
        return {label: dict(undefined) for label in labels}
    names = ("precision", "recall", "f1", "support")
    report = {}
    for k, label in enumerate(labels):
        truth, pred = (y[:, k], chosen[:, k]) if y.ndim == 2 else (y == k, chosen == k)
        precision, recall, f1, _ = _sklearn("precision_recall_fscore_support")(
            truth.astype(int), pred.astype(int), average="binary", zero_division=np.nan
        )
        values = (precision, recall, f1, float(truth.sum()))
        report[label] = {name: float(v) for name, v in zip(names, values, strict=True)}
    return report
