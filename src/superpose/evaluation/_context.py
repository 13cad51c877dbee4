"""What every stage of a run reads: the table, what is kept on the way, and progress."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from superpose.models import Fitted, Predictions
from superpose.prepare import Prepared
from superpose.training import EpochProgress, TrainingSpec

from ._spec import spec_of
from ._stages import Stages

Progress = Callable[[str, float], None]


def quiet(stage: str, share: float) -> None:
    """Report no progress."""


@dataclass(frozen=True)
class Context:
    """What every stage of a run reads.

    Args:
        prepared: The table, and how it is divided.
        stages: Keeps what is fitted.
        progress: Called with a stage's name and the share of it that is done.
    """

    prepared: Prepared
    stages: Stages
    progress: Progress = quiet

    @cached_property
    def spec(self) -> TrainingSpec:
        """What all networks of the run have in common."""
        return spec_of(self.prepared)

    def epochs(self, stage: str, *, done: float = 0.0, share: float = 1.0) -> EpochProgress:
        """Turn epochs into progress; early stopping may end a stage at any time."""
        return EpochProgress(lambda passed: self.progress(stage, done + share * passed))

    def oof_predictions(self, fitted: Fitted[Any]) -> Predictions:
        """What a model predicts for the rows of the proof, which it has not seen; NaN elsewhere."""
        if self.prepared.plan.cross_fitted:
            return fitted.oof_predictions
        proof_rows = self.prepared.plan.proof_rows
        pred = fitted.model.predict(self.prepared.rows.take(proof_rows))
        return {t: self.scatter_rows(z) for t, z in pred.items()}

    def scatter_rows(self, pred: np.ndarray) -> np.ndarray:
        """Put predictions of the rows of the proof into an array of all rows, NaN elsewhere."""
        plan = self.prepared.plan
        return scatter_rows(pred, plan.proof_rows, len(plan.selection_half))


def scatter_rows(pred: np.ndarray, rows: np.ndarray, n: int) -> np.ndarray:
    """Put predictions of some rows into an array of all rows, NaN elsewhere."""
    out = np.full((n, pred.shape[1]), np.nan, pred.dtype)
    out[rows] = pred
    return out
