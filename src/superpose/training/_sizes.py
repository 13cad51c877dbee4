"""How many weights the networks of a run have, counted before any of them is made."""

from __future__ import annotations

from typing import NamedTuple

import torch

from ._network_fit import Recipe, build, heads_of, places_of


class Weights(NamedTuple):
    """The weights of one joint network.

    Args:
        all: all of them.
        shared: those that a network of a single target has as well.
    """

    all: int
    shared: int


def count_weights(recipe: Recipe) -> Weights:
    """Counts the weights of a joint network, which takes no memory for them."""
    targets = list(recipe.labels)
    groups = places_of(recipe.groups, targets)
    given = recipe.given and len(targets) > 1
    heads = heads_of(recipe.codec, targets)
    with torch.device("meta"):
        network = build(recipe.codec, heads, recipe.architecture, recipe.embedding, given, groups)()
    sizes = {name: weight.numel() for name, weight in network.named_parameters()}
    shared = sum(n for name, n in sizes.items() if name.startswith(("encoders.", "trunk.")))
    return Weights(sum(sizes.values()), shared)
