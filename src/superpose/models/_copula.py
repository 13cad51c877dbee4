"""The copula: what targets tell about each other beyond what the inputs tell about both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from superpose.distributions import condition_normal, shrunk_correlation
from superpose.kinds import TargetKind

COPULA = "copula"

Kinds = Mapping[str, TargetKind]
Told = Mapping[str, np.ndarray]


@dataclass
class Copula:
    """A Gaussian copula over the targets, on top of any prediction of each.

    Every measured value becomes a normal score: where it lies in its own predicted distribution.
    What is left of dependence between the scores, one correlation matrix, moves the predictions of
    the other targets. It answers every subset in closed form and has T (T - 1) / 2 numbers to
    learn, so it works where a table has a hundred rows.

    Args:
        correlation: Shrunk correlation (L, L) of the scores; a set of labels has one for each.
        factors: By how much each target's predicted scale has to be stretched.

    Source:
        Sklar 1959; Gaussian copula regression (Song 2000), with discrete margins read at the mean
        score of their interval and the correlation of Schaefer and Strimmer 2005.
    """

    correlation: np.ndarray
    factors: dict[str, float]

    @classmethod
    def fit(cls, kinds: Kinds, told: Told, labels: Told) -> Self:
        """Learn the dependence from rows whose predictions have not seen them.

        Args:
            kinds: The fitted targets.
            told: Canonical predictions (N, K) of each.
            labels: Encoded labels (N,) or (N, L) of each, NaN where missing.
        """
        factors = {t: kind.calibration(labels[t], told[t]) for t, kind in kinds.items()}
        copula = cls(np.eye(sum(kind.latent for kind in kinds.values())), factors)
        return cls(shrunk_correlation(copula._scores(kinds, told, labels)), factors)

    def _scores(self, kinds: Kinds, told: Told, labels: Told) -> np.ndarray:
        parts = [
            kind.scores(labels[t], kind.rescaled(told[t], self.factors[t]))
            for t, kind in kinds.items()
        ]
        return np.concatenate(parts, axis=1)

    def predict(self, kinds: Kinds, told: Told, labels: Told) -> dict[str, np.ndarray]:
        """Move the predictions of the targets that are not measured by those that are.

        Args:
            kinds: The fitted targets.
            told: Canonical predictions (N, K) with nothing given.
            labels: Encoded measured values, NaN where not given.
        """
        mean, sd = condition_normal(self.correlation, self._scores(kinds, told, labels))
        out, first = {}, 0
        for target, kind in kinds.items():
            own = slice(first, first + kind.latent)
            first += kind.latent
            out[target] = kind.given_scores(told[target], mean[:, own], sd[:, own])
        return out

    def state(self) -> dict[str, Any]:
        """Everything needed to rebuild it, JSON-able."""
        return {"correlation": self.correlation.tolist(), "factors": self.factors}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """Put back what ``state`` gave."""
        return cls(np.array(state["correlation"]), dict(state["factors"]))
