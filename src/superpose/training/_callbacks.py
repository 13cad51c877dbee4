"""What follows a training: progress, trackers, measurements; one form for all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._state import TrainState


class Callback:
    """Follow a training; a method that is not written anew does nothing.

    Example:
        >>> class Count(Callback):
        ...     steps = 0
        ...     def on_step(self, state):
        ...         self.steps += 1
    """

    def on_step(self, state: TrainState) -> None:
        """See a batch and its losses before the networks learn from it; nothing is changed."""

    def on_epoch(self, state: TrainState) -> None:
        """See what an epoch has brought, after the checkpoint is written."""


class EpochProgress(Callback):
    """Report the share of a training that is done after each epoch, as far as it can be known.

    Early stopping puts the end off with every gain. So each epoch takes its part of what is left if
    no target gains again: the share grows with every epoch and is 1 after the last.

    Args:
        report: Called with the share.
    """

    def __init__(self, report: Callable[[float], None]) -> None:
        self.report = report
        self.share = 0.0

    def on_epoch(self, state: TrainState) -> None:
        stopping = state.early_stopping
        last = min(state.spec.settings.epochs - 1, stopping.last_gain + stopping.patience)
        self.share += (1 - self.share) / (max(last - state.epoch, 0) + 1)
        self.report(self.share)
