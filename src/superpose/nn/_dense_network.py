"""A network some of whose targets have heads of another form than a linear map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from ._network import Architecture, Network
from .encoders._maps import MapEncoder
from .heads._bank import module_key
from .heads._dense import CustomHead, DenseHead, LocationHead
from .heads._residual_forecast import ResidualForecastHead

AnyHead = int | ResidualForecastHead | DenseHead | CustomHead


class Outputs(NamedTuple):
    """Raw outputs where some targets have heads of their own form.

    Args:
        rows: (B, M, T, O), as of a network whose targets all have linear heads.
        dense: For each other target, by its name, (B, 1, S * C), NaN where a row has no such
            location. The members of the ensemble share them.
    """

    rows: Tensor
    dense: dict[str, Tensor]


class DenseNetwork(Network):
    """A network some of whose targets have outputs for each location of an input, or a module.

    Such a target has a task state as every other, so that targets exchange as always; its head
    reads the input's map, modulated by that state, or the state alone.

    Args:
        encoders: One encoder per input block.
        heads: For each target, by its name, the raw outputs of its linear head, a
            ``ResidualForecastHead``, a ``DenseHead`` or a ``CustomHead``.
        architecture: Sizes of the parts.
        observed: As of ``Network``.

    Shape:
        inputs: name -> (B, ...) -> ``Outputs``.

    Example:
        >>> from superpose.nn import WordEncoder
        >>> heads = {"intent": 2, "slots": DenseHead("text", 3)}
        >>> net = DenseNetwork({"text": WordEncoder(9, 9, 16)}, heads, Architecture())
        >>> rows, dense = net({"text": torch.ones(4, 5, 2, dtype=torch.long)})
        >>> rows.shape, dense["slots"].shape
        (torch.Size([4, 8, 2, 2]), torch.Size([4, 1, 15]))
    """

    def __init__(
        self,
        encoders: dict[str, nn.Module],
        heads: Mapping[str, AnyHead],
        architecture: Architecture,
        *,
        observed: Sequence[int] | None = None,
    ) -> None:
        dense = {name: head for name, head in heads.items() if isinstance(head, DenseHead)}
        custom = {name: head for name, head in heads.items() if isinstance(head, CustomHead)}
        linear = {
            name: 0 if isinstance(head, DenseHead | CustomHead) else head
            for name, head in heads.items()
        }
        # In the order of the inputs, whatever that of the targets: weights are drawn from one seed.
        for name, encode in encoders.items():
            if name in {head.block for head in dense.values()}:
                cast(MapEncoder, encode).open_map()
        super().__init__(encoders, linear, architecture, observed=observed)
        self.block_of = {name: head.block for name, head in dense.items()}
        self.labels_of = {name: head.labels for name, head in custom.items()}
        # Behind all other weights: sums over weights, such as a gradient's norm, have an order.
        self.dense = nn.ModuleDict(
            {
                module_key(name): LocationHead(
                    self._map_of(head.block).map_features, architecture.state, head.n_outputs
                )
                for name, head in dense.items()
            }
        )
        self.custom = nn.ModuleDict(
            {module_key(name): head.make(architecture.state) for name, head in custom.items()}
        )

    def _map_of(self, block: str) -> MapEncoder:
        return cast(MapEncoder, self.encoders[block])

    def trimmed(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        """Drop locations that no row of a batch has, which changes nothing else.

        It looks at the data, so it is called before folds are run in one pass.
        """
        used = self.block_of.values()
        return {**inputs, **{name: self._map_of(name).trimmed(inputs[name]) for name in used}}

    def forward(  # type: ignore[override] # two shapes
        self, inputs: dict[str, Tensor], probe: Tensor | None = None
    ) -> Outputs:
        both = {
            block: self._map_of(block).token_and_map(inputs[block])
            for block in set(self.block_of.values())
        }
        tokens = {block: token for block, (token, _) in both.items()}
        states = self.fused_states(inputs, probe, tokens)
        state_of = {
            name: states[..., t, :].mean(-2)
            for t, name in enumerate(self.heads.names)
            if name in self.block_of or name in self.labels_of
        }
        dense = {}
        for name, block in self.block_of.items():
            out = self.dense[module_key(name)](both[block][1], state_of[name])
            seen = self._map_of(block).seen(inputs[block])
            dense[name] = torch.where(seen[..., None], out, torch.nan).flatten(-2)[..., None, :]
        for name, label_block in self.labels_of.items():
            labels = inputs.get(label_block) if label_block else None
            dense[name] = self.custom[module_key(name)](state_of[name], labels)[..., None, :]
        return Outputs(self.heads(states, inputs), dense)
