"""Dealing rows: every target balanced in every part."""

import numpy as np
import pytest

from superpose.data.split._stratify import deal, deal_groups, marks

NAN = float("nan")
SHARES = np.array([0.7, 0.15, 0.15])


def many_targets(rows=1000, seed=0):
    rng = np.random.default_rng(seed)
    gappy = rng.normal(size=rows)
    gappy[rng.random(rows) < 0.6] = NAN
    return {
        "number": rng.normal(size=rows),
        "gappy": gappy,
        "rare": (rng.random(rows) < 0.02).astype(float),
        "class": rng.integers(0, 5, rows).astype(float),
        "sets": rng.integers(0, 2, (rows, 3)).astype(float),
    }


def test_every_mark_is_divided_in_proportion():
    marked = marks(many_targets())
    part = deal(marked, SHARES, np.random.default_rng(0))
    held_out = np.stack([marked[part == k].sum(axis=0) for k in range(3)])
    assert np.abs(held_out - SHARES[:, None] * marked.sum(axis=0)).max() <= 8
    assert np.bincount(part).tolist() == pytest.approx(SHARES * 1000, abs=4)


def test_a_rare_class_reaches_every_part():
    rare = np.zeros(500)
    rare[[5, 77, 300, 301, 302, 303, 304, 499]] = 1
    part = deal(marks({"rare": rare}), SHARES, np.random.default_rng(0))
    assert set(part[rare == 1]) == {0, 1, 2}


def test_same_seed_deals_the_same_and_another_differs():
    marked = marks(many_targets())
    first, again, other = (deal(marked, SHARES, np.random.default_rng(s)) for s in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()


def test_rows_without_any_label_are_dealt_too():
    part = deal(marks({"y": np.full(100, NAN)}), SHARES, np.random.default_rng(0))
    assert np.bincount(part).tolist() == [70, 15, 15]


@pytest.mark.parametrize("rows", [3, 10, 50])
def test_small_tables_are_dealt_evenly(rows):
    labels = {f"y{t}": np.random.default_rng(t).normal(size=rows) for t in range(6)}
    part = deal(marks(labels), np.ones(3), np.random.default_rng(0))
    assert np.ptp(np.bincount(part, minlength=3)) <= 2


def test_groups_stay_whole_and_balanced():
    labels = many_targets()
    groups = np.unique(np.random.default_rng(3).integers(0, 80, 1000), return_inverse=True)[1]
    part = deal_groups(marks(labels), groups, SHARES, rng=np.random.default_rng(0))
    assert all(len(set(part[groups == g])) == 1 for g in range(80))
    assert (np.bincount(part) / 1000).tolist() == pytest.approx(SHARES, abs=0.03)
    rare = labels["rare"]
    assert rare[part == 2].sum() / rare.sum() == pytest.approx(0.15, abs=0.1)


def test_every_part_gets_a_group_even_beside_a_giant():
    groups = np.repeat([0, 1, 2], [98, 1, 1])
    part = deal_groups(np.ones((100, 1), bool), groups, SHARES, rng=np.random.default_rng(0))
    assert set(part) == {0, 1, 2}


def test_very_many_groups_are_dealt_by_size():
    groups = np.repeat(np.arange(30_000), 2)
    part = deal_groups(np.zeros((60_000, 0), bool), groups, SHARES, rng=np.random.default_rng(0))
    assert (part[::2] == part[1::2]).all()
    assert (np.bincount(part) / 60_000).tolist() == pytest.approx(SHARES, abs=0.01)


def test_numbers_are_marked_by_quantile_and_gaps_by_nothing():
    y = np.append(np.arange(100.0) / 3, NAN)
    marked = marks({"y": y})
    assert marked.shape == (101, 5)
    assert marked.sum(axis=0).tolist() == [20] * 5
    assert not marked[-1].any()
