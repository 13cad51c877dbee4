"""What a run has found of the multi-task network: attention, states, gradients, importance."""

from __future__ import annotations

from dataclasses import dataclass

from ._values import UNKNOWN, Array, Real, Record, require_shapes


@dataclass(frozen=True, eq=False)
class AttentionRecord(Record):
    """Which target listens to which, as a mean over validation rows.

    Args:
        targets: Their names.
        weights: Attention of a target (row) to each other one (column), 0 to 1.
        sink: Attention that each target spends on no other one.

    Shape:
        weights: (T, T); sink: (T,).
    """

    targets: list[str]
    weights: Array
    sink: Array

    def __post_init__(self) -> None:
        arrays = {"weights": (self.weights, "TT"), "sink": (self.sink, "T")}
        require_shapes({"T": len(self.targets)}, arrays)


@dataclass(frozen=True, eq=False)
class ImportanceRecord(Record):
    """Which input matters for which target.

    Args:
        inputs, targets: Their names.
        values: By how many percent the loss of a target (column) rises when an input (row) is
            permuted among rows.

    Shape:
        values: (C, T).
    """

    inputs: list[str]
    targets: list[str]
    values: Array

    def __post_init__(self) -> None:
        sizes = {"C": len(self.inputs), "T": len(self.targets)}
        require_shapes(sizes, {"values": (self.values, "CT")})


@dataclass(frozen=True, eq=False)
class StatesRecord(Record):
    """How different the task states are that the heads read.

    Args:
        targets: Their names.
        density: Second moments of the states, each scaled to length 1; trace 1.
        purity: Mean squared overlap, from 1/T to 1.
        entropy: Von Neumann entropy in bits.
        effective: Effective number of states: two to the power of the entropy.
        collapsed: Whether the network holds nearly one state for all targets.

    Shape:
        density: (T, T).
    """

    targets: list[str]
    density: Array
    purity: Real = UNKNOWN
    entropy: Real = UNKNOWN
    effective: Real = UNKNOWN
    collapsed: bool = False

    def __post_init__(self) -> None:
        require_shapes({"T": len(self.targets)}, {"density": (self.density, "TT")})


@dataclass(frozen=True, eq=False)
class GradientRecord(Record):
    """The gradients of the targets in one batch of an epoch.

    Args:
        epoch: From 0 on.
        norms: Their lengths on the weights that all share.
        cosines: Between each two of them.

    Shape:
        norms: (T,); cosines: (T, T).
    """

    epoch: int
    norms: Array
    cosines: Array


@dataclass(frozen=True, eq=False)
class BalanceRecord(Record):
    """How the targets were weighed against each other.

    Args:
        targets: Their names.
        method: What weighed them.
        every: Steps between two looks at the gradients.
        at: Where gradients were read: the trunk, or the task states.
        weights: The weight of each target in each epoch; no rows where all weigh alike.
        gradients: What was seen of the gradients, epoch by epoch.

    Shape:
        weights: (E, T), or (0,).
    """

    targets: list[str]
    method: str
    every: int | None
    at: str
    weights: Array
    gradients: list[GradientRecord]

    def __post_init__(self) -> None:
        size = {"T": len(self.targets)}
        if len(self.weights):
            require_shapes(size, {"weights": (self.weights, "ET")})
        for look in self.gradients:
            require_shapes(size, {"norms": (look.norms, "T"), "cosines": (look.cosines, "TT")})
