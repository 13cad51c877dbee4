"""Pure functions: attention across tasks, losses that skip missing labels, paired tests, copulas.

>>> import numpy as np
>>> from superpose.functional import holm
>>> holm(np.array([0.01, 0.2]), delta=0.05).tolist()
[True, False]
"""

from ._attention import essay_attention, piecewise_linear, task_attention, task_attention_weights
from ._copula import condition_normal, shrunk_correlation
from ._density import density_matrix, effective_states, purity, von_neumann_entropy
from ._gramian import tap_gramian, weight_gramian
from ._hazards import hazard_loss, interval_probabilities
from ._losses import (
    LOG_RATE_LIMIT,
    SCALE_FLOOR,
    binary_loss,
    category_loss,
    gaussian_loss,
    gaussian_parameters,
    multilabel_loss,
    ordinal_log_probabilities,
    ordinal_loss,
    poisson_loss,
)
from ._paired import Paired, holm, paired_test
from ._recurrent import lstm
from ._triples import embed_triples

__all__ = [
    "LOG_RATE_LIMIT",
    "SCALE_FLOOR",
    "Paired",
    "binary_loss",
    "category_loss",
    "condition_normal",
    "density_matrix",
    "effective_states",
    "embed_triples",
    "essay_attention",
    "gaussian_loss",
    "gaussian_parameters",
    "hazard_loss",
    "holm",
    "interval_probabilities",
    "lstm",
    "multilabel_loss",
    "ordinal_log_probabilities",
    "ordinal_loss",
    "paired_test",
    "piecewise_linear",
    "poisson_loss",
    "purity",
    "shrunk_correlation",
    "tap_gramian",
    "task_attention",
    "task_attention_weights",
    "von_neumann_entropy",
    "weight_gramian",
]
