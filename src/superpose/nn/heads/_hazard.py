"""The head of a time until an event: a hazard for each interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor

from superpose.distributions import Hazard
from superpose.functional import hazard_loss, interval_probabilities

from ._base import Head


@dataclass(frozen=True, eq=False)
class HazardHead(Head):
    """A logit of the hazard of each interval; its intervals are those of one target."""

    distribution: Hazard

    @classmethod
    def of(cls, kind: Any) -> Self:
        return cls(kind.distribution)

    @property
    def n_outputs(self) -> int:
        return self.distribution.n_intervals

    def loss(self, out: Tensor, y: Tensor) -> Tensor:
        uppers = torch.tensor(self.distribution.uppers, device=y.device)
        lowers = torch.tensor(self.distribution.lowers, device=y.device)
        times = y.abs().nan_to_num()[..., None]
        known = ~y.isnan()[..., None]
        event = known & ~torch.signbit(y)[..., None]
        here = event & (times <= uppers) & ((times > lowers) | ((times == 0) & (lowers == 0)))
        exposure = ((times - lowers) / (uppers - lowers)).clamp(0, 1)
        exposure = torch.where(here | ~known, 0.0, exposure)
        return hazard_loss(out, exposure, here.to(out.dtype))

    def link(self, out: Tensor) -> Tensor:
        return interval_probabilities(out)
