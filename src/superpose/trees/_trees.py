"""One target's boosted trees, in the target's canonical prediction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Self

import numpy as np

from superpose.errors import BundleError
from superpose.stored import require_finite

from ._boosters import Baseline, Booster, CatBoost, LightGBM
from ._forest import damaged
from ._hazards import lived_through, with_interval
from ._hist import CoarseHist, Hist
from ._tree_rows import finite

TreeTask = Literal["regression", "poisson", "classification", "multilabel", "hazards", "steps"]

BOOSTERS: dict[str, type[Booster]] = {
    b.engine: b for b in (Baseline, Hist, CoarseHist, CatBoost, LightGBM)
}


@dataclass(frozen=True)
class TreeModel:
    """One target's boosted trees, in the target's canonical prediction.

    Args:
        engine: what fitted it.
        tree_task: the loss.
        n_classes: classes, labels or intervals; 0 for numbers and counts.
        parts: one booster, or one per label for multilabel targets and one per step ahead.
        present: (classes seen in training,) class of each output column.
        rare: probability given to each class that training never showed.
        scale: root mean squared error, in the units of y; numbers only.
        scales: that of each step ahead.
    """

    engine: str
    tree_task: TreeTask
    n_classes: int
    parts: list[Booster]
    present: list[int]
    rare: float
    scale: float
    scales: list[float] = field(default_factory=list)

    @property
    def rounds(self) -> int:
        """Boosting iterations kept; the mean over parts where there are several."""
        return round(float(np.mean([part.rounds for part in self.parts])))

    def cut(self, rounds: int) -> Self:
        """The same model after its first so many rounds, where it has more."""
        return replace(self, parts=[part.cut(max(1, rounds)) for part in self.parts])

    def with_errors_of(self, others: Sequence[Self]) -> Self:
        """The same model with the mean errors of others, as its own are of rows it has learned."""
        scales = np.mean([m.scales for m in others], axis=0).tolist()
        return replace(self, scale=float(np.mean([m.scale for m in others])), scales=scales)

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Canonical predictions.

        Args:
            X: (N, F) features as at fitting, NaN for missing.

        Shape:
            (N, F) -> number (N, 2) mean and scale, count (N, 1) rate, classes (N, n_classes)
            probabilities that sum to 1, multilabel (N, n_classes) marginals, hazards (N, n_classes
            + 1) the probability of each interval and of living beyond the last, steps (N, 2 H) the
            mean of each and then the scale of each.
        """
        X = finite(X)
        if self.tree_task == "hazards":
            predict_classes = replace(self, tree_task="classification", n_classes=2).predict
            hazard = [predict_classes(with_interval(X, k))[:, 1] for k in range(self.n_classes)]
            return lived_through(np.stack(hazard, axis=1))
        if self.tree_task == "multilabel":
            return np.stack([part.predict(X)[:, -1] for part in self.parts], axis=1)
        if self.tree_task == "steps":
            means = np.stack([part.predict(X)[:, 0] for part in self.parts], axis=1)
            return np.concatenate([means, np.tile(self.scales, (len(X), 1))], axis=1)
        pred = self.parts[0].predict(X)
        if self.tree_task == "regression":
            return np.column_stack([pred, np.full(len(X), self.scale)])
        if self.tree_task == "poisson":
            return pred
        absent = self.n_classes - len(self.present)
        out = np.full((len(X), self.n_classes), self.rare)
        out[:, self.present] = pred * (1 - self.rare * absent)
        return out

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """JSON-able settings and named arrays; nothing is pickled."""
        parts: list[dict[str, Any]] = []
        arrays: dict[str, np.ndarray] = {}
        for i, part in enumerate(self.parts):
            settings, own = part.state()
            parts.append({"engine": part.engine, **settings})
            arrays |= {f"{i}.{name}": array for name, array in own.items()}
        state = {
            "engine": self.engine,
            "tree_task": self.tree_task,
            "n_classes": self.n_classes,
            "parts": parts,
            "present": self.present,
            "rare": self.rare,
            "scale": self.scale,
            "scales": self.scales,
        }
        return state, arrays

    @classmethod
    def from_state(cls, state: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Self:
        """The inverse of `state`.

        Raises:
            BundleError: an engine is unknown, or the arrays are not what was saved.
        """
        parts: list[Booster] = []
        try:
            for i, part in enumerate(state["parts"]):
                own = {
                    name.removeprefix(f"{i}."): array
                    for name, array in arrays.items()
                    if name.startswith(f"{i}.")
                }
                parts.append(BOOSTERS[part["engine"]].from_state(part, own))
            require_finite(state, "trees")
            return cls(
                engine=str(state["engine"]),
                tree_task=state["tree_task"],
                n_classes=int(state["n_classes"]),
                parts=parts,
                present=[int(c) for c in state["present"]],
                rare=float(state["rare"]),
                scale=float(state["scale"]),
                scales=[float(s) for s in state.get("scales", [])],
            )
        except (KeyError, TypeError, ValueError) as error:
            raise BundleError(damaged(f"{error!r} while reading")) from error
