"""Which targets should share a network: candidate groups, compared by cross-validation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from superpose.data import Fold, fold_indices
from superpose.evaluation import Progress, spec_of
from superpose.prepare import Prepared
from superpose.record import AffinityRecord, CandidateRecord, GroupingRecord
from superpose.training import EpochProgress, TrainingSpec, fit_multi_task

from ._affinity import names
from ._grouping import Groups, divisions

TOGETHER, APART = "all together", "all apart"
STAGE = "ways to group"
MOST_GROUPS = 4
# Standard errors by which the best has to be better than all together. Of seven candidates that are
# all alike, one is taken for better in 7 % of searches with five folds.
SURE = 2.0


def candidates(affinity: AffinityRecord) -> dict[str, Groups]:
    """List the ways to group that are worth a try, each once, by a name that states its origin.

    Args:
        affinity: What ``affinity`` returned.

    Returns:
        All together, all apart, the groups of the run if it has any, the suggestion, and the best
        division by each measure into 2, 3 and 4 groups.
    """
    targets = affinity.targets
    size = len(targets)
    out = {TOGETHER: [list(range(size))], APART: [[index] for index in range(size)]}

    def add(name: str, groups: Groups) -> None:
        if groups and groups not in out.values():
            out[name] = groups

    for name, groups in (("as set", affinity.run_groups), ("suggested", affinity.groups)):
        add(name, [[targets.index(target) for target in group] for group in groups])
    # Bits are not among them: a run measures them on its test rows, which no choice may read.
    # Of residuals counts what is left unexplained in common, of whichever sign.
    residual = None if affinity.residual is None else np.abs(affinity.residual)
    measures = {"look-ahead": affinity.lookahead, "cosine": affinity.cosine, "residuals": residual}
    for word, values in measures.items():
        if values is not None and np.isfinite(values).any():
            for division in divisions(values)[1:MOST_GROUPS]:
                add(f"{word}, {len(division.groups)} groups", division.groups)
    return out


def search_groups(
    prepared: Prepared, tried: Mapping[str, Groups], *, count: int, progress: Progress
) -> GroupingRecord:
    """Evaluate ways to group by cross-validation with the multi-task network.

    All have the same folds of the training and validation rows, settings and seed. Test rows are
    not read.

    Args:
        prepared: The table of the run, divided as it was.
        tried: Groups by the name of the candidate; the first is what the others have to beat.
        count: Number of folds (at least 2).
        progress: Called with the name of the stage and the share that is done.
    """
    folds = _folds(prepared, count)
    spec = replace(spec_of(prepared), folds=folds)
    losses = []
    for index, groups in enumerate(tried.values()):

        def report(share: float, index: int = index) -> None:
            progress(STAGE, (index + share) / len(tried))

        losses.append(_losses(spec, names(prepared.targets, groups), report))
    rows = len(folds[0].train) + len(folds[0].validation)
    return verdict(np.stack(losses), tried, prepared.targets, n_rows=rows)


def _folds(prepared: Prepared, count: int) -> list[Fold]:
    split = prepared.split
    rows = np.sort(np.concatenate([split.train, split.validation]))
    seed = prepared.config.seed + 200  # other folds than those of the run
    fold = fold_indices(rows, prepared.labels, k=count, repeat_seed=seed, clusters=split.clusters)
    return [Fold(rows[fold != f], rows[fold == f]) for f in range(count)]


def _losses(
    spec: TrainingSpec, groups: list[list[str]], report: Callable[[float], None]
) -> np.ndarray:
    """Return the loss of each fold and target in units of the baseline's, (K, T).

    Args:
        spec: Data, sizes and settings.
        groups: Targets that share a network.
        report: Called with the share that is done.
    """
    report(0.0)
    fitted = fit_multi_task(replace(spec, groups=groups), callbacks=[EpochProgress(report)])
    report(1.0)
    out = np.full((len(spec.folds), len(fitted.oof_predictions)), np.nan)
    seen = np.concatenate([fold.validation for fold in spec.folds])
    for t, (target, pred) in enumerate(fitted.oof_predictions.items()):
        kind = spec.codec.target_kinds[target]
        y = spec.labels[target]
        baseline = np.tile(kind.distribution.baseline(y[seen]), (len(seen), 1))
        unit = float(np.nanmean(kind.distribution.row_loss(y[seen], baseline)))
        for f, fold in enumerate(spec.folds):
            rows = fold.validation
            if kind.distribution.known(y[rows]).any():
                out[f, t] = np.nanmean(kind.distribution.row_loss(y[rows], pred[rows])) / unit
    return out


def verdict(
    losses: np.ndarray, tried: Mapping[str, Groups], targets: Sequence[str], *, n_rows: int
) -> GroupingRecord:
    """Say which candidate is best, and whether it is better than the first one beyond noise.

    Args:
        losses: Relative losses by candidate, fold and target, NaN where a fold has no label.
        tried: Groups by the name of the candidate.
        targets: Names of the targets.
        n_rows: Rows of all folds.

    Shape:
        losses (C, K, T).

    Source:
        Nadeau and Bengio, "Inference for the Generalization Error", Machine Learning 52, 2003: a
        standard error that counts that the training rows of the folds overlap.
    """
    known = ~np.isnan(losses)
    by_fold = np.where(known, losses, 0.0).sum(2) / np.maximum(known.sum(2), 1)
    by_target = np.where(known, losses, 0.0).sum(1) / np.maximum(known.sum(1), 1)
    saved = by_fold[:1] - by_fold
    loss, gain = by_fold.mean(1), saved.mean(1)
    error, off = _error(by_fold), _error(saved)
    ranked = [
        CandidateRecord(
            name=name,
            groups=names(targets, groups),
            loss=float(loss[c]),
            error=float(error[c]),
            gain=float(100 * gain[c] / loss[0]),
            gain_error=float(100 * off[c] / loss[0]),
            gains=(100 * (1 - by_target[c] / by_target[0])).tolist(),
        )
        for c, (name, groups) in enumerate(tried.items())
    ]
    best = int(loss.argmin())
    sure = gain[best] > SURE * off[best]
    return GroupingRecord(
        targets=list(targets),
        candidates=ranked,
        winner=ranked[best].name,
        recommended=ranked[best if sure else 0].name,
        n_folds=losses.shape[1],
        n_rows=n_rows,
    )


def _error(values: np.ndarray) -> np.ndarray:
    """Standard error of means over K folds whose training rows overlap, (C, K) -> (C,)."""
    folds = values.shape[1]
    return np.sqrt((1 / folds + 1 / (folds - 1)) * values.var(1, ddof=1))
