"""Measured values of targets, side by side, as networks and trees read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np

from superpose.kinds import TargetKind


class Observed:
    """What is measured of all targets, for some rows.

    Args:
        kinds: The fitted targets.
        labels: Encoded labels (N,) or (N, L) of each, NaN where nothing was measured.

    Example:
        >>> from superpose.kinds import TARGET_KINDS
        >>> import pyarrow as pa
        >>> values = pa.chunked_array([[1.0, 2.0, 3.0]])
        >>> kinds = {name: TARGET_KINDS["number"].fit(name, values) for name in "ab"}
        >>> observed = Observed(kinds, {"a": np.array([np.nan, 0.5]), "b": np.array([0.1, np.nan])})
        >>> {target: level.tolist() for target, level in observed.levels().items()}
        {'a': [2, 0], 'b': [0, 2]}
    """

    def __init__(self, kinds: Mapping[str, TargetKind], labels: Mapping[str, np.ndarray]) -> None:
        self.kinds = kinds
        self.labels = labels

    @cached_property
    def columns(self) -> tuple[np.ndarray, np.ndarray]:
        """Values (N, R), NaN where not measured, and the index (R,) of each column's target."""
        return observed_columns(list(self.kinds.values()), [self.labels[t] for t in self.kinds])

    def beside(
        self, matrix: np.ndarray, target: str, *, shown: np.ndarray | None = None
    ) -> np.ndarray:
        """Put the other targets' values beside the inputs of the trees of one target.

        Args:
            matrix: Inputs as trees read them, (N, F).
            target: The target whose own columns are left out.
            shown: Which targets (N, T) may be read; all if None.
        """
        values, owners = self.columns
        others = owners != list(self.kinds).index(target)
        values = values[:, others]
        if shown is not None:
            values = np.where(shown[:, owners[others]], values, np.nan)
        return np.concatenate([matrix, values.astype(np.float32)], axis=1)

    def levels(self) -> dict[str, np.ndarray]:
        """Count for each target and row how much of the others is known: 0 none, 1 some, 2 all."""
        known = np.stack(
            [kind.distribution.known(self.labels[t]) for t, kind in self.kinds.items()], axis=1
        )
        levels = {}
        for index, target in enumerate(self.kinds):
            others = np.delete(known, index, axis=1)
            levels[target] = np.where(others.all(1), 2, np.where(others.any(1), 1, 0))
        return levels


def observed_columns(
    kinds: Sequence[TargetKind], labels: Sequence[np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Lay the measured values of all targets side by side.

    Shape:
        labels (N,) or (N, L) each -> values (N, R), NaN where missing, and the index (R,) of the
        target that each column belongs to.
    """
    parts = [kind.observed.encode(y) for kind, y in zip(kinds, labels, strict=True)]
    owners = np.repeat(np.arange(len(parts)), [part.shape[1] for part in parts])
    return np.concatenate(parts, axis=1), owners
