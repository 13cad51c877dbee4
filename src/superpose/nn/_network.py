"""The model: encoders, trunk, task states, fusion, heads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from ._measured import Measured
from ._trunk import Trunk
from .fusion import FUSIONS
from .heads._bank import HeadBank
from .heads._residual_forecast import ResidualForecastHead

# The block of targets that are measured already; every other block holds inputs.
GIVEN = "given"

Inputs = dict[str, Tensor]


@dataclass(frozen=True)
class Architecture:
    """The sizes of a network.

    Args:
        fusion: A name in ``FUSIONS``.
        width: Hidden width of the trunk.
        members: Ensemble members M.
        depth: Hidden layers of the trunk.
        state: Width D of a task state.
        rank: Rank r of what states say to each other.
        blocks: Fusion blocks L, or layers of experts.
        dropout: Probability in [0, 1).
        donor_gradient: Share in [0, 1] of a listener's gradient that reaches what it listens to.
    """

    fusion: str = "task-attention"
    width: int = 192
    members: int = 8
    depth: int = 2
    state: int = 32
    rank: int = 16
    blocks: int = 1
    dropout: float = 0.1
    donor_gradient: float = 1.0


class Network(nn.Module):
    """Predict several targets of a row with one trunk and one state per target.

    Args:
        encoders: One encoder per input block; each has ``out_features``.
        heads: For each target, by its name, the raw outputs of its head, or a
            ``ResidualForecastHead``.
        architecture: Sizes of the parts.
        observed: For each target the number of columns in which its measured value is read; None
            for a network that never reads one. Its encoder is the one named "given".
        own: Positions among ``observed`` of the targets that it predicts, where these are not all.

    Shape:
        inputs: name -> (B, ...) -> raw outputs (B, M, T, O) with O that of the widest head;
        a target uses the first of them, as many as its head has. The block "given" holds measured
        values (B, R), NaN where hidden.
        ``probe`` is zeros in the shape of ``probe_shape(B)``, added to the hidden vectors, or to
        the states where it is ``separate``: its gradient is that of each target at the trunk.

    Example:
        >>> from superpose.nn import CategoryEncoder
        >>> encoders = {"categories": CategoryEncoder([5], 4)}
        >>> net = Network(encoders, {"sick": 1, "sort": 3}, Architecture(members=2))
        >>> net({"categories": torch.tensor([[2], [3]])}).shape
        torch.Size([2, 2, 2, 3])
    """

    def __init__(
        self,
        encoders: dict[str, nn.Module],
        heads: Mapping[str, int | ResidualForecastHead],
        architecture: Architecture,
        *,
        observed: Sequence[int] | None = None,
        own: Sequence[int] | None = None,
    ) -> None:
        super().__init__()
        a = architecture
        targets = len(heads)
        # First of all weights: sums over weights, such as a gradient's norm, have an order.
        self.heads = HeadBank(heads, members=a.members, task_dim=a.state)
        self.measured = None if observed is None else Measured(observed, a.state, own)
        self.encoders = nn.ModuleDict(encoders)
        for encode in encoders.values():
            share = getattr(encode, "rate", 1.0)
            for weight in encode.parameters():  # a pretrained layer has a rate of its own
                weight.rate = getattr(weight, "rate", share)  # type: ignore[attr-defined]
        inside = sum(cast(int, e.out_features) for e in encoders.values())
        self.trunk = Trunk(inside, a.width, depth=a.depth, members=a.members, dropout=a.dropout)
        fusion = FUSIONS[a.fusion if targets > 1 else "none"]
        self.states = fusion.towers(
            a.width, targets, task_dim=a.state, n_members=a.members, n_layers=a.blocks
        )
        self.fusion = nn.ModuleList(
            fusion(targets, a.state, rank=a.rank, donor_gradient=a.donor_gradient)
            for _ in range(a.blocks)
        )
        self.heads.draw()
        self.targets = targets
        # Nothing passes between targets behind the trunk: a state's gradient is its target's own,
        # so that all targets' come from one pass through the heads.
        self.separate = fusion is FUSIONS["none"]

    def hidden(self, inputs: Inputs, read: Inputs | None = None) -> Tensor:
        """Return what all targets share, (B, M, W); tokens that were read are not made anew."""
        tokens = [
            read[name] if read and name in read else encode(inputs[name])
            for name, encode in self.encoders.items()
        ]
        return self.trunk(torch.cat([token.flatten(-2) for token in tokens], -1))

    def task_states(self, hidden: Tensor, inputs: Inputs, probe: Tensor | None = None) -> Tensor:
        """Return the states before fusion, (B, M, T, D)."""
        if probe is not None and not self.separate:
            hidden = hidden + probe
        states = self.states(hidden).unflatten(-1, (self.targets, -1))
        if probe is not None and self.separate:
            states = states + probe
        return states if self.measured is None else self.measured(states, inputs[GIVEN])

    def probe_shape(self, rows: int) -> tuple[int, ...]:
        """Return the shape of a probe: of the hidden vectors, or of the states if separate."""
        members, width = self.trunk.bias.shape
        inside = self.heads.weight.shape[1:3] if self.separate else (width,)
        return (rows, members, *inside)

    def fused_states(
        self, inputs: Inputs, probe: Tensor | None = None, read: Inputs | None = None
    ) -> Tensor:
        """Return the states that the heads read, (B, M, T, D)."""
        states = self.task_states(self.hidden(inputs, read), inputs, probe)
        for fuse in self.fusion:
            states = fuse(states)
        return states

    def forward(self, inputs: Inputs, probe: Tensor | None = None) -> Tensor:
        return self.heads(self.fused_states(inputs, probe), inputs)

    def attention(self, inputs: Inputs) -> Tensor | None:
        """Return the members' mean map (B, T, T + 1) in the first fusion block, if it has one.

        The sink is last.
        """
        hidden = self.hidden(inputs)
        if hasattr(self.states, "attention"):  # experts that know whose they are
            weights = self.states.attention(hidden)  # type: ignore[operator]
        else:
            weights = self.fusion[0].attention(self.task_states(hidden, inputs))  # type: ignore[operator]
        return None if weights is None else weights.mean(1)
