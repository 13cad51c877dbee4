"""Folders of images as they are published: read as tables of paths."""

import pytest

from superpose.columns._conversions import conversions_of, warnings_of
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


def test_images_without_a_mask_are_counted(tmp_path):
    for name in ("train/a.jpg", "trainannot/a.png", "train/b.jpg"):
        draw(tmp_path / name, mode="L")
    (sentence,) = warnings_of(read_table(tmp_path))
    assert "train: 1 of 2 images have no mask, first b.jpg; they count as images that" in sentence


def test_empty_classes_and_other_files_are_counted(tmp_path):
    for name in ("cat/a.png", "dog/b.png", "dog/more/c.png"):
        draw(tmp_path / name)
    (tmp_path / "bird").mkdir()
    (tmp_path / "cat/.DS_Store").write_text("")
    (tmp_path / "cat/Thumbs.db").write_text("")
    (tmp_path / "cat/photo.heic").write_text("")
    table = read_table(tmp_path)
    assert table["class"].to_pylist() == ["cat", "dog"]
    empty, others = warnings_of(table)
    assert "1 folders of classes are empty: bird; no row has such a class" in empty
    assert "2 entries of folders of classes are no images, first cat/photo.heic" in others
    assert conversions_of(table) == []


def test_folders_of_other_files_are_no_classes(tmp_path):
    for name in ("images/a.png", "more/b.png"):
        draw(tmp_path / name)
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels/a.txt").write_text("0 0.5 0.5 0.1 0.1")
    with pytest.raises(DataError, match="a folder given, without a part for training"):
        read_table(tmp_path)
