"""Blends: convex, greedy, and never without the model that has to be in."""

import numpy as np
import pytest

from superpose.evaluation._blend import ROUNDS, greedy_blend
from superpose.models import mix


@pytest.fixture
def truth():
    return np.random.default_rng(0).normal(size=(300, 1))


@pytest.fixture
def models(truth):
    """Three models with errors of their own, the last far worse."""
    rng = np.random.default_rng(1)
    return {
        name: truth + scale * rng.normal(size=truth.shape)
        for name, scale in (("hist", 0.5), ("joint", 0.5), ("alone", 3.0))
    }


@pytest.fixture
def loss(truth):
    return lambda z: float(np.mean((z - truth) ** 2))


def test_a_mixture_is_the_weighted_mean(models):
    mixed = mix(models, {"hist": 0.25, "alone": 0.75})
    np.testing.assert_allclose(mixed, 0.25 * models["hist"] + 0.75 * models["alone"])


def test_weights_are_positive_and_sum_to_one(models, loss):
    for must in (None, *models):
        weights = greedy_blend(models, loss, must=must)
        assert sum(weights.values()) == pytest.approx(1.0)
        assert all(w > 0 for w in weights.values())
        assert all((ROUNDS * w) >= 1 - 1e-9 for w in weights.values())


def test_the_blend_is_at_least_as_good_as_the_best_model_on_the_rows_that_choose(models, loss):
    blended = loss(mix(models, greedy_blend(models, loss)))
    assert blended <= min(loss(z) for z in models.values()) + 1e-12


def test_models_with_errors_of_their_own_are_blended(models, loss):
    weights = greedy_blend(models, loss)
    assert weights["hist"] == pytest.approx(0.5, abs=0.1)
    assert weights.get("alone", 0.0) <= 0.1


def test_a_model_that_only_harms_is_left_out(models, loss):
    assert greedy_blend({"hist": models["hist"], "alone": models["alone"] + 50}, loss) == {
        "hist": 1.0
    }


def test_one_model_is_itself(models, loss):
    assert greedy_blend({"hist": models["hist"]}, loss) == {"hist": 1.0}


def test_equal_models_are_not_blended_for_nothing(models, loss):
    assert greedy_blend({"a": models["hist"], "b": models["hist"]}, loss) == {"a": 1.0}


@pytest.mark.parametrize("must", ["hist", "joint", "alone"])
def test_a_model_that_has_to_be_in_is_in(models, loss, must):
    assert greedy_blend(models, loss, must=must)[must] >= 1 / ROUNDS - 1e-12


def test_a_model_that_has_to_be_in_gets_as_little_as_possible_if_it_only_harms(models, loss):
    weights = greedy_blend(
        {"hist": models["hist"], "joint": models["joint"] + 50}, loss, must="joint"
    )
    assert weights == pytest.approx({"hist": 1 - 1 / ROUNDS, "joint": 1 / ROUNDS})


def test_a_model_that_has_to_be_in_is_in_even_where_nothing_can_be_measured(models):
    assert greedy_blend(models, lambda z: float("nan"), must="alone") == {"alone": 1.0}


def test_the_order_of_the_models_does_not_matter(models, loss):
    backwards = dict(reversed(models.items()))
    assert greedy_blend(backwards, loss) == pytest.approx(greedy_blend(models, loss))


def test_with_one_pick_a_model_is_taken_whole():
    low, high = np.zeros((1, 1)), np.ones((1, 1))

    def near_a_quarter(z):
        return (z.item() - 0.25) ** 2

    models = {"high": high, "low": low}
    assert greedy_blend(models, near_a_quarter, rounds=1) == {"low": 1.0}
    assert greedy_blend(models, near_a_quarter, must="high", rounds=1) == {"high": 1.0}
