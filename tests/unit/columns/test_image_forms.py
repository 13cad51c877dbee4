"""Images are read as they are shown, whatever their files hold."""

import json

import numpy as np
import pyarrow as pa
import pytest

from superpose.columns._number_maps import numbers_of, size_of_map
from superpose.columns._pictures import class_ids, head_of, picture, size_of
from superpose.errors import DataError
from superpose.kinds import INPUT_KINDS

Image = pytest.importorskip("PIL.Image")
Kind = INPUT_KINDS["image"]
SCENE = np.zeros((30, 40, 3), np.uint8)
SCENE[:10, :20], SCENE[20:, 30:] = (250, 0, 0), (0, 0, 250)
WAYS = [
    SCENE,
    SCENE[:, ::-1],
    SCENE[::-1, ::-1],
    SCENE[::-1],
    SCENE.transpose(1, 0, 2),
    np.rot90(SCENE, -1),
    SCENE[::-1, ::-1].transpose(1, 0, 2),
    np.rot90(SCENE),
]


def col(values):
    return pa.chunked_array([pa.array(values, pa.string())])


def save(path, array, turn=None, **more):
    if turn:
        more["exif"] = Image.Exif()
        more["exif"][0x0112] = turn
    Image.fromarray(array).save(path, **more)


@pytest.mark.parametrize("ending", ["png", "jpg", "tif", "webp"])
@pytest.mark.parametrize("turn", range(1, 9))
def test_an_image_is_read_as_its_exif_says(tmp_path, turn, ending):
    file = tmp_path / f"a.{ending}"
    save(file, SCENE, turn, **({"quality": 95} if ending in ("jpg", "webp") else {}))
    shown = WAYS[turn - 1]
    assert size_of(file) == shown.shape[:2]
    assert head_of(file).orientation == turn
    save(tmp_path / "shown.png", np.ascontiguousarray(shown))
    expected = picture(tmp_path / "shown.png", shown.shape[:2])
    read = picture(file, shown.shape[:2])
    assert np.abs(read.astype(int) - expected).mean() < 8  # what the compression has changed


def test_turned_images_are_counted(tmp_path):
    save(tmp_path / "a.jpg", SCENE, 6)
    save(tmp_path / "b.jpg", SCENE)
    (sentence,) = Kind.fit("photo", col(["a.jpg", "b.jpg", None]), folder=str(tmp_path)).conversions
    assert sentence.startswith(
        "column 'photo': 1 of 2 training images are turned as their EXIF says"
    )
    assert "save them without EXIF" in sentence


def test_exif_behind_the_pixels_of_a_png_is_no_secret(tmp_path):
    save(tmp_path / "turned.png", SCENE, 6)
    data = (tmp_path / "turned.png").read_bytes()
    start = data.index(b"eXIf") - 4
    end = start + 12 + int.from_bytes(data[start : start + 4], "big")
    last = data.index(b"IEND") - 4
    late = data[:start] + data[end:last] + data[start:end] + data[last:]
    (tmp_path / "late.png").write_bytes(late)
    kind = Kind.fit("photo", col(["late.png"]), folder=str(tmp_path))
    with pytest.raises(DataError, match="its EXIF says that it is turned, but behind the pixels"):
        kind.encode(col(["late.png"]), str(tmp_path))


@pytest.mark.parametrize("exif", [b"Exif\0\0no", b"x"])
def test_exif_that_is_damaged_says_nothing(tmp_path, exif):
    Image.fromarray(SCENE).save(tmp_path / "a.jpg", exif=exif)
    assert head_of(tmp_path / "a.jpg")[:3] == (30, 40, 1)
    assert picture(tmp_path / "a.jpg", (30, 40)).any()


def test_an_orientation_that_does_not_exist_says_nothing(tmp_path):
    save(tmp_path / "a.jpg", SCENE, 9)
    assert head_of(tmp_path / "a.jpg").orientation == 1


def test_maps_of_numbers_are_turned_as_images_are(tmp_path):
    save(tmp_path / "map.png", np.array([[0, 1, 2], [3, 4, 5]], np.uint8), 6)
    assert numbers_of(tmp_path / "map.png").tolist() == [[3, 0], [4, 1], [5, 2]]
    assert size_of_map(tmp_path / "map.png").tolist() == [3, 2]


def test_masks_are_turned_as_images_are(tmp_path):
    save(tmp_path / "mask.png", np.array([[0, 1, 2], [3, 4, 5]], np.uint8), 6)
    assert class_ids(tmp_path / "mask.png").tolist() == [[3, 0], [4, 1], [5, 2]]


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_what_is_transparent_is_read_on_white_and_counted(tmp_path, mode):
    glass = Image.new("RGBA", (20, 20), (0, 0, 0, 0))
    glass.paste((0, 0, 0, 255), (0, 0, 10, 20))
    if mode == "P":
        glass.convert("RGB").quantize(2).save(tmp_path / "a.png")
        half = Image.open(tmp_path / "a.png")
        pixels = np.zeros((20, 20), np.uint8)
        pixels[:, 10:] = 1
        half = Image.fromarray(pixels, "P")
        half.putpalette([0] * 6)
        half.save(tmp_path / "a.png", transparency=1)
    else:
        glass.convert(mode).save(tmp_path / "a.png")
    kind = Kind.fit("photo", col(["a.png"]), folder=str(tmp_path), size=[20, 20])
    block = kind.encode(col(["a.png"]), str(tmp_path))
    assert block[0, :, :, :10].max() == 0
    assert block[0, :, :, 10:].min() == 255
    (sentence,) = kind.conversions
    assert "1 of 1 training images have transparency, and are read on white" in sentence


