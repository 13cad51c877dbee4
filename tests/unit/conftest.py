"""A world whose truth is known: numbers that are jointly normal, and a predictor that knows it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from superpose.data import Codec
from superpose.data.schema._schema import ColumnSpec, Schema
from superpose.models import LEVELS, Copula, CopulaModel, Level, Model, Observed, Predictor, Rows


class FixedModel(Model):
    """Predicts the same for every row, and remembers what it was given.

    Args:
        name: What mixtures call it.
        targets: Its targets, numbers.
        pred: Mean and scale of each.
        given: Whether it needs measured targets.
    """

    family = "fixed"

    def __init__(
        self, name: str, targets: Sequence[str], pred: Sequence[float] = (0.0, 1.0), *, given=False
    ) -> None:
        self.name = name
        self.targets = list(targets)
        self.pred = list(pred)
        self.reads_observed = self.needs_observed = given
        self.calls: list[Observed | None] = []

    def predict(self, rows, observed=None, *, targets=None):
        self.calls.append(observed)
        wanted = self.targets if targets is None else targets
        return {t: np.tile(self.pred, (len(rows), 1)) for t in wanted}

    def to_state(self):
        return {"name": self.name, "targets": self.targets, "pred": self.pred}, {}

    @classmethod
    def from_state(cls, facts, arrays):
        return cls(**facts)


@dataclass
class World:
    """Jointly standard normal targets that no input tells anything about.

    Args:
        predictor: Answers with the true conditional distributions.
        rows: The rows.
        labels: What was measured there.
    """

    predictor: Predictor
    rows: Rows
    labels: dict[str, np.ndarray]

    def observed(self, labels: dict[str, np.ndarray]) -> Observed:
        """Measured values as models read them."""
        return Observed(self.predictor.codec.target_kinds, labels)

    def with_models(self, models: Sequence[Model], weights: dict[str, Any]) -> World:
        """The same world with other models, mixed alike for all targets at each level."""
        predictor = self.predictor
        levels = {
            level: Level({t: dict(weights[level]) for t in predictor.codec.target_kinds})
            for level in LEVELS
        }
        other = Predictor(predictor.codec, list(models), levels)
        rows = Rows(
            predictor.codec,
            len(self.rows),
            inputs=lambda: self.rows.inputs,
            matrix=lambda: self.rows.matrix,
            models=other.models,
        )
        return World(other, rows, self.labels)


@pytest.fixture(scope="session")
def fixed_model() -> type[FixedModel]:
    """A model that predicts the same for every row."""
    return FixedModel


@pytest.fixture(scope="session")
def make_world() -> Callable[..., World]:
    """Maker of a world with a correlation matrix (T, T) between its targets, and so many rows."""

    def make(
        correlation: np.ndarray, count: int = 2000, seed: int = 0, *, scale: float = 1.0
    ) -> World:
        correlation = np.asarray(correlation, float)
        names = list("abcdef"[: len(correlation)])
        fitted = pa.table({"x": [0.0, 1.0], **{t: [-1.0, 1.0] for t in names}})
        schema = Schema([ColumnSpec("x", "number")], [ColumnSpec(t, "number") for t in names])
        codec = Codec.fit(fitted, schema, np.arange(2))
        base = {t: {"hist": 1.0} for t in names}
        copula = Copula(correlation, dict.fromkeys(names, 1.0))
        models = [FixedModel("hist", names, [0.0, scale]), CopulaModel(copula, base)]
        given = {t: {"copula": 1.0} for t in names}
        levels = {
            level: Level(
                dict(base if level == "none" else given),
                dict.fromkeys(names, 1.0),
                dict.fromkeys(names, 1.6449),
            )
            for level in LEVELS
        }
        rows = Rows(
            codec,
            count,
            inputs=lambda: {"numbers": np.zeros((count, 1), np.float32)},
            matrix=lambda: np.zeros((count, 1), np.float32),
            models=models,
        )
        draws = np.random.default_rng(seed).normal(size=(count, len(names)))
        values = draws @ np.linalg.cholesky(correlation).T
        labels = {t: values[:, i] for i, t in enumerate(names)}
        return World(Predictor(codec, models, levels), rows, labels)

    return make


@pytest.fixture
def hidden() -> Callable[[dict[str, np.ndarray]], dict[str, np.ndarray]]:
    """The same labels with every value gone."""
    return lambda labels: {t: np.full_like(y, np.nan) for t, y in labels.items()}
