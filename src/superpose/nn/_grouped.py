"""Targets in groups that share nothing with each other: one network for each group."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ._network import Network


class Grouped(nn.Module):
    """Predict targets in groups, each by a network of its own; outside it looks like one network.

    Args:
        networks: One network for each group, alike in members and widths.
        groups: For each the indices of its targets, in the order of its heads; together they are
            0 to T - 1.

    Shape:
        As of ``Network``: inputs: name -> (B, ...) -> raw outputs (B, M, T, O). The vectors that
        the groups' targets share lie side by side, (B, M, G W), and so do their probes.

    Example:
        >>> from superpose.nn import Architecture, CategoryEncoder
        >>> sizes = Architecture(members=2)
        >>> heads = [{"a": 1, "c": 1}, {"b": 1}]
        >>> nets = [Network({"codes": CategoryEncoder([5], 4)}, own, sizes) for own in heads]
        >>> Grouped(nets, [[0, 2], [1]])({"codes": torch.tensor([[2], [3]])}).shape
        torch.Size([2, 2, 3, 1])
    """

    separate = False  # a probe is that of groups, not of targets

    def __init__(self, networks: Sequence[Network], groups: Sequence[Sequence[int]]) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)
        self.groups = [list(group) for group in groups]
        self.targets = sum(map(len, self.groups))
        for network in networks:
            network.separate = False  # its probe is a part of ours

    @property
    def _each(self) -> list[Network]:
        return [cast(Network, network) for network in self.networks]

    def hidden(self, inputs: dict[str, Tensor]) -> Tensor:
        """Return what the targets of each group share, (B, M, G W)."""
        return torch.cat([network.hidden(inputs) for network in self._each], -1)

    def task_states(
        self, hidden: Tensor, inputs: dict[str, Tensor], probe: Tensor | None = None
    ) -> Tensor:
        """Return the states before fusion, (B, M, T, D)."""
        shared = hidden.chunk(len(self.groups), -1)
        parts = zip(self._each, shared, self._probe_of(probe), strict=True)
        return self._in_order([net.task_states(h, inputs, part) for net, h, part in parts])

    def probe_shape(self, rows: int) -> tuple[int, ...]:
        """Return the shape of a probe: of the hidden vectors."""
        members, width = self._each[0].trunk.bias.shape
        return rows, members, len(self.groups) * width

    def fused_states(self, inputs: dict[str, Tensor], probe: Tensor | None = None) -> Tensor:
        """Return the states that the heads read, (B, M, T, D)."""
        parts = zip(self._each, self._probe_of(probe), strict=True)
        return self._in_order([net.fused_states(inputs, part) for net, part in parts])

    def forward(self, inputs: dict[str, Tensor], probe: Tensor | None = None) -> Tensor:
        parts = zip(self._each, self._probe_of(probe), strict=True)
        outputs = [net(inputs, part) for net, part in parts]
        widest = max(out.shape[-1] for out in outputs)
        return self._in_order([F.pad(out, (0, widest - out.shape[-1])) for out in outputs])

    def attention(self, inputs: dict[str, Tensor]) -> Tensor | None:
        """Return the map (B, T, T + 1), the sink last, if groups have any; 0 between groups."""
        maps = [network.attention(inputs) for network in self._each]
        some = next((own for own in maps if own is not None), None)
        if some is None:
            return None
        whole = some.new_zeros(len(some), self.targets, self.targets + 1)
        for group, own in zip(self.groups, maps, strict=True):
            for position, target in enumerate(group):
                if own is None:  # a target that is alone in its group listens to nobody
                    whole[..., target, -1] = 1.0
                else:
                    whole[..., target, [*group, self.targets]] = own[..., position, :]
        return whole

    def _probe_of(self, probe: Tensor | None) -> list[Tensor | None]:
        """Cut a probe in that of each group, the same for all of its targets."""
        if probe is None:
            return [None] * len(self.groups)
        return list(probe.chunk(len(self.groups), -1))

    def _in_order(self, parts: Sequence[Tensor]) -> Tensor:
        """Join the outputs of groups, (..., T_g, X) each, in the order of the targets."""
        columns = {
            target: part[..., position, :]
            for group, part in zip(self.groups, parts, strict=True)
            for position, target in enumerate(group)
        }
        return torch.stack([columns[target] for target in range(self.targets)], -2)
