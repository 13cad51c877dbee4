"""The no-harm test: what ships for each target, and whether sharing helped it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from superpose.distributions import Paired, holm, paired_test
from superpose.kinds import TargetKind
from superpose.models import ALONE, JOINT, ROUNDS, Weights, greedy_blend, mix

NOTHING = Paired(float("nan"), float("nan"), 1.0, 0, 1.0)

# With fewer rows than this outside the most common label, the rows whose losses matter have hardly
# been seen: whoever denies a rare class saves a little on every row, and the test would believe it.
FEWEST_UNCOMMON = 5


@dataclass
class Case:
    """One target before the court.

    Args:
        kind: The fitted target.
        labels: Encoded labels (N,) or (N, L), NaN where missing.
        predictions: Canonical predictions (N, K) of each model for rows it has not seen, NaN
            elsewhere. "joint" is the network of all targets, "alone" the same network with this
            target only; all others are single-task models too.
    """

    kind: TargetKind
    labels: np.ndarray
    predictions: dict[str, np.ndarray]

    def losses(self, weights: Weights) -> np.ndarray:
        """Return the loss of each row under a mixture, (N,)."""
        return self.kind.row_loss(self.labels, mix(self.predictions, weights))


@dataclass
class Ruling:
    """What was found for one target.

    Args:
        reference: The best single-task predictor, as weights over models.
        challenger: The best predictor with the joint network in it, or None.
        shipped: What ships, as weights over models.
        test: The challenger against the reference, on rows that chose neither; where both are
            blends, this is the blend with the joint network against the blend without.
        sharing: The joint network against the same network alone.
        verdict: "helped", "no difference", "harmed" or "not tested".
        reference_loss: Mean loss of the reference on the rows of the test.
        alone_loss: Mean loss of the network alone there.
        conclusive: Whether the rows of the test hold enough labels besides the most common one.
    """

    reference: Weights
    challenger: Weights | None
    shipped: Weights
    test: Paired = NOTHING
    sharing: Paired = NOTHING
    verdict: str = "not tested"
    reference_loss: float = float("nan")
    alone_loss: float = float("nan")
    conclusive: bool = True

    @property
    def tested(self) -> bool:
        """Whether there was a single-task reference to test against."""
        return bool(self.reference)


def choose(case: Case, rows: np.ndarray) -> tuple[Weights | None, Weights | None]:
    """Choose on some rows the best single-task predictor and the best with the joint network."""
    labels = case.labels[rows]
    told = {n: p[rows] for n, p in case.predictions.items()}

    def loss(z: np.ndarray) -> float:
        return float(np.nanmean(case.kind.row_loss(labels, z)))

    singles = {n: p for n, p in told.items() if n != JOINT}
    if not case.kind.known(labels).any():
        first = next(iter(singles), None)
        return ({first: 1.0} if first else None), None
    rounds = ROUNDS if case.kind.blends else 1
    reference = greedy_blend(singles, loss, rounds=rounds) if singles else None
    challenger = greedy_blend(told, loss, JOINT, rounds) if JOINT in told else None
    return reference, challenger


def rule(
    cases: Sequence[Case],
    halves: np.ndarray,
    delta: float = 0.05,
    crossed: bool = False,
    clusters: np.ndarray | None = None,
) -> list[Ruling]:
    """Decide for every target what ships.

    One half of the validation rows chooses the best single-task predictor (the reference) and the
    best predictor that contains the joint network (the challenger); the other half decides by a
    one-sided paired test, at Holm level ``delta`` over the targets, whether the challenger replaces
    the reference. So the chance that any shipped target is worse than its reference is at most
    ``delta``.

    Args:
        cases: One for each target.
        halves: For each row 0 (chooses), 1 (decides) or -1 (takes no part).
        delta: Level in (0, 1).
        crossed: For out-of-fold predictions of small tables: each half also chooses for the other,
            and all rows decide, at half the level because the two choices hang together.
        clusters: Group or time block of each row.

    Source:
        Hold-out selection with Holm 1979; crossing after Chernozhukov et al. 2018 (cross-fitting).
    """
    sides = [(0, 1), (1, 0)] if crossed else [(0, 1)]
    rulings = []
    for case in cases:
        n = len(halves)
        saved, shared = np.full(n, np.nan), np.full(n, np.nan)
        reference_loss = np.full(n, np.nan)
        for chooser, decider in sides:
            reference, challenger = choose(case, np.flatnonzero(halves == chooser))
            judged = halves == decider
            if reference and challenger:
                base = case.losses(reference)
                saved[judged] = (base - case.losses(challenger))[judged]
                reference_loss[judged] = base[judged]
        if {JOINT, ALONE} <= case.predictions.keys():
            judged = halves >= 0 if crossed else halves == 1
            alone = np.where(judged, case.losses({ALONE: 1.0}), np.nan)
            shared = alone - case.losses({JOINT: 1.0})
        final = np.flatnonzero(halves >= 0 if crossed else halves == 0)
        reference, challenger = choose(case, final)
        if reference is None:  # no references were asked for: the joint network ships untested
            rulings.append(Ruling({}, challenger, {JOINT: 1.0}))
            continue
        test = paired_test(saved, clusters)
        if crossed:  # two choices, made on each other's rows, are judged together: Bonferroni
            test = replace(test, p=min(1.0, 2 * test.p))
        ruling = Ruling(reference, challenger, reference, test)
        ruling.reference_loss = _mean(reference_loss)
        if {JOINT, ALONE} <= case.predictions.keys():
            ruling.sharing, ruling.alone_loss = paired_test(shared, clusters), _mean(alone)
        if _uncommon(case.labels[halves >= 0 if crossed else halves == 1]) < FEWEST_UNCOMMON:
            ruling.conclusive = False
            ruling.test, ruling.sharing = (
                replace(ruling.test, p=1.0),
                replace(ruling.sharing, p=1.0),
            )
        rulings.append(ruling)
    _decide(rulings, delta)
    return rulings


def _decide(rulings: Sequence[Ruling], delta: float) -> None:
    wins = holm(np.array([r.test.p for r in rulings]), delta)
    tested = [r for r in rulings if r.conclusive and r.sharing.n >= 2]
    helped = holm(np.array([r.sharing.p for r in tested]), delta)
    harmed = holm(np.array([r.sharing.worse for r in tested]), delta)
    for ruling, won in zip(rulings, wins, strict=True):
        if won and ruling.challenger:
            ruling.shipped = ruling.challenger
    for ruling, up, down in zip(tested, helped, harmed, strict=True):
        ruling.verdict = "helped" if up else "harmed" if down else "no difference"


def _uncommon(labels: np.ndarray) -> int:
    """Count labels (N,) or (N, L) besides the most common one; for sets, over all their members."""
    found = 0
    if not len(labels):
        return found
    for y in labels.reshape(len(labels), -1).T:
        counts = np.unique(y[~np.isnan(y)], return_counts=True)[1]
        found += int(counts.sum() - counts.max(initial=0))
    return found


def _mean(x: np.ndarray) -> float:
    return float(np.nanmean(x)) if (~np.isnan(x)).any() else float("nan")
