"""Checks for parts that others write: a kind, a model, a fusion.

>>> from superpose.nn import TaskAttention
>>> from superpose.testing import check_fusion
>>> check_fusion(TaskAttention)       # an AssertionError names every claim that does not hold
"""

from ._fusion import FUSION_CHECKS, check_fusion
from ._model import MODEL_CHECKS, check_model

__all__ = ["FUSION_CHECKS", "MODEL_CHECKS", "check_fusion", "check_model"]
