"""Scores of a trained model for a table with labels."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from superpose.columns import Column
from superpose.errors import listing, message, place
from superpose.kinds import NamedClasses, Unknown, UnknownLabels
from superpose.models import Predictor


def score_table(
    predictor: Predictor, table: pa.Table, given: Sequence[str]
) -> dict[str, dict[str, float]]:
    """Score every target that is not given, each by the metrics of its kind.

    Labels that are no class of a target count as wrong, are warned of, and are counted under
    ``unknown_labels`` (rows).

    Args:
        predictor: What ships.
        table: Rows with labels.
        given: Targets that are read as measured.
    """
    codec = predictor.codec
    targets = [t for t in codec.target_kinds if t not in given]
    values = codec.target_values(table, targets)
    unknown = codec.unknown_labels(values)
    for target, found in unknown.items():
        warnings.warn(_as_wrong(target, found), stacklevel=3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnknownLabels)
        labels, answer = codec.labels(table), predictor.answer(table, given, True)
    bare = [
        t for t in targets if t not in unknown and not codec.target_kinds[t].known(labels[t]).any()
    ]
    if bare:
        what = f"no row has a label of {listing(bare)}"
        warnings.warn(message("labels", what, fix="their metrics are not defined"), stacklevel=3)
    return {
        t: evaluate_target(
            predictor,
            t,
            labels[t],
            answer.told[t],
            answer.reach[t],
            unknown.get(t),
            values.get(t),
        )
        for t in targets
    }


def evaluate_target(
    predictor: Predictor,
    target: str,
    y: np.ndarray,
    told: np.ndarray,
    reach: np.ndarray | None = None,
    unknown: Unknown | None = None,
    values: Column | None = None,
) -> dict[str, float]:
    """Score the answers to one target by everything its users expect.

    Args:
        predictor: What ships.
        target: Its name.
        y: Encoded labels (N,) or (N, L).
        told: Canonical predictions (N, K).
        reach: Half-widths (N,) of the intervals of a number.
        unknown: Labels that are no class of the target; they count as wrong.
        values: All labels as they are, where some are unknown.
    """
    kind = predictor.codec.target_kinds[target]
    options: dict[str, Any] = {}
    if target in predictor.thresholds:
        options["threshold"] = predictor.thresholds[target]
    if reach is not None:
        options["interval"] = reach
    floor = predictor.floors[target]
    if unknown is None or values is None or not isinstance(kind, NamedClasses):
        return kind.metrics(y, told, floor, **options)
    found = kind.metrics_with(unknown, values, y, told, floor, **options)
    return {**found, "unknown_labels": float(len(np.unique(unknown.rows)))}


def _as_wrong(target: str, unknown: Unknown) -> str:
    names = listing(map(repr, dict.fromkeys(unknown.names)), 4)
    count = len(unknown.names)
    given = f"{count} label{'s' * (count != 1)} that training did not have ({names})"
    fix = "they count as wrong; mend them if they are misspelled"
    return message(place(column=target, row=int(unknown.rows[0])), given, fix=fix)
