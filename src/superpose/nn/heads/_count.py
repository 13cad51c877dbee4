"""The head of counts: the logarithm of a Poisson rate, on the scale of the training rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from torch import Tensor

from superpose.distributions import LOG_RATE_LIMIT, Count
from superpose.functional import poisson_loss

from ._base import Head


@dataclass(frozen=True, eq=False)
class CountHead(Head):
    """The logarithm of a rate relative to the mean, in units of its own deviation.

    Its numbers are those of one target: no other one shares its formula.
    """

    distribution: Count

    @classmethod
    def of(cls, kind: Any) -> Self:
        return cls(kind.distribution)

    @property
    def n_outputs(self) -> int:
        return 1

    def _log_rate(self, out: Tensor) -> Tensor:
        return out * self.distribution.log_scale + float(np.log(self.distribution.mean))

    def loss(self, out: Tensor, y: Tensor) -> Tensor:
        return poisson_loss(self._log_rate(out), y) / self.distribution.loss_scale

    def link(self, out: Tensor) -> Tensor:
        return self._log_rate(out).clamp(-LOG_RATE_LIMIT, LOG_RATE_LIMIT).exp()
