"""Boxes: objects with a class, in an image."""

import json

import numpy as np
import pyarrow as pa
import pytest
import torch

from superpose.errors import DataError
from superpose.kinds import TARGET_KINDS
from superpose.nn import head_of
from superpose.nn.augment._augment import AugmentRecord, Pieces

pytest.importorskip("faster_coco_eval")
Image = pytest.importorskip("PIL.Image")
Kind = TARGET_KINDS["boxes"]
CELL = {"class": "red", "box": [0.1, 0.1, 0.4, 0.4]}
BLOB = {"class": "white", "box": [0.5, 0.5, 0.9, 1.0]}


def col(rows):
    return pa.chunked_array([pa.array(rows)])


ROWS = col([[CELL, BLOB], [CELL], [], None])


@pytest.fixture
def kind():
    return Kind.fit("cells", ROWS, grid=[16, 16])


@pytest.fixture
def folder(tmp_path):
    Image.new("RGB", (200, 100)).save(tmp_path / "a.png")
    return tmp_path


def in_file(box, folder, **options):
    rows, images = col([[{"class": "red", "box": box}]] * 2), col(["a.png"] * 2)
    return Kind.fit("cells", rows, images=images, folder=str(folder), **options)


def test_an_image_without_objects_differs_from_one_that_nobody_looked_at(kind):
    y = kind.encode(ROWS)
    assert kind.distribution.known(y).tolist() == [True, True, True, False]
    assert kind.observed.encode(y)[:3].tolist() == [[1, 1], [1, 0], [0, 0]]
    assert np.isnan(kind.observed.encode(y)[3]).all()
    assert kind.decode(kind.distribution.point_mass(y))["cells"].to_pylist()[2:] == [[], None]


def test_what_is_exact_is_found_again(kind):
    pred = kind.decode(kind.distribution.point_mass(kind.encode(ROWS)))["cells"].to_pylist()
    for row, objects in zip(ROWS.to_pylist()[:2], pred[:2], strict=True):
        result = sorted(objects, key=lambda x: x["class"])
        assert [x["class"] for x in result] == [x["class"] for x in row]
        for one, true in zip(result, row, strict=True):
            assert one["box"] == pytest.approx(true["box"], abs=1e-6)
            assert one["score"] == 1


def test_json_is_read_as_lists_are(kind):
    text = col([json.dumps(row) if row is not None else None for row in ROWS.to_pylist()])
    np.testing.assert_array_equal(kind.encode(text), kind.encode(ROWS))


def test_boxes_are_in_pixels_of_the_file(folder):
    kind = in_file([20, 10, 60, 30], folder)
    y = kind.encode(col([[{"class": "red", "box": [20, 10, 60, 30]}]]), str(folder), col(["a.png"]))
    assert y[0, :5].tolist() == pytest.approx([0, 0.1, 0.1, 0.3, 0.3])
    pred = kind.decode(kind.distribution.point_mass(y))["cells"]
    (one,) = kind.locations.in_units(pred, col(["a.png"]), folder=str(folder)).to_pylist()[0]
    assert one["box"] == pytest.approx([20, 10, 60, 30], abs=1e-4)


@pytest.mark.parametrize(
    ("box", "reason"),
    [
        ([20, 10, 20, 30], "has no area"),
        ([20, 10, 260, 30], "lies outside of its image"),
        ([-20, 10, 60, 30], "lies outside of its image"),
    ],
)
def test_a_box_that_cannot_be_is_one_clear_error_or_left_out(folder, box, reason):
    with pytest.raises(DataError, match="row 0: the box .* " + reason):
        in_file(box, folder)
    rows = col([[{"class": "red", "box": [0, 0, 9, 9]}, {"class": "red", "box": box}]] * 2)
    images = col(["a.png"] * 2)
    kind = Kind.fit("c", rows, images=images, folder=str(folder), skips=True)
    assert kind.counts == [2]
    with pytest.warns(UserWarning, match="2 boxes without area or outside"):
        assert kind.observed.encode(kind.encode(rows, str(folder), images)).tolist() == [[1], [1]]


@pytest.mark.parametrize("wrong", ["no json", '[{"class": "a"}]', '[{"class": "a", "box": [1]}]'])
def test_anything_but_a_list_of_objects_is_refused(kind, wrong):
    with pytest.raises(
        DataError, match=r"row 1: .* is no list of objects; allowed: a list such as"
    ):
        kind.encode(col(["[]", wrong]))


def test_a_class_that_is_not_known_is_named(kind):
    rows = col([[{"class": "green", "box": [0.1, 0.1, 0.2, 0.2]}]])
    with pytest.raises(DataError, match="row 0: class 'green'; allowed: red, white"):
        kind.encode(rows)


