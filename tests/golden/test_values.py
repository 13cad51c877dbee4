"""Pinned values: each was computed once by the formula, in float64, without the package."""

import numpy as np
import pytest
import torch

from superpose.distributions import condition_normal, holm, paired_test, shrunk_correlation
from superpose.evaluation._blend import greedy_blend
from superpose.functional import (
    binary_loss,
    category_loss,
    density_matrix,
    essay_attention,
    gaussian_loss,
    multilabel_loss,
    ordinal_log_probabilities,
    ordinal_loss,
    piecewise_linear,
    poisson_loss,
    purity,
    task_attention,
    task_attention_weights,
    von_neumann_entropy,
)

NAN = float("nan")
T = torch.tensor
QUERY = T([[1.0, 0.0], [0.0, 2.0], [-1.0, 1.0]])
KEY = T([[0.5, -1.0], [1.0, 1.0], [0.0, 3.0]])
PAIR = T([[0.0, 0.5, -0.5], [1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])
SINK = T([0.0, 1.0, -1.0])
VALUE = T([[1.0, 2.0], [3.0, -1.0], [0.0, 4.0]])
SAVED = np.array([0.4, -0.1, 0.3, 0.2, 0.5, -0.2])
ORDINAL = T([[0.3, -1.0, 0.5, 0.2], [-1.0, 0.4, -0.5, 1.0]])

GAPPY = np.array(
    [
        [1.0, 2.0, NAN],
        [2.0, 1.5, 0.3],
        [3.0, 4.0, -1.0],
        [4.5, 3.0, NAN],
        [0.5, NAN, 2.0],
        [2.5, 2.2, 0.1],
        [1.2, 0.4, 0.9],
    ]
)
CORRELATION = np.array([[1.0, 0.5, -0.3], [0.5, 1.0, 0.2], [-0.3, 0.2, 1.0]])
SCORES = np.array([[1.0, NAN, -0.5], [-2.0, NAN, NAN]])
STATES = np.array([[[3.0, 0.0], [1.0, 1.0], [0.0, -2.0]], [[1.0, 2.0], [2.0, -1.0], [1.0, 0.0]]])


def weights():
    return task_attention_weights(QUERY, KEY, pair=PAIR, sink=SINK)


def facts(test):
    return [test.mean, test.error, test.p, *test.interval()]


def blend(wanted, must=None):
    """Two models that predict 0 and 1, and one that is far off."""
    preds = {"low": np.zeros((1, 1)), "high": np.ones((1, 1)), "off": np.full((1, 1), 9.0)}
    mixture = greedy_blend(preds, lambda z: (z.item() - wanted) ** 2, must=must)
    return [mixture.get(name, 0.0) for name in preds]


VALUES = {
    "task attention, weights": (
        weights,
        [
            [0.0, 0.675470, 0.122523, 0.202007],
            [0.009057, 0.0, 0.953692, 0.037252],
            [0.319992, 0.340004, 0.0, 0.340004],
        ],
    ),
    "task attention, what is heard": (
        lambda: task_attention(weights(), VALUE),
        [[2.026409, -0.185376], [0.009057, 3.832880], [1.340004, 0.299981]],
    ),
    "essay attention": (
        lambda: essay_attention(QUERY, KEY, VALUE)[0],
        [[1.686449, 1.082630], [0.170159, 3.715306], [0.345386, 3.412445]],
    ),
    "piecewise-linear code": (
        lambda: piecewise_linear(
            T([[-0.5], [2.5]]), low=T([[-1.0, 0.0]]), span=T([[1.0, 4.0]]), used=T([[1.0, 1.0]])
        ),
        [[[0.5, 0.0]], [[1.0, 0.625]]],
    ),
    "gaussian loss": (
        lambda: gaussian_loss(T([[0.5, -1.0], [2.0, 0.3], [0.0, 0.0]]), T([1.0, -0.5, NAN])),
        [0.233160, 7.240031, 0.0],
    ),
    "binary loss": (
        lambda: binary_loss(T([[0.7], [-2.0], [5.0]]), T([1.0, 1.0, NAN])),
        [0.403186, 2.126928, 0.0],
    ),
    "category loss": (
        lambda: category_loss(T([[1.0, 0.0, -1.0], [0.2, 0.1, 3.0]]), T([2.0, 1.0])),
        [2.407606, 3.009601],
    ),
    "ordinal probabilities": (
        lambda: ordinal_log_probabilities(ORDINAL).exp(),
        [[0.214165, 0.205068, 0.196675, 0.384092], [0.802184, 0.064745, 0.093426, 0.039645]],
    ),
    "ordinal loss": (lambda: ordinal_loss(ORDINAL, T([1.0, 3.0])), [1.584414, 3.227791]),
    "multilabel loss": (
        lambda: multilabel_loss(
            T([[0.5, -1.0, 2.0], [1.0, 1.0, 1.0]]), T([[1.0, NAN, 0.0], [0.0, 0.0, 1.0]])
        ),
        [1.300502, 0.979928],
    ),
    "poisson loss": (lambda: poisson_loss(T([[0.5], [1.0]]), T([3.0, 0.0])), [0.444558, 2.718282]),
    "paired test: mean, error, p, interval": (
        lambda: facts(paired_test(SAVED)),
        [0.183333, 0.113774, 0.084006, -0.109131, 0.475798],
    ),
    "paired test, equal clusters": (
        lambda: facts(paired_test(SAVED, np.array([0, 0, 1, 1, 2, 2])))[:3],
        [0.183333, 0.033333, 0.015752],
    ),
    "paired test, uneven clusters": (
        lambda: facts(paired_test(SAVED, np.array([0, 0, 0, 1, 2, 2])))[:3],
        [0.183333, 0.017347, 0.004417],
    ),
    "holm: the third fails, so the fourth does too": (
        lambda: holm(np.array([0.04, 0.001, 0.026, 0.015]), 0.05).astype(float),
        [0.0, 1.0, 0.0, 1.0],
    ),
    "holm: larger p-values pass once the smaller ones have": (
        lambda: holm(np.array([0.04, 0.001, 0.024, 0.015]), 0.05).astype(float),
        [1.0, 1.0, 1.0, 1.0],
    ),
    "shrunk correlation of a table with gaps": (
        lambda: shrunk_correlation(GAPPY)[[0, 0, 1], [1, 2, 2]],
        [0.392193, -0.557450, -0.568914],
    ),
    "conditional normal, mean": (
        lambda: condition_normal(CORRELATION, SCORES)[0],
        [[1.0, 0.423077, -0.5], [-2.0, -1.0, 0.6]],
    ),
    "conditional normal, sd": (
        lambda: condition_normal(CORRELATION, SCORES)[1],
        [[0.0, 0.784465, 0.0], [0.0, 0.866025, 0.953939]],
    ),
    "density over tasks": (
        lambda: density_matrix(STATES)[[0, 0, 1], [1, 2, 2]],
        [0.117851, 0.074536, 0.031220],
    ),
    "purity and entropy": (
        lambda: [purity(density_matrix(STATES)), von_neumann_entropy(density_matrix(STATES))],
        [0.374172, 1.497579],
    ),
    "greedy blend, a quarter": (lambda: blend(0.25), [0.75, 0.25, 0.0]),
    "greedy blend, a half": (lambda: blend(0.5), [0.5, 0.5, 0.0]),
    "greedy blend, beyond all": (lambda: blend(-3.0), [1.0, 0.0, 0.0]),
    "greedy blend, one that has to be in": (lambda: blend(0.25, "off"), [0.95, 0.0, 0.05]),
}


@pytest.mark.parametrize(("compute", "expected"), VALUES.values(), ids=list(VALUES))
def test_the_value_is_what_it_was(compute, expected):
    np.testing.assert_allclose(np.asarray(compute()), expected, atol=2e-6, rtol=1e-5)
