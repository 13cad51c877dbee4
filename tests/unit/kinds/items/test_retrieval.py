"""Targets that name an item."""

import json

import numpy as np
import pyarrow as pa
import pytest

from superpose.config import Config
from superpose.data import Codec, infer_schema, read_table
from superpose.errors import DataError
from superpose.kinds import TARGET_KINDS, Items
from superpose.kinds._beside import Beside
from superpose.nn import head_of

Kind = TARGET_KINDS["retrieval"]
ROWS = pa.chunked_array([["tea", "milk", "tea", None, "jam"]])


def items(names, **columns):
    """Items as they are read beside a target, each column a category."""
    from superpose.kinds import INPUT_KINDS

    values = [pa.chunked_array([column]) for column in columns.values()]
    kinds = [
        INPUT_KINDS["category"].fit(name, column)
        for name, column in zip(columns, values, strict=True)
    ]
    return Items(pa.chunked_array([names]), kinds, values)


def fitted(count=40):
    names = [f"i{k:02d}" for k in range(count)]
    return Kind.fit("y", pa.chunked_array([names]))


def test_ranks_are_counted_by_hand_and_ties_share_their_ranks():
    kind = Kind.fit("y", ROWS)  # jam, milk, tea
    pred = np.array([[0.2, 0.5, 0.3], [0.4, 0.4, 0.2], [0.1, 0.1, 0.8]])
    assert kind.ranks(np.array([2.0, 0.0, 0.0]), pred).tolist() == [2, 1.5, 2.5]
    metrics = kind.metrics(np.array([2.0, 1.0, np.nan]), pred)
    assert metrics["mrr"] == pytest.approx((1 / 2 + 1 / 1.5) / 2)
    assert metrics["recall_at_1"] == 0.0
    assert "recall_at_10" not in metrics  # among three items it would be 1
    assert metrics["ndcg_at_10"] == pytest.approx((1 / np.log2(3) + 1 / np.log2(2.5)) / 2)


def test_the_constant_is_popularity_and_leaves_no_item_out():
    kind = Kind.fit("y", ROWS, items=items(["jam", "milk", "tea", "nuts"]))
    baseline = kind.distribution.baseline(kind.encode(ROWS))
    assert baseline.argmax() == 2
    assert 0 < baseline[3] < baseline[0]
    assert baseline.sum() == pytest.approx(1)


def test_items_of_a_table_can_be_found_that_no_row_names():
    result = items(["milk", "tea", "nuts", "jam"], sort=["a", "b", "a", "b"])
    kind = Kind.fit("y", ROWS, items=result)
    assert kind.labels == ["milk", "tea", "nuts", "jam"]
    assert kind.encode(pa.chunked_array([["nuts"]])).tolist() == [2.0]
    assert "1 of them in no training row; described by sort" in kind.describe()
    again = Kind.from_state(json.loads(json.dumps(kind.state())))
    assert [p.shape for p in head_of(again).module(8).tower.parameters()] == [
        p.shape for p in head_of(kind).module(8).tower.parameters()
    ]
    assert (
        head_of(again).module(8).tower.block0.tolist()
        == head_of(kind).module(8).tower.block0.tolist()
    )


def test_an_item_that_the_table_lacks_is_refused_with_its_row():
    wanted = r"column 'y', row 4: 'jam' is not among the 2 items; add it to the table of items"
    with pytest.raises(DataError, match=wanted):
        Kind.fit("y", ROWS, items=items(["milk", "tea"]))


def test_trees_serve_few_items_only():
    assert fitted(50).tree_task == "classification"
    assert fitted(51).tree_task is None


def test_a_measured_item_is_read_as_itself_or_as_a_code():
    few, many = fitted(32), fitted(33)
    assert few.observed.n_columns == 32
    assert few.observed.encode(np.array([3.0, np.nan]))[0].tolist() == np.eye(32)[3].tolist()
    assert many.observed.n_columns == 16
    vectors = many.observed.encode(np.array([3.0, 4.0, np.nan]))
    assert not np.array_equal(vectors[0], vectors[1])
    assert np.isnan(vectors[2]).all()


def test_codes_tell_what_describes_the_items():
    names = [f"i{k}" for k in range(40)]
    result = Kind.fit("y", pa.chunked_array([names]), items=items(names, sort=["a", "b"] * 20))
    y = result.observed.encode(result.encode(pa.chunked_array([["i0", "i2", "i1"]])))
    assert y[0, 0] == y[1, 0] != y[2, 0]


