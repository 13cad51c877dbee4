"""The predictor: what is deployed is the mixture that won, and travels as JSON and arrays."""

import json

import numpy as np
import pytest
import torch

from superpose.config import TrainingConfig
from superpose.data import Fold
from superpose.errors import BundleError
from superpose.evaluation import _references
from superpose.evaluation._references import TreeData, fit_reference
from superpose.models import Level, Predictor
from superpose.nn import Architecture
from superpose.training import TrainingSpec, fit_multi_task, fit_single_task
from superpose.trees import fit_trees

DEPLOYED = {
    "weight": {"joint": 0.25, "hist": 0.75},
    "sick": {"hist": 1.0},
    "calls": {"alone": 1.0},
    "sort": {"joint": 0.5, "alone": 0.5},
    "level": {"joint": 1.0},
    "tags": {"hist": 0.5, "joint": 0.5},
}


@pytest.fixture(scope="module")
def predictor(table, codec):
    """Two folds, two epochs, twenty rounds; all models for all targets."""
    labels = codec.labels(table)
    folds = [Fold(np.arange(60), np.arange(60, 90)), Fold(np.arange(30, 90), np.arange(30))]
    spec = TrainingSpec(
        codec=codec,
        inputs=codec.inputs(table),
        labels=labels,
        folds=folds,
        architecture=Architecture(width=16, members=2, depth=1, state=6, rank=3),
        settings=TrainingConfig(epochs=2, batch_size=32),
        embedding=4,
    )
    data = TreeData("hist", codec.features(table), codec.target_kinds, labels, folds)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            _references,
            "fit_trees",
            lambda *a, **k: fit_trees(*a, **{**k, "rounds": 20, "threads": 1}),
        )
        trees = [fit_reference(data, target) for target in codec.target_kinds]
    fitted = [fit_multi_task(spec), *fit_single_task(spec, list(DEPLOYED)), *trees]
    return Predictor(
        codec,
        [one.model for one in fitted],
        {"none": Level(DEPLOYED, quantiles={"weight": 1.7, "sort": 0.8})},
        thresholds={"sick": 0.3},
        baselines={
            t: kind.distribution.baseline(labels[t]) for t, kind in codec.target_kinds.items()
        },
    )


def travelled(predictor):
    """The predictor after JSON and plain arrays."""
    facts, groups = predictor.to_state()
    plain = {g: {k: np.asarray(v) for k, v in arrays.items()} for g, arrays in groups.items()}
    return Predictor.from_state(json.loads(json.dumps(facts)), plain)


def deployed(predictor, table, targets=None):
    return predictor.deployed(predictor.rows(table), targets)


def assert_same(one, other, table):
    expected, found = deployed(one, table), deployed(other, table)
    assert found.keys() == expected.keys()
    for target, pred in expected.items():
        np.testing.assert_array_equal(found[target], pred)


def test_what_ships_is_the_mixture_of_the_models(predictor, table):
    models = predictor.each(predictor.rows(table), list(DEPLOYED))
    found = deployed(predictor, table)
    for target, weights in DEPLOYED.items():
        assert models[target].keys() == {"joint", "alone", "hist"}
        expected = sum(w * models[target][m] for m, w in weights.items())
        np.testing.assert_allclose(found[target], expected)


def test_what_ships_is_a_canonical_prediction(predictor, table, codec):
    labels = codec.labels(table)
    for target, pred in deployed(predictor, table).items():
        kind = codec.target_kinds[target]
        assert pred.shape == (90, kind.distribution.n_columns)
        assert np.isfinite(
            kind.distribution.row_loss(labels[target], pred)[
                kind.distribution.known(labels[target])
            ]
        ).all()
        assert kind.decode(pred)


def test_one_row_alone_predicts_as_in_any_batch(predictor, table):
    whole = deployed(predictor, table)
    for row in (0, 44, 89):
        for target, pred in deployed(predictor, table.slice(row, 1)).items():
            np.testing.assert_allclose(pred[0], whole[target][row], atol=2e-6, rtol=1e-5)


