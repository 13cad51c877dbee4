"""The claims of labels as points of normal variables, for every kind and any prediction."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from superpose.distributions import condition_normal, shrunk_correlation
from superpose.functional import density_matrix, effective_states, purity, von_neumann_entropy
from superpose.kinds import TARGET_KINDS
from superpose.nn import head_of

quick = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
seeds = st.integers(0, 2**31)

COLUMNS = {
    "number": [1.0, 2.0, 5.0, -3.0],
    "binary": ["no", "yes", "no"],
    "category": ["a", "b", "c", "d"],
    "ordinal": [1, 2, 3, 4, 5],
    "retrieval": ["a", "b", "c", "d"],
    "multilabel": [["a", "b"], ["c"], []],
    "count": [0, 1, 5, 2],
    "survival": [1.0, 2.0, 4.0, -3.0, 9.0, -9.5],
    "forecast": [[1.0, 2.0], [4.0, None], [3.0, 7.0]],
    "vector": [[1.0, 2.0], [4.0, 0.0], [3.0, 7.0]],
    "map": [[[1.0, 2.0]], [[4.0, None]], [[3.0, 7.0]]],
    "tokens": [["O", "B-a", "I-a"], ["O"], ["B-b", "O"]],
    "mask": ["1x2 0*1 3*1", "1x2 3*2", "1x2 0*2"],
}
KINDS = {
    name: TARGET_KINDS[name].fit("y", pa.chunked_array([values]))
    for name, values in COLUMNS.items()
}
every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
NUMBERS = ("number", "forecast", "vector", "map")
DISCRETE = {name: kind for name, kind in KINDS.items() if name not in NUMBERS}
discrete = pytest.mark.parametrize("kind", DISCRETE.values(), ids=DISCRETE)
ROWS = 40


def predictions(kind, rng, rows=ROWS):
    """Canonical predictions from vague to all but certain."""
    if kind.name == "number":
        return np.stack([rng.normal(0, 3, rows), 10 ** rng.uniform(-4, 1, rows)], axis=1)
    if kind.name in ("forecast", "vector", "map"):
        means = rng.normal(0, 3, (rows, 2))
        return np.concatenate([means, 10 ** rng.uniform(-3, 1, (rows, 2))], axis=1)
    if kind.name == "count":
        return 10 ** rng.uniform(-7, 5, (rows, 1))
    if kind.name == "multilabel":
        return 1 / (1 + np.exp(-rng.normal(0, 6, (rows, kind.distribution.n_columns))))
    classes = len(kind.labels) or kind.distribution.n_columns
    shape = (rows, kind.distribution.n_columns // classes)
    p = rng.dirichlet(np.full(classes, 10 ** rng.uniform(-2, 1)), shape)
    return p.reshape(rows, -1)


def middles(kind):
    """A time in each interval of lifetimes."""
    return [
        (low + high) / 2 for low, high in zip(kind.distribution.lowers, kind.uppers, strict=True)
    ]


def labels(kind, pred, rng):
    """Labels that the predictions allow, and some gaps."""
    y = kind.distribution.latent.from_normal(
        pred, rng.normal(size=(len(pred), kind.distribution.latent.n_latent))
    )
    return np.where(rng.random(y.shape) < 0.2, np.nan, y)


@every_kind
@quick
@given(seed=seeds, shared=st.booleans())
def test_a_label_comes_back_from_its_score(kind, seed, shared):
    rng = np.random.default_rng(seed)
    pred = predictions(kind, rng)
    y = labels(kind, pred, rng)
    share = (
        rng.choice([0.0, 1.0, rng.random()], (ROWS, kind.distribution.latent.n_latent))
        if shared
        else None
    )
    z = kind.distribution.latent.to_normal(y, pred, share)
    assert z.shape == (ROWS, kind.distribution.latent.n_latent)
    assert np.nanmax(np.abs(z), initial=0) <= 6
    np.testing.assert_allclose(kind.distribution.latent.from_normal(pred, z), y, atol=1e-9)


@discrete
@quick
@given(seed=seeds)
def test_even_a_class_without_probability_comes_back(kind, seed):
    rng = np.random.default_rng(seed)
    shape = (
        (ROWS, kind.distribution.latent.n_latent)
        if kind.name in ("multilabel", "tokens", "mask")
        else ROWS
    )
    y = rng.integers(0, 2, shape).astype(float)
    other = 1 - y
    if kind.name == "survival":  # its labels are times
        y, other = (np.array(middles(kind))[z.astype(int)] for z in (y, other))
    pred = kind.distribution.point_mass(other)
    np.testing.assert_array_equal(
        kind.distribution.latent.from_normal(pred, kind.distribution.latent.to_normal(y, pred)), y
    )


@every_kind
@quick
@given(seed=seeds)
def test_a_standard_latent_normal_leaves_the_prediction(kind, seed):
    pred = predictions(kind, np.random.default_rng(seed))
    zero = np.zeros((ROWS, kind.distribution.latent.n_latent))
    conditional = kind.distribution.latent.condition(pred, zero, sd=zero + 1)
    np.testing.assert_allclose(conditional, pred, rtol=1e-9, atol=1e-6)


@every_kind
@quick
@given(seed=seeds)
def test_a_conditional_prediction_is_canonical_and_moves_with_the_mean(kind, seed):
    rng = np.random.default_rng(seed)
    pred = predictions(kind, rng)
    mean = rng.normal(0, 2, (ROWS, kind.distribution.latent.n_latent))
    sd = rng.uniform(0, 1, mean.shape)
    conditional, more = (
        kind.distribution.latent.condition(pred, mean, sd=sd),
        kind.distribution.latent.condition(pred, mean + 1, sd=sd),
    )
    assert conditional.shape == pred.shape
    assert np.isfinite(conditional).all()
    if kind.name in ("binary", "category", "ordinal", "retrieval", "tokens", "mask", "survival"):
        steps = np.arange(len(kind.labels) or kind.distribution.n_columns)
        conditional, more = (z.reshape(ROWS, -1, len(steps)) for z in (conditional, more))
        np.testing.assert_allclose(conditional.sum(axis=-1), 1, rtol=1e-9)
        assert (more @ steps >= conditional @ steps - 1e-9).all()
    else:
        assert (more - conditional)[:, : kind.distribution.latent.n_latent].min() >= -1e-9


@every_kind
@quick
@given(seed=seeds)
def test_a_known_latent_score_is_its_label(kind, seed):
    rng = np.random.default_rng(seed)
    pred = predictions(kind, rng)
    if kind.name == "count":  # a large rate is computed by a series, which counts in fractions
        pred = np.minimum(pred, 40)
    z = rng.normal(size=(ROWS, kind.distribution.latent.n_latent))
    certain = kind.distribution.latent.condition(pred, z, sd=np.zeros_like(z))
    y = kind.distribution.point_mass(kind.distribution.latent.from_normal(pred, z))
    np.testing.assert_allclose(
        certain[:, : kind.distribution.n_columns], y, atol=2e-6
    )  # the least rate is 1e-6


@discrete
@quick
@given(seed=seeds)
def test_the_likelihoods_of_all_labels_sum_to_one(kind, seed):
    rng = np.random.default_rng(seed)
    pred = predictions(kind, rng, rows=1)
    if kind.name == "count":
        pred = np.minimum(pred, 1000)
        y = np.arange(2000.0)
    elif kind.name == "multilabel":
        y = np.stack(np.meshgrid(*[[0.0, 1.0]] * kind.distribution.n_columns), axis=-1).reshape(
            -1, kind.distribution.n_columns
        )
    elif kind.name in ("tokens", "mask"):
        every = [np.arange(float(head_of(kind).n_outputs))] * kind.places
        y = np.stack(np.meshgrid(*every), axis=-1).reshape(-1, kind.places)
    elif kind.name == "survival":
        y = np.array([*middles(kind), -kind.uppers[-1]])
    else:
        y = np.arange(float(kind.distribution.n_columns))
    log_prob = kind.distribution.log_prob(y, np.broadcast_to(pred, (len(y), pred.shape[1])))
    assert np.exp(log_prob).sum() == pytest.approx(1, abs=1e-9)


@every_kind
@quick
@given(seed=seeds)
def test_information_is_none_where_outcomes_agree_and_never_negative(kind, seed):
    rng = np.random.default_rng(seed)
    outcomes = np.stack([predictions(kind, rng) for _ in range(5)])
    assert kind.distribution.information(outcomes).shape == (ROWS,)
    assert kind.distribution.information(outcomes).min() >= 0
    np.testing.assert_allclose(kind.distribution.information(outcomes[[0, 0, 0]]), 0, atol=1e-9)


def scatter(rng, rows, columns):
    """A correlation matrix, and rows that have it."""
    mix = rng.normal(size=(columns, columns + 2))
    mix /= np.linalg.norm(mix, axis=1, keepdims=True)
    return mix @ mix.T, rng.normal(size=(rows, columns + 2)) @ mix.T


@quick
@given(seed=seeds, columns=st.integers(1, 7), rows=st.integers(0, 30), share=st.floats(0, 1))
def test_conditioning_is_the_textbook_formula_for_any_pattern(seed, columns, rows, share):
    rng = np.random.default_rng(seed)
    correlation, scores = scatter(rng, rows, columns)
    scores[rng.random(scores.shape) < share] = np.nan
    mean, sd = condition_normal(correlation, scores)
    for row, z in enumerate(scores):
        k, u = ~np.isnan(z), np.isnan(z)
        inverse = np.linalg.inv(correlation[k][:, k])
        cross = correlation[u][:, k]
        np.testing.assert_allclose(mean[row, u], cross @ inverse @ z[k], atol=1e-6)
        left = np.diag(correlation[u][:, u] - cross @ inverse @ cross.T)
        np.testing.assert_allclose(sd[row, u] ** 2, left, atol=1e-6)
        assert (mean[row, k] == z[k]).all()
        assert (sd[row, k] == 0).all()


@quick
@given(seed=seeds, columns=st.integers(1, 12), rows=st.integers(0, 40), share=st.floats(0, 1))
def test_a_shrunk_correlation_is_positive_definite_whatever_the_gaps(seed, columns, rows, share):
    rng = np.random.default_rng(seed)
    _, scores = scatter(rng, rows, columns)
    scores[:, rng.integers(columns)] = scores[:, 0]  # two columns may be one
    scores[rng.random(scores.shape) < share] = np.nan
    correlation = shrunk_correlation(scores)
    assert (np.diag(correlation) == 1).all()
    assert (correlation == correlation.T).all()
    assert np.linalg.eigvalsh(correlation).min() > 1e-4


@quick
@given(seed=seeds, rows=st.integers(1, 9), targets=st.integers(1, 6), complex_states=st.booleans())
def test_a_density_is_between_one_state_and_all(seed, rows, targets, complex_states):
    rng = np.random.default_rng(seed)
    states = rng.normal(size=(rows, targets, 7))
    if complex_states:
        states = states + 1j * rng.normal(size=states.shape)
    rho = density_matrix(states)
    assert np.trace(rho).real == pytest.approx(1)
    np.testing.assert_allclose(rho, rho.conj().T, atol=1e-12)
    assert 1 / targets - 1e-9 <= purity(rho) <= 1 + 1e-9
    assert 0 <= von_neumann_entropy(rho) <= np.log2(targets) + 1e-9
    assert 1 - 1e-9 <= effective_states(rho) <= targets + 1e-9


@quick
@given(seed=seeds, rows=st.integers(1, 9), targets=st.integers(1, 6))
def test_identical_states_are_one_and_orthogonal_states_are_all(seed, rows, targets):
    rng = np.random.default_rng(seed)
    length = rng.uniform(0.1, 10, (rows, targets, 1))
    same = rng.normal(size=(rows, 1, 7)) * length
    assert effective_states(density_matrix(same)) == pytest.approx(1)
    axes = np.linalg.qr(rng.normal(size=(rows, 7, 7)))[0][:, :targets] * length
    assert effective_states(density_matrix(axes)) == pytest.approx(targets)
