"""Given: what answers once some targets are measured, chosen and tested as everything that ships.

Three levels of knowledge have a mixture each: nothing is given, some other targets are, all are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from superpose.kinds import TargetKind

from ._copula import COPULA, Copula
from ._mixture import Weights, mix
from ._names import JOINT
from ._revealed import Revealed
from ._trees import FittedTrees

NONE, HALF, ALL = "none", "half", "all"
LEVELS = (NONE, HALF, ALL)

Arrays = dict[str, np.ndarray]


@dataclass
class Rows:
    """Some rows as the models read them, with what they are told while nothing is given.

    Args:
        blocks: Inputs of the network.
        matrix: Inputs of the trees.
        told: For each target and model its canonical prediction with nothing given.
        shipped: For each target what ships with nothing given.
    """

    blocks: Arrays
    matrix: np.ndarray
    told: dict[str, Arrays]
    shipped: Arrays

    def __len__(self) -> int:
        return len(self.matrix)

    def take(self, rows: np.ndarray) -> Rows:
        """Pick rows, as often as they are named."""
        return Rows(
            {name: block[rows] for name, block in self.blocks.items()},
            self.matrix[rows],
            {t: {m: z[rows] for m, z in by.items()} for t, by in self.told.items()},
            {t: z[rows] for t, z in self.shipped.items()},
        )


Network = Callable[[Arrays, Mapping[str, np.ndarray]], Arrays]


@dataclass
class Given:
    """The models that are told measured targets, and how they are mixed.

    Args:
        weights: For each level the mixture of each target; at "none" it is what ships.
        copula: What the targets tell about each other beyond the inputs.
        base: The single-task mixture of each target that the copula stands on; targets with many
            places have no part in it.
        trees: Trees that are told other targets, by target and name.
        factors: For each level by how much a number's predicted scale has to be stretched.
        spread: For each level and number the half-width of its interval, in predicted scales.
    """

    weights: dict[str, dict[str, Weights]]
    copula: Copula | None = None
    base: dict[str, Weights] = field(default_factory=dict)
    trees: dict[str, dict[str, FittedTrees]] = field(default_factory=dict)
    factors: dict[str, dict[str, float]] = field(default_factory=dict)
    spread: dict[str, dict[str, float]] = field(default_factory=dict)

    def models(self, target: str) -> set[str]:
        """Names of all models that a mixture of a target uses, or the copula if one uses that."""
        used = {m for by in self.weights.values() for m, w in by[target].items() if w > 0}
        return used | set(self.base.get(target, {}))

    def levels(
        self, kinds: Mapping[str, TargetKind], labels: Mapping[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        """Tell for each target and row how much of the others is given: 0 none, 1 some, 2 all."""
        known = np.stack([kind.known(labels[t]) for t, kind in kinds.items()], axis=1)
        found = {}
        for place, target in enumerate(kinds):
            others = np.delete(known, place, axis=1)
            found[target] = np.where(others.all(1), 2, np.where(others.any(1), 1, 0))
        return found

    def predict(
        self,
        kinds: Mapping[str, TargetKind],
        network: Network,
        rows: Rows,
        labels: Mapping[str, np.ndarray],
        only: list[str] | None = None,
        level: str | None = None,
    ) -> Arrays:
        """Predict targets of rows for which others are measured.

        Args:
            kinds: The fitted targets.
            network: Predicts all targets from inputs and measured values.
            rows: The rows.
            labels: Encoded measured values of all targets, NaN where not given.
            only: Targets to predict (default all). Where a target's own value is given, what is
                predicted for it means nothing: the value itself is the answer.
            level: Use the mixture of this level for every row (default: what each row calls for).

        Shape:
            labels (N,) or (N, L) -> for each target (N, K).
        """
        found = self.levels(kinds, labels)
        wanted = list(kinds) if only is None else only
        used = {
            t: (set(self.weights[level][t]) if level else self._called_for(t, found[t]))
            for t in wanted
        }
        told: dict[str, Arrays] = {t: dict(rows.told[t]) for t in wanted}
        if any(JOINT in names for names in used.values()):
            for t, z in network(rows.blocks, labels).items():
                if t in told:
                    told[t][JOINT] = z
        if self.copula and any(COPULA in names for names in used.values()):
            joined = {t: kind for t, kind in kinds.items() if t in self.base}
            base = {t: mix(rows.told[t], self.base[t]) for t in joined}
            for t, z in self.copula.predict(joined, base, labels).items():
                if t in told:
                    told[t][COPULA] = z
        revealed = Revealed.of(kinds, labels)
        out = {}
        for t in wanted:
            for name in used[t] & self.trees.get(t, {}).keys():
                matrix = revealed.beside(rows.matrix, list(kinds).index(t))
                told[t][name] = self.trees[t][name].predict(matrix)
            if level:
                out[t] = mix(told[t], self.weights[level][t])
                continue
            z = rows.shipped[t].copy()
            for number, name in enumerate(LEVELS):
                here = found[t] == number
                if number and here.any():
                    weights = self.weights[name][t]
                    z[here] = mix({m: told[t][m][here] for m in weights}, weights)
            out[t] = z
        return out

    def _called_for(self, target: str, levels: np.ndarray) -> set[str]:
        names: set[str] = set()
        for number, name in enumerate(LEVELS):
            if number and (levels == number).any():
                names |= set(self.weights[name][target])
        return names

    def pruned(self) -> Given:
        """Drop every model that no mixture uses."""
        used = {t: self.models(t) for t in self.weights[ALL]}
        joined = any(COPULA in names for names in used.values())
        return Given(
            self.weights,
            self.copula if joined else None,
            self.base if joined else {},
            {t: {n: m for n, m in by.items() if n in used[t]} for t, by in self.trees.items()},
            self.factors,
            self.spread,
        )

    def state(self) -> dict[str, Any]:
        """Facts that JSON can hold; the trees are written by whoever writes all models."""
        return {
            "weights": self.weights,
            "copula": self.copula.state() if self.copula else None,
            "base": self.base,
            "factors": self.factors,
            "spread": self.spread,
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """Put back what ``state`` gave."""
        copula = Copula.from_state(state["copula"]) if state["copula"] else None
        return cls(state["weights"], copula, state["base"], {}, state["factors"], state["spread"])
