"""Folders of images as they are published: read as tables of paths."""

import json

import pytest

from superpose.data import read_table
from superpose.errors import DataError

Image = pytest.importorskip("PIL.Image")


def draw(path, size=(8, 6), mode="RGB"):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size).save(path)


def rows(table):
    return table.to_pylist()


def test_a_folder_of_images_for_each_class(tmp_path):
    for name in ("cat/a.png", "cat/b.jpg", "dog/c.png"):
        draw(tmp_path / name)
    (tmp_path / "cat/notes.txt").write_text("no image")
    assert rows(read_table(tmp_path)) == [
        {"image": "cat/a.png", "class": "cat"},
        {"image": "cat/b.jpg", "class": "cat"},
        {"image": "dog/c.png", "class": "dog"},
    ]


def test_classes_below_parts_give_a_split(tmp_path):
    for name in ("train/cat/a.png", "train/dog/b.png", "val/cat/c.png", "test/dog/d.png"):
        draw(tmp_path / name)
    table = read_table(tmp_path)
    assert table.column_names == ["image", "class", "split"]
    assert table["split"].to_pylist() == ["train", "train", "validation", "test"]


def test_masks_beside_images(tmp_path):
    for name in ("train/a.jpg", "trainannot/a.png", "train/b.jpg", "test/c.jpg", "testannot/c.png"):
        draw(tmp_path / name, mode="L")
    assert rows(read_table(tmp_path)) == [
        {"image": "train/a.jpg", "mask": "trainannot/a.png", "split": "train"},
        {"image": "train/b.jpg", "mask": None, "split": "train"},
        {"image": "test/c.jpg", "mask": "testannot/c.png", "split": "test"},
    ]
    draw(tmp_path / "trainannot/z.png", mode="L")
    with pytest.raises(DataError, match="1 masks have no image in train, first z"):
        read_table(tmp_path)


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
        [{"class": "cat", "box": [1.0, 2.0, 3.0, 4.0]}],
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


COCO = {
    "images": [{"id": 5, "file_name": "a.jpg"}, {"id": 6, "file_name": "b.jpg"}],
    "categories": [{"id": 1, "name": "cat"}],
    "annotations": [{"image_id": 6, "category_id": 1, "bbox": [1, 2, 3, 4]}],
}


def test_a_file_of_coco_is_a_table(tmp_path):
    draw(tmp_path / "images/a.jpg")
    (tmp_path / "things.json").write_text(json.dumps(COCO))
    assert rows(read_table(tmp_path / "things.json")) == [
        {"image": "images/a.jpg", "boxes": []},
        {"image": "images/b.jpg", "boxes": [{"class": "cat", "box": [1.0, 2.0, 4.0, 6.0]}]},
    ]


def test_a_folder_of_coco_has_a_split(tmp_path):
    (tmp_path / "annotations").mkdir()
    for part in ("train2017", "val2017"):
        draw(tmp_path / part / "a.jpg")
        (tmp_path / f"annotations/instances_{part}.json").write_text(json.dumps(COCO))
    table = read_table(tmp_path)
    assert table["split"].to_pylist() == ["train"] * 2 + ["validation"] * 2
    assert table["image"].to_pylist()[0] == "train2017/a.jpg"


def test_a_file_of_coco_that_lacks_a_box_is_refused(tmp_path):
    broken = {**COCO, "annotations": [{"image_id": 6, "category_id": 1}]}
    (tmp_path / "things.json").write_text(json.dumps(broken))
    with pytest.raises(DataError, match=r"not a file of COCO .*bbox"):
        read_table(tmp_path / "things.json")
    (tmp_path / "rows.json").write_text('[{"a": 1}]')
    with pytest.raises(DataError, match=r"unknown format \(\.json\)"):
        read_table(tmp_path / "rows.json")
