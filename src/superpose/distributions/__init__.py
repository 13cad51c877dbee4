"""Distributions: what a prediction says of a value, in numpy.

    >>> import numpy as np
    >>> from superpose.distributions import Categorical
    >>> dist = Categorical(n_classes=2)
    >>> y = np.array([1.0, 0.0, 1.0, np.nan])
    >>> pred = np.array([[0.2, 0.8], [0.6, 0.4], [0.5, 0.5], [0.9, 0.1]])
    >>> dist.row_loss(y, pred).round(2).tolist()
    [0.22, 0.51, 0.69, nan]
    >>> dist.baseline(y).round(2).tolist()
    [0.33, 0.67]

What networks learn of a distribution stands in the heads of `superpose.nn`.
"""

from ._base import Conformity, Distribution, IntervalConformity, Latent, Scale, latent_of
from ._boxes import Peaks, box_overlap, center_heatmap, find_peaks
from ._categorical import Bernoulli, Categorical, Items, Ordinal
from ._copula import condition_normal, shrunk_correlation
from ._count import LOG_RATE_LIMIT, RATE_FLOOR, Count, poisson_deviance
from ._detections import LEAST_SCORE, Detections
from ._hazard import Hazard
from ._location_categorical import LocationCategorical
from ._multilabel import Multilabel
from ._normal import SCALE_FLOOR, Normal, NormalVector, mean_of_known
from ._normal_scores import PROBABILITY_FLOOR
from ._paired import Paired, holm, paired_test
from ._text import Text

__all__ = [
    "LEAST_SCORE",
    "LOG_RATE_LIMIT",
    "PROBABILITY_FLOOR",
    "RATE_FLOOR",
    "SCALE_FLOOR",
    "Bernoulli",
    "Categorical",
    "Conformity",
    "Count",
    "Detections",
    "Distribution",
    "Hazard",
    "IntervalConformity",
    "Items",
    "Latent",
    "LocationCategorical",
    "Multilabel",
    "Normal",
    "NormalVector",
    "Ordinal",
    "Paired",
    "Peaks",
    "Scale",
    "Text",
    "box_overlap",
    "center_heatmap",
    "condition_normal",
    "find_peaks",
    "holm",
    "latent_of",
    "mean_of_known",
    "paired_test",
    "poisson_deviance",
    "shrunk_correlation",
]
