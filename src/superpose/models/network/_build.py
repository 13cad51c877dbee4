"""Which network a codec asks for: its encoders, its heads, and the groups of targets that share."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from superpose.data import Codec, label_block
from superpose.kinds import TargetKind
from superpose.nn import (
    GIVEN,
    Architecture,
    DenseNetwork,
    FromPast,
    Grouped,
    Network,
    NumberEncoder,
    OwnHead,
    PerPlace,
    encoder_of,
)

Head = int | FromPast | PerPlace | OwnHead


def heads_of(codec: Codec, targets: Sequence[str]) -> list[Head]:
    """Return what the head of each target answers with, for ``build``."""

    def head(kind: TargetKind) -> Head:
        if kind.own_head:
            return OwnHead(kind.head, label_block(kind.column) if kind.reads_labels else None)
        if kind.source is None:
            return kind.start(codec.group_of) or kind.size
        return PerPlace(codec.group_of(kind.source), kind.place_size)

    return [head(codec.target_kinds[t]) for t in targets]


def alike(codec: Codec, targets: Sequence[str]) -> list[str]:
    """Return the targets that can be trained for alone in one pass: those with linear heads."""
    heads = zip(targets, heads_of(codec, targets), strict=True)
    return [target for target, head in heads if isinstance(head, int)]


def build(
    codec: Codec,
    heads: Sequence[Head],
    architecture: Architecture,
    embedding: int,
    given: bool = False,
    groups: Sequence[Sequence[int]] = (),
) -> Callable[[], Network | Grouped]:
    """Return a maker of fresh networks for the codec's inputs, with the heads of ``heads_of``.

    With ``given`` the networks also read measured values of all the codec's targets; with
    ``groups``, places of heads, those of a group share a network, and groups share nothing.
    """
    targets = list(codec.target_kinds.values())

    def make() -> Network | Grouped:
        if not groups:
            return network(heads)
        return Grouped([network([heads[t] for t in own], own) for own in groups], groups)

    def network(heads: Sequence[Head], own: Sequence[int] | None = None) -> Network:
        encoders = {
            name: encoder_of(kinds, embedding) for name, kinds in codec.input_groups.items()
        }
        revealed = None
        if given:
            # The trunk is told too, not only the states: on small tables that is the stronger way.
            columns = [edges for kind in targets for edges in kind.reveal_edges]
            encoders[GIVEN] = NumberEncoder(columns, embedding)
            revealed = [kind.revealed for kind in targets]
        sizes = [head for head in heads if isinstance(head, int | FromPast)]
        if len(sizes) == len(heads):
            return Network(encoders, sizes, architecture, revealed, own)
        return DenseNetwork(encoders, heads, architecture, revealed)

    return make
