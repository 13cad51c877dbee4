"""How many weights the networks of a run have, counted before any of them is made."""

from __future__ import annotations

from typing import NamedTuple

import torch

from superpose.models import places_of
from superpose.models.network import build, heads_of

from ._fit import TrainingSpec

MOST_MADE = 20_000_000  # weights of a trunk that is made to be counted


class Weights(NamedTuple):
    """The weights of one joint network.

    Args:
        all: all of them.
        shared: those that a network of a single target has as well.
    """

    all: int
    shared: int


def count_weights(recipe: TrainingSpec) -> Weights:
    """Counts the weights of a joint network, which takes no memory for them."""
    targets = list(recipe.labels)
    groups = places_of(recipe.groups, targets)
    given = recipe.given and len(targets) > 1
    heads = heads_of(recipe.codec, targets)
    make = build(recipe.codec, heads, recipe.architecture, recipe.embedding, given, groups)
    columns = sum(block[0].size for block in recipe.blocks.values() if len(block)) + len(targets)
    a = recipe.architecture
    # Torch needs a second to count what it does not make, longer than it takes to make a small one.
    small = a.width * (columns * recipe.embedding + a.depth * a.width) <= MOST_MADE
    with torch.random.fork_rng(devices=[]), torch.device("cpu" if small else "meta"):
        network = make()
    sizes = {name: weight.numel() for name, weight in network.named_parameters()}
    shared = sum(n for name, n in sizes.items() if name.startswith(("encoders.", "trunk.")))
    return Weights(sum(sizes.values()), shared)
