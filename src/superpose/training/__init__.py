"""Training: the loop, its folds in one pass, early stopping per target, checkpoints."""

from ._balance import Balance, Balancing, require_balance
from ._build import alike, build, places_of
from ._checkpoints import load_checkpoint, save_checkpoint
from ._early_stopping import EarlyStopping, EpochShare
from ._fit import TrainingSpec, fit_multi_task, fit_single_task
from ._fitted_network import FittedNetwork
from ._host import Tracking, require_host
from ._lookahead import Affinities, look_ahead
from ._loop import TrainResult, batch_size, batches, train
from ._modality_dropout import hideable
from ._reveal import reveal_columns
from ._settings import Settings
from ._sizes import count_weights
from ._stored_network import require_weights

__all__ = [
    "Affinities",
    "Balance",
    "Balancing",
    "EarlyStopping",
    "EpochShare",
    "FittedNetwork",
    "Settings",
    "Tracking",
    "TrainResult",
    "TrainingSpec",
    "alike",
    "batch_size",
    "batches",
    "build",
    "count_weights",
    "fit_multi_task",
    "fit_single_task",
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
