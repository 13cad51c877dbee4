"""The codec: fitted on training rows only, steady under other columns, orders and types."""

import json
import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from superpose.data._codec import Codec
from superpose.data.schema._schema import ColumnSpec, Schema
from superpose.errors import DataError
from superpose.nn import encoder_of

ROWS = 60
TRAIN = np.arange(40)


def make_table(rows=ROWS, seed=0):
    rng = np.random.default_rng(seed)
    return pa.table(
        {
            "size": rng.normal(100, 20, rows),
            "colour": rng.choice(["red", "blue"], rows),
            "day": np.datetime64("2024-01-01", "s") + np.arange(rows) * 86400,
            "note": rng.choice(["a red door", "one blue house"], rows),
            "tags": [["p", "q"][: i % 3] for i in range(rows)],
            "weight": rng.normal(size=rows) * 1e6,
            "sick": rng.choice(["no", "yes"], rows),
            "calls": rng.poisson(3, rows),
        }
    )


def spec(*pairs):
    return [ColumnSpec(name, kind) for name, kind in pairs]


SCHEMA = Schema(
    spec(
        ("size", "number"),
        ("colour", "category"),
        ("day", "date"),
        ("note", "text"),
        ("tags", "multicategory"),
    ),
    spec(("weight", "number"), ("sick", "binary"), ("calls", "count")),
)


@pytest.fixture(scope="module")
def codec():
    return Codec.fit(make_table(), SCHEMA, TRAIN)


def assert_same(left, right):
    assert left.keys() == right.keys()
    for name, block in left.items():
        np.testing.assert_array_equal(block, right[name])


def test_inputs_come_in_one_block_per_family(codec):
    blocks = codec.inputs(make_table())
    shapes = {name: block.shape for name, block in blocks.items()}
    assert shapes == {
        "numbers": (60, 6),
        "categories": (60, 1),
        "text_3_note": (60, 3),
        "multihot": (60, 2),
    }
    assert list(codec.input_groups) == list(blocks)
    for name, kinds in codec.input_groups.items():
        assert encoder_of(kinds, 8) is not None, name


def test_features_for_trees_are_one_named_matrix(codec):
    features = codec.features(make_table())
    assert features.matrix.shape == (60, len(features.names))
    assert features.matrix.dtype == np.float32
    assert features.categorical[features.names.index("colour")]
    assert len(set(features.names)) == len(features.names)


def test_rows_outside_training_change_nothing(codec):
    first, second = make_table(seed=0), make_table(seed=1)
    mixed = pa.concat_tables([first.slice(0, 40), second.slice(40)])
    assert Codec.fit(mixed, SCHEMA, TRAIN).state() == codec.state()


def test_the_codec_survives_json(codec):
    again = Codec.from_state(json.loads(json.dumps(codec.state())))
    assert again == codec
    assert_same(again.inputs(make_table()), codec.inputs(make_table()))


def test_other_orders_and_extra_columns_make_no_difference(codec):
    table = make_table()
    shuffled = table.select(table.column_names[::-1]).append_column("extra", [list(range(ROWS))])
    assert_same(codec.inputs(shuffled), codec.inputs(table))


def test_columns_of_another_lossless_type_make_no_difference(codec):
    table = make_table()
    other = table.set_column(0, "size", table["size"].cast(pa.string()))
    other = other.set_column(1, "colour", table["colour"].dictionary_encode())
    other = other.set_column(2, "day", table["day"].cast(pa.string()))
    assert_same(codec.inputs(other), codec.inputs(table))


def test_pandas_frames_through_arrow_make_no_difference(codec):
    frame = make_table().to_pandas()
    frame["colour"] = frame["colour"].astype("category")
    assert isinstance(frame, pd.DataFrame)
    assert_same(codec.inputs(pa.Table.from_pandas(frame)), codec.inputs(make_table()))


