"""Facts about "given": what ships at each level, entanglement, and the states of the network."""

from __future__ import annotations

from typing import Any

import numpy as np

from superpose.distributions import shrunk_correlation
from superpose.evaluation import RunResult, describe, percent
from superpose.functional import density_matrix, effective_states, purity, von_neumann_entropy
from superpose.models import LEVELS, Weights, mix

from ._entanglement import entanglement, rows_for

Facts = dict[str, Any]

# Below so many effective states, or this share of the targets, tasks have become one.
FEWEST_STATES, SMALLEST_SHARE = 1.2, 0.2
STATE_ROWS = 256
MOST_SCORES = 256  # of a target; as many words has the longest text


def given_facts(trial: RunResult) -> Facts | None:
    """Say what ships while nothing, half and all of the other targets are given."""
    if len(trial.levels) < 2:
        return None
    rows = [_row(trial, t, level) for t in trial.prepared.targets for level in LEVELS]
    return {"levels": list(LEVELS), "rows": rows}


def _row(trial: RunResult, target: str, level: str) -> Facts:
    p = trial.prepared
    kind = p.codec.target_kinds[target]
    ruling = trial.levels[level].decisions[target]
    judged = trial.levels[level].oof_predictions[target]
    rows = np.flatnonzero(p.plan.deciders & kind.known(p.labels[target]))
    y = p.labels[target][rows]

    def value(weights: Weights, told: dict[str, np.ndarray]) -> float:
        if not weights or not len(rows):
            return float("nan")
        return kind.metrics(y, mix({m: told[m][rows] for m in weights}, weights))[kind.metric]

    replaced = ruling.tested and ruling.deployed != ruling.reference
    test = ruling.test
    return {
        "target": target,
        "kind": kind.name,
        "metric": kind.metric,
        "higher_is_better": kind.higher_is_better,
        "level": level,
        "n": len(rows),
        "reference_name": describe(ruling.reference),
        "reference": value(ruling.reference, judged),
        "shipped": describe(ruling.deployed),
        "shipped_value": value(ruling.deployed, judged),
        "delta": percent(test.mean, ruling.reference_loss) if replaced else 0.0,
        "interval": [percent(x, ruling.reference_loss) for x in test.interval()],
        "p": test.p,
        "ungiven": value(trial.predictor.weights[target], trial.oof_predictions[target]),
    }


def entanglement_facts(trial: RunResult) -> Facts | None:
    """Measure what targets tell about each other, on test rows."""
    p, predictor = trial.prepared, trial.predictor
    if not predictor.takes_given or not len(p.split.test):
        return None
    widest = max(kind.width for kind in p.codec.target_kinds.values())
    test, most = p.split.test, rows_for(len(p.targets), widest)
    if len(test) > most:
        chosen = np.random.default_rng([p.config.seed, 7]).choice(test, most, replace=False)
        test = np.sort(chosen)
    clusters = None if p.split.clusters is None else p.split.clusters[test]
    labels = {t: y[test] for t, y in p.labels.items()}
    rows = predictor.pruned().rows(p.table.take(test))
    return entanglement(predictor, rows, labels, clusters, seed=p.config.seed)


def residual_facts(trial: RunResult) -> Facts | None:
    """Correlate what the single-task models leave unexplained, on the rows of the proof.

    The residual of a label is its normal score under a prediction that has not seen it. Of targets
    with several scores, such as sets of labels, the strongest correlation is told.
    """
    p = trial.prepared
    kinds = p.codec.target_kinds
    if len(kinds) < 2:
        return None
    rows = p.plan.judges
    told, alone = {}, True
    for t, by_model in trial.oof_predictions.items():
        # Without references there is the multi-task network only.
        weights = trial.decisions[t].reference or trial.decisions[t].deployed
        alone &= bool(trial.decisions[t].reference)
        told[t] = mix({m: z[rows] for m, z in by_model.items()}, weights)
    parts = []
    for t, kind in kinds.items():
        y = p.labels[t][rows]
        z = kind.scores(y, kind.rescaled(told[t], kind.calibration(y, told[t])))
        # The places of an image are too many to correlate one by one: their mean stands for them.
        parts.append(_mean(z) if z.shape[1] > MOST_SCORES else z)
    found = shrunk_correlation(np.concatenate(parts, axis=1))
    owner = np.repeat(np.arange(len(kinds)), [z.shape[1] for z in parts])
    correlation = np.eye(len(kinds))
    for a, b in np.argwhere(correlation == 0):
        block = found[np.ix_(owner == a, owner == b)].ravel()
        correlation[a, b] = block[np.abs(block).argmax()]
    return {"targets": p.targets, "correlation": correlation.tolist(), "alone": alone}


def _mean(z: np.ndarray) -> np.ndarray:
    """The mean of the scores (N, L) that a row has, (N, 1); NaN without any."""
    count = (~np.isnan(z)).sum(axis=1, keepdims=True)
    return np.where(count > 0, np.nansum(z, axis=1, keepdims=True) / np.maximum(count, 1), np.nan)


def state_facts(trial: RunResult) -> Facts | None:
    """Describe how different the task states are that the heads read."""
    joint = trial.multi_task
    p = trial.prepared
    if len(p.targets) < 2:
        return None
    rows = p.rows.take(p.split.validation[:STATE_ROWS])
    density = density_matrix(joint.states(rows))
    effective = effective_states(density)
    fewest = max(FEWEST_STATES, SMALLEST_SHARE * len(p.targets))
    return {
        "targets": p.targets,
        "density": density.tolist(),
        "purity": purity(density),
        "entropy": von_neumann_entropy(density),
        "effective": effective,
        "collapsed": bool(effective < fewest),
    }
