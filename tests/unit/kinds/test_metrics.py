"""Metrics of classes agree with scikit-learn and with sums done by hand."""

import numpy as np
import pyarrow as pa
import pytest
from sklearn import metrics as sk

from superpose.kinds import TARGET_KINDS
from superpose.kinds._metrics import brier, calibration_error, macro_auc


@pytest.fixture
def binary():
    rng = np.random.default_rng(0)
    p = rng.random(500)
    y = (rng.random(500) < p).astype(float)
    return y, np.stack([1 - p, p], axis=1)


def test_binary_metrics_agree_with_scikit_learn(binary):
    y, pred = binary
    kind = TARGET_KINDS["binary"].fit("y", pa.chunked_array([[0, 1]]))
    metrics, chosen = kind.metrics(y, pred), pred[:, 1] >= 0.5
    expected = {
        "auc": sk.roc_auc_score(y, pred[:, 1]),
        "average_precision": sk.average_precision_score(y, pred[:, 1]),
        "f1": sk.f1_score(y, chosen),
        "log_loss": sk.log_loss(y, pred[:, 1]),
        "brier": sk.brier_score_loss(y, pred[:, 1]),
        "accuracy": sk.accuracy_score(y, chosen),
        "balanced_accuracy": sk.balanced_accuracy_score(y, chosen),
    }
    for name, value in expected.items():
        assert metrics[name] == pytest.approx(value, rel=1e-4), name
    assert metrics["calibration_error"] < 0.08


def test_missing_labels_are_left_out_of_every_metric(binary):
    y, pred = binary
    kind = TARGET_KINDS["binary"].fit("y", pa.chunked_array([[0, 1]]))
    gappy = np.where(np.arange(500) < 300, y, np.nan)
    constant = np.array([0.5, 0.5])
    assert kind.metrics(gappy, pred, constant) == kind.metrics(y[:300], pred[:300], constant)


def test_calibration_error_is_the_gap_between_stated_and_observed():
    assert calibration_error(np.full(10, 0.9), np.repeat([1, 0], 5)) == pytest.approx(0.4)
    assert calibration_error(np.array([1.0, 0.0]), np.array([1, 0])) == 0


def test_category_brier_sums_over_classes():
    assert brier(np.array([0.0]), np.array([[0.5, 0.5, 0.0]])) == pytest.approx(0.5)


def test_macro_auc_leaves_out_classes_that_do_not_occur():
    pred = np.array([[0.8, 0.1, 0.1], [0.2, 0.7, 0.1], [0.6, 0.3, 0.1]])
    assert macro_auc(np.array([0.0, 1.0, 0.0]), pred) == 1


def test_score_compares_with_the_constant_given(binary):
    y, pred = binary
    kind = TARGET_KINDS["binary"].fit("y", pa.chunked_array([[0, 1]]))
    lazy = kind.metrics(y, pred, np.array([0.9, 0.1]))["score"]
    assert lazy > kind.metrics(y, pred)["score"] > 0
