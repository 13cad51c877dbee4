"""Training: the loop, its folds in one pass, early stopping per target, checkpoints."""

from ._absence import hideable
from ._balance import Balance, require_balance
from ._build import alike, build, places_of
from ._checkpoints import load_checkpoint, save_checkpoint
from ._fit import Recipe, fit_alone, fit_joint
from ._fitted_network import FittedNetwork
from ._host import Tracking, require_host
from ._lookahead import Affinities, look_ahead
from ._loop import Fold, Trained, batch_size, batches, train
from ._replicas import Replicas
from ._reveal import reveal_columns
from ._sizes import count_weights
from ._stored_network import require_weights
from ._watch import EpochShare, Watch

__all__ = [
    "Affinities",
    "Balance",
    "EpochShare",
    "FittedNetwork",
    "Fold",
    "Recipe",
    "Replicas",
    "Tracking",
    "Trained",
    "Watch",
    "alike",
    "batch_size",
    "batches",
    "build",
    "count_weights",
    "fit_alone",
    "fit_joint",
    "hideable",
    "load_checkpoint",
    "look_ahead",
    "places_of",
    "require_balance",
    "require_host",
    "require_weights",
    "reveal_columns",
    "save_checkpoint",
    "train",
]
