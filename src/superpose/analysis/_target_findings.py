"""The record of one target: what is deployed, what sharing did to it, how well it is met."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from superpose.distributions import Paired
from superpose.evaluation import Decision, RunResult, metric_options
from superpose.kinds import Beside, TargetKind
from superpose.models import MULTI_TASK, SINGLE_TASK, Predictor, Weights, group_indices, mix
from superpose.models.network import networks
from superpose.prepare import Prepared
from superpose.record import (
    BASELINE,
    DEPLOYED,
    EVERYTHING,
    HALF,
    NOTHING,
    ChartRecord,
    CurveRecord,
    DecisionRecord,
    GainRecord,
    MixtureRecord,
    SharingRecord,
    TargetRecord,
    chart_of,
    recorded_name,
    recorded_weights,
)

Preds = Mapping[str, np.ndarray]


def target_record(
    result: RunResult, target: str, test: pa.Table, *, y: np.ndarray, preds: Preds
) -> TargetRecord:
    """Make the record of one target.

    Args:
        result: What the run has left.
        target: Its name.
        test: The test rows.
        y: Their encoded labels (N,) or (N, L).
        preds: Their canonical predictions (N, K) by model.
    """
    p = result.prepared
    kind = p.codec.target_kinds[target]
    parts = {"train": p.split.train, "validation": p.split.validation, "test": p.split.test}
    others = [[t for t in group if t != target] for group in groups_of(p) if target in group]
    given = {
        name: _decision(p, level.decisions[target], target, preds=level.oof_predictions[target])
        for name, level in result.levels.items()
    }
    return TargetRecord(
        name=target,
        kind=kind.name,
        metric=kind.metric,
        higher_is_better=kind.higher_is_better,
        detail=kind.describe(),
        labelled={
            n: int(kind.distribution.known(p.labels[target][rows]).sum())
            for n, rows in parts.items()
        },
        shares_with=others[0] if others else None,
        decision=given[NOTHING],
        sharing=_sharing(result, target),
        given={level: given[level] for level in (HALF, EVERYTHING) if level in given},
        metrics=_metrics(result.predictor, target, y=y, preds=preds),
        chart=_chart(result, target, test, y=y, preds=preds),
        curves=_curves(result.predictor, target),
    )


def groups_of(p: Prepared) -> list[list[str]]:
    """Return the targets of each group, in their order; no group where all share a network."""
    return [[p.targets[t] for t in group] for group in group_indices(p.config.groups, p.targets)]


def _deciding(p: Prepared, target: str) -> np.ndarray:
    """The labelled rows that decide: the same whatever is given."""
    known = p.codec.target_kinds[target].distribution.known(p.labels[target])
    return np.flatnonzero(p.plan.deciders & known)


def _value(p: Prepared, target: str, *, weights: Weights | None, preds: Preds) -> float:
    """The metric of a mixture on the rows that decide, NaN where it can't be had."""
    kind = p.codec.target_kinds[target]
    rows = _deciding(p, target)
    if not weights or not len(rows) or not weights.keys() <= preds.keys():
        return float("nan")
    pred = mix({m: preds[m][rows] for m in weights}, weights)
    return kind.metrics(p.labels[target][rows], pred)[kind.metric]


def _decision(p: Prepared, decision: Decision, target: str, *, preds: Preds) -> DecisionRecord:
    def mixture(weights: Weights | None) -> MixtureRecord:
        value = _value(p, target, weights=weights, preds=preds)
        return MixtureRecord(recorded_weights(weights or {}), value)

    return DecisionRecord(
        n_rows=len(_deciding(p, target)),
        reference=mixture(decision.reference),
        challenger=mixture(decision.challenger),
        deployed=mixture(decision.deployed),
        test=_gain(decision.test, decision.reference_loss),
        conclusive=decision.conclusive,
    )


def _sharing(result: RunResult, target: str) -> SharingRecord:
    decision = result.decisions[target]
    preds = result.oof_predictions[target]
    p = result.prepared
    return SharingRecord(
        multi_task=_value(p, target, weights={MULTI_TASK: 1.0}, preds=preds),
        single_task=_value(p, target, weights={SINGLE_TASK: 1.0}, preds=preds),
        gain=_gain(decision.sharing, decision.single_task_loss),
        verdict=decision.verdict,
    )


def _gain(test: Paired, loss: float) -> GainRecord:
    low, high = test.interval()
    return GainRecord(
        _percent(test.mean, loss), _percent(low, loss), _percent(high, loss), float(test.p)
    )


def _percent(part: float, whole: float) -> float:
    """A part of a whole in percent, NaN where there is no whole."""
    return float(100 * part / whole) if whole and np.isfinite(whole) else float("nan")


def _metrics(
    predictor: Predictor, target: str, *, y: np.ndarray, preds: Preds
) -> dict[str, dict[str, float]]:
    kind = predictor.codec.target_kinds[target]
    baseline = predictor.baselines[target]
    pred = mix(preds, predictor.weights[target])
    options = metric_options(predictor, target, predictor.quantile(target, len(pred)))
    every_row = np.broadcast_to(baseline, (len(y), kind.distribution.n_columns))
    return {
        DEPLOYED: kind.metrics(y, pred, baseline, **options),
        BASELINE: kind.metrics(y, every_row, baseline),
        # The candidate of that name stands there already: it is what scores compare with.
        **{
            recorded_name(model): kind.metrics(y, z, baseline)
            for model, z in preds.items()
            if recorded_name(model) != BASELINE
        },
    }


def _chart(
    result: RunResult, target: str, test: pa.Table, *, y: np.ndarray, preds: Preds
) -> ChartRecord | None:
    p, predictor = result.prepared, result.predictor
    pred = mix(preds, predictor.weights[target])
    kind: TargetKind = p.codec.target_kinds[target]
    image = kind.locations.of if kind.locations else ""

    def pixels(rows: np.ndarray) -> np.ndarray:
        return predictor.codec.pixels(image, test.take(pa.array(rows)))

    inputs = test.select([kind.column for kind in p.codec.input_kinds])
    shown = pixels if image else None
    beside = Beside(inputs, shown, predictor.quantile(target, len(pred)))
    return chart_of(kind.plot(y, pred, beside))


def _curves(predictor: Predictor, target: str) -> list[CurveRecord]:
    """The losses of the networks that have a head for a target, the multi-task network first."""
    records = []
    for network in networks(predictor.models):
        if target in network.targets:
            position = network.targets.index(target)
            curve = network.curves[position]
            records.append(
                CurveRecord(
                    model=recorded_name(network.name),
                    train=np.array(curve["train"], float),
                    validation=np.array(curve["validation"], float),
                    best_epoch=int(network.best[position]),
                )
            )
    return records
