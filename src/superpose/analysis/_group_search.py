"""Which targets should share a network: candidate groups, judged by cross-validation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from superpose.data import Fold, fold_indices
from superpose.evaluation import Prepared, Progress, spec_of
from superpose.training import EpochProgress, TrainingSpec, fit_multi_task

from ._affinity import names
from ._findings import Facts
from ._grouping import Groups, divisions

TOGETHER, APART = "all together", "all apart"
# Affinities that candidates are drawn from. Bits are not among them: a run measures them on its
# test rows, which no choice may read.
SOURCES = {"lookahead": "look-ahead", "cosine": "cosine", "residual": "residuals"}
MOST_GROUPS = 4
# Standard errors by which the best has to be better than all together. Of seven candidates that are
# all alike, one is taken for better in 7 % of searches with five folds.
SURE = 2.0


def candidates(found: Mapping[str, Any]) -> dict[str, Groups]:
    """List the ways to group that are worth a try, each once, by a name that says where it is from.

    Args:
        found: What ``affinity`` found.

    Returns:
        All together, all apart, the groups of the run if it has any, the suggestion, and the best
        division by each measure into 2, 3 and 4 groups.
    """
    targets = found["targets"]
    size = len(targets)
    out = {TOGETHER: [list(range(size))], APART: [[place] for place in range(size)]}

    def add(name: str, groups: Groups) -> None:
        if groups and groups not in out.values():
            out[name] = groups

    for key, name in (("set", "as set"), ("groups", "suggested")):
        add(name, [[targets.index(target) for target in group] for group in found[key]])
    for measure, word in SOURCES.items():
        if found[measure]:
            affinity = np.array(found[measure], float)
            if measure == "residual":  # what is left unexplained in common, of whichever sign
                affinity = np.abs(affinity)
            for division in divisions(affinity)[1:MOST_GROUPS]:
                add(f"{word}, {len(division.groups)} groups", division.groups)
    return out


def search_groups(
    prepared: Prepared, tried: Mapping[str, Groups], count: int, progress: Progress
) -> Facts:
    """Judge ways to group by cross-validation with the joint network, on training and validation.

    All have the same folds, settings and seed. Test rows are not read.

    Args:
        prepared: The table of the run, divided as it was.
        tried: Groups by the name of the candidate; the first is what the others have to beat.
        count: Number of folds (at least 2).
        progress: Called with the name of the stage and the share that is done.

    Returns:
        ``candidates``: for each its ``name``, ``groups``, mean relative ``loss`` with its standard
        ``error``, by how many percent it is lower than the first one's (``gain`` with its
        ``gain_error``), and the ``gains`` of each target; the ``winner`` and what is
        ``recommended``, by name; ``folds`` and ``rows``.
    """
    folds = _folds(prepared, count)
    recipe = replace(spec_of(prepared), folds=folds)
    losses = []
    for place, groups in enumerate(tried.values()):
        losses.append(_losses(recipe, names(prepared.targets, groups), len(tried), place, progress))
    return {
        **verdict(np.stack(losses), tried, prepared.targets),
        "folds": len(folds),
        "rows": len(folds[0].train) + len(folds[0].validation),
    }


def _folds(prepared: Prepared, count: int) -> list[Fold]:
    split = prepared.split
    rows = np.sort(np.concatenate([split.train, split.validation]))
    seed = prepared.config.seed + 200  # other folds than those of the run
    fold = fold_indices(rows, prepared.labels, k=count, repeat_seed=seed, clusters=split.clusters)
    return [Fold(rows[fold != f], rows[fold == f]) for f in range(count)]


def _losses(
    recipe: TrainingSpec, groups: list[list[str]], candidates: int, place: int, progress: Progress
) -> np.ndarray:
    """Return the loss of each fold and target in units of the best constant's, (K, T)."""
    stage = "ways to group"
    passed = EpochProgress(lambda share: progress(stage, (place + share) / candidates))
    progress(stage, place / candidates)
    fitted = fit_multi_task(replace(recipe, groups=groups), callbacks=[passed])
    progress(stage, (place + 1) / candidates)
    out = np.full((len(recipe.folds), len(fitted.oof_predictions)), np.nan)
    seen = np.concatenate([fold.validation for fold in recipe.folds])
    for t, (target, told) in enumerate(fitted.oof_predictions.items()):
        kind = recipe.codec.target_kinds[target]
        y = recipe.labels[target]
        constant = np.tile(kind.constant(y[seen]), (len(seen), 1))
        unit = float(np.nanmean(kind.row_loss(y[seen], constant)))
        for f, fold in enumerate(recipe.folds):
            if kind.known(y[fold.validation]).any():
                out[f, t] = (
                    np.nanmean(kind.row_loss(y[fold.validation], told[fold.validation])) / unit
                )
    return out


def verdict(losses: np.ndarray, tried: Mapping[str, Groups], targets: Sequence[str]) -> Facts:
    """Say which candidate is best, and whether it is better than the first one beyond noise.

    Args:
        losses: Relative losses by candidate, fold and target, NaN where a fold has no label.
        tried: Groups by the name of the candidate.
        targets: Names of the targets.

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
    loss, error, gain, off = by_fold.mean(1), _error(by_fold), saved.mean(1), _error(saved)
    found = [
        {
            "name": name,
            "groups": names(targets, groups),
            "loss": float(loss[c]),
            "error": float(error[c]),
            "gain": float(100 * gain[c] / loss[0]),
            "gain_error": float(100 * off[c] / loss[0]),
            "gains": (100 * (1 - by_target[c] / by_target[0])).tolist(),
        }
        for c, (name, groups) in enumerate(tried.items())
    ]
    best = int(loss.argmin())
    sure = gain[best] > SURE * off[best]
    return {
        "targets": list(targets),
        "candidates": found,
        "winner": found[best]["name"],
        "recommended": found[best if sure else 0]["name"],
    }


def _error(values: np.ndarray) -> np.ndarray:
    """Standard error of means over K folds whose training rows overlap, (C, K) -> (C,)."""
    folds = values.shape[1]
    return np.sqrt((1 / folds + 1 / (folds - 1)) * values.var(1, ddof=1))
