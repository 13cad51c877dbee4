"""Series: lists over time as the network and trees read them, with clear words about bad ones."""

import json
import warnings

import numpy as np
import pyarrow as pa
import pytest
import torch

from superpose.errors import DataError
from superpose.kinds import INPUT_KINDS
from superpose.kinds.time._series import summaries
from superpose.nn import encoder_of

Kind = INPUT_KINDS["series"]


def col(values, kind=None):
    return pa.chunked_array([pa.array(values, kind)])


def event(time, channel, value):
    return {"time": time, "channel": channel, "value": value}


STEPS = [[[1.0, 5.0], [2.0, None], [3.0, 9.0]], [[4.0, 7.0]], None]
EVENTS = [
    [event(0, "hr", 80.0), event(10, "hr", 90.0), event(10, "map", 60.0)],
    [event(4, "hr", 70.0)],
    [],
]


def test_the_last_step_stands_at_the_end_and_gaps_stay_gaps():
    kind = Kind.fit("s", col(STEPS))
    block = kind.encode(col(STEPS))
    assert block.shape == (3, 3, 2)
    assert np.isnan(block[1, :2]).all()
    assert np.isnan(block[0, 1, 1])
    assert np.isnan(block[2]).all()
    back = block[1, 2] * kind.scales + kind.means
    np.testing.assert_allclose(back, [4, 7], rtol=1e-6)


@pytest.mark.parametrize("kind", [pa.list_(pa.float32(), 3), pa.large_list(pa.int64()), None])
def test_lists_of_any_sort_are_read(kind):
    values = col([[1, 2, 3], [4, 5, 6]], kind)
    assert Kind.fit("s", values).encode(values).shape == (2, 3, 1)


def test_scales_are_those_of_the_rows_it_was_fitted_on():
    kind = Kind.fit("s", col([[0.0, 2.0]]))
    assert kind.encode(col([[101.0, 1.0]])).ravel().tolist() == [10.0, 0.0]  # cut at ten spreads


def test_longer_rows_are_read_from_their_end_with_a_warning():
    kind = Kind.fit("s", col([[1.0, 3.0]]))
    with pytest.warns(UserWarning, match="row 0: 3 steps; the last 2 are read"):
        assert kind.encode(col([[9.0, 1.0, 3.0]])).ravel().tolist() == [-1.0, 1.0]


def test_constant_channels_are_left_out_and_named():
    kind = Kind.fit("s", col([[[1.0, 2.0], [1.0, 3.0]]]), channels=["a", "b"])
    assert kind.channels == ["b"]
    assert "channel a constant or empty" in kind.notes[0]
    assert Kind.fit("s", col([[2.0, 2.0], [2.0, 2.0]])).drop_reason == "constant"
    assert Kind.fit("s", col([None, None], pa.list_(pa.float64()))).drop_reason == "empty"


def test_events_are_put_on_a_grid_of_means():
    kind = Kind.fit("e", col(EVENTS), bins=2)
    assert (kind.channels, kind.span) == (["hr", "map"], [0.0, 10.0])
    block = kind.encode(col([[event(0, "hr", 70.0), event(1, "hr", 90.0), event(9, "map", 60.0)]]))
    back = block[0] * kind.scales + kind.means
    assert back[0, 0] == pytest.approx(80)
    assert np.isnan([back[0, 1], back[1, 0]]).all()
    assert back[1, 1] == pytest.approx(60)


def test_events_outside_of_the_known_times_are_passed_over_with_a_warning():
    kind = Kind.fit("e", col(EVENTS))
    with pytest.warns(UserWarning, match=r"row 0: 1 event\(s\) outside of the times 0 to 10"):
        assert np.isnan(kind.encode(col([[event(11, "hr", 1.0)]]))).all()


def test_a_named_channel_without_events_leaves_the_others_in_their_positions():
    rows = col([[event(0.0, "b", 1.0), event(1.0, "c", 5.0)], [event(0.0, "b", 3.0)]])
    whole = Kind.fit("s", rows, channels=["b", "c"], bins=2)
    kind = Kind.fit("s", rows, channels=["a", "b", "c"], bins=2)
    assert kind.channels == ["b", "c"]
    np.testing.assert_array_equal(kind.encode(rows), whole.encode(rows))
    late = col([[event(0.0, "a", 1.0), event(0.0, "b", 1.0)]])
    assert np.nansum(np.abs(kind.encode(late))) == 1.0  # "a" is known, and not read


