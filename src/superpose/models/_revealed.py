"""Measured values of targets, side by side, as networks and trees read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from superpose.kinds import TargetKind


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


def reveal_columns(
    kinds: Sequence[TargetKind], labels: Sequence[np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Lay the measured values of all targets side by side.

    Shape:
        labels (N,) or (N, L) each -> values (N, R), NaN where missing, and the place (R,) of the
        target that each column belongs to.
    """
    parts = [kind.reveal(y) for kind, y in zip(kinds, labels, strict=True)]
    owners = np.repeat(np.arange(len(parts)), [part.shape[1] for part in parts])
    return np.concatenate(parts, axis=1), owners
