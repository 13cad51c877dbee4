"""Data sets of Hugging Face's library: read as frames are, with readable classes."""

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest

from superpose import Superpose
from superpose.columns._conversions import conversions_of
from superpose.config import Config
from superpose.data import divided, like, read_rows, read_table
from superpose.errors import DataError
from superpose.prepare import prepare

datasets = pytest.importorskip("datasets")
from datasets import ClassLabel, Dataset, DatasetDict, Features, Image, List, Value  # noqa: E402

CLASSES = ClassLabel(names=["no", "yes"])


def rows(count=6, **columns):
    given = {"x": [0.5 * n for n in range(count)], "y": [n % 2 for n in range(count)], **columns}
    kinds = {"x": Value("float32"), "y": CLASSES}
    lists = List(ClassLabel(names=["O", "B-city"]))
    kinds |= {name: lists for name in columns if name not in kinds}
    return Dataset.from_dict(given, features=Features(kinds))


def test_classes_are_read_by_their_names_and_no_label_as_missing():
    tags = [[0, 1], [], None, [1], [-1], [0]]
    table = read_table(rows(y=[0, 1, -1, 1, 0, 1], tags=tags))
    assert table["y"].to_pylist() == ["no", "yes", None, "yes", "no", "yes"]
    assert table["tags"].to_pylist() == [["O", "B-city"], [], None, ["B-city"], [None], ["O"]]


def test_labels_that_stand_for_none_are_noted_from_every_reader(tmp_path):
    plain = rows(tags=[[0, 1], [], [1, 0], None, [1], [0]]).with_format("arrow")[:]
    tags = pa.array([[0, 1], [-100], [-100, 0], None, [1], [0]], pa.list_(pa.int64()))
    table = plain.set_column(1, "y", pa.array([0, 1, -1, 1, 0, -100])).set_column(2, "tags", tags)
    pyarrow.parquet.write_table(table, tmp_path / "rows.parquet")
    pyarrow.feather.write_feather(table, str(tmp_path / "rows.feather"))
    for source in (table, tmp_path / "rows.parquet", tmp_path / "rows.feather"):
        read = read_table(source)
        assert read["y"].to_pylist() == ["no", "yes", None, "yes", "no", None]
        assert read["tags"].to_pylist()[2] == [None, "O"]
        assert conversions_of(read) == [
            "column 'y': 2 labels of -1 and -100 (first in row 2) are read as missing; to keep "
            "them, give them a name in the ClassLabel",
            "column 'tags': 2 labels of -100 (first in row 1) are read as missing; to keep them, "
            "give them a name in the ClassLabel",
        ]
    parts = DatasetDict(train=rows(y=[0, -1, 1, 1, 0, 1]), test=rows(y=[1] * 6))
    assert conversions_of(read_table(parts))[0].startswith("train: column 'y': 1 labels of -1 (fir")


def test_a_number_that_no_class_has_is_refused():
    table = rows().with_format("arrow")[:]
    wrong = table.set_column(1, "y", pa.array([0, 1, 7, 7, -2, 0]))
    fault = (
        r"column 'y', row 2: 7 given; so it is in 3 labels in all; allowed: 0 to 1, the numbers of "
        r"its classes; -1 or -100 for no label; cast the column to a ClassLabel with all names"
    )
    with pytest.raises(DataError, match=fault):
        read_table(wrong)


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.select([5, 1, 4]).select([2, 1]),
        lambda d: d.map(lambda row: {"x": row["x"]}).filter(lambda row: row["x"] in (2.0, 0.5)),
        lambda d: d.with_format("numpy").select([4, 1]),
        lambda d: d.cast_column("y", Value("int64")).cast_column("y", CLASSES).select([4, 1]),
    ],
)
def test_rows_that_were_chosen_are_read_and_no_others(change):
    datasets.disable_progress_bars()
    table = read_table(change(rows()))
    result = dict(zip(table["x"].to_pylist(), table["y"].to_pylist(), strict=True))
    assert result == {2.0: "no", 0.5: "yes"}


