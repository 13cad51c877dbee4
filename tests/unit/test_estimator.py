"""What a trained model does with new rows, whatever frame they come in."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet
import pytest

from superpose import Superpose
from superpose.data import write_table
from superpose.errors import DataError

INPUTS = ["width", "height", "colour"]
FAST = {"model": {"width": 16, "members": 2}, "training": {"epochs": 2}, "references": "none"}


@pytest.fixture(scope="module")
def model(table):
    return Superpose(
        ["weight", "sick", "calls", "sort", {"name": "level", "kind": "ordinal"}, "tags"], **FAST
    ).fit(table)


@pytest.fixture(autouse=True)
def _new_rows_are_like_the_old():
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        warnings.filterwarnings("ignore", ".*is outside of what the training rows had")
        yield


def replaced(table, **columns):
    for name, values in columns.items():
        table = table.set_column(table.column_names.index(name), name, pa.array(values))
    return table


# No rows.


def empty_of(kind, table, folder):
    rows = table.select(INPUTS).slice(0, 0)
    if kind == "header":
        (folder / "rows.csv").write_text(",".join(INPUTS) + "\n")
        return folder / "rows.csv"
    if kind == "parquet":
        pyarrow.parquet.write_table(rows, folder / "rows.parquet")
        return folder / "rows.parquet"
    return {"arrow": rows, "pandas": rows.to_pandas(), "polars": pl.from_arrow(rows)}[kind]


@pytest.mark.parametrize("kind", ["arrow", "pandas", "polars", "header", "parquet"])
@pytest.mark.parametrize("verb", ["predict", "predict_proba", "sample"])
def test_no_rows_give_an_empty_frame_with_all_columns(model, table, tmp_path, kind, verb):
    options = {"n": 2} if verb == "sample" else {}
    source = empty_of(kind, table, tmp_path)
    found = getattr(model, verb)(source, **options)
    some = getattr(model, verb)(table.select(INPUTS).slice(0, 3), **options)
    if kind in ("pandas", "polars"):
        assert type(found) is type(source)
        assert len(found) == 0
        assert list(found.columns) == some.column_names
        if kind == "polars":
            assert found.schema == pl.from_arrow(some).schema
        return
    assert found.num_rows == 0
    assert found.schema.types == some.schema.types
    assert found.column_names == some.column_names


def test_no_rows_with_targets_given_give_the_same_columns(model, table):
    rows = table.slice(0, 0)
    assert (
        model.predict(rows, given=["sort", "weight"]).schema.types
        == model.predict(table.slice(0, 3), given=["sort", "weight"]).schema.types
    )


def test_no_rows_still_need_every_input(model, table):
    with pytest.raises(DataError, match="column 'width': an input of the model, but not in"):
        model.predict(table.select(["height", "colour"]).slice(0, 0))


@pytest.mark.parametrize("verb", ["fit", "evaluate", "entanglement"])
def test_no_rows_are_refused_where_labels_are_read(model, table, verb):
    with pytest.raises(DataError, match="no rows, only the columns"):
        getattr(model, verb)(table.slice(0, 0))


# What changes nothing.


def test_the_order_of_columns_changes_no_prediction(model, table):
    assert model.predict(table.select(INPUTS[::-1])).equals(model.predict(table.select(INPUTS)))


def test_the_order_of_categories_and_unused_ones_change_no_prediction(table):
    frame = table.to_pandas()
    colours = ["green", "blue", "violet", "red"]
    pred = []
    for categories in (colours, colours[::-1]):
        ordered = frame.assign(colour=pd.Categorical(frame.colour, categories))
        ordered["sort"] = pd.Categorical(frame["sort"], ["c", "d", "a", "b"][:: len(pred) * 2 - 1])
        fitted = Superpose(["weight", "sort"], ignore=["sick", "calls", "level", "tags"], **FAST)
        pred.append(fitted.fit(ordered).predict(ordered[INPUTS]))
    plain = Superpose(["weight", "sort"], ignore=["sick", "calls", "level", "tags"], **FAST)
    pred.append(plain.fit(frame).predict(frame[INPUTS]))
    for other in pred[1:]:
        pd.testing.assert_frame_equal(pred[0], other)


def test_no_verb_changes_the_callers_frame(table):
    frame = table.to_pandas()
    frame.index = pd.Index(np.arange(len(frame)) * 3, name="key")
    frame["colour"] = frame["colour"].astype("category")
    before = frame.copy(deep=True)
    model = Superpose(["weight", "sick"], ignore=["calls", "sort", "level", "tags"], **FAST)
    model.fit(frame)
    model.predict(frame, given="auto")
    model.predict_proba(frame)
    model.sample(frame, n=2)
    model.evaluate(frame)
    model.entanglement(frame, permutations=1)
    model.next_measurement(frame.head(3), want="weight", candidates=["sick"], draws=2)
    pd.testing.assert_frame_equal(frame, before)
    assert frame.index.equals(before.index)


# Labels that are no class of the model.


def test_a_given_label_that_is_no_class_is_refused(model, table):
    strange = replaced(table, sort=["a"] * 89 + ["bb"])
    for verb in ("predict", "predict_proba", "sample", "evaluate"):
        with pytest.raises(DataError, match="column 'sort', row 89: 'bb' given, which is no class"):
            getattr(model, verb)(strange, given=["sort"])


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet", "feather"])
def test_it_is_refused_from_a_file_as_from_a_frame(model, table, tmp_path, ending):
    strange = replaced(table, sort=["a"] * 89 + ["C "], level=[7] * 90).drop_columns("tags")
    write_table(strange, tmp_path / f"rows.{ending}")
    for source in (tmp_path / f"rows.{ending}", strange.to_pandas(), pl.from_arrow(strange)):
        with pytest.raises(DataError) as caught:
            model.predict(source, given=["sort", "level"])
        assert caught.value.faults[0].startswith("column 'sort', row 89: 'C ' given, which is no")
        assert caught.value.faults[0].endswith("did you mean 'c'?")
        assert caught.value.faults[1].startswith("column 'level', row 0: '7' given")
        assert "(90 such); allowed: 0, 1, 2, 3" in caught.value.faults[1]


def test_labels_that_are_no_class_count_as_wrong_and_are_warned_of(model, table):
    whole = table.filter(pc.and_(pc.is_valid(table["sort"]), pc.is_valid(table["sick"])))
    rows, before = whole.num_rows, model.evaluate(whole)
    strange = replaced(
        whole,
        sort=["zebra"] * 5 + whole["sort"].to_pylist()[5:],
        sick=["maybe"] * rows,
        tags=[["p", "zebra"]] * rows,
    )
    with pytest.warns(UserWarning, match=r"labels? that training did not have") as caught:
        after = model.evaluate(strange)
    messages = {str(one.message) for one in caught}
    assert (
        "column 'sort', row 0: 5 labels that training did not have ('zebra'); they count as "
        "wrong; mend them if they are misspelled"
    ) in messages
    assert len(messages) == 3
    right = model.evaluate(whole.slice(5))["sort"]
    share = 5 / rows
    assert after["sort"]["accuracy"] == pytest.approx((1 - share) * right["accuracy"])
    worst = -np.log(1e-6)
    assert after["sort"]["log_loss"] == pytest.approx(
        (1 - share) * right["log_loss"] + share * worst
    )
    assert after["sort"]["macro_auc"] == right["macro_auc"]
    assert after["sort"]["score"] < right["score"]
    assert after["sort"]["unknown_labels"] == 5
    assert (after["sick"]["accuracy"], after["sick"]["unknown_labels"]) == (0.0, rows)
    assert after["sick"]["score"] == pytest.approx(0.0)
    assert after["tags"]["micro_f1"] < 1
    assert after["tags"]["unknown_labels"] == rows
    assert after["weight"] == before["weight"]
    assert "unknown_labels" not in after["weight"]


# Rows that are not like those of the training.


@pytest.mark.parametrize(
    ("columns", "text"),
    [
        (
            {"colour": ["red"] * 80 + ["pink"] * 6 + [None] * 4},
            "column 'colour', row 80: 6 of 90 rows (7%) with values unlike those of training "
            "('pink'); check units and spelling",
        ),
        (
            {"width": [0.1] * 60 + [1e6] * 30},
            "column 'width', row 60: 30 of 90 rows (33%) with values unlike those of training "
            "(1000000.0)",
        ),
        (
            {"width": [None] * 90},
            "column 'width': none of 90 rows has a value, as training rows had",
        ),
    ],
)
def test_rows_unlike_those_of_training_are_warned_of_once_a_column(model, table, columns, text):
    with pytest.warns(UserWarning, match="rows") as caught:
        model.predict(replaced(table.select(INPUTS), **columns))
    assert len(caught) == 1
    assert text in str(caught[0].message)


def test_a_few_unlike_rows_are_not_warned_of(model, table):
    few = replaced(table.select(INPUTS), colour=["red"] * 87 + ["pink"] * 3)
    model.predict(few)


def test_evaluate_warns_of_a_target_without_labels():
    rows = pa.table(
        {"x": [0.5, 1.5, 2.5, 3.5] * 20, "y": [1.0, 2.5, 3.0, 4.5] * 20, "z": [0, 1] * 40}
    )
    fast = {"model": {"width": 8, "members": 1}, "training": {"epochs": 1}}
    model = Superpose(["y", "z"], references="none", **fast).fit(rows)
    with pytest.warns(UserWarning, match="labels: no row has a label of z; their metrics are not"):
        model.evaluate(rows.drop_columns(["z"]))


# Intervals and sets.


def test_each_target_has_its_interval_or_set_right_after_it(model, table, tmp_path):
    pred = model.predict(table.select(INPUTS))
    assert pred.column_names == [
        *("weight", "weight_low", "weight_high", "sick", "sick_set"),
        *("calls", "calls_low", "calls_high", "sort", "sort_set", "level", "level_set", "tags"),
    ]
    for target in ("sick", "sort", "level"):
        assert all(
            value in within
            for value, within in zip(
                pred[target].to_pylist(), pred[f"{target}_set"].to_pylist(), strict=True
            )
        )
    assert pc.all(pc.less_equal(pred["calls_low"], pred["calls"])).as_py()
    assert pc.all(pc.less_equal(pred["calls"], pred["calls_high"])).as_py()
    write_table(pred, tmp_path / "pred.csv")
    first = pyarrow.csv.read_csv(tmp_path / "pred.csv")["sort_set"][0].as_py()
    assert first.split(";") == pred["sort_set"][0].as_py()


def test_test_rows_say_how_many_labels_intervals_and_sets_hold(model, table):
    metrics = model.evaluate(table)
    for target, facts in metrics.items():
        assert ("coverage" in facts) == (target != "tags")
        assert ("set_size" in facts) == (target in ("sick", "sort", "level"))
        assert facts.get("coverage", 1) > 0.7
    assert 1 <= metrics["sort"]["set_size"] <= 3
    deployed = model.record.metrics["sick"]["deployed"]
    assert {"coverage", "set_size"} <= set(deployed)


def test_a_measured_value_stands_alone(model, table):
    given = ["sick", "calls", "sort", "level"]
    rows = table.slice(0, 20)
    pred = model.predict(rows, given)
    for target in ("sick", "sort", "level"):
        there = rows[target].is_valid().to_pylist()
        for value, within, known in zip(
            rows[target].to_pylist(), pred[f"{target}_set"].to_pylist(), there, strict=True
        ):
            assert not known or within == [value]
    for end in ("low", "high"):
        found = pc.if_else(rows["calls"].is_valid(), pred[f"calls_{end}"], None)
        assert found.to_pylist() == rows["calls"].to_pylist()