def test_no_label_is_read(predictor, table):
    assert_same(predictor, predictor, table)
    inputs = deployed(predictor, table.drop_columns(list(DEPLOYED)))
    for target, pred in deployed(predictor, table).items():
        np.testing.assert_array_equal(inputs[target], pred)


def test_some_targets_can_be_requested(predictor, table):
    whole = deployed(predictor, table)
    some = deployed(predictor, table, ["calls", "level"])
    assert list(some) == ["calls", "level"]
    for target, pred in some.items():
        np.testing.assert_array_equal(pred, whole[target])


def test_intervals_and_sets_reach_as_far_in_each_row(predictor, table):
    quantile = predictor.predict(table.slice(0, 2)).quantile
    assert {t: q.tolist() for t, q in quantile.items() if q is not None} == {
        "weight": [1.7, 1.7],
        "sort": [0.8, 0.8],
    }


@pytest.mark.parametrize("quantile", [-0.1, [0.5], None])
def test_a_quantile_that_is_no_distance_is_refused(predictor, quantile):
    facts, groups = predictor.to_state()
    facts["spread"] = {"sort": quantile}
    with pytest.raises(BundleError, match="spread"):
        Predictor.from_state(facts, groups)


def test_json_and_arrays_carry_everything(predictor, table):
    again = travelled(predictor)
    assert_same(predictor, again, table)
    assert (again.thresholds, again.levels) == (predictor.thresholds, predictor.levels)
    for target, baseline in predictor.baselines.items():
        np.testing.assert_array_equal(again.baselines[target], baseline)


def test_pruning_drops_what_does_not_ship_and_changes_no_prediction(predictor, table):
    pruned = predictor.pruned()
    assert_same(predictor, pruned, table)
    assert [m.targets for m in pruned.named("alone")] == [["calls"], ["sort"]]
    assert [m.targets for m in pruned.named("hist")] == [["weight"], ["sick"], ["tags"]]
    assert_same(predictor, travelled(pruned), table)


def test_pruning_drops_a_joint_network_that_nothing_uses(predictor, table):
    weights = {t: {"hist": 1.0} for t in DEPLOYED}
    only_trees = Predictor(predictor.codec, predictor.models, {"none": Level(weights)}).pruned()
    assert {model.name for model in only_trees.models} == {"hist"}
    assert_same(only_trees, travelled(only_trees), table)


def test_predicting_leaves_the_callers_random_stream_alone(predictor, table):
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    deployed(predictor, table)
    assert torch.equal(torch.rand(4), expected)


@pytest.mark.parametrize("part", ["codec", "shipped", "models", "thresholds"])
def test_a_state_without_a_part_is_refused(predictor, part):
    facts, groups = predictor.to_state()
    with pytest.raises(BundleError, match=f"bundle: '{part}' is missing; the bundle is damaged"):
        Predictor.from_state({k: v for k, v in facts.items() if k != part}, groups)


def test_a_state_without_a_models_arrays_is_refused(predictor):
    facts, groups = predictor.to_state()
    lost = next(iter(groups))
    with pytest.raises(BundleError, match=f"'{lost}' is missing"):
        Predictor.from_state(facts, {k: v for k, v in groups.items() if k != lost})


@pytest.mark.parametrize(("target", "name"), [("sick", "joint"), ("calls", "alone")])
def test_a_state_that_ships_a_model_it_lacks_is_refused(predictor, target, name):
    facts, groups = predictor.pruned().to_state()
    facts["models"] = [m for m in facts["models"] if m["facts"]["name"] != name]
    with pytest.raises(BundleError, match=f"'{name} of "):
        Predictor.from_state({**facts, "shipped": {**DEPLOYED, target: {name: 1.0}}}, groups)
