"""What a training is of: the data, its folds, the networks' sizes and the settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from superpose.config import BalanceConfig, TrainingConfig
from superpose.data import Codec, Fold
from superpose.kinds import TargetKind
from superpose.nn import Architecture


@dataclass(frozen=True, kw_only=True)
class TrainingSpec:
    """What all networks of a run have in common.

    Args:
        codec: Fitted codec.
        inputs: Encoded inputs of all N rows.
        labels: Encoded labels by target: those that are learned.
        folds: Training and validation rows of each network.
        halves: With one fold only, the half of its validation rows that a row belongs to (N,), 0 or
            1: each is evaluated at the epoch that the other half chooses.
        architecture: Sizes of the network.
        settings: How to train.
        balance: How targets are weighed against each other.
        embedding: Widest token of a column.
        seed: Seed of initial weights, order and dropout; same seed, same CPU: same numbers.
        weights: Weight of each target in the multi-task loss (default 1 each).
        given: Whether the multi-task network learns to use targets that are measured.
        groups: Targets that share the multi-task network, if not all do.
        dataset_ids: For each row the number of its data set, if there are several.
    """

    codec: Codec
    inputs: Mapping[str, np.ndarray]
    labels: Mapping[str, np.ndarray]
    folds: Sequence[Fold]
    architecture: Architecture
    settings: TrainingConfig
    balance: BalanceConfig = field(default_factory=BalanceConfig)
    embedding: int = 16
    seed: int = 0
    weights: Mapping[str, float] = field(default_factory=dict)
    given: bool = True
    groups: Sequence[Sequence[str]] = ()
    dataset_ids: np.ndarray | None = None
    halves: np.ndarray | None = None

    @property
    def targets(self) -> list[str]:
        """Names of the targets, in the order of the networks' heads."""
        return list(self.labels)

    @property
    def kinds(self) -> list[TargetKind]:
        """The fitted targets, in that order."""
        return [self.codec.target_kinds[target] for target in self.labels]

    @property
    def train_rows(self) -> np.ndarray:
        """The rows that some network learns from, in order."""
        return np.unique(np.concatenate([fold.train for fold in self.folds]))

    @property
    def parts(self) -> list[np.ndarray]:
        """The rows that are evaluated at one epoch: of each fold, or of each half."""
        return self.by_part([fold.validation for fold in self.folds])

    def by_part(self, values: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Divide what there is of each fold's validation rows (n, ...) into ``parts``."""
        if self.halves is None:
            return list(values)
        half = self.halves[self.folds[0].validation]
        return [values[0][half == side] for side in (0, 1)]

    @property
    def reads_targets(self) -> bool:
        """Whether networks read measured targets; one alone has no other to learn from."""
        return self.given and len(self.labels) > 1
