"""Pure functions of tensors: attention across tasks, losses that skip missing labels, boxes."""

from typing import TYPE_CHECKING

from superpose.moved import moved_names

from ._attention import essay_attention, piecewise_linear, task_attention, task_attention_weights
from ._box_math import box_overlap, center_heatmap
from ._density import density_matrix, effective_states, purity, von_neumann_entropy
from ._gramian import probe_gramian, weight_gramian
from ._grids import enlarge
from ._hazards import hazard_loss, interval_probabilities
from ._losses import (
    binary_loss,
    category_loss,
    gaussian_loss,
    gaussian_parameters,
    multilabel_loss,
    ordinal_log_probabilities,
    ordinal_loss,
    poisson_loss,
)
from ._recurrent import lstm
from ._triples import embed_triples

__all__ = [
    "binary_loss",
    "box_overlap",
    "category_loss",
    "center_heatmap",
    "density_matrix",
    "effective_states",
    "embed_triples",
    "enlarge",
    "essay_attention",
    "gaussian_loss",
    "gaussian_parameters",
    "hazard_loss",
    "interval_probabilities",
    "lstm",
    "multilabel_loss",
    "ordinal_log_probabilities",
    "ordinal_loss",
    "piecewise_linear",
    "poisson_loss",
    "probe_gramian",
    "purity",
    "task_attention",
    "task_attention_weights",
    "von_neumann_entropy",
    "weight_gramian",
]

if not TYPE_CHECKING:  # type checkers know the new names only
    __getattr__ = moved_names(
        __name__,
        {
            "Paired": "superpose.distributions:Paired",
            "condition_normal": "superpose.distributions:condition_normal",
            "holm": "superpose.distributions:holm",
            "paired_test": "superpose.distributions:paired_test",
            "shrunk_correlation": "superpose.distributions:shrunk_correlation",
            "tap_gramian": "superpose.functional:probe_gramian",
        },
    )