def test_boxes_follow_their_image(kind):
    y = torch.as_tensor(kind.encode(ROWS))[None]
    flip = AugmentRecord(torch.tensor([[[1.0, -1.0]] * 4]), torch.zeros(1, 4, 2))
    labels = head_of(kind).transform_labels(y, flip)
    assert labels[0, 0, :5].tolist() == pytest.approx([0, 0.6, 0.1, 0.9, 0.4])
    assert torch.equal(labels.isnan(), y.isnan())
    # Moved half out of sight to the right: of the blob nothing is left.
    away = AugmentRecord(torch.ones(1, 4, 2), torch.tensor([[[0.0, -1.2]] * 4]))
    assert kind.observed.encode(head_of(kind).transform_labels(y, away)[0].numpy())[0].tolist() == [
        1,
        0,
    ]


def test_boxes_of_an_image_with_a_piece_of_another_are_not_learned_from(kind):
    y = torch.as_tensor(kind.encode(ROWS))[None]
    low, high = torch.zeros(1, 4, 2), torch.zeros(1, 4, 2)
    high[0, 0] = 0.5
    mixed = AugmentRecord(
        torch.ones(1, 4, 2), torch.zeros(1, 4, 2), Pieces(torch.tensor([[1, 0, 3, 2]]), low, high)
    )
    labels = head_of(kind).transform_labels(y, mixed)
    assert labels[0, 0].isnan().all()
    torch.testing.assert_close(labels[0, 1:], y[0, 1:], equal_nan=True)


def test_a_bump_is_one_at_the_centre_and_boxes_are_predicted_around_it(kind):
    wanted = kind.distribution.heatmap(kind.encode(ROWS))
    assert wanted.heat[0].max(0).tolist() == [1, 1]
    assert int(wanted.heat[0, :, 0].argmax()) == 4 * 16 + 4
    assert wanted.share[0].sum() == pytest.approx(2)
    assert wanted.share[2].sum() == 0
    assert wanted.boxes[0, 4 * 16 + 4].tolist() == pytest.approx(CELL["box"])


def test_perfect_boxes_score_one_and_none_score_zero(kind):
    y = kind.encode(ROWS)
    right = kind.metrics(y, kind.distribution.point_mass(y))
    assert right["map50"] == pytest.approx(1)
    assert right["map"] == pytest.approx(1)
    assert right["count_error"] == 0
    nothing = np.zeros((4, kind.distribution.n_columns))
    assert kind.metrics(y, nothing)["map50"] == 0
    assert kind.distribution.row_loss(y, kind.distribution.point_mass(y))[
        :3
    ].tolist() == pytest.approx([0, 0, 0], abs=1e-5)


def test_pairs_are_those_of_the_average_precision(kind):
    y = kind.encode(ROWS)
    label, score, right, true = kind.distribution.matched(y, kind.distribution.point_mass(y))
    assert sorted(label.tolist()) == [0, 0, 1]
    assert right.all()
    assert (score == 1).all()
    assert true.tolist() == [2, 1]


def test_scores_are_chances_although_the_loss_is_focal(kind):
    # One place near an object in a quarter of the rows: the score should end at a quarter.
    logit = torch.zeros((), requires_grad=True)
    optimizer = torch.optim.Adam([logit], 0.05)
    y = torch.as_tensor(kind.encode(col([[CELL], [], [], []])))
    for _ in range(500):
        optimizer.zero_grad()
        out = torch.zeros(4, kind.locations.count, head_of(kind).n_outputs)
        out[:, 4 * 16 + 4, 0] = logit
        head_of(kind).loss(out.flatten(1), y).sum().backward()
        optimizer.step()
    pred = head_of(kind).link(out.flatten(1)).reshape(4, kind.locations.count, -1)
    assert pred[0, 4 * 16 + 4, 0].item() == pytest.approx(0.25, abs=0.01)


def test_a_draw_comes_back_from_its_scores(kind):
    rng = np.random.default_rng(0)
    pred = kind.distribution.point_mass(kind.encode(ROWS))[:3]
    pred.reshape(3, kind.locations.count, -1)[..., :2] *= 0.6
    z = rng.normal(size=(3, kind.distribution.latent.n_latent))
    drawn = kind.distribution.latent.from_normal(pred, z)
    np.testing.assert_array_equal(
        kind.distribution.latent.from_normal(pred, kind.distribution.latent.to_normal(drawn, pred)),
        drawn,
    )
    zero = np.zeros_like(z)
    np.testing.assert_allclose(
        kind.distribution.latent.condition(pred, zero, sd=zero + 1), pred, atol=1e-6
    )
    assert kind.distribution.information(np.stack([pred, pred])).tolist() == pytest.approx(
        [0, 0, 0]
    )


