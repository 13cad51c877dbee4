"""Networks that come out of a bundle: their facts and weights, checked before anything is built."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from superpose.config import ModelConfig
from superpose.data import Codec
from superpose.stored import damaged, restored

if TYPE_CHECKING:
    from ._model import NetworkModel

# Settings allow no more networks side by side: a thousand folds, a thousand times.
MOST_NETWORKS = 1_000_000


class NetworkFacts(BaseModel):
    """What stands beside the weights of a network; curves and balance are for the report."""

    model_config = ConfigDict(extra="forbid")

    name: str
    targets: list[str] = Field(min_length=1)
    embedding: int
    count: int = Field(ge=1, le=MOST_NETWORKS)
    best: list[int] = Field(min_length=1)
    given_epoch: int | None = None
    seconds: float = 0.0
    parameters: int = 0
    groups: list[list[str]] = []


def require_facts(facts: Mapping[str, Any], snapshots: Mapping[int, Mapping[str, Tensor]]) -> None:
    """Makes sure that the facts of networks are of their types, and have weights of their epochs.

    Raises:
        BundleError: the first fact that is not.
    """
    beside = ("architecture", "curves", "balance")
    stored = restored(NetworkFacts, {k: v for k, v in facts.items() if k not in beside}, "network")
    sizes = facts.get("architecture")
    if not isinstance(sizes, Mapping):
        raise damaged("network", ("architecture",))
    # The bounds of the settings hold here too: nobody trained a network beyond them.
    restored(ModelConfig, {**sizes, "embedding": stored.embedding}, "network: architecture")
    if len(stored.best) != len(stored.targets):
        raise damaged("network", ("best",), f"{len(stored.best)} epochs given")
    for epoch in {*stored.best, *([] if stored.given_epoch is None else [stored.given_epoch])}:
        if epoch not in snapshots:
            raise damaged("network", (), f"the weights of epoch {epoch} are missing")


def require_weights(network: NetworkModel, codec: Codec) -> None:
    """Makes sure that all weights are there, of the right shape, and finite.

    Networks with a pretrained model inside are left to the model that they are copied into.

    Raises:
        BundleError: the first weight that is not.
    """
    skipping = any(kind.skip_cross_fitting for kind in codec.input_kinds)
    if skipping or any(kind.hints.skip_cross_fitting for kind in codec.target_kinds.values()):
        return
    with torch.device("meta"):  # shapes without memory
        expected = {
            n: (network.count, *w.shape) for n, w in network.fresh(codec).named_parameters()
        }
    for epoch, weights in network.snapshots.items():
        if expected.keys() != weights.keys():
            name = sorted(expected.keys() ^ weights.keys())[0]
            lacks = "missing" if name in expected else "not known"
            raise damaged("network", (), f"weight {name!r} of epoch {epoch} is {lacks}")
        for name, weight in weights.items():
            if tuple(weight.shape) != expected[name]:
                shapes = f"{tuple(weight.shape)}, not {expected[name]}"
                raise damaged("network", (), f"weight {name!r} of epoch {epoch} is {shapes}")
            if not weight.is_floating_point() or not bool(weight.isfinite().all()):
                raise damaged("network", (), f"weight {name!r} of epoch {epoch} is not finite")
