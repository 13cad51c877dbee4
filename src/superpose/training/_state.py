"""Everything a training needs to go on from where it was."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

import torch

from superpose.nn import StackedNetworks, StateDict

from ._balance import Balance
from ._checkpoints import load_checkpoint, optimizer_tensors, restore_optimizer, save_checkpoint
from ._early_stopping import EarlyStopping

# Large checkpoints are written less often, so that writing takes a twentieth of the time at most.
# A training that goes on from an older checkpoint ends with the same numbers, a little later.
WRITING_SHARE = 1 / 20


@dataclass
class TrainState:
    """The moving parts of a training.

    Args:
        network: The networks as the optimizer leaves them.
        averaged: Their average over the last steps, which predicts.
        optimizer: The optimizer of ``network``.
        watch: What the epochs have shown so far.
        balance: How targets are weighed against each other.
        path: File of the checkpoint; None keeps nothing.
        writes: Whether this process is the one that writes it.
        earlier: Seconds of training before this process.
    """

    network: StackedNetworks
    averaged: StackedNetworks
    optimizer: torch.optim.Optimizer
    watch: EarlyStopping
    balance: Balance
    path: Path | None
    writes: bool = True
    earlier: float = 0.0
    began: float = field(default_factory=time.monotonic)
    due: float = 0.0

    @property
    def seconds(self) -> float:
        """Seconds of training, those of stopped processes included."""
        return self.earlier + time.monotonic() - self.began

    def resume(self) -> int:
        """Continue from the checkpoint if there is one; return the next epoch."""
        if self.path is None or not self.path.is_file():
            return 0
        facts, tensors = load_checkpoint(self.path)
        names = ("weights", "averaged", "optimizer", "watch", "balance")
        parts: dict[str, StateDict] = {name: {} for name in names}
        for name, value in tensors.items():
            part, rest = name.split("/", 1)
            parts[part][rest] = value
        self.network.restore(parts["weights"])
        self.averaged.restore(parts["averaged"])
        restore_optimizer(self.optimizer, parts["optimizer"])
        self.watch.unpack(facts["watch"], parts["watch"])
        self.balance.unpack(facts["balance"], parts["balance"])
        self.earlier = facts["seconds"]
        return int(facts["epoch"]) + 1

    def keep(self, epoch: int) -> None:
        """Write everything the next epoch needs, unless the last writing was a moment ago."""
        if self.path is None or not self.writes or time.monotonic() < self.due:
            return
        began = time.monotonic()
        seen, tensors = self.watch.pack()
        balance, told = self.balance.pack()
        parts = {
            "weights": self.network.snapshot(),
            "averaged": self.averaged.snapshot(),
            "optimizer": optimizer_tensors(self.optimizer),
            "watch": tensors,
            "balance": told,
        }
        flat = {f"{part}/{name}": v for part, group in parts.items() for name, v in group.items()}
        facts = {"epoch": epoch, "seconds": self.seconds, "watch": seen, "balance": balance}
        save_checkpoint(self.path, facts, flat)
        now = time.monotonic()
        self.due = now + (now - began) / WRITING_SHARE
