"""Leakage: planted leaks are named, honest columns are left in peace."""

import numpy as np
import pyarrow as pa
import pytest

from superpose.data.schema._schema import ColumnSpec, Schema
from superpose.data.split._leakage import find_leaks
from superpose.data.split._splits import Split

ROWS = 1000


def parts(rows=ROWS):
    order = np.random.default_rng(9).permutation(rows)
    cut, end = int(rows * 0.7), int(rows * 0.85)
    return Split(*(np.sort(p) for p in np.split(order, [cut, end])), None, "")


def leaks(inputs, targets, extra=None):
    kinds = {**inputs, **targets}
    table = pa.table({name: values for name, (_, values) in kinds.items()} | (extra or {}))
    schema = Schema(
        [ColumnSpec(name, kind) for name, (kind, _) in inputs.items()],
        [ColumnSpec(name, kind) for name, (kind, _) in targets.items()],
    )
    return find_leaks(table, schema, parts(table.num_rows))


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_honest_inputs_are_left_in_peace(rng):
    y, c = rng.normal(size=ROWS), rng.integers(0, 2, ROWS)
    warnings = leaks(
        {
            "good": ("number", y + rng.normal(size=ROWS) * 0.3),
            "class": ("category", np.where(rng.random(ROWS) < 0.95, c, 1 - c).astype(str)),
            "number": ("category", np.arange(ROWS).astype(str)),
            "day": ("date", np.datetime64("2024-01-01", "s") + np.arange(ROWS)),
        },
        {"y": ("number", y), "c": ("binary", c)},
    )
    assert warnings == []


@pytest.mark.parametrize(
    "disguise",
    [
        lambda y: y * 9 / 5 + 32,
        lambda y: -np.exp(y),
        lambda y: np.exp(5 * y),
        lambda y: np.round(y, 2),
        lambda y: np.where(np.arange(len(y)) % 5 == 0, np.nan, y),
    ],
)
def test_a_number_in_other_units_is_named(rng, disguise):
    y = rng.normal(size=ROWS)
    warnings = leaks({"other": ("number", disguise(y))}, {"y": ("number", y)})
    assert len(warnings) == 1
    assert "input 'other' may be target 'y' in disguise: rank correlation" in warnings[0]


def test_a_number_that_folds_the_target_is_named_by_a_tree(rng):
    y = rng.uniform(0, 1, ROWS)
    other = np.where(y > 0.5, 10 - y, y)
    warnings = leaks({"other": ("number", other)}, {"y": ("number", y)})
    assert "of the variance" in warnings[0]


def test_classes_under_other_names_are_named(rng):
    c = rng.integers(0, 4, ROWS)
    warnings = leaks({"code": ("category", np.array(list("wxyz"))[c])}, {"c": ("category", c)})
    assert "input 'code' may be target 'c' in disguise: each of its values" in warnings[0]


def test_finer_classes_of_the_target_are_named(rng):
    c = (rng.random(ROWS) < 0.2).astype(int)
    fine = np.where(c == 1, rng.integers(0, 5, ROWS), rng.integers(5, 30, ROWS)).astype(str)
    assert "AUC of 1.0" in leaks({"fine": ("category", fine)}, {"c": ("binary", c)})[0]


def test_a_measured_class_is_named(rng):
    c = rng.integers(0, 2, ROWS)
    warnings = leaks({"x": ("number", c * 10 + rng.random(ROWS))}, {"c": ("binary", c)})
    assert "AUC of 1.0" in warnings[0]


def test_a_label_within_a_set_is_named(rng):
    flag = rng.integers(0, 2, ROWS)
    tags = [["a", "b"] if f else ["b"][: i % 2] for i, f in enumerate(flag)]
    warnings = leaks({"flag": ("category", flag)}, {"tags": ("multilabel", tags)})
    assert "target 'tags' (label" in warnings[0]


def test_a_long_tailed_target_is_recognised(rng):
    y = np.exp(4 * rng.normal(size=60))
    assert "rank correlation" in leaks({"x": ("number", np.log(y))}, {"y": ("number", y)})[0]


def test_small_tables_are_not_evaluated_by_chance():
    y = np.arange(20.0)
    assert leaks({"x": ("number", y)}, {"y": ("number", y)}) == []


