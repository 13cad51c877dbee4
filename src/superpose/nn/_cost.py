"""What a fusion costs: weights and arithmetic, counted, not timed."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from ._network import Architecture, Network
from .encoders._encoders import NumberEncoder

COLUMNS = 20  # of the table that the counts are for: numbers, embedded as by default
EMBEDDING, BINS = 16, 48


@dataclass(frozen=True)
class Cost:
    """What a whole network takes.

    Args:
        parameters: Number of weights.
        multiplications: Multiplications of matrices for the prediction of one row.
    """

    parameters: int
    multiplications: int


def network_cost(fusion: str, targets: int, architecture: Architecture | None = None) -> Cost:
    """Count what a network of 20 numeric columns costs with a fusion.

    Args:
        fusion: A name in ``FUSIONS``.
        targets: Number of targets T (at least 1).
        architecture: Sizes of the network (default: those of large tables).

    Example:
        >>> network_cost("task-attention", 10).parameters > network_cost("none", 10).parameters
        True
    """
    sizes = replace(architecture or Architecture(), fusion=fusion)
    edges = [[float(n) for n in range(BINS + 1)]] * COLUMNS
    encoder: dict[str, nn.Module] = {"numbers": NumberEncoder(edges, EMBEDDING)}
    network = Network(encoder, [2] * targets, sizes).to("meta").eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network({"numbers": torch.zeros(1, COLUMNS, device="meta")})
    parameters = sum(p.numel() for p in network.parameters())
    return Cost(parameters, counter.get_total_flops() // 2)
