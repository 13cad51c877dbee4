"""Targets that are measured: what is read of them, their likelihoods, and their latent normals."""

import json

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

from superpose.distributions._count import condition_count as count_given
from superpose.distributions._count import count_from_normal as count_at
from superpose.kinds import TARGET_KINDS
from superpose.nn import NumberEncoder

NAN = float("nan")


def col(values):
    return pa.chunked_array([pa.array(values)])


SAMPLES = {
    "number": [1e6, 3e6, None, -2e6, 5e6],
    "binary": ["no", "yes", None, "yes", "no"],
    "category": ["a", "b", None, "c", "a"],
    "ordinal": [1, 3, None, 2, 1],
    "multilabel": [["a", "b"], [], None, ["c"], ["a"]],
    "count": [0, 4, None, 900, 12],
    "tokens": [["O", "B-a", "I-a"], ["O"], None, ["B-b", None], ["O", "O"]],
}
FITTED = {name: TARGET_KINDS[name].fit("y", col(values)) for name, values in SAMPLES.items()}
LABELS = {name: FITTED[name].encode(col(values)) for name, values in SAMPLES.items()}
every_kind = pytest.mark.parametrize("name", SAMPLES)


def constant(name):
    kind = FITTED[name]
    return np.broadcast_to(
        kind.distribution.baseline(LABELS[name]), (5, kind.distribution.n_columns)
    )


# what is read of a measured target ----------------------------------------------------------------


@every_kind
def test_a_measured_value_is_read_in_its_columns(name):
    kind, y = FITTED[name], LABELS[name]
    read = kind.observed.encode(y)
    assert (read.shape, read.dtype) == ((5, kind.observed.n_columns), np.float32)
    assert np.isnan(read).any(axis=1).tolist() == [False, False, True, False, False]
    assert np.isnan(read[2]).all()
    assert len(kind.observed.edges) == kind.observed.n_columns
    assert all(len(e) > 1 and (np.diff(e) > 0).all() for e in kind.observed.edges)
    NumberEncoder(kind.observed.edges, width=4)


def test_classes_are_read_as_index_or_one_hot():
    assert FITTED["binary"].observed.encode(np.array([0, 1.0])).tolist() == [[0], [1]]
    assert FITTED["ordinal"].observed.encode(np.array([2.0])).tolist() == [[2]]
    assert FITTED["ordinal"].observed.edges == [[0, 1, 2]]
    assert FITTED["category"].observed.encode(np.array([2.0])).tolist() == [[0, 0, 1]]


def test_one_unknown_member_of_a_set_hides_no_other():
    read = FITTED["multilabel"].observed.encode(np.array([[1.0, NAN, 0.0]]))
    np.testing.assert_array_equal(read, [[1, NAN, 0]])


def test_extreme_values_are_read_as_the_end_of_the_scale():
    assert FITTED["number"].observed.encode(np.array([1e9, -1e9])).tolist() == [[10], [-10]]
    assert FITTED["count"].observed.encode(np.array([1e30])).tolist() == [[10]]
    middle = FITTED["count"].mean
    assert FITTED["count"].observed.encode(np.array([middle])).tolist() == [[0]]


@every_kind
def test_no_training_label_is_outside_of_training(name):
    assert not FITTED[name].observed.outside(LABELS[name]).any()


def test_numbers_and_counts_beyond_training_are_outside():
    number, count = FITTED["number"], FITTED["count"]
    y = number.encode(col([-2.1e6, -2e6, None, 5e6, 5.1e6]))
    assert number.observed.outside(y).tolist() == [True, False, False, False, True]
    many = np.array([0.0, 900, NAN, 901])
    assert count.observed.outside(many).tolist() == [False, False, False, True]


@every_kind
def test_a_restored_kind_reads_the_same(name):
    kind, y = FITTED[name], LABELS[name]
    again = type(kind).from_state(json.loads(json.dumps(kind.state())))
    assert again.observed.edges == kind.observed.edges
    np.testing.assert_array_equal(again.observed.encode(y), kind.observed.encode(y))
    assert not again.observed.outside(y).any()


# likelihoods --------------------------------------------------------------------------------------


