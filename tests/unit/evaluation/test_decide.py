"""The no-harm test: who chooses does not decide, and who can't be tested does not ship."""

import numpy as np
import pyarrow as pa
import pytest

from superpose.distributions import paired_test
from superpose.evaluation._decide import FEWEST_UNCOMMON, TargetEvaluation, choose, decide
from superpose.kinds import TARGET_KINDS
from superpose.models import MULTI_TASK, SINGLE_TASK

ROWS = 400
HALF = np.arange(ROWS) % 2
NUMBER = TARGET_KINDS["number"].fit("y", pa.chunked_array([[-1.0, 1.0]]))
BINARY = TARGET_KINDS["binary"].fit("y", pa.chunked_array([[0, 1]]))
SETS = TARGET_KINDS["multilabel"].fit("y", pa.chunked_array([[["a"], ["b"]]]))

both_regimes = pytest.mark.parametrize(
    "cross_fitted", [False, True], ids=["holdout", "cross_fitted"]
)


def evaluated(seed=0, **errors):
    """A number target and models with errors of such deviations around the truth."""
    rng = np.random.default_rng(seed)
    y = rng.normal(size=ROWS)
    pred = {
        name: np.column_stack([y + scale * rng.normal(size=ROWS), np.ones(ROWS)])
        for name, scale in errors.items()
    }
    return TargetEvaluation(NUMBER, y, pred)


@both_regimes
def test_a_multi_task_network_that_is_clearly_better_is_deployed(cross_fitted):
    (decision,) = decide(
        [evaluated(hist=1.0, alone=1.0, joint=0.3)], HALF, cross_fitted=cross_fitted
    )
    assert decision.deployed == decision.challenger
    assert decision.deployed[MULTI_TASK] > 0.5
    assert decision.verdict == "helped"
    assert decision.test.p < 1e-6
    assert MULTI_TASK not in decision.reference


@both_regimes
def test_a_multi_task_network_that_is_clearly_worse_is_not_deployed(cross_fitted):
    (decision,) = decide(
        [evaluated(hist=0.3, alone=0.3, joint=1.0)], HALF, cross_fitted=cross_fitted
    )
    assert decision.deployed == decision.reference
    assert decision.verdict == "harmed"


@both_regimes
def test_the_same_predictions_are_neither_help_nor_harm(cross_fitted):
    same = evaluated(hist=0.5)
    same.predictions |= {
        MULTI_TASK: same.predictions["hist"],
        SINGLE_TASK: same.predictions["hist"],
    }
    (decision,) = decide([same], HALF, cross_fitted=cross_fitted)
    assert (decision.verdict, decision.deployed) == ("no difference", decision.reference)


@both_regimes
def test_one_cluster_is_no_ground_for_a_verdict(cross_fitted):
    clusters = np.zeros(ROWS, int)
    for errors in ({"alone": 1.0, "joint": 0.3}, {"alone": 0.3, "joint": 1.0}):
        (decision,) = decide(
            [evaluated(**errors)], HALF, cross_fitted=cross_fitted, clusters=clusters
        )
        assert (decision.verdict, decision.deployed) == ("no difference", decision.reference)


def test_rows_that_decide_do_not_choose():
    base = evaluated(hist=1.0, lightgbm=0.9, joint=0.5)
    (before,) = decide([base], HALF)
    deciding = HALF == 1
    for pred in base.predictions.values():
        pred[deciding] = pred[deciding][::-1]
    (after,) = decide([base], HALF)
    assert (after.reference, after.challenger) == (before.reference, before.challenger)
    assert after.test.mean != before.test.mean


def test_rows_that_choose_do_not_decide():
    base = evaluated(hist=1.0, joint=0.5)
    (reference, *_), challenger = choose(base, np.flatnonzero(HALF == 0))
    saved = (base.losses(reference) - base.losses(challenger))[HALF == 1]
    (decision,) = decide([base], HALF)
    assert decision.test.n == ROWS // 2
    assert decision.test.mean == pytest.approx(saved.mean())


def test_crossed_each_half_decides_what_the_other_chose():
    base = evaluated(hist=1.0, joint=0.5)
    saved = np.empty(ROWS)
    for chooser, decider in ((0, 1), (1, 0)):
        (reference, *_), challenger = choose(base, np.flatnonzero(chooser == HALF))
        deciding_rows = decider == HALF
        saved[deciding_rows] = (base.losses(reference) - base.losses(challenger))[deciding_rows]
    (decision,) = decide([base], HALF, cross_fitted=True)
    assert decision.test.n == ROWS
    assert decision.test.mean == pytest.approx(saved.mean())


