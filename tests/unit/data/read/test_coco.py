"""Files of COCO: what they say is read, and what does not fit together is told by its id."""

import copy
import json

import pytest
from typer.testing import CliRunner

from superpose.cli import app
from superpose.columns._conversions import conversions_of, warnings_of
from superpose.data import read_table
from superpose.errors import DataError

Image = pytest.importorskip("PIL.Image")


def draw(path, size=(8, 6)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size).save(path)


def rows(table):
    return table.to_pylist()


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


BOX = COCO["annotations"][0]


def coco(folder, encoding="utf-8", **more):
    """The table of a file whose images a.jpg and b.jpg have 8 x 6 pixels."""
    for name in "ab":
        draw(folder / f"{name}.jpg")
    (folder / "things.json").write_text(json.dumps({**COCO, **more}), encoding=encoding)
    return read_table(folder / "things.json")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_changes_nothing(tmp_path, encoding):
    assert rows(coco(tmp_path, encoding)) == rows(coco(tmp_path))


def test_a_file_that_breaks_off_says_so(tmp_path):
    text = json.dumps(COCO)
    (tmp_path / "things.json").write_text(text[:-5])
    with pytest.raises(DataError, match=r"things\.json: not a file of COCO \(.*; write it anew"):
        read_table(tmp_path / "things.json")


def test_a_missing_category_is_read_by_its_id(tmp_path):
    strangers = [{**BOX, "id": n, "category_id": 77} for n in (2, 3)]
    with pytest.raises(DataError) as caught:
        coco(tmp_path, annotations=[BOX, *strangers, {**BOX, "id": 4, "category_id": 78}])
    text = "annotation 2: category_id 77 is not among the categories, so in 1 more annotations"
    assert f"{text}; allowed: 1" in caught.value.faults[0]
    assert "annotation 4: category_id 78" in caught.value.faults[1]


def test_ids_of_many_missing_categories_are_counted(tmp_path):
    strangers = [{**BOX, "id": n, "category_id": n} for n in range(2, 9)]
    with pytest.raises(DataError, match="so with 4 more ids of categories"):
        coco(tmp_path, annotations=strangers)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"bbox": [1, 2, 3]}, r"annotation 5 has the bbox \[1, 2, 3\]"),
        ({"bbox": [1, 2, float("nan"), 3]}, "annotation 5 has the bbox"),
        ({"bbox": ["a", 2, 3, 4]}, "annotation 5 has the bbox"),
        ({"category_id": None}, "annotation 5 has no category_id"),
    ],
)
def test_an_annotation_that_is_no_box_of_a_class_is_named(tmp_path, change, reason):
    with pytest.raises(DataError, match=reason):
        coco(tmp_path, annotations=[BOX, {**BOX, "id": 5, **change}])
    with pytest.raises(DataError, match="so with 2 more annotations"):
        coco(tmp_path, annotations=[{**BOX, "id": 5, **change}] * 5)


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"categories": [{"id": 1}]}, "category 1 has no name"),
        ({"categories": [{"id": 1, "name": ""}]}, "category 1 has no name"),
        ({"categories": [{"name": "cat"}]}, "category number 0 has no id"),
        (
            {"categories": [{"id": 1, "name": "cat"}, {"id": 1, "name": "dog"}]},
            "category id 1 stands for 'cat' and for 'dog'",
        ),
        ({"images": [{"id": 6}]}, r"1 images have no id or no file_name, first images\[0\]"),
        ({"images": [COCO["images"][1]] * 2}, "1 ids stand for several images, first 6"),
        ({"images": [COCO["images"][0]]}, "no annotation has its image among the images"),
        ({"images": "none"}, r"not a file of COCO \(no list of objects under images\)"),
    ],
)
def test_images_and_categories_are_named_once_each(tmp_path, more, reason):
    with pytest.raises(DataError, match=reason):
        coco(tmp_path, **more)


def test_a_file_of_captions_lacks_categories(tmp_path):
    captions = {"images": COCO["images"], "annotations": [{"image_id": 6, "caption": "two cats"}]}
    (tmp_path / "things.json").write_text(json.dumps(captions))
    with pytest.raises(DataError, match=r"not a file of COCO \(nothing under categories\)"):
        read_table(tmp_path / "things.json")


def test_what_is_left_out_is_counted(tmp_path):
    more = [
        {"id": 2, "image_id": 6, "caption": "two cats"},
        {**BOX, "id": 3, "image_id": 777},
        {**BOX, "id": 4},
        {**BOX, "id": 4},
    ]
    table = coco(tmp_path, annotations=[BOX, *more])
    assert [len(x) for x in table["boxes"].to_pylist()] == [0, 2]
    sentences = "\n".join(warnings_of(table))
    assert (
        "1 of 5 annotations have no bbox, as captions, first annotation 2; they are left"
        in sentences
    )
    assert "1 of 5 annotations have no image among the images, first annotation 3 of" in sentences
    assert (
        "1 of 5 annotations stand there twice, first annotation 4; they are read once" in sentences
    )


