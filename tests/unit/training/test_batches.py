"""Batches: every fold's own rows, all of them, in an order that the seed decides."""

import numpy as np
import pytest
import torch

from superpose.config import TrainingConfig
from superpose.data import Fold
from superpose.training import BatchSampler, batch_size
from superpose.training._batches import SHORTEST_EPOCH


def sampler(folds, size, **more):
    return BatchSampler([fold.train for fold in folds], size, **more)


def drawn(folds, size, seed=0, **more):
    return torch.cat(list(sampler(folds, size, **more).epoch(seed)), dim=1)


def test_each_network_draws_from_its_training_rows_only(make_folds):
    folds = make_folds(rows=60, k=4)
    for fold, rows in zip(folds, drawn(folds, 8), strict=True):
        assert set(rows.tolist()) == set(fold.train.tolist())


@pytest.mark.parametrize("size", [1, 7, 32])
def test_every_row_comes_before_any_comes_again(size):
    fold = Fold(np.arange(100, 145), np.arange(5))
    rows = drawn([fold], size)[0].numpy()
    for start in range(0, len(rows) - 45, 45):
        assert sorted(rows[start : start + 45]) == list(range(100, 145))


def test_all_batches_have_the_same_size(make_folds):
    sizes = {b.shape for b in sampler(make_folds(rows=61, k=3), 8).epoch(0)}
    assert sizes == {(3, 8)}


def test_folds_of_unlike_length_end_together():
    folds = [Fold(np.arange(50), np.arange(2)), Fold(np.arange(3), np.arange(2))]
    rows = drawn(folds, 10)
    counts = np.bincount(rows[1].numpy(), minlength=3)
    assert counts.max() - counts.min() <= 1


def test_an_epoch_of_a_tiny_table_repeats_its_rows():
    fold = Fold(np.arange(10), np.arange(2))
    batches = sampler([fold], 10)
    assert len(list(batches.epoch(0))) == len(batches) == SHORTEST_EPOCH


def test_an_epoch_of_a_longer_table_sees_each_row_about_once():
    fold = Fold(np.arange(1000), np.arange(2))
    batches = sampler([fold], 30)
    assert len(list(batches.epoch(0))) == len(batches) == 34


def test_the_seed_decides_the_order(make_folds):
    folds = make_folds()
    assert torch.equal(drawn(folds, 8, seed=3), drawn(folds, 8, seed=3))
    assert not torch.equal(drawn(folds, 8, seed=3), drawn(folds, 8, seed=4))


def test_the_largest_fold_decides_the_batch():
    assert batch_size(TrainingConfig(), [np.arange(100), np.arange(1000)]) == 64


@pytest.mark.parametrize(("exponent", "shares"), [(0.0, (0.5, 0.5)), (0.5, (0.75, 0.25))])
def test_small_data_sets_come_more_often_and_their_rows_alike(exponent, shares):
    fold = Fold(np.arange(400), np.arange(2))
    dataset_ids = (np.arange(402) >= 360).astype(int)
    rows = drawn([fold], 20, dataset_ids=dataset_ids, exponent=exponent)[0].numpy()
    small = np.bincount(rows, minlength=400)[360:]
    assert (rows < 360).mean() == pytest.approx(shares[0], abs=0.01)
    assert small.sum() / len(rows) == pytest.approx(shares[1], abs=0.01)
    assert small.max() - small.min() <= 1
    # Both data sets are in the steps from the first to the last.
    assert 0 < (rows[:40] >= 360).mean() < 1