def test_a_wrong_value_names_column_and_row(codec):
    table = make_table()
    bad = table.set_column(0, "size", pa.array(["1"] * 41 + ["big"] + ["1"] * 18))
    with pytest.raises(DataError, match="column 'size', row 41: 'big' is not a number"):
        codec.inputs(bad)
    with pytest.raises(DataError, match="column 'size', row 41: 'big'"):
        Codec.fit(bad, SCHEMA, TRAIN)


def test_missing_input_columns_are_all_listed(codec):
    with pytest.raises(DataError) as caught:
        codec.inputs(make_table().drop_columns(["size", "day"]))
    assert len(caught.value.faults) == 2
    assert "column 'size'" in caught.value.faults[0]


def test_missing_target_columns_are_unlabelled(codec):
    labels = codec.labels(make_table().drop_columns(["weight"]))
    assert np.isnan(labels["weight"]).all()
    assert not np.isnan(labels["sick"]).any()


def test_labels_stay_well_scaled_beside_a_million(codec):
    labels = codec.labels(make_table())["weight"][TRAIN]
    assert labels.std() == pytest.approx(1, abs=1e-5)


def test_useless_inputs_are_dropped_and_named():
    table = make_table().append_column("same", pa.array([1] * ROWS))
    table = table.append_column("empty", pa.nulls(ROWS))
    schema = Schema(
        [*SCHEMA.inputs, *spec(("same", "number"), ("empty", "number"))], SCHEMA.targets
    )
    codec = Codec.fit(table, schema, TRAIN)
    assert codec.dropped == {"same": "constant", "empty": "empty"}
    assert "input 'same': constant in the training rows; it is not used" in codec.warnings
    assert_same(
        codec.inputs(make_table()), Codec.fit(make_table(), SCHEMA, TRAIN).inputs(make_table())
    )


def test_without_any_useful_input_fitting_stops():
    table = make_table().append_column("same", pa.array([1] * ROWS))
    with pytest.raises(DataError, match="none is left to learn from: 'same'"):
        Codec.fit(table, Schema(spec(("same", "number")), SCHEMA.targets), TRAIN)


def test_every_wrong_column_is_named_at_once():
    table = make_table()
    schema = Schema(
        spec(("colour", "number"), ("note", "date"), ("tags", "category")),
        spec(("weight", "count"), ("calls", "binary")),
    )
    with pytest.raises(DataError) as caught:
        Codec.fit(table, schema, TRAIN)
    texts = "\n".join(caught.value.faults)
    for name in ("colour", "note", "tags", "weight", "calls"):
        assert re.search(rf"'{name}'", texts)
    assert "declare it as kind multicategory" in texts


def test_a_constant_target_is_refused():
    table = make_table().append_column("flat", pa.array([2.5] * ROWS))
    schema = Schema(SCHEMA.inputs, spec(("flat", "number")))
    with pytest.raises(DataError, match=r"target 'flat': every labelled training row is 2\.5"):
        Codec.fit(table, schema, TRAIN)


def test_words_for_missing_values_are_missing_in_new_tables_too():
    table = pa.table({"x": ["1", "?", "3", "4"], "y": [0.0, 1, 2, 3]})
    schema = Schema([ColumnSpec("x", "number", missing=("?",))], spec(("y", "number")))
    codec = Codec.fit(table, schema, np.arange(4))
    again = Codec.from_state(json.loads(json.dumps(codec.state())))
    assert np.isnan(again.inputs(pa.table({"x": ["?"]}))["numbers"]).all()


def test_block_names_are_fit_for_modules_and_exports():
    table = pa.table({"a.b c": ["x y", "y z"], "y": [0.0, 1.0]})
    codec = Codec.fit(table, Schema(spec(("a.b c", "text")), spec(("y", "number"))), np.arange(2))
    assert list(codec.input_groups) == ["text_0_a_b_c"]


def test_an_unknown_kind_in_a_state_is_refused(codec):
    state = codec.state()
    state["inputs"] = [{"kind": "smell", "column": "x"}]
    with pytest.raises(DataError, match="kind 'smell' in the stored state; allowed: number"):
        Codec.from_state(state)
