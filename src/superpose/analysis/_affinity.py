"""Affinity: which targets help each other, by several measures side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from superpose.errors import DataError, SuperposeError, message
from superpose.evaluation import Progress, spec_of
from superpose.prepare import Prepared
from superpose.record import AffinityRecord, RunRecord
from superpose.training import look_ahead

from ._grouping import suggested
from ._target_findings import groups_of

# Networks that are trained side by side: enough to see what is chance, and all in one pass.
MOST_NETWORKS = 5


def affinity(
    prepared: Prepared, record: RunRecord, *, epochs: int, progress: Progress
) -> AffinityRecord:
    """Measure who helps whom in a short training of all targets, beside what a run has measured.

    Test rows are not read, but for the bits, which the run has measured on them.

    Args:
        prepared: The table of the run, divided as it was.
        record: The record of the run.
        epochs: Epochs of the short training (at least 1).
        progress: Called with the name of the stage and the share that is done.

    Raises:
        SuperposeError: The run has one target.
        DataError: The table is not that of the run, or there are no epochs.
    """
    targets = prepared.targets
    if epochs < 1:
        raise DataError(message("epochs", f"{epochs} given", "1 or more"))
    require_same(prepared, record)
    if len(targets) < 2:
        fix = "train with two or more"
        raise SuperposeError(message("affinity", "the run has one target", fix=fix))
    stage = "short training of all targets"
    progress(stage, 0.0)
    spec = spec_of(prepared)
    spec = replace(spec, folds=spec.folds[:MOST_NETWORKS])
    measured = look_ahead(spec, epochs, lambda share: progress(stage, share))
    n_looks, n_networks = measured.lookahead.shape[:2]
    residuals = record.residuals
    return AffinityRecord(
        targets=targets,
        lookahead=_mean(measured.lookahead),
        cosine=_mean(measured.cosine),
        residual=residuals.correlation if residuals else None,
        bits=record.entanglement.bits if record.entanglement else None,
        single_task=residuals.single_task if residuals else True,
        run_groups=groups_of(prepared),
        groups=names(targets, suggested(_over_networks(measured.lookahead)).groups),
        n_looks=n_looks,
        n_networks=n_networks,
        n_epochs=min(epochs, spec.settings.epochs),
    )


def require_same(prepared: Prepared, record: RunRecord) -> None:
    """Refuse a table that does not divide as that of the run did."""
    split = prepared.split
    rows = {"train": len(split.train), "validation": len(split.validation), "test": len(split.test)}
    before = record.data.rows
    if before and before != rows:
        given, allowed = (
            ", ".join(f"{count} {part}" for part, count in parts.items())
            for parts in (rows, before)
        )
        fix = "name the table that the run was trained on"
        raise DataError(message("table", f"its rows divide into {given}", allowed, fix=fix))


def names(targets: Sequence[str], groups: Sequence[Sequence[int]]) -> list[list[str]]:
    """Return groups of positions as groups of names."""
    return [[targets[position] for position in group] for group in groups]


def _over_networks(looks: np.ndarray) -> np.ndarray:
    """Average over the networks, (N, P, T, T) -> (N, T, T); NaN where none has a value."""
    known = ~np.isnan(looks)
    total = np.where(known, looks, 0.0).sum(1)
    return np.where(known.any(1), total / np.maximum(known.sum(1), 1), np.nan)


def _mean(looks: np.ndarray) -> np.ndarray:
    """Average over looks and networks, (N, P, T, T) -> (T, T)."""
    return _over_networks(looks.reshape(1, -1, *looks.shape[2:]))[0]
