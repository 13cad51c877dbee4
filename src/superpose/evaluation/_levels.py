"""What is decided at one level of what is given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from superpose.models import Level, Predictions, mix
from superpose.prepare import Prepared

from ._calibration import conformal_quantile
from ._decide import Decision, TargetEvaluation, decide

# For each target and model the canonical predictions (N, K) for rows that it has not seen.
OofPredictions = dict[str, Predictions]


@dataclass
class LevelResult:
    """What was decided while nothing, half or all of the other targets are given.

    Args:
        decisions: One for each target.
        oof_predictions: What the proof has read; NaN in rows that take no part in it.
        level: How the models are mixed after it.
    """

    decisions: dict[str, Decision]
    oof_predictions: OofPredictions
    level: Level


def decide_level(prepared: Prepared, oof_predictions: OofPredictions) -> LevelResult:
    """Let the proof decide, and learn how wide distributions, intervals and sets have to be."""
    kinds = prepared.codec.target_kinds
    plan = prepared.plan
    decided = decide(
        [TargetEvaluation(kinds[t], prepared.labels[t], oof_predictions[t]) for t in kinds],
        plan.selection_half,
        alpha=prepared.config.proof.alpha,
        cross_fitted=plan.cross_fitted,
        clusters=prepared.split.clusters,
    )
    decisions = dict(zip(kinds, decided, strict=True))
    level = Level({t: decision.deployed for t, decision in decisions.items()})
    for t, kind in kinds.items():
        shown = held_out(prepared, oof_predictions, level, target=t)
        level.factors[t] = kind.distribution.scale_factor(shown.y, shown.pred)
        quantile = conformal_quantile(kind, shown.y, shown.pred, clusters=shown.clusters)
        if quantile is not None:
            level.quantiles[t] = quantile
    return LevelResult(decisions, oof_predictions, level)


class HeldOut(NamedTuple):
    """Rows with a label that no model has learned from.

    Args:
        y: Labels (n,) or (n, L).
        pred: What is deployed there, (n, K).
        clusters: Group or block of time of each row (n,), where rows depend on each other.
    """

    y: np.ndarray
    pred: np.ndarray
    clusters: np.ndarray | None


def held_out(
    prepared: Prepared, oof_predictions: OofPredictions, level: Level, *, target: str
) -> HeldOut:
    """Return the rows of the proof that have a label."""
    labels = prepared.labels[target]
    proof_rows = prepared.plan.proof_rows
    rows = proof_rows[prepared.codec.target_kinds[target].distribution.known(labels[proof_rows])]
    weights = level.weights[target]
    pred = mix({name: oof_predictions[target][name][rows] for name in weights}, weights)
    clusters = prepared.split.clusters
    return HeldOut(labels[rows], pred, None if clusters is None else clusters[rows])
