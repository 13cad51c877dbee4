"""A network of a few hundred weights, targets of every kind, and folds over ninety rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch

from superpose.config import TrainingConfig
from superpose.data import Codec, Fold
from superpose.models.network import build
from superpose.nn import Architecture, head_of
from superpose.training import (
    Callback,
    TrainingSpec,
    TrainResult,
    TrainState,
    fit,
    multi_task_jobs,
    single_task_jobs,
)


@pytest.fixture(scope="session")
def small() -> Architecture:
    """Small, and with dropout, so that randomness in training is exercised."""
    return Architecture(width=16, members=2, depth=1, state=6, rank=3, dropout=0.2)


@pytest.fixture
def make_folds() -> Callable[..., list[Fold]]:
    """Cut rows into k folds, once or again and again."""

    def make(rows: int = 90, k: int = 3, repeats: int = 1) -> list[Fold]:
        found = []
        for repeat in range(repeats):
            fold = np.random.default_rng(repeat).permutation(rows) % k
            found += [Fold(np.flatnonzero(fold != f), np.flatnonzero(fold == f)) for f in range(k)]
        return found

    return make


@pytest.fixture
def spec(
    table: pa.Table,
    codec: Codec,
    small: Architecture,
    make_folds: Callable[..., list[Fold]],
) -> TrainingSpec:
    """All six targets, three folds, three epochs."""
    return TrainingSpec(
        codec=codec,
        inputs=codec.inputs(table),
        labels=codec.labels(table),
        folds=make_folds(),
        architecture=small,
        settings=TrainingConfig(epochs=3, batch_size=16),
        embedding=4,
    )


@pytest.fixture
def run(spec: TrainingSpec) -> Callable[..., TrainResult]:
    """Train with anything replaced: settings by name, parts of the spec, or arguments of `fit`."""

    def run(
        targets: tuple[str, ...] = ("weight", "sick", "calls"),
        single_task: bool = False,
        checkpoint: Path | None = None,
        callbacks: Sequence[Callback] = (),
        **changes: Any,
    ) -> TrainResult:
        settings = {
            name: changes.pop(name)
            for name in ("epochs", "patience", "accumulate", "learning_rate", "max_minutes", "clip")
            if name in changes
        }
        kinds = [spec.codec.target_kinds[t] for t in targets]
        labels = changes.pop("labels", [spec.labels[t] for t in targets])
        own = replace(
            spec,
            # Networks read measured values of all targets of the codec: here of the requested ones.
            codec=replace(spec.codec, target_kinds=dict(zip(targets, kinds, strict=True))),
            labels=dict(zip(targets, labels, strict=True)),
            settings=TrainingConfig(**{"epochs": 3, "batch_size": 16, **settings}),
            **{"given": False, **changes},
        )
        sizes = [head_of(kind).n_outputs for kind in kinds]
        heads = {"any": max(sizes)} if single_task else dict(zip(targets, sizes, strict=True))
        make = build(
            own.codec,
            heads,
            own.architecture,
            embedding=own.embedding,
            given=own.reads_targets,
        )
        jobs = (
            single_task_jobs(kinds, labels, own.folds)
            if single_task
            else multi_task_jobs(len(kinds), own.folds)
        )
        return fit(own, jobs, make, checkpoint=checkpoint, callbacks=callbacks)

    return run


class Killed(Exception):
    """Stands for the end of the process."""


class KillAfter(Callback):
    """Ends a training after an epoch."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch

    def on_epoch(self, state: TrainState) -> None:
        if state.epoch == self.epoch:
            raise Killed


@pytest.fixture
def killed() -> Callable[[int], AbstractContextManager[list[Callback]]]:
    """Expect that a training with these callbacks is killed after an epoch."""

    @contextmanager
    def killed(epoch: int) -> Iterator[list[Callback]]:
        with pytest.raises(Killed):
            yield [KillAfter(epoch)]

    return killed


@pytest.fixture
def assert_same() -> Callable[[TrainResult, TrainResult], None]:
    """Two trainings left the same behind, bit for bit."""

    def check(one: TrainResult, other: TrainResult) -> None:
        assert (one.best, one.given_epoch) == (other.best, other.given_epoch)
        assert one.curves == other.curves
        for a, b in zip(one.oof_predictions, other.oof_predictions, strict=True):
            np.testing.assert_array_equal(a, b)
        assert one.snapshots.keys() == other.snapshots.keys()
        for epoch, state in one.snapshots.items():
            for name, weight in state.items():
                assert torch.equal(weight, other.snapshots[epoch][name]), (epoch, name)

    return check
