"""Maps: a number for each location of an image."""

import json

import numpy as np
import pyarrow as pa
import pytest
import torch

from superpose.columns._number_maps import averaged
from superpose.errors import DataError
from superpose.kinds import TARGET_KINDS
from superpose.nn import head_of
from superpose.nn.augment._augment import AugmentRecord

Image = pytest.importorskip("PIL.Image")
Kind = TARGET_KINDS["map"]


def col(values):
    return pa.chunked_array([pa.array(values, pa.string())])


DEPTH = np.arange(1.0, 25).reshape(4, 6) * 100


@pytest.fixture
def folder(tmp_path):
    """One map of 4 x 6 pixels in every form, and what is none."""
    Image.fromarray(DEPTH.astype(np.uint16)).save(tmp_path / "sixteen.png")
    Image.fromarray(DEPTH.astype(np.uint16)).save(tmp_path / "sixteen.tif")
    Image.fromarray(DEPTH.astype(np.float32)).save(tmp_path / "float.tif")
    np.save(tmp_path / "array.npy", DEPTH)
    Image.fromarray((DEPTH / 100).astype(np.uint8)).save(tmp_path / "eight.png")
    holes = DEPTH.copy()
    holes[:2, :2] = 0
    np.save(tmp_path / "holes.npy", holes)
    Image.new("RGB", (6, 4)).save(tmp_path / "colour.png")
    np.save(tmp_path / "deep.npy", np.zeros((2, 2, 2)))
    (tmp_path / "text.npy").write_text("no array")
    (tmp_path / "empty.npy").write_bytes(b"")
    return tmp_path


def fitted(folder, *names, **options):
    options = {"grid": [2, 3], "size": [4, 6], "folder": str(folder), **options}
    return Kind.fit("depth", col(names or ["sixteen.png", "array.npy", None]), **options)


def units(kind, folder, *names):
    return kind.in_units(kind.encode(col(names), str(folder)))


def test_files_of_every_form_hold_the_same_numbers(folder):
    kind = fitted(folder)
    pred = units(kind, folder, "sixteen.png", "sixteen.tif", "float.tif", "array.npy")
    mean = DEPTH.reshape(2, 2, 3, 2).mean((1, 3)).ravel()
    np.testing.assert_allclose(pred, [mean] * 4, rtol=1e-6)
    np.testing.assert_allclose(units(kind, folder, "eight.png"), [mean / 100], rtol=1e-4)
    assert (kind.mean, kind.positive) == (pytest.approx(DEPTH.mean()), True)
    assert Kind.from_state(json.loads(json.dumps(kind.state()))) == kind


def test_pixels_without_a_number_take_no_part(folder):
    kind = fitted(folder, "holes.npy", "array.npy", ignore=0)
    pred = units(kind, folder, "holes.npy")[0]
    assert np.isnan(pred[0])
    assert not np.isnan(pred[1:]).any()
    assert not fitted(folder, "holes.npy", "array.npy").positive
    lists = [[[float("nan"), 3.0], [None, 5.0]], None]
    y = Kind.fit("d", pa.chunked_array([[*lists, [[1.0, 2.0], [3.0, 4.0]]]])).encode(
        pa.chunked_array([pa.array(lists)])
    )
    assert np.isnan(y).tolist() == [[True, False, True, False], [True] * 4]


def test_locations_finer_than_pixels_take_the_nearest_one():
    assert averaged(np.array([[1.0, 2.0]]), (2, 4)).tolist() == [[1, 1, 2, 2]] * 2
    assert averaged(np.arange(5.0)[None], (1, 2)).tolist() == [[0.5, 3.0]]


def test_predictions_have_the_size_of_the_image_and_its_units(folder):
    kind = fitted(folder)
    exact = kind.distribution.point_mass(kind.encode(col(["array.npy", None]), str(folder)))
    pred = kind.decode(exact)["depth"].to_pylist()
    assert pred[1] is None
    assert np.shape(pred[0]) == (4, 6)
    # The mean of 2 x 2 pixels, made smooth: a plane comes back but for its border.
    assert np.corrcoef(np.ravel(pred[0]), DEPTH.ravel())[0, 1] > 0.98
    shares = kind.decode_proba(np.concatenate([np.zeros((1, 6)), np.ones((1, 6))], axis=1))
    np.testing.assert_allclose(shares["depth"].to_pylist()[0], kind.mean, rtol=1e-6)
    np.testing.assert_allclose(shares["depth_scale"].to_pylist()[0], kind.scale, rtol=1e-6)


