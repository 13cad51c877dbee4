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


def test_a_planted_correlation_is_found(world):
    told, kinds = told_of(world)
    copula = Copula.fit(kinds, told, world.labels)
    assert abs(copula.correlation[0, 1] - RHO) < 0.03
    assert np.abs(copula.correlation[[0, 1], 2]).max() < 0.1
    assert all(abs(f - 1) < 0.1 for f in copula.factors.values())


def test_a_measured_target_moves_the_other_by_the_textbook_amount(world, hidden):
    told, kinds = told_of(world)
    copula = world.predictor.models[1].copula
    labels = {**hidden(world.labels), "a": world.labels["a"]}
    found = copula.predict(kinds, told, labels)
    np.testing.assert_allclose(found["b"][:, 0], RHO * world.labels["a"], atol=1e-6)
    np.testing.assert_allclose(found["b"][:, 1], np.sqrt(1 - RHO**2), atol=1e-6)
    np.testing.assert_allclose(found["c"], told["c"], atol=1e-12)  # what is not related stays


def test_predictions_are_moved_in_their_own_scale(world, hidden):
    told, kinds = told_of(world)
    told = {**told, "b": np.tile([5.0, 3.0], (1000, 1)), "a": np.tile([1.0, 2.0], (1000, 1))}
    labels = {**hidden(world.labels), "a": np.full(1000, 3.0)}  # one spread above
    found = world.predictor.models[1].copula.predict(kinds, told, labels)
    np.testing.assert_allclose(found["b"], [[5 + 3 * RHO, 3 * 0.6]] * 1000)


def test_with_nothing_given_predictions_come_back(world, hidden):
    told, kinds = told_of(world)
    found = world.predictor.models[1].copula.predict(kinds, told, hidden(world.labels))
    for target, z in told.items():
        np.testing.assert_allclose(found[target], z, atol=1e-12)


def test_missing_values_are_known_to_be_missing(world, hidden):
    told, kinds = told_of(world)
    gappy = world.labels["a"].copy()
    gappy[::2] = np.nan
    fitted = Copula.fit(kinds, told, {**world.labels, "a": gappy})
    assert np.isfinite(fitted.correlation).all()
    assert abs(fitted.correlation[0, 1] - RHO) < 0.05
    labels = {**hidden(world.labels), "a": gappy}
    found = world.predictor.models[1].copula.predict(kinds, told, labels)["b"]
    np.testing.assert_allclose(found[::2], told["b"][::2], atol=1e-12)
    np.testing.assert_allclose(found[1::2, 0], RHO * gappy[1::2], atol=1e-6)


def test_a_scale_that_was_stated_too_small_is_stretched_before_scores_are_read(world):
    told, kinds = told_of(world)
    narrow = {t: z * [1.0, 0.25] for t, z in told.items()}
    copula = Copula.fit(kinds, narrow, world.labels)
    assert all(abs(f - 4) < 0.4 for f in copula.factors.values())
    assert abs(copula.correlation[0, 1] - RHO) < 0.03


def test_every_kind_takes_part_and_stays_a_canonical_prediction(table, codec):
    labels, kinds = codec.labels(table), codec.target_kinds
    told = {t: np.tile(k.constant(labels[t]), (90, 1)) for t, k in kinds.items()}
    copula = Copula.fit(kinds, told, labels)
    assert len(copula.correlation) == sum(k.latent for k in kinds.values())
    assert (np.linalg.eigvalsh(copula.correlation) > 0).all()
    for asked, kind in kinds.items():
        others = {**labels, asked: np.full_like(labels[asked], np.nan)}
        z = copula.predict(kinds, told, others)[asked]
        assert z.shape == told[asked].shape
        known = kind.known(labels[asked])
        loss, before = (kind.row_loss(labels[asked], p)[known] for p in (z, told[asked]))
        assert np.isfinite(loss).all()
        assert loss.mean() < before.mean()  # one signal drives all of them
