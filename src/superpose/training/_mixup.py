"""Mixtures of training rows: their inputs as encoded, and the losses of both labels."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Mixed(NamedTuple):
    """What each row of a batch is mixed with.

    Args:
        partner: Place of the other row in the batch, (P, B).
        share: Share of the row itself, (P, B), from 0.5 to 1.
    """

    partner: Tensor
    share: Tensor

    @property
    def block(self) -> Tensor:
        """Both as a network reads them, (P, B, 2)."""
        return torch.stack([self.partner.to(self.share.dtype), self.share], -1)

    def of(self, networks: slice) -> Mixed:
        """Return what befell the rows of some networks."""
        return Mixed(self.partner[networks], self.share[networks])

    def partners(self, labels: Tensor) -> Tensor:
        """Return the labels (P, B, ...) of the rows that each row is mixed with."""
        index = self.partner.view(*self.partner.shape, *[1] * (labels.ndim - 2))
        return labels.gather(1, index.expand(labels.shape))

    def blend(self, own: Tensor, other: Tensor) -> Tensor:
        """Mix losses (P, B, ...) of a row's own label with those of its partner's."""
        share = self.share.view(*self.share.shape, *[1] * (own.ndim - 2))
        return share * own + (1 - share) * other


def mixture(rows: Tensor, alpha: float, shown: Tensor | None = None) -> Mixed:
    """Draw for every row of a batch what it is mixed with, from torch's global random stream.

    Rows that are told measured values stay as they are: a mixture of what is known and what is not
    would be neither.

    Args:
        rows: The rows of the batch, (P, B).
        alpha: Of the beta distribution that shares are drawn from, above 0.
        shown: What each row is told, (P, B, T).

    Source:
        Zhang et al. 2018 (mixup), eq. 1; departs by a share for each row, the larger one its own.
    """
    draw = torch.distributions.Beta(alpha, alpha).sample(rows.shape).to(rows.device)
    told = torch.zeros_like(rows, dtype=torch.bool) if shown is None else shown.any(-1)
    # The others in a random order, each with the next one and the last with the first.
    order = (torch.rand(rows.shape, device=rows.device) + told).argsort(-1)
    free = (~told).sum(-1, keepdim=True)
    at = torch.arange(rows.shape[-1], device=rows.device).expand(rows.shape)
    follower = torch.where(at < free, (at + 1) % free.clamp(min=1), at)
    partner = torch.empty_like(order).scatter_(-1, order, order.gather(-1, follower))
    return Mixed(partner, torch.where(told, 1.0, torch.maximum(draw, 1 - draw)))
