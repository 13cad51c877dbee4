"""Claim: where rows are exchangeable, intervals and sets cover at least nine of ten new labels.

It holds whatever the predictions are worth, and however few labels there are: it is the theorem of
split conformal prediction. Coverage is above its upper bound only where scores are ties, as those
of few counts are, and where the likeliest class alone is right more often.
"""

import numpy as np
import pyarrow as pa
import pytest

from superpose.evaluation._calibration import COVERAGE, conformal_quantile
from superpose.kinds import TARGET_KINDS

WORLDS, NEW = 400, 25
SLACK = 0.01  # three standard errors of the mean of so many worlds


def counts(rng, rows):
    """Counts with more variance than Poisson's, and a rate that is wrong by a factor."""
    rate = np.exp(rng.normal(1.5, 1.0, rows))
    return rng.negative_binomial(2, 2 / (2 + rate)).astype(float), 1.5 * rate[:, None]


def constant_counts(rng, rows):
    """One rate for all rows: many scores are the same."""
    return rng.poisson(2.3, rows).astype(float), np.full((rows, 1), 2.3)


def classes(rng, rows, n_classes=5):
    """Classes under probabilities that are far too sure of themselves."""
    logits = rng.normal(size=(rows, n_classes))
    p, stated = (np.exp(sharp * logits) for sharp in (1.0, 4.0))
    p, stated = p / p.sum(1, keepdims=True), stated / stated.sum(1, keepdims=True)
    y = (rng.random((rows, 1)) > p.cumsum(1)).sum(1).clip(max=n_classes - 1)
    return y.astype(float), stated


def useless_classes(rng, rows):
    """Probabilities that have nothing to do with the class."""
    return rng.integers(0, 5, rows).astype(float), rng.dirichlet(np.ones(5), rows)


LEVELS = list("abcde")
WORLD = {
    "counts": (counts, "count", [0, 4], 0.02),
    "one rate": (constant_counts, "count", [0, 4], 0.1),
    "category": (classes, "category", LEVELS, 0.0),
    "useless": (useless_classes, "category", LEVELS, 0.0),
    "ordinal": (classes, "ordinal", [1, 2, 3, 4, 5], 0.0),
    "binary": (lambda rng, n: classes(rng, n, 2), "binary", [0, 1], 0.05),
}


@pytest.mark.parametrize("rows", [19, 200])
@pytest.mark.parametrize("world", WORLD)
def test_intervals_and_sets_cover_nine_of_ten_new_labels_of_exchangeable_rows(world, rows):
    make, name, values, ties = WORLD[world]
    kind = TARGET_KINDS[name].fit("y", pa.chunked_array([values]))
    rng = np.random.default_rng(0)
    shares = []
    for _ in range(WORLDS):
        y, pred = make(rng, rows + NEW)
        quantile = conformal_quantile(kind, y[:rows], pred[:rows])
        shares.append(kind.metrics(y[rows:], pred[rows:], quantile=quantile)["coverage"])
    assert COVERAGE - SLACK <= np.mean(shares) <= COVERAGE + 1 / (rows + 1) + SLACK + ties
