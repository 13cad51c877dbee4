"""Which network a codec needs: its encoders, its heads, and the groups of targets that share."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from superpose.data import Codec, label_block
from superpose.kinds import TargetKind
from superpose.nn import (
    GIVEN,
    AnyHead,
    Architecture,
    CustomHead,
    DenseHead,
    DenseNetwork,
    Grouped,
    Network,
    NumberEncoder,
    ResidualForecastHead,
    encoder_of,
    head_of,
)

Heads = Mapping[str, AnyHead]


def heads_of(codec: Codec, targets: Sequence[str]) -> dict[str, AnyHead]:
    """Return how the raw outputs of each target are made, by its name, for ``build``."""
    return {target: _head(codec, codec.target_kinds[target]) for target in targets}


def _head(codec: Codec, kind: TargetKind) -> AnyHead:
    head = head_of(kind)
    if kind.hints.custom_head:
        labels = label_block(kind.column) if kind.hints.reads_labels else None
        return CustomHead(head.module, labels)
    if kind.locations is not None:
        return DenseHead(codec.group_of(kind.locations.of), head.n_outputs)
    if (anchor := kind.anchor) is not None:
        return ResidualForecastHead(
            head.n_outputs,
            math.prod(kind.distribution.label_shape),
            codec.group_of(anchor.of),
            anchor.index,
            gain=anchor.gain,
            offset=anchor.offset,
            before=anchor.before,
        )
    return head.n_outputs


def alike(codec: Codec, targets: Sequence[str]) -> list[str]:
    """Return the targets that can be trained for alone in one pass: those with linear heads."""
    heads = heads_of(codec, targets)
    return [target for target, head in heads.items() if isinstance(head, int)]


def build(
    codec: Codec,
    heads: Heads,
    architecture: Architecture,
    *,
    embedding: int,
    given: bool = False,
    groups: Sequence[Sequence[int]] = (),
) -> Callable[[], Network | Grouped]:
    """Return a maker of fresh networks for the codec's inputs, with the heads of ``heads_of``.

    With ``given`` the networks also read measured values of all the codec's targets; with
    ``groups``, positions of heads, those of a group share a network, and groups share nothing.
    """
    targets = list(codec.target_kinds.values())
    names = list(heads)

    def make() -> Network | Grouped:
        if not groups:
            return network(heads)
        members = [{names[t]: heads[names[t]] for t in own} for own in groups]
        networks = [network(part, own) for part, own in zip(members, groups, strict=True)]
        return Grouped(networks, groups)

    def network(heads: Heads, own: Sequence[int] | None = None) -> Network:
        encoders = {
            name: encoder_of(kinds, embedding) for name, kinds in codec.input_groups.items()
        }
        observed = None
        if given:
            # The trunk reads them too, not the states alone: on small tables that is the stronger
            # way.
            columns = [edges for kind in targets for edges in kind.observed.edges]
            encoders[GIVEN] = NumberEncoder(columns, embedding)
            observed = [kind.observed.n_columns for kind in targets]
        linear = {n: h for n, h in heads.items() if isinstance(h, int | ResidualForecastHead)}
        if len(linear) == len(heads):
            return Network(encoders, linear, architecture, observed=observed, own=own)
        return DenseNetwork(encoders, heads, architecture, observed=observed)

    return make
