"""Numbers that float32 does not hold: never infinity in a network, never a wrong word of them."""

import warnings

import numpy as np
import pyarrow as pa
import pytest

from superpose import Superpose
from superpose.columns._number_maps import read_maps
from superpose.columns._scaling import in_units, mean_absolute, root_mean_square, standardised
from superpose.config import Config
from superpose.data.read._windows import cut_windows
from superpose.errors import DataError
from superpose.kinds import INPUT_KINDS, TARGET_KINDS

SCALES = [1e39, 1e300, 1.7e308, 1e-300]
X = np.linspace(-1, 1, 60)


def col(values):
    return pa.chunked_array([pa.array(values)])


@pytest.mark.parametrize("scale", SCALES)
def test_numbers_of_any_size_are_predicted_as_those_of_an_ordinary_one(scale):
    plain, far = (INPUT_KINDS["number"].fit("x", col(X * s)) for s in (1.0, scale))
    for read in (lambda k, v: k.encode(v), lambda k, v: k.features(v)[0]):
        np.testing.assert_allclose(read(far, col(X * scale)), read(plain, col(X)), rtol=1e-5)
    kind = TARGET_KINDS["number"].fit("y", col(X * scale))
    y = kind.encode(col(X * scale))
    np.testing.assert_allclose(y, TARGET_KINDS["number"].fit("y", col(X)).encode(col(X)), rtol=1e-5)
    np.testing.assert_allclose(
        kind.decode(kind.distribution.point_mass(y))["y"], X * scale, rtol=1e-6
    )


@pytest.mark.parametrize("scale", SCALES[:3])
@pytest.mark.parametrize("name", ["forecast", "vector"])
def test_lists_of_numbers_of_any_size_come_back(name, scale):
    rows = [[x * scale, -x * scale / 2] for x in X]
    kind = TARGET_KINDS[name].fit("y", col(rows))
    pred = kind.decode(kind.distribution.point_mass(kind.encode(col(rows))))["y"].to_pylist()
    np.testing.assert_allclose(pred, rows, rtol=1e-5, atol=scale * 1e-6)
    metrics = kind.metrics(
        kind.encode(col(rows)), kind.distribution.point_mass(kind.encode(col(rows)))
    )
    assert np.isfinite(list(metrics.values())).all()


def test_predictions_beyond_the_largest_number_are_that():
    kind = TARGET_KINDS["number"].fit("y", col(X * 1.7e308))
    pred = kind.decode(np.array([[50.0, 1.0], [-50.0, 1.0]]), quantile=np.array([9.0, 9.0]))
    assert all(np.isfinite(pred[name]).all() for name in pred)
    assert np.isfinite(kind.decode_proba(np.array([[50.0, 50.0]]))["y_scale"]).all()


def test_differences_that_overflow_and_squares_that_vanish():
    assert standardised(np.array([1.7e308, np.nan]), -1.7e308, 1.7e308)[0] == pytest.approx(2)
    assert standardised(np.array([1.0]), 0.0, 5e-324).tolist() == [1e30]
    assert in_units(np.array([np.nan, 2.0]), 0.0, 1.7e308)[1] == np.finfo(float).max
    error = np.array([3.0, -4.0])
    for scale in (1.0, 1e200, 1e-200):
        assert root_mean_square(error, scale) == pytest.approx(12.5**0.5 * scale, rel=1e-12)
    assert mean_absolute(np.array([1.0, -1.0]), 1.2e308) == pytest.approx(1.2e308)


@pytest.mark.parametrize("name", ["number", "forecast"])
def test_a_label_that_is_nothing_beside_those_of_training_is_refused(name):
    shape = (lambda v: v) if name == "number" else (lambda v: [[x, x] for x in v])
    kind = TARGET_KINDS[name].fit("y", col(shape([*X])))
    wanted = (
        r"column 'y', row 1: (2|4) values, the first 1e\+300, are too far from the labels of the "
        r"training rows \(their mean is .*, their standard deviation 0\.\d+\); mend the value, "
    )
    with pytest.raises(DataError, match=wanted):
        kind.encode(col(shape([0.0, 1e300, -1e301])))


@pytest.mark.parametrize(
    ("kind", "values", "message"),
    [
        (
            "count",
            [1.0, 2.0, 1e10],
            "row 2: 1e+10 is more than a network can hold; allowed: sizes ",
        ),
        ("survival", [1.0, 1e39, 2.0], "row 1: 1e+39 is more than a network can hold; allowed: "),
        ("survival", [1.0, 1e-300, -2.0], "row 1: 1e-300 is too small to differ from 0; allowed"),
        ("embedding", [[1.0], [1e300]], "row 1: 1e+300 is more than a network can hold; allowed"),
    ],
)
def test_numbers_that_stay_in_their_units_have_a_largest_size(kind, values, message):
    family = (INPUT_KINDS | TARGET_KINDS)[kind]
    with pytest.raises(DataError) as caught:
        family.check("c", col(values))
    assert f"column 'c', {message}" in str(caught.value)


def test_a_vector_of_another_model_does_not_reach_infinity():
    kind = INPUT_KINDS["embedding"].fit("e", col([[0.0, 1e-3], [1e-3, 0.0], [2e-3, 1e-3]]))
    assert np.abs(kind.encode(col([[1e36, -1e36]]))).max() == 1000


def test_channels_of_windows_and_maps_have_a_largest_size():
    table = pa.table({"t": [1, 2, 3, 4], "a": [0.0, 1e39, 1e300, 1.0], "y": [0.0] * 4})
    rule = {"columns": ["a"], "time": "t", "length": 2}
    with pytest.raises(DataError, match=r"columns\[0\]: column 'a', row 1: 2 values, the first 1e"):
        cut_windows(table, Config.from_arguments(targets=["y"], windows=rule))
    result, wrong = read_maps("m", col([[[0.0, 1e300]], [[1.0, 2.0]]]), "")
    assert wrong == {0: "1 of its numbers are beyond 1e+37; give them in another unit"}
    assert result[1].tolist() == [[1.0, 2.0]]


def test_leaks_are_looked_for_among_numbers_of_any_size():
    rows = pa.table({"x": X * 1e300, "same": X * 3e299, "y": X})
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        fast = {"model": {"width": 16, "members": 2}, "training": {"epochs": 2}}
        model = Superpose(["y"], references="none", **fast).fit(rows)
        with pytest.warns(UserWarning, match="values unlike those of training"):
            pred = model.predict(pa.table({"x": [1e308, 0.0, 0.0], "same": [None, 1e308, 1e-320]}))
    assert any("in disguise" in warning for warning in model.warnings)
    assert all(np.isfinite(column).all() for column in pred.columns)
