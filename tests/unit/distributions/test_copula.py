"""The copula: correlations as strong as the rows support, and normals conditioned on each other."""

import numpy as np
import pytest

from superpose.distributions import condition_normal, shrunk_correlation

NAN = np.nan


def correlated(rows, r, seed=0):
    z = np.random.default_rng(seed).normal(size=(rows, 2))
    return np.stack([z[:, 0], r * z[:, 0] + np.sqrt(1 - r**2) * z[:, 1]], axis=1)


def test_many_rows_are_hardly_shrunk():
    x = correlated(20000, -0.7)
    assert shrunk_correlation(x)[0, 1] == pytest.approx(np.corrcoef(x.T)[0, 1], abs=1e-3)


def test_the_scale_and_location_of_a_column_do_not_matter():
    x = correlated(200, 0.7)
    np.testing.assert_allclose(
        shrunk_correlation(x * [1e6, 1e-6] + [1e8, 3]), shrunk_correlation(x)
    )


def test_noise_of_few_rows_is_shrunk_away():
    x = np.random.default_rng(0).normal(size=(8, 30))
    off = ~np.eye(30, dtype=bool)
    assert np.abs(shrunk_correlation(x)[off]).mean() < 0.1 * np.abs(np.corrcoef(x.T)[off]).mean()


def test_the_intensity_is_the_formula_on_complete_rows():
    x = correlated(12, 0.5)
    z = (x - x.mean(axis=0)) / x.std(axis=0)
    w = z[:, 0] * z[:, 1]
    r, n = w.mean(), len(w)
    variance = n / (n - 1) ** 3 * ((w - r) ** 2).sum()
    assert shrunk_correlation(x)[0, 1] == pytest.approx(r * (1 - variance / r**2))


def test_gaps_leave_each_pair_the_rows_that_know_both():
    x = np.pad(correlated(5000, 0.6), ((0, 0), (0, 1)), constant_values=NAN)
    x[:2500, 2] = x[:2500, 0]
    x[1000:1500, 0] = NAN
    both = ~np.isnan(x[:, 0])
    found = shrunk_correlation(x)
    assert found[0, 1] == pytest.approx(np.corrcoef(x[both, :2].T)[0, 1], abs=0.01)
    assert found[0, 2] > 0.98


@pytest.mark.parametrize(
    "x",
    [
        [[1.0, 1.0], [2.0, 2.0]],
        [[1.0, 1.0], [2.0, 2.0], [3.0, NAN], [NAN, 1.0]],
        [[1.0, 5.0], [2.0, 5.0], [4.0, 5.0]],
        [[NAN, NAN]] * 5,
        np.zeros((0, 2)),
    ],
    ids=["two rows", "two joint rows", "a constant", "nothing known", "no rows"],
)
def test_what_no_row_supports_is_zero(x):
    np.testing.assert_array_equal(shrunk_correlation(np.array(x)), np.eye(2))


def test_two_equal_columns_stay_invertible():
    x = correlated(100, 0.5)[:, [0, 0, 1]]
    found = shrunk_correlation(x)
    assert 0.9 < found[0, 1] < 1
    assert np.linalg.cond(found) < 1e4


def test_a_known_score_is_itself_and_nothing_known_tells_nothing():
    correlation = np.array([[1.0, 0.6], [0.6, 1.0]])
    mean, sd = condition_normal(correlation, np.array([[1.0, -3.0], [NAN, NAN], [NAN, 1.0]]))
    np.testing.assert_allclose(mean, [[1, -3], [0, 0], [0.6, 1]])
    np.testing.assert_allclose(sd, [[0, 0], [1, 1], [0.8, 0]])


def test_a_row_is_conditioned_the_same_in_any_batch():
    rng = np.random.default_rng(0)
    correlation = shrunk_correlation(rng.normal(size=(50, 9)) @ rng.normal(size=(9, 9)))
    z = np.where(rng.random((200, 9)) < 0.5, NAN, rng.normal(size=(200, 9)))
    mean, sd = condition_normal(correlation, z)
    alone = [condition_normal(correlation, row[None]) for row in z]
    np.testing.assert_allclose(mean, np.concatenate([a[0] for a in alone]))
    np.testing.assert_allclose(sd, np.concatenate([a[1] for a in alone]))


def test_the_conditional_normal_is_that_of_rows_drawn_jointly():
    x = correlated(200_000, 0.8)
    near = np.abs(x[:, 0] - 1.0) < 0.05
    mean, sd = condition_normal(shrunk_correlation(x), np.array([[1.0, NAN]]))
    assert mean[0, 1] == pytest.approx(x[near, 1].mean(), abs=0.03)
    assert sd[0, 1] == pytest.approx(x[near, 1].std(), abs=0.03)
