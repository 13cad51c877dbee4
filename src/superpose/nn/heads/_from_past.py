"""A head that starts from what was seen: what comes next is mostly what was there."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from superpose.nn.encoders._series import unrolled

# How a fresh network weighs the last number and that of a period before, against the logit 0 of
# nothing: it keeps 0.88 of the last number, or 0.79 of it and 0.11 of the other.
TRUST = (2.0, 0.0)


@dataclass(frozen=True)
class FromPast:
    """A head whose first outputs start from numbers of a series, in the list of a network's heads.

    Each of H steps ahead starts from a share of the last number that is there and, where there is a
    period, of the number a period before it; one that is missing has no share. The task's state
    says which shares; the network learns the rest. So a step ahead costs what changes, not what is.

    Args:
        size: Raw outputs of the head, the first H of which are steps ahead.
        steps: How many steps H.
        source: Block of the series.
        channel: Place of the channel in it.
        gain: Factor from the series' units to the target's.
        offset: What is added then.
        before: For each step where in the series the number a period before it stands, from -S to
            -1; empty without a period.

    Shape:
        out (B, M, width), which ends with the logits of the shares; series (B, S, C), NaN where
        missing -> (B, M, size).

    Example:
        >>> head = FromPast(size=2, steps=1, source="past", channel=0)
        >>> head(torch.tensor([[[0.0, 0.0, 9.0]]]), torch.tensor([[[3.0], [torch.nan]]]))[0].round()
        tensor([[3., 0.]])

    Source:
        NLinear, Zeng et al. 2023, section 4, which takes the last value off the window and adds it
        to each step; departs by adding as much of it as the state says, and by the period.
    """

    size: int
    steps: int
    source: str
    channel: int
    gain: float = 1.0
    offset: float = 0.0
    before: tuple[int, ...] = ()

    @property
    def width(self) -> int:
        """Outputs of the linear map behind it."""
        return self.size + self.steps * (2 if self.before else 1)

    def __call__(self, out: Tensor, series: Tensor) -> Tensor:
        here = slice(self.channel, self.channel + 1)
        values, there, _ = unrolled(series[..., here]).unbind(-1)
        places = [-1] * self.steps + list(self.before)
        anchors = self.gain * values[..., places] + self.offset
        # The last number is taken from wherever it stands; no other is replaced by one before it.
        last = torch.arange(len(places), device=series.device) < self.steps
        known = torch.where(last, there.amax(-1, keepdim=True), there[..., places])
        anchors, known = (x.unflatten(-1, (-1, self.steps)) for x in (anchors, known))
        told = out[..., : self.size]
        logits = out[..., self.size : self.width].unflatten(-1, (-1, self.steps))
        logits = logits + logits.new_tensor(TRUST[: logits.shape[-2]])[:, None]
        logits = logits.masked_fill(known[..., None, :, :] == 0, -torch.inf)
        nothing = torch.zeros_like(logits[..., :1, :])
        shares = torch.cat([nothing, logits], -2).softmax(-2)[..., 1:, :]
        start = (shares * anchors[..., None, :, :]).sum(-2)
        return torch.cat([told[..., : self.steps] + start, told[..., self.steps :]], -1)
