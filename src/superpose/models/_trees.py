"""The boosted trees of one target, of all folds, as they answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from superpose.trees import TreeModel


@dataclass
class FittedTrees:
    """The tree models of all folds for one target.

    Args:
        models: One for each fold.
        held_out: Predictions (N, K) for rows a model has not seen, NaN elsewhere; not in a bundle.
        seconds: Training time.
        whole: With several folds, a model of the rows of all folds.
    """

    models: list[TreeModel]
    held_out: np.ndarray
    seconds: float = 0.0
    whole: TreeModel | None = None

    def predict(self, features: np.ndarray) -> np.ndarray:
        """Average canonical predictions, (N, F) -> (N, K); the folds weigh as much as the whole."""
        told = np.mean([m.predict(features) for m in self.models], axis=0)
        return told if self.whole is None else (told + self.whole.predict(features)) / 2

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Split into JSON facts and arrays."""
        facts: list[dict[str, Any]] = []
        arrays: dict[str, np.ndarray] = {}
        every = [*self.models, self.whole] if self.whole else self.models
        for i, model in enumerate(every):
            own, parts = model.state()
            facts.append(own)
            arrays |= {f"{i}/{name}": part for name, part in parts.items()}
        return {"models": facts, "whole": bool(self.whole), "seconds": self.seconds}, arrays

    @classmethod
    def from_state(cls, facts: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Self:
        """Put back what ``state`` split."""
        models = []
        for i, own in enumerate(facts["models"]):
            parts = {
                k.split("/", 1)[1]: v for k, v in arrays.items() if k.split("/", 1)[0] == str(i)
            }
            models.append(TreeModel.from_state(own, parts))
        whole = models.pop() if facts["whole"] else None
        return cls(models, np.zeros((0, 0)), facts["seconds"], whole)