def test_copies_of_rows_across_the_split_are_counted(rng):
    x, y = rng.normal(size=ROWS), rng.normal(size=ROWS)
    split = parts()
    for source, copy in zip(split.train[:10], split.test[:10], strict=True):
        x[copy], y[copy] = x[source], y[source]
    warnings = leaks({"x": ("number", x)}, {"y": ("number", y)})
    assert warnings[0].startswith(
        "10 of 150 test rows (6.7%) equal a training row in all of 'x', 'y'"
    )


def test_rows_with_other_labels_are_no_copies(rng):
    x = np.resize([1.0, 2.0], ROWS)
    assert leaks({"x": ("number", x)}, {"y": ("number", rng.normal(size=ROWS))}) == []


@pytest.mark.parametrize("name", ["patient_id", "subject", "User", "station_no", "household id"])
def test_groups_on_both_sides_are_named(rng, name):
    who = rng.integers(0, 50, ROWS)
    x, y = rng.normal(size=ROWS), rng.normal(size=ROWS)
    warnings = leaks({"x": ("number", x)}, {"y": ("number", y)}, {name: who})
    assert len(warnings) == 1
    assert f"column {name!r} looks like a group: 100% of the test rows" in warnings[0]


@pytest.mark.parametrize("name", ["width", "humid", "paid", "group_mean"])
def test_other_names_are_no_groups(rng, name):
    x, y = rng.normal(size=ROWS), rng.normal(size=ROWS)
    who = rng.integers(0, 50, ROWS)
    assert leaks({"x": ("number", x)}, {"y": ("number", y)}, {name: who}) == []


def test_a_unique_identifier_is_no_group(rng):
    x, y = rng.normal(size=ROWS), rng.normal(size=ROWS)
    assert leaks({"x": ("number", x)}, {"y": ("number", y)}, {"id": np.arange(ROWS)}) == []


def clustered(inputs, target, clusters):
    """Findings where the rows of a cluster depend on each other and stay in one part."""
    table = pa.table({**inputs, "y": target})
    schema = Schema([ColumnSpec(n, "number") for n in inputs], [ColumnSpec("y", "number")])
    part = clusters % 5
    rows = [np.flatnonzero(np.isin(part, of)) for of in ((0, 1, 2), (3,), (4,))]
    return find_leaks(table, schema, Split(*rows, clusters, ""))


def test_a_sensor_that_only_tells_the_group_is_not_blamed_for_its_target(rng):
    group = np.repeat(np.arange(60), 20)
    target, sensor = rng.normal(size=60)[group], rng.normal(size=60)[group]
    assert clustered({"sensor": sensor}, target, group) == []
    assert clustered({"sensor": sensor}, target, np.arange(1200))  # rows that stand alone


def test_a_counter_is_not_blamed_for_a_target_that_changes_slowly(rng):
    time = np.arange(3000.0)
    target = np.cumsum(rng.normal(size=100))[np.arange(3000) // 30]
    blocks = np.arange(3000) // 75
    assert clustered({"counter": time}, target, blocks) == []


def test_a_disguise_is_named_where_rows_come_in_groups_too(rng):
    group = np.repeat(np.arange(60), 20)
    target = rng.uniform(0, 1, 1200) + rng.normal(size=60)[group] / 10
    warnings = clustered({"copy": target * 2 + 1, "folded": np.abs(target - 0.5)}, target, group)
    assert [f.split(" may be")[0] for f in warnings] == ["input 'copy'"]
    folded = np.where(target > 0.5, 10 - target, target)
    assert "of the variance" in clustered({"folded": folded}, target, group)[0]


def test_many_targets_are_looked_at_together_as_one_by_one(rng):
    x = rng.normal(size=ROWS)
    targets = {f"y{k}": ("number", rng.normal(size=ROWS) + 3 * (k % 7 == 0) * x) for k in range(20)}
    targets["gaps"] = ("number", np.where(rng.random(ROWS) < 0.3, np.nan, x**3))
    targets["copy"] = ("number", 2 * x)
    targets["side"] = ("binary", (x > 0).astype(int))
    warnings = leaks({"x": ("number", x)}, targets)
    assert [f.split("'")[3] for f in warnings] == ["gaps", "copy", "side"]
