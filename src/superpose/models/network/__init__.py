"""Networks: what they are built of, how they predict, how they are stored.

The only part of `superpose.models` that imports torch.
"""

from ._build import Heads, alike, build, heads_of
from ._model import NetworkModel, networks
from ._predict import (
    Inputs,
    Kinds,
    as_tensors,
    average_rows,
    predict_rows,
    predictions,
    raw_outputs,
)
from ._stored import require_weights

__all__ = [
    "Heads",
    "Inputs",
    "Kinds",
    "NetworkModel",
    "alike",
    "as_tensors",
    "average_rows",
    "build",
    "heads_of",
    "networks",
    "predict_rows",
    "predictions",
    "raw_outputs",
    "require_weights",
]
