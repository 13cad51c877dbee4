"""The loop: the same numbers for the same seed, killed or not, and a clear end where one is due."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from superpose.data import Fold
from superpose.errors import TrainingError
from superpose.nn.augment._augment import AugmentRecord, Pieces
from superpose.training import BatchSampler, EarlyStopping, _set_up, _state, _validation
from superpose.training._checkpoints import load_checkpoint
from superpose.training._objective import Objective
from superpose.training._observed_targets import ObservedTargets

# Ways to train whose every number has to survive a kill.
WAYS = {
    "folds": {},
    "one fold": {"folds": [Fold(np.arange(60), np.arange(60, 90))]},
    "accumulated": {"accumulate": 3},
    "single task": {"single_task": True},
    "given": {"given": True},
}
every_way = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)


@pytest.fixture(autouse=True)
def _every_epoch_is_kept(monkeypatch):
    """On a busy machine writing takes long, and epochs would go unwritten."""
    monkeypatch.setattr(_state, "WRITING_SHARE", float("inf"))


@pytest.fixture
def run_with(run, monkeypatch):
    """Train with every batch transformed, before targets are shown."""

    def run_with(transform, **changes):
        others = _set_up.transforms_of
        with monkeypatch.context() as patch:
            patch.setattr(_set_up, "transforms_of", lambda *given: [transform, *others(*given)])
            return run(**changes)

    return run_with


def jitter(batch):
    """A random variation of the numbers of a batch, which no target has to follow."""
    numbers = batch.inputs["numbers"]
    noisy = numbers + 0.1 * torch.randn_like(numbers)
    return replace(batch, inputs={**batch.inputs, "numbers": noisy})


def test_inputs_are_varied_in_training_and_nowhere_else(run, run_with, assert_same):
    seen = []

    def count(batch):
        seen.append(batch.inputs["numbers"].shape[1])
        return batch

    assert_same(run_with(count, seed=5), run(seed=5))
    assert set(seen) == {16}  # batches of training rows; held-out rows come in one piece
    one, other = run_with(jitter, seed=5, epochs=1), run(seed=5, epochs=1)
    assert not torch.equal(one.snapshots[0]["heads.weight"], other.snapshots[0]["heads.weight"])


def test_of_rows_that_show_another_nothing_is_observed_and_nothing_learned(run_with, monkeypatch):
    def mix(batch):
        shape = batch.rows.shape
        low, high = torch.zeros(*shape, 2), torch.full((*shape, 2), 0.5)
        pieces = Pieces(torch.zeros(shape, dtype=torch.long), low, high)
        return replace(batch, augmented={"photo": AugmentRecord(high, low, pieces)})

    def block(targets, rows, observed):
        pred.append(bool(observed.any()))
        return write(targets, rows, observed)

    write, pred = ObservedTargets.block, []
    monkeypatch.setattr(ObservedTargets, "block", block)
    trained = run_with(mix, given=True)
    assert [curve["train"] for curve in trained.curves] == [[0.0] * 3] * 3
    assert set(pred[2:]) == {False}  # the first two are of held-out rows


def test_killed_and_resumed_equals_not_killed_where_inputs_are_varied(
    run_with, assert_same, killed, tmp_path
):
    path = tmp_path / "x.checkpoint"
    with killed(1) as callbacks:
        run_with(jitter, epochs=4, checkpoint=path, callbacks=callbacks)
    again = run_with(jitter, epochs=4, checkpoint=path)
    assert_same(again, run_with(jitter, epochs=4))


class Killed(Exception):
    """Stands for the end of the process."""


@every_way
def test_the_same_seed_gives_the_same_numbers(run, assert_same, way):
    assert_same(run(seed=5, **way), run(seed=5, **way))


def test_another_seed_gives_others(run):
    one, other = run(seed=5, epochs=1), run(seed=6, epochs=1)
    assert not torch.equal(one.snapshots[0]["heads.weight"], other.snapshots[0]["heads.weight"])


def test_the_callers_random_stream_is_left_alone(run):
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    run(epochs=1)
    assert torch.equal(torch.rand(4), expected)


@every_way
def test_killed_between_epochs_and_resumed_equals_not_killed(
    run, assert_same, killed, tmp_path, way
):
    whole = run(epochs=4, **way)
    path = tmp_path / "x.checkpoint"
    with killed(1) as callbacks:
        run(epochs=4, checkpoint=path, callbacks=callbacks, **way)
    assert_same(run(epochs=4, checkpoint=path, **way), whole)


@every_way
@pytest.mark.parametrize("at", [5, 37])
def test_killed_within_an_epoch_and_resumed_equals_not_killed(
    run, assert_same, tmp_path, monkeypatch, way, at
):
    whole, path, steps = run(**way), tmp_path / "x.checkpoint", iter(range(1000))
    plain = Objective.losses

    def stop(self, *args):
        if next(steps) == at:
            raise Killed
        return plain(self, *args)

    with monkeypatch.context() as patch:
        patch.setattr(Objective, "losses", stop)
        with pytest.raises(Killed):
            run(checkpoint=path, **way)
    assert_same(run(checkpoint=path, **way), whole)


def test_a_finished_training_is_not_trained_again(run, assert_same, tmp_path, monkeypatch):
    path = tmp_path / "x.checkpoint"
    whole = run(checkpoint=path)
    monkeypatch.setattr(Objective, "losses", lambda *_: pytest.fail("trained again"))
    assert_same(run(checkpoint=path), whole)


def test_a_checkpoint_changes_no_number(run, assert_same, tmp_path):
    assert_same(run(checkpoint=tmp_path / "x.checkpoint"), run())


def break_losses(monkeypatch, target, at, value=float("nan")):
    """Make the loss of one target break in one step, counted from 1 over all epochs."""
    plain, steps = Objective.losses, iter(range(1, 1000))

    def broken(self, *args):
        losses = plain(self, *args)
        if next(steps) == at:
            losses = losses.clone()
            losses[0, target] = value
        return losses

    monkeypatch.setattr(Objective, "losses", broken)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_names_target_and_batch(run, monkeypatch, value):
    break_losses(monkeypatch, target=1, at=16 + 3, value=value)
    with pytest.raises(
        TrainingError, match=r"target 'sick': the loss is not finite in epoch 2, batch 3; .*lower"
    ):
        run()


def test_a_loss_that_is_no_number_leaves_the_last_good_checkpoint(run, monkeypatch, tmp_path):
    path = tmp_path / "x.checkpoint"
    break_losses(monkeypatch, target=0, at=2 * 16 + 1)
    with pytest.raises(TrainingError):
        run(checkpoint=path)
    facts, tensors = load_checkpoint(path)
    assert facts["epoch"] == 1
    assert all(torch.isfinite(t).all() for t in tensors.values())


def test_a_last_step_that_went_too_far_is_not_kept(run, monkeypatch, tmp_path):
    path, plain, epochs = tmp_path / "x.checkpoint", _validation.predict_rows, iter(range(9))

    def broken(*args, **options):
        pred = plain(*args, **options)
        if next(epochs) == 1:
            pred[0][2][:] = np.nan
        return pred

    monkeypatch.setattr(_validation, "predict_rows", broken)
    with pytest.raises(TrainingError, match="target 'calls': the loss is not finite in epoch 2"):
        run(checkpoint=path)
    assert load_checkpoint(path)[0]["epoch"] == 0


def test_an_infinite_label_ends_training_with_its_target(run, spec):
    labels = [spec.labels[t].copy() for t in ("weight", "sick")]
    labels[0][spec.folds[0].train[0]] = np.inf
    with (
        np.errstate(all="ignore"),
        pytest.raises(TrainingError, match=r"target 'weight': .* epoch 1"),
    ):
        run(targets=("weight", "sick"), labels=labels)


@pytest.mark.parametrize("batches", [2, 4])
def test_accumulated_batches_equal_one_large_batch(run, monkeypatch, batches):
    """Without dropout, clipping and with a whole number of steps."""
    seen = []
    real = torch.optim.AdamW.step

    def recorded(self, *args):
        seen.append([p.grad.clone() for group in self.param_groups for p in group["params"]])
        return real(self, *args)

    monkeypatch.setattr(torch.optim.AdamW, "step", recorded)

    def take(steps):
        rows = [torch.arange(first, 60, steps)[None] for first in range(steps)]
        monkeypatch.setattr(BatchSampler, "epoch", lambda *_: iter(rows))
        monkeypatch.setattr(BatchSampler, "__len__", lambda _: steps)

    take(batches)
    monkeypatch.setattr(torch.nn.functional, "dropout", lambda x, p: x)
    fold = [Fold(np.arange(60), np.arange(60, 90))]
    run(folds=fold, epochs=1, accumulate=batches, clip=1e6)
    take(1)
    run(folds=fold, epochs=1, clip=1e6)
    small, large = seen
    for a, b in zip(small, large, strict=True):
        torch.testing.assert_close(a, b, atol=1e-5, rtol=1e-3)


@pytest.mark.parametrize("accumulate", [1, 3, 16, 1000])
def test_every_epoch_ends_with_a_step(run, monkeypatch, accumulate):
    counts = []
    real = torch.optim.AdamW.step
    monkeypatch.setattr(torch.optim.AdamW, "step", lambda s, *a: (counts.append(1), real(s, *a)))
    run(epochs=2, accumulate=accumulate)
    assert len(counts) == 2 * -(-16 // accumulate)


def test_training_lowers_the_loss_of_every_target(run):
    trained = run(
        ("weight", "sick", "calls", "sort", "level", "tags"), epochs=15, learning_rate=0.02
    )
    for curve in trained.curves:
        assert min(curve["validation"]) < curve["validation"][0]
        assert curve["train"][-1] < curve["train"][0]


def test_training_stops_when_nothing_gains(run):
    curves = run(epochs=60, patience=2, learning_rate=0.1).curves
    assert len(curves[0]["train"]) < 60


def test_no_time_left_still_means_one_epoch(run):
    trained = run(max_minutes=1e-9, epochs=9)
    assert len(trained.curves[0]["train"]) == 1
    assert np.isfinite(trained.oof_predictions[0]).all()


@every_way
def test_what_is_left_behind_is_for_every_fold_and_row(run, way):
    trained = run(**way)
    folds = 1 if "folds" in way else 3
    networks = folds * (3 if way.get("single_task") else 1)
    assert len(trained.best) == len(trained.curves) == len(trained.oof_predictions) == 3
    pred = {trained.given_epoch} if way.get("given") else set()
    assert (trained.given_epoch is not None) == bool(pred)
    assert trained.snapshots.keys() == set(trained.best) | pred
    for state in trained.snapshots.values():
        assert {len(weight) for weight in state.values()} == {networks}
    assert trained.n_params == sum(w[0].numel() for w in state.values())
    rows = np.isfinite(trained.oof_predictions[0]).all(axis=1)
    assert rows.sum() == (30 if folds == 1 else 90)


def test_no_network_has_learned_from_the_rows_it_is_evaluated_on(run, spec):
    """Shuffling labels inside a fold keeps every constant, and must not move its predictions."""
    held_out = spec.folds[1].validation
    labels = [spec.labels[t].copy() for t in ("weight", "sick")]
    shuffled = [y.copy() for y in labels]
    for y in shuffled:
        y[held_out] = y[np.random.default_rng(0).permutation(held_out)]
    one = run(("weight", "sick"), labels=labels, epochs=1)
    other = run(("weight", "sick"), labels=shuffled, epochs=1)
    for a, b in zip(one.oof_predictions, other.oof_predictions, strict=True):
        np.testing.assert_allclose(a[held_out], b[held_out], atol=1e-6)
        assert not np.allclose(a, b, atol=1e-6)


def test_each_half_of_a_validation_part_is_evaluated_where_the_other_stops(run, spec):
    """One network, of which the labels of a half never move what is predicted for that half."""
    fold = spec.folds[1]
    halves = np.full(len(spec.labels["weight"]), -1)
    halves[fold.validation] = np.arange(len(fold.validation)) % 2
    labels = [spec.labels[t].copy() for t in ("weight", "sick")]
    shuffled = [y.copy() for y in labels]
    own = halves == 0
    for y in shuffled:
        y[own] = np.nanmax(y) - y[own]
    more = {"folds": [fold], "halves": halves, "epochs": 8, "learning_rate": 0.05}
    one = run(("weight", "sick"), labels=labels, **more)
    other = run(("weight", "sick"), labels=shuffled, **more)
    assert len(next(iter(one.snapshots.values()))["heads.weight"]) == 1
    moved = []
    for a, b in zip(one.oof_predictions, other.oof_predictions, strict=True):
        assert np.isfinite(a[fold.validation]).all()
        np.testing.assert_array_equal(a[own], b[own])
        moved.append(not np.array_equal(a[halves == 1], b[halves == 1]))
    assert any(moved)


def test_a_single_task_network_reads_no_other_target(run, spec):
    labels = [spec.labels[t].copy() for t in ("weight", "sick", "calls")]
    one = run(labels=labels, single_task=True)
    labels[1] = np.where(np.isnan(labels[1]), np.nan, 1 - labels[1])
    other = run(labels=labels, single_task=True)
    np.testing.assert_array_equal(one.oof_predictions[0], other.oof_predictions[0])
    np.testing.assert_array_equal(one.oof_predictions[2], other.oof_predictions[2])
    assert not np.array_equal(one.oof_predictions[1], other.oof_predictions[1])


def test_no_network_reads_the_label_that_it_predicts(run, spec):
    """What a target says to held-out rows is the same whatever those rows' own labels are."""
    held_out = spec.folds[1].validation
    labels = [spec.labels[t].copy() for t in ("weight", "sick")]
    shuffled = [labels[0].copy(), labels[1]]
    shuffled[0][held_out] = labels[0][np.random.default_rng(0).permutation(held_out)]
    one = run(("weight", "sick"), labels=labels, epochs=1, given=True)
    other = run(("weight", "sick"), labels=shuffled, epochs=1, given=True)
    for a, b in zip(one.oof_predictions, other.oof_predictions, strict=True):
        np.testing.assert_allclose(a[held_out], b[held_out], atol=1e-6)


def test_every_row_is_validated_with_the_target_hidden(run, spec, monkeypatch):
    seen = []
    plain = EarlyStopping.update

    def update(self, *args, half_given, **more):
        seen.append(half_given)
        plain(self, *args, half_given=half_given, **more)

    monkeypatch.setattr(EarlyStopping, "update", update)
    fold = Fold(np.arange(60), np.arange(60, 90))
    labels = [spec.labels[t].copy() for t in ("weight", "sick", "calls")]
    run(labels=labels, folds=[fold], given=True, epochs=1)
    labels[0][fold.validation] += 1.0
    run(labels=labels, folds=[fold], given=True, epochs=1)
    before, after = seen
    np.testing.assert_array_equal(before[0][0], after[0][0])
    assert before[0][0].shape == (30, 2)
    assert not np.array_equal(before[1][0], after[1][0])  # the others do hear of it
