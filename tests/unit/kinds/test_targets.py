"""Target kinds: labels in, losses, canonical predictions, and the user's values out."""

import json

import numpy as np
import pyarrow as pa
import pytest
import torch

from superpose.errors import DataError
from superpose.kinds import INPUT_KINDS, TARGET_KINDS
from superpose.nn import head_of

NAN = float("nan")


def col(values, kind=None):
    return pa.chunked_array([pa.array(values, kind)])


def fit(kind, values, **options):
    return TARGET_KINDS[kind].fit("y", col(values), **options)


SAMPLES = {
    "number": [1e6, 3e6, None, -2e6, 5e6],
    "binary": ["no", "yes", None, "yes", "no"],
    "category": ["a", "b", None, "c", "a"],
    "ordinal": [1, 3, None, 2, 1],
    "multilabel": [["a", "b"], [], None, ["c"], ["a"]],
    "count": [0, 4, None, 900, 12],
    "tokens": [["O", "B-a", "I-a"], ["O"], None, ["B-b", None], ["O", "O"]],
}
samples = pytest.mark.parametrize(("kind", "values"), SAMPLES.items(), ids=SAMPLES)


def raw_size(kind):
    """Raw outputs of a row: of all of its locations where each has an answer."""
    return head_of(kind).n_outputs * (kind.locations.count if kind.locations else 1)


@samples
def test_every_kind_survives_json(kind, values):
    fitted = fit(kind, values)
    again = type(fitted).from_state(json.loads(json.dumps(fitted.state())))
    assert again == fitted
    assert fitted.describe()


@samples
def test_every_kind_turns_raw_outputs_into_canonical_predictions(kind, values):
    fitted = fit(kind, values)
    y = torch.as_tensor(fitted.encode(col(values)))
    for lead in ((5,), (5, 3)):
        out = torch.randn(*lead, raw_size(fitted))
        assert head_of(fitted).link(out).shape == (*lead, fitted.distribution.n_columns)
    out = torch.randn(5, raw_size(fitted), requires_grad=True)
    cost = head_of(fitted).loss(out, y)
    cost.sum().backward()
    assert cost[2] == 0
    assert (out.grad[2] == 0).all()
    assert torch.isfinite(out.grad).all()


@samples
def test_every_kind_starts_with_a_loss_of_about_one(kind, values):
    fitted = fit(kind, values)
    y = torch.as_tensor(fitted.encode(col(values)))
    assert float(head_of(fitted).loss(torch.zeros(5, raw_size(fitted)), y).max()) < 10


@samples
def test_certain_predictions_score_one_and_the_constant_zero(kind, values):
    fitted = fit(kind, values)
    y = fitted.encode(col(values))
    assert fitted.metrics(y, fitted.distribution.point_mass(y))["score"] == pytest.approx(
        1, abs=1e-4
    )
    constant = np.broadcast_to(fitted.distribution.baseline(y), (5, fitted.distribution.n_columns))
    assert fitted.metrics(y, constant)["score"] == pytest.approx(0, abs=1e-9)


@samples
def test_row_loss_is_missing_where_the_label_is(kind, values):
    fitted = fit(kind, values)
    y = fitted.encode(col(values))
    loss = fitted.distribution.row_loss(
        y, np.broadcast_to(fitted.distribution.baseline(y), (5, fitted.distribution.n_columns))
    )
    assert loss.shape == (5,)
    assert np.isnan(loss).tolist() == [False, False, True, False, False]


