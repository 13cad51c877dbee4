"""Images: read from paths, with clear words about those that can't be."""

import sys

import numpy as np
import pyarrow as pa
import pytest
import torch

from superpose.columns import _pictures
from superpose.config import Config
from superpose.errors import ConfigError, DataError, MissingExtraError
from superpose.kinds import INPUT_KINDS
from superpose.nn import augment_of, encoder_of

Image = pytest.importorskip("PIL.Image")
Kind = INPUT_KINDS["image"]


def col(values):
    return pa.chunked_array([pa.array(values, pa.string())])


@pytest.fixture
def folder(tmp_path):
    Image.new("RGB", (200, 100), (255, 0, 0)).save(tmp_path / "red.png")
    Image.new("L", (10, 10), 0).save(tmp_path / "black.jpg")
    (tmp_path / "text.png").write_text("no image")
    return tmp_path


def test_images_become_64_by_64_pixels(folder):
    kind = Kind.fit("photo", col(["red.png"]))
    block = kind.encode(col(["red.png", None]), str(folder))
    assert block.shape == (2, 3, 64, 64)
    assert block[0, :, 5, 5].tolist() == [255, 0, 0]
    assert not block[1].any()
    assert encoder_of([kind], 8)(torch.as_tensor(block)).shape[0] == 2


def test_a_black_image_is_not_a_missing_one(folder):
    assert Kind.fit("photo", col(["black.jpg"])).encode(col(["black.jpg"]), str(folder)).any()


def test_trees_read_8_by_8_greys(folder):
    kind = Kind.fit("photo", col(["red.png"]))
    matrix, _, names = kind.features(col(["red.png", None]), str(folder))
    assert matrix.shape == (2, 64) == (2, len(names))
    assert matrix[0, 0] == pytest.approx(85)
    assert np.isnan(matrix[1]).all()


@pytest.mark.parametrize(
    ("path", "reason"), [("gone.png", "no such file"), ("text.png", "cannot identify")]
)
def test_an_unreadable_image_names_row_and_path(folder, path, reason):
    kind = Kind.fit("photo", col(["red.png"]))
    with pytest.raises(DataError, match="column 'photo', row 1: image .*" + path) as caught:
        kind.encode(col(["red.png", path]), str(folder))
    assert reason in str(caught.value)


def test_a_huge_image_is_refused(folder, monkeypatch):
    monkeypatch.setattr(_pictures, "MOST_PIXELS", 1000)
    with pytest.raises(DataError, match="200 x 100 pixels"):
        Kind.fit("photo", col(["red.png"])).encode(col(["red.png"]), str(folder))


def test_without_pillow_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(MissingExtraError, match=r"superpose\[vision\]"):
        Kind.fit("photo", col(["red.png"]))


def test_images_are_read_at_the_size_that_is_set(folder):
    kind = Kind.fit("photo", col(["red.png"]), size=[32, 48])
    assert kind.encode(col(["red.png"]), str(folder)).shape == (1, 3, 32, 48)
    assert (kind.stride, kind.grid, kind.n_locations) == (2, (16, 24), 384)
    assert kind.describe() == "1 images, read at 32 x 48"


@pytest.mark.parametrize(("size", "stride"), [([120, 160], 2), ([240, 320], 4), ([600, 800], 8)])
def test_the_finest_map_that_memory_has_room_for_is_taken(size, stride):
    assert Kind.fit("photo", col(["a.png"]), size=size).stride == stride


def test_a_file_that_was_cut_off_is_an_error_or_missing_and_counted(folder):
    whole = (folder / "red.png").read_bytes()
    (folder / "cut.png").write_bytes(whole[: len(whole) // 2])
    values = col(["red.png", "cut.png", None])
    with pytest.raises(DataError, match=r"row 1: image .*cut\.png can't be read") as caught:
        Kind.fit("photo", values).encode(values, str(folder))
    assert "on_error: skip" in str(caught.value)
    lenient = Kind.fit("photo", values, on_error="skip")
    with pytest.warns(UserWarning, match="1 of 3 images can't be read and count as missing"):
        block = lenient.encode(values, str(folder))
    assert block.reshape(3, -1).any(axis=1).tolist() == [True, False, False]
    assert lenient.readable(values, str(folder)).tolist() == [True, False, False]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"size": [8, 64]}, "16 to 1024"),
        ({"size": [64]}, "size"),
        ({"stride": 3}, "stride"),
        ({"augment": {"flip": "sideways"}}, "flip"),
        ({"augment": {"shift": 2.0}}, "shift"),
        ({"on_error": "ignore"}, "on_error"),
    ],
)
def test_wrong_options_are_refused(options, expected):
    with pytest.raises(ConfigError, match=expected):
        Config.from_arguments(targets="y", inputs=[{"name": "a", "kind": "image", **options}])


def test_augmentation_can_be_set_and_switched_off():
    kind = Kind.fit("photo", col(["a.png"]), augment={"flip": "horizontal"})
    assert (augment_of(kind).flip, augment_of(kind).shift) == ("horizontal", 0.05)
    assert augment_of(Kind.fit("photo", col(["a.png"]))).flip == "none"
    assert augment_of(Kind.fit("photo", col(["a.png"]), augment="off")) is None
    assert Kind.from_state(kind.state()) == kind
