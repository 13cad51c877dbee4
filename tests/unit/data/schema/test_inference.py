"""The schema of a table: declared kinds are kept, every fault of every column is found."""

from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from superpose.config import Config, load_config
from superpose.data.read._reading import read_table
from superpose.data.schema._columns import Columns
from superpose.data.schema._inference import infer_schema
from superpose.data.schema._schema import ColumnSpec, Schema
from superpose.data.schema._targets import TargetColumns
from superpose.errors import DataError, listing
from superpose.kinds import TARGET_KINDS

TABLE = pa.table(
    {
        "temp": [1.5, 2.5, 3.5, 4.5],
        "wind": ["N", "S", "N", "W"],
        "mixed": ["1", "x", "3", "?"],
        "void": pa.nulls(4),
        "same": [7, 7, 7, 7],
        "one": [None, None, 2.0, None],
        "twice": [2.0, None, 2.0, None],
        "day": ["2020-01-01", "2020-01-02", "2020-01-03", "2020-01-04"],
        "rain": [0.0, 0.5, 0.1, 2.5],
        "level": ["low", "high", "low", "mid"],
        "tags": ["a;b", "b", "c", "a;c"],
        "minus": [1, -1, 2, 3],
    }
)


def faults(table: pa.Table = TABLE, **arguments: Any) -> list[str]:
    """The faults of a table under some settings."""
    with pytest.raises(DataError) as caught:
        infer_schema(table, Config.from_arguments(**arguments))
    return list(caught.value.faults)


def kinds(specs: list[ColumnSpec]) -> dict[str, str]:
    """Kind of each column."""
    return {spec.name: spec.kind for spec in specs}


def test_auto_takes_every_useful_column_and_tells_the_others() -> None:
    config = Config.from_arguments(targets=["rain", "level"], ignore=["minus"])
    schema = infer_schema(TABLE, config)
    assert kinds(schema.targets) == {"rain": "number", "level": "category"}
    assert kinds(schema.inputs) == {
        "temp": "number",
        "wind": "category",
        "mixed": "category",
        "one": "number",
        "twice": "number",
        "day": "date",
        "tags": "category",
    }
    assert schema.ignored == {
        "minus": "named under ignore",
        "void": "no value in any row",
        "same": "the same value in every row (7)",
    }
    assert schema.warnings == [
        "column 'void' is not used: no value in any row",
        "column 'same' is not used: the same value in every row (7)",
    ]


def test_declared_kinds_options_and_weights_are_kept() -> None:
    config = Config.from_arguments(
        targets=[
            {"name": "level", "levels": ["low", "mid", "high"]},
            {"name": "rain", "kind": "number", "weight": 2.0},
            {"name": "tags", "kind": "multilabel"},
        ],
        inputs=["temp", {"name": "wind", "kind": "text"}],
    )
    schema = infer_schema(TABLE, config)
    assert kinds(schema.inputs) == {"temp": "number", "wind": "text"}
    level, rain, tags = schema.targets
    assert (level.kind, level.options) == ("ordinal", {"levels": ["low", "mid", "high"]})
    assert (level.reason, rain.reason, rain.weight) == ("levels given", "declared", 2.0)
    assert tags.kind == "multilabel"


@pytest.mark.parametrize(
    ("options", "values", "kind"),
    [
        ({"levels": ["lo", "hi"]}, ["lo", "hi", "lo"], "ordinal"),
        ({"levels": ["red"]}, [[{"class": "red", "box": [0.0, 0.0, 1.0, 1.0]}], [], []], "boxes"),
        ({"of": "words"}, ["O B-x", "O", "O"], "tokens"),
        ({"of": "words"}, ["1.npy", "2.npy", None], "map"),
    ],
)
def test_where_several_kinds_have_the_options_the_values_tell_the_kind(options, values, kind):
    table = pa.table({"y": values, "words": ["a b", "c", "d"]})
    config = Config.from_arguments(targets=[{"name": "y", **options}])
    columns = Columns(table, config)
    entry = columns.checks.entry(("targets", 0), config.targets[0])
    guessed = TargetColumns(columns).guess(entry)
    assert (guessed.kind, guessed.reason) == (kind, f"{next(iter(options))} given")


def test_where_values_tell_no_kind_the_candidates_are_named():
    table = pa.table({"y": [0.5, 1.5, 2.5], "x": [1.0, 2.0, 3.0]})
    assert faults(table, targets=[{"name": "y", "of": "x"}]) == [
        "targets[0]: of given without a kind, and its values don't tell one; allowed: tokens, "
        "mask, boxes, map; write `kind:` with the one that is meant"
    ]


