"""The boosted trees of one target, of all folds, as one model."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from superpose.stored import restored
from superpose.trees import TreeModel

from ._base import Arrays, Facts, Model, Predictions
from ._observed import Observed
from ._rows import Rows


class TreesFacts(BaseModel):
    """What stands beside the arrays of trees."""

    model_config = ConfigDict(extra="forbid")

    name: str
    targets: list[str] = Field(min_length=1, max_length=1)
    models: list[dict[str, Any]] = Field(min_length=1)
    whole: bool
    seconds: float


@dataclass(eq=False)
class TreesModel(Model):
    """The tree models of all folds for one target.

    Args:
        name: The engine that fitted them.
        targets: The target, alone in a list.
        folds: A tree model for each fold.
        whole: With several folds, a model of the rows of all folds.
        seconds: Training time.
    """

    family: ClassVar[str] = "trees"

    name: str
    targets: list[str]
    folds: list[TreeModel]
    whole: TreeModel | None = None
    seconds: float = 0.0

    @property
    def target(self) -> str:
        """The only target."""
        return self.targets[0]

    def predict(
        self,
        rows: Rows,
        observed: Observed | None = None,
        *,
        targets: Collection[str] | None = None,
    ) -> Predictions:
        """Predict the target, from the inputs alone; see ``Model``."""
        return {self.target: self.predict_matrix(rows.matrix)}

    def predict_matrix(self, matrix: np.ndarray) -> np.ndarray:
        """Average canonical predictions, (N, F) -> (N, K); the folds weigh as much as the whole."""
        pred = np.mean([fold.predict(matrix) for fold in self.folds], axis=0)
        return pred if self.whole is None else (pred + self.whole.predict(matrix)) / 2

    def to_state(self) -> tuple[Facts, Arrays]:
        """Split into JSON facts and arrays."""
        models: list[Facts] = []
        arrays: Arrays = {}
        every = [*self.folds, self.whole] if self.whole else self.folds
        for number, model in enumerate(every):
            own, parts = model.state()
            models.append(own)
            arrays |= {f"{number}/{name}": part for name, part in parts.items()}
        facts = {
            "name": self.name,
            "targets": self.targets,
            "models": models,
            "whole": bool(self.whole),
            "seconds": self.seconds,
        }
        return facts, arrays

    @classmethod
    def from_state(cls, facts: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Self:
        """Put back what ``to_state`` split."""
        stored = restored(TreesFacts, facts, "trees")
        models = []
        for number, own in enumerate(stored.models):
            first = f"{number}/"
            parts = {k.removeprefix(first): v for k, v in arrays.items() if k.startswith(first)}
            models.append(TreeModel.from_state(own, parts))
        whole = models.pop() if stored.whole else None
        return cls(stored.name, stored.targets, models, whole, stored.seconds)
