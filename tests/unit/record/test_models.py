"""Models have one name on every screen, and stand in one order."""

import pytest

from superpose.record import in_order, mixture_name, model_name, recorded_name, recorded_weights


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        ({}, ""),
        ({"catboost": 1.0}, "catboost"),
        ({"single_task": 1.0}, "single-task net"),
        ({"trees": 0.5, "multi_task": 0.5}, "0.5 multi-task net + 0.5 trees"),
        ({"copula": 7 / 11, "single_task": 4 / 11}, "0.36 single-task net + 0.64 copula"),
        ({"trees given": 0.25, "trees all": 0.75},
         "0.25 trees given some targets + 0.75 trees given all targets"),
        ({"mine": float("nan"), "multi_task": float("nan")}, "multi-task net + mine"),
    ],
)  # fmt: skip
def test_a_mixture_is_named_with_its_weights_in_one_order(weights, words):
    assert mixture_name(weights) == words
    assert mixture_name(dict(reversed(weights.items()))) == words


def test_names_of_the_bundle_become_names_of_the_record():
    stored = {"alone": 0.3, "joint": 0.5, "hist": 0.2, "hist-coarse": 0.0}
    weights = recorded_weights(stored)
    assert list(weights.items()) == [("multi_task", 0.5), ("single_task", 0.3), ("trees", 0.2)]
    assert recorded_name("catboost") == model_name("catboost") == "catboost"


def test_a_model_that_nobody_knows_stands_behind_the_others():
    assert in_order(["zeta", "alpha", "baseline", "deployed"]) == [
        "deployed",
        "baseline",
        "alpha",
        "zeta",
    ]
