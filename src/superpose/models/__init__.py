"""Models: what predicts, how predictions are mixed, and the folder that keeps it all.

A ``Model`` predicts targets of ``Rows``; a ``Predictor`` mixes models, with weights for each target
and each level of what is measured. ``MODELS`` names what there is. Torch is imported by networks
only, when there are any.
"""

from ._base import Model, Predictions
from ._baselines import BaselineModel, NaiveForecastModel, naive_forecast
from ._bundle import load_bundle
from ._conditional_trees import ConditionalTreesModel
from ._copula import Copula, CopulaModel
from ._fitted import Fitted
from ._given_labels import (
    AUTO,
    given_labels,
    given_names,
    no_target,
    scored_given,
    with_measured,
)
from ._groups import group_indices
from ._mixture import Weights, mix
from ._names import (
    ALL,
    BASELINE,
    BASELINES,
    COPULA,
    HALF,
    LAST_VALUE,
    LEVELS,
    MULTI_TASK,
    NONE,
    SEASON_BEFORE,
    SINGLE_TASK,
    TREES_ALL,
    TREES_SOME,
)
from ._observed import Observed, observed_columns
from ._predictor import Level, Prediction, Predictor
from ._rows import Rows
from ._store import is_folder, load_folder, require_writable, save_folder, write_file
from ._table import MODELS
from ._trees import TreesModel

__all__ = [
    "ALL",
    "AUTO",
    "BASELINE",
    "BASELINES",
    "COPULA",
    "HALF",
    "LAST_VALUE",
    "LEVELS",
    "MODELS",
    "MULTI_TASK",
    "NONE",
    "SEASON_BEFORE",
    "SINGLE_TASK",
    "TREES_ALL",
    "TREES_SOME",
    "BaselineModel",
    "ConditionalTreesModel",
    "Copula",
    "CopulaModel",
    "Fitted",
    "Level",
    "Model",
    "NaiveForecastModel",
    "Observed",
    "Prediction",
    "Predictions",
    "Predictor",
    "Rows",
    "TreesModel",
    "Weights",
    "given_labels",
    "given_names",
    "group_indices",
    "is_folder",
    "load_bundle",
    "load_folder",
    "mix",
    "naive_forecast",
    "no_target",
    "observed_columns",
    "require_writable",
    "save_folder",
    "scored_given",
    "with_measured",
    "write_file",
]
