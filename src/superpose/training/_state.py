"""The state of a training: what it changes, what it works with, and how it goes on after a stop."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from superpose.nn import StackedNetworks, StateDict

from ._balance import Balance
from ._batches import BatchLoader
from ._callbacks import Callback
from ._checkpoints import load_checkpoint, optimizer_tensors, restore_optimizer, save_checkpoint
from ._early_stopping import EarlyStopping
from ._jobs import Job
from ._objective import Objective
from ._observed_targets import ObservedTargets
from ._spec import TrainingSpec
from ._workers import Workers

if TYPE_CHECKING:
    from accelerate import Accelerator

# Large checkpoints are written less often, so that writing takes a twentieth of the time at most.
# A training that goes on from an older checkpoint ends with the same numbers, a little later.
WRITING_SHARE = 1 / 20
# Of a checkpoint; "averaged" are the moving averages, "watch" is what early stopping has seen.
PARTS = ("weights", "averaged", "optimizer", "watch", "balance")


@dataclass(kw_only=True)
class TrainState:
    """A training under way; callbacks are shown it.

    Args:
        spec: Data, folds and settings.
        jobs: The targets and the fold of each network.
        networks: The networks as the optimizer leaves them.
        ema: Moving average of their weights over the last steps, which predicts.
        optimizer: The optimizer of ``networks``.
        objective: What makes losses of outputs.
        balance: How targets are weighed against each other.
        early_stopping: What the epochs have shown so far.
        loader: The batches.
        observed: Shows networks measured targets; None if they read none.
        host: Device and precision.
        workers: The processes that train together.
        callbacks: What follows the training.
        checkpoint: File that is written after epochs and continued from; None keeps nothing.
        epoch: Number of the epoch, from 0.
        step: Number of the step in the epoch, from 1.
        losses: Losses (P, T) of the last batch, with the graph behind them.
    """

    spec: TrainingSpec
    jobs: Sequence[Job]
    networks: StackedNetworks
    ema: StackedNetworks
    optimizer: torch.optim.Optimizer
    objective: Objective
    balance: Balance
    early_stopping: EarlyStopping
    loader: BatchLoader
    observed: ObservedTargets | None
    host: Accelerator
    workers: Workers
    callbacks: Sequence[Callback] = ()
    checkpoint: Path | None = None
    epoch: int = 0
    step: int = 0
    losses: Tensor | None = None
    _seconds_before: float = 0.0  # of training in processes that were stopped
    _began: float = field(default_factory=time.monotonic)
    _due: float = 0.0  # when a checkpoint may be written again

    @property
    def seconds(self) -> float:
        """Seconds of training, those of stopped processes included."""
        return self._seconds_before + time.monotonic() - self._began

    def is_done(self) -> bool:
        """Tell whether no target gains any more, or the time is up; one epoch is taken at least."""
        limit = self.spec.settings.max_minutes
        late = self.workers.any(limit is not None and self.seconds > 60 * limit)
        return self.epoch > 0 and (late or self.early_stopping.is_done(self.epoch - 1))

    @property
    def epoch_seed(self) -> int:
        """The seed of an epoch, which depends on nothing before it: resuming is exact."""
        return self.spec.seed * 100_003 + self.epoch + 1

    @property
    def ema_share(self) -> float:
        """The share by which averaged weights follow a step: the newest at first, then less."""
        steps = len(self.loader)
        horizon = max(1.0, self.spec.settings.average * steps)
        return max(1 / horizon, 1 / (1 + (self.epoch * steps + self.step) / 4))

    def resume(self) -> int:
        """Continue from the checkpoint if there is one; return the next epoch."""
        if self.checkpoint is None or not self.checkpoint.is_file():
            return 0
        facts, tensors = load_checkpoint(self.checkpoint)
        parts: dict[str, StateDict] = {name: {} for name in PARTS}
        for name, value in tensors.items():
            part, rest = name.split("/", 1)
            parts[part][rest] = value
        self.networks.restore(parts["weights"])
        self.ema.restore(parts["averaged"])
        restore_optimizer(self.optimizer, parts["optimizer"])
        self.early_stopping.unpack(facts["watch"], parts["watch"])
        self.balance.unpack(facts["balance"], parts["balance"])
        self._seconds_before = facts["seconds"]
        return int(facts["epoch"]) + 1

    def save(self) -> None:
        """Write everything the next epoch needs, unless the last writing was a moment ago."""
        if self.checkpoint is None or self.workers.rank > 0 or time.monotonic() < self._due:
            return
        began = time.monotonic()
        stopping_facts, stopping_tensors = self.early_stopping.pack()
        balance_facts, balance_tensors = self.balance.pack()
        parts = {
            "weights": self.networks.snapshot(),
            "averaged": self.ema.snapshot(),
            "optimizer": optimizer_tensors(self.optimizer),
            "watch": stopping_tensors,
            "balance": balance_tensors,
        }
        facts = {
            "epoch": self.epoch,
            "seconds": self.seconds,
            "watch": stopping_facts,
            "balance": balance_facts,
        }
        flat = {f"{part}/{name}": v for part, group in parts.items() for name, v in group.items()}
        save_checkpoint(self.checkpoint, facts, flat)
        now = time.monotonic()
        self._due = now + (now - began) / WRITING_SHARE
