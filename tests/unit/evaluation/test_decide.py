"""The no-harm test: who chooses does not decide, and who can't be tested does not ship."""

import numpy as np
import pyarrow as pa
import pytest

from superpose.evaluation._decide import FEWEST_UNCOMMON, TargetEvaluation, choose, decide
from superpose.kinds import TARGET_KINDS
from superpose.models import MULTI_TASK, SINGLE_TASK

ROWS = 400
HALVES = np.arange(ROWS) % 2
NUMBER = TARGET_KINDS["number"].fit("y", pa.chunked_array([[-1.0, 1.0]]))
BINARY = TARGET_KINDS["binary"].fit("y", pa.chunked_array([[0, 1]]))
SETS = TARGET_KINDS["multilabel"].fit("y", pa.chunked_array([[["a"], ["b"]]]))

both_regimes = pytest.mark.parametrize("crossed", [False, True], ids=["holdout", "crossed"])


def case(seed=0, **errors):
    """A number target and models with errors of so much spread around the truth."""
    rng = np.random.default_rng(seed)
    y = rng.normal(size=ROWS)
    told = {
        name: np.column_stack([y + spread * rng.normal(size=ROWS), np.ones(ROWS)])
        for name, spread in errors.items()
    }
    return TargetEvaluation(NUMBER, y, told)


@both_regimes
def test_a_joint_network_that_is_clearly_better_ships(crossed):
    (ruling,) = decide([case(hist=1.0, alone=1.0, joint=0.3)], HALVES, cross_fitted=crossed)
    assert ruling.deployed == ruling.challenger
    assert ruling.deployed[MULTI_TASK] > 0.5
    assert ruling.verdict == "helped"
    assert ruling.test.p < 1e-6
    assert MULTI_TASK not in ruling.reference


@both_regimes
def test_a_joint_network_that_is_clearly_worse_does_not_ship(crossed):
    (ruling,) = decide([case(hist=0.3, alone=0.3, joint=1.0)], HALVES, cross_fitted=crossed)
    assert ruling.deployed == ruling.reference
    assert ruling.verdict == "harmed"


@both_regimes
def test_the_same_predictions_are_neither_help_nor_harm(crossed):
    same = case(hist=0.5)
    same.predictions |= {
        MULTI_TASK: same.predictions["hist"],
        SINGLE_TASK: same.predictions["hist"],
    }
    (ruling,) = decide([same], HALVES, cross_fitted=crossed)
    assert (ruling.verdict, ruling.deployed) == ("no difference", ruling.reference)


@both_regimes
def test_one_cluster_is_no_ground_for_a_verdict(crossed):
    clusters = np.zeros(ROWS, int)
    for errors in ({"alone": 1.0, "joint": 0.3}, {"alone": 0.3, "joint": 1.0}):
        (ruling,) = decide([case(**errors)], HALVES, cross_fitted=crossed, clusters=clusters)
        assert (ruling.verdict, ruling.deployed) == ("no difference", ruling.reference)


def test_rows_that_decide_do_not_choose():
    base = case(hist=1.0, lightgbm=0.9, joint=0.5)
    (before,) = decide([base], HALVES)
    deciding = HALVES == 1
    for told in base.predictions.values():
        told[deciding] = told[deciding][::-1]
    (after,) = decide([base], HALVES)
    assert (after.reference, after.challenger) == (before.reference, before.challenger)
    assert after.test.mean != before.test.mean


def test_rows_that_choose_do_not_decide():
    base = case(hist=1.0, joint=0.5)
    reference, challenger = choose(base, np.flatnonzero(HALVES == 0))
    saved = (base.losses(reference) - base.losses(challenger))[HALVES == 1]
    (ruling,) = decide([base], HALVES)
    assert ruling.test.n == ROWS // 2
    assert ruling.test.mean == pytest.approx(saved.mean())


def test_crossed_each_half_decides_what_the_other_chose():
    base = case(hist=1.0, joint=0.5)
    saved = np.empty(ROWS)
    for chooser, decider in ((0, 1), (1, 0)):
        reference, challenger = choose(base, np.flatnonzero(chooser == HALVES))
        judged = decider == HALVES
        saved[judged] = (base.losses(reference) - base.losses(challenger))[judged]
    (ruling,) = decide([base], HALVES, cross_fitted=True)
    assert ruling.test.n == ROWS
    assert ruling.test.mean == pytest.approx(saved.mean())


@both_regimes
def test_rows_outside_the_proof_are_not_read(crossed):
    halves = np.where(np.arange(ROWS) < 300, HALVES, -1)
    base, other = case(hist=1.0, alone=1.0, joint=0.9), case(hist=1.0, alone=1.0, joint=0.9)
    for told in other.predictions.values():
        told[300:] = np.nan
    other.labels[300:] = 99.0
    assert decide([base], halves, cross_fitted=crossed) == decide(
        [other], halves, cross_fitted=crossed
    )


