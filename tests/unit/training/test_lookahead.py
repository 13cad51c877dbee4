"""Looking ahead: what is measured is equation 1, and the training does not notice."""

import copy
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from superpose.data import Fold
from superpose.models.network import build
from superpose.nn import StackedNetworks, head_of
from superpose.training import Batch, look_ahead, multi_task_jobs
from superpose.training._lookahead import MOST_STEPS, LookAhead
from superpose.training._objective import Objective

TARGETS = ("weight", "sick", "calls")


@pytest.fixture
def step(spec):
    """The first step of two networks on all rows, without dropout."""

    def make(count=2, gone=()):
        kinds = [spec.codec.target_kinds[t] for t in TARGETS]
        labels = [
            np.full_like(spec.labels[t], np.nan) if t in gone else spec.labels[t] for t in TARGETS
        ]
        torch.manual_seed(0)
        heads = {t: head_of(spec.codec.target_kinds[t]).n_outputs for t in TARGETS}
        network = StackedNetworks(
            build(spec.codec, heads, replace(spec.architecture, dropout=0.0), embedding=4), count
        )
        jobs = multi_task_jobs(len(kinds), spec.folds[:1] * count)
        objective = Objective(kinds, labels, jobs, rows=np.arange(90))
        blocks = {name: torch.as_tensor(np.array(b)) for name, b in spec.inputs.items()}
        rows = torch.arange(60).expand(count, -1)
        batch = Batch(rows, {n: b[rows] for n, b in blocks.items()})
        losses = objective.losses(network(batch.inputs), batch)
        optimizer = torch.optim.AdamW(network.parameters(), 0.01)
        return SimpleNamespace(
            networks=network,
            losses=losses,
            objective=objective,
            loader=SimpleNamespace(inputs=blocks),
            optimizer=optimizer,
        )

    return make


@pytest.mark.parametrize("count", [1, 2])
def test_an_affinity_is_the_share_of_a_held_out_loss_that_a_step_of_the_shared_weights_saves(
    step, count
):
    taken = step(count)
    held_out = np.arange(60, 90)
    looks = LookAhead([held_out] * count, every=1, seed=0)
    looks.on_step(taken)
    affinities, _ = looks.looks[0]
    assert affinities.shape == (count, 3, 3)
    rows = torch.from_numpy(held_out).expand(count, -1)
    batch = Batch(rows, {name: block[rows] for name, block in taken.loader.inputs.items()})

    def losses(network):
        with torch.no_grad():
            return taken.objective.observe(network(batch.inputs), batch)[0]

    before = losses(taken.networks)
    for i in range(3):
        stepped = copy.deepcopy(taken.networks)
        gradients = torch.autograd.grad(
            taken.losses[:, i].sum(), taken.networks.shared(), retain_graph=True
        )
        with torch.no_grad():
            for weight, gradient in zip(stepped.shared(), gradients, strict=True):
                weight -= 0.01 * gradient
        expected = 1 - losses(stepped) / before
        np.testing.assert_allclose(affinities[:, i], expected.numpy(), rtol=1e-3, atol=1e-6)


def test_the_cosines_are_those_of_the_gradients_on_what_is_shared(step):
    taken = step(2)
    looks = LookAhead([np.arange(60, 90)] * 2, every=1, seed=0)
    looks.on_step(taken)
    _, cosine = looks.looks[0]
    flat = []
    for i in range(3):
        gradients = torch.autograd.grad(
            taken.losses[:, i].sum(), taken.networks.shared(), retain_graph=True
        )
        flat.append(torch.cat([g.flatten(1) for g in gradients], 1))
    for i in range(3):
        for j in range(3):
            expected = torch.cosine_similarity(flat[i], flat[j], dim=1)
            np.testing.assert_allclose(cosine[:, i, j], expected.numpy(), atol=1e-4)


def test_a_target_without_labels_gives_and_receives_nothing_that_is_known(step):
    looks = LookAhead([np.arange(60, 90)] * 2, every=1, seed=0)
    looks.on_step(step(2, gone=("sick",)))
    affinities, cosine = looks.looks[0]
    assert np.isnan(affinities[:, 1]).all()
    assert np.isnan(affinities[:, :, 1]).all()
    assert np.isnan(cosine[:, 1]).all()
    assert np.isfinite(affinities[:, [0, 2]][..., [0, 2]]).all()


@pytest.mark.parametrize("folds", [1, 3])
@pytest.mark.parametrize("given", [False, True])
def test_a_training_that_is_looked_at_is_the_same_training(
    run, assert_same, make_folds, folds, given
):
    chosen = make_folds()[:folds]
    plain = run(folds=chosen, given=given)
    looks = LookAhead([fold.validation for fold in chosen], every=5, seed=0)
    assert_same(plain, run(folds=chosen, given=given, callbacks=[looks]))
    assert len(looks.looks) > 5


@pytest.fixture
def brief(spec):
    """Two targets and one fold: looks cost a pass for each target."""
    codec = replace(
        spec.codec, target_kinds={t: spec.codec.target_kinds[t] for t in ("weight", "sick")}
    )
    labels = {t: spec.labels[t] for t in codec.target_kinds}
    return replace(spec, codec=codec, labels=labels, folds=spec.folds[:1])


def test_looks_are_bounded_and_come_in_all_epochs(spec):
    shares = []
    affinities = look_ahead(spec, 1, shares.append)
    assert shares == [1.0]
    looks, networks = affinities.lookahead.shape[:2]
    assert networks == 3
    assert 1 <= looks <= MOST_STEPS // 6
    assert affinities.cosine.shape == affinities.lookahead.shape


def test_groups_of_the_settings_and_early_stopping_play_no_part(brief):
    settings = brief.settings.model_copy(update={"patience": 1})
    plain = look_ahead(brief, 3)
    other = look_ahead(replace(brief, groups=[["weight"], ["sick"]], settings=settings), 3)
    np.testing.assert_array_equal(plain.lookahead, other.lookahead)
    assert np.abs(plain.cosine[..., 0, 1]).max() > 0  # groups would share nothing


def test_no_more_epochs_are_trained_than_the_settings_allow(brief):
    settings = brief.settings.model_copy(update={"epochs": 1})
    one = look_ahead(replace(brief, settings=settings), 9)
    np.testing.assert_array_equal(one.lookahead, look_ahead(brief, 1).lookahead)


def test_folds_of_unequal_length_are_looked_at_in_one_pass(brief):
    rows = np.arange(90)
    folds = [Fold(rows[10:], rows[:10]), Fold(rows[:50], rows[50:])]
    affinities = look_ahead(replace(brief, folds=folds), 1)
    assert np.isfinite(affinities.lookahead).any((0, 2, 3)).all()
