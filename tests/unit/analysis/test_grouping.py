"""Divisions of targets: the best there is, what is suggested, and what noise may not do."""

from collections.abc import Iterator

import numpy as np
import pytest

from superpose.analysis._grouping import (
    MOST_COMPARED,
    _best,
    _greedy,
    divisions,
    suggested,
    value_of,
)

PLANTED = [[0, 3, 5], [1, 2], [4, 6, 7]]


def all_divisions(targets: list[int]) -> Iterator[list[list[int]]]:
    if not targets:
        yield []
        return
    first, *rest = targets
    for others in all_divisions(rest):
        yield [[first], *others]
        for place, group in enumerate(others):
            yield [*others[:place], [first, *group], *others[place + 1 :]]


def planted(groups: list[list[int]], noise: float = 0.0, seed: int = 0) -> np.ndarray:
    size = sum(map(len, groups))
    affinity = noise * np.random.default_rng(seed).normal(size=(size, size))
    for group in groups:
        affinity[np.ix_(group, group)] += 1.0
    return affinity


def looks_at(
    affinity: np.ndarray, count: int = 60, noise: float = 0.5, seed: int = 1
) -> np.ndarray:
    return affinity + noise * np.random.default_rng(seed).normal(size=(count, *affinity.shape))


def test_a_target_receives_the_mean_of_what_the_others_of_its_group_give() -> None:
    affinity = np.array([[9.0, 4, 1], [2, 9, 0], [3, 0, 9]])
    # 0 receives 2 and 3 in the mean, 1 receives 4 and 0, 2 receives 1 and 0.
    assert value_of(affinity, [[0, 1, 2]]) == pytest.approx((2.5 + 2 + 0.5) / 3)
    assert value_of(affinity, [[0], [1], [2]]) == 0


@pytest.mark.parametrize("seed", range(5))
def test_up_to_ten_targets_every_division_is_the_best_of_its_number_of_groups(seed: int) -> None:
    affinity = np.random.default_rng(seed).normal(size=(6, 6))
    best = dict.fromkeys(range(1, 7), -np.inf)
    for groups in all_divisions(list(range(6))):
        best[len(groups)] = max(best[len(groups)], value_of(affinity, groups))
    found = divisions(affinity)
    assert [len(division.groups) for division in found] == list(best)
    assert [division.value for division in found] == pytest.approx(list(best.values()))


@pytest.mark.parametrize("find", [_best, _greedy])
def test_planted_groups_are_found_in_every_target_once(find) -> None:
    for count, groups in enumerate(find(planted(PLANTED, 0.1)), start=1):
        assert len(groups) == count
        assert sorted(place for group in groups for place in group) == list(range(8))
    assert sorted(map(sorted, find(planted(PLANTED, 0.1))[2])) == PLANTED


def test_many_targets_are_divided_too() -> None:
    groups = [list(range(first, first + 8)) for first in range(0, 64, 8)]
    assert len(groups) * 8 > MOST_COMPARED
    order = np.random.default_rng(0).permutation(64)
    mixed = planted(groups, 0.1)[np.ix_(order, order)]
    found = divisions(mixed)[7].groups
    assert sorted(sorted(order[group].tolist()) for group in found) == groups


def test_what_is_not_known_counts_as_nothing() -> None:
    affinity = planted([[0, 1], [2, 3]])
    affinity[0, 2] = affinity[3, 3] = np.nan
    assert divisions(affinity)[1].groups == [[0, 1], [2, 3]]


def test_planted_groups_are_suggested() -> None:
    assert suggested(looks_at(planted(PLANTED))).groups == PLANTED


def test_targets_that_help_each_other_alike_are_not_parted_for_the_best_pairs() -> None:
    alike = planted([list(range(6))], noise=0.03)
    assert max(divisions(alike), key=lambda one: one.value).groups != [list(range(6))]
    assert suggested(looks_at(alike, noise=0.05)).groups == [list(range(6))]


def test_a_target_that_nobody_helps_stands_alone() -> None:
    affinity = planted([[0, 1, 2, 3, 4]])
    affinity[:, 2] = -0.2  # it helps the others as they help each other
    assert suggested(looks_at(affinity)).groups == [[0, 1, 3, 4], [2]]


def test_noise_alone_mostly_parts_nobody() -> None:
    counts = [len(suggested(looks_at(np.zeros((6, 6)), seed=s)).groups) for s in range(30)]
    assert np.median(counts) == 1
    assert counts.count(1) >= 15


def test_one_look_is_enough() -> None:
    assert suggested(planted([[0, 1], [2, 3]])[None]).groups == [[0, 1], [2, 3]]