def test_a_parquet_file_of_the_library_has_readable_classes_too(tmp_path):
    rows().to_parquet(tmp_path / "rows.parquet")
    assert read_table(tmp_path / "rows.parquet")["y"].to_pylist() == ["no", "yes"] * 3


def test_parts_are_the_split_unless_another_is_set():
    parts = DatasetDict(train=rows(20), validation=rows(6), test=rows(8))
    config = Config.from_arguments(targets=["y"])
    result = prepare(read_rows(parts, divided(config, parts)), divided(config, parts))
    split = result.split
    assert [len(part) for part in (split.train, split.validation, split.test)] == [20, 6, 8]
    requested = Config.from_arguments(targets=["y"], split="random")
    assert divided(requested, parts) == requested


def test_a_part_alone_is_a_table():
    only = DatasetDict(train=rows())
    config = Config.from_arguments(targets=["y"])
    assert divided(config, only) == config
    assert read_table(only).column_names == ["x", "y"]


def test_several_are_read_as_sources():
    table = read_table({"old": rows(3), "new": rows(2)})
    assert table["source"].to_pylist() == ["old"] * 3 + ["new"] * 2
    assert table["y"].to_pylist() == ["no", "yes", "no", "no", "yes"]


def test_what_does_not_fit_together_is_noted():
    del_ = r"take it out: del parts\['unsupervised'\]"
    with pytest.raises(
        DataError, match=rf"'unsupervised' of .* names no part of a split; .*{del_}"
    ):
        read_table(DatasetDict(train=rows(), unsupervised=rows()))
    with pytest.raises(DataError, match=r"'dev' of .* is a second part for validation"):
        read_table(DatasetDict(train=rows(), validation=rows(), dev=rows()))
    with pytest.raises(DataError, match="'test', 'val' given, without train"):
        read_table(DatasetDict(test=rows(), val=rows()))
    with pytest.raises(DataError, match="test: its columns are x; allowed: x, y, as of train"):
        read_table(DatasetDict(train=rows(), test=rows().remove_columns("y")))
    split = rows().add_column("split", ["a"] * 6)
    with pytest.raises(DataError, match="train: the column 'split' stands in it already"):
        read_table(DatasetDict(train=split, test=split))
    with pytest.raises(DataError, match="IterableDataset given, whose rows come one by one"):
        read_table(rows().to_iterable_dataset())


def test_files_are_read_by_their_paths_and_whole_ones_are_refused():
    kinds = Features({"photo": Image(), "y": CLASSES})
    named = {"photo": ["a.png", None, "b.png"] * 10, "y": [0, 1, 0] * 10}
    assert read_table(Dataset.from_dict(named, kinds))["photo"].to_pylist()[:2] == ["a.png", None]
    whole = Dataset.from_dict({**named, "photo": [{"bytes": b"1", "path": "a.png"}] * 30}, kinds)
    for inputs in ("auto", [{"name": "photo", "kind": "image"}]):
        config = Config.from_arguments(targets=["y"], inputs=inputs)
        with pytest.raises(
            DataError, match=r"holds whole files; .*write .*put .* path.* in the col"
        ):
            prepare(read_table(whole), config)


def test_predictions_come_back_as_a_data_set():
    result = like(rows(), pa.table({"p": ["a"]}))
    assert isinstance(result, Dataset)
    assert result[0] == {"p": "a"}


def test_a_model_learns_from_parts_and_answers_for_a_data_set():
    parts = DatasetDict(train=rows(60), test=rows(20))
    model = Superpose(["y"], references="none", training={"epochs": 1}, proof={"folds": 2})
    pred = model.fit(parts).predict(parts["test"].remove_columns("y"))
    assert isinstance(pred, Dataset)
    assert set(pred["y"]) <= {"no", "yes"}
    assert model.evaluate(parts["test"]).keys() == {"y"}
