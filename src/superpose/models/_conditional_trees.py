"""Boosted trees of one target that read measured values of the others beside the inputs."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ._base import Predictions
from ._observed import Observed
from ._rows import Rows
from ._trees import TreesModel


@dataclass(eq=False)
class ConditionalTreesModel(TreesModel):
    """Trees of one target that are given the others: any of them, or all."""

    family: ClassVar[str] = "conditional_trees"
    reads_observed = True
    needs_observed = True

    def predict(
        self,
        rows: Rows,
        observed: Observed | None = None,
        *,
        targets: Collection[str] | None = None,
    ) -> Predictions:
        """Predict the target from the inputs and what is measured of others; see ``Model``."""
        if observed is None:
            kinds = rows.codec.target_kinds
            nothing = {t: kind.unlabelled(len(rows)) for t, kind in kinds.items()}
            observed = Observed(kinds, nothing)
        return {self.target: self.predict_beside(rows, observed)}

    def predict_beside(
        self, rows: Rows, observed: Observed, *, shown: np.ndarray | None = None
    ) -> np.ndarray:
        """Predict the target (N, K) while only the targets ``shown`` (N, T) may be read."""
        return self.predict_matrix(observed.beside(rows.matrix, self.target, shown=shown))
