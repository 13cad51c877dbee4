"""A tracker follows the multi-task net's losses, through accelerate."""

from __future__ import annotations

from pathlib import Path

import pytest

from superpose import MissingExtraError, Superpose
from superpose.data import load_bundled

TARGETS = [
    {"name": "disease", "kind": "binary"},
    {"name": "severity", "kind": "ordinal", "levels": [0, 1, 2, 3, 4]},
]


def model(tracker: str) -> Superpose:
    return Superpose(
        TARGETS,
        references="none",
        proof={"folds": 2},
        model={"width": 16, "members": 1},
        training={"epochs": 3, "tracker": tracker},
    )


def test_tensorboard_gets_a_curve_for_each_target(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    table = load_bundled("heart").slice(0, 300)
    model("tensorboard").fit(table, out=tmp_path / "run")
    events = next((tmp_path / "run" / "tracking").rglob("events.*"))
    accumulator = EventAccumulator(str(events))
    accumulator.Reload()
    for target in ("disease", "severity"):
        assert len(accumulator.Scalars(f"validation/{target}")) == 3


def test_a_tracker_that_is_not_installed_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingExtraError, match=r"superpose\[trackers\]"):
        model("wandb").fit(load_bundled("heart").slice(0, 300), out=tmp_path / "run")
