"""Distributions: what a prediction says of a value, in numpy."""

from ._copula import condition_normal, shrunk_correlation
from ._latent import (
    PROBABILITY_FLOOR,
    SCORE_LIMIT,
    class_at,
    class_given,
    class_information,
    class_scores,
    count_at,
    count_given,
    count_log_mass,
    count_scores,
    score_within,
    variance_information,
)
from ._paired import Paired, holm, paired_test

__all__ = [
    "PROBABILITY_FLOOR",
    "SCORE_LIMIT",
    "Paired",
    "class_at",
    "class_given",
    "class_information",
    "class_scores",
    "condition_normal",
    "count_at",
    "count_given",
    "count_log_mass",
    "count_scores",
    "holm",
    "paired_test",
    "score_within",
    "shrunk_correlation",
    "variance_information",
]
