"""Scores of a trained model for a table with labels."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from superpose.errors import listing, location, message
from superpose.kinds import NamedClasses, Unknown, UnknownLabels
from superpose.models import Predictor


def score_table(
    predictor: Predictor, table: pa.Table, given: Sequence[str]
) -> dict[str, dict[str, float]]:
    """Score every target that is not given, each by the metrics of its kind.

    Labels that are no class of a target count as wrong, are warned of, and are counted under
    ``unknown_labels`` (rows).

    Args:
        predictor: What is deployed.
        table: Rows with labels.
        given: Targets that are read as measured.
    """
    codec = predictor.codec
    targets = [t for t in codec.target_kinds if t not in given]
    values = codec.target_values(table, targets)
    unknown = codec.unknown_labels(values)
    for target, wrong in unknown.items():
        warnings.warn(_as_wrong(target, wrong), stacklevel=3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnknownLabels)
        labels = codec.labels(table)
        prediction = predictor.predict(table, given, read_labels=True)
    bare = [
        t
        for t in targets
        if t not in unknown and not codec.target_kinds[t].distribution.known(labels[t]).any()
    ]
    if bare:
        what = f"no row has a label of {listing(bare)}"
        warnings.warn(message("labels", what, fix="their metrics are not defined"), stacklevel=3)
    scores = {}
    for t in targets:
        kind = codec.target_kinds[t]
        scored = {"y": labels[t], "pred": prediction.pred[t], "baseline": predictor.baselines[t]}
        options = metric_options(predictor, t, prediction.quantile[t])
        if t in unknown and isinstance(kind, NamedClasses):
            scores[t] = kind.metrics_with(unknown[t], values[t], **scored, **options)
            scores[t]["unknown_labels"] = float(len(np.unique(unknown[t].rows)))
        else:
            scores[t] = kind.metrics(**scored, **options)
    return scores


def metric_options(
    predictor: Predictor, target: str, quantile: np.ndarray | None
) -> dict[str, Any]:
    """Return what the metrics of a target read beside its predictions.

    Args:
        predictor: What is deployed.
        target: Its name.
        quantile: How far the interval or set of each row reaches (N,).
    """
    options: dict[str, Any] = {}
    if target in predictor.thresholds:
        options["threshold"] = predictor.thresholds[target]
    if quantile is not None:
        options["quantile"] = quantile
    return options


def _as_wrong(target: str, unknown: Unknown) -> str:
    names = listing(map(repr, dict.fromkeys(unknown.names)), 4)
    count = len(unknown.names)
    given = f"{count} label{'s' * (count != 1)} that training did not have ({names})"
    fix = "they count as wrong; mend them if they are misspelled"
    return message(location(column=target, row=int(unknown.rows[0])), given, fix=fix)
