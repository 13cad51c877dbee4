"""Training: the loop, its folds in one pass, early stopping per target, checkpoints.

``fit`` trains the networks of some jobs, each with its targets and its fold, from a
``TrainingSpec`` to a ``TrainResult``; a ``Callback`` is shown the ``TrainState`` on the way.
"""

from ._balance import Balance, require_balance
from ._batches import Batch, BatchSampler, batch_size
from ._callbacks import Callback, EpochProgress
from ._checkpoints import load_checkpoint, save_checkpoint
from ._early_stopping import EarlyStopping
from ._host import Tracker, require_host
from ._jobs import Job, multi_task_jobs, single_task_jobs
from ._lookahead import Affinities, look_ahead
from ._loop import TrainResult, fit
from ._networks import fit_multi_task, fit_single_task
from ._refit import refit_networks
from ._sizes import count_weights
from ._spec import TrainingSpec
from ._state import TrainState

__all__ = [
    "Affinities",
    "Balance",
    "Batch",
    "BatchSampler",
    "Callback",
    "EarlyStopping",
    "EpochProgress",
    "Job",
    "Tracker",
    "TrainResult",
    "TrainState",
    "TrainingSpec",
    "batch_size",
    "count_weights",
    "fit",
    "fit_multi_task",
    "fit_single_task",
    "load_checkpoint",
    "look_ahead",
    "multi_task_jobs",
    "refit_networks",
    "require_balance",
    "require_host",
    "save_checkpoint",
    "single_task_jobs",
]
