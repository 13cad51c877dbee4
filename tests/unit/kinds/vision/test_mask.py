"""Masks: a class for each location of an image."""

import numpy as np
import pyarrow as pa
import pytest
import torch

from superpose.columns import mask_array
from superpose.columns._masks import as_runs, vote
from superpose.errors import DataError
from superpose.kinds import TARGET_KINDS
from superpose.nn import head_of
from superpose.nn.augment._augment import AugmentRecord

Image = pytest.importorskip("PIL.Image")
Kind = TARGET_KINDS["mask"]


def col(values):
    return pa.chunked_array([pa.array(values, pa.string())])


def draw(folder, name, ids, mode="L"):
    Image.fromarray(np.asarray(ids, np.uint8), mode).save(folder / name)
    return name


@pytest.fixture
def masks(tmp_path):
    """Two masks of 4 x 6 pixels with the classes 0 and 1, and 9 for none."""
    half = np.zeros((4, 6))
    half[:, 3:] = 1
    half[0, 0] = 9
    draw(tmp_path, "half.png", half)
    draw(tmp_path, "all.png", np.ones((4, 6)))
    Image.new("RGB", (6, 4)).save(tmp_path / "colour.png")
    return tmp_path


def fitted(folder, **options):
    options = {"grid": [2, 3], "size": [4, 6], "void": 9, "folder": str(folder), **options}
    return Kind.fit("ground", col(["half.png", "all.png", None]), **options)


def test_a_mask_becomes_a_class_for_each_location(masks):
    kind = fitted(masks)
    y = kind.encode(col(["half.png", "all.png", None]), str(masks))
    assert y[:2].tolist() == [[0, 0, 1, 0, 0, 1], [1] * 6]  # the rarer class wins a tie
    assert np.isnan(y[2]).all()
    assert kind.labels == ["0", "1"]
    assert kind.distribution.known(y).tolist() == [True, True, False]


def test_void_pixels_have_no_class(masks):
    draw(masks, "void.png", np.full((4, 6), 9))
    y = fitted(masks).encode(col(["void.png"]), str(masks))
    assert np.isnan(y).all()


def test_predicted_masks_have_the_size_of_the_image_and_the_ids_of_the_files(masks):
    draw(masks, "seven.png", np.full((4, 6), 7))
    kind = Kind.fit("g", col(["half.png", "seven.png"]), folder=str(masks), grid=[2, 3], void=9)
    kind.pixels = [4, 6]
    y = kind.encode(col(["seven.png", None]), str(masks))
    pred = kind.decode(kind.distribution.point_mass(y))["g"].to_pylist()
    assert pred == ["4x6 7*24", None]
    assert mask_array(pred[0]).shape == (4, 6)


def test_runs_and_arrays_are_the_same():
    ids = np.random.default_rng(0).integers(-1, 3, (5, 7))
    assert (mask_array(as_runs(ids)) == ids).all()
    with pytest.raises(ValueError, match="the runs fill 3 pixels of 2 x 2"):
        mask_array("2x2 1*3")


def test_a_location_has_the_class_of_most_of_its_pixels():
    classes = np.array([[0, 0, 1, 1], [0, 2, 1, -1]])
    rank = np.array([0.1, 0.2, 0.3])
    assert vote(classes, (1, 2), rank).tolist() == [[0, 1]]
    assert vote(np.array([[0, 2]]), (1, 1), rank).tolist() == [[2]]


@pytest.mark.parametrize(
    ("name", "reason"),
    [("gone.png", "no such file"), ("colour.png", "it holds colours")],
)
def test_a_mask_that_cannot_be_read_is_one_clear_error_or_skipped(masks, name, reason):
    kind = fitted(masks)
    with pytest.raises(DataError, match="column 'ground', row 1: mask .*" + name) as caught:
        kind.encode(col(["half.png", name]), str(masks))
    assert reason in str(caught.value)
    kind.skips = True
    with pytest.warns(UserWarning, match="1 of 2 masks can't be read and count as unlabelled"):
        y = kind.encode(col(["half.png", name]), str(masks))
    assert kind.distribution.known(y).tolist() == [True, False]


def test_an_id_that_is_no_class_is_named(masks):
    draw(masks, "odd.png", np.full((4, 6), 5))
    kind = fitted(masks, levels=["road", "sky"])
    with pytest.raises(
        DataError, match=r"row 0: its mask odd\.png has the id 5; allowed: 0 to 1, and 9"
    ):
        kind.encode(col(["odd.png"]), str(masks))
    with pytest.warns(UserWarning, match=r"id 5 of its mask odd\.png did not occur in training"):
        assert np.isnan(fitted(masks).encode(col(["odd.png"]), str(masks))).all()


def test_a_mask_of_another_size_than_its_image_is_an_error_or_skipped(masks):
    Image.new("RGB", (6, 4)).save(masks / "a.jpg")
    Image.new("RGB", (12, 8)).save(masks / "b.jpg")
    kind, values, images = fitted(masks), col(["half.png", "all.png"]), col(["a.jpg", "b.jpg"])
    with pytest.raises(DataError, match="row 1: its mask is 4 x 6 pixels; allowed: 8 x 12"):
        kind.locations.fits(values, images, folder=str(masks))
    kind.skips = True
    with pytest.warns(UserWarning, match="1 of 2 masks have another size"):
        assert kind.locations.fits(values, images, folder=str(masks)).tolist() == [True, False]


