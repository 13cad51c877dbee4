"""What is deployed: for each target mixtures of the models that won, thresholds and intervals."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, Self

import numpy as np
import pyarrow as pa

from superpose.data import Codec
from superpose.errors import BundleError, ConfigError, message
from superpose.stored import damaged

from ._base import Arrays, Facts, Model, Predictions
from ._former import today
from ._given_labels import given_labels
from ._mixture import Weights, mix
from ._names import LEVELS, NONE
from ._observed import Observed
from ._rows import Rows
from ._soundness import require_facts, require_sound
from ._table import MODELS


class Prediction(NamedTuple):
    """Predictions of all targets.

    Args:
        pred: For each target its canonical predictions (N, K); a measured value is its own.
        quantile: For each target how far its interval or set reaches in each row (N,), 0 where it
            is measured; None for targets without.
    """

    pred: Predictions
    quantile: dict[str, np.ndarray | None]


@dataclass
class Level:
    """How targets are predicted while nothing, some or all of the others are measured.

    Args:
        weights: The mixture of each target.
        factors: By how much each target's predicted scale has to be stretched.
        quantiles: Of each target's conformity scores, how far its intervals or sets reach.
    """

    weights: dict[str, Weights]
    factors: dict[str, float] = field(default_factory=dict)
    quantiles: dict[str, float] = field(default_factory=dict)


@dataclass
class Predictor:
    """The fitted codec and models behind every prediction.

    Args:
        codec: Fitted codec.
        models: Everything that predicts.
        levels: How models are mixed: at "none"; and at "half" and "all" where targets may be given.
        thresholds: Decision threshold of each binary and multilabel target.
        baselines: For each target the constant prediction (K,) of the training rows.
    """

    codec: Codec
    models: list[Model]
    levels: dict[str, Level]
    thresholds: dict[str, float] = field(default_factory=dict)
    baselines: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def weights(self) -> dict[str, Weights]:
        """The mixture of each target that is deployed where nothing is given."""
        return self.levels[NONE].weights

    @property
    def takes_given(self) -> bool:
        """Whether targets may be given."""
        return len(self.levels) > 1

    def require_given(self) -> None:
        """Make sure that targets may be given.

        Raises:
            ConfigError: The model was trained without.
        """
        if not self.takes_given:
            fix = "train again with `model.given: true` and two targets or more"
            raise ConfigError(message("given", "this model was trained without it", fix=fix))

    def named(self, name: str) -> list[Model]:
        """The models of a name: one for all targets, or several that share them out."""
        return [model for model in self.models if model.name == name]

    def rows(self, table: pa.Table) -> Rows:
        """Rows of a table as models read them.

        Raises:
            DataError: Of a table without rows, every missing input column.
        """
        if not table.num_rows:
            self.codec.require_inputs(table)
        return Rows.of_table(self.codec, table, self.models)

    def predict(
        self, table: pa.Table, given: Sequence[str] = (), *, read_labels: bool = False
    ) -> Prediction:
        """Predict all targets of a table.

        Args:
            table: The rows; of their targets only those in ``given`` are read.
            given: Targets that are read as measured where a row has a value.
            read_labels: Whether labels are read that say how likely a text is; no prediction rests
                on them.
        """
        kinds = self.codec.target_kinds
        if not table.num_rows:
            self.codec.require_inputs(table)
            families = {t: kind.distribution for t, kind in kinds.items()}
            nothing = {t: own.point_mass(own.missing(0)) for t, own in families.items()}
            return self._with_intervals(nothing)
        if given:
            self.require_given()
            return self._predict_given(self.rows(table), given_labels(self.codec, table, given))
        read = [t for t, kind in kinds.items() if read_labels and kind.hints.reads_labels]
        unread = [c for c in table.column_names if c in kinds and c not in read]
        return self._with_intervals(self.deployed(self.rows(table.drop_columns(unread))))

    def _with_intervals(self, pred: Predictions) -> Prediction:
        return Prediction(pred, {t: self.quantile(t, len(z)) for t, z in pred.items()})

    def _predict_given(self, rows: Rows, labels: Mapping[str, np.ndarray]) -> Prediction:
        kinds = self.codec.target_kinds
        observed = Observed(kinds, labels)
        pred = self.conditional(rows, observed)
        quantile: dict[str, np.ndarray | None] = {}
        for t, index in observed.levels().items():
            point_mass = kinds[t].distribution.point_mass(labels[t])
            # A row that is measured may still have locations without a label.
            measured = kinds[t].distribution.known(labels[t])[:, None] & ~np.isnan(point_mass)
            pred[t] = np.where(measured, point_mass, pred[t])
            quantile[t] = self._quantile_at(t, index, labels[t])
        return Prediction(pred, quantile)

    def _quantile_at(self, target: str, index: np.ndarray, y: np.ndarray) -> np.ndarray | None:
        """How far intervals or sets reach where each row has a level of its own, by its index."""
        quantiles = [self.levels[name].quantiles.get(target) for name in LEVELS]
        if None in quantiles:
            return None
        measured = ~np.isnan(y).reshape(len(y), -1).any(axis=1)
        return np.where(measured, 0.0, np.array(quantiles, float)[index])

    def quantile(self, target: str, n_rows: int) -> np.ndarray | None:
        """How far a target's intervals or sets reach while nothing is given, None without any."""
        quantiles = self.levels[NONE].quantiles
        return np.full(n_rows, quantiles[target]) if target in quantiles else None

    def deployed(self, rows: Rows, targets: Iterable[str] | None = None) -> Predictions:
        """What is deployed where nothing is given: canonical predictions (N, K) by target."""
        wanted = list(self.weights if targets is None else targets)
        pred = rows.predict({t: self.weights[t] for t in wanted})
        return {t: mix(pred[t], self.weights[t]) for t in wanted}

    def each(self, rows: Rows, targets: Iterable[str]) -> dict[str, Predictions]:
        """What every model predicts where nothing is given; for each target name -> (N, K)."""
        plain = [model for model in self.models if not model.needs_observed]
        return rows.predict({t: [m.name for m in plain if t in m.targets] for t in targets})

    def conditional(
        self,
        rows: Rows,
        observed: Observed,
        *,
        targets: Collection[str] | None = None,
        level: str | None = None,
    ) -> Predictions:
        """Predict targets of rows for which others are measured.

        Args:
            rows: The rows.
            observed: What is measured.
            targets: Which to predict (default all). Where a target's own value is given, what is
                predicted for it means nothing: the value itself is the prediction.
            level: Use the mixture of this level for every row (default: what each row calls for).

        Shape:
            for each target (N, K).
        """
        self.require_given()
        wanted = [t for t in self.codec.target_kinds if targets is None or t in targets]
        if level:
            weights = self.levels[level].weights
            pred = self._ask(rows, observed, {t: weights[t] for t in wanted})
            return {t: mix(pred[t], weights[t]) for t in wanted}
        index = observed.levels()
        names = {t: self._called_for(t, index[t]) for t in wanted}
        pred = self._ask(rows, observed, names)
        out = {}
        for t, z in self.deployed(rows, wanted).items():
            for number, name in enumerate(LEVELS[1:], start=1):
                here = index[t] == number
                if here.any():
                    own = self.levels[name].weights[t]
                    z[here] = mix({m: pred[t][m][here] for m in own}, own)
            out[t] = z
        return out

    def _called_for(self, target: str, index: np.ndarray) -> set[str]:
        """Names of the models of the levels that some row is at, but for nothing given."""
        names: set[str] = set()
        for number, name in enumerate(LEVELS[1:], start=1):
            if (index == number).any():
                names |= set(self.levels[name].weights[target])
        return names

    def _ask(
        self, rows: Rows, observed: Observed, names: Mapping[str, Collection[str]]
    ) -> dict[str, Predictions]:
        """Predict with the models that read what is measured; the others have predicted already."""
        pred: dict[str, Predictions] = {t: {} for t in names}
        rest: dict[str, list[str]] = {t: [] for t in names}
        for model in self.models:
            mine = [t for t in model.targets if model.name in names.get(t, ())]
            if not model.reads_observed:
                for t in mine:
                    rest[t].append(model.name)
            elif mine:
                for t, z in model.predict(rows, observed, targets=mine).items():
                    pred[t][model.name] = z
        plain = rows.predict(rest)
        return {t: {**pred[t], **plain[t]} for t in names}

    def pruned(self) -> Predictor:
        """Drop every model that no mixture uses, and none stands on that one does use."""
        used = {
            (target, name)
            for level in self.levels.values()
            for target, weights in level.weights.items()
            for name, weight in weights.items()
            if weight > 0
        }
        kept = [m for m in self.models if any((t, m.name) in used for t in m.targets)]
        used |= {(t, name) for m in kept for t, by in m.margins().items() for name in by}
        kept = [m for m in self.models if any((t, m.name) in used for t in m.targets)]
        return replace(self, models=kept)

    def to_state(self) -> tuple[Facts, dict[str, Arrays]]:
        """Split into JSON facts and one group of arrays for each model."""
        none = self.levels[NONE]
        facts: Facts = {
            "codec": self.codec.state(),
            "shipped": none.weights,
            "thresholds": self.thresholds,
            "spread": none.quantiles,
            "floors": {t: baseline.tolist() for t, baseline in self.baselines.items()},
            "given": self._given_state() if self.takes_given else None,
            "models": [],
        }
        groups: dict[str, Arrays] = {}
        for number, model in enumerate(self.models):
            own, arrays = model.to_state()
            group = f"model-{number:03d}-{model.name.replace(' ', '-')}"
            facts["models"].append({"family": model.family, "group": group, "facts": own})
            groups[group] = arrays
        return facts, groups

    def _given_state(self) -> Facts:
        return {
            "weights": {name: level.weights for name, level in self.levels.items()},
            "factors": {name: level.factors for name, level in self.levels.items()},
            "spread": {name: level.quantiles for name, level in self.levels.items()},
        }

    @classmethod
    def from_state(cls, facts: Mapping[str, Any], groups: Mapping[str, Arrays]) -> Self:
        """Put back what ``to_state`` split, now or in a version before this one.

        Raises:
            BundleError: If a part is missing, or the parts do not fit together.
        """
        try:
            facts = today(facts)
            require_facts(facts)
            predictor = cls(
                Codec.from_state(facts["codec"]),
                [_restored(entry, groups) for entry in facts["models"]],
                _levels(facts),
                thresholds=facts["thresholds"],
                baselines={t: np.array(baseline) for t, baseline in facts["floors"].items()},
            )
            predictor._require_models()
        except KeyError as error:
            raise BundleError(
                f"bundle: {error} is missing; the bundle is damaged; save the model again"
            ) from error
        require_sound(predictor)
        return predictor

    def _require_models(self) -> None:
        """Make sure that every model is there that a mixture names."""
        there = {(t, model.name) for model in self.models for t in model.targets}
        mixtures: list[Mapping[str, Weights]] = [level.weights for level in self.levels.values()]
        mixtures += [model.margins() for model in self.models]
        for mixture in mixtures:
            for target, weights in mixture.items():
                for name in sorted(weights):
                    if (target, name) not in there:
                        raise KeyError(f"{name} of {target}")


def _restored(entry: Mapping[str, Any], groups: Mapping[str, Arrays]) -> Model:
    family = MODELS.get(entry["family"])
    if family is None:
        raise damaged("model", ("models",), f"{entry['family']!r} is no family of this version")
    group = entry["group"]
    return family().from_state(entry["facts"], {} if group is None else groups[group])


def _levels(facts: Mapping[str, Any]) -> dict[str, Level]:
    given = facts["given"]
    if not given:
        return {NONE: Level(facts["shipped"], quantiles=facts["spread"])}
    levels = {
        name: Level(given["weights"][name], given["factors"][name], given["spread"][name])
        for name in LEVELS
    }
    if levels[NONE].weights != facts["shipped"]:
        raise damaged("given", ("weights", NONE), "not the mixtures of `shipped`")
    return levels
