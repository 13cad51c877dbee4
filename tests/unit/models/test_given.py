"""Given: each row is answered by the mixture for what it knows."""

import json

import numpy as np
import pytest

from superpose.models._given import Given, Rows

RHO = np.array([[1, 0.8, 0.3], [0.8, 1, 0.1], [0.3, 0.1, 1]])
NAN = float("nan")


class Tree:
    """Stands for trees: says the same for every row, and remembers what it was asked with."""

    def __init__(self, value):
        self.value, self.asked = value, []

    def predict(self, matrix):
        self.asked.append(matrix)
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


def given_of(weights, **more):
    return Given({level: {t: dict(weights[level]) for t in "abc"} for level in weights}, **more)


def no_network(blocks, labels):
    raise AssertionError("no mixture uses the network")


def ask(given, world, labels, network=no_network, **more):
    return given.predict(world.predictor.codec.target_kinds, network, world.rows, labels, **more)


PLAIN = {"none": {"hist": 1.0}, "half": {"hist": 1.0}, "all": {"hist": 1.0}}


def test_levels_count_the_others_and_never_the_target_itself(world, labels):
    given = world.predictor.given
    levels = given.levels(world.predictor.codec.target_kinds, labels)
    assert levels["a"].tolist() == [0, 1, 2, 0, 1, 1]
    assert levels["b"].tolist() == [0, 0, 1, 1, 1, 2]
    assert levels["c"].tolist() == [0, 1, 1, 1, 2, 1]


def test_a_set_with_one_known_label_is_known(table, codec):
    labels = {t: np.full_like(y, NAN) for t, y in codec.labels(table).items()}
    labels["tags"][3, 0] = 1.0
    levels = Given({}).levels(codec.target_kinds, labels)
    assert levels["weight"][3] == 1
    assert levels["tags"][3] == 0
    assert sum(level.sum() for level in levels.values()) == 5


def test_each_row_gets_the_mixture_of_its_level(world, labels):
    half, every = Tree(5.0), Tree(9.0)
    given = given_of(
        {"none": {"hist": 1.0}, "half": {"trees given": 1.0}, "all": {"trees all": 1.0}},
        trees={t: {"trees given": half, "trees all": every} for t in "abc"},
    )
    told = ask(given, world, labels)
    assert told["a"][:, 0].tolist() == [0.0, 5.0, 9.0, 0.0, 5.0, 5.0]
    assert told["b"][:, 0].tolist() == [0.0, 0.0, 5.0, 5.0, 5.0, 9.0]


def test_trees_read_the_others_values_beside_the_inputs(world, labels):
    tree = Tree(5.0)
    given = given_of({**PLAIN, "half": {"trees given": 1.0}}, trees={"a": {"trees given": tree}})
    ask(given, world, labels, only=["a"])
    (matrix,) = tree.asked
    np.testing.assert_array_equal(matrix[:, 0], world.rows.matrix[:, 0])
    np.testing.assert_array_equal(matrix[:, 1:], np.stack([labels["b"], labels["c"]], axis=1))


def test_mixtures_are_mixed(world, labels):
    given = given_of(
        {**PLAIN, "half": {"trees given": 0.25, "hist": 0.75}},
        trees={t: {"trees given": Tree(8.0)} for t in "abc"},
    )
    assert ask(given, world, labels)["a"][1, 0] == 2.0


def test_the_network_is_asked_with_what_was_measured(world, labels):
    asked = []

    def network(blocks, told):
        asked.append((blocks, told))
        return {t: np.tile([3.0, 1.0], (6, 1)) for t in "abc"}

    given = given_of({**PLAIN, "half": {"joint": 1.0}})
    told = ask(given, world, labels, network)
    assert told["a"][:, 0].tolist() == [0.0, 3.0, 0.0, 0.0, 3.0, 3.0]
    ((blocks, seen),) = asked  # once for all targets
    assert blocks is world.rows.blocks
    assert seen is labels


def test_models_that_no_row_calls_for_are_not_asked(world, labels):
    tree = Tree(1.0)
    given = given_of(
        {"none": {"hist": 1.0}, "half": {"joint": 1.0}, "all": {"trees all": 1.0}},
        trees={t: {"trees all": tree} for t in "abc"},
    )
    nothing = {t: np.full(6, NAN) for t in "abc"}
    told = ask(given, world, nothing)
    for target, z in told.items():
        np.testing.assert_array_equal(z, world.rows.shipped[target])
    assert tree.asked == []


def test_the_copula_stands_on_the_base(world, labels):
    told = ask(world.predictor.given, world, labels)
    assert told["a"][1, 0] == pytest.approx(0.8 * 2.0)
    assert told["b"][5, 0] == pytest.approx(
        np.array([0.8, 0.1]) @ np.linalg.solve([[1, 0.3], [0.3, 1]], [1.0, 1.0])
    )


def test_a_level_can_be_asked_for_in_every_row(world, labels):
    given = given_of(
        {"none": {"hist": 1.0}, "half": {"trees given": 1.0}, "all": {"hist": 1.0}},
        trees={t: {"trees given": Tree(5.0)} for t in "abc"},
    )
    assert (ask(given, world, labels, level="half")["a"][:, 0] == 5.0).all()
    assert (ask(given, world, labels, level="all")["a"][:, 0] == 0.0).all()


def test_only_the_targets_that_are_asked_for_are_told(world, labels):
    whole = ask(world.predictor.given, world, labels)
    some = ask(world.predictor.given, world, labels, only=["c"])
    assert list(some) == ["c"]
    np.testing.assert_array_equal(some["c"], whole["c"])


def test_pruning_drops_what_no_mixture_uses_and_changes_no_prediction(world, labels):
    trees = {t: {"trees given": Tree(5.0), "trees all": Tree(9.0)} for t in "abc"}
    given = given_of(
        {**PLAIN, "half": {"trees given": 0.5, "hist": 0.5, "copula": 0.0}},
        trees=trees,
        copula=world.predictor.given.copula,
        base={t: {"hist": 1.0} for t in "abc"},
    )
    pruned = given.pruned()
    assert pruned.copula is None
    assert pruned.base == {}
    assert {t: set(by) for t, by in pruned.trees.items()} == {t: {"trees given"} for t in "abc"}
    assert trees["a"].keys() == {"trees given", "trees all"}  # a copy, the whole stays whole


def test_a_copula_that_some_mixture_uses_stays_with_its_base(world, labels):
    given = world.predictor.given
    pruned = given.pruned()
    assert pruned.base == given.base
    assert pruned.models("a") == {"hist", "copula"}
    expected = ask(given, world, labels)
    for target, z in ask(pruned, world, labels).items():
        np.testing.assert_array_equal(z, expected[target])


def test_state_through_json_predicts_the_same(world, labels):
    given = world.predictor.given
    again = Given.from_state(json.loads(json.dumps(given.state())))
    expected = ask(given, world, labels)
    for target, z in ask(again, world, labels).items():
        np.testing.assert_array_equal(z, expected[target])
    assert (again.factors, again.spread) == (given.factors, given.spread)
    assert Given.from_state(given_of(PLAIN).state()).copula is None


def test_rows_can_be_taken_as_often_as_they_are_named(world):
    rows = world.rows.take(np.array([0, 0, 5]))
    assert isinstance(rows, Rows)
    assert len(rows) == len(rows.blocks["numbers"]) == len(rows.shipped["a"]) == 3
    assert len(rows.told["b"]["hist"]) == 3
