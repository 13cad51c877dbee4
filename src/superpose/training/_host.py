"""Where and in which precision a network is trained, and trackers: all by accelerate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from superpose.config import TrainingConfig
from superpose.errors import ConfigError, MissingExtraError

from ._callbacks import Callback

if TYPE_CHECKING:
    from accelerate import Accelerator

    from ._state import TrainState


def host_for(settings: TrainingConfig, folder: Path | None = None) -> Accelerator:
    """Return accelerate's handle on the device, the precision and the tracker.

    Args:
        settings: Their ``device``, ``precision`` and ``tracker`` are read.
        folder: Where a tracker that writes files puts them.

    Raises:
        ConfigError: A device that is not there.
        MissingExtraError: A tracker that is not installed.
    """
    from accelerate import Accelerator
    from accelerate.state import AcceleratorState

    require_host(settings)
    cpu = settings.device == "cpu" or not torch.cuda.is_available()
    wants = settings.precision == "bf16" or (
        settings.precision == "auto" and not cpu and torch.cuda.is_bf16_supported()
    )
    # Accelerate keeps one state for the process; another run may want another precision.
    AcceleratorState._reset_state(reset_partial_state=True)
    return Accelerator(
        cpu=cpu,
        mixed_precision="bf16" if wants else "no",
        log_with=None if settings.tracker == "none" else settings.tracker,
        project_dir=str(folder or "runs/logs"),
    )


def require_host(settings: TrainingConfig) -> None:
    """Make sure that this machine has the device and the tracker.

    Raises:
        ConfigError: A device that is not there.
        MissingExtraError: A tracker that is not installed.
    """
    from accelerate.tracking import get_available_trackers

    if settings.device == "cuda" and not torch.cuda.is_available():
        raise ConfigError(
            "training.device: 'cuda' given; this machine has no GPU that torch can use; "
            "write auto or cpu"
        )
    names = [str(getattr(t, "value", t)) for t in get_available_trackers()]
    if settings.tracker not in ("none", *names):
        raise MissingExtraError(
            settings.tracker, "trackers", f"training.tracker: {settings.tracker}"
        )


class Tracker(Callback):
    """Send the losses of every epoch to a tracker.

    Args:
        settings: Their ``tracker`` is used.
        folder: Where a tracker that writes files puts them.
        facts: What to note about the run.
    """

    def __init__(
        self, settings: TrainingConfig, folder: Path | None, facts: dict[str, Any]
    ) -> None:
        self.host = host_for(settings, folder)
        self.host.init_trackers("superpose", config=facts)

    def on_epoch(self, state: TrainState) -> None:
        losses = {}
        for target, curve in zip(state.spec.targets, state.early_stopping.curves, strict=True):
            for part in ("train", "validation"):
                losses[f"{part}/{target}"] = curve[part][-1]
        self.host.log(losses, step=state.epoch)

    def end(self) -> None:
        """Tell the tracker that the run is over."""
        self.host.end_training()
