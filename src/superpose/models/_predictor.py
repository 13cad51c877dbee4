"""What ships: for each target a mixture of the models that won, with thresholds and intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

import numpy as np
import pyarrow as pa

from superpose.data import Codec
from superpose.errors import BundleError, ConfigError, message

from ._copula import COPULA
from ._given import LEVELS, Given, Rows
from ._mixture import Weights, mix
from ._names import ALONE, EVERY, JOINT, SOME
from ._observed import given_labels
from ._soundness import require_facts, require_sound
from ._trees import FittedTrees
from .network import NetworkModel

Arrays = dict[str, Any]


class Answer(NamedTuple):
    """Predictions of all targets.

    Args:
        told: For each target its canonical predictions (N, K); a measured value is its own.
        reach: For each number the half-widths (N,), or (N, H) of H numbers, of its intervals, in
            standardised units.
    """

    told: dict[str, np.ndarray]
    reach: dict[str, np.ndarray | None]


@dataclass
class Predictor:
    """The fitted codec and models behind every prediction.

    Args:
        codec: Fitted codec.
        shipped: For each target the weights of the models that predict it.
        joint: The network of all targets, if anything uses it.
        alone: Single-task networks by target.
        trees: Tree models by target and engine.
        thresholds: Decision threshold of each binary and multilabel target.
        spread: For number targets the interval's half-width in predicted scales.
        floors: For each target the constant prediction (K,) of the training rows.
        given: What answers when targets are measured; None if the model was trained without.
    """

    codec: Codec
    shipped: dict[str, Weights]
    joint: NetworkModel | None = None
    alone: dict[str, NetworkModel] = field(default_factory=dict)
    trees: dict[str, dict[str, FittedTrees]] = field(default_factory=dict)
    thresholds: dict[str, float] = field(default_factory=dict)
    spread: dict[str, float] = field(default_factory=dict)
    floors: dict[str, np.ndarray] = field(default_factory=dict)
    given: Given | None = None

    def models(self, table: pa.Table, targets: Sequence[str]) -> dict[str, dict[str, np.ndarray]]:
        """Predict with every model there is; for each target model name -> (N, K)."""
        return self._predict(table, dict.fromkeys(targets))

    def canonical(
        self, table: pa.Table, targets: Sequence[str] | None = None
    ) -> dict[str, np.ndarray]:
        """Predict what ships, for each target its canonical prediction (N, K)."""
        wanted = list(targets or self.shipped)
        told = self._predict(table, {t: list(self.shipped[t]) for t in wanted})
        return {t: mix(told[t], self.shipped[t]) for t in wanted}

    def rows(self, table: pa.Table) -> Rows:
        """Read rows once, with all that the models say of them while nothing is given."""
        if self.given is None:
            raise ConfigError(
                message(
                    "given",
                    "this model was trained without it",
                    fix="train again with `model.given: true` and two targets or more",
                )
            )
        if not table.num_rows:
            self.codec.require_inputs(table)
            return Rows({}, np.zeros((0, 0)), {}, {})
        wanted = {
            t: sorted({*w, *(self.given.models(t) & self._names(t))})
            for t, w in self.shipped.items()
        }
        told = self._predict(table, wanted)
        return Rows(
            self.codec.inputs(table),
            self.codec.features(table).matrix,
            told,
            {t: mix(told[t], self.shipped[t]) for t in told},
        )

    def answer(self, table: pa.Table, given: Sequence[str] = (), scored: bool = False) -> Answer:
        """Predict all targets of a table.

        Args:
            table: The rows; of their targets only those in ``given`` are read.
            given: Targets that are read as measured where a row has a value.
            scored: Whether labels are read that say how likely a text is; what is told rests on
                none of them.
        """
        kinds = self.codec.target_kinds
        if not table.num_rows:
            self.codec.require_inputs(table)
            told = {t: kind.exact(kind.unlabelled(0)) for t, kind in kinds.items()}
            return Answer(told, {t: self.half_widths(t, z) for t, z in told.items()})
        if not given:
            read = [t for t, kind in kinds.items() if scored and kind.reads_labels]
            unread = [c for c in table.column_names if c in kinds and c not in read]
            told = self.canonical(table.drop_columns(unread))
            return Answer(told, {t: self.half_widths(t, z) for t, z in told.items()})
        rows, labels = self.rows(table), given_labels(self.codec, table, given)
        assert self.given is not None
        told, levels = self.conditional(rows, labels), self.given.levels(kinds, labels)
        reach: dict[str, np.ndarray | None] = {}
        for t, kind in kinds.items():
            exact = kind.exact(labels[t])
            # A row that is measured may still have places without a label.
            measured = kind.known(labels[t])[:, None] & ~np.isnan(exact)
            told[t] = np.where(measured, exact, told[t])
            widths = [self.given.spread[name].get(t) for name in LEVELS]
            reach[t] = None
            if None not in widths:
                spread = kind.deviations(told[t])
                assert spread is not None
                width = np.array(widths, float)[levels[t]]
                reach[t] = width.reshape(-1, *[1] * (spread.ndim - 1)) * spread
        return Answer(told, reach)

    def conditional(
        self,
        rows: Rows,
        labels: Mapping[str, np.ndarray],
        only: list[str] | None = None,
        level: str | None = None,
    ) -> dict[str, np.ndarray]:
        """Predict targets of rows for which others are measured; see ``Given.predict``."""
        assert self.given is not None
        return self.given.predict(self.codec.target_kinds, self._network, rows, labels, only, level)

    def _network(
        self, blocks: dict[str, np.ndarray], labels: Mapping[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        assert self.joint is not None
        return self.joint.predict_given(self.codec, blocks, labels)

    def _predict(
        self, table: pa.Table, wanted: Mapping[str, list[str] | None]
    ) -> dict[str, dict[str, np.ndarray]]:
        def asked(target: str, model: str) -> bool:
            names = wanted[target]
            return names is None or model in names

        out: dict[str, dict[str, np.ndarray]] = {t: {} for t in wanted}
        blocks = features = None
        joint = [t for t in wanted if self.joint and asked(t, JOINT)]
        if joint and self.joint:
            blocks = self.codec.inputs(table)
            for target, told in self.joint.predict(self.codec, blocks, joint).items():
                out[target][JOINT] = told
        for target in wanted:
            if target in self.alone and asked(target, ALONE):
                blocks = blocks or self.codec.inputs(table)
                out[target][ALONE] = self.alone[target].predict(self.codec, blocks)[target]
            for engine, model in self.trees.get(target, {}).items():
                if asked(target, engine):
                    features = self.codec.features(table) if features is None else features
                    out[target][engine] = model.predict(features.matrix)
        return out

    def _names(self, target: str) -> set[str]:
        """The models that can predict a target."""
        joint = {JOINT} if self.joint and target in self.joint.targets else set()
        alone = {ALONE} if target in self.alone else set()
        return joint | alone | self.trees.get(target, {}).keys()

    def half_widths(self, target: str, told: np.ndarray) -> np.ndarray | None:
        """Return the half-widths of a number's intervals, in standardised units."""
        spread = self.codec.target_kinds[target].deviations(told)
        if target not in self.spread or spread is None:
            return None
        return self.spread[target] * spread

    def pruned(self) -> Predictor:
        """Drop every model that no shipped mixture uses."""
        given = self.given.pruned() if self.given else None

        def used(target: str, model: str) -> bool:
            told = given.models(target) if given else set()
            return self.shipped[target].get(model, 0.0) > 0 or model in told

        return Predictor(
            self.codec,
            self.shipped,
            self.joint if any(used(t, JOINT) for t in self.shipped) else None,
            {t: m for t, m in self.alone.items() if used(t, ALONE)},
            {t: {e: m for e, m in by.items() if used(t, e)} for t, by in self.trees.items()},
            self.thresholds,
            self.spread,
            self.floors,
            given,
        )

    def state(self) -> tuple[dict[str, Any], dict[str, Arrays]]:
        """Split into JSON facts and one group of arrays for each model."""
        facts: dict[str, Any] = {
            "codec": self.codec.state(),
            "shipped": self.shipped,
            "thresholds": self.thresholds,
            "spread": self.spread,
            "floors": {t: floor.tolist() for t, floor in self.floors.items()},
            "given": self.given.state() if self.given else None,
            "models": [],
        }
        groups: dict[str, Arrays] = {}
        models: list[tuple[str, str | None, NetworkModel | FittedTrees]] = []
        if self.joint:
            models.append((JOINT, None, self.joint))
        models += [(ALONE, t, m) for t, m in self.alone.items()]
        models += [(e, t, m) for t, by in self.trees.items() for e, m in by.items()]
        if self.given:
            models += [(n, t, m) for t, by in self.given.trees.items() for n, m in by.items()]
        for place, (name, target, model) in enumerate(models):
            own, arrays = model.state()
            group = f"model-{place:03d}-{name.replace(' ', '-')}"
            facts["models"].append({"name": name, "target": target, "group": group, "facts": own})
            groups[group] = arrays
        return facts, groups

    @classmethod
    def from_state(cls, facts: Mapping[str, Any], groups: Mapping[str, Arrays]) -> Self:
        """Put back what ``state`` split.

        Raises:
            BundleError: If a part is missing.
        """
        try:
            require_facts(facts)
            found = cls(
                Codec.from_state(facts["codec"]),
                facts["shipped"],
                thresholds=facts["thresholds"],
                spread=facts["spread"],
                floors={t: np.array(floor) for t, floor in facts["floors"].items()},
            )
            if facts["given"]:
                found.given = Given.from_state(facts["given"])
            for entry in facts["models"]:
                name, target, arrays = entry["name"], entry["target"], groups[entry["group"]]
                if name == JOINT:
                    found.joint = NetworkModel.from_state(entry["facts"], arrays)
                elif name == ALONE:
                    found.alone[target] = NetworkModel.from_state(entry["facts"], arrays)
                elif found.given and name in (SOME, EVERY):
                    found.given.trees.setdefault(target, {})[name] = FittedTrees.from_state(
                        entry["facts"], arrays
                    )
                else:
                    found.trees.setdefault(target, {})[name] = FittedTrees.from_state(
                        entry["facts"], arrays
                    )
            for target in found.codec.target_kinds:
                there = found._names(target)
                if found.given:
                    there = there | found.given.trees.get(target, {}).keys()
                    there |= {COPULA} if found.given.copula else set()
                asked = found.given.models(target) if found.given else set()
                for name in sorted({*found.shipped[target], *asked}):
                    if name not in there:
                        raise KeyError(f"{name} of {target}")
        except KeyError as error:
            raise BundleError(
                f"bundle: {error} is missing; the bundle is damaged; save the model again"
            ) from error
        require_sound(found)
        return found
