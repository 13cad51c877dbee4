"""Intervals and sets as kinds hand them out: columns beside the target, coverage, size."""

import numpy as np
import pyarrow as pa
import pytest

from superpose.columns import Column
from superpose.kinds import TARGET_KINDS, Beside, TargetKind

PRED = np.array([[0.6, 0.3, 0.1], [0.2, 0.3, 0.5], [0.4, 0.35, 0.25]])


def fitted(name: str, values: list[object], **options: object) -> TargetKind:
    return TARGET_KINDS[name].fit("y", column(values), **options)


def column(values: list[object]) -> Column:
    return pa.chunked_array([values])


@pytest.mark.parametrize(
    ("name", "levels"), [("category", ["a", "b", "c"]), ("ordinal", [1, 2, 30])]
)
def test_a_set_stands_after_its_target_and_has_its_type(name: str, levels: list[object]) -> None:
    kind = fitted(name, levels)
    columns = kind.decode(PRED, quantile=np.array([0.7, 0.6, 0.0]))
    assert list(columns) == ["y", "y_set"]
    a, b, c = levels
    assert columns["y_set"].to_pylist() == [[a, b], [c], [a]]
    assert columns["y_set"].type == pa.list_(columns["y"].type)
    assert list(kind.decode(PRED)) == ["y"]


def test_a_row_without_a_prediction_has_no_set() -> None:
    pred = np.vstack([PRED[:1], np.full((1, 3), np.nan)])
    columns = fitted("category", ["a", "b", "c"]).decode(pred, quantile=np.ones(2))
    assert columns["y_set"].to_pylist() == [["a", "b", "c"], None]


def test_the_class_that_a_threshold_decides_for_is_in_the_set() -> None:
    kind = fitted("binary", ["no", "yes"])
    pred = np.array([[0.8, 0.2], [0.95, 0.05]])
    columns = kind.decode(pred, 0.1, np.array([0.3, 0.3]))
    assert columns["y"].to_pylist() == ["yes", "no"]
    assert columns["y_set"].to_pylist() == [["no", "yes"], ["no"]]
    y = np.array([1.0, 1.0])
    metrics = kind.metrics(y, pred, quantile=np.array([0.3, 0.3]), threshold=0.1)
    assert (metrics["coverage"], metrics["set_size"]) == (0.5, 1.5)
    assert kind.metrics(y, pred, quantile=np.array([0.3, 0.3]))["coverage"] == 0


def test_counts_have_whole_ends_which_the_report_draws_too() -> None:
    kind = fitted("count", [0, 4, 9])
    pred = np.array([[4.0], [0.5]])
    columns = kind.decode(pred, quantile=np.array([1.2, 1.0]))
    assert {n: c.to_pylist() for n, c in columns.items()} == {
        "y": [4.0, 0.5],
        "y_low": [2, 0],
        "y_high": [6, 1],
    }
    assert pa.types.is_integer(columns["y_low"].type)
    facts = kind.plot(np.array([1.0, 0.0]), pred, Beside(pa.table({}), quantile=np.ones(2)))
    assert facts["interval"].tolist() == [[2, 6], [0, 1]]
    metrics = kind.metrics(np.array([1.0, 0.0]), pred, quantile=np.array([1.2, 1.0]))
    assert metrics["coverage"] == 0.5
    assert "set_size" not in metrics


def test_rows_without_a_label_count_neither_as_covered_nor_as_missed() -> None:
    kind = fitted("category", ["a", "b", "c"])
    y = np.array([1.0, np.nan, 2.0])
    metrics = kind.metrics(y, PRED, quantile=np.array([0.7, 0.6, 0.0]))
    assert (metrics["coverage"], metrics["set_size"]) == (0.5, 1.5)
    empty = kind.metrics(np.full(3, np.nan), PRED, quantile=np.ones(3))
    assert np.isnan([empty["coverage"], empty["set_size"]]).all()


def test_a_class_that_the_model_does_not_have_is_covered_by_no_set() -> None:
    kind = fitted("category", ["a", "b", "c"])
    values = column(["a", "d", None])
    with pytest.warns(UserWarning, match="did not occur in training"):
        y = kind.encode(values)
    metrics = kind.metrics_with(
        kind.unknown(values),
        values,
        y=y,
        pred=PRED,
        baseline=np.full(3, 1 / 3),
        quantile=np.ones(3),
    )
    assert metrics["coverage"] == 0.5


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("retrieval", ["tea", "milk", "tea"]),
        ("multilabel", [["a"], ["b"], []]),
        ("vector", [[1.0, 2.0], [2.0, 3.0], [0.0, 1.0]]),
        ("survival", [3.0, -2.0, 5.0]),
    ],
)
def test_what_has_neither_intervals_nor_sets_has_no_such_column(
    name: str, values: list[object]
) -> None:
    kind = fitted(name, values)
    y = kind.encode(column(values))
    pred = kind.distribution.point_mass(y)
    assert list(kind.decode(pred, None, np.ones(3))) == ["y"]
    assert "coverage" not in kind.metrics(y, pred, quantile=np.ones(3))
