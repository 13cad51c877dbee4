"""Predicting with measured targets: each row is answered by the mixture for what it knows."""

import json

import numpy as np
import pytest

from superpose.errors import ConfigError
from superpose.models import CopulaModel, Level, Observed, Predictor, Rows, TreesModel
from superpose.models._conditional_trees import ConditionalTreesModel

RHO = np.array([[1, 0.8, 0.3], [0.8, 1, 0.1], [0.3, 0.1, 1]])
NAN = float("nan")
PLAIN = {"none": {"hist": 1.0}, "half": {"hist": 1.0}, "all": {"hist": 1.0}}


class Tree:
    """Stands for one fold's trees: predicts the same for every row, and remembers its inputs."""

    def __init__(self, value):
        self.value = value
        self.calls = []

    def predict(self, matrix):
        self.calls.append(matrix)
        return np.tile([self.value, 1.0], (len(matrix), 1))


@pytest.fixture
def world(make_world):
    return make_world(RHO, 6)


@pytest.fixture
def labels():
    """For target a: nothing, one other, both others given; a itself in some rows too."""
    return {
        "a": np.array([NAN, NAN, NAN, 1.0, 1.0, 1.0]),
        "b": np.array([NAN, 2.0, 2.0, NAN, 2.0, NAN]),
        "c": np.array([NAN, NAN, 1.0, NAN, NAN, 1.0]),
    }


def ask(world, labels, **more):
    return world.predictor.conditional(world.rows, world.observed(labels), **more)


def test_levels_count_the_others_and_never_the_target_itself(world, labels):
    levels = world.observed(labels).levels()
    assert levels["a"].tolist() == [0, 1, 2, 0, 1, 1]
    assert levels["b"].tolist() == [0, 0, 1, 1, 1, 2]
    assert levels["c"].tolist() == [0, 1, 1, 1, 2, 1]


def test_a_set_with_one_known_label_is_known(table, codec):
    labels = {t: np.full_like(y, NAN) for t, y in codec.labels(table).items()}
    labels["tags"][3, 0] = 1.0
    levels = Observed(codec.target_kinds, labels).levels()
    assert levels["weight"][3] == 1
    assert levels["tags"][3] == 0
    assert sum(level.sum() for level in levels.values()) == 5


def test_each_row_gets_the_mixture_of_its_level(world, labels, fixed_model):
    models = [
        fixed_model("hist", "abc"),
        fixed_model("trees given", "abc", [5.0, 1.0], given=True),
        fixed_model("trees all", "abc", [9.0, 1.0], given=True),
    ]
    weights = {"none": {"hist": 1.0}, "half": {"trees given": 1.0}, "all": {"trees all": 1.0}}
    pred = ask(world.with_models(models, weights), labels)
    assert pred["a"][:, 0].tolist() == [0.0, 5.0, 9.0, 0.0, 5.0, 5.0]
    assert pred["b"][:, 0].tolist() == [0.0, 0.0, 5.0, 5.0, 5.0, 9.0]


def test_trees_read_the_others_values_beside_the_inputs(world, labels):
    tree = Tree(5.0)
    model = ConditionalTreesModel("trees given", ["a"], [tree])
    pred = model.predict(world.rows, world.observed(labels))
    assert pred["a"][:, 0].tolist() == [5.0] * 6
    (matrix,) = tree.calls
    np.testing.assert_array_equal(matrix[:, 0], world.rows.matrix[:, 0])
    np.testing.assert_array_equal(matrix[:, 1:], np.stack([labels["b"], labels["c"]], axis=1))


def test_trees_that_are_given_nothing_read_that_nothing_is_measured(world):
    tree = Tree(5.0)
    ConditionalTreesModel("trees given", ["a"], [tree]).predict(world.rows)
    (matrix,) = tree.calls
    assert np.isnan(matrix[:, 1:]).all()


def test_trees_of_folds_and_of_all_rows_weigh_alike(world):
    model = TreesModel("hist", ["a"], [Tree(1.0), Tree(3.0)], whole=Tree(6.0))
    assert model.predict(world.rows)["a"][:, 0].tolist() == [4.0] * 6


def test_mixtures_are_mixed(world, labels, fixed_model):
    models = [
        fixed_model("hist", "abc"),
        fixed_model("trees given", "abc", [8.0, 1.0], given=True),
    ]
    weights = {**PLAIN, "half": {"trees given": 0.25, "hist": 0.75}}
    assert ask(world.with_models(models, weights), labels)["a"][1, 0] == 2.0


def test_a_model_predicts_once_for_all_targets_with_what_was_measured(world, labels, fixed_model):
    network = fixed_model("joint", "abc", [3.0, 1.0], given=True)
    network.needs_observed = False
    weights = {**PLAIN, "half": {"joint": 1.0}}
    world = world.with_models([network, fixed_model("hist", "abc")], weights)
    observed = world.observed(labels)
    pred = world.predictor.conditional(world.rows, observed)
    assert pred["a"][:, 0].tolist() == [0.0, 3.0, 0.0, 0.0, 3.0, 3.0]
    assert network.calls == [observed]