def drifting(seed=0):
    """Models of a target that moves away after the rows that choose, and its baselines."""
    base = evaluated(seed, hist=0.5, alone=0.5, joint=0.5)
    late = HALF == 1
    base.predictions["baseline"] = np.tile([0.0, 1.0], (ROWS, 1))
    base.predictions["last value"] = np.tile([4.0, 1.0], (ROWS, 1))
    base.labels = base.labels + np.where(late, 4.0, 0.0)
    for name in ("hist", "alone", "joint"):
        base.predictions[name][late, 0] -= 1.0  # wrong by even more
    return base


def test_the_last_known_value_is_deployed_where_every_model_lost_to_it():
    (decision,) = decide([drifting()], HALF)
    assert decision.deployed == decision.reference == {"last value": 1.0}
    assert decision.test.mean < 0


def test_no_baseline_is_deployed_where_a_model_beats_it():
    base = evaluated(hist=0.5, alone=0.5, joint=0.5)
    base.predictions["baseline"] = np.tile([0.0, 1.0], (ROWS, 1))
    (decision,) = decide([base], HALF)
    assert "baseline" not in decision.deployed or decision.deployed["baseline"] < 0.5


def test_too_few_uncommon_labels_hand_nothing_to_a_baseline():
    y = np.zeros(ROWS)
    y[: 2 * (FEWEST_UNCOMMON - 1)] = 1.0  # every other of them decides
    positive = np.where(HALF == 1, 0.2, np.clip(y, 0.01, 0.99))  # sure of the rows that choose
    model = np.column_stack([1 - positive, positive])
    never = np.tile([0.98, 0.02], (ROWS, 1))
    rare = TargetEvaluation(BINARY, y, {"hist": model, "baseline": never})
    (decision,) = decide([rare], HALF)
    assert not decision.conclusive
    assert decision.deployed == {"hist": 1.0}


def test_the_best_model_alone_is_deployed_where_it_beats_the_blend():
    base = evaluated(hist=0.6, alone=0.7)
    late = HALF == 1
    base.predictions["alone"][late, 0] += 3.0
    (reference, alone), _ = choose(base, np.flatnonzero(~late))
    (decision,) = decide([base], HALF)
    assert len(reference) == 2
    assert decision.deployed == alone == {"hist": 1.0}


def test_a_challenger_has_to_beat_the_blend_and_the_best_model():
    base = evaluated(hist=0.6, alone=0.6, joint=0.45)
    (decision,) = decide([base], HALF)
    (blend, alone), challenger = choose(base, np.flatnonzero(HALF == 0))
    late = HALF == 1
    saved = [(base.losses(own) - base.losses(challenger))[late] for own in (blend, alone)]
    assert decision.test.p == max(paired_test(own).p for own in saved)


@both_regimes
def test_rows_outside_the_proof_are_not_read(cross_fitted):
    selection_half = np.where(np.arange(ROWS) < 300, HALF, -1)
    base, other = (
        evaluated(hist=1.0, alone=1.0, joint=0.9),
        evaluated(hist=1.0, alone=1.0, joint=0.9),
    )
    for pred in other.predictions.values():
        pred[300:] = np.nan
    other.labels[300:] = 99.0
    assert decide([base], selection_half, cross_fitted=cross_fitted) == decide(
        [other], selection_half, cross_fitted=cross_fitted
    )


@both_regimes
def test_missing_labels_take_no_part(cross_fitted):
    base = evaluated(hist=1.0, alone=1.0, joint=0.5)
    base.labels[::3] = np.nan
    for pred in base.predictions.values():
        pred[::3] = 1e6
    (decision,) = decide([base], HALF, cross_fitted=cross_fitted)
    assert decision.test.n == (~np.isnan(base.labels) & ((HALF == 1) | cross_fitted)).sum()
    assert decision.deployed[MULTI_TASK] > 0.5


def test_more_targets_ask_for_more_evidence():
    weak = evaluated(seed=3, hist=1.0, joint=0.9)
    (alone,) = decide([weak], HALF)
    p = alone.test.p
    assert 0 < p < 0.5
    alpha = p * 1.5  # enough for one hypothesis, not for the smallest of two
    nothing = evaluated(seed=4, hist=0.3, joint=1.0)
    assert decide([weak], HALF, alpha=alpha)[0].deployed == alone.challenger
    assert decide([weak, nothing], HALF, alpha=alpha)[0].deployed == alone.reference


