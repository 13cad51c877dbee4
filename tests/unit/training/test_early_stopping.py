"""Early stopping: each target keeps its own epoch, and no row chooses what it is evaluated by."""

import numpy as np
import pyarrow as pa
import pytest

from superpose.kinds import TARGET_KINDS
from superpose.training import EarlyStopping

ROWS = 24
NUMBER = TARGET_KINDS["number"].fit("y", pa.chunked_array([[-1.0, 1.0]]))
BINARY = TARGET_KINDS["binary"].fit("z", pa.chunked_array([[0, 1]]))


def preds(rows, value):
    """Canonical predictions of a number that say the same for every row."""
    return np.column_stack([np.broadcast_to(value, len(rows)), np.ones(len(rows))])


def take(stopping, epoch, pred, half=None):
    """Update with an epoch whose snapshot tells its number."""
    stopping.update(
        epoch,
        pred,
        train_losses=np.zeros(len(pred)),
        snapshot=lambda: {"epoch": epoch},
        half_given=half,
    )


def train(labels, validation, means, patience=100, kinds=(NUMBER,)):
    """Early stopping after epochs whose predictions are means[epoch][fold][target]."""
    stopping = EarlyStopping(kinds, labels, validation, patience=patience)
    for epoch, by_fold in enumerate(means):
        pred = [
            [preds(rows, by_target[t]) for rows, by_target in zip(validation, by_fold, strict=True)]
            for t in range(len(kinds))
        ]
        take(stopping, epoch, pred)
    return stopping


def validation_of(k, repeats=1):
    found = []
    for repeat in range(repeats):
        fold = np.random.default_rng(repeat).permutation(ROWS) % k
        found += [np.flatnonzero(fold == f) for f in range(k)]
    return found


@pytest.mark.parametrize(("k", "repeats"), [(2, 1), (4, 1), (3, 2), (4, 3)])
def test_a_row_takes_no_part_in_choosing_the_epoch_it_is_evaluated_at(k, repeats):
    rng = np.random.default_rng(0)
    validation, labels = validation_of(k, repeats), rng.normal(size=ROWS)
    means = rng.normal(size=(8, len(validation), 1))
    base = train([labels], validation, means).oof_predictions()[0]
    for row in range(ROWS):
        for other in (-50.0, 50.0, np.nan):
            changed = labels.copy()
            changed[row] = other
            again = train([changed], validation, means).oof_predictions()[0]
            np.testing.assert_array_equal(again[row], base[row])


def test_other_folds_do_choose_the_epoch():
    validation, labels = validation_of(3), np.zeros(ROWS)
    means = np.array([[[5.0]] * 3, [[0.1], [3.0], [3.0]], [[2.0], [0.2], [0.2]]])
    out = train([labels], validation, means).oof_predictions()[0][:, 0]
    assert (out[validation[0]] == 2.0).all()  # best of the others last, though not its own


def test_one_fold_is_evaluated_at_its_own_best_epoch():
    validation, labels = [np.arange(10)], np.zeros(ROWS)
    stopping = train([labels], validation, np.array([[[2.0]], [[0.5]], [[1.0]]]))
    assert stopping.best_epoch == [1]
    assert (stopping.oof_predictions()[0][:10, 0] == 0.5).all()


def test_rows_that_no_fold_holds_have_no_prediction():
    out = train([np.zeros(ROWS)], [np.arange(10)], np.ones((1, 1, 1))).oof_predictions()[0]
    assert np.isfinite(out[:10]).all()
    assert np.isnan(out[10:]).all()


def test_repeats_are_averaged():
    validation = [np.arange(12), np.arange(12, ROWS)] * 2
    out = train(
        [np.zeros(ROWS)], validation, np.array([[[1.0], [1.0], [3.0], [5.0]]])
    ).oof_predictions()[0]
    assert (out[:12, 0] == 2.0).all()
    assert (out[12:, 0] == 3.0).all()


def test_each_target_keeps_its_own_best_epoch_and_only_those_weights_stay():
    validation, labels = [np.arange(ROWS)], [np.zeros(ROWS), np.zeros(ROWS)]
    means = np.array([[[3.0, 3.0]], [[0.1, 2.0]], [[2.0, 1.0]], [[2.0, 1.5]]])
    stopping = train(labels, validation, means, kinds=(NUMBER, NUMBER))
    assert stopping.best_epoch == [1, 2]
    assert stopping.snapshots == {1: {"epoch": 1}, 2: {"epoch": 2}}


def test_training_is_done_when_no_target_has_gained_for_the_patience():
    validation, labels = [np.arange(ROWS)], [np.zeros(ROWS), np.zeros(ROWS)]
    means = np.array([[[3.0, 3.0]], [[2.0, 4.0]], [[2.5, 2.0]], [[2.5, 2.5]], [[2.5, 2.5]]])
    stopping = train(labels, validation, means, patience=2, kinds=(NUMBER, NUMBER))
    assert [stopping.is_done(epoch) for epoch in (2, 3, 4)] == [False, False, True]


def test_a_gain_in_the_last_digits_is_no_gain():
    means = np.array([[[1.0]], [[1.0 - 1e-6]]])
    assert train([np.zeros(ROWS)], [np.arange(ROWS)], means).best_epoch == [0]


