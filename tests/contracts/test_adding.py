"""A target kind and a fusion of an outsider do all that those of the package do.

They are written as docs/adding-a-kind.md describes: nothing of the package is changed for them but
one line each in the tables of kinds, heads and fusions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import pyarrow as pa
import pytest
import torch
from torch import Tensor, nn

from superpose import Superpose
from superpose.columns import Column, as_floats
from superpose.distributions import Distribution
from superpose.errors import DataError
from superpose.kinds import TARGET_KINDS, Beside, ObservedColumns, TargetHints, TargetKind
from superpose.methods import FUSION_METHODS, Method
from superpose.nn import HEADS, Fusion, Head
from superpose.testing import check_fusion, check_kind

EDGES = [0.0, 0.25, 0.5, 1.0, 2.0, 4.0]
SMALL = {"width": 16, "members": 2, "state": 8, "rank": 2, "embedding": 2}


@dataclass(frozen=True)
class Exponential(Distribution):
    """A time above 0; a prediction is its mean, (N, 1)."""

    @property
    def n_columns(self) -> int:
        return 1

    def log_prob(self, y: np.ndarray, pred: np.ndarray) -> np.ndarray:
        mean = np.asarray(pred, np.float64)[:, 0]
        return np.asarray(-np.log(mean) - y / mean)

    def row_loss(self, y: np.ndarray, pred: np.ndarray) -> np.ndarray:
        ratio = y / np.asarray(pred, np.float64)[:, 0]
        return np.asarray(ratio - 1 - np.log(ratio))

    def baseline(self, y: np.ndarray) -> np.ndarray:
        known = y[~np.isnan(y)]
        return np.array([known.mean() if len(known) else 1.0])

    def point_mass(self, y: np.ndarray) -> np.ndarray:
        return np.asarray(y, np.float64)[:, None]

    def information(self, preds: np.ndarray) -> np.ndarray:
        mean = preds[..., 0]
        return np.asarray(0.5 * np.log2(1 + mean.var(axis=0) / (mean**2).mean(axis=0)))


@dataclass(frozen=True)
class ExponentialHead(Head):
    """The logarithm of the mean."""

    @classmethod
    def of(cls, kind: Any) -> Self:
        return cls()

    @property
    def n_outputs(self) -> int:
        return 1

    def loss(self, out: Tensor, y: Tensor) -> Tensor:
        gone = y.isnan()
        log_ratio = torch.where(gone, 1.0, y).log() - out[..., 0]
        return torch.where(gone, 0.0, log_ratio.exp() - 1 - log_ratio)

    def link(self, out: Tensor) -> Tensor:
        return out.exp()


@dataclass(kw_only=True)
class WaitTarget(TargetKind):
    """A waiting time; labels are relative to the mean."""

    name: ClassVar[str] = "wait"
    metric: ClassVar[str] = "mae"
    higher_is_better: ClassVar[bool] = False
    hints: ClassVar[TargetHints] = TargetHints(scale="interval")
    mean: float

    @classmethod
    def fit(cls, column: str, values: Column, **options: Any) -> Self:
        return cls(column=column, mean=float(np.nanmean(_above_zero(column, values))))

    def encode(self, values: Column) -> np.ndarray:
        return (_above_zero(self.column, values) / self.mean).astype(np.float32)

    @property
    def distribution(self) -> Distribution:
        return Exponential()

    def decode(
        self,
        pred: np.ndarray,
        threshold: float | Sequence[float] | None = None,
        quantile: np.ndarray | None = None,
    ) -> dict[str, pa.Array]:
        return {self.column: pa.array(pred[:, 0] * self.mean)}

    def describe(self) -> str:
        return f"a wait of {self.mean:.4g} on average"

    def _metrics(self, y: np.ndarray, pred: np.ndarray, **options: Any) -> dict[str, float]:
        error = np.abs(y - pred[:, 0]) * self.mean
        return {"mae": float(error.mean()) if len(error) else np.nan}

    @property
    def observed(self) -> ObservedColumns:
        return ObservedColumns([EDGES], lambda y: np.asarray(y, np.float32)[:, None])

    def plot(self, y: np.ndarray, pred: np.ndarray, beside: Beside) -> dict[str, Any]:
        return {"chart": "values", "y": y, "value": np.column_stack([y, pred[:, 0]]) * self.mean}


class PooledFusion(Fusion):
    """Adds the mean of all task states to each, behind a gate that starts at zero."""

    def __init__(
        self, n_targets: int, task_dim: int, *, rank: int = 16, donor_gradient: float = 1.0
    ) -> None:
        super().__init__(n_targets, task_dim, rank=rank, donor_gradient=donor_gradient)
        self.gate = nn.Parameter(torch.zeros(n_targets, task_dim))

    def forward(self, states: Tensor) -> Tensor:
        return states + self.gate * states.mean(-2, keepdim=True)


POOLED = Method(
    module=__name__,
    class_name="PooledFusion",
    summary="Adds the mean of all task states to each, behind a gate that starts at zero.",
    paper="an example",
)


def _above_zero(column: str, values: Column) -> np.ndarray:
    waits = as_floats(column, values, "wait")
    wrong = np.flatnonzero(waits <= 0)
    if len(wrong):
        raise DataError(f"target {column!r}, row {wrong[0]}: {waits[wrong[0]]:g} is not above 0")
    return waits


@pytest.fixture(autouse=True)
def added(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TARGET_KINDS, "wait", WaitTarget)
    monkeypatch.setitem(HEADS, Exponential, ExponentialHead)
    monkeypatch.setitem(FUSION_METHODS, "pooled", POOLED)


def queue(rows: int) -> pa.Table:
    rng = np.random.default_rng(0)
    people = rng.integers(1, 9, rows)
    wait = rng.exponential(people * 2.0)
    late = np.where(wait + rng.normal(0, 2, rows) > 9, "yes", "no")
    return pa.table({"people": people * 1.0, "wait": wait, "late": late})


@pytest.fixture
def model(added: None) -> Superpose:
    model = Superpose(
        {"wait": "wait", "late": "binary"},
        model=SMALL | {"fusion": "pooled"},
        training={"epochs": 4},
        proof={"folds": 2, "repeats": 1},
    )
    return model.fit(queue(240))


def test_they_pass_the_checks_that_are_shipped() -> None:
    check_kind(WaitTarget, [1.0, None, 4.0, 2.5, 9.0])
    check_fusion(PooledFusion)


def test_the_kind_is_learned_beside_others(model: Superpose) -> None:
    pred = model.predict(pa.table({"people": [1.0, 8.0]}))["wait"].to_pylist()
    assert 0 < pred[0] < pred[1]


def test_a_measured_value_of_the_kind_sharpens_others(model: Superpose) -> None:
    new = pa.table({"people": [4.0, 4.0], "wait": [1.0, 30.0]})
    pred = model.predict(new, given=["wait"])
    assert pred["late"].to_pylist() == ["no", "yes"]


def test_a_bundle_brings_both_back(model: Superpose, tmp_path: Any) -> None:
    new = queue(20).select(["people"])
    model.save(tmp_path / "wait.superpose")
    again = Superpose.load(tmp_path / "wait.superpose")
    assert again.predict(new).equals(model.predict(new))


def test_the_fusion_is_the_one_that_learns(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    seen: list[tuple[int, ...]] = []
    forward = PooledFusion.forward

    def watched(self: PooledFusion, states: Tensor) -> Tensor:
        seen.append(tuple(states.shape[-2:]))
        return forward(self, states)

    monkeypatch.setattr(PooledFusion, "forward", watched)
    request.getfixturevalue("model")
    assert (2, SMALL["state"]) in seen


def test_a_wait_that_is_none_is_refused_with_its_row() -> None:
    with pytest.raises(DataError, match="row 1: -2 is not above 0"):
        WaitTarget.fit("wait", pa.chunked_array([[1.0, -2.0]]))