@samples
def test_the_constant_is_the_best_of_all_constants(kind, values):
    fitted = fit(kind, values)
    y = fitted.encode(col(values))
    best = fitted.distribution.baseline(y)
    loss = np.nanmean(
        fitted.distribution.row_loss(y, np.broadcast_to(best, (5, fitted.distribution.n_columns)))
    )
    rng = np.random.default_rng(0)
    for _ in range(20):
        if kind in ("binary", "category", "ordinal", "tokens"):
            # A constant of the labels of words is the same for every word.
            shares = best[: len(fitted.labels)] * rng.uniform(0.8, 1.2, len(fitted.labels))
            other = np.tile(shares / shares.sum(), fitted.distribution.n_columns // len(shares))
        else:
            other = np.abs(best * rng.uniform(0.8, 1.2, best.shape))
        other = np.broadcast_to(
            np.minimum(other, 1) if kind == "multilabel" else other,
            (5, fitted.distribution.n_columns),
        )
        assert np.nanmean(fitted.distribution.row_loss(y, other)) >= loss - 1e-12


@samples
def test_metrics_without_any_label_are_nan(kind, values):
    fitted = fit(kind, values)
    y = fitted.encode(col([None, None], pa.null()))
    assert np.isnan(y).all()
    metrics = fitted.metrics(y, fitted.distribution.point_mass(y))
    assert fitted.metric in metrics
    assert all(np.isnan(v) for v in metrics.values())


@samples
def test_metrics_of_one_row_raise_nothing(kind, values):
    fitted = fit(kind, values)
    y = fitted.encode(col(values))[:1]
    assert "score" in fitted.metrics(y, fitted.distribution.point_mass(y))


@samples
def test_main_metric_is_reported(kind, values):
    fitted = fit(kind, values)
    y = fitted.encode(col(values))
    assert fitted.metric in fitted.metrics(y, fitted.distribution.point_mass(y))


@samples
def test_probabilities_name_their_class(kind, values):
    fitted = fit(kind, values)
    y = fitted.encode(col(values))
    columns = fitted.decode_proba(fitted.distribution.point_mass(y))
    if fitted.labels:
        assert list(columns) == [f"y={label}" for label in fitted.labels]
    assert all(len(c) == 5 for c in columns.values())


@samples
def test_fewer_than_two_labels_are_refused(kind, values):
    with pytest.raises(DataError, match="target 'y': 1 labelled training row;"):
        fit(kind, [values[0], None])


# numbers ------------------------------------------------------------------------------------------


def test_number_metrics_are_in_the_users_units():
    kind = fit("number", [0.0, 10.0, 20.0])
    y = kind.encode(col([0.0, 10.0, 20.0]))
    pred = np.stack([y + 1 / kind.scale, np.ones(3)], axis=1)
    metrics = kind.metrics(y, pred, quantile=np.array([2.0, 0.5, 2.0]) / kind.scale)
    assert metrics["rmse"] == pytest.approx(1, rel=1e-5)
    assert metrics["mae"] == pytest.approx(1, rel=1e-5)
    assert metrics["r2"] == pytest.approx(1 - 3 / 200, rel=1e-5)
    assert metrics["coverage"] == pytest.approx(2 / 3)


def test_number_decodes_with_interval():
    kind = fit("number", [0.0, 10.0, 20.0])
    columns = kind.decode(np.array([[0.0, 1.0]]), quantile=np.array([1.0]))
    assert columns["y"].to_pylist() == [10.0]
    assert columns["y_high"][0].as_py() - columns["y_low"][0].as_py() == pytest.approx(
        2 * kind.scale
    )


def test_a_constant_number_is_standardised_safely():
    kind = fit("number", [5.0, 5.0])
    assert kind.scale == 1
    assert kind.encode(col([5.0, 6.0])).tolist() == [0, 1]
    assert kind.constant_reason == "every labelled training row is 5"


def test_infinite_labels_count_as_missing():
    kind = fit("number", [1.0, 2.0, float("inf")])
    with pytest.warns(UserWarning, match=r"row 1: 2 infinite value\(s\) count as missing"):
        assert np.isnan(kind.encode(col([1.0, float("-inf"), float("inf")]))[1:]).all()


# classes ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "positive"),
    [
        ([0, 1], "1"),
        ([-1, 1], "1"),
        ([2, 10], "10"),
        ([True, False], "true"),
        (["yes", "no"], "yes"),
        ([0.0, 1.0, None], "1"),
    ],
)
def test_the_positive_class_is_the_later_one(values, positive):
    assert fit("binary", values).labels[1] == positive


def test_the_positive_class_can_be_named():
    kind = fit("binary", ["ill", "well", "well"], positive="ill")
    assert kind.labels == ["well", "ill"]
    assert kind.counts == [2, 1]
    with pytest.raises(DataError, match="positive: 'sick' given; allowed: ill, well"):
        fit("binary", ["ill", "well"], positive="sick")