def test_rare_classes_weigh_more_and_probabilities_stay_calibrated():
    kind = Kind.fit("g", col(["1x4 0*3 1*1"] * 50))
    assert kind.weights[1] > kind.weights[0]
    assert (kind.weights * kind.shares).sum() == pytest.approx(1)
    # Outputs that don't depend on the image end at the share of each class, weights or not.
    out = torch.zeros(1, 4 * head_of(kind).n_outputs, requires_grad=True)
    optimizer = torch.optim.Adam([out], 0.05)
    y = torch.tensor([[0.0, 0.0, 0.0, 1.0]])
    for _ in range(600):
        optimizer.zero_grad()
        # All places answer alike.
        same = out.reshape(1, 4, 2).mean(1, keepdim=True).expand(1, 4, 2).reshape(1, 8)
        head_of(kind).loss(same, y).sum().backward()
        optimizer.step()
    p = head_of(kind).link(out.reshape(1, 4, 2).mean(1).repeat(1, 4)).reshape(4, 2)
    assert p[0].tolist() == pytest.approx([0.75, 0.25], abs=0.01)


def test_the_mean_iou_is_that_of_its_definition():
    kind = Kind.fit("g", col(["1x4 0*2 1*2"] * 4))
    y = np.array([[0.0, 0.0, 1.0, np.nan]])
    pred = kind.distribution.point_mass(np.array([[0.0, 1.0, 1.0, 0.0]]))
    metrics = kind.metrics(y, pred)
    assert metrics["iou_0"] == pytest.approx(1 / 2)
    assert metrics["iou_1"] == pytest.approx(1 / 2)
    assert metrics["miou"] == pytest.approx(1 / 2)
    assert metrics["pixel_accuracy"] == pytest.approx(2 / 3)
    assert kind.metrics(y, kind.distribution.point_mass(np.nan_to_num(y)))["miou"] == 1


def test_what_others_read_is_the_share_of_each_class():
    kind = Kind.fit("g", col(["1x4 0*2 1*2", "1x4 0*4", None]))
    y = kind.encode(col(["1x4 0*3 1*1", None]))
    np.testing.assert_allclose(kind.observed.encode(y), [[0.75, 0.25], [np.nan, np.nan]])
    shares = kind.decode_proba(kind.distribution.point_mass(y))
    assert shares["g=0"].to_pylist() == [0.75, None]


def test_labels_follow_a_mirrored_image():
    kind = Kind.fit("g", col(["1x3 0*2 1*1"] * 2))
    record = AugmentRecord(torch.tensor([[[1.0, -1.0]]]), torch.zeros(1, 1, 2))
    assert head_of(kind).transform_labels(torch.tensor([[[0.0, 0.0, 1.0]]]), record).tolist() == [
        [[1.0, 0.0, 0.0]]
    ]


def test_the_state_survives(masks):
    kind = fitted(masks)
    again = Kind.from_state(kind.state())
    y = kind.encode(col(["half.png"]), str(masks))
    assert again == kind
    assert (again.encode(col(["half.png"]), str(masks)) == y).all()


def test_masks_in_black_and_white_have_two_classes(masks):
    draw(masks, "white.png", np.repeat([[0, 0, 0, 255, 255, 255]], 4, axis=0))
    both = col(["white.png"] * 2)
    for levels in (None, ["ground", "cell"]):
        two = Kind.fit("ground", both, grid=[1, 2], folder=str(masks), levels=levels)
        assert (two.ids, two.void, len(two.labels)) == ([0, 255], [], 2)
        assert "masks hold 0 and 255 only, which are read as two classes" in two.conversions[0]
        assert two.encode(both, str(masks))[0].tolist() == [0, 1]
        assert two.decode(two.distribution.point_mass(two.encode(both, str(masks))))[
            "ground"
        ].to_pylist()[0]
    one = Kind.fit("ground", both, grid=[1, 2], folder=str(masks), void=255)
    assert one.ids == [0]


def test_the_share_of_pixels_without_a_class_is_noted(masks):
    draw(masks, "edge.png", np.repeat([[0, 0, 1, 255]], 4, axis=0))
    kind = Kind.fit("ground", col(["edge.png"] * 2), grid=[1, 2], folder=str(masks))
    assert kind.conversions == [
        "column 'ground': 25.0% of the pixels have the id 255, which is read as no class; to make "
        "it a class, write `void: []`"
    ]


def test_a_class_without_a_pixel_is_warned_of(masks):
    kind = fitted(masks, levels=["road", "sky", "car"])
    assert kind.notes == [
        "target 'ground': no pixel of a training row is of class 'car' (id 2); look at the ids in "
        "its masks"
    ]


def test_masks_that_were_compressed_with_loss_are_warned_of(masks):
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(masks / "a.jpg")
    Image.fromarray(np.full((8, 8), 9, np.uint8)).save(masks / "b.jpg")
    kind = Kind.fit("ground", col(["a.jpg", "b.jpg"]), grid=[1, 2], folder=str(masks))
    assert "2 masks are JPEG, which changes ids, first a.jpg; save them as PNG" in kind.notes[0]


def test_a_mask_of_an_image_that_is_turned_says_so(masks):
    head = Image.Exif()
    head[0x0112] = 6
    Image.new("RGB", (6, 4)).save(masks / "turned.jpg", exif=head)
    kind = fitted(masks)
    with pytest.raises(DataError, match="the image is turned as its EXIF says: turn its mask too"):
        kind.locations.fits(col(["half.png"]), col(["turned.jpg"]), folder=str(masks))


def test_masks_named_by_paths_of_windows_are_found_and_noted(masks):
    kind = Kind.fit("g", col(["C:\\x\\half.png", "all.png"]), grid=[2, 3], folder=str(masks))
    assert "1 paths are written for Windows" in kind.conversions[0]