def test_the_likeliest_items_are_listed():
    kind = Kind.fit("y", ROWS, top=2)
    pred = np.array([[0.2, 0.5, 0.3], [np.nan, np.nan, np.nan]])
    predicted = kind.decode_proba(pred)
    assert predicted["y"].to_pylist() == [["milk", "tea"], None]
    assert predicted["y_probability"].to_pylist() == [[0.5, 0.3], None]
    assert kind.decode(pred)["y"].to_pylist() == ["milk", None]


def test_examples_go_from_rows_that_are_found_to_rows_that_are_not():
    kind = fitted()
    rng = np.random.default_rng(0)
    y, pred = np.arange(40.0), rng.dirichlet(np.ones(40), 40)
    y[3] = np.nan
    facts = kind.plot(y, pred, Beside(pa.table({"x": np.arange(40.0), "note": ["w" * 99] * 40})))
    assert len(facts["ranks"]) == 39
    positions = [[name for name, _ in one["told"]] for one in facts["examples"]]
    result = [one["true"] in value for one, value in zip(facts["examples"], positions, strict=True)]
    assert result == sorted(result, reverse=True)
    assert len(facts["examples"][0]["row"]["note"]) == 60


TABLE = pa.table(
    {"x": [0.1, 0.9, 0.3, 0.7], "y": ["tea", "milk", "tea", "jam"], "price": [1.5, 2.5, 1.5, 3.0]}
)


def schema_of(table, target, **more):
    return infer_schema(table, Config.from_arguments(targets=[{"name": "y", **target}], **more))


def test_columns_of_items_are_no_inputs_and_training_rows_alone_tell_of_them():
    schema = schema_of(TABLE, {"kind": "retrieval", "columns": ["price"]})
    assert schema.input_names == ["x"]
    assert schema.ignored["price"] == "it describes the items of 'y'"
    kind = Codec.fit(TABLE, schema, np.array([0, 1, 2])).target_kinds["y"]
    assert kind.labels == ["tea", "milk"]
    assert [column["state"]["column"] for column in kind.columns] == ["price"]


def test_a_column_of_items_among_the_inputs_is_refused():
    with pytest.raises(DataError, match=r"targets\[0\].columns\[0\]: 'price' is also an input"):
        schema_of(TABLE, {"kind": "retrieval", "columns": ["price"]}, inputs=["x", "price"])


def written(tmp_path, text):
    (tmp_path / "items.csv").write_text(text, encoding="utf-8")
    (tmp_path / "rows.csv").write_text("x,y\n0.1,tea\n0.9,milk\n0.3,tea\n", encoding="utf-8")
    return read_table(tmp_path / "rows.csv")


def test_a_table_of_items_is_read_from_the_folder_of_the_rows(tmp_path):
    table = written(tmp_path, "name,price,vector\ntea,1,a\nmilk,2,b\nnuts,5,a\n")
    target = {"kind": "retrieval", "items": "items.csv", "id": "name"}
    kind = Codec.fit(table, schema_of(table, target), np.arange(3)).target_kinds["y"]
    assert kind.labels == ["tea", "milk", "nuts"]
    assert [column["state"]["kind"] for column in kind.columns] == ["number", "binary"]


@pytest.mark.parametrize(
    ("text", "more", "wanted"),
    [
        ("name,price\ntea,1\n", {}, "no column 'y', which would name the items of 'y'; allowed:"),
        ("y,price\ntea,1\ntea,2\nmilk,3\n", {}, "column 'y': tea stand in two rows or more"),
        ("y,price\ntea,1\nmilk,3\n,4\n", {}, "column 'y': row 2 names no item"),
        ("y,price\ntea,1\n", {}, "row 1: 'milk' is not among the 1 items"),
        ("y\ntea\n", {"items": "other.csv"}, "other.csv"),
    ],
)
def test_faults_of_a_table_of_items_are_named(tmp_path, text, more, wanted):
    table = written(tmp_path, text)
    with pytest.raises(DataError) as fault:
        schema_of(table, {"kind": "retrieval", "items": "items.csv", **more})
    assert wanted in str(fault.value)


def test_too_many_items_are_refused():
    many = pa.chunked_array([np.arange(10_001)])
    wanted = "column 'y': 10001 different items; allowed: at most 10000"
    with pytest.raises(DataError, match=wanted):
        Kind.fit("y", many)
