"""Checks for parts that others write: a kind, a model, a fusion.

>>> from superpose.nn import TaskAttention
>>> from superpose.testing import check_fusion
>>> check_fusion(TaskAttention)       # an AssertionError names every claim that does not hold
"""

from ._fusion import FUSION_CHECKS, check_fusion
from ._kind import INPUT_CHECKS, TARGET_CHECKS, check_kind
from ._model import MODEL_CHECKS, check_model

__all__ = [
    "FUSION_CHECKS",
    "INPUT_CHECKS",
    "MODEL_CHECKS",
    "TARGET_CHECKS",
    "check_fusion",
    "check_kind",
    "check_model",
]