def test_labels_come_back_in_their_type():
    for values, kind in (
        ([0, 1], pa.int64()),
        ([True, False], pa.bool_()),
        (["a", "b"], pa.string()),
        ([0.5, 1.5], pa.float64()),
    ):
        fitted = fit("binary", values)
        column = fitted.decode(fitted.distribution.point_mass(fitted.encode(col(values))))["y"]
        assert column.type == kind
        assert column.to_pylist() == values


def test_binary_threshold_decides():
    kind = fit("binary", ["no", "yes"])
    pred = np.array([[0.7, 0.3], [0.9, 0.1]])
    assert kind.decode(pred)["y"].to_pylist() == ["no", "no"]
    assert kind.decode(pred, threshold=0.2)["y"].to_pylist() == ["yes", "no"]
    y = np.array([1.0, 0.0])
    assert kind.metrics(y, pred)["f1"] == 0
    assert kind.metrics(y, pred, threshold=0.2)["f1"] == 1


@pytest.mark.parametrize(
    ("kind", "values", "text"),
    [
        ("binary", ["a", "b", "c"], "3 classes"),
        ("binary", ["a", "a"], "needs both classes"),
        ("ordinal", ["low", "high"], "give levels"),
        ("ordinal", ["low", "low"], "needs two levels"),
        ("count", [1, -2], "row 1: -2 is no count"),
        ("count", [1, 2.5], "row 1: 2.5 is no count"),
        ("category", [str(i) for i in range(1001)], "1001 different classes"),
        ("ordinal", list(range(101)), "declare it as kind number"),
        ("multilabel", [[], []], "0 different labels"),
        ("number", ["1", "x"], "row 1: 'x' is not a number"),
    ],
)
def test_wrong_targets_are_named_in_one_sentence(kind, values, text):
    with pytest.raises(DataError, match=r"(target|column) 'y'") as caught:
        fit(kind, values)
    assert text in str(caught.value)


def test_ordinal_levels_keep_the_declared_order():
    kind = fit("ordinal", ["low", "high"], levels=["low", "medium", "high"])
    assert kind.encode(col(["high", "medium"])).tolist() == [2, 1]
    with pytest.raises(DataError, match="row 1: 'huge' is not among the levels"):
        fit("ordinal", ["low", "huge"], levels=["low", "high"])
    with pytest.raises(DataError, match="each once"):
        fit("ordinal", ["low", "high"], levels=["low", "low"])


def test_ordinal_numbers_are_ordered_by_size():
    assert fit("ordinal", [10, 9, 2]).labels == ["2", "9", "10"]


def test_ordered_dictionaries_carry_their_order():
    values = pa.DictionaryArray.from_arrays([1, 0, 1], ["low", "high"], ordered=True)
    kind = TARGET_KINDS["ordinal"].fit("y", pa.chunked_array([values]))
    assert kind.labels == ["low", "high"]


def test_a_new_class_is_unlabelled_and_named():
    kind = fit("category", ["a", "b"])
    with pytest.warns(UserWarning, match="target 'y', row 1: class 'z' did not occur"):
        assert np.isnan(kind.encode(col(["a", "z"]))).tolist() == [False, True]


def test_declared_levels_allow_classes_that_are_absent():
    kind = fit("binary", ["no", "no"], levels=["no", "yes"])
    assert kind.labels == ["no", "yes"]


def test_metrics_of_one_class_are_nan_where_undefined():
    kind = fit("binary", ["no", "yes"])
    metrics = kind.metrics(np.zeros(4), np.tile([0.8, 0.2], (4, 1)))
    undefined = {name for name, value in metrics.items() if np.isnan(value)}
    assert {"auc", "average_precision", "f1", "balanced_accuracy"} <= undefined
    assert metrics["accuracy"] == 1


def test_classification_report_counts_each_class():
    kind = fit("category", ["a", "b", "c"])
    y = np.array([0.0, 0.0, 1.0, NAN])
    report = kind.classification_report(
        y, kind.distribution.point_mass(np.array([0.0, 1.0, 1.0, 1.0]))
    )
    assert report["a"] == {"precision": 1, "recall": 0.5, "f1": pytest.approx(2 / 3), "support": 2}
    assert report["b"]["recall"] == 1
    assert report["c"]["support"] == 0
    assert np.isnan(report["c"]["recall"])


