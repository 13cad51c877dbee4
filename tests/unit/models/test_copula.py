"""The copula: what targets tell about each other moves predictions as the textbook says."""

import numpy as np
import pytest

from superpose.models._copula import Copula

RHO = 0.8


@pytest.fixture
def world(make_world):
    return make_world([[1, RHO, 0], [RHO, 1, 0], [0, 0, 1]], 1000)


def told_of(world):
    return world.predictor.deployed(world.rows), world.predictor.codec.target_kinds


def test_a_planted_correlation_is_estimated(world):
    pred, kinds = told_of(world)
    copula = Copula.fit(kinds, pred, world.labels)
    assert abs(copula.correlation[0, 1] - RHO) < 0.03
    assert np.abs(copula.correlation[[0, 1], 2]).max() < 0.1
    assert all(abs(f - 1) < 0.1 for f in copula.factors.values())


def test_a_measured_target_moves_the_other_by_the_textbook_amount(world, hidden):
    pred, kinds = told_of(world)
    copula = world.predictor.models[1].copula
    labels = {**hidden(world.labels), "a": world.labels["a"]}
    found = copula.predict(kinds, pred, labels)
    np.testing.assert_allclose(found["b"][:, 0], RHO * world.labels["a"], atol=1e-6)
    np.testing.assert_allclose(found["b"][:, 1], np.sqrt(1 - RHO**2), atol=1e-6)
    np.testing.assert_allclose(found["c"], pred["c"], atol=1e-12)  # what is not related stays


def test_predictions_are_conditioned_in_their_own_scale(world, hidden):
    pred, kinds = told_of(world)
    pred = {**pred, "b": np.tile([5.0, 3.0], (1000, 1)), "a": np.tile([1.0, 2.0], (1000, 1))}
    labels = {**hidden(world.labels), "a": np.full(1000, 3.0)}  # one deviation above
    found = world.predictor.models[1].copula.predict(kinds, pred, labels)
    np.testing.assert_allclose(found["b"], [[5 + 3 * RHO, 3 * 0.6]] * 1000)


def test_with_nothing_given_predictions_come_back(world, hidden):
    pred, kinds = told_of(world)
    found = world.predictor.models[1].copula.predict(kinds, pred, hidden(world.labels))
    for target, z in pred.items():
        np.testing.assert_allclose(found[target], z, atol=1e-12)


def test_missing_values_are_known_to_be_missing(world, hidden):
    pred, kinds = told_of(world)
    gappy = world.labels["a"].copy()
    gappy[::2] = np.nan
    fitted = Copula.fit(kinds, pred, {**world.labels, "a": gappy})
    assert np.isfinite(fitted.correlation).all()
    assert abs(fitted.correlation[0, 1] - RHO) < 0.05
    labels = {**hidden(world.labels), "a": gappy}
    found = world.predictor.models[1].copula.predict(kinds, pred, labels)["b"]
    np.testing.assert_allclose(found[::2], pred["b"][::2], atol=1e-12)
    np.testing.assert_allclose(found[1::2, 0], RHO * gappy[1::2], atol=1e-6)


def test_a_scale_that_was_stated_too_small_is_stretched_before_scores_are_read(world):
    pred, kinds = told_of(world)
    narrow = {t: z * [1.0, 0.25] for t, z in pred.items()}
    copula = Copula.fit(kinds, narrow, world.labels)
    assert all(abs(f - 4) < 0.4 for f in copula.factors.values())
    assert abs(copula.correlation[0, 1] - RHO) < 0.03


def test_every_kind_takes_part_and_stays_a_canonical_prediction(table, codec):
    labels, kinds = codec.labels(table), codec.target_kinds
    pred = {t: np.tile(k.distribution.baseline(labels[t]), (90, 1)) for t, k in kinds.items()}
    copula = Copula.fit(kinds, pred, labels)
    assert len(copula.correlation) == sum(k.distribution.latent.n_latent for k in kinds.values())
    assert (np.linalg.eigvalsh(copula.correlation) > 0).all()
    for target, kind in kinds.items():
        others = {**labels, target: np.full_like(labels[target], np.nan)}
        z = copula.predict(kinds, pred, others)[target]
        assert z.shape == pred[target].shape
        known = kind.distribution.known(labels[target])
        loss, before = (
            kind.distribution.row_loss(labels[target], p)[known] for p in (z, pred[target])
        )
        assert np.isfinite(loss).all()
        assert loss.mean() < before.mean()  # one signal drives all of them