def test_metrics_are_those_of_depth_where_numbers_are_above_zero(folder):
    kind = fitted(folder)
    y = kind.encode(col(["array.npy", "eight.png"]), str(folder))
    true = kind.in_units(y)
    pred = (np.where(np.arange(6) < 3, 1.2 * true, 1.3 * true) - kind.mean) / kind.scale
    metrics = kind.metrics(y, np.concatenate([pred, np.full_like(pred, 0.1)], axis=1))
    assert metrics["abs_rel"] == pytest.approx(0.25, abs=1e-4)
    assert metrics["delta1"] == 0.5
    error = (0.2 + 0.1 * (np.arange(6) >= 3)) * true
    assert metrics["rmse"] == pytest.approx(np.sqrt(np.mean(error**2)), rel=1e-4)
    assert metrics["mae"] == pytest.approx(error.mean(), rel=1e-4)
    assert metrics["r2"] < 1
    assert kind.metrics(y, kind.distribution.point_mass(y))["score"] == 1
    below = fitted(folder, "holes.npy", "array.npy")
    y = below.encode(col(["holes.npy"]), str(folder))
    assert "abs_rel" not in below.metrics(y, below.distribution.point_mass(y))


def test_labels_follow_an_image_that_was_moved(folder):
    kind = fitted(folder)
    y = torch.from_numpy(kind.encode(col(["array.npy"]), str(folder)))
    record = AugmentRecord(torch.tensor([[1.0, -1.0]]), torch.zeros(1, 2))
    assert head_of(kind).transform_labels(y, record).tolist() == [y[0, [2, 1, 0, 5, 4, 3]].tolist()]


def test_others_read_the_mean_of_a_map(folder):
    kind = fitted(folder)
    y = kind.encode(col(["array.npy", None]), str(folder))
    np.testing.assert_allclose(kind.observed.encode(y), [[y[0].mean()], [np.nan]])


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("colour.png", "it holds colours (mode RGB), not one number a pixel"),
        ("deep.npy", "it holds float64 of the shape (2, 2, 2), not a map of numbers"),
        ("gone.png", "no such file"),
        ("gone.npy", "no such file"),
        ("empty.npy", "it breaks off"),
        ("text.npy", "can't be read: "),
    ],
)
def test_a_file_that_is_no_map_is_named_with_its_row_or_passed_over(folder, name, reason):
    kind = fitted(folder)
    with pytest.raises(DataError, match=r"column 'depth', row 1: map .* can't be read: ") as caught:
        kind.encode(col(["array.npy", name]), str(folder))
    assert reason in str(caught.value)
    kind.skips = True
    with pytest.warns(UserWarning, match="1 of 2 maps can't be read"):
        y = kind.encode(col(["array.npy", name]), str(folder))
    assert kind.distribution.known(y).tolist() == [True, False]


def test_a_map_of_another_size_than_its_image_is_named_with_its_row(folder):
    Image.new("RGB", (8, 4)).save(folder / "wide.png")
    kind, maps = fitted(folder), col(["array.npy", "sixteen.png"])
    with pytest.raises(DataError) as caught:
        kind.locations.fits(maps, col(["colour.png", "wide.png"]), folder=str(folder))
    assert str(caught.value) == (
        "column 'depth', row 1: its map is 4 x 6 pixels; allowed: 4 x 8, as its image; write maps "
        "of the size of their images, or `on_error: skip` for the image"
    )
    with pytest.raises(DataError, match="allowed: paths of files, or a list of lists of numbers"):
        kind.encode(pa.chunked_array([[[1.0, 2.0]]]))
    with pytest.raises(DataError, match="its lines are not of one length"):
        kind.encode(pa.chunked_array([[[[1.0, 2.0], [1.0]]]]))
