"""The training loop in three functions: ``fit``, ``run_epoch`` and ``train_step``.

``continue_fit`` takes some epochs more, on rows that ``fit`` held out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from superpose.errors import TrainingError
from superpose.nn import StateDict

from ._batches import Batch
from ._callbacks import Callback
from ._jobs import Job, heads_by_fold
from ._set_up import set_up
from ._spec import TrainingSpec
from ._state import TrainState
from ._validation import half_given_predictions, validation_predictions


@dataclass(frozen=True, kw_only=True)
class TrainResult:
    """What a training leaves behind.

    Args:
        snapshots: Weights of all P networks at each epoch that is some target's best.
        best: The best epoch of each target.
        oof_predictions: For each target the canonical predictions (N, K) of the validation rows,
            each by networks that have not seen the row, at an epoch the row's fold had no part in
            choosing where there is more than one fold; NaN for other rows.
        curves: For each target the training and validation loss of each epoch.
        given_epoch: The epoch whose networks predict when targets are given; None if they can't.
        balance: How the targets were weighed, and their gradients in some of the epochs.
        seconds: Training time.
        n_params: Weights of one network.
    """

    snapshots: dict[int, StateDict]
    best: list[int]
    oof_predictions: list[np.ndarray]
    curves: list[dict[str, list[float]]]
    given_epoch: int | None = None
    balance: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    n_params: int = 0


def fit(
    spec: TrainingSpec,
    jobs: Sequence[Job],
    make: Callable[[], nn.Module],
    *,
    checkpoint: Path | None = None,
    callbacks: Sequence[Callback] = (),
) -> TrainResult:
    """Train the networks of all jobs in one pass, and keep each target's best epoch.

    Networks of one target each then cost little more than their arithmetic. Where
    ``torch.distributed`` is initialised, each process takes its share of every batch; all end with
    the same weights, and the first one writes the checkpoints.

    Args:
        spec: Data, folds and settings.
        jobs: The targets and the fold of each network; all have as many targets.
        make: Builds a freshly initialised network, whose heads follow the targets of a job.
        checkpoint: File that is written after each epoch, and continued from where it exists.
        callbacks: What follows the training.

    Raises:
        TrainingError: If a loss is not finite; names the target and the batch.
    """
    with torch.random.fork_rng():
        torch.manual_seed(spec.seed)
        state = set_up(spec, jobs, make, checkpoint=checkpoint, callbacks=callbacks)
        for epoch in range(state.resume(), spec.settings.epochs):
            state.epoch = epoch
            if state.is_done():
                break
            validate(state, run_epoch(state))
            state.save()
            for callback in callbacks:
                callback.on_epoch(state)
    return _result(state)


def continue_fit(
    spec: TrainingSpec,
    jobs: Sequence[Job],
    make: Callable[[], nn.Module],
    *,
    weights: StateDict,
    callbacks: Sequence[Callback] = (),
) -> StateDict:
    """Train networks further from some weights, and return the averaged weights at the end.

    Nothing is validated: all epochs of ``spec.settings`` are taken, and the folds need no
    validation rows.

    Args:
        spec: Data, folds and settings.
        jobs: As of ``fit``.
        make: As of ``fit``.
        weights: What all networks begin with.
        callbacks: What follows the training.

    Raises:
        TrainingError: If a loss is not finite; names the target and the batch.
    """
    with torch.random.fork_rng():
        torch.manual_seed(spec.seed)
        state = set_up(spec, jobs, make, callbacks=callbacks)
        state.networks.restore(weights)
        state.ema.restore(weights)
        for epoch in range(spec.settings.epochs):
            state.epoch = epoch
            run_epoch(state)
            for callback in callbacks:
                callback.on_epoch(state)
    return state.ema.snapshot()


def run_epoch(state: TrainState) -> np.ndarray:
    """Visit the training rows of every network; return the mean loss of each target, (T,)."""
    torch.manual_seed(state.epoch_seed)
    state.networks.train()
    state.balance.begin(state.epoch)
    losses = []
    for step, batch in enumerate(state.loader.epoch(state.epoch_seed), start=1):
        state.step = step
        losses.append(train_step(state, batch))
    state.balance.end()
    by_fold = torch.stack(losses)[:, *heads_by_fold(state.jobs)]
    return state.workers.mean(by_fold.mean(1).mean(0)).cpu().numpy()


def train_step(state: TrainState, batch: Batch) -> Tensor:
    """Learn from a batch, and return its losses (P, T)."""
    probe = state.balance.gradient_probe(batch.rows.shape[1])
    with state.host.autocast():
        out = state.networks(batch.inputs, probe)
    state.losses = state.objective.losses(out, batch)
    require_finite(state.losses, state)
    for callback in state.callbacks:
        callback.on_step(state)
    loss = state.balance.combine(state.losses, probe, partial(state.objective.observe, out, batch))
    accumulate = state.spec.settings.accumulate
    (loss.sum() / accumulate).backward()
    # The last batch steps too: what is left over would be lost on resuming.
    if state.step % accumulate == 0 or state.step == len(state.loader):
        optimizer_step(state, batch)
    return state.losses.detach()


def optimizer_step(state: TrainState, batch: Batch) -> None:
    """Move the weights by their gradients, and the averaged weights after them."""
    state.workers.average(state.networks.parameters())
    state.networks.clip(state.spec.settings.clip)
    state.optimizer.step()
    state.optimizer.zero_grad()
    state.ema.ema_update(state.networks, state.ema_share)
    state.balance.stepped(partial(_observe_again, state, batch))


@torch.no_grad()
def _observe_again(state: TrainState, batch: Batch) -> tuple[Tensor, Tensor]:
    return state.objective.observe(state.networks(batch.inputs), batch)


def validate(state: TrainState, train_losses: np.ndarray) -> None:
    """Predict the validation rows with the averaged weights, and keep the best epochs."""
    state.early_stopping.update(
        state.epoch,
        validation_predictions(state),
        train_losses=train_losses,
        snapshot=state.ema.snapshot,
        half_given=half_given_predictions(state),
    )
    # The last step may have gone too far; what is kept has to be good.
    for target, loss in enumerate(state.early_stopping.last_losses()):
        if not math.isfinite(loss):
            raise _not_finite(state, target)


def require_finite(losses: Tensor, state: TrainState) -> None:
    """Make sure that the losses (P, T) of a batch are numbers.

    Raises:
        TrainingError: Names the target and the batch.
    """
    finite = torch.isfinite(losses)
    if not finite.all():
        wrong = (~finite).nonzero().tolist()
        raise _not_finite(state, min(state.jobs[network].targets[head] for network, head in wrong))


def _not_finite(state: TrainState, target: int) -> TrainingError:
    return TrainingError(
        f"target {state.spec.targets[target]!r}: the loss is not finite in epoch "
        f"{state.epoch + 1}, batch {state.step}; the last good checkpoint is kept; lower "
        f"training.learning_rate or training.clip, or look for extreme values in this target"
    )


def _result(state: TrainState) -> TrainResult:
    stopping = state.early_stopping
    return TrainResult(
        snapshots=stopping.snapshots,
        best=stopping.best_epoch,
        oof_predictions=stopping.oof_predictions(),
        curves=stopping.curves,
        given_epoch=stopping.given_epoch,
        balance=state.balance.facts(),
        seconds=state.seconds,
        n_params=sum(p.numel() for p in state.networks.parameters()) // state.networks.count,
    )
