"""Time until an event: the loss is a likelihood, its minimum is Kaplan and Meier's estimate."""

import json

import numpy as np
import pyarrow as pa
import pytest
import torch

from superpose.config import Config
from superpose.errors import ConfigError, DataError
from superpose.kinds import TARGET_KINDS
from superpose.nn import head_of

Kind = TARGET_KINDS["survival"]


def col(values):
    return pa.chunked_array([pa.array(values)])


def lifetimes(rows=600, seed=0):
    rng = np.random.default_rng(seed)
    times, free = rng.exponential(1.0, rows), rng.exponential(1.5, rows)
    return np.where(times <= free, times, -free)


@pytest.fixture
def kind():
    return Kind.fit("t", col(lifetimes()))


def test_intervals_end_at_quantiles_of_the_events_and_the_last_at_the_last(kind):
    y = lifetimes()
    assert head_of(kind).n_outputs == 12
    assert kind.uppers[-1] == pytest.approx(y.max())
    inside = np.histogram(y[y > 0], [0, *kind.uppers])[0]
    assert inside.max() - inside.min() <= 2


def test_the_loss_of_the_network_is_that_of_the_rows(kind):
    y = np.append(lifetimes(50, 1).astype(np.float32), np.float32("nan"))
    out = torch.randn(51, head_of(kind).n_outputs, generator=torch.Generator().manual_seed(0)) - 1
    loss = head_of(kind).loss(out, torch.as_tensor(y)).numpy()
    pred = kind.distribution.row_loss(y, head_of(kind).link(out).double().numpy())
    beyond = np.abs(y) > kind.uppers[-1]
    np.testing.assert_allclose(loss[:-1][~beyond[:-1]], pred[:-1][~beyond[:-1]], rtol=1e-3)
    assert loss[-1] == 0
    assert np.isnan(pred[-1])


def test_members_and_targets_broadcast(kind):
    y = torch.as_tensor(lifetimes(6).astype(np.float32)).reshape(2, 3, 1)
    out = torch.randn(2, 3, 4, head_of(kind).n_outputs)
    assert head_of(kind).loss(out, y).shape == (2, 3, 4)


def test_no_prediction_that_ignores_the_inputs_is_likelier_than_the_constant(kind):
    y = lifetimes(seed=3)
    best = kind.distribution.baseline(y)
    assert best.sum() == pytest.approx(1)
    least = kind.distribution.row_loss(
        y, np.broadcast_to(best, (len(y), kind.distribution.n_columns))
    ).mean()
    rng = np.random.default_rng(0)
    for _ in range(50):
        other = best * np.exp(rng.normal(0, 0.05, kind.distribution.n_columns))
        result = np.broadcast_to(other / other.sum(), (len(y), kind.distribution.n_columns))
        assert kind.distribution.row_loss(y, result).mean() > least


def test_the_row_loss_is_proper_under_censoring():
    """The truth is likelier than a sharper, a flatter and a later forecast."""
    rng = np.random.default_rng(0)
    rows = 4000
    rate = np.exp(rng.normal(size=rows))
    times, free = rng.exponential(1 / rate), rng.exponential(1.0, rows)
    y = np.where(times <= free, times, -free)
    kind = Kind.fit("t", col(y))

    def told(rates):
        alive = np.exp(-rates[:, None] * np.array([0, *kind.uppers]))
        return np.column_stack([alive[:, :-1] - alive[:, 1:], alive[:, -1]])

    least = kind.distribution.row_loss(y, told(rate)).mean()
    for wrong in (rate**2, rate**0.5, rate / 1.5, rate * 1.5):
        assert kind.distribution.row_loss(y, told(wrong)).mean() > least


def test_living_is_even_within_an_interval(kind):
    hazard = np.full((1, head_of(kind).n_outputs), 0.3)
    alive = np.cumprod(1 - hazard, axis=1)
    before = np.column_stack([[1.0], alive[:, :-1]])
    pred = np.column_stack([before * hazard, alive[:, -1:]])
    middle = (kind.distribution.lowers[4] + kind.uppers[4]) / 2
    at = np.array([kind.distribution.lowers[4], middle, kind.uppers[4], 1e9])
    expected = [0.7**4, 0.7**4.5, 0.7**5, 0.7**12]
    np.testing.assert_allclose(kind.distribution.alive_at(pred, at)[0], expected, rtol=1e-9)
    assert kind.decode(pred)["t"][0].as_py() == pytest.approx(
        kind.distribution.lowers[1]
        + (np.log(0.5) / np.log(0.7) - 1) * (kind.uppers[1] - kind.distribution.lowers[1])
    )


def test_who_lives_beyond_the_last_interval_has_no_median(kind):
    pred = np.append(np.full(head_of(kind).n_outputs, 0.3 / head_of(kind).n_outputs), 0.7)[None]
    assert kind.decode(pred)["t"].to_pylist() == [None]
    predicted = kind.decode_proba(pred)
    assert list(predicted) == [f"t<={h:g}" for h in kind.horizons]
    assert predicted[f"t<={kind.horizons[-1]:g}"][0].as_py() == pytest.approx(0.3)


def test_horizons_are_predicted_as_requested():
    kind = Kind.fit("t", col(lifetimes()), horizons=[0.5, 1.0])
    pred = kind.decode_proba(np.array([kind.base]))
    assert list(pred) == ["t<=0.5", "t<=1"]


def test_a_forecast_in_the_right_order_has_a_concordance_near_one(kind):
    y = lifetimes(seed=5)
    metrics = kind.metrics(y, kind.distribution.point_mass(np.abs(y)))
    assert metrics["concordance"] > 0.9
    assert metrics["integrated_brier"] < 0.05
    baseline = kind.metrics(
        y, np.broadcast_to(kind.distribution.baseline(y), (len(y), kind.distribution.n_columns))
    )
    assert baseline["concordance"] == 0.5
    assert baseline["score"] == pytest.approx(0)


def test_a_target_without_events_is_constant_and_one_label_is_too_few():
    assert Kind.fit("t", col([-1.0, -2.0])).constant_reason == "no training row has seen the event"
    with pytest.raises(DataError, match="1 labelled training row"):
        Kind.fit("t", col([1.0, None]))


def test_the_state_survives_json(kind):
    again = Kind.from_state(json.loads(json.dumps(kind.state())))
    pred = np.array([kind.base])
    np.testing.assert_array_equal(
        again.distribution.row_loss([0.5], pred), kind.distribution.row_loss([0.5], pred)
    )


def test_what_is_known_of_a_censored_row_is_that_it_lives_longer(kind):
    at = kind.uppers[5]
    pred = kind.distribution.point_mass(np.array([-at, at]))
    assert pred[0, :6].sum() == 0
    np.testing.assert_allclose(pred[0, 6:], np.array(kind.base)[6:] / sum(kind.base[6:]), atol=1e-9)
    assert pred[1, 5] == 1
    shown = kind.observed.encode(np.array([-at, at, np.nan]))
    np.testing.assert_allclose(shown[:2], [[0.5, 0], [0.5, 1]], atol=1e-6)
    assert np.isnan(shown[2]).all()


def test_wrong_options_are_refused():
    with pytest.raises(ConfigError, match="-1 given; allowed: times above 0"):
        Config.from_arguments(targets=[{"name": "t", "kind": "survival", "horizons": [-1]}])
