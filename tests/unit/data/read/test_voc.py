"""Folders of Pascal VOC: pixels counted from 1, lists of names, and what does not fit together."""

import pytest

from superpose.columns._conversions import conversions_of, warnings_of
from superpose.data import read_table
from superpose.errors import DataError

Image = pytest.importorskip("PIL.Image")


def draw(path, size=(8, 6)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size).save(path)


def rows(table):
    return table.to_pylist()


VOC = "<annotation>{}</annotation>"
THING = (
    "<object><name>{}</name><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>3</xmax><ymax>4</ymax>"
    "</bndbox></object>"
)


def voc(folder, sets=True):
    things = {"a": VOC.format(THING.format("cat")), "b": VOC.format(""), "d": VOC.format("")}
    for name in "abcd":
        draw(folder / f"JPEGImages/{name}.jpg")
    (folder / "Annotations").mkdir()
    for name, text in things.items():
        (folder / f"Annotations/{name}.xml").write_text(text)
    if sets:
        (folder / "ImageSets/Main").mkdir(parents=True)
        for part, names in (("train", "a\nb\n"), ("val", "c\n"), ("trainval", "a\nb\nc\n")):
            (folder / f"ImageSets/Main/{part}.txt").write_text(names)
    return folder


def test_pascal_voc_tells_empty_images_from_those_nobody_looked_at(tmp_path):
    table = rows(read_table(voc(tmp_path)))
    assert [row["boxes"] for row in table] == [
        [{"class": "cat", "box": [0.0, 1.0, 3.0, 4.0]}],
        [],
        None,
    ]
    assert [row["split"] for row in table] == ["train", "train", "validation"]
    assert table[0]["image"] == "JPEGImages/a.jpg"


def test_pascal_voc_without_sets_has_no_split(tmp_path):
    assert read_table(voc(tmp_path, sets=False)).column_names == ["image", "boxes"]


def test_a_broken_annotation_names_its_file(tmp_path):
    folder = voc(tmp_path)
    (folder / "Annotations/b.xml").write_text("<annotation>")
    with pytest.raises(DataError, match=r"b\.xml: not a file of Pascal VOC"):
        read_table(folder)


def write(folder, name, text, encoding="utf-8"):
    (folder / f"Annotations/{name}.xml").write_text(text, encoding=encoding)


def box(xmin, ymin, xmax, ymax, name="cat", more=""):
    sides = {"xmin": xmin, "ymin": ymin, "xmax": xmax, "ymax": ymax}
    inner = "".join(f"<{side}>{x}</{side}>" for side, x in sides.items())
    return f"<object><name>{name}</name>{more}<bndbox>{inner}</bndbox></object>"


def one(folder, text, size=(40, 30)):
    """A folder with one image and what its annotation holds."""
    draw(folder / "JPEGImages/a.jpg", size)
    (folder / "Annotations").mkdir(exist_ok=True)
    write(folder, "a", VOC.format(text))
    table = read_table(folder)
    return table, [x["box"] for x in table["boxes"][0].as_py()]


def test_pixels_are_counted_from_1_and_the_last_one_belongs_to_the_box(tmp_path):
    table, boxes = one(tmp_path, box(9, 6, 20, 15) + box(1, 1, 1, 30))
    assert boxes == [[8, 5, 20, 15], [0, 0, 1, 30]]
    (sentence,) = conversions_of(table)
    assert "2 boxes count pixels from 1, with the last one, as Pascal VOC does" in sentence


def test_boxes_that_begin_at_0_are_read_as_they_stand(tmp_path):
    table, boxes = one(tmp_path, box(0, 6, 20, 15) + box(9, 6, 20, 15))
    assert boxes == [[0, 6, 20, 15], [9, 6, 20, 15]]
    assert "1 of 2 boxes begin before pixel 1" in conversions_of(table)[0]


def test_shares_become_pixels(tmp_path):
    table, boxes = one(tmp_path, box(0.25, 0.1, 0.5, 0.9))
    assert boxes[0] == pytest.approx([10, 3, 20, 27])
    assert "the boxes of 1 images lie within 0 to 1" in conversions_of(table)[0]


def test_difficult_objects_are_left_out_and_counted(tmp_path):
    hard = "<difficult>1</difficult>"
    table, boxes = one(tmp_path, box(9, 6, 20, 15) + box(1, 1, 5, 5, more=hard))
    assert len(boxes) == 1
    assert "1 objects are marked iscrowd or difficult; they are left" in conversions_of(table)[0]


def test_the_stated_size_leads_to_that_of_the_file(tmp_path):
    size = "<size><width>20</width><height>15</height></size>"
    table, boxes = one(tmp_path, size + box(5, 3, 10, 8))
    assert boxes == [[8, 4, 20, 16]]
    assert "drawn at another size than that of the file" in conversions_of(table)[1]
    assert one(tmp_path, size.replace("20", "0") + box(5, 3, 10, 8))[1] == [[4, 2, 10, 8]]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (box(1, 1, 5, 5, name=" "), "object 1 has no name"),
        (box(1, 1, 5, 5) + "<object><bndbox/></object>", "object 2 has no name"),
        ("<object><name>a</name></object>", "object 1 has no xmin"),
        (box(1, "nan", 5, 5), r"object 1 has the box \[1.0, nan"),
        (box(1, "", 5, 5), "could not convert"),
    ],
)
def test_objects_without_a_name_or_a_box_are_refused(tmp_path, text, reason):
    with pytest.raises(DataError, match=r"a\.xml: not a file of Pascal VOC \(" + reason):
        one(tmp_path, text)


def test_a_byte_order_mark_changes_nothing(tmp_path):
    folder = voc(tmp_path)
    whole = rows(read_table(folder))
    write(folder, "a", VOC.format(THING.format("cat")), encoding="utf-8-sig")
    (folder / "ImageSets/Main/train.txt").write_text("a\nb\n", encoding="utf-8-sig")
    assert rows(read_table(folder)) == whole


def test_names_with_blanks_and_marks_of_a_class_are_read(tmp_path):
    folder = voc(tmp_path)
    draw(folder / "JPEGImages/my cat.jpg")
    (folder / "ImageSets/Main/train.txt").write_text("my cat\na  1\nb -1\n")
    (folder / "ImageSets/Main/test.txt").write_text("")
    names = [row["image"] for row in rows(read_table(folder))]
    assert names == [f"JPEGImages/{name}.jpg" for name in ("a", "b", "c", "my cat")]


def test_what_has_no_counterpart_is_counted(tmp_path):
    folder = voc(tmp_path)
    write(folder, "lost", VOC.format(""))
    (folder / "ImageSets/Main/train.txt").write_text("a\nb\nc\ngone\n")
    sentences = "\n".join(warnings_of(read_table(folder)))
    for text in (
        "1 images have no file in Annotations, first c; they count as images that nobody has",
        "1 files of Annotations have no image in JPEGImages, first lost; they are left out",
        "1 names in the lists of ImageSets/Main have no image, first gone",
        "1 images of JPEGImages are in no list of ImageSets/Main, first d",
        "1 images are in several parts, first c; the last list counts",
    ):
        assert text in sentences


def test_lists_that_name_no_image_are_refused(tmp_path):
    folder = voc(tmp_path)
    for part in ("train", "val"):
        (folder / f"ImageSets/Main/{part}.txt").write_text("a.jpg\n")
    with pytest.raises(DataError, match="no image of JPEGImages is named in the lists"):
        read_table(folder)
