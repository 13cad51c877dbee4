"""The records of pairs of targets and of task states: bits, residuals, likeness."""

from __future__ import annotations

import numpy as np

from superpose.distributions import shrunk_correlation
from superpose.evaluation import RunResult
from superpose.functional import density_matrix, effective_states, purity, von_neumann_entropy
from superpose.models import mix
from superpose.record import EntanglementRecord, ResidualRecord, StatesRecord

from ._entanglement import entanglement, rows_for

# Below so many effective states, or this share of the targets, tasks have become one.
FEWEST_STATES = 1.2
SMALLEST_SHARE = 0.2
STATE_ROWS = 256
MOST_SCORES = 256  # of a target; as many words has the longest text


def entanglement_record(result: RunResult) -> EntanglementRecord | None:
    """Measure what targets tell about each other, on test rows."""
    p, predictor = result.prepared, result.predictor
    if not predictor.takes_given or not len(p.split.test):
        return None
    widest = max(kind.distribution.n_columns for kind in p.codec.target_kinds.values())
    test = p.split.test
    most = rows_for(len(p.targets), widest)
    if len(test) > most:
        chosen = np.random.default_rng([p.config.seed, 7]).choice(test, most, replace=False)
        test = np.sort(chosen)
    clusters = None if p.split.clusters is None else p.split.clusters[test]
    labels = {t: y[test] for t, y in p.labels.items()}
    rows = predictor.pruned().rows(p.table.take(test))
    return entanglement(predictor, rows, labels, clusters=clusters, seed=p.config.seed)


def residual_record(result: RunResult) -> ResidualRecord | None:
    """Correlate what the single-task models leave unexplained, on the rows of the proof.

    The residual of a label is its normal score under a prediction that has not seen it. Of targets
    with several scores, such as sets of labels, the strongest correlation is kept.
    """
    p = result.prepared
    kinds = p.codec.target_kinds
    if len(kinds) < 2:
        return None
    rows = p.plan.proof_rows
    parts = []
    for t, kind in kinds.items():
        # Without references there is the multi-task network only.
        weights = result.decisions[t].reference or result.decisions[t].deployed
        pred = mix({m: z[rows] for m, z in result.oof_predictions[t].items()}, weights)
        y = p.labels[t][rows]
        distribution = kind.distribution
        if distribution.latent is None:
            parts.append(np.full((len(y), 1), np.nan))
            continue
        factor = distribution.scale_factor(y, pred)
        z = distribution.latent.to_normal(y, distribution.rescaled(pred, factor))
        # The positions of an image are too many to correlate one by one: their mean stands for
        # them.
        parts.append(_mean(z) if z.shape[1] > MOST_SCORES else z)
    whole = shrunk_correlation(np.concatenate(parts, axis=1))
    owner = np.repeat(np.arange(len(kinds)), [z.shape[1] for z in parts])
    correlation = np.eye(len(kinds))
    for a, b in np.argwhere(correlation == 0):
        block = whole[np.ix_(owner == a, owner == b)].ravel()
        correlation[a, b] = block[np.abs(block).argmax()]
    single_task = all(result.decisions[t].reference for t in kinds)
    return ResidualRecord(p.targets, correlation, single_task)


def _mean(z: np.ndarray) -> np.ndarray:
    """The mean of the scores (N, L) that a row has, (N, 1); NaN without any."""
    count = (~np.isnan(z)).sum(axis=1, keepdims=True)
    return np.where(count > 0, np.nansum(z, axis=1, keepdims=True) / np.maximum(count, 1), np.nan)


def states_record(result: RunResult) -> StatesRecord | None:
    """Describe how different the task states are that the heads read."""
    p = result.prepared
    if len(p.targets) < 2:
        return None
    rows = p.rows.take(p.split.validation[:STATE_ROWS])
    density = density_matrix(result.multi_task.states(rows))
    effective = effective_states(density)
    fewest = max(FEWEST_STATES, SMALLEST_SHARE * len(p.targets))
    return StatesRecord(
        targets=p.targets,
        density=np.asarray(density),
        purity=purity(density),
        entropy=von_neumann_entropy(density),
        effective=effective,
        collapsed=bool(effective < fewest),
    )