@both_regimes
def test_missing_labels_take_no_part(crossed):
    base = case(hist=1.0, alone=1.0, joint=0.5)
    base.labels[::3] = np.nan
    for told in base.predictions.values():
        told[::3] = 1e6
    (ruling,) = decide([base], HALVES, cross_fitted=crossed)
    assert ruling.test.n == (~np.isnan(base.labels) & ((HALVES == 1) | crossed)).sum()
    assert ruling.deployed[MULTI_TASK] > 0.5


def test_more_targets_ask_for_more_evidence():
    weak = case(seed=3, hist=1.0, joint=0.9)
    (alone,) = decide([weak], HALVES)
    p = alone.test.p
    assert 0 < p < 0.5
    alpha = p * 1.5  # enough for one hypothesis, not for the smallest of two
    nothing = case(seed=4, hist=0.3, joint=1.0)
    assert decide([weak], HALVES, alpha=alpha)[0].deployed == alone.challenger
    assert decide([weak, nothing], HALVES, alpha=alpha)[0].deployed == alone.reference


def test_without_references_the_joint_network_ships_untested():
    (ruling,) = decide([case(joint=1.0)], HALVES)
    assert ruling.deployed == {MULTI_TASK: 1.0}
    assert (ruling.verdict, ruling.tested, ruling.test.p) == ("not tested", False, 1.0)


def test_without_a_joint_network_the_reference_ships():
    (ruling,) = decide([case(hist=1.0, alone=0.5)], HALVES)
    assert ruling.challenger is None
    assert ruling.deployed == ruling.reference
    assert ruling.verdict == "not tested"


@both_regimes
@pytest.mark.parametrize("labelled", [0, 1, 2])
def test_next_to_no_labels_leave_the_reference(crossed, labelled):
    base = case(hist=1.0, alone=1.0, joint=0.1)
    base.labels[labelled:] = np.nan
    (ruling,) = decide([base], HALVES, cross_fitted=crossed)
    assert MULTI_TASK not in ruling.deployed
    assert ruling.deployed
    assert ruling.verdict == "not tested"


def test_an_optimist_does_not_win_by_rows_without_the_rare_class():
    """Denying a class saves a little on each row until the class comes."""
    y = np.zeros(ROWS)
    y[: FEWEST_UNCOMMON - 1] = 1
    rng = np.random.default_rng(0)

    def told(share):
        p = np.clip(share * np.exp(0.01 * rng.normal(size=ROWS)), 0, 1)
        return np.column_stack([1 - p, p])

    predictions = {"hist": told(0.02), SINGLE_TASK: told(0.02), MULTI_TASK: told(0.001)}
    halves = np.where(np.arange(ROWS) < FEWEST_UNCOMMON - 1, 0, 1)  # none decides
    (ruling,) = decide([TargetEvaluation(BINARY, y, predictions)], halves)
    assert (ruling.deployed, ruling.test.p) == (ruling.reference, 1.0)
    assert ruling.verdict == "not tested"
    assert not ruling.conclusive


@pytest.mark.parametrize("rare", [FEWEST_UNCOMMON - 1, FEWEST_UNCOMMON])
def test_a_few_rows_of_the_rare_class_make_the_test(rare):
    y = np.zeros(ROWS)
    y[1 : 2 * rare : 2] = 1  # all on the half that decides
    p = np.where(y == 1, 0.9, 0.01)
    good, flat = np.column_stack([1 - p, p]), np.tile([0.98, 0.02], (ROWS, 1))
    (ruling,) = decide([TargetEvaluation(BINARY, y, {"hist": flat, MULTI_TASK: good})], HALVES)
    assert ruling.conclusive == (rare == FEWEST_UNCOMMON)
    assert (ruling.deployed == ruling.challenger) == ruling.conclusive


def test_sets_count_the_labels_of_all_members():
    y = np.zeros((ROWS, 2))
    y[1:6:2, 0] = y[7:12:2, 1] = 1  # three of each on the half that decides
    good, flat = np.clip(y, 0.05, 0.9), np.full((ROWS, 2), 0.02)
    (ruling,) = decide([TargetEvaluation(SETS, y, {"hist": flat, MULTI_TASK: good})], HALVES)
    assert ruling.conclusive


def test_verdict_and_shipping_are_two_questions():
    """Trees win, yet sharing helped the network."""
    (ruling,) = decide([case(hist=0.1, alone=1.5, joint=0.9)], HALVES)
    assert ruling.verdict == "helped"
    assert ruling.deployed == ruling.reference == {"hist": 1.0}


def test_losses_are_reported_on_the_rows_of_the_test():
    base = case(hist=1.0, alone=0.8, joint=0.7)
    (ruling,) = decide([base], HALVES)
    judged = HALVES == 1
    assert ruling.reference_loss == pytest.approx(base.losses(ruling.reference)[judged].mean())
    assert ruling.single_task_loss == pytest.approx(base.losses({SINGLE_TASK: 1.0})[judged].mean())


def test_where_nobody_decides_the_reference_ships():
    (ruling,) = decide([case(hist=1.0, alone=1.0, joint=0.1)], np.zeros(ROWS, int))
    assert (ruling.verdict, ruling.deployed) == ("not tested", ruling.reference)
    assert ruling.test.n == 0
