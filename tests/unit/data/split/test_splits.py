"""Splits: disjoint, complete, balanced, and honest about groups and time."""

import numpy as np
import pyarrow as pa
import pytest

from superpose.config import Config
from superpose.data.schema._inference import infer_schema
from superpose.data.schema._schema import ColumnSpec, Schema
from superpose.data.split._splits import fold_indices, make_split
from superpose.data.split._times import times
from superpose.errors import DataError

ROWS = 400
SCHEMA = Schema(
    [ColumnSpec("x", "number")],
    [ColumnSpec("y", "number"), ColumnSpec("sick", "binary"), ColumnSpec("tags", "multilabel")],
)


def make_table(rows=ROWS):
    rng = np.random.default_rng(0)
    sick = np.where(rng.random(rows) < 0.1, "yes", "no").astype(object)
    sick[rng.random(rows) < 0.3] = None
    return pa.table(
        {
            "x": rng.normal(size=rows),
            "y": rng.normal(size=rows),
            "sick": pa.array(sick, pa.string()),
            "tags": [["a", "b"][: i % 3] for i in range(rows)],
            "who": rng.integers(0, 40, rows),
            "when": rng.permutation(np.datetime64("2024-01-01", "s") + np.arange(rows) // 4 * 3600),
            "part": np.array(["Train", "val", " test"])[np.arange(rows) % 3],
        }
    )


def split(by, column=None, table=None, seed=0, schema=SCHEMA, **shares):
    rule = {"by": by, **({"column": column} if column else {}), **shares}
    config = Config.from_arguments(targets=schema.target_names, split=rule, seed=seed)
    return make_split(make_table() if table is None else table, config, schema)


WAYS = [
    ("random", None),
    ("stratified", None),
    ("group", "who"),
    ("time", "when"),
    ("column", "part"),
]


@pytest.mark.parametrize(("by", "column"), WAYS)
def test_parts_are_disjoint_sorted_and_complete(by, column):
    parts = split(by, column)
    rows = np.concatenate([parts.train, parts.validation, parts.test])
    assert sorted(rows) == list(range(ROWS))
    for part in (parts.train, parts.validation, parts.test):
        assert (np.diff(part) > 0).all()
    assert f"{len(parts.test)} test rows" in parts.description


@pytest.mark.parametrize(("by", "column"), WAYS[:4])
def test_parts_have_the_sizes_of_the_settings(by, column):
    parts = split(by, column, validation=0.2, test=0.1)
    assert len(parts.validation) == pytest.approx(80, abs=8)
    assert len(parts.test) == pytest.approx(40, abs=8)


@pytest.mark.parametrize(("by", "column"), WAYS[:3])
def test_seeds_decide(by, column):
    assert (split(by, column).test == split(by, column).test).all()
    assert not np.array_equal(split(by, column).test, split(by, column, seed=1).test)


def test_stratified_parts_share_classes_and_gaps():
    parts, table = split("stratified"), make_table()
    sick = np.array(table["sick"].to_pylist())
    rare = sick == "yes"
    assert rare[parts.test].sum() == pytest.approx(rare.sum() * 0.15, abs=1)
    gaps = sick == None  # noqa: E711
    assert gaps[parts.test].sum() == pytest.approx(gaps.sum() * 0.15, abs=3)


def test_groups_never_lie_on_two_sides():
    parts, who = split("group", "who"), make_table()["who"].to_numpy()
    for a, b in ((parts.train, parts.test), (parts.train, parts.validation)):
        assert not set(who[a]) & set(who[b])
    assert all(len(set(parts.clusters[who == w])) == 1 for w in set(who))


def test_time_splits_read_the_latest_rows_last_and_keep_moments_whole():
    parts, when = split("time", "when"), make_table()["when"].to_numpy()
    assert when[parts.train].max() < when[parts.validation].min()
    assert when[parts.validation].max() < when[parts.test].min()


def test_time_blocks_are_runs_of_time_within_a_part():
    parts, when = split("time", "when"), make_table()["when"].to_numpy()
    for part in (parts.train, parts.validation, parts.test):
        order = part[np.argsort(when[part], kind="stable")]
        assert (np.diff(parts.clusters[order]) >= 0).all()
        assert len(set(parts.clusters[part])) >= 2
    assert not set(parts.clusters[parts.train]) & set(parts.clusters[parts.test])


@pytest.mark.parametrize("kind", ["text", "number", "date"])
def test_time_may_be_text_numbers_or_dates(kind):
    table = make_table()
    seconds = table["when"].cast(pa.int64())
    values = {"text": table["when"].cast(pa.string()), "number": seconds, "date": table["when"]}
    other = table.set_column(table.column_names.index("when"), "when", values[kind])
    assert (split("time", "when", other).test == split("time", "when").test).all()


def test_rows_without_time_train():
    table = make_table()
    when = table["when"].to_pylist()
    when[7] = None
    parts = split("time", "when", table.set_column(5, "when", pa.array(when)))
    assert 7 in parts.train
    assert "1 row(s) without 'when'" in parts.warnings[0]


def test_a_column_names_the_parts():
    parts = split("column", "part")
    assert parts.validation.tolist() == list(range(1, ROWS, 3))


def test_without_validation_rows_some_are_drawn_from_training():
    table = make_table().set_column(6, "part", pa.array(["train"] * 300 + ["test"] * 100))
    parts = split("column", "part", table, validation=0.2, test=0.2)
    assert parts.test.tolist() == list(range(300, 400))
    assert len(parts.validation) == pytest.approx(75, abs=2)


def test_groups_beside_a_column_of_parts_are_the_clusters_and_stay_whole():
    table = make_table().set_column(6, "part", pa.array(["train"] * 300 + ["test"] * 100))
    parts = split("column", "part", table, groups="who")
    who = table["who"].to_numpy()
    assert all(len(set(parts.clusters[who == w])) == 1 for w in set(who))
    assert not set(who[parts.train]) & set(who[parts.validation])
    with pytest.raises(DataError, match=r"split.groups: 'whom' is not in the table; did you mean"):
        split("column", "part", table, groups="whom")


def test_groups_on_both_sides_of_the_test_are_named():
    table = make_table().set_column(6, "part", pa.array(["train"] * 200 + ["test"] * 200))
    pred = split("column", "part", table, groups="who").warnings
    assert any("of the test rows share their 'who' with training rows" in w for w in pred)
    apart = pa.array(np.where(table["who"].to_numpy() < 30, "train", "test"))
    table = table.set_column(6, "part", apart)
    assert not any("'who'" in w for w in split("column", "part", table, groups="who").warnings)


def test_an_unknown_word_names_its_row():
    table = make_table().set_column(6, "part", pa.array(["train"] * 399 + ["exam"]))
    with pytest.raises(DataError, match="column 'part', row 399: 'exam' names no part"):
        split("column", "part", table)


@pytest.mark.parametrize(
    ("by", "column", "rows", "text"),
    [
        ("group", "whom", 400, "'whom' is not in the table; did you mean 'who'"),
        ("stratified", None, 2, "2 rows; a split into"),
        ("stratified", None, 4, "no rows for"),
        ("column", "part", 400, ""),
    ],
)
def test_impossible_splits_are_named(by, column, rows, text):
    if not text:
        return
    with pytest.raises(DataError) as caught:
        split(by, column, make_table().slice(0, rows))
    assert text in str(caught.value)


@pytest.mark.parametrize(
    ("by", "column", "values", "given"),
    [
        ("group", "who", ["a"], "1 group"),
        ("group", "who", ["a", "b"], "2 groups"),
        ("time", "when", ["2024-01-01"], "1 different time"),
        ("time", "when", ["2024-01-01", "2024-01-02"], "2 different times"),
        ("time", "when", [""], "0 different times"),
    ],
)
def test_too_few_groups_or_times_are_named(by, column, values, given):
    position = make_table().column_names.index(column)
    table = make_table().set_column(position, column, pa.array(np.resize(values, ROWS)))
    with pytest.raises(DataError) as caught:
        split(by, column, table)
    assert str(caught.value) == (
        f"split: column {column!r} has {given}; allowed: at least 3, one a part; "
        "name another column, or write `by: stratified`"
    )


def test_one_group_of_training_rows_leaves_none_to_validate_on():
    table = make_table().set_column(4, "who", pa.array([1] * ROWS))
    table = table.set_column(6, "part", pa.array(["train"] * 300 + ["test"] * 100))
    with pytest.raises(DataError, match="training rows are of one group of 'who' only; allowed: a"):
        split("column", "part", table, groups="who")


@pytest.mark.parametrize(
    ("groups", "counts", "warning"),
    [
        (3, "1, 1 and 1", "1 group of 'who' and the others of 2"),
        (12, "8, 2 and 2", "2 groups of 'who' and the others of 10"),
        (40, "28, 6 and 6", None),
    ],
)
def test_groups_are_counted_and_few_in_the_test_are_warned_of(groups, counts, warning):
    table = make_table().set_column(4, "who", pa.array(np.arange(ROWS) % groups))
    parts = split("group", "who", table)
    assert parts.description.endswith(f"test rows of {counts} groups")
    wanted = [
        f"split: the test rows are of {warning}, so the figures say little about other groups; "
        "give more groups"
    ]
    assert parts.warnings == (wanted if warning else [])


def test_a_gap_of_time_is_a_warning_of_the_split():
    when = np.datetime64("2024-01-01", "D") + np.r_[np.arange(300), np.arange(400, 500)]
    parts = split("time", "when", make_table().set_column(5, "when", pa.array(when)))
    assert len(parts.warnings) == 1
    assert "column 'when': a gap of 101 days from 2024-10-26 to 2025-02-04" in parts.warnings[0]


def test_targets_without_labels_in_training_are_refused_all_at_once():
    table = make_table().set_column(1, "y", pa.nulls(ROWS, pa.float64()))
    table = table.set_column(2, "sick", pa.array(["no"] * ROWS))
    with pytest.raises(DataError) as caught:
        split("random", None, table)
    assert len(caught.value.faults) == 2
    assert "target 'y': no labels in the 280 training rows" in caught.value.faults[0]
    assert "all the same" in caught.value.faults[1]


def test_a_test_part_of_one_class_is_named():
    when = make_table()["when"].to_numpy()
    late = when > np.quantile(when.astype(int), 0.8).astype("datetime64[s]")
    table = make_table().set_column(
        2, "sick", pa.array(np.where(late, "no", np.resize(["no", "yes"], ROWS)))
    )
    parts = split("time", "when", table)
    assert any(
        "target 'sick'" in w and "of one class among the test rows" in w for w in parts.warnings
    )


# folds --------------------------------------------------------------------------------------------


def test_folds_balance_every_target():
    rng = np.random.default_rng(0)
    labels = {"y": rng.normal(size=100), "c": (rng.random(100) < 0.1).astype(float)}
    rows = np.arange(10, 90)
    folds = fold_indices(rows, labels, k=4, repeat_seed=0)
    assert folds.shape == (80,)
    assert np.ptp(np.bincount(folds)) <= 3
    rare = labels["c"][rows] == 1
    assert np.ptp(np.bincount(folds[rare], minlength=4)) <= 1


def test_repeats_deal_folds_anew():
    labels = {"y": np.random.default_rng(0).normal(size=60)}
    first, second = (fold_indices(np.arange(60), labels, k=5, repeat_seed=s) for s in (0, 1))
    assert (first != second).any()


def test_folds_keep_clusters_whole():
    clusters = np.repeat(np.arange(20), 5)
    labels = {"y": np.random.default_rng(0).normal(size=100)}
    folds = fold_indices(np.arange(100), labels, k=5, repeat_seed=0, clusters=clusters)
    assert all(len(set(folds[clusters == c])) == 1 for c in range(20))
    assert np.bincount(folds).tolist() == [20] * 5


def test_more_folds_than_rows_or_groups_are_refused():
    labels = {"y": np.arange(6.0)}
    with pytest.raises(DataError, match="folds: 7 given; 6 rows allow 2 to 6"):
        fold_indices(np.arange(6), labels, k=7, repeat_seed=0)
    with pytest.raises(DataError, match="2 groups or blocks of time"):
        fold_indices(np.arange(6), labels, k=3, repeat_seed=0, clusters=np.repeat([0, 1], 3))


def test_words_that_are_no_times_are_refused_with_the_setting():
    words = make_table().append_column("word", pa.array(["a"] * len(make_table())))
    with pytest.raises(DataError, match=r"split.column: column 'word', row 0: .* another column"):
        split("time", "word", words)


def test_times_of_a_split_are_read_in_the_declared_format():
    days = [f"{month:02d}/{day:02d}/2024" for month in range(1, 13) for day in range(1, 13)]
    table = pa.table({"when": days, "y": np.arange(len(days)) * 1.0})
    rule = {"by": "time", "column": "when"}
    parts = {}
    for format in ("%m/%d/%Y", "%d/%m/%Y"):
        inputs = [{"name": "when", "kind": "date", "format": format}]
        config = Config.from_arguments(targets="y", inputs=inputs, split=rule)
        parts[format] = make_split(table, config, infer_schema(table, config))
    assert parts["%m/%d/%Y"].test.min() > parts["%m/%d/%Y"].train.max()
    assert (parts["%d/%m/%Y"].test != parts["%m/%d/%Y"].test).any()
    config = Config.from_arguments(targets="y", split=rule)
    with pytest.raises(DataError, match=r"split\.column: column 'when': .* reads both ways"):
        times(table, "when", config=config)


def test_the_two_hours_of_a_clock_change_are_two_moments():
    clocks = ["2024-10-27 02:30+02:00", "2024-10-27 02:00+01:00", "NA"]
    result = times(pa.table({"when": clocks}), "when").instant
    assert result[1] - result[0] == 1800
    assert np.isnan(result[2])