def test_palettes_and_black_and_white_are_read_in_their_colours(tmp_path):
    Image.fromarray(SCENE).quantize(8).save(tmp_path / "a.png")
    Image.new("1", (20, 20), 1).save(tmp_path / "b.png")
    kind = Kind.fit("photo", col(["a.png", "b.png"]), folder=str(tmp_path), size=[30, 40])
    block = kind.encode(col(["a.png", "b.png"]), str(tmp_path))
    assert np.abs(block[0].transpose(1, 2, 0).astype(int) - SCENE).max() < 10
    assert (block[1] == 255).all()
    assert kind.conversions == []


def test_cmyk_is_read_as_rgb_and_counted(tmp_path):
    Image.new("CMYK", (20, 20), (0, 255, 255, 0)).save(tmp_path / "a.tif")
    kind = Kind.fit("photo", col(["a.tif"]), folder=str(tmp_path))
    assert kind.encode(col(["a.tif"]), str(tmp_path))[0, :, 0, 0].tolist() == [255, 0, 0]
    assert "1 of 1 training images are in CMYK" in kind.conversions[0]


@pytest.mark.parametrize("ending", ["gif", "tif", "webp", "png"])
def test_of_several_frames_the_first_is_read_and_noted(tmp_path, ending):
    first, second = Image.new("RGB", (20, 20), "red"), Image.new("RGB", (20, 20), "blue")
    first.save(tmp_path / f"a.{ending}", save_all=True, append_images=[second])
    first.save(tmp_path / f"b.{ending}")
    values = col([f"a.{ending}", f"b.{ending}"])
    kind = Kind.fit("photo", values, folder=str(tmp_path), size=[20, 20])
    block = kind.encode(values, str(tmp_path)).astype(int)
    assert np.abs(block[0] - block[1]).max() < 5
    (sentence,) = (one for one in kind.conversions if "frames" in one)
    assert "1 of 2 training images hold several frames or pages; the first is read" in sentence


@pytest.mark.parametrize(
    ("top", "bits"), [(65535, 16), (16383, 14), (4095, 12), (1000, 10), (200, 8), (5000, 14)]
)
def test_greys_of_16_bits_have_the_range_of_their_camera(tmp_path, top, bits):
    ramp = np.linspace(0, top, 256).astype(np.uint16).reshape(16, 16)
    save(tmp_path / "a.png", ramp)
    kind = Kind.fit("photo", col(["a.png"]), folder=str(tmp_path), size=[16, 16])
    block = kind.encode(col(["a.png"]), str(tmp_path))
    np.testing.assert_array_equal(block[0, 0], (ramp / (2**bits - 1) * 255).round())
    sentences = f"grey of 16 bits; 0 is read as black and {2**bits - 1} as white"
    assert sentences in kind.conversions[0]


@pytest.mark.parametrize("kind_of", [np.int32, np.float32])
def test_greys_of_32_bits_have_the_range_of_the_training_rows(tmp_path, kind_of):
    form = "32 bits" if kind_of is np.int32 else "floating point"
    save(tmp_path / "a.tif", np.full((16, 16), 100, kind_of))
    save(tmp_path / "b.tif", np.full((16, 16), 300, kind_of))
    save(tmp_path / "new.tif", np.full((16, 16), 200, kind_of))
    save(tmp_path / "bright.tif", np.full((16, 16), 900, kind_of))
    kind = Kind.fit("photo", col(["a.tif", "b.tif"]), folder=str(tmp_path), size=[16, 16])
    assert f"2 of 2 training images are grey of {form}; 100 is read as black" in kind.conversions[0]
    again = Kind.from_state(json.loads(json.dumps(kind.state())))
    assert again.encode(col(["new.tif"]), str(tmp_path))[0, 0, 0, 0] == 128
    with pytest.warns(UserWarning, match=r"1 images have greys beyond .*bright\.tif in row 1"):
        block = again.encode(col(["new.tif", "bright.tif"]), str(tmp_path))
    assert block[1].min() == 255


def test_pixels_without_a_number_are_black(tmp_path):
    ramp = np.linspace(0, 1, 256, dtype=np.float32).reshape(16, 16)
    ramp[0, 5] = np.nan
    save(tmp_path / "a.tif", ramp)
    kind = Kind.fit("photo", col(["a.tif"]), folder=str(tmp_path), size=[16, 16])
    block = kind.encode(col(["a.tif"]), str(tmp_path))
    assert (block[0, 0, 0, 5], block[0, 0, -1, -1]) == (0, 255)


def test_a_grey_whose_range_is_unknown_is_refused(tmp_path):
    save(tmp_path / "a.png", SCENE)
    save(tmp_path / "b.tif", np.ones((16, 16), np.float32))
    kind = Kind.fit("photo", col(["a.png"]), folder=str(tmp_path))
    with pytest.raises(DataError, match="grey of floating point, and no training image was"):
        kind.encode(col(["b.tif"]), str(tmp_path))


def test_missing_files_are_refused_before_anything_is_learned(tmp_path):
    values = col(["gone.png", None, "C:\\data\\gone.png"])
    with pytest.raises(DataError, match=r"gone\.png can't be read: no such file") as caught:
        Kind.check("photo", values, folder=str(tmp_path))
    assert len(caught.value.faults) == 2
    Kind.check("photo", values, folder=str(tmp_path), on_error="skip")


@pytest.mark.parametrize("path", ["C:\\data\\a.png", "pictures\\a.png"])
def test_paths_written_for_windows_are_found_and_noted(tmp_path, path):
    home = tmp_path / ("pictures" if path.startswith("p") else "")
    home.mkdir(exist_ok=True)
    save(home / "a.png", SCENE)
    kind = Kind.fit("photo", col([path]), folder=str(tmp_path))
    assert kind.encode(col([path]), str(tmp_path)).any()
    assert "1 paths are written for Windows" in kind.conversions[0]