def test_the_column_of_a_split_is_no_input_but_its_time_is() -> None:
    by_group = Config.from_arguments(targets="rain", split={"by": "group", "column": "wind"})
    by_time = Config.from_arguments(targets="rain", split={"by": "time", "column": "day"})
    assert infer_schema(TABLE, by_group).ignored["wind"] == "it tells the split"
    assert "day" in infer_schema(TABLE, by_time).input_names


def test_an_ordered_category_of_a_frame_is_ordinal() -> None:
    level = pd.Categorical(["mid", "lo", "hi", "lo"], ["lo", "mid", "hi"], ordered=True)
    table = read_table(pd.DataFrame({"x": [1.0, 2.0, 3.0, 4.5], "level": level}))
    (target,) = infer_schema(table, Config.from_arguments(targets="level")).targets
    assert (target.kind, target.options) == ("ordinal", {"levels": ["lo", "mid", "hi"]})
    assert target.reason == "an ordered category in the frame"


def test_a_column_that_seems_useless_is_used_when_named() -> None:
    table = pa.table({"row": list(range(30)), "y": [0.5, 1.5, 2.5] * 10})
    schema = infer_schema(table, Config.from_arguments(targets="y", inputs=["row"]))
    assert schema.inputs[0].reason == "named under inputs; whole numbers that only count the rows"
    with pytest.raises(DataError) as caught:
        infer_schema(table, Config.from_arguments(targets="y"))
    assert str(caught.value) == (
        "inputs: no input is left; not used: row (whole numbers that only count the rows); "
        "give a table with columns to predict from"
    )


COLUMNS = (
    "allowed: the columns temp, wind, mixed, void, same, one, twice, day, rain, level, tags, minus"
)
NAMES = listing(TARGET_KINDS)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"targets": "rian"},
            [f"targets[0]: column 'rian' is not in the table; {COLUMNS}; did you mean 'rain'?"]),
        ({"targets": "rain", "ignore": ["Wnd"], "split": {"by": "time", "column": "date"},
          "inputs": ["zzz"]},
            [f"ignore[0]: column 'Wnd' is not in the table; {COLUMNS}; did you mean 'wind'?",
             f"split.column: column 'date' is not in the table; {COLUMNS}",
             f"inputs[0]: column 'zzz' is not in the table; {COLUMNS}"]),
        ({"targets": ["void", "one", "twice", "same"]},
            ["targets[0]: target 'void': no row has a label; allowed: at least 2 labelled rows; "
             "take it out, or give more labels",
             "targets[1]: target 'one': only one row has a label; allowed: at least 2 labelled "
             "rows; take it out, or give more labels",
             "targets[2]: target 'twice' is constant: every labelled row is 2.0; allowed: at least "
             "2 different labels; take it out, or give rows with another label",
             "targets[3]: target 'same' is constant: every labelled row is 7; allowed: at least "
             "2 different labels; take it out, or give rows with another label"]),
        ({"targets": "day"},
            ["targets[0]: column 'day' can't be a target (dates); "
             f"allowed: {NAMES}; choose another target, or set its `kind:`"]),
    ],
)  # fmt: skip
def test_every_fault_of_the_columns_is_named(arguments: dict, expected: list[str]) -> None:
    assert faults(**arguments) == expected


def test_a_column_of_lists_is_no_category() -> None:
    table = pa.table({"x": [["a"], ["b"]], "y": [{"a": 1}, {"a": 2}], "z": [0, 1]})
    assert faults(table, targets={"y": "category", "z": "binary"}, inputs={"x": "category"}) == [
        "targets[0]: column 'y' holds struct<a: int64>, which its kind can't read; "
        "declare another kind, or put it under ignore",
        "inputs[0]: column 'x' holds list<item: string>, which its kind can't read; "
        "declare another kind, or put it under ignore",
    ]
    assert faults(table, targets="y", inputs=["z"]) == [
        "targets[0]: column 'y' can't be a target (values of type struct<a: int64> can't be used); "
        f"allowed: {NAMES}; choose another target, or set its `kind:`"
    ]


@pytest.mark.parametrize(
    ("arguments", "start"),
    [
        ({"targets": "rain", "inputs": {"mixed": "number"}},
            "inputs[0]: column 'mixed', row 1: 'x' is not a number"),
        ({"targets": {"mixed": "number"}},
            "targets[0]: column 'mixed', row 1: 'x' is not a number"),
        ({"targets": "rain", "inputs": {"wind": "date"}}, "inputs[0]: column 'wind', row 0: 'N'"),
        ({"targets": {"minus": "count"}}, "targets[0]: target 'minus', row 1: -1"),
        ({"targets": {"level": "binary"}}, "targets[0]: target 'level': 3 classes"),
        ({"targets": {"level": "ordinal"}},
            "targets[0]: target 'level': ordinal, but the order of"),
        ({"targets": [{"name": "level", "levels": ["low", "high"]}]},
            "targets[0]: target 'level', row 3: 'mid' is not among the levels"),
    ],
)  # fmt: skip
def test_a_value_that_is_not_of_the_declared_kind_is_named(arguments: dict, start: str) -> None:
    (fault,) = faults(**arguments)
    assert fault.startswith(start)


