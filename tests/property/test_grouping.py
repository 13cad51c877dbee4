"""Divisions of targets hold for every affinity: nothing is better, and names don't matter."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from superpose.analysis._grouping import divisions, value_of


@st.composite
def affinities(draw: st.DrawFn) -> np.ndarray:
    size = draw(st.integers(2, 6))
    # Whole numbers: sums are exact, so that equal divisions are equal and not nearly so.
    flat = draw(st.lists(st.integers(-9, 9), min_size=size * size, max_size=size * size))
    return np.array(flat, float).reshape(size, size)


@given(affinities(), st.data())
def test_no_division_into_as_many_groups_is_better(
    affinity: np.ndarray, data: st.DataObject
) -> None:
    size = len(affinity)
    labels = data.draw(st.lists(st.integers(0, size - 1), min_size=size, max_size=size))
    groups = [np.flatnonzero(np.array(labels) == g).tolist() for g in sorted(set(labels))]
    division = divisions(affinity)[len(groups) - 1]
    assert division.value >= value_of(affinity, groups) - 1e-9


@given(affinities(), st.data())
def test_the_order_of_the_targets_does_not_matter(
    affinity: np.ndarray, data: st.DataObject
) -> None:
    order = data.draw(st.permutations(range(len(affinity))))
    mixed = affinity[np.ix_(order, order)]
    for one, other in zip(divisions(affinity), divisions(mixed), strict=True):
        assert abs(one.value - other.value) < 1e-9


@given(affinities())
def test_who_gives_and_who_receives_counts_alike(affinity: np.ndarray) -> None:
    for one, other in zip(divisions(affinity), divisions(affinity.T), strict=True):
        assert abs(one.value - other.value) < 1e-9
