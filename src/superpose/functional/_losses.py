"""Losses per row that stay silent where the label is missing.

Every loss takes raw network outputs ``out`` of shape (..., O) and labels ``y`` of shape (...),
in which NaN means "not measured". It returns one number per row: 0 where the label is missing.
A missing label never turns a gradient into NaN, because it is replaced *before* the formula is
evaluated: ``torch.where`` alone would multiply an infinite slope by zero.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from superpose.distributions import LOG_RATE_LIMIT, SCALE_FLOOR


def _present(y: Tensor) -> tuple[Tensor, Tensor]:
    """Split labels into a mask of measured ones and a copy without NaN."""
    present = ~torch.isnan(y)
    return present, torch.where(present, y, torch.zeros_like(y))


def _masked(loss: Tensor, present: Tensor) -> Tensor:
    return torch.where(present, loss, torch.zeros_like(loss))


def _cross_entropy(logit: Tensor, label: Tensor) -> Tensor:
    # Torch's own function refuses labels that broadcast, as they do over ensemble members.
    return F.softplus(logit) - logit * label


def gaussian_parameters(out: Tensor) -> tuple[Tensor, Tensor]:
    """Turn raw outputs into the mean and the standard deviation of a normal distribution.

    Args:
        out: raw outputs, the last axis holds (mean, raw scale), standardised units.

    Shape:
        out (..., 2) -> mean (...), scale (...).

    Example:
        >>> mean, scale = gaussian_parameters(torch.zeros(3, 2))
        >>> float(mean[0]), round(float(scale[0]), 3)
        (0.0, 0.694)
    """
    mean, raw = out.unbind(-1)
    return mean, F.softplus(raw) + SCALE_FLOOR


def gaussian_loss(out: Tensor, y: Tensor) -> Tensor:
    """Squared error for the mean plus a normal likelihood that trains only the scale.

    ``0.5 (y - m)^2 + 0.5 ((y - sg[m]) / s)^2 + log s``, where sg stops the gradient. A plain
    likelihood lets the network explain a hard row by a large scale instead of a better mean; here
    the mean is as good as that of a network trained on squared error alone.

    Args:
        out: raw (mean, scale) outputs, standardised units.
        y: standardised labels, NaN = missing.

    Shape:
        out (..., 2), y (...) -> (...).

    Source:
        Stirn et al., "Faithful Heteroscedastic Regression with Neural Networks", AISTATS 2023,
        without their detached covariance of several outputs.

    Example:
        >>> loss = gaussian_loss(torch.zeros(2, 2), torch.tensor([1.0, float("nan")]))
        >>> [round(float(value), 3) for value in loss]
        [1.173, 0.0]
    """
    present, label = _present(y)
    mean, scale = gaussian_parameters(out)
    squared = 0.5 * (label - mean).square()
    likelihood = 0.5 * ((label - mean.detach()) / scale).square() + scale.log()
    return _masked(squared + likelihood, present)


def binary_loss(out: Tensor, y: Tensor) -> Tensor:
    """Cross-entropy of one yes-or-no label.

    Args:
        out: the logit of "yes".
        y: 0 or 1, NaN = missing.

    Shape:
        out (..., 1), y (...) -> (...).

    Example:
        >>> round(float(binary_loss(torch.zeros(1, 1), torch.ones(1))), 3)
        0.693
    """
    present, label = _present(y)
    return _masked(_cross_entropy(out.squeeze(-1), label), present)


def _chosen(log_probabilities: Tensor, y: Tensor) -> Tensor:
    present, label = _present(y)
    index = label.long().unsqueeze(-1)
    shape = torch.broadcast_shapes(log_probabilities.shape[:-1], index.shape[:-1])
    picked = log_probabilities.expand(*shape, -1).gather(-1, index.expand(*shape, 1))
    return _masked(-picked.squeeze(-1), present)


def category_loss(out: Tensor, y: Tensor) -> Tensor:
    """Cross-entropy of one class among several.

    Args:
        out: one logit per class.
        y: class index as a float, NaN = missing.

    Shape:
        out (..., K), y (...) -> (...).

    Example:
        >>> round(float(category_loss(torch.zeros(1, 4), torch.tensor([2.0]))), 3)
        1.386
    """
    return _chosen(F.log_softmax(out, dim=-1), y)


def ordinal_log_probabilities(out: Tensor) -> Tensor:
    """Log-probability of each of K ordered classes under ordered thresholds.

    ``out`` holds a location f and K - 1 thresholds: the first as it is, the others as raw gaps,
    t_j = t_{j-1} + softplus(r_j). With a_j = t_j - f, P(y <= j) = sigmoid(a_j), so

        log P(y = j) = log sigmoid(a_j) + log sigmoid(-a_{j-1}) + log sigmoid(r_j)

    where the last term is log(1 - exp(-softplus(r_j))): the difference of two sigmoids without
    ever subtracting two nearly equal numbers.

    Args:
        out: raw outputs, as many as classes (at least 2).

    Shape:
        out (..., K) -> (..., K), the exponentials sum to 1.

    Source:
        The proportional-odds model, McCullagh, "Regression Models for Ordinal Data", 1980; here
        the thresholds depend on the row, so that the widths of the classes may too.

    Example:
        >>> ordinal_log_probabilities(torch.randn(5, 4)).exp().sum(-1).round(decimals=4).tolist()
        [1.0, 1.0, 1.0, 1.0, 1.0]
    """
    location = out[..., :1]
    first = out[..., 1:2]
    gaps = out[..., 2:]
    above = torch.cat([first, first + F.softplus(gaps).cumsum(-1)], dim=-1) - location
    below_term = F.pad(F.logsigmoid(above), (0, 1))  # the last class has no upper threshold
    above_term = F.pad(F.logsigmoid(-above), (1, 0))  # the first class has no lower threshold
    gap_term = F.pad(F.logsigmoid(gaps), (1, 1))
    return below_term + above_term + gap_term


def ordinal_loss(out: Tensor, y: Tensor) -> Tensor:
    """Negative log-likelihood of one class among several that have an order.

    Args:
        out: raw outputs of `ordinal_log_probabilities`.
        y: class index, lowest 0, as a float, NaN = missing.

    Shape:
        out (..., K), y (...) -> (...).

    Example:
        >>> bool(ordinal_loss(torch.zeros(1, 3), torch.tensor([1.0])) > 0)
        True
    """
    return _chosen(ordinal_log_probabilities(out), y)


def multilabel_loss(out: Tensor, y: Tensor) -> Tensor:
    """Mean cross-entropy over the labels of a row that are known.

    Args:
        out: one logit per label.
        y: 0 or 1 per label, NaN = missing.

    Shape:
        out (..., L), y (..., L) -> (...).

    Example:
        >>> y = torch.tensor([[1.0, float("nan"), 0.0]])
        >>> round(float(multilabel_loss(torch.zeros(1, 3), y)), 3)
        0.693
    """
    present, label = _present(y)
    known = present.sum(-1).clamp(min=1)  # 1 avoids 0 / 0 in a row without any label
    return _masked(_cross_entropy(out, label), present).sum(-1) / known


def poisson_loss(out: Tensor, y: Tensor) -> Tensor:
    """Half the Poisson deviance: 0 for a perfect rate, never negative.

    ``rate - y log rate - (y - y log y)``; the subtracted part does not depend on the output.

    Args:
        out: the logarithm of the rate, cut to +-20.
        y: counts from 0 up, NaN = missing.

    Shape:
        out (..., 1), y (...) -> (...).

    Example:
        >>> y = torch.tensor([4.0])
        >>> round(float(poisson_loss(y.log().unsqueeze(-1), y)), 6) + 0.0
        0.0
    """
    present, label = _present(y)
    log_rate = out.squeeze(-1).clamp(-LOG_RATE_LIMIT, LOG_RATE_LIMIT)
    saturated = label - torch.xlogy(label, label)
    loss = log_rate.exp() - label * log_rate - saturated
    # Rounding alone can take a perfect prediction of a large count slightly below zero.
    return _masked(loss.clamp(min=0.0), present)
