"""Training: the loop, its folds in one pass, early stopping per target, checkpoints."""

from ._balance import Balance, Balancing, require_balance
from ._checkpoints import load_checkpoint, save_checkpoint
from ._early_stopping import EarlyStopping, EpochShare
from ._fit import TrainingSpec, fit_multi_task, fit_single_task
from ._host import Tracking, require_host
from ._lookahead import Affinities, look_ahead
from ._loop import TrainResult, batch_size, batches, train
from ._modality_dropout import hideable
from ._settings import Settings
from ._sizes import count_weights

__all__ = [
    "Affinities",
    "Balance",
    "Balancing",
    "EarlyStopping",
    "EpochShare",
    "Settings",
    "Tracking",
    "TrainResult",
    "TrainingSpec",
    "batch_size",
    "batches",
    "count_weights",
    "fit_multi_task",
    "fit_single_task",
    "hideable",
    "load_checkpoint",
    "look_ahead",
    "require_balance",
    "require_host",
    "save_checkpoint",
    "train",
]
