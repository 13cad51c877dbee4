"""Row losses and metrics of the benchmarks, written apart from the package they evaluate.

Predictions are canonical float arrays: number and count (N, 1), the mean and the rate;
binary (N, 2), category and ordinal (N, classes), probabilities in the table's class order.
"""

from __future__ import annotations

import numpy as np
from sklearn.metrics import average_precision_score, cohen_kappa_score, f1_score, roc_auc_score

# Probabilities are clipped so that one certain mistake costs 13.8 nats and not infinity.
CLIP = 1e-6
METRIC = {
    "number": "rrmse",
    "count": "relative_deviance",
    "binary": "auc",
    "category": "relative_log_loss",
    "ordinal": "relative_log_loss",
}


def baseline(kind: str, y: np.ndarray, n_classes: int) -> np.ndarray:
    """Best prediction that ignores the inputs, for training labels `y`. Shape: (K,)."""
    y = y[~np.isnan(y)]
    if kind in ("number", "count"):
        return np.array([y.mean()])
    share = np.bincount(y.astype(int), minlength=n_classes) / len(y)
    return np.clip(share, CLIP, 1.0)


def row_loss(kind: str, y: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    """Loss of every row, NaN where the label is missing. Shape: (N,).

    Squared error (user's units), Poisson deviance, or log-loss.
    """
    if kind == "number":
        return (y - prediction[:, 0]) ** 2
    if kind == "count":
        rate = np.maximum(prediction[:, 0], CLIP)
        log = np.where(y > 0, y * np.log(np.maximum(y, 1.0) / rate), 0.0)
        return np.where(np.isnan(y), np.nan, 2 * (log - y + rate))
    known = ~np.isnan(y)
    probability = np.clip(prediction, CLIP, 1 - CLIP)
    probability = probability / probability.sum(1, keepdims=True)
    out = np.full(len(y), np.nan)
    out[known] = -np.log(probability[known, y[known].astype(int)])
    return out


def metrics(
    kind: str, y: np.ndarray, prediction: np.ndarray, *, baseline: np.ndarray
) -> dict[str, float]:
    """All metrics of one target on labelled rows; `baseline` is the prediction (K,) without inputs.

    `METRIC[kind]` names the main one. AUC is NaN where only one class occurs.
    """
    known = ~np.isnan(y)
    y, prediction = y[known], prediction[known]
    loss = row_loss(kind, y, prediction).mean()
    base = row_loss(kind, y, np.broadcast_to(baseline, (len(y), len(baseline)))).mean()
    ratio = float(loss / base) if base > 0 else float("nan")
    if kind == "number":
        error = y - prediction[:, 0]
        return {
            "rrmse": ratio**0.5,
            "rmse": float(loss**0.5),
            "mae": float(np.abs(error).mean()),
            "score": 1 - ratio,
        }
    if kind == "count":
        error = y - prediction[:, 0]
        return {
            "relative_deviance": ratio,
            "poisson_deviance": float(loss),
            "rmse": float((error**2).mean() ** 0.5),
            "score": 1 - ratio,
        }
    truth = y.astype(int)
    label = prediction.argmax(1)
    result = {
        "log_loss": float(loss),
        "relative_log_loss": ratio,
        "accuracy": float((truth == label).mean()),
        "score": 1 - ratio,
    }
    if kind == "binary":
        both = 0 < truth.mean() < 1
        result["auc"] = float(roc_auc_score(truth, prediction[:, 1])) if both else float("nan")
        result["average_precision"] = (
            float(average_precision_score(truth, prediction[:, 1])) if both else float("nan")
        )
        result["brier"] = float(((prediction[:, 1] - truth) ** 2).mean())
        return result
    result["macro_f1"] = float(f1_score(truth, label, average="macro", zero_division=0))
    if kind == "ordinal":
        result["quadratic_kappa"] = float(cohen_kappa_score(truth, label, weights="quadratic"))
    return result


def error(kind: str, metrics: dict[str, float]) -> float:
    """The main metric as an error, lower is better: 1 - AUC for binary, else the metric."""
    value = metrics[METRIC[kind]]
    return 1 - value if kind == "binary" else value


def gain(kind: str, ours: float, reference: float) -> float:
    """Relative gain in the main metric in percent, positive = better (Maninis et al. 2019).

    AUC is compared as AUC (higher is better), all others as errors, so that a target solved
    almost perfectly does not drown the rest.
    """
    if kind == "binary":
        return 100 * (ours - reference) / reference
    return 100 * (reference - ours) / reference


def error_gain(kind: str, ours: float, reference: float) -> float:
    """The same from two errors, as `error` gives them."""
    if kind == "binary":
        return gain(kind, 1 - ours, 1 - reference)
    return gain(kind, ours, reference)