def test_ordinal_mistakes_are_measured_in_steps():
    kind = fit("ordinal", [1, 2, 3])
    metrics = kind.metrics(np.array([0.0, 2.0]), kind.distribution.point_mass(np.array([2.0, 2.0])))
    assert metrics["mae"] == 1
    assert kind.metrics(np.array([0.0, 1, 2]), kind.distribution.point_mass(np.array([0.0, 1, 2])))[
        "quadratic_kappa"
    ] == pytest.approx(1)


# sets and counts ----------------------------------------------------------------------------------


def test_joined_labels_come_back_joined():
    kind = fit("multilabel", ["a;b", "", "b"])
    y = kind.encode(col(["b;a", "", None]))
    assert kind.decode(kind.distribution.point_mass(y))["y"].to_pylist() == ["a;b", "", None]


def test_a_new_label_in_a_set_is_left_out_and_named():
    kind = fit("multilabel", [["a"], ["b"]])
    with pytest.warns(UserWarning, match="label 'z' did not occur"):
        assert kind.encode(col([["z", "b"]])).tolist() == [[0, 1]]


def test_multilabel_thresholds_may_differ_by_label():
    kind = fit("multilabel", [["a"], ["b"]])
    pred = np.array([[0.3, 0.3]])
    assert kind.decode(pred, threshold=[0.2, 0.4])["y"].to_pylist() == [["a"]]


def test_multilabel_report_names_each_label():
    kind = fit("multilabel", [["a"], ["b"]])
    report = kind.classification_report(
        np.array([[1.0, 0], [1, 1]]), np.array([[0.9, 0], [0.1, 1]])
    )
    assert report["a"]["recall"] == 0.5
    assert report["b"]["precision"] == 1


def test_count_loss_is_scaled_for_large_counts():
    rng = np.random.default_rng(0)
    for mean in (0.5, 30, 1e5):
        kind = fit("count", list(rng.poisson(mean * rng.gamma(2, 0.5, 500))))
        y = torch.as_tensor(kind.encode(col(rng.poisson(mean, 100))))
        assert float(head_of(kind).loss(torch.randn(100, 1), y).mean()) < 20


def test_count_deviance_matches_its_definition():
    kind = fit("count", [0, 4])
    metrics = kind.metrics(np.array([0.0, 3.0]), np.array([[1.0], [3.0]]))
    assert metrics["poisson_deviance"] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("table", "kind"), [(TARGET_KINDS, "multilabel"), (INPUT_KINDS, "multicategory")]
)
def test_lists_of_marks_are_no_lists_of_members(table, kind):
    with pytest.raises(DataError) as caught:
        table[kind].fit("y", col([[0, 1, 1], None, [1, 0, 0]]))
    assert str(caught.value).endswith(
        "'y': 2 lists of 3 zeros and ones, which mark members without naming them; write a column "
        "for each of the 3, or lists of names"
    )
    assert table[kind].fit("y", col([[0], [1], [2, 1]])).levels


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("category", ["a", "b", "c", "a"]),
        ("binary", ["a", "b", "a", "b"]),
        ("ordinal", [1, 2, 3, 1]),
    ],
)
def test_rows_of_a_class_that_the_model_does_not_have_count_as_wrong(name, values):
    kind = TARGET_KINDS[name].fit("y", pa.chunked_array([values]))
    strange = pa.chunked_array([[*map(str, values), "9", None]])
    unknown = kind.unknown(strange)
    assert (unknown.rows.tolist(), unknown.names) == ([4], ["9"])
    with pytest.warns(UserWarning, match="class '9' did not occur in training; 1 such row"):
        y = kind.encode(strange)
    pred = np.full((6, kind.distribution.n_columns), 0.01)
    pred[np.arange(4), y[:4].astype(int)] = 0.9
    pred /= pred.sum(axis=1, keepdims=True)
    baseline = kind.distribution.baseline(y[:4])
    metrics = kind.metrics_with(unknown, strange, y=y, pred=pred, baseline=baseline)
    known = kind.metrics(y, pred, baseline)
    assert metrics["accuracy"] == pytest.approx(4 / 5)
    assert metrics["log_loss"] == pytest.approx((4 * known["log_loss"] - np.log(1e-6)) / 5)
    assert metrics["score"] < known["score"]
    assert metrics.keys() == known.keys()
    nothing = np.full(6, np.nan)
    assert (
        kind.metrics_with(unknown, strange, y=nothing, pred=pred, baseline=baseline)["accuracy"]
        == 0
    )
