"""How many weights the networks of a run have, counted before any of them is made."""

from __future__ import annotations

from typing import NamedTuple

import torch

from ._networks import multi_task_network
from ._spec import TrainingSpec

MOST_MADE = 20_000_000  # weights of a trunk that is made to be counted


class Weights(NamedTuple):
    """The weights of one multi-task network.

    Args:
        all: all of them.
        shared: those that a network of a single target has as well.
    """

    all: int
    shared: int


def count_weights(spec: TrainingSpec) -> Weights:
    """Count the weights of a multi-task network, which takes no memory for them."""
    columns = sum(block[0].size for block in spec.inputs.values() if len(block))
    columns += len(spec.labels)
    a = spec.architecture
    # Torch needs a second to count what it does not make, longer than it takes to make a small one.
    small = a.width * (columns * spec.embedding + a.depth * a.width) <= MOST_MADE
    with torch.random.fork_rng(devices=[]), torch.device("cpu" if small else "meta"):
        network = multi_task_network(spec)()
    sizes = {name: weight.numel() for name, weight in network.named_parameters()}
    shared = sum(n for name, n in sizes.items() if name.startswith(("encoders.", "trunk.")))
    return Weights(sum(sizes.values()), shared)
