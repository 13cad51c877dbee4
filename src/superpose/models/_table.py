"""The table of models: what can stand in a bundle, by family."""

from __future__ import annotations

from collections.abc import Callable

from ._base import Model
from ._baselines import BaselineModel, NaiveForecastModel
from ._conditional_trees import ConditionalTreesModel
from ._copula import CopulaModel
from ._trees import TreesModel


def _network() -> type[Model]:
    from .network import NetworkModel  # torch is imported here, and not before

    return NetworkModel


# Classes behind calls, so that who has no network does without torch.
MODELS: dict[str, Callable[[], type[Model]]] = {
    "network": _network,
    "trees": lambda: TreesModel,
    "conditional_trees": lambda: ConditionalTreesModel,
    "copula": lambda: CopulaModel,
    "baseline": lambda: BaselineModel,
    "naive_forecast": lambda: NaiveForecastModel,
}
