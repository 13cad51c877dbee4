"""A world whose truth is known: numbers that are jointly normal, and a predictor that knows it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pytest

from superpose.data import Codec
from superpose.data.schema._schema import ColumnSpec, Schema
from superpose.models import Predictor
from superpose.models._copula import Copula
from superpose.models._given import LEVELS, Given, Rows


@dataclass
class World:
    """Jointly standard normal targets that no input tells anything about.

    Args:
        predictor: Answers with the true conditional distributions.
        rows: The rows, with the true marginals.
        labels: What was measured there.
    """

    predictor: Predictor
    rows: Rows
    labels: dict[str, np.ndarray]


@pytest.fixture(scope="session")
def make_world() -> Callable[..., World]:
    """Maker of a world with a correlation matrix (T, T) between its targets, and so many rows."""

    def make(correlation: np.ndarray, count: int = 2000, seed: int = 0) -> World:
        correlation = np.asarray(correlation, float)
        names = list("abcdef"[: len(correlation)])
        fitted = pa.table({"x": [0.0, 1.0], **{t: [-1.0, 1.0] for t in names}})
        schema = Schema([ColumnSpec("x", "number")], [ColumnSpec(t, "number") for t in names])
        codec = Codec.fit(fitted, schema, np.arange(2))
        plain = {t: {"hist": 1.0} for t in names}
        given = Given(
            {"none": plain, **{level: {t: {"copula": 1.0} for t in names} for level in LEVELS[1:]}},
            Copula(correlation, dict.fromkeys(names, 1.0)),
            plain,
            {},
            {level: dict.fromkeys(names, 1.0) for level in LEVELS},
            {level: dict.fromkeys(names, 1.6449) for level in LEVELS},
        )
        standard = np.tile([0.0, 1.0], (count, 1))
        rows = Rows(
            {"numbers": np.zeros((count, 1), np.float32)},
            np.zeros((count, 1), np.float32),
            {t: {"hist": standard} for t in names},
            {t: standard.copy() for t in names},
        )
        draws = np.random.default_rng(seed).normal(size=(count, len(names)))
        values = draws @ np.linalg.cholesky(correlation).T
        labels = {t: values[:, i] for i, t in enumerate(names)}
        return World(Predictor(codec, plain, given=given), rows, labels)

    return make


@pytest.fixture
def hidden() -> Callable[[dict[str, np.ndarray]], dict[str, np.ndarray]]:
    """The same labels with every value gone."""
    return lambda labels: {t: np.full_like(y, np.nan) for t, y in labels.items()}
