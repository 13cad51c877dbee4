"""Some rows as models read them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Self

import numpy as np
import pyarrow as pa

from superpose.data import Codec

from ._base import Model, Predictions


class Rows:
    """Some rows as models read them, and what models predict of them while nothing is observed.

    Each form of the inputs is encoded once, when a model first reads it; each model predicts once.

    Args:
        codec: Fitted codec.
        size: Number of rows N.
        inputs: Encodes the inputs of networks.
        matrix: Encodes the inputs of trees.
        models: The models that predict by name.
    """

    def __init__(
        self,
        codec: Codec,
        size: int,
        *,
        inputs: Callable[[], Mapping[str, np.ndarray]],
        matrix: Callable[[], np.ndarray],
        models: Sequence[Model] = (),
    ) -> None:
        self.codec = codec
        self.models = models
        self._size = size
        self._encode = inputs, matrix
        self._picked: tuple[Rows, np.ndarray] | None = None
        self._known: dict[tuple[str, str], np.ndarray] = {}

    @classmethod
    def of_table(cls, codec: Codec, table: pa.Table, models: Sequence[Model] = ()) -> Self:
        """Rows of a table, encoded when they are read."""
        return cls(
            codec,
            table.num_rows,
            inputs=lambda: codec.inputs(table),
            matrix=lambda: codec.features(table).matrix,
            models=models,
        )

    @classmethod
    def of_arrays(
        cls,
        codec: Codec,
        inputs: Mapping[str, np.ndarray],
        matrix: np.ndarray | None = None,
        *,
        models: Sequence[Model] = (),
    ) -> Self:
        """Rows that are encoded already, (N, ...) each; without a matrix for networks only."""

        def read_matrix() -> np.ndarray:
            if matrix is None:
                raise ValueError("these rows were not encoded for trees")
            return matrix

        size = len(next(iter(inputs.values())))
        return cls(codec, size, inputs=lambda: inputs, matrix=read_matrix, models=models)

    def __len__(self) -> int:
        return self._size

    @cached_property
    def inputs(self) -> Mapping[str, np.ndarray]:
        """Inputs of networks, (N, ...) each."""
        return self._encode[0]()

    @cached_property
    def matrix(self) -> np.ndarray:
        """Inputs of trees, (N, F)."""
        return self._encode[1]()

    def take(self, index: np.ndarray) -> Rows:
        """Pick rows, as often as they are named; what models predict is picked with them."""
        picked = Rows(
            self.codec,
            len(index),
            inputs=lambda: {name: block[index] for name, block in self.inputs.items()},
            matrix=lambda: self.matrix[index],
            models=self.models,
        )
        picked._picked = self, index
        return picked

    def predict(self, names: Mapping[str, Iterable[str]]) -> dict[str, Predictions]:
        """What models predict while nothing is observed.

        Args:
            names: For each target the names of models.

        Returns:
            For each target and model the canonical prediction (N, K).
        """
        wanted = {target: list(own) for target, own in names.items()}
        for model in self.models:
            targets = [t for t in model.targets if model.name in wanted.get(t, ())]
            self._ask(model, [t for t in targets if (t, model.name) not in self._known])
        return {t: {n: self._known[t, n] for n in own} for t, own in wanted.items()}

    def _ask(self, model: Model, targets: Collection[str]) -> None:
        if not targets:
            return
        if self._picked is None:
            preds = model.predict(self, targets=targets)
        else:
            whole, index = self._picked
            preds = {
                t: by[model.name][index]
                for t, by in whole.predict({t: [model.name] for t in targets}).items()
            }
        for target in targets:
            self._known[target, model.name] = preds[target]
