"""What a run says of one target: what is deployed, what sharing did to it, how well it is met."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from superpose.distributions import Paired
from superpose.evaluation import Prepared, Ruling, Trial, evaluate_target
from superpose.kinds import Beside, TargetKind
from superpose.models import ALONE, JOINT, Predictor, Weights, mix, places_of
from superpose.record import (
    BASELINE,
    DEPLOYED,
    EVERYTHING,
    HALF,
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
    trial: Trial, target: str, test: pa.Table, *, y: np.ndarray, preds: Preds
) -> TargetRecord:
    """Say everything of one target.

    Args:
        trial: The finished trial.
        target: Its name.
        test: The test rows.
        y: Their encoded labels (N,) or (N, L).
        preds: Their canonical predictions (N, K) by model.
    """
    p = trial.prepared
    kind = p.codec.target_kinds[target]
    parts = {"train": p.split.train, "validation": p.split.validation, "test": p.split.test}
    others = [[t for t in group if t != target] for group in groups_of(p) if target in group]
    given = {
        level: _decision(p, target, ruling=rulings[target], preds=trial.given_judged[level][target])
        for level, rulings in trial.given_rulings.items()
    }
    return TargetRecord(
        name=target,
        kind=kind.name,
        metric=kind.metric,
        higher_is_better=kind.higher_is_better,
        detail=kind.describe(),
        labelled={n: int(kind.known(p.labels[target][rows]).sum()) for n, rows in parts.items()},
        shares_with=others[0] if others else None,
        decision=_decision(p, target, ruling=trial.rulings[target], preds=trial.judged[target]),
        sharing=_sharing(trial, target),
        given={level: given[level] for level in (HALF, EVERYTHING) if level in given},
        metrics=_metrics(trial.predictor, target, y=y, preds=preds),
        chart=_chart(trial, target, test, y=y, preds=preds),
        curves=_curves(trial.predictor, target),
    )


def groups_of(p: Prepared) -> list[list[str]]:
    """Return the targets of each group, in their order; no group where all share a network."""
    return [[p.targets[t] for t in group] for group in places_of(p.config.groups, p.targets)]


def _deciding(p: Prepared, target: str) -> np.ndarray:
    """The labelled rows that decide: the same whatever is given."""
    decides = p.halves >= 0 if p.crossed else p.halves == 1
    return np.flatnonzero(decides & p.codec.target_kinds[target].known(p.labels[target]))


def _value(p: Prepared, target: str, *, weights: Weights | None, preds: Preds) -> float:
    """The metric of a mixture on the rows that decide, NaN where it can't be had."""
    kind = p.codec.target_kinds[target]
    rows = _deciding(p, target)
    if not weights or not len(rows) or not weights.keys() <= preds.keys():
        return float("nan")
    pred = mix({m: preds[m][rows] for m in weights}, weights)
    return kind.metrics(p.labels[target][rows], pred)[kind.metric]


def _decision(p: Prepared, target: str, *, ruling: Ruling, preds: Preds) -> DecisionRecord:
    def mixture(weights: Weights | None) -> MixtureRecord:
        value = _value(p, target, weights=weights, preds=preds)
        return MixtureRecord(recorded_weights(weights or {}), value)

    return DecisionRecord(
        n_rows=len(_deciding(p, target)),
        reference=mixture(ruling.reference),
        challenger=mixture(ruling.challenger),
        deployed=mixture(ruling.shipped),
        test=_gain(ruling.test, ruling.reference_loss),
        conclusive=ruling.conclusive,
    )


def _sharing(trial: Trial, target: str) -> SharingRecord:
    ruling = trial.rulings[target]
    preds = trial.judged[target]
    p = trial.prepared
    return SharingRecord(
        multi_task=_value(p, target, weights={JOINT: 1.0}, preds=preds),
        single_task=_value(p, target, weights={ALONE: 1.0}, preds=preds),
        gain=_gain(ruling.sharing, ruling.alone_loss),
        verdict=ruling.verdict,
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
    baseline = predictor.floors[target]
    pred = mix(preds, predictor.shipped[target])
    half_width = predictor.half_widths(target, pred)
    constant = np.broadcast_to(baseline, (len(y), kind.width))
    return {
        DEPLOYED: evaluate_target(predictor, target, y=y, pred=pred, half_width=half_width),
        BASELINE: kind.metrics(y, constant, baseline),
        **{recorded_name(model): kind.metrics(y, z, baseline) for model, z in preds.items()},
    }


def _chart(
    trial: Trial, target: str, test: pa.Table, *, y: np.ndarray, preds: Preds
) -> ChartRecord | None:
    p, predictor = trial.prepared, trial.predictor
    pred = mix(preds, predictor.shipped[target])
    kind: TargetKind = p.codec.target_kinds[target]
    image = kind.source or ""

    def pixels(rows: np.ndarray) -> np.ndarray:
        return predictor.codec.pixels(image, test.take(pa.array(rows)))

    inputs = test.select([kind.column for kind in p.codec.input_kinds])
    shown = pixels if image else None
    return chart_of(kind.plot(y, pred, Beside(inputs, shown, predictor.half_widths(target, pred))))


def _curves(predictor: Predictor, target: str) -> list[CurveRecord]:
    """The losses of the networks that have a head for a target, the multi-task network first."""
    joint = [] if predictor.joint is None else [(JOINT, predictor.joint)]
    found = []
    for model, network in [*joint, *((ALONE, one) for one in predictor.alone.values())]:
        if target in network.targets:
            position = network.targets.index(target)
            curve = network.curves[position]
            found.append(
                CurveRecord(
                    model=recorded_name(model),
                    train=np.array(curve["train"], float),
                    validation=np.array(curve["validation"], float),
                    best_epoch=int(network.best[position]),
                )
            )
    return found
