"""What boosted trees read of measured targets: some of the others, or all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from superpose.kinds import TargetKind
from superpose.training import reveal_columns

SOME, EVERY = "trees given", "trees all"


@dataclass(frozen=True)
class Revealed:
    """Measured values of all targets as trees read them: (N, R), NaN where hidden."""

    values: np.ndarray
    owners: np.ndarray

    @classmethod
    def of(cls, kinds: Mapping[str, TargetKind], labels: Mapping[str, np.ndarray]) -> Revealed:
        """Lay the measured values side by side."""
        return cls(*reveal_columns(list(kinds.values()), [labels[t] for t in kinds]))

    def beside(self, matrix: np.ndarray, place: int, shown: np.ndarray | None = None) -> np.ndarray:
        """Put the other targets' values beside the inputs of the trees of one target.

        Args:
            matrix: Inputs as trees read them, (N, F).
            place: The place of the target, whose own columns are left out.
            shown: Which targets (N, T) are told; all if None.
        """
        others = self.owners != place
        values = self.values[:, others]
        if shown is not None:
            values = np.where(shown[:, self.owners[others]], values, np.nan)
        return np.concatenate([matrix, values.astype(np.float32)], axis=1)
