"""What a run has found of pairs and groups of targets: bits, residuals, affinity, groupings."""

from __future__ import annotations

from dataclasses import dataclass

from ._values import Array, Real, Record, require_shapes


@dataclass(frozen=True, eq=False)
class EntanglementRecord(Record):
    """How many bits each target tells about each other one, given the inputs.

    Args:
        targets: Their names.
        bits: What a given target (row) saves on the log-loss of another one (column), as a mean.
        low, high: The 95 % interval of the bits.
        null: The same where the given values are permuted among rows that the inputs make alike.
        p: One-sided p-value of "it saves no more than that".
        both: Rows with both labels.
        total: What all others together save on each target.
        total_low, total_high: Its 95 % interval.
        n: Labelled rows of each target.
        rows: All rows.

    Shape:
        bits, low, high, null, p, both: (T, T), NaN on the diagonal; total, total_low, total_high,
        n: (T,). An earlier version may have left out any but the bits: then it is NaN.
    """

    targets: list[str]
    bits: Array
    low: Array
    high: Array
    null: Array
    p: Array
    both: Array
    total: Array
    total_low: Array
    total_high: Array
    n: Array
    rows: int

    def __post_init__(self) -> None:
        pairs = {k: (getattr(self, k), "TT") for k in ("bits", "low", "high", "null", "p", "both")}
        single = {k: (getattr(self, k), "T") for k in ("total", "total_low", "total_high", "n")}
        require_shapes({"T": len(self.targets)}, pairs | single)


@dataclass(frozen=True, eq=False)
class ResidualRecord(Record):
    """Correlations of what models leave unexplained, on the rows that decide.

    Args:
        targets: Their names.
        correlation: Between the normal scores of the labels under predictions.
        single_task: Whether these are predictions of single-task models.

    Shape:
        correlation: (T, T).
    """

    targets: list[str]
    correlation: Array
    single_task: bool = True

    def __post_init__(self) -> None:
        require_shapes({"T": len(self.targets)}, {"correlation": (self.correlation, "TT")})


@dataclass(frozen=True, eq=False)
class AffinityRecord(Record):
    """Who helps whom in a short training of all targets.

    Args:
        targets: Their names.
        lookahead: Share of the held-out loss of a target (column) that a step of another (row)
            saves.
        cosine: Of their gradients on the weights that they share.
        residual: Correlation of what models leave unexplained, None where the run has none.
        bits: What a given target (row) tells about another (column), None where the run has none.
        single_task: Whether residuals are those of single-task models.
        run_groups: The groups of the run.
        groups: The groups that look-ahead suggests.
        n_looks, n_networks, n_epochs: What was read for it.

    Shape:
        lookahead, cosine, residual, bits: (T, T).
    """

    targets: list[str]
    lookahead: Array
    cosine: Array
    residual: Array | None
    bits: Array | None
    single_task: bool
    run_groups: list[list[str]]
    groups: list[list[str]]
    n_looks: int
    n_networks: int
    n_epochs: int

    def __post_init__(self) -> None:
        names = ("lookahead", "cosine", "residual", "bits")
        arrays = {name: (getattr(self, name), "TT") for name in names}
        require_shapes({"T": len(self.targets)}, arrays)


@dataclass(frozen=True)
class CandidateRecord(Record):
    """One way to group the targets, evaluated by cross-validation.

    Args:
        name: Where it comes from.
        groups: Targets that share a network.
        loss: Mean over targets of the loss in units of the baseline's.
        error: Its standard error.
        gain: By how many percent it is lower than that of the first candidate.
        gain_error: The standard error of the gain.
        gains: The gain of each target, in percent.
    """

    name: str
    groups: list[list[str]]
    loss: float
    error: float
    gain: float
    gain_error: float
    gains: list[Real]


@dataclass(frozen=True)
class GroupingRecord(Record):
    """Ways to group the targets, compared.

    Args:
        targets: Their names.
        candidates: All together first.
        winner: The name of the best one.
        recommended: The name of the best one, or of the first where that is within noise.
        n_folds: Folds of the cross-validation.
        n_rows: Training and validation rows.
    """

    targets: list[str]
    candidates: list[CandidateRecord]
    winner: str
    recommended: str
    n_folds: int
    n_rows: int

    def candidate(self, name: str) -> CandidateRecord:
        """Returns a candidate by its name."""
        return next(one for one in self.candidates if one.name == name)