def test_without_references_the_multi_task_network_is_deployed_untested():
    (decision,) = decide([evaluated(joint=1.0)], HALF)
    assert decision.deployed == {MULTI_TASK: 1.0}
    assert (decision.verdict, decision.tested, decision.test.p) == ("not tested", False, 1.0)


def test_without_a_multi_task_network_the_reference_is_deployed():
    (decision,) = decide([evaluated(hist=1.0, alone=0.5)], HALF)
    assert decision.challenger is None
    assert decision.deployed == decision.reference
    assert decision.verdict == "not tested"


@both_regimes
@pytest.mark.parametrize("labelled", [0, 1, 2])
def test_next_to_no_labels_leave_the_reference(cross_fitted, labelled):
    base = evaluated(hist=1.0, alone=1.0, joint=0.1)
    base.labels[labelled:] = np.nan
    (decision,) = decide([base], HALF, cross_fitted=cross_fitted)
    assert MULTI_TASK not in decision.deployed
    assert decision.deployed
    assert decision.verdict == "not tested"


def test_an_optimist_does_not_win_by_rows_without_the_rare_class():
    """Denying a class saves a little on each row until the class comes."""
    y = np.zeros(ROWS)
    y[: FEWEST_UNCOMMON - 1] = 1
    rng = np.random.default_rng(0)

    def pred(share):
        p = np.clip(share * np.exp(0.01 * rng.normal(size=ROWS)), 0, 1)
        return np.column_stack([1 - p, p])

    predictions = {"hist": pred(0.02), SINGLE_TASK: pred(0.02), MULTI_TASK: pred(0.001)}
    selection_half = np.where(np.arange(ROWS) < FEWEST_UNCOMMON - 1, 0, 1)  # none decides
    (decision,) = decide([TargetEvaluation(BINARY, y, predictions)], selection_half)
    assert (decision.deployed, decision.test.p) == (decision.reference, 1.0)
    assert decision.verdict == "not tested"
    assert not decision.conclusive


@pytest.mark.parametrize("rare", [FEWEST_UNCOMMON - 1, FEWEST_UNCOMMON])
def test_a_few_rows_of_the_rare_class_make_the_test(rare):
    y = np.zeros(ROWS)
    y[1 : 2 * rare : 2] = 1  # all on the half that decides
    p = np.where(y == 1, 0.9, 0.01)
    good, flat = np.column_stack([1 - p, p]), np.tile([0.98, 0.02], (ROWS, 1))
    (decision,) = decide([TargetEvaluation(BINARY, y, {"hist": flat, MULTI_TASK: good})], HALF)
    assert decision.conclusive == (rare == FEWEST_UNCOMMON)
    assert (decision.deployed == decision.challenger) == decision.conclusive


def test_sets_count_the_labels_of_all_members():
    y = np.zeros((ROWS, 2))
    y[1:6:2, 0] = y[7:12:2, 1] = 1  # three of each on the half that decides
    good, flat = np.clip(y, 0.05, 0.9), np.full((ROWS, 2), 0.02)
    (decision,) = decide([TargetEvaluation(SETS, y, {"hist": flat, MULTI_TASK: good})], HALF)
    assert decision.conclusive


def test_verdict_and_shipping_are_two_questions():
    """Trees win, yet sharing helped the network."""
    (decision,) = decide([evaluated(hist=0.1, alone=1.5, joint=0.9)], HALF)
    assert decision.verdict == "helped"
    assert decision.deployed == decision.reference == {"hist": 1.0}


def test_losses_are_reported_on_the_rows_of_the_test():
    base = evaluated(hist=1.0, alone=0.8, joint=0.7)
    (decision,) = decide([base], HALF)
    deciding_rows = HALF == 1
    assert decision.reference_loss == pytest.approx(
        base.losses(decision.reference)[deciding_rows].mean()
    )
    assert decision.single_task_loss == pytest.approx(
        base.losses({SINGLE_TASK: 1.0})[deciding_rows].mean()
    )


def test_where_nobody_decides_the_reference_ships():
    (decision,) = decide([evaluated(hist=1.0, alone=1.0, joint=0.1)], np.zeros(ROWS, int))
    assert (decision.verdict, decision.deployed) == ("not tested", decision.reference)
    assert decision.test.n == 0
