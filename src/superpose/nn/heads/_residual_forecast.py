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
class ResidualForecastHead:
    """A linear map whose first outputs start from numbers of a series, among a network's heads.

    Each of H steps ahead starts from a share of the last number that is there and, where there is a
    period, of the number a period before it; one that is missing has no share. The task's state
    says which shares; the network learns the rest. So a step ahead costs what changes, not what is.

    Args:
        n_outputs: Raw outputs of the head, the first H of which are steps ahead.
        n_steps: How many steps H.
        block: Name of the block of the series.
        index: Position of the channel in it.
        gain: Factor from the series' units to the target's.
        offset: What is added then.
        before: For each step where in the series the number a period before it stands, from -S to
            -1; empty without a period.

    Shape:
        out (B, M, n_columns), which ends with the logits of the shares; series (B, S, C), NaN where
        missing -> (B, M, n_outputs).

    Example:
        >>> head = ResidualForecastHead(n_outputs=2, n_steps=1, block="past", index=0)
        >>> head(torch.tensor([[[0.0, 0.0, 9.0]]]), torch.tensor([[[3.0], [torch.nan]]]))[0].round()
        tensor([[3., 0.]])

    Source:
        NLinear, Zeng et al. 2023, section 4, which takes the last value off the window and adds it
        to each step; departs by adding as much of it as the state says, and by the period.
    """

    n_outputs: int
    n_steps: int
    block: str
    index: int
    gain: float = 1.0
    offset: float = 0.0
    before: tuple[int, ...] = ()

    @property
    def n_columns(self) -> int:
        """Outputs of the linear map behind it."""
        return self.n_outputs + self.n_steps * (2 if self.before else 1)

    def __call__(self, out: Tensor, series: Tensor) -> Tensor:
        here = slice(self.index, self.index + 1)
        values, there, _ = unrolled(series[..., here]).unbind(-1)
        positions = [-1] * self.n_steps + list(self.before)
        anchors = self.gain * values[..., positions] + self.offset
        # The last number is taken from wherever it stands; no other is replaced by one before it.
        last = torch.arange(len(positions), device=series.device) < self.n_steps
        known = torch.where(last, there.amax(-1, keepdim=True), there[..., positions])
        anchors, known = (x.unflatten(-1, (-1, self.n_steps)) for x in (anchors, known))
        change = out[..., : self.n_outputs]
        logits = out[..., self.n_outputs : self.n_columns].unflatten(-1, (-1, self.n_steps))
        logits = logits + logits.new_tensor(TRUST[: logits.shape[-2]])[:, None]
        logits = logits.masked_fill(known[..., None, :, :] == 0, -torch.inf)
        nothing = torch.zeros_like(logits[..., :1, :])
        shares = torch.cat([nothing, logits], -2).softmax(-2)[..., 1:, :]
        start = (shares * anchors[..., None, :, :]).sum(-2)
        return torch.cat([change[..., : self.n_steps] + start, change[..., self.n_steps :]], -1)