def test_the_state_survives(kind):
    again = Kind.from_state(json.loads(json.dumps(kind.state())))
    assert again == kind


def save_turned(path, size, turn=6):
    head = Image.Exif()
    head[0x0112] = turn
    Image.new("RGB", size).save(path, exif=head)


def test_boxes_are_those_of_the_image_as_it_is_shown(folder):
    save_turned(folder / "t.jpg", (200, 100))
    rows, images = col([[{"class": "red", "box": [10, 20, 30, 160]}]] * 2), col(["t.jpg"] * 2)
    kind = Kind.fit("cells", rows, images=images, folder=str(folder))
    y = kind.encode(rows, str(folder), images)
    assert y[0, :5].tolist() == pytest.approx([0, 0.1, 0.1, 0.3, 0.8])
    pred = kind.locations.in_units(
        kind.decode(kind.distribution.point_mass(y))["cells"], images, folder=str(folder)
    )
    assert pred.to_pylist()[0][0]["box"] == pytest.approx([10, 20, 30, 160], abs=1e-3)
    assert "2 images with boxes are turned as their EXIF says" in kind.notes[0]


def test_boxes_of_the_stored_image_are_refused_with_the_reason(folder):
    save_turned(folder / "t.jpg", (200, 100))
    rows, images = col([[{"class": "red", "box": [10, 20, 190, 90]}]] * 2), col(["t.jpg"] * 2)
    with pytest.raises(
        DataError, match=r"outside of its image.* turned as its EXIF says: turn its"
    ):
        Kind.fit("cells", rows, images=images, folder=str(folder))


@pytest.mark.parametrize("as_text", [False, True])
def test_shares_of_the_sides_are_read_as_such_and_noted(folder, as_text):
    rows, images = [[CELL, BLOB]] * 2, col(["a.png"] * 2)
    rows = col([json.dumps(row) for row in rows] if as_text else rows)
    kind = Kind.fit("cells", rows, images=images, folder=str(folder))
    y = kind.encode(rows, str(folder), images)
    assert y[0, :5].tolist() == pytest.approx([0, 0.1, 0.1, 0.4, 0.4])
    assert "every box lies within 0 to 1; they are read as shares" in kind.conversions[0]
    pred = kind.locations.in_units(
        kind.decode(kind.distribution.point_mass(y))["cells"], images, folder=str(folder)
    )
    assert sorted(pred.to_pylist()[0][0]["box"]) == pytest.approx([0.1, 0.1, 0.4, 0.4], abs=1e-6)
    beyond = col([[{"class": "red", "box": [0.5, 0.1, 1.5, 0.4]}]])
    with pytest.raises(
        DataError, match=r"lies outside of its image; allowed: x1 < x2 within 0 to 1"
    ):
        kind.encode(beyond, str(folder), col(["a.png"]))


def test_shares_where_pixels_were_learned_are_refused(folder):
    kind = in_file([20, 10, 60, 30], folder)
    with pytest.raises(DataError, match=r"every box lies within 0 to 1.*allowed: pixels, as in"):
        kind.encode(col([[CELL]]), str(folder), col(["a.png"]))


@pytest.mark.parametrize("mark", ["iscrowd", "difficult"])
def test_marked_objects_are_neither_learned_nor_scored(mark):
    rows = col([[{**CELL, mark: 0}, {**BLOB, mark: 1}], [{**CELL, mark: 0}]])
    kind = Kind.fit("cells", rows, grid=[4, 4])
    assert kind.labels == ["red"]
    assert "1 objects are marked iscrowd or difficult; they are left out" in kind.conversions[0]
    assert (kind.encode(rows)[0, 5::5] == -1).all()


def test_boxes_that_are_cut_at_the_edge_are_counted(folder):
    kind = in_file([20, 10, 60, 30], folder)
    rows = col([[{"class": "red", "box": [-0.5, 0, 200.8, 40]}]])
    with pytest.warns(UserWarning, match="1 box ends less than a pixel beyond the edge"):
        assert kind.encode(rows, str(folder), col(["a.png"]))[0, :5].max() == 1


@pytest.mark.parametrize("name", [None, "", "  "])
def test_an_object_without_a_name_is_refused(kind, name):
    with pytest.raises(DataError, match=r"row 0: .* is no list of objects"):
        kind.encode(col([[{**CELL, "class": name}]]))