def test_images_without_annotations_are_counted(tmp_path):
    table = coco(tmp_path)
    (sentence,) = conversions_of(table)
    assert (
        "1 of 2 images have no annotation of an object, first a.jpg; they are read as" in sentence
    )


def test_a_file_without_annotations_leaves_its_images_unlabelled(tmp_path):
    draw(tmp_path / "a.jpg")
    (tmp_path / "t.json").write_text(json.dumps({k: COCO[k] for k in ("images", "categories")}))
    table = read_table(tmp_path / "t.json")
    assert table["boxes"].to_pylist() == [None, None]
    assert "no annotations; nobody has looked at its images" in warnings_of(table)[1]


def test_crowds_are_left_out_and_counted(tmp_path):
    table = coco(tmp_path, annotations=[BOX, {**BOX, "bbox": [0, 0, 8, 6], "iscrowd": 1}])
    assert len(table["boxes"][1].as_py()) == 1
    assert "1 objects are marked iscrowd or difficult; they are left" in conversions_of(table)[0]


def test_categories_of_one_name_are_one_class_and_noted(tmp_path):
    table = coco(tmp_path, categories=[{"id": 1, "name": "cat"}, {"id": 2, "name": "cat"}])
    assert (
        "several categories are called 'cat'; they are read as one class"
        in (conversions_of(table)[0])
    )


def test_ids_may_be_text_or_numbers(tmp_path):
    table = coco(
        tmp_path, annotations=[{"image_id": "6", "category_id": "1", "bbox": [1, 2, 3, 4]}]
    )
    assert len(table["boxes"][1].as_py()) == 1


@pytest.mark.parametrize("position", ["C:\\data\\", "/elsewhere/pictures/", "elsewhere/"])
def test_images_named_by_paths_of_another_machine_are_found_and_noted(tmp_path, position):
    images = [{**image, "file_name": position + image["file_name"]} for image in COCO["images"]]
    table = coco(tmp_path, images=images)
    assert table["image"].to_pylist() == ["a.jpg", "b.jpg"]
    assert "2 of 2 images are not where the file says, first" in conversions_of(table)[0]


def test_names_that_stand_in_several_folders_are_not_mistaken(tmp_path):
    names = ["one/a.jpg", "two/a.jpg", "b.jpg"]
    images = [{"id": n, "file_name": name} for n, name in enumerate([*names])]
    table = coco(tmp_path, images=[*images, COCO["images"][1] | {"file_name": "b.jpg"}])
    assert table["image"].to_pylist()[:2] == ["one/a.jpg", "two/a.jpg"]
    missing, twice = warnings_of(table)
    assert "2 of 4 images are missing, first one/a.jpg" in missing
    assert "1 files stand for several images, first b.jpg; each is a row of its own" in twice


def test_a_file_whose_images_are_all_elsewhere_is_refused(tmp_path):
    (tmp_path / "things.json").write_text(json.dumps(COCO))
    with pytest.raises(DataError, match=r"none of its 2 images is there, first a\.jpg; put them"):
        read_table(tmp_path / "things.json")


def test_key_points_beside_boxes_are_not_read_twice(tmp_path):
    (tmp_path / "annotations").mkdir()
    draw(tmp_path / "train2017/a.jpg")
    for name in ("instances_train2017", "person_keypoints_train2017", "captions_train2017"):
        value = copy.deepcopy(COCO)
        if name.startswith("captions"):
            del value["categories"]
        (tmp_path / f"annotations/{name}.json").write_text(json.dumps(value))
    table = read_table(tmp_path)
    assert table.num_rows == 2
    assert "person_keypoints_train2017.json beside files of instances" in warnings_of(table)[0]


def test_check_prints_what_is_read_differently_and_what_to_look_at(tmp_path):
    pytest.importorskip("faster_coco_eval")
    images = [{"id": n, "file_name": f"{n}.jpg", "width": 20, "height": 15} for n in range(20)]
    annotations = [
        {"id": n, "image_id": n, "category_id": 1, "bbox": [1, 2, 3, 4]} for n in range(19)
    ]
    for n in range(20):
        draw(tmp_path / f"{n}.jpg", (40, 30))
    value = {**COCO, "images": images, "annotations": annotations}
    (tmp_path / "things.json").write_text(json.dumps(value))
    (tmp_path / "s.yaml").write_text(
        f"data: {tmp_path}/things.json\ninputs: [{{name: image, kind: image, size: [16, 16]}}]\n"
        "targets: [{name: boxes, kind: boxes}]\nproof: {references: none}\n"
    )
    done = CliRunner().invoke(app, ["check", str(tmp_path / "s.yaml")])
    sentences, warned = done.output.split("Split:")
    assert "Read differently from what is written" in sentences
    assert "the boxes of 19 images were drawn at another size than that of the file" in sentences
    assert "1 of 20 images have no annotation" in sentences
    assert "Warning: " in warned
    assert "the boxes of 19 images are rescaled" in warned
