"""The search for groups: which are tried, and when one counts as better."""

import numpy as np
import pytest

from superpose.analysis._group_search import APART, SURE, TOGETHER, candidates, verdict
from superpose.record import AffinityRecord, GroupingRecord

TARGETS = ["a", "b", "c", "d"]
BLOCKS = np.kron(np.eye(2), np.ones((2, 2)))
TRIED = {TOGETHER: [[0, 1, 2, 3]], APART: [[0], [1], [2], [3]], "pairs": [[0, 1], [2, 3]]}


def affinity(**more) -> AffinityRecord:
    unknown = np.full((4, 4), np.nan)
    measures = {"lookahead": unknown, "cosine": unknown, "residual": None, "bits": None}
    words = {"single_task": True, "run_groups": [], "groups": [TARGETS]}
    counts = dict.fromkeys(("n_looks", "n_networks", "n_epochs"), 1)
    return AffinityRecord(**{"targets": TARGETS, **measures, **words, **counts, **more})


def compare(table: np.ndarray, tried=TRIED) -> GroupingRecord:
    return verdict(table, tried, TARGETS, n_rows=90)


def losses(*means: float, noise: float = 0.0, folds: int = 5, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    base = np.array(means)[:, None, None] + np.zeros((len(means), folds, 4))
    return base + noise * rng.normal(size=base.shape)


def test_all_together_comes_first_and_all_apart_is_always_tried():
    assert candidates(affinity()) == {TOGETHER: [[0, 1, 2, 3]], APART: [[0], [1], [2], [3]]}


def test_every_measure_proposes_and_nothing_is_tried_twice():
    across = np.kron(np.ones((2, 2)), np.eye(2))  # 0 with 2, 1 with 3
    tried = candidates(affinity(lookahead=BLOCKS, cosine=across, residual=BLOCKS))
    assert tried["look-ahead, 2 groups"] == [[0, 1], [2, 3]]
    assert tried["cosine, 2 groups"] == [[0, 2], [1, 3]]
    assert "residuals, 2 groups" not in tried
    listed = [str(groups) for groups in tried.values()]
    assert len(listed) == len(set(listed))
    assert {len(groups) for groups in tried.values()} == {1, 2, 3, 4}


def test_the_groups_of_the_run_are_tried_too():
    own = [["a", "d"], ["b", "c"]]
    assert candidates(affinity(run_groups=own))["as set"] == [[0, 3], [1, 2]]
    assert "as set" not in candidates(affinity(run_groups=[["a"], ["b"], ["c"], ["d"]]))


def test_the_suggestion_is_tried_even_where_no_measure_proposes_it():
    tried = candidates(affinity(lookahead=BLOCKS, groups=[["a"], ["b", "c", "d"]]))
    assert tried["suggested"] == [[0], [1, 2, 3]]
    assert "suggested" not in candidates(affinity(groups=[TARGETS]))


def test_residuals_count_whatever_their_sign_is():
    opposed = np.where(BLOCKS == 1, -0.9, 0.1)
    assert candidates(affinity(residual=opposed))["residuals, 2 groups"] == [[0, 1], [2, 3]]


def test_bits_propose_nothing_since_a_run_measures_them_on_its_test_rows():
    assert candidates(affinity(bits=BLOCKS)) == candidates(affinity())


def test_the_best_is_recommended_where_it_is_better_beyond_noise():
    grouping = compare(losses(1.0, 1.1, 0.8, noise=0.01))
    assert (grouping.winner, grouping.recommended) == ("pairs", "pairs")
    pairs = grouping.candidates[2]
    assert pairs.gain == pytest.approx(20, abs=2)
    assert pairs.gain > SURE * pairs.gain_error
    assert pairs.groups == [["a", "b"], ["c", "d"]]
    assert grouping.candidates[1].gain < 0


def test_within_noise_the_default_is_recommended_whatever_is_best():
    grouping = compare(losses(1.0, 1.01, 0.93, noise=0.1))
    assert grouping.recommended == TOGETHER
    assert grouping.winner != TOGETHER


def test_candidates_that_say_the_same_are_no_better():
    grouping = compare(losses(1.0, 1.0, 1.0))
    assert (grouping.winner, grouping.recommended) == (TOGETHER, TOGETHER)


def test_gains_are_stated_for_each_target():
    table = losses(1.0, 1.0, 1.0)
    table[2, :, 0] = 0.5
    table[2, :, 3] = 1.25
    gains = compare(table).candidates[2].gains
    assert gains == pytest.approx([50, 0, 0, -25])


def test_a_fold_without_a_label_of_a_target_says_nothing_about_it():
    table = losses(1.0, 1.2, 0.8)
    table[:, 2, 1] = np.nan
    grouping = compare(table)
    assert [one.loss for one in grouping.candidates] == pytest.approx([1.0, 1.2, 0.8])


def test_the_error_counts_that_training_rows_overlap():
    # Nadeau and Bengio 2003: the variance of a fold times 1/K + 1/(K - 1), not 1/K alone.
    by_fold = np.array([0.9, 1.0, 1.1, 1.2, 0.8])
    table = np.stack([np.ones((5, 4)), np.repeat(by_fold[:, None], 4, 1)])
    grouping = compare(table, {TOGETHER: [[0, 1, 2, 3]], APART: TRIED[APART]})
    expected = 100 * np.sqrt((1 / 5 + 1 / 4) * by_fold.var(ddof=1))
    assert grouping.candidates[1].gain_error == pytest.approx(expected)


def test_of_searches_in_which_all_are_alike_few_recommend_anything():
    tried = {TOGETHER: [[0, 1, 2, 3]], **{str(n): [[0], [1, 2, 3]] for n in range(7)}}
    wrong = sum(
        compare(losses(*[1.0] * 8, noise=0.1, seed=s), tried).recommended != TOGETHER
        for s in range(400)
    )
    assert wrong <= 0.1 * 400  # 7 % are expected