@every_kind
def test_likelihoods_and_scores_are_missing_where_the_label_is(name):
    kind, y, pred = FITTED[name], LABELS[name], constant(name)
    gaps = [False, False, True, False, False]
    assert np.isnan(kind.distribution.log_prob(y, pred)).tolist() == gaps
    assert np.isnan(kind.distribution.latent.to_normal(y, pred)).all(axis=1).tolist() == gaps
    assert np.isnan(
        kind.distribution.latent.from_normal(pred, kind.distribution.latent.to_normal(y, pred))[2]
    ).all()


def test_likelihoods_are_those_of_the_distributions():
    y = np.array([0.5, -2.0])
    pred = np.array([[0.0, 2.0], [1.0, 0.3]])
    number = FITTED["number"].distribution.log_prob(y, pred)
    np.testing.assert_allclose(number, stats.norm.logpdf(y, pred[:, 0], pred[:, 1]))
    count = FITTED["count"].distribution.log_prob(np.array([0.0, 7.0]), np.array([[0.2], [9.0]]))
    np.testing.assert_allclose(count, stats.poisson.logpmf([0, 7], [0.2, 9.0]))
    sets = FITTED["multilabel"].distribution.log_prob(
        np.array([[1.0, NAN, 0]]), np.full((1, 3), 0.25)
    )
    np.testing.assert_allclose(sets, np.log(0.25 * 0.75))


# latent normals -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in SAMPLES if name != "number"])
def test_scores_of_labels_drawn_from_their_prediction_are_standard_normal(name):
    kind, rng = FITTED[name], np.random.default_rng(0)
    pred = np.broadcast_to(
        {"count": [3.3]}.get(name, constant(name)[0]), (20_000, kind.distribution.n_columns)
    )
    y = kind.distribution.latent.from_normal(
        pred, rng.normal(size=(len(pred), kind.distribution.latent.n_latent))
    )
    z = kind.distribution.latent.to_normal(
        y, pred, rng.random((len(pred), kind.distribution.latent.n_latent))
    )
    assert stats.kstest(z.ravel(), "norm").pvalue > 1e-3
    # Labels drawn at normal scores have the frequencies of the prediction.
    mean = kind.distribution.point_mass(y).mean(axis=0)
    np.testing.assert_allclose(mean, pred[0], atol=5 * np.sqrt(max(pred.max(), 0.25) / len(pred)))


def test_the_middle_of_an_interval_is_the_mean_of_the_normal_within_it():
    pred, z = np.array([[0.2, 0.5, 0.3]] * 3), np.random.default_rng(0).normal(size=400_000)
    result = FITTED["ordinal"].distribution.latent.to_normal(np.arange(3.0), pred)[:, 0]
    edges = stats.norm.ppf([0.2, 0.7])
    means = [z[np.digitize(z, edges) == k].mean() for k in range(3)]
    np.testing.assert_allclose(result, means, atol=0.01)


def test_scores_of_the_unbelievable_end_at_six():
    count = FITTED["count"].distribution.latent.to_normal(
        np.array([1e4, 0.0]), np.array([[1.0], [1e4]])
    )
    number = FITTED["number"].distribution.latent.to_normal(
        np.array([1.0, -1.0]), np.array([[0.0, 0.0]] * 2)
    )
    assert count.tolist() == number.tolist() == [[6.0], [-6.0]]


@pytest.mark.parametrize("rate", [1e-6, 0.01, 0.5, 1.0, 4.0, 9.0, 16.0, 36.0, 200.0, 1e4, 1e6])
def test_counts_at_normal_scores_are_the_poisson_quantiles(rate):
    z = np.linspace(-6, 6, 241)
    result = count_at(np.full_like(z, rate), z)
    lower = stats.poisson.cdf(result - 1, rate), stats.poisson.sf(result - 1, rate)
    upper = stats.poisson.cdf(result, rate), stats.poisson.sf(result, rate)
    p, q = stats.norm.cdf(z), stats.norm.sf(z)
    assert (np.where(z < 0, lower[0] < p, lower[1] > q)).all()
    assert (np.where(z < 0, upper[0] >= p * (1 - 1e-9), upper[1] <= q * (1 + 1e-9))).all()


