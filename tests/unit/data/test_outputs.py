"""The columns that a model gives back are known before it is trained."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from superpose.config import Config
from superpose.data import Codec, require_own_columns
from superpose.data._outputs import output_columns
from superpose.data.schema._schema import ColumnSpec, Schema
from superpose.errors import DataError
from superpose.kinds import TARGET_KINDS

WORDS = pa.chunked_array([[["a", "b"], ["c"]]])
LABELS = {
    "number": ([1.0, 2.0, 4.0], {}),
    "count": ([1, 0, 3], {}),
    "binary": (["no", "yes", "no"], {}),
    "category": (["a", "b", "c"], {}),
    "ordinal": ([1, 2, 3], {}),
    "multilabel": ([["p"], ["q", "p"], []], {}),
    "survival": ([3.0, -2.0, 5.0], {}),
    "forecast": ([[1.0, 2.0], [2.0, 3.0], [0.0, 1.0]], {"ahead": [1, 2]}),
    "vector": ([[1.0, 2.0], [2.0, 3.0], [0.0, 1.0]], {}),
    "retrieval": (["a", "b", "c"], {}),
    "tokens": ([["O", "B-x"], ["O"], None], {"of": "words", "source": WORDS}),
    "mask": (["2x2 0*1 1*3", "2x2 0*2 1*2", None], {}),
    "map": ([[[1.0, 2.0], [3.0, 4.0]], [[1.0, 2.0], [3.0, 5.0]], None], {}),
    "boxes": (
        [[{"class": "a", "box": [0, 0, 0.5, 1]}], [{"class": "a", "box": [0.2, 0.1, 1, 1]}], []],
        {"grid": [4, 4]},
    ),
}


@pytest.fixture(params=LABELS)
def kind(request):
    values, options = LABELS[request.param]
    column = pa.chunked_array([pa.array(values)])
    fitted = TARGET_KINDS[request.param].fit("y", column, **options)
    return fitted, column


def test_no_rows_give_the_same_columns_as_some(kind):
    fitted, column = kind
    pred = fitted.distribution.point_mass(fitted.encode(column))
    some = {**fitted.decode(pred, None, np.ones(len(pred))), **fitted.decode_proba(pred)}
    none = output_columns(fitted)
    assert {n: a.type for n, a in none.items()} == {n: a.type for n, a in some.items()}
    assert {len(a) for a in none.values()} == {0}
    assert len(fitted.distribution.point_mass(fitted.distribution.missing(0))) == 0


def checked(targets: dict[str, list], **settings: object) -> None:
    """Checks the names of the outputs of category and number targets."""
    columns = {n: pa.array(v) for n, v in targets.items()}
    table = pa.table({"x": [0.0, 1.0, 2.0], **columns})
    specs = [
        ColumnSpec(n, "category" if pa.types.is_string(c.type) else "number")
        for n, c in columns.items()
    ]
    codec = Codec.fit(table, Schema([ColumnSpec("x", "number")], specs), np.arange(3))
    require_own_columns(codec, Config.from_arguments(targets=list(targets), **settings))


NUMBERS = [1.0, 2.0, 4.0]


@pytest.mark.parametrize(
    ("targets", "text"),
    [
        ({"y": NUMBERS, "y_low": NUMBERS}, "'y_low' is a column of the predictions of 'y_low', "),
        ({"y_scale": NUMBERS, "y": NUMBERS}, "and also of those of 'y_scale'; rename one of the"),
        ({"a": ["b", "c", "b"], "a=b": NUMBERS}, "targets[1]: 'a=b' is a column of the predic"),
        ({"row": NUMBERS, "x": NUMBERS}, "and also what `sample` numbers rows and draws by"),
        ({"draw": ["b", "c", "b"]}, "targets[0]: 'draw' is a column of the predictions of 'draw'"),
    ],
)
def test_two_outputs_of_one_name_are_found_before_training(targets, text):
    with pytest.raises(DataError) as caught:
        checked(targets)
    assert text in str(caught.value)


def test_all_names_that_two_outputs_have_are_gathered():
    with pytest.raises(DataError) as caught:
        checked({"y": NUMBERS, "y_low": NUMBERS, "y_high": NUMBERS, "row": NUMBERS})
    assert len(caught.value.faults) == 3


def test_what_tells_windows_apart_is_an_output_too():
    windows = {"group": "unit", "time": "y_low", "length": 2, "columns": ["x"]}
    with pytest.raises(DataError, match=r"'y_low' .* and also what tells windows apart"):
        checked({"y": NUMBERS}, windows=windows)


def test_inputs_may_have_the_name_of_an_output():
    checked({"y": NUMBERS, "z": ["b", "c", "b"]})


@pytest.mark.parametrize("name", ["category", "ordinal", "binary"])
@pytest.mark.parametrize(
    "values",
    [
        pa.array([2**64 - 1, 2**63 + 1, 2**64 - 1], pa.uint64()),
        pa.array([2**62, 5, 2**62], pa.uint64()),
        pa.array([2**62 + 1, 2**62, 2**62 + 1], pa.int64()),
        pa.array([1e19, 3.5, 1e19]),
    ],
)
def test_numbers_that_are_classes_come_back_as_they_were(name, values):
    column = pa.chunked_array([values])
    fitted = TARGET_KINDS[name].fit("y", column)
    assert (
        fitted.decode(fitted.distribution.point_mass(fitted.encode(column)))["y"].to_pylist()
        == values.to_pylist()
    )
    assert fitted.levels[0] == str(pc.min(values))


def test_classes_that_no_column_can_hold_are_refused_before_training():
    table = pa.table({"x": [0.0, 1.0, 2.0], "y": ["a", "b", "a"]})
    schema = Schema([ColumnSpec("x", "number")], [ColumnSpec("y", "category")])
    codec = Codec.fit(table, schema, np.arange(3))
    codec.target_kinds["y"].type = "int64"
    with pytest.raises(DataError, match="column 'y': its classes can't be written as predictions"):
        require_own_columns(codec, Config.from_arguments(targets=["y"]))
