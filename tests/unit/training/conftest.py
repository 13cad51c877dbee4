"""A network of a few hundred weights, targets of every kind, and folds over ninety rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch

from superpose.data import Codec, Fold
from superpose.models.network import build
from superpose.nn import Architecture
from superpose.training import Settings, TrainingSpec, TrainResult, train


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
def recipe(
    table: pa.Table,
    codec: Codec,
    small: Architecture,
    make_folds: Callable[..., list[Fold]],
) -> TrainingSpec:
    """All six targets, three folds, three epochs."""
    return TrainingSpec(
        codec,
        codec.inputs(table),
        codec.labels(table),
        make_folds(),
        small,
        Settings(epochs=3, batch_size=16),
        embedding=4,
    )


@pytest.fixture
def run(recipe: TrainingSpec) -> Callable[..., TrainResult]:
    """Train on a recipe with anything replaced: settings by name, or arguments of ``train``."""

    def run(targets: tuple[str, ...] = ("weight", "sick", "calls"), **changes: Any) -> TrainResult:
        settings = {
            name: changes.pop(name)
            for name in ("epochs", "patience", "accumulate", "learning_rate", "max_minutes", "clip")
            if name in changes
        }
        kinds = [recipe.codec.target_kinds[t] for t in targets]
        solo = changes.get("solo", False)
        sizes = [max(k.size for k in kinds)] if solo else [k.size for k in kinds]
        # The networks read measured values of all targets of the codec: here of those asked for.
        codec = replace(recipe.codec, target_kinds=dict(zip(targets, kinds, strict=True)))
        told = changes.get("given", False)
        given: dict[str, Any] = {
            "make": build(codec, sizes, recipe.architecture, recipe.embedding, told),
            "blocks": {n: torch.from_numpy(b) for n, b in recipe.blocks.items()},
            "kinds": kinds,
            "labels": [recipe.labels[t] for t in targets],
            "folds": recipe.folds,
            "settings": Settings(**{"epochs": 3, "batch_size": 16, **settings}),
            **changes,
        }
        return train(**given)

    return run


@pytest.fixture
def assert_same() -> Callable[[TrainResult, TrainResult], None]:
    """Two trainings left the same behind, bit for bit."""

    def check(one: TrainResult, other: TrainResult) -> None:
        assert (one.best, one.given_epoch) == (other.best, other.given_epoch)
        assert one.curves == other.curves
        for a, b in zip(one.held_out, other.held_out, strict=True):
            np.testing.assert_array_equal(a, b)
        assert one.snapshots.keys() == other.snapshots.keys()
        for epoch, state in one.snapshots.items():
            for name, weight in state.items():
                assert torch.equal(weight, other.snapshots[epoch][name]), (epoch, name)

    return check
