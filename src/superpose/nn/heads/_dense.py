"""Heads of their own form: with an answer for each place of an input, or a module of a kind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from superpose.nn._network import Architecture, Network
from superpose.nn.encoders._maps import MapEncoder

from ._from_past import FromPast


@dataclass(frozen=True)
class PerPlace:
    """A head with an answer for each place of an input's map, in the list of a network's heads.

    Args:
        source: Block of the input whose encoder offers the map.
        size: Raw outputs of each place.
    """

    source: str
    size: int


@dataclass(frozen=True)
class OwnHead:
    """A head that is a module of its own, in the list of a network's heads.

    Args:
        make: Builds it for a state of D numbers; it answers ``head(state, labels)``.
        labels: Block with the target's labels, which it reads where they are there; or None.

    Shape:
        state (B, D), labels (B, L) or None -> (B, C).
    """

    make: Callable[[int], nn.Module]
    labels: str | None = None


class Outputs(NamedTuple):
    """Raw outputs where some targets have heads of their own form.

    Args:
        rows: (B, M, T, O), as of a network whose targets all have one answer for a row.
        places: For each other target, by its number among the targets, (B, 1, S * C), NaN where a
            row has no such place. The members of the ensemble have one answer together.
    """

    rows: Tensor
    places: dict[int, Tensor]


class PlaceHead(nn.Module):
    """Read a map in the light of a task's state.

    The state scales and shifts every place of the map alike, and starts by doing neither.

    Args:
        features: Width d of the map.
        state: Width D of the task state.
        size: Raw outputs C of each place.

    Shape:
        places (B, S, d), state (B, D) -> (B, S, C).

    Example:
        >>> PlaceHead(8, 4, size=3)(torch.zeros(2, 5, 8), torch.zeros(2, 4)).shape
        torch.Size([2, 5, 3])

    Source:
        FiLM, Perez et al. 2018, eq. 1, the scale written as 1 + gamma.
    """

    def __init__(self, features: int, state: int, size: int) -> None:
        super().__init__()
        self.light = nn.Linear(state, 2 * features)
        nn.init.zeros_(self.light.weight)
        nn.init.zeros_(self.light.bias)
        self.out = nn.Linear(features, size)

    def forward(self, places: Tensor, state: Tensor) -> Tensor:
        scale, shift = self.light(state)[..., None, :].chunk(2, -1)
        return self.out(places * (1 + scale) + shift)


class DenseNetwork(Network):
    """A network some of whose targets have an answer for each place of an input, or an own head.

    Such a target has a task state as every other, so that targets exchange as always; its head
    reads the input's map, modulated by that state, or the state alone.

    Args:
        encoders: One encoder per input block.
        heads: For each target the raw outputs of its head, a ``FromPast``, a ``PerPlace`` or an
            ``OwnHead``.
        architecture: Sizes of the parts.
        revealed: As of ``Network``.

    Shape:
        blocks: name -> (B, ...) -> ``Outputs``.

    Example:
        >>> from superpose.nn import WordEncoder
        >>> heads = [2, PerPlace("text", 3)]
        >>> net = DenseNetwork({"text": WordEncoder(9, 9, 16)}, heads, Architecture())
        >>> rows, places = net({"text": torch.ones(4, 5, 2, dtype=torch.long)})
        >>> rows.shape, places[1].shape
        (torch.Size([4, 8, 2, 2]), torch.Size([4, 1, 15]))
    """

    def __init__(
        self,
        encoders: dict[str, nn.Module],
        heads: Sequence[int | FromPast | PerPlace | OwnHead],
        architecture: Architecture,
        revealed: Sequence[int] | None = None,
    ) -> None:
        sizes = [head if isinstance(head, int | FromPast) else 0 for head in heads]
        read = {head.source for head in heads if isinstance(head, PerPlace)}
        # In the order of the blocks, whatever that of the targets: weights are drawn from one seed.
        for name, encode in encoders.items():
            if name in read:
                cast(MapEncoder, encode).open_map()
        super().__init__(encoders, sizes, architecture, revealed)
        self.sources = {t: h.source for t, h in enumerate(heads) if isinstance(h, PerPlace)}
        self.places = nn.ModuleDict(
            {
                str(t): PlaceHead(self._offers(source).map_features, architecture.state, head.size)
                for t, source in self.sources.items()
                if isinstance(head := heads[t], PerPlace)
            }
        )
        own = {t: head for t, head in enumerate(heads) if isinstance(head, OwnHead)}
        self.labels = {t: head.labels for t, head in own.items()}
        self.own = nn.ModuleDict({str(t): h.make(architecture.state) for t, h in own.items()})

    def _offers(self, source: str) -> MapEncoder:
        return cast(MapEncoder, self.encoders[source])

    def trimmed(self, blocks: dict[str, Tensor]) -> dict[str, Tensor]:
        """Drop places that no row of a batch has, which answers nothing else.

        It looks at the data, so it is called before folds are run in one pass.
        """
        found = {name: self._offers(name).trimmed(blocks[name]) for name in self.sources.values()}
        return {**blocks, **found}

    def forward(  # type: ignore[override] # two shapes
        self, blocks: dict[str, Tensor], probe: Tensor | None = None
    ) -> Outputs:
        both = {
            name: self._offers(name).token_and_map(blocks[name])
            for name in set(self.sources.values())
        }
        maps = {name: places for name, (_, places) in both.items()}
        states = self.fused_states(
            blocks, probe, {name: token for name, (token, _) in both.items()}
        )
        places = {}
        for t, source in self.sources.items():
            out = self.places[str(t)](maps[source], states[..., t, :].mean(-2))
            seen = self._offers(source).seen(blocks[source])
            places[t] = torch.where(seen[..., None], out, torch.nan).flatten(-2)[..., None, :]
        for t, name in self.labels.items():
            told = self.own[str(t)](states[..., t, :].mean(-2), blocks.get(name) if name else None)
            places[t] = told[..., None, :]
        return Outputs(self.answers(states, blocks), places)
