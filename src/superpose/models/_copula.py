"""The copula: what targets tell about each other beyond what the inputs tell about both."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from superpose.distributions import condition_normal, latent_of, shrunk_correlation
from superpose.kinds import TargetKind
from superpose.stored import damaged, restored

from ._base import Arrays, Facts, Model, Predictions
from ._mixture import Weights, mix
from ._names import COPULA
from ._observed import Observed
from ._rows import Rows

Kinds = Mapping[str, TargetKind]
ByTarget = Mapping[str, np.ndarray]


@dataclass
class Copula:
    """A Gaussian copula over the targets, on top of any prediction of each.

    Every measured value becomes a normal score: where it lies in its own predicted distribution.
    What is left of dependence between the scores, one correlation matrix, moves the predictions of
    the other targets. It conditions on every subset in closed form and has T (T - 1) / 2 numbers to
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
    def fit(cls, kinds: Kinds, pred: ByTarget, labels: ByTarget) -> Self:
        """Learn the dependence from rows whose predictions have not seen them.

        Args:
            kinds: The fitted targets.
            pred: Canonical predictions (N, K) of each.
            labels: Encoded labels (N,) or (N, L) of each, NaN where missing.
        """
        families = {t: kind.distribution for t, kind in kinds.items()}
        factors = {t: own.scale_factor(labels[t], pred[t]) for t, own in families.items()}
        n_latent = sum(latent_of(own).n_latent for own in families.values())
        copula = cls(np.eye(n_latent), factors)
        return cls(shrunk_correlation(copula._scores(kinds, pred, labels)), factors)

    def _scores(self, kinds: Kinds, pred: ByTarget, labels: ByTarget) -> np.ndarray:
        parts = []
        for t, kind in kinds.items():
            calibrated = kind.distribution.rescaled(pred[t], self.factors[t])
            parts.append(latent_of(kind.distribution).to_normal(labels[t], calibrated))
        return np.concatenate(parts, axis=1)

    def predict(self, kinds: Kinds, pred: ByTarget, labels: ByTarget) -> Predictions:
        """Move the predictions of the targets that are not measured by those that are.

        Args:
            kinds: The fitted targets.
            pred: Canonical predictions (N, K) with nothing given.
            labels: Encoded measured values, NaN where not given.
        """
        mean, sd = condition_normal(self.correlation, self._scores(kinds, pred, labels))
        out = {}
        first = 0
        for target, kind in kinds.items():
            latent = latent_of(kind.distribution)
            own = slice(first, first + latent.n_latent)
            first += latent.n_latent
            out[target] = latent.condition(pred[target], mean[:, own], sd=sd[:, own])
        return out


class CopulaFacts(BaseModel):
    """What is stored of a copula."""

    model_config = ConfigDict(extra="forbid")

    name: str
    targets: list[str] = Field(min_length=1)
    correlation: list[list[float]]
    factors: dict[str, float]
    base: dict[str, dict[str, float]]


@dataclass(eq=False)
class CopulaModel(Model):
    """A copula on top of mixtures of other models.

    Args:
        copula: The dependence of the targets.
        base: For each target the mixture, of models that predict from the inputs alone, whose
            predictions the copula moves.
    """

    family: ClassVar[str] = "copula"
    reads_observed = True
    needs_observed = True

    copula: Copula
    base: dict[str, Weights]
    name: str = COPULA
    targets: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self.targets = list(self.base)

    def margins(self) -> Mapping[str, Weights]:
        """The mixtures that it stands on."""
        return self.base

    def predict(
        self,
        rows: Rows,
        observed: Observed | None = None,
        *,
        targets: Collection[str] | None = None,
    ) -> Predictions:
        """Move what the base predicts by what is measured; see ``Model``."""
        kinds = {t: kind for t, kind in rows.codec.target_kinds.items() if t in self.base}
        pred = rows.predict({t: self.base[t] for t in kinds})
        base = {t: mix(pred[t], self.base[t]) for t in kinds}
        preds = base
        if observed is not None:
            preds = self.copula.predict(kinds, base, observed.labels)
        return {t: z for t, z in preds.items() if targets is None or t in targets}

    def to_state(self) -> tuple[Facts, Arrays]:
        """Everything is facts."""
        facts = {
            "name": self.name,
            "targets": self.targets,
            "correlation": self.copula.correlation.tolist(),
            "factors": self.copula.factors,
            "base": self.base,
        }
        return facts, {}

    @classmethod
    def from_state(cls, facts: Mapping[str, Any], arrays: Mapping[str, Any]) -> Self:
        """Put back what ``to_state`` gave."""
        stored = restored(CopulaFacts, facts, "copula")
        if stored.targets != list(stored.base):
            raise damaged("copula", ("base",), "not one mixture for each target")
        correlation = np.array(stored.correlation)
        return cls(Copula(correlation, dict(stored.factors)), stored.base, stored.name)
