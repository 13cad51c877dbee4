"""The no-harm test: what is deployed for each target, and whether sharing helped it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from superpose.distributions import Paired, holm, paired_test
from superpose.kinds import TargetKind
from superpose.models import BASELINES, MULTI_TASK, SINGLE_TASK, Weights, mix
from superpose.record import HARMED, HELPED, NO_DIFFERENCE, NOT_TESTED, Verdict

from ._blend import ROUNDS, greedy_blend

NOTHING = Paired(float("nan"), float("nan"), 1.0, 0, 1.0)

# With fewer rows than this outside the most common label, the rows whose losses matter have hardly
# been seen: whoever denies a rare class saves a little on every row, and the test would believe it.
FEWEST_UNCOMMON = 5
# The references that a challenger is tested against: the best blend, and the best model alone.
TESTED = 2


@dataclass
class TargetEvaluation:
    """What models predict of one target, and its labels.

    Args:
        kind: The fitted target.
        labels: Encoded labels (N,) or (N, L), NaN where missing.
        predictions: Canonical predictions (N, K) of each model for rows it has not seen, NaN
            elsewhere. One is that of the multi-task network, one that of the same network with this
            target only; all others are single-task models too.
        fallback: What is deployed with less given, where these are the same models: it is kept
            where it is no worse on the rows that decide.
    """

    kind: TargetKind
    labels: np.ndarray
    predictions: dict[str, np.ndarray]
    fallback: Weights | None = None

    def losses(self, weights: Weights) -> np.ndarray:
        """Return the loss of each row under a mixture, (N,)."""
        return self.kind.distribution.row_loss(self.labels, mix(self.predictions, weights))

    @property
    def has_both_networks(self) -> bool:
        """Whether the network was trained with all targets and with this one only."""
        return {MULTI_TASK, SINGLE_TASK} <= self.predictions.keys()


@dataclass
class Decision:
    """What was decided for one target.

    Args:
        reference: The best single-task predictor, as weights over models.
        challenger: The best predictor with the multi-task network in it, or None.
        deployed: What is deployed, as weights over models.
        test: The challenger against the reference, on rows that chose neither; where both are
            blends, this is the blend with the multi-task network against the blend without.
        sharing: The multi-task network against the same network with this target only.
        verdict: "helped", "no difference", "harmed" or "not tested".
        reference_loss: Mean loss of the reference on the rows of the test.
        single_task_loss: Mean loss of the single-task network there.
        conclusive: Whether the rows of the test hold enough labels besides the most common one.
    """

    reference: Weights
    challenger: Weights | None
    deployed: Weights
    test: Paired = NOTHING
    sharing: Paired = NOTHING
    verdict: Verdict = NOT_TESTED
    reference_loss: float = float("nan")
    single_task_loss: float = float("nan")
    conclusive: bool = True

    @property
    def tested(self) -> bool:
        """Whether there was a single-task reference to test against."""
        return bool(self.reference)


class Choice(NamedTuple):
    """What some rows have chosen for one target.

    Args:
        references: The best blend of single-task models, the best of them alone, and each that
            learns nothing from the inputs; without any where the settings want none.
        challenger: The best blend with the multi-task network in it, or None.
    """

    references: list[Weights]
    challenger: Weights | None


def choose(evaluation: TargetEvaluation, rows: np.ndarray) -> Choice:
    """Choose on some rows the best single-task predictors, and the best with the multi-task one."""
    labels = evaluation.labels[rows]
    kind = evaluation.kind
    pred = {name: z[rows] for name, z in evaluation.predictions.items()}
    singles = {name: z for name, z in pred.items() if name != MULTI_TASK}
    if not kind.distribution.known(labels).any():
        return Choice([{name: 1.0} for name in list(singles)[:1]], None)

    def loss(z: np.ndarray) -> float:
        return float(np.nanmean(kind.distribution.row_loss(labels, z)))

    rounds = ROUNDS if kind.distribution.is_mixable else 1
    references: list[Weights] = []
    if singles:
        alone = [name for name in BASELINES if name in singles]
        references = [
            greedy_blend(singles, loss, rounds=rounds),
            greedy_blend(singles, loss, rounds=1),
            *({name: 1.0} for name in alone),
        ]
    if MULTI_TASK not in pred:
        return Choice(references, None)
    return Choice(references, greedy_blend(pred, loss, must=MULTI_TASK, rounds=rounds))


def decide(
    evaluations: Iterable[TargetEvaluation],
    selection_half: np.ndarray,
    *,
    alpha: float = 0.05,
    cross_fitted: bool = False,
    clusters: np.ndarray | None = None,
) -> list[Decision]:
    """Decide for every target what is deployed.

    One half of the validation rows chooses the best blend of single-task models, the best of them
    alone, and the best blend that contains the multi-task network (the challenger). On the other
    half the reference is whichever of blend, model and baselines has the lowest loss there; and a
    one-sided paired test, at Holm level ``alpha`` over the targets, decides whether the challenger
    replaces it. The challenger has to be better than the blend and than the model. So the chance
    that any deployed target is worse than either is at most ``alpha``, and none is deployed that
    lost to a baseline on the rows that decide.

    Args:
        evaluations: One for each target.
        selection_half: For each row 0 (chooses), 1 (decides) or -1 (takes no part).
        alpha: Level in (0, 1).
        cross_fitted: Each half also chooses for the other, and all rows decide, at half the level
            because the two choices hang together. No half may have stopped the models that predict
            its own rows.
        clusters: Group or time block of each row.

    Source:
        Hold-out selection with Holm 1979; crossing after Chernozhukov et al. 2018 (cross-fitting).
    """
    selection = _Selection(selection_half, cross_fitted, clusters)
    decisions = [selection.decision(evaluation) for evaluation in evaluations]
    _replace_references(decisions, alpha)
    return decisions


@dataclass(frozen=True)
class _Selection:
    """Which rows choose and which decide, as of ``decide``."""

    selection_half: np.ndarray
    cross_fitted: bool
    clusters: np.ndarray | None

    @property
    def deciders(self) -> np.ndarray:
        """Mark the rows that decide."""
        return self.selection_half >= 0 if self.cross_fitted else self.selection_half == 1

    def decision(self, evaluation: TargetEvaluation) -> Decision:
        """Choose and test for one target; nothing replaces its reference yet."""
        last = np.flatnonzero(
            self.selection_half >= 0 if self.cross_fitted else self.selection_half == 0
        )
        references, challenger = choose(evaluation, last)
        if not references:  # the settings want none: the multi-task network is deployed
            return Decision({}, challenger, {MULTI_TASK: 1.0})
        if evaluation.fallback is not None:
            references.append(evaluation.fallback)
        conclusive = _uncommon(evaluation.labels[self.deciders]) >= FEWEST_UNCOMMON
        losses = self._losses(evaluation, len(references))
        best = _lowest(losses.references) if conclusive else 0
        # Better than the blend, than the model, and than what is deployed otherwise: the largest
        # p-value is that of the worst case.
        beaten = [*losses.references[:TESTED], losses.references[best]]
        tests = [paired_test(own - losses.challenger, self.clusters) for own in beaten]
        p = max(test.p for test in tests)
        if self.cross_fitted:  # two choices, made on each other's rows: Bonferroni
            p = min(1.0, 2 * p)
        test = replace(tests[-1], p=p)
        decision = Decision(references[best], challenger, references[best], test)
        decision.reference_loss = _mean(losses.references[best])
        if evaluation.has_both_networks:
            single = evaluation.losses({SINGLE_TASK: 1.0})
            single = np.where(self.deciders, single, np.nan)
            shared = single - evaluation.losses({MULTI_TASK: 1.0})
            decision.sharing = paired_test(shared, self.clusters)
            decision.single_task_loss = _mean(single)
        if not conclusive:
            decision.conclusive = False
            decision.test = replace(decision.test, p=1.0)
            decision.sharing = replace(decision.sharing, p=1.0)
        return decision

    def _losses(self, evaluation: TargetEvaluation, count: int) -> _Losses:
        """The losses (N,) of what other rows have chosen; NaN in rows that do not decide."""
        unknown = np.full((count + 1, len(self.selection_half)), np.nan)
        losses = _Losses(list(unknown[:-1]), unknown[-1])
        for chooser, decider in [(0, 1), (1, 0)] if self.cross_fitted else [(0, 1)]:
            choice = choose(evaluation, np.flatnonzero(self.selection_half == chooser))
            here = self.selection_half == decider
            if choice.challenger is not None:
                losses.challenger[here] = evaluation.losses(choice.challenger)[here]
            for own, weights in zip(losses.references, choice.references, strict=False):
                own[here] = evaluation.losses(weights)[here]
            if evaluation.fallback is not None:
                losses.references[-1][here] = evaluation.losses(evaluation.fallback)[here]
        return losses


class _Losses(NamedTuple):
    """Losses (N,) on the rows that decide, each of what other rows have chosen.

    Args:
        references: Of each reference.
        challenger: Of the challenger.
    """

    references: list[np.ndarray]
    challenger: np.ndarray


def _lowest(losses: Sequence[np.ndarray]) -> int:
    """The position of the lowest mean loss; the first where none is known."""
    means = [_mean(own) for own in losses]
    return 0 if np.isnan(means[0]) else int(np.nanargmin(means))


def _replace_references(decisions: Sequence[Decision], alpha: float) -> None:
    wins = holm(np.array([d.test.p for d in decisions]), alpha)
    tested = [d for d in decisions if d.conclusive and d.sharing.n >= 2]
    helped = holm(np.array([d.sharing.p for d in tested]), alpha)
    harmed = holm(np.array([d.sharing.worse for d in tested]), alpha)
    for decision, won in zip(decisions, wins, strict=True):
        if won and decision.challenger:
            decision.deployed = decision.challenger
    for decision, up, down in zip(tested, helped, harmed, strict=True):
        decision.verdict = HELPED if up else HARMED if down else NO_DIFFERENCE


def _uncommon(labels: np.ndarray) -> int:
    """Count labels (N,) or (N, L) besides the most common one; for sets, over all their members."""
    count = 0
    if not len(labels):
        return count
    for y in labels.reshape(len(labels), -1).T:
        counts = np.unique(y[~np.isnan(y)], return_counts=True)[1]
        count += int(counts.sum() - counts.max(initial=0))
    return count


def _mean(x: np.ndarray) -> float:
    return float(np.nanmean(x)) if (~np.isnan(x)).any() else float("nan")
