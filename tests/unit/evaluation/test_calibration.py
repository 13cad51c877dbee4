"""Intervals and sets cover nine of ten new rows; a rare class gets a threshold of its own."""

import numpy as np
import pyarrow as pa
import pytest

from superpose.evaluation._calibration import COVERAGE, conformal_quantile, rare_threshold
from superpose.kinds import TARGET_KINDS

NUMBER = TARGET_KINDS["number"].fit("y", pa.chunked_array([[-1.0, 1.0]]))
BINARY = TARGET_KINDS["binary"].fit("z", pa.chunked_array([[0, 1]]))


def binary(y, probability):
    probability = np.asarray(probability, float)
    return rare_threshold(BINARY, np.asarray(y, float), np.stack([1 - probability, probability], 1))


@pytest.mark.parametrize("rows", [20, 199])
def test_an_interval_covers_new_rows_whatever_the_stated_scale(rows):
    rng, covered = np.random.default_rng(0), []
    for _ in range(300):
        scale = np.exp(rng.normal(size=rows + 50))
        y = 3 * scale * rng.standard_t(4, rows + 50)
        pred = np.column_stack([np.zeros(rows + 50), scale])
        width = conformal_quantile(NUMBER, y[:rows], pred[:rows])
        covered.append((np.abs(y[rows:]) <= width * scale[rows:]).mean())
    # Split conformal covers at least so much, and at most 1 / (rows + 1) more.
    assert COVERAGE - 0.01 <= np.mean(covered) <= COVERAGE + 1 / (rows + 1) + 0.01


def test_few_rows_get_their_widest_error():
    pred = np.column_stack([np.zeros(3), np.ones(3)])
    assert conformal_quantile(NUMBER, np.array([0.1, -2.0, 1.0]), pred) == 2.0


def test_sets_of_labels_and_no_rows_have_no_quantile():
    tags = TARGET_KINDS["multilabel"].fit("t", pa.chunked_array([[["a"], ["b"]]]))
    assert conformal_quantile(tags, np.ones((3, 2)), np.full((3, 2), 0.5)) is None
    assert conformal_quantile(NUMBER, np.zeros(0), np.zeros((0, 2))) is None


def test_a_set_reaches_as_far_as_the_label_with_the_least_chance_of_few_rows():
    pred = np.array([[0.5, 0.5], [0.25, 0.75], [0.5, 0.5]])
    assert conformal_quantile(BINARY, np.array([1.0, 0.0, 1.0]), pred) == 0.75


@pytest.mark.parametrize("n_clusters", [6, 30])
def test_new_clusters_are_covered_although_few_are_known(n_clusters):
    """Rows of a cluster err alike, some clusters by far more than others."""
    rng, alone, together = np.random.default_rng(1), [], []
    for _ in range(200):
        clusters = np.repeat(np.arange(n_clusters + 20), 25)
        y = np.exp(rng.normal(size=n_clusters + 20))[clusters] * rng.normal(size=len(clusters))
        pred = np.column_stack([np.zeros(len(y)), np.ones(len(y))])
        known = clusters < n_clusters
        for covered, own in ((alone, None), (together, clusters[known])):
            width = conformal_quantile(NUMBER, y[known], pred[known], clusters=own)
            covered.append((np.abs(y[~known]) <= width).mean())
    assert np.mean(alone) < COVERAGE < np.mean(together) < 0.96
    missed = [np.mean(np.array(own) < COVERAGE - 0.05) for own in (alone, together)]
    assert missed[1] < 0.7 * missed[0]


def test_each_of_several_numbers_of_a_row_counts():
    """A forecast of which steps are missing, in blocks of time."""
    kind = TARGET_KINDS["forecast"].fit("f", pa.chunked_array([[[0.0, 1.0], [2.0, 3.0]]]))
    rng = np.random.default_rng(4)
    y = rng.normal(size=(200, 2))
    y[::3, 1] = np.nan
    pred = np.column_stack([np.zeros((200, 2)), np.ones((200, 2))])
    width = conformal_quantile(kind, y, pred, clusters=np.arange(200) // 20)
    assert np.nanmean(np.where(np.isnan(y), np.nan, np.abs(y) <= width)) > COVERAGE
    assert conformal_quantile(kind, y, pred) <= width < 3


def test_three_clusters_show_no_variation_between_them():
    rng = np.random.default_rng(2)
    pred = np.column_stack([np.zeros(90), np.ones(90)])
    y, few = rng.normal(size=90), np.arange(90) % 3
    alone = conformal_quantile(NUMBER, y, pred)
    assert conformal_quantile(NUMBER, y, pred, clusters=few) == alone


def test_the_threshold_of_a_rare_class_is_the_one_with_the_best_f1():
    y = [0] * 8 + [1, 0, 1] + [0] * 9
    probability = [0.01] * 8 + [0.3, 0.1, 0.25] + [0.05] * 9
    assert binary(y, probability) == 0.25


def test_a_rare_class_that_nothing_tells_is_not_called_everywhere():
    y = np.arange(1000) % 20 == 0
    assert binary(y, np.full(1000, 0.05)) is None
    assert binary(y, 0.05 + 0.1 * y) == pytest.approx(0.15)


def test_a_threshold_is_never_above_one_half():
    assert binary([1] + [0] * 9, [0.9] + [0.1] * 9) == 0.5


def test_a_threshold_does_not_part_rows_of_the_same_probability():
    # Between the tied rows an F1 of 1 could be read off that no threshold reaches.
    y = [1.0, 1.0] + [0.0] * 10
    assert binary(y, [0.4] + [0.2] * 11) == 0.4


@pytest.mark.parametrize("y", [[0, 1, 0, 1], [0, 0, 0, 0], []])
def test_a_class_that_is_not_rare_or_not_there_needs_none(y):
    assert binary(y, np.full(len(y), 0.3)) is None


def test_other_kinds_have_no_threshold():
    assert rare_threshold(NUMBER, np.zeros(4), np.ones((4, 2))) is None
