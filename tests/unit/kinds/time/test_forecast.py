"""Forecasts: lists of numbers, each step by itself, gaps passed over."""

import json

import numpy as np
import pyarrow as pa
import pytest
import torch

from superpose.errors import DataError
from superpose.kinds import TARGET_KINDS
from superpose.nn import head_of

Kind = TARGET_KINDS["forecast"]


def col(values):
    return pa.chunked_array([pa.array(values)])


ROWS = [[1.0, 2.0, 3.0], [4.0, None, 6.0], None, [7.0, 8.0, 9.0]]


@pytest.fixture
def kind():
    return Kind.fit("y", col(ROWS))


def test_the_loss_is_the_mean_over_the_steps_that_are_known(kind):
    y = torch.as_tensor(kind.encode(col(ROWS)))
    out = torch.randn(4, 6, generator=torch.Generator().manual_seed(0), requires_grad=True)
    loss = head_of(kind).loss(out, y)
    number = TARGET_KINDS["number"].fit("y", col([1.0, 2.0]))
    each = head_of(number).loss(torch.stack([out[:, :3], out[:, 3:]], -1), y)
    torch.testing.assert_close(loss[1], (each[1, 0] + each[1, 2]) / 2)
    assert loss[2] == 0
    loss.sum().backward()
    assert out.grad[1, 1] == out.grad[1, 4] == 0


def test_metrics_are_in_units_over_all_steps(kind):
    y = kind.encode(col(ROWS))
    pred = np.concatenate([np.nan_to_num(y) + 1 / kind.scale, np.ones_like(y)], axis=1)
    metrics = kind.metrics(y, pred, quantile=np.full(4, 2 / kind.scale))
    assert metrics["rmse"] == pytest.approx(1)
    assert metrics["mae"] == pytest.approx(1)
    assert metrics["coverage"] == 1
    assert kind.metrics(y, pred, quantile=np.full(4, 0.5 / kind.scale))["coverage"] == 0


def test_the_constant_is_the_mean_of_each_step(kind):
    pred = kind.decode(kind.distribution.baseline(kind.encode(col(ROWS)))[None])["y"][0].as_py()
    assert pred == pytest.approx([4, 5, 6])


def test_intervals_are_lists_around_the_mean(kind):
    columns = kind.decode(np.repeat([[0.0, 1.0]], 3, 1).repeat(2, 0), quantile=np.ones(2))
    assert list(columns) == ["y", "y_low", "y_high"]
    assert columns["y_high"][0].as_py()[0] == pytest.approx(kind.mean + kind.scale)


def test_others_read_the_mean_of_what_is_known(kind):
    y = kind.encode(col(ROWS))
    shown = kind.observed.encode(y)
    assert shown.shape == (4, 1)
    assert shown[1, 0] == pytest.approx((y[1, 0] + y[1, 2]) / 2)
    assert np.isnan(shown[2, 0])


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([[1.0, 2.0], [1.0]], "column 'y', row 1: a list of 1; allowed: lists of 2; write null"),
        ([1.0, 2.0], "declared as series, but it holds double"),
        ([[1.0, 2.0], None], "1 labelled training row"),
    ],
)
def test_what_is_no_forecast_is_refused(values, expected):
    with pytest.raises(DataError, match=expected):
        Kind.fit("y", col(values))


def test_a_list_of_another_length_is_refused_later_too(kind):
    with pytest.raises(DataError, match="row 0: a list of 2; allowed: lists of 3"):
        kind.encode(col([[1.0, 2.0]]))


def test_the_state_survives_json(kind):
    again = Kind.from_state(json.loads(json.dumps(kind.state())))
    np.testing.assert_array_equal(again.encode(col(ROWS)), kind.encode(col(ROWS)))


LAYOUT = {"length": 6, "kept": [0, 2], "means": [1.0, 6.0], "scales": [1.0, 3.0]}


def test_it_starts_from_its_own_channel_in_its_own_units():
    kind = Kind.fit("y", col(ROWS), past="window", channel=2, **LAYOUT)
    anchor = kind.anchor
    assert (anchor.of, anchor.index, anchor.before) == ("window", 1, ())
    standardised = (7.5 - 6.0) / 3.0
    again = (anchor.gain * standardised + anchor.offset) * kind.scale + kind.mean
    assert again == pytest.approx(7.5)


@pytest.mark.parametrize(
    ("season", "before"),
    [(None, ()), (2, (-2, -1, -2)), (3, (-3, -2, -1)), (6, (-6, -5, -4)), (7, ())],
)
def test_with_a_period_within_the_window_it_starts_from_the_value_before_too(season, before):
    kind = Kind.fit("y", col(ROWS), past="window", channel=2, season=season, **LAYOUT)
    assert kind.anchor.before == before
    assert bool(kind.notes) == (season == 7)


def test_a_season_that_no_forecast_can_start_from_is_named():
    (note,) = Kind.fit("y", col(ROWS), past="window", channel=2, season=7, **LAYOUT).notes
    assert note == (
        "target 'y': season 7 given, but a window has 6 steps; forecasts start from no value a "
        "period before"
    )
    (note,) = Kind.fit("y", col(ROWS), season=7).notes
    assert "but it is no channel of windows that varies; " in note


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"past": "window", "channel": 1, **LAYOUT},  # a channel that did not vary
        {"past": "window", "channel": 2},  # an input that is not there
    ],
)
def test_without_a_channel_that_is_read_it_starts_from_nothing(options):
    assert Kind.fit("y", col(ROWS), **options).anchor is None


def test_one_that_was_stored_before_it_could_start_from_anything_is_read_as_it_was():
    state = Kind.fit("y", col(ROWS), past="window", channel=2).state()
    for name in ("place", "gain", "offset", "window"):
        del state[name]
    assert Kind.from_state(state).anchor is None
