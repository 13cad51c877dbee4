"""Survival in discrete time: hazards of intervals, and what they say of a time."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def hazard_loss(out: Tensor, exposure: Tensor, event: Tensor) -> Tensor:
    """Negative log-likelihood of lifetimes that may be censored, in nats.

    ``-sum_j [event_j log h_j + exposure_j log(1 - h_j)]`` with ``h = sigmoid(out)``. Who is
    censored within an interval was exposed to a part of it.

    Args:
        out: logits of the hazards of K intervals.
        exposure: share of each interval that was lived through without the event, 0 to 1.
        event: 1 for the interval of the event, 0 elsewhere and where it was not seen.

    Shape:
        out, exposure and event (..., K) -> (...), 0 where nothing is known.

    Source:
        Gensheimer and Narasimhan 2019, "A scalable discrete-time survival model for neural
        networks", eq. 2; they count a censored interval as lived through from its middle on.

    Example:
        >>> none, seen = torch.zeros(1, 2), torch.tensor([[0.0, 1.0]])
        >>> round(float(hazard_loss(none, torch.tensor([[1.0, 0.0]]), seen)), 3)
        1.386
    """
    return (exposure * F.softplus(out) + event * F.softplus(-out)).sum(-1)


def interval_probabilities(out: Tensor) -> Tensor:
    """Turn hazards into the probability of each interval and of living beyond the last.

    Args:
        out: logits of the hazards of K intervals.

    Shape:
        out (..., K) -> (..., K + 1), summing to 1.

    Example:
        >>> interval_probabilities(torch.zeros(2)).tolist()
        [0.5, 0.25, 0.25]
    """
    lived = torch.exp(-F.softplus(out).cumsum(-1))
    before = torch.cat([torch.ones_like(lived[..., :1]), lived], dim=-1)
    return torch.cat([before[..., :-1] * torch.sigmoid(out), lived[..., -1:]], dim=-1)
