"""Images: read from paths, with clear words about those that can't be."""

import sys

import numpy as np
import pyarrow as pa
import pytest
import torch

from superpose.data.kinds import INPUT_KINDS, _image
from superpose.errors import DataError, MissingExtraError

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
    assert Kind.encoder([kind], 8)(torch.as_tensor(block)).shape[0] == 2


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
    monkeypatch.setattr(_image, "MOST_PIXELS", 1000)
    _image._load.cache_clear()
    with pytest.raises(DataError, match="200 x 100 pixels"):
        Kind.fit("photo", col(["red.png"])).encode(col(["red.png"]), str(folder))


def test_without_pillow_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(MissingExtraError, match=r"superpose\[vision\]"):
        Kind.fit("photo", col(["red.png"]))
