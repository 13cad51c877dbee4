"""Every model passes the checks that are shipped, and each check finds what it is for."""

import numpy as np
import pytest

from superpose.config import TrainingConfig
from superpose.data import Fold
from superpose.evaluation._given_trees import fit_trees_all, fit_trees_some
from superpose.evaluation._references import TreeData, fit_reference
from superpose.models import MODELS, BaselineModel, Copula, CopulaModel, Model, Rows
from superpose.nn import Architecture
from superpose.testing import MODEL_CHECKS, check_model
from superpose.training import TrainingSpec, fit_multi_task, fit_single_task

TARGET = "level"


@pytest.fixture(scope="module")
def models(table, codec):
    """One model of each sort, by name."""
    labels = codec.labels(table)
    folds = [Fold(np.arange(60), np.arange(60, 90))]
    spec = TrainingSpec(
        codec=codec,
        inputs=codec.inputs(table),
        labels=labels,
        folds=folds,
        architecture=Architecture(width=8, members=2, depth=1, state=4, rank=2),
        settings=TrainingConfig(epochs=1),
        embedding=2,
    )
    data = TreeData("hist", codec.features(table), codec.target_kinds, labels, folds)
    trees = [fit_reference(data, target) for target in codec.target_kinds]
    half = np.random.default_rng(0).random((90, len(labels))) < 0.5
    every = Rows.of_table(codec, table)
    pred = {t: z for one in trees for t, z in one.model.predict(every).items()}
    copula = Copula.fit(codec.target_kinds, pred, labels)
    y = labels[TARGET]
    found = [
        fit_multi_task(spec).model,
        fit_single_task(spec, [TARGET])[0].model,
        *(one.model for one in trees),
        fit_trees_some(data, TARGET, half).model,
        fit_trees_all(data, TARGET).model,
        CopulaModel(copula, {t: {"hist": 1.0} for t in labels}),
        BaselineModel("baseline", [TARGET], codec.target_kinds[TARGET].distribution.baseline(y)),
    ]
    return found


@pytest.fixture(scope="module")
def rows(table, codec, models):
    return Rows.of_table(codec, table.slice(0, 12), models)


@pytest.mark.parametrize("check", MODEL_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize(
    "name", ["joint", "alone", "hist", "trees given", "trees all", "copula", "baseline"]
)
def test_every_model_keeps(models, rows, name, check):
    check(next(model for model in models if model.name == name), rows)


def test_all_families_are_checked(models):
    elsewhere = {"naive_forecast"}  # it needs windows: tests/unit/evaluation/test_baselines.py
    assert {model.family for model in models} | elsewhere == MODELS.keys()


class Baseline(Model):
    """Predicts the same for every row: a model as simple as one can be."""

    family = "constant"

    def __init__(self, name, targets, pred):
        self.name = name
        self.targets = targets
        self.pred = pred

    def predict(self, rows, observed=None, *, targets=None):
        wanted = self.targets if targets is None else targets
        return {t: np.tile(self.pred, (len(rows), 1)) for t in wanted}

    def to_state(self):
        return {"name": self.name, "targets": self.targets}, {"pred": self.pred}

    @classmethod
    def from_state(cls, facts, arrays):
        return cls(facts["name"], facts["targets"], arrays["pred"])


def baseline(family=Baseline):
    return family("constant", ["weight"], np.array([0.0, 1.0]))


def test_a_model_from_outside_passes(rows):
    check_model(baseline(), rows)


class Wide(Baseline):
    """Predicts another number of columns."""

    def predict(self, rows, observed=None, *, targets=None):
        return {"weight": np.zeros((len(rows), 3))}


class Mean(Baseline):
    """Looks at the other rows."""

    def predict(self, rows, observed=None, *, targets=None):
        return {"weight": np.tile([float(len(rows)), 1.0], (len(rows), 1))}


class Random(Baseline):
    """Predicts something else each time."""

    def predict(self, rows, observed=None, *, targets=None):
        return {"weight": np.random.default_rng().random((len(rows), 2))}


class Fills(Baseline):
    """Fills gaps in the arrays of whoever asks."""

    def predict(self, rows, observed=None, *, targets=None):
        rows.matrix[:] = 7.0
        return super().predict(rows, observed, targets=targets)


class Listens(Baseline):
    """Reads what is measured, and does not say so."""

    def predict(self, rows, observed=None, *, targets=None):
        shift = 0.0 if observed is None else 1.0
        return {"weight": np.tile([shift, 1.0], (len(rows), 1))}


class Forgets(Baseline):
    """Does not store all that it needs."""

    @classmethod
    def from_state(cls, facts, arrays):
        return cls(facts["name"], facts["targets"], np.array([5.0, 1.0]))


@pytest.mark.parametrize(
    ("family", "text"),
    [
        (Wide, r"'weight': shape \(12, 3\), not \(12, 2\)"),
        (Mean, "one row alone is predicted as in any batch"),
        (Random, "the second time: other predictions of 'weight'"),
        (Fills, "matrix: other predictions of 'matrix'"),
        (Listens, "with measured targets: other predictions of 'weight'"),
        (Forgets, "restored: other predictions of 'weight'"),
    ],
)
def test_what_breaks_a_claim_is_named(rows, family, text):
    with pytest.raises(AssertionError, match=text):
        check_model(baseline(family), rows)
