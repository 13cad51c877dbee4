"""What the report shows of targets over time: who lives how long, and how errors grow ahead."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from superpose.columns import kaplan_meier, series_values

QUARTERS = 4  # groups of rows by their forecast


def survival_facts(kind: Any, y: np.ndarray, pred: np.ndarray) -> dict[str, Any]:
    """For quarters of the rows by risk the predicted share alive, and that of Kaplan and Meier.

    Args:
        kind: The fitted target, of kind survival.
        y: Encoded labels (N,).
        pred: Canonical predictions (N, K).
    """
    distribution = kind.distribution
    rows = np.flatnonzero(distribution.known(y))
    at = np.array([0.0, *kind.uppers])
    groups = []
    if len(rows) >= QUARTERS:
        order = rows[np.argsort(-distribution.expected_intervals(pred[rows]), kind="stable")]
        for part in np.array_split(order, QUARTERS):
            alive = distribution.alive_at(pred[part], at)
            groups.append(
                {
                    "rows": len(part),
                    "told": alive.mean(axis=0).tolist(),
                    "seen": kaplan_meier(y[part], at).tolist(),
                }
            )
    return {"chart": "survival", "y": y[rows], "at": at.tolist(), "groups": groups}


def forecast_facts(
    kind: Any, past: pa.ChunkedArray | None, *, y: np.ndarray, pred: np.ndarray
) -> dict[str, Any]:
    """The mean absolute error of each step ahead, beside that of repeating what came before.

    Args:
        kind: The fitted target, of kind forecast.
        past: The input whose last steps are what came before; None where there is none.
        y: Encoded labels (N, H).
        pred: Canonical predictions (N, 2 H).
    """
    true = kind.in_units(y)
    forecasts = {"shipped": kind.in_units(pred[:, : y.shape[1]])}
    if past is not None:
        steps = series_values(kind.past, past)[..., kind.channel]
        forecasts["the last value"] = np.repeat(_last(steps)[:, None], y.shape[1], axis=1)
        if back := kind.before(steps.shape[1]):
            forecasts["a period before"] = steps[:, back]
    # All are compared on the same values.
    known = ~np.isnan(true) & np.all([~np.isnan(f) for f in forecasts.values()], axis=0)
    count = known.sum(axis=0)
    errors = {
        name: np.where(
            count > 0,
            np.where(known, np.abs(forecast - true), 0.0).sum(axis=0) / np.maximum(count, 1),
            np.nan,
        ).tolist()
        for name, forecast in forecasts.items()
    }
    return {
        "chart": "forecast",
        "y": y[kind.distribution.known(y)],
        "ahead": kind.ahead,
        "errors": errors,
    }


def _last(steps: np.ndarray) -> np.ndarray:
    """The last value that is there in each row (N, T), NaN without any."""
    there = ~np.isnan(steps)
    final = steps.shape[1] - 1 - np.argmax(there[:, ::-1], axis=1)
    return np.where(there.any(axis=1), steps[np.arange(len(steps)), final], np.nan)
