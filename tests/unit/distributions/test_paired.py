"""The paired test: Student's where rows are alone, no more sure than its clusters elsewhere."""

import numpy as np
import pytest
from scipy import stats

from superpose.distributions import holm, paired_test


@pytest.fixture
def saved():
    """Two hundred rows with a small gain."""
    return np.random.default_rng(0).normal(0.1, 1.0, 200)


def test_without_clusters_it_is_students_test(saved):
    found, known = paired_test(saved), stats.ttest_1samp(saved, 0.0, alternative="greater")
    assert found.p == pytest.approx(known.pvalue)
    assert (found.mean, found.n, found.degrees) == (pytest.approx(saved.mean()), 200, 199)
    both = stats.ttest_1samp(saved, 0.0).confidence_interval(0.9)
    assert found.interval(0.9) == pytest.approx((both.low, both.high))


def test_rows_without_a_label_take_no_part(saved):
    gappy = np.insert(saved, [0, 50, 200], np.nan)
    assert paired_test(gappy) == paired_test(saved)
    clusters = np.arange(203) // 7
    assert paired_test(gappy, clusters) == paired_test(saved, clusters[~np.isnan(gappy)])


@pytest.mark.parametrize("rows", [[], [0.3], [np.nan, 0.3]])
def test_fewer_than_two_rows_decide_nothing(rows):
    found = paired_test(np.array(rows))
    assert (found.p, found.worse) == (1.0, 1.0)
    assert np.isnan(found.interval()).all()


@pytest.mark.parametrize("clustered", [False, True])
@pytest.mark.parametrize(
    ("same", "p", "worse"), [(0.0, 1.0, 1.0), (0.2, 0.0, 1.0), (-0.2, 1.0, 0.0)]
)
def test_rows_that_all_say_the_same(same, p, worse, clustered):
    found = paired_test(np.full(40, same), np.arange(40) % 8 if clustered else None)
    assert (found.p, found.worse) == (p, worse)


def test_worse_is_the_test_of_the_reversed_question(saved):
    assert paired_test(saved).worse == pytest.approx(paired_test(-saved).p)
    assert paired_test(saved).worse == pytest.approx(1 - paired_test(saved).p)


def test_clusters_of_one_row_change_nothing(saved):
    found, alone = paired_test(saved, np.arange(200)), paired_test(saved)
    assert found.p == pytest.approx(alone.p)
    assert found.error == pytest.approx(alone.error)


def test_equal_clusters_count_as_their_means(saved):
    clusters = np.repeat(np.arange(20), 10)
    means = saved.reshape(20, 10).mean(1)
    known = stats.ttest_1samp(means, 0.0, alternative="greater")
    found = paired_test(saved, clusters)
    assert (found.p, found.degrees) == (pytest.approx(known.pvalue), 19)


def test_copies_of_a_row_in_its_cluster_are_no_new_evidence(saved):
    once = paired_test(saved)
    copied = paired_test(np.repeat(saved, 10), np.repeat(np.arange(200), 10))
    assert copied.p == pytest.approx(once.p)
    assert paired_test(np.repeat(saved, 10)).p < once.p


def test_names_and_order_of_clusters_do_not_matter(saved):
    clusters = np.arange(200) // 9
    order = np.random.default_rng(1).permutation(200)
    renamed = (clusters * 1000 + 7)[order]
    assert paired_test(saved[order], renamed).p == pytest.approx(paired_test(saved, clusters).p)


def test_one_cluster_decides_nothing(saved):
    found = paired_test(saved + 5, np.zeros(200, int))
    assert (found.p, found.worse) == (1.0, 1.0)


def step_down(p, delta):
    """Holm's procedure in its own words."""
    rejected = np.zeros(len(p), bool)
    for k, place in enumerate(np.argsort(p, kind="stable")):
        if p[place] > delta / (len(p) - k):
            break
        rejected[place] = True
    return rejected


def test_holm_steps_down_until_the_first_that_fails():
    rng = np.random.default_rng(0)
    for _ in range(200):
        p = rng.random(rng.integers(1, 9)) ** rng.integers(1, 6)
        np.testing.assert_array_equal(holm(p, 0.05), step_down(p, 0.05))


def test_holm_of_one_is_the_plain_test():
    assert holm(np.array([0.05]), 0.05).tolist() == [True]
    assert holm(np.array([0.0501]), 0.05).tolist() == [False]


def test_holm_of_none_is_none():
    assert holm(np.array([]), 0.05).tolist() == []


def test_more_hypotheses_never_make_one_easier_to_reject():
    p = np.array([0.012, 0.03])
    for extra in range(5):
        grown = holm(np.append(p, np.full(extra, 0.5)), 0.05)[:2]
        assert (grown <= holm(p, 0.05)).all()


def test_a_hypothesis_that_was_not_tested_is_never_rejected():
    assert not holm(np.array([1.0, 1e-9]), 0.05)[0]