def test_missing_labels_count_for_nothing():
    labels = np.zeros(ROWS)
    labels[::2] = np.nan
    rows = np.arange(ROWS)
    stopping = EarlyStopping([NUMBER], [labels], [rows], patience=10)
    pred_rows = preds(rows, 1.0)
    pred_rows[::2] = 100.0
    take(stopping, 0, [[pred_rows]])
    assert stopping.curves[0]["validation"] == [1.0]


@pytest.mark.parametrize(("kind", "columns"), [(NUMBER, 2), (BINARY, 2)])
def test_predictions_that_are_no_numbers_never_win(kind, columns):
    rows = np.arange(ROWS)
    stopping = EarlyStopping([kind], [np.zeros(ROWS)], [rows[:12], rows[12:]], patience=10)
    good = np.full((12, columns), 0.5)
    for epoch in range(3):
        bad = np.full_like(good, np.nan) if epoch == 1 else good
        take(stopping, epoch, [[bad, good]])
    assert stopping.best_epoch == [0]
    assert stopping.curves[0]["validation"][1] == np.inf
    assert np.isfinite(stopping.oof_predictions()[0]).all()


def test_a_target_without_held_out_labels_keeps_an_epoch_all_the_same():
    labels = np.full(ROWS, np.nan)
    stopping = train([labels], validation_of(3), np.arange(9.0).reshape(3, 3, 1))
    assert stopping.best_epoch == [2]  # the newest: the first has hardly learned anything
    assert stopping.snapshots.keys() == {2}
    assert stopping.last_gain == 0
    np.testing.assert_array_equal(stopping.oof_predictions()[0][validation_of(3)[1], 0], 7.0)


def test_packing_and_unpacking_changes_nothing():
    rng = np.random.default_rng(0)
    validation, labels = validation_of(3), rng.normal(size=ROWS)
    means = rng.normal(size=(6, 3, 1))
    stopping = train([labels], validation, means[:3])
    other = EarlyStopping([NUMBER], [labels], validation, patience=100)
    stopping.snapshots = {}  # dictionaries here, tensors in earnest: test_loop resumes with them
    other.unpack(*stopping.pack())
    for epoch in (3, 4, 5):
        pred = [[preds(rows, m[0]) for rows, m in zip(validation, means[epoch], strict=True)]]
        for one in (stopping, other):
            take(one, epoch, pred)
    assert stopping.curves == other.curves
    assert (stopping.best_epoch, stopping.last_gain) == (other.best_epoch, other.last_gain)
    np.testing.assert_array_equal(stopping.oof_predictions()[0], other.oof_predictions()[0])


def train_given(halves, plain=None, patience=100):
    """Early stopping of two folds; with half of the others given they say halves[epoch]."""
    validation, labels = validation_of(2), np.zeros(ROWS)
    stopping = EarlyStopping([NUMBER], [labels], validation, patience=patience, given=True)
    for epoch, mean in enumerate(halves):
        pred = [[preds(rows, 1.0 if plain is None else plain[epoch]) for rows in validation]]
        half = [[preds(rows, mean) for rows in validation]]
        take(stopping, epoch, pred, half)
    return stopping


def test_the_epoch_for_given_is_the_best_while_half_is_given():
    stopping = train_given([3.0, 0.5, 2.0], plain=[3.0, 2.0, 0.5])
    assert (stopping.best_epoch, stopping.given_epoch) == ([2], 1)
    assert stopping.snapshots == {1: {"epoch": 1}, 2: {"epoch": 2}}


def test_a_gain_with_half_given_is_a_gain():
    stopping = train_given([3.0, 2.0, 1.0, 1.0], patience=1)
    assert stopping.last_gain == 2
    assert not stopping.is_done(2)
    assert stopping.is_done(3)


def test_without_given_no_epoch_is_chosen_for_it():
    stopping = train([np.zeros(ROWS)], validation_of(2), np.ones((3, 2, 1)))
    assert stopping.given_epoch is None
    assert stopping.snapshots.keys() == {0}


def test_targets_weigh_the_same_in_the_epoch_for_given():
    """A target with a loss a hundred times as large does not choose alone."""
    rng = np.random.default_rng(0)
    labels = [rng.normal(size=ROWS), 10 * rng.normal(size=ROWS)]
    rows = np.arange(ROWS)
    stopping = EarlyStopping([NUMBER, NUMBER], labels, [rows], patience=10, given=True)
    for epoch, (small, large) in enumerate([(1.0, 1.0), (0.2, 1.1), (1.1, 0.9)]):
        # The share of each label that is not predicted.
        half = [[preds(rows, y * (1 - s))] for y, s in zip(labels, (small, large), strict=True)]
        take(stopping, epoch, half, half)
    assert stopping.given_epoch == 1


def test_half_given_predictions_that_are_no_numbers_never_win():
    stopping = train_given([3.0, np.nan, 2.0, np.nan])
    assert stopping.given_epoch == 2
    assert np.isfinite(stopping.given_loss)


def test_the_epoch_for_given_is_packed_and_unpacked():
    stopping = train_given([3.0, 0.5, 2.0])
    stopping.snapshots = {}  # dictionaries here, tensors in earnest: test_loop resumes with them
    other = EarlyStopping([NUMBER], [np.zeros(ROWS)], validation_of(2), patience=100, given=True)
    other.unpack(*stopping.pack())
    assert other.given_epoch == stopping.given_epoch == 1
    assert other.given_loss == stopping.given_loss
    for one in (stopping, other):
        pred = [[preds(rows, 0.1) for rows in validation_of(2)]]
        take(one, 3, pred, pred)
    assert other.given_epoch == stopping.given_epoch == 3
