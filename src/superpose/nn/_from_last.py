"""A head that starts from the present: what comes next is mostly what was seen last."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ._series import unrolled

# The share of the last number that a fresh network keeps is sigmoid(2) = 0.88.
TRUST = 2.0


@dataclass(frozen=True)
class FromLast:
    """A head whose first outputs start from the last number of a series, in the list of heads.

    Each starts from as much of that number as the task's state trusts it; the network learns the
    rest. So a step ahead costs what changes, not what is.

    Args:
        size: Raw outputs of the head, the first H of which are steps ahead.
        steps: How many steps H.
        source: Block of the series.
        channel: Place of the channel in it.
        gain: Factor from the series' units to the target's.
        offset: What is added then.

    Shape:
        out (B, M, size + H), the last H of which say how far the last number is trusted; series
        (B, S, C), NaN where missing -> (B, M, size).

    Example:
        >>> head = FromLast(size=2, steps=1, source="past", channel=0)
        >>> head(torch.tensor([[[0.0, 0.0, 9.0]]]), torch.tensor([[[3.0], [torch.nan]]]))[0].round()
        tensor([[3., 0.]])

    Source:
        NLinear, Zeng et al. 2023, section 4, which takes the last value off the window and adds it
        to each step; departs by adding as much of it as the state says.
    """

    size: int
    steps: int
    source: str
    channel: int
    gain: float = 1.0
    offset: float = 0.0

    @property
    def width(self) -> int:
        """Outputs of the linear map behind it."""
        return self.size + self.steps

    def __call__(self, out: Tensor, series: Tensor) -> Tensor:
        here = slice(self.channel, self.channel + 1)
        last = self.gain * unrolled(series[..., here])[..., -1, 0] + self.offset
        told, trust = out[..., : self.size], out[..., self.size : self.width]
        start = torch.sigmoid(trust + TRUST) * last[..., None, None]
        return torch.cat([told[..., : self.steps] + start, told[..., self.steps :]], -1)