def test_words_for_missing_pass_where_numbers_are_declared() -> None:
    table = pa.table({"x": ["1", "?", "3"], "y": ["1.5", "n/a", "2"]})
    config = Config.from_arguments(targets={"y": "number"}, inputs={"x": "number"})
    schema = infer_schema(table, config)
    assert schema.inputs[0].values(table).to_pylist() == ["1", None, "3"]
    assert schema.targets[0].values(table).to_pylist() == ["1.5", None, "2"]
    assert schema.conversions == [
        "column 'y': 1 cell read as missing (1 'n/a')",
        "column 'x': 1 cell read as missing (1 '?')",
    ]


def test_words_among_guessed_numbers_are_named() -> None:
    table = pa.table({"x": [*map(str, range(1, 40)), "oops"] * 2, "y": [0.5, 1.5] * 40})
    schema = infer_schema(table, Config.from_arguments(targets="y"))
    assert schema.warnings == ["column 'x': 2 values are no numbers and count as missing: 'oops'"]


def test_a_million_categories_are_refused_as_input_and_as_target() -> None:
    names = pc.binary_join_element_wise("level", pa.array(range(1_000_000)).cast(pa.string()), "")
    table = pa.table({"x": names, "y": names})
    target, column = faults(table, targets={"y": "category"}, inputs={"x": "category"})
    assert target.startswith("targets[0]: target 'y': 1000000 different classes; at most 1000 can")
    assert column == (
        "inputs[0].kind: column 'x' has 1000000 different values; allowed: at most 100000 for a "
        "category; write `kind: text` or `kind: number`, or put it under ignore"
    )


def test_a_target_of_identifiers_is_refused() -> None:
    table = pa.table({"x": [0.5, 1.5] * 20, "y": [f"level{n:02d}" for n in range(40)]})
    assert faults(table, targets="y") == [
        "targets[0]: column 'y' can't be a target (different words in nearly every row, as "
        f"identifiers are); allowed: {NAMES}; choose another target, or set its `kind:`"
    ]


def test_faults_name_the_line_of_the_settings(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text("inputs: [temp]\ntargets:\n  - rain\n  - rian\n")
    with pytest.raises(DataError, match=r"s.yaml:4: targets\[1\]: column 'rian' is not in"):
        infer_schema(TABLE, load_config(path))


def test_a_column_that_is_gone_is_named_with_its_neighbour() -> None:
    with pytest.raises(DataError) as caught:
        ColumnSpec("tmp", "number").values(TABLE)
    assert str(caught.value) == "column 'tmp': not in the table; did you mean 'temp'?"
    with pytest.raises(DataError, match="column 'zz': not in the table; its columns are x"):
        ColumnSpec("zz", "number").values(pa.table({"x": [1]}))


def test_a_schema_survives_its_state() -> None:
    schema = Schema(
        [ColumnSpec("x", "number", {}, "numbers", missing=("?",))],
        [ColumnSpec("y", "ordinal", {"levels": ["a", "b"]}, "declared", 2.0)],
        {"id": "why"},
        ["careful"],
    )
    assert Schema.from_state(schema.state()) == schema
    assert (schema.input_names, schema.target_names) == (["x"], ["y"])


def test_sentinels_are_warned_of_among_labels_and_among_numbers_with_units() -> None:
    share = [*(f"{20 + i % 30}%" for i in range(58)), "9999%", "9999%"]
    y = [*(float(i % 17) + 0.25 for i in range(58)), -999.0, -999.0]
    table = pa.table({"x": [i % 13 + 0.5 for i in range(60)], "share": share, "y": y})
    warnings = infer_schema(table, Config.from_arguments(targets="y")).warnings
    assert any("target 'y': 2 values are -999" in warning for warning in warnings)
    assert any("input 'share': 2 values are 9999" in warning for warning in warnings)


def test_a_large_number_can_stand_for_a_missing_one() -> None:
    table = pa.table({"x": [*map(float, range(30)), 1e16], "y": [0.5, 1.5, *[2.5] * 29]})
    inputs = [{"name": "x", "missing": [1e16]}]
    schema = infer_schema(table, Config.from_arguments(targets="y", inputs=inputs))
    assert schema.inputs[0].values(table).null_count == 1