def test_events_of_other_channels_are_faults_where_channels_are_named():
    with pytest.raises(
        DataError, match=r"row 0: 1 event.* such as 'map'; allowed: hr; add it to channels"
    ):
        Kind.fit("e", col(EVENTS), channels=["hr"])
    kind = Kind.fit("e", col(EVENTS))
    with pytest.warns(UserWarning, match="'spo2'; they are not read"):
        kind.encode(col([[event(1, "spo2", 1.0)]]))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (col([[[1.0, 2.0]], [[1.0], [2.0]]]),
            "column 's', row 1: a step with 1 channel; allowed: 2"),
        (col([1.0, 2.0]), "declared as series, but it holds double; allowed: lists of numbers"),
        (col([["a", "b"]]), "declared as series, but it holds list<"),
        (col([[{"time": 1.0, "name": "a", "value": 2.0}]]),
            "its events have time, name, value; allowed: time, channel, value"),
        (col([[event(None, "a", 1.0)]]), r"row 0: 1 event\(s\) without time or channel"),
        (col([[event(1.0, None, 1.0)]]), r"row 0: 1 event\(s\) without time or channel"),
    ],
)  # fmt: skip
def test_what_is_no_series_is_refused(values, expected):
    with pytest.raises(DataError, match=expected):
        Kind.fit("s", values)


def test_a_step_of_other_width_in_new_rows_is_refused():
    kind = Kind.fit("s", col(STEPS))
    with pytest.raises(DataError, match="row 0: a step with 3 channels; allowed: 2"):
        kind.encode(col([[[1.0, 2.0, 3.0]]]))
    with pytest.raises(DataError, match="lists of structures with time, channel and value"):
        Kind.fit("e", col(EVENTS)).encode(col([[1.0, 2.0]]))


def test_channels_that_are_named_are_as_many_as_there_are():
    with pytest.raises(DataError, match="3 channels named, but a step has 2"):
        Kind.fit("s", col(STEPS), channels=["a", "b", "c"])


def test_trees_read_seven_summaries_of_each_channel():
    kind = Kind.fit("s", col(STEPS))
    matrix, categorical, names = kind.features(col(STEPS))
    assert matrix.shape == (3, 14) == (3, len(names))
    assert not any(categorical)
    result = dict(zip(names, matrix[0], strict=True))
    assert result["s channel 2 (count)"] == 2
    assert result["s channel 1 (slope)"] == pytest.approx(1 / kind.scales[0])
    assert np.isnan(matrix[2, :12]).all()
    assert (matrix[2, 12:] == 0).all()


def test_the_slope_is_that_of_the_least_squares_line():
    rng = np.random.default_rng(0)
    block = rng.normal(size=(5, 9, 2))
    block[rng.random(block.shape) < 0.3] = np.nan
    vectors = summaries(block)
    for n in range(5):
        for c in range(2):
            y = block[n, :, c]
            there = ~np.isnan(y)
            slope = np.polyfit(np.flatnonzero(there), y[there], 1)[0]
            assert vectors[n, 5, c] == pytest.approx(slope, rel=1e-4)


@pytest.mark.parametrize("values", [STEPS, EVENTS])
def test_the_state_survives_json(values):
    kind = Kind.fit("s", col(values))
    again = Kind.from_state(json.loads(json.dumps(kind.state())))
    np.testing.assert_array_equal(again.encode(col(values)), kind.encode(col(values)))


def test_the_encoder_reads_the_block_and_no_row_sees_another():
    kind = Kind.fit("s", col(STEPS))
    block = torch.as_tensor(kind.encode(col(STEPS)))
    encoder = encoder_of([kind], 8).eval()
    tokens = encoder(block)
    assert tokens.shape == (3, 1, encoder.out_features)
    assert torch.isfinite(tokens).all()
    torch.testing.assert_close(encoder(block[:1]), tokens[:1])


def test_an_empty_table_has_no_rows_and_no_warnings():
    kind = Kind.fit("s", col(STEPS))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert kind.encode(col(STEPS).slice(0, 0)).shape == (0, 3, 2)
        assert kind.features(col(STEPS).slice(0, 0))[0].shape == (0, 14)
