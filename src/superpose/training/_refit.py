"""Trained networks learn from all rows: a few epochs more, from the weights that were kept."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np

from superpose.data import Fold
from superpose.models import MULTI_TASK
from superpose.models.network import NetworkModel, build, heads_of

from ._batches import batch_size
from ._callbacks import Callback
from ._jobs import multi_task_jobs, single_task_jobs
from ._loop import continue_fit
from ._networks import multi_task_network, single_task_spec
from ._spec import TrainingSpec

# Of the epochs that early stopping took, and of the learning rate. Networks that were trained anew
# on all rows, for all their epochs, were no better: bike sharing by the hour .098 (anew) and .099,
# by the day .284 and .309, transformers .278 and .230; and that took two to four times as long.
SHARE_OF_EPOCHS, SHARE_OF_RATE = 0.25, 0.5
FEWEST_EPOCHS = 2


def refit_networks(
    spec: TrainingSpec,
    model: NetworkModel,
    rows: np.ndarray,
    *,
    epochs: Collection[int] | None = None,
    callbacks: Sequence[Callback] = (),
) -> NetworkModel:
    """Train networks further on all rows, those that stopped and judged them included.

    Args:
        spec: What they were trained by.
        model: The networks.
        rows: The rows to learn from.
        epochs: The snapshots that are needed (default all). The others are dropped; what had one
            of them, which nothing deployed reads, has the nearest that is left.
        callbacks: What follows the training.
    """
    before = spec.settings
    # As many steps for each row as before, however many rows there are now.
    size = batch_size(before, [fold.train for fold in spec.folds])
    every = Fold(rows, np.zeros(0, dtype=np.int64))
    spec = replace(spec, folds=[every] * model.count, halves=None)
    if model.name == MULTI_TASK:
        make = multi_task_network(spec)
        jobs = multi_task_jobs(len(spec.targets), spec.folds)
    else:
        spec = single_task_spec(spec, model.targets)
        heads = heads_of(spec.codec, model.targets)
        make = build(spec.codec, heads, spec.architecture, embedding=spec.embedding)
        jobs = single_task_jobs(spec.kinds, list(spec.labels.values()), spec.folds)
    snapshots = {}
    for epoch, weights in model.snapshots.items():
        if epochs is not None and epoch not in epochs:
            continue
        more = {
            "epochs": max(FEWEST_EPOCHS, math.ceil(SHARE_OF_EPOCHS * (epoch + 1))),
            "learning_rate": SHARE_OF_RATE * before.learning_rate,
            "batch_size": size,
        }
        own = replace(spec, settings=before.model_copy(update=more))
        snapshots[epoch] = continue_fit(own, jobs, make, weights=weights, callbacks=callbacks)

    def nearest(epoch: int) -> int:
        return min(snapshots, key=lambda kept: abs(kept - epoch))

    given_epoch = None if model.given_epoch is None else nearest(model.given_epoch)
    best = [nearest(epoch) for epoch in model.best]
    return replace(model, snapshots=snapshots, best=best, given_epoch=given_epoch)
