"""The density over tasks: directions count, lengths do not, and rows are averaged."""

import numpy as np
import pytest

from superpose.functional import density_matrix, effective_states, purity, von_neumann_entropy


def test_a_density_holds_the_mean_cosines():
    angle = np.pi / 3
    rho = density_matrix(np.array([[[1.0, 0.0], [np.cos(angle), np.sin(angle)]]]))
    np.testing.assert_allclose(rho, [[0.5, 0.25], [0.25, 0.5]])
    assert purity(rho) == pytest.approx(0.625)
    halves = np.array([0.75, 0.25])
    assert von_neumann_entropy(rho) == pytest.approx(-(halves * np.log2(halves)).sum())


def test_the_length_of_a_state_does_not_matter():
    states = np.random.default_rng(0).normal(size=(5, 3, 4))
    longer = states * np.array([1.0, 100.0, 1e-3])[:, None]
    np.testing.assert_allclose(density_matrix(longer), density_matrix(states))


def test_two_groups_of_equal_states_are_two():
    axes = np.eye(6)[:2]
    states = np.concatenate([axes[[0, 0, 0]], axes[[1, 1, 1]]])[None]
    assert effective_states(density_matrix(states)) == pytest.approx(2)


def test_a_phase_is_not_a_sign():
    states = np.array([[[1.0 + 0j, 0.0], [1j, 0.0]]])
    rho = density_matrix(states)
    assert rho[0, 1] == pytest.approx(-0.5j)
    assert effective_states(rho) == pytest.approx(1)


def test_float32_states_are_summed_in_float64():
    assert density_matrix(np.ones((3, 2, 2), np.float32)).dtype == np.float64


def test_a_state_without_length_takes_no_part_and_none_at_all_is_nan():
    states = np.array([[[1.0, 0.0], [0.0, 0.0]]])
    np.testing.assert_array_equal(density_matrix(states), [[1.0, 0.0], [0.0, 0.0]])
    nothing = density_matrix(np.zeros((2, 2, 2)))
    assert np.isnan(nothing).all()
    assert np.isnan(
        [purity(nothing), von_neumann_entropy(nothing), effective_states(nothing)]
    ).all()