def test_models_that_no_row_calls_for_do_not_predict(world, fixed_model):
    models = [
        fixed_model("hist", "abc", [7.0, 1.0]),
        fixed_model("joint", "abc", given=True),
        fixed_model("trees all", "abc", given=True),
    ]
    weights = {"none": {"hist": 1.0}, "half": {"joint": 1.0}, "all": {"trees all": 1.0}}
    pred = ask(world.with_models(models, weights), {t: np.full(6, NAN) for t in "abc"})
    for z in pred.values():
        np.testing.assert_array_equal(z, np.tile([7.0, 1.0], (6, 1)))
    assert models[1].calls == models[2].calls == []


def test_what_is_predicted_without_measurements_is_predicted_once(world, labels, fixed_model):
    model = fixed_model("hist", "abc")
    world = world.with_models([model], PLAIN)
    for _ in range(3):
        ask(world, labels)
    world.predictor.deployed(world.rows.take(np.array([0, 0, 5])))
    assert len(model.calls) == 1


def test_the_copula_stands_on_the_base(world, labels):
    pred = ask(world, labels)
    assert pred["a"][1, 0] == pytest.approx(0.8 * 2.0)
    assert pred["b"][5, 0] == pytest.approx(
        np.array([0.8, 0.1]) @ np.linalg.solve([[1, 0.3], [0.3, 1]], [1.0, 1.0])
    )


def test_a_copula_that_is_given_nothing_is_its_base(world):
    copula = world.predictor.models[1]
    for z in copula.predict(world.rows).values():
        np.testing.assert_array_equal(z, np.tile([0.0, 1.0], (6, 1)))


def test_a_level_can_be_requested_in_every_row(world, labels, fixed_model):
    models = [
        fixed_model("hist", "abc"),
        fixed_model("trees given", "abc", [5.0, 1.0], given=True),
    ]
    weights = {**PLAIN, "half": {"trees given": 1.0}}
    world = world.with_models(models, weights)
    assert (ask(world, labels, level="half")["a"][:, 0] == 5.0).all()
    assert (ask(world, labels, level="all")["a"][:, 0] == 0.0).all()


def test_only_the_requested_targets_are_predicted(world, labels):
    whole = ask(world, labels)
    some = ask(world, labels, targets=["c"])
    assert list(some) == ["c"]
    np.testing.assert_array_equal(some["c"], whole["c"])


def test_a_predictor_of_one_level_refuses_measured_targets(world, labels):
    predictor = Predictor(
        world.predictor.codec, world.predictor.models, {"none": world.predictor.levels["none"]}
    )
    assert not predictor.takes_given
    with pytest.raises(ConfigError, match="given: this model was trained without it; train again"):
        predictor.conditional(world.rows, world.observed(labels))


def test_pruning_drops_what_no_mixture_uses_and_changes_no_prediction(world, labels, fixed_model):
    copula = world.predictor.models[1].copula
    models = [
        fixed_model("hist", "abc"),
        fixed_model("alone", "abc"),
        *(fixed_model("trees given", t, [5.0, 1.0], given=True) for t in "abc"),
        *(fixed_model("trees all", t, [9.0, 1.0], given=True) for t in "abc"),
        CopulaModel(copula, {t: {"alone": 1.0} for t in "abc"}),
    ]
    weights = {**PLAIN, "half": {"trees given": 0.5, "hist": 0.5, "copula": 0.0}}
    predictor = world.with_models(models, weights).predictor
    pruned = predictor.pruned()
    assert [m.name for m in pruned.models] == ["hist", *["trees given"] * 3]
    assert len(predictor.models) == len(models)  # a copy, the whole stays whole


def test_a_copula_that_some_mixture_uses_stays_with_its_base(world, labels):
    pruned = world.predictor.pruned()
    assert [m.name for m in pruned.models] == ["hist", "copula"]
    only = {t: {"copula": 1.0} for t in "abc"}
    levels = {name: Level(only) for name in world.predictor.levels}
    pruned = Predictor(world.predictor.codec, world.predictor.models, levels).pruned()
    assert [m.name for m in pruned.models] == ["hist", "copula"]


def test_a_stored_copula_predicts_the_same(world, labels):
    copula = world.predictor.models[1]
    facts, arrays = copula.to_state()
    again = CopulaModel.from_state(json.loads(json.dumps(facts)), arrays)
    observed = world.observed(labels)
    expected = copula.predict(world.rows, observed)
    for target, z in again.predict(world.rows, observed).items():
        np.testing.assert_array_equal(z, expected[target])


def test_rows_can_be_taken_as_often_as_they_are_named(world):
    rows = world.rows.take(np.array([0, 0, 5]))
    assert isinstance(rows, Rows)
    assert len(rows) == len(rows.inputs["numbers"]) == len(rows.matrix) == 3
    assert len(rows.predict({"b": ["hist"]})["b"]["hist"]) == 3


def test_inputs_are_encoded_when_they_are_read_and_once(world):
    calls = []

    def inputs():
        calls.append("inputs")
        return {"numbers": np.zeros((4, 1))}

    rows = Rows(world.predictor.codec, 4, inputs=inputs, matrix=pytest.fail)
    some = rows.take(np.array([1, 2]))
    assert calls == []
    for _ in range(2):
        assert len(some.inputs["numbers"]) == 2
    assert len(rows.inputs["numbers"]) == 4
    assert calls == ["inputs"]
