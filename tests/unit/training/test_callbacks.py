"""What follows a training: progress that grows with every epoch and ends at one."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np

from superpose.training import Callback, EarlyStopping, EpochProgress


def test_each_epoch_moves_the_share_and_the_last_one_ends_it(spec):
    stopping = EarlyStopping([], [], [], patience=5)
    settings = spec.settings.model_copy(update={"epochs": 40})
    state = SimpleNamespace(early_stopping=stopping, spec=replace(spec, settings=settings), epoch=0)
    shares = []
    progress = EpochProgress(shares.append)
    for epoch in range(12):
        state.epoch = epoch
        stopping.last_gain = min(epoch, 6)
        progress.on_epoch(state)
    assert shares[0] > 0.1
    assert all(np.diff(shares) > 0)
    assert shares[-1] == 1.0


class Seen(Callback):
    """Notes what it is shown."""

    def __init__(self):
        self.steps, self.epochs = [], []

    def on_step(self, state):
        self.steps.append((state.epoch, state.step))
        assert state.losses.requires_grad

    def on_epoch(self, state):
        self.epochs.append((state.epoch, state.checkpoint.is_file()))


def test_callbacks_see_every_step_before_it_is_taken_and_every_epoch_when_it_is_kept(run, tmp_path):
    seen = Seen()
    run(epochs=2, callbacks=[seen], checkpoint=tmp_path / "x.checkpoint")
    assert seen.steps == [(epoch, step) for epoch in range(2) for step in range(1, 17)]
    assert seen.epochs == [(0, True), (1, True)]
