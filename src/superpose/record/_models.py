"""Names of models in a record, and their order wherever several stand side by side."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

MULTI_TASK, SINGLE_TASK = "multi_task", "single_task"
# What predicts a target in the end, and what ignores all inputs: both stand beside the models.
DEPLOYED, BASELINE = "deployed", "baseline"
TREES, COARSE_TREES = "trees", "coarse trees"
TREES_GIVEN_SOME, TREES_GIVEN_ALL = "trees given", "trees all"
COPULA = "copula"
LAST_VALUE, SEASON_BEFORE = "last value", "season before"
# What learns nothing from the inputs.
BASELINES = (BASELINE, LAST_VALUE, SEASON_BEFORE)

ORDER = (
    DEPLOYED,
    MULTI_TASK,
    SINGLE_TASK,
    "catboost",
    "lightgbm",
    "xgboost",
    TREES,
    COARSE_TREES,
    TREES_GIVEN_SOME,
    TREES_GIVEN_ALL,
    COPULA,
    LAST_VALUE,
    SEASON_BEFORE,
    BASELINE,
)

_WORDS = {
    MULTI_TASK: "multi-task net",
    SINGLE_TASK: "single-task net",
    TREES_GIVEN_SOME: "trees given some targets",
    TREES_GIVEN_ALL: "trees given all targets",
}

# What a model is called where it is fitted and stored, if that is another name.
_STORED = {"joint": MULTI_TASK, "alone": SINGLE_TASK, "hist": TREES, "hist-coarse": COARSE_TREES}


def recorded_name(model: str) -> str:
    """Returns the name in the record of a model that is stored under a name of its own.

    Example:
        >>> recorded_name("hist"), recorded_name("catboost")
        ('trees', 'catboost')
    """
    return _STORED.get(model, model)


def recorded_weights(weights: Mapping[str, float]) -> dict[str, float]:
    """Returns the weights of a mixture by names of the record, in their order, without zeros.

    Example:
        >>> recorded_weights({"hist": 0.4, "joint": 0.6, "alone": 0.0})
        {'multi_task': 0.6, 'trees': 0.4}
    """
    named = {recorded_name(model): float(weight) for model, weight in weights.items() if weight}
    return {model: named[model] for model in in_order(named)}


def in_order(models: Iterable[str]) -> list[str]:
    """Returns names of models in the order in which they always stand; unknown ones by name.

    Example:
        >>> in_order(["trees", "mine", "multi_task"])
        ['multi_task', 'trees', 'mine']
    """
    known = {name: position for position, name in enumerate(ORDER)}
    return sorted(models, key=lambda name: (known.get(name, len(ORDER)), name))


def model_name(model: str) -> str:
    """Returns what a model is called on screens and pages.

    Example:
        >>> model_name("single_task"), model_name("catboost")
        ('single-task net', 'catboost')
    """
    return _WORDS.get(model, model)


def mixture_name(weights: Mapping[str, float]) -> str:
    """Returns what a mixture is called, its models with their weights, always in the same order.

    Example:
        >>> mixture_name({"catboost": 0.4, "multi_task": 0.6}), mixture_name({"trees": 1.0})
        ('0.6 multi-task net + 0.4 catboost', 'trees')
    """
    models = in_order(weights)
    if len(models) < 2:
        return "".join(map(model_name, models))
    return " + ".join(f"{_share(weights[model])}{model_name(model)}" for model in models)


def _share(weight: float) -> str:
    """A weight with up to two decimals, nothing where it is not known."""
    return "" if math.isnan(weight) else f"{round(weight, 2):g} "
