"""Boxes of annotations come into the frame of the image as it is shown."""

import numpy as np
import pytest

from superpose.columns._conversions import ReadNotes
from superpose.data.read._annotated import Annotated, in_shown_frame, turned_box
from superpose.errors import DataError

Image = pytest.importorskip("PIL.Image")
ORIENTATIONS = range(1, 9)


def save(path, size=(40, 30), turn=1):
    head = Image.Exif()
    head[0x0112] = turn
    Image.new("RGB", size).save(path, exif=head)
    return path


def annotated(path, stated, *boxes):
    return Annotated(path, stated, [{"class": "cat", "box": list(box)} for box in boxes])


def shown(images):
    """The boxes of all images as they are shown, and what was said."""
    notes = ReadNotes()
    in_shown_frame(images, "ann.json", notes)
    return [one["box"] for image in images for one in image.objects], notes


@pytest.mark.parametrize("turn", ORIENTATIONS)
def test_a_turned_box_holds_the_pixels_that_it_held(tmp_path, turn):
    from superpose.columns._pictures import picture

    pixels = np.zeros((30, 40, 3), np.uint8)
    pixels[4:10, 20:32] = 255
    head = Image.Exif()
    head[0x0112] = turn
    Image.fromarray(pixels).save(tmp_path / "a.png", exif=head)
    size = (40, 30) if turn > 4 else (30, 40)
    seen = picture(tmp_path / "a.png", size)[0] > 128
    x1, y1, x2, y2 = turned_box([20, 4, 32, 10], turn, (30, 40))
    assert seen[y1:y2, x1:x2].all()
    assert seen.sum() == 12 * 6


def test_boxes_of_the_shown_image_stay_as_they_are(tmp_path):
    image = annotated(save(tmp_path / "a.jpg", turn=6), (40, 30), [1, 2, 3, 4])
    boxes, notes = shown([image])
    assert boxes == [[1, 2, 3, 4]]
    assert (notes.conversions, notes.warnings) == ([], [])


def test_boxes_of_the_stored_image_are_turned_and_noted(tmp_path):
    images = [
        annotated(save(tmp_path / "a.jpg", turn=6), (30, 40), [0, 0, 10, 20]),
        annotated(save(tmp_path / "b.jpg", turn=3), (30, 40), [0, 0, 10, 20]),
        annotated(save(tmp_path / "c.jpg"), (30, 40), [0, 0, 10, 20]),
    ]
    boxes, notes = shown(images)
    assert boxes == [[10, 0, 30, 10], [30, 10, 40, 30], [0, 0, 10, 20]]
    assert "the boxes of 2 images are those of the image as it is stored" in notes.conversions[0]
    assert "the boxes of 2 images are turned; look at some of them" in notes.warnings[0]


@pytest.mark.parametrize(("stated", "factor"), [((15, 20), 2), ((60, 80), 0.5), ((10, 13), 3)])
def test_boxes_drawn_at_another_size_are_rescaled_and_noted(tmp_path, stated, factor):
    boxes, notes = shown([annotated(save(tmp_path / "a.jpg"), stated, [2, 2, 8, 6])])
    assert boxes[0] == pytest.approx([x * factor for x in (2, 2, 8, 6)], rel=0.05)
    text = f"(a.jpg: {stated[1]} pixels wide and {stated[0]} high, not 40 pixels wide and 30 high)"
    assert text in notes.conversions[0]
    assert "the boxes of 1 images are rescaled" in notes.warnings[0]


def test_sizes_that_lead_to_no_size_of_the_file_are_refused_and_counted(tmp_path):
    path = save(tmp_path / "a.jpg")
    with pytest.raises(DataError) as caught:
        shown([annotated(path, (40, 30), [1, 2, 3, 4]) for _ in range(5)])
    assert "a.jpg is 40 pixels wide and 30 high, but 30 pixels wide" in caught.value.faults[0]
    assert "so with 2 more images" in caught.value.faults[-1]


def test_boxes_beyond_a_stated_size_that_is_wrong_are_refused(tmp_path):
    image = annotated(save(tmp_path / "a.jpg"), (15, 20), [2, 2, 38, 28])
    with pytest.raises(DataError, match=r"a\.jpg has boxes beyond the 20 pixels wide and 15 high"):
        shown([image])


def test_shares_are_of_the_size_of_the_file_or_else_of_the_stated_one(tmp_path):
    images = [
        annotated(save(tmp_path / "a.jpg"), None, [0.5, 0, 1, 0.5]),
        annotated(tmp_path / "gone.jpg", (100, 200), [0, 0, 0.5, 1.000001]),
    ]
    boxes, notes = shown(images)
    assert boxes[0] == [20, 0, 40, 15]
    assert boxes[1] == pytest.approx([0, 0, 100, 100], abs=1e-3)
    assert "the boxes of 2 images lie within 0 to 1; they are read" in notes.conversions[0]
    assert "the boxes of 2 images are taken for shares" in notes.warnings[0]


def test_images_without_boxes_may_state_any_size(tmp_path):
    assert shown([annotated(save(tmp_path / "a.jpg"), (7, 100))])[0] == []