@pytest.mark.parametrize("rate", [0.3, 7.0, 49.0, 51.0, 3000.0])
def test_a_predicted_rate_is_the_mean_of_counts_drawn_at_predicted_scores(rate):
    z = 0.7 + 0.5 * np.random.default_rng(0).normal(size=100_000)
    drawn = count_at(np.full_like(z, rate), z)
    result = count_given(np.array([rate]), np.array([0.7]), np.array([0.5]))
    assert result[0] == pytest.approx(drawn.mean(), abs=5 * drawn.std() / np.sqrt(len(z)) + 1e-9)


def test_the_sum_and_the_series_of_a_predicted_rate_meet():
    mean, sd = np.array([-2.0, 0.0, 1.5]), np.array([0.3, 0.9, 0.6])
    low = count_given(np.full(3, 50.0), mean, sd)
    high = count_given(np.full(3, 50.0 + 1e-9), mean, sd)
    np.testing.assert_allclose(low, high, atol=0.05)


def test_many_small_rates_are_predicted_as_each_alone():
    rate = np.random.default_rng(0).uniform(0.1, 60, 9000)
    result = count_given(rate, np.ones(9000), np.full(9000, 0.5))
    some = [0, 4095, 4096, 8999]
    alone = [count_given(rate[[i]], np.ones(1), np.full(1, 0.5))[0] for i in some]
    np.testing.assert_allclose(result[some], alone)


def test_a_predicted_number_moves_by_its_spread():
    result = FITTED["number"].distribution.latent.condition(
        np.array([[1.0, 0.5]]), np.array([[2.0]]), sd=np.array([[0.6]])
    )
    np.testing.assert_allclose(result, [[2.0, 0.3]])


def test_each_member_of_a_set_is_predicted_on_its_own():
    mean, sd = np.array([[0.0, 3.0, -3.0]]), np.ones((1, 3))
    result = FITTED["multilabel"].distribution.latent.condition(np.full((1, 3), 0.5), mean, sd=sd)
    np.testing.assert_allclose(result, stats.norm.cdf(mean))


# information and calibration ----------------------------------------------------------------------


def test_information_is_the_known_bits():
    sure = np.eye(3)[:, None]
    assert FITTED["category"].distribution.information(sure) == pytest.approx(np.log2(3))
    sets = np.array([[[1.0, 0.5, 0.0]], [[0.0, 0.5, 1.0]]])
    assert FITTED["multilabel"].distribution.information(sets) == pytest.approx(2)
    # A normal of variance 1 of which half is told: half a bit.
    mean = np.random.default_rng(0).normal(0, np.sqrt(0.5), 200_000)
    result = np.stack([mean, np.full_like(mean, np.sqrt(0.5))], axis=-1)[:, None]
    assert FITTED["number"].distribution.information(result) == pytest.approx(0.5, abs=0.01)
    assert FITTED["count"].distribution.information(np.array([[[1.0]], [[5.0]]])) == pytest.approx(
        0.5 * np.log2(1 + 4 / 3)
    )


def test_calibration_makes_the_scale_that_of_the_errors():
    kind, rng = FITTED["number"], np.random.default_rng(0)
    pred = np.stack([np.zeros(1000), np.full(1000, 0.5)], axis=1)
    y = np.append(rng.normal(0, 1.5, 999), NAN)
    factor = kind.distribution.scale.factor(y, pred)
    assert factor == pytest.approx(3, rel=0.1)
    assert kind.distribution.scale.factor(
        y, kind.distribution.scale.rescaled(pred, factor)
    ) == pytest.approx(1)
    assert kind.distribution.scale.factor(y[-2:], pred[-2:]) == 1
    assert kind.distribution.scale.factor(np.zeros(3), pred[:3]) == 1e-3


@pytest.mark.parametrize("name", [name for name in SAMPLES if name != "number"])
def test_other_kinds_have_no_scale_to_calibrate(name):
    kind, pred = FITTED[name], constant(name)
    assert kind.distribution.scale is None
    assert kind.distribution.scale_factor(LABELS[name], pred) == 1
    np.testing.assert_array_equal(kind.distribution.rescaled(pred, 3.0), pred)
