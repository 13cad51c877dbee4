"""Entanglement against its analytic value, where the predictor knows the truth."""

import numpy as np
import pytest

from superpose.analysis import entanglement
from superpose.analysis._entanglement import rows_for
from superpose.record import pair_rows

RHO = 0.8
BITS = 0.5 * np.log2(1 / (1 - RHO**2))  # 0.737, the mutual information of a normal pair


@pytest.fixture(scope="module")
def world(make_world):
    return make_world([[1, RHO, 0], [RHO, 1, 0], [0, 0, 1]], 4000)


@pytest.fixture(scope="module")
def found(world):
    return entanglement(world.predictor, world.rows, world.labels, permutations=3)


def test_a_planted_pair_tells_the_analytic_number_of_bits(found):
    for a, b in ((0, 1), (1, 0)):
        assert found.bits[a, b] == pytest.approx(BITS, abs=0.05)
        assert found.low[a, b] < BITS < found.high[a, b]
        assert found.p[a, b] < 1e-6


def test_independent_targets_tell_nothing(found):
    for a, b in ((0, 2), (2, 0), (1, 2), (2, 1)):
        assert found.bits[a, b] == pytest.approx(0.0, abs=1e-9)  # it knows that they tell none


def test_a_value_that_fits_the_inputs_only_tells_less_than_nothing(found):
    # Whoever believes it errs by 1 + rho^2, and the scale is set to that on other rows.
    assert found.null[0, 1] == pytest.approx(-0.5 * np.log2(1 + RHO**2), abs=0.05)


def test_all_others_together_tell_the_total(found):
    assert found.total[:2] == pytest.approx([BITS, BITS], abs=0.05)
    assert found.total[2] == pytest.approx(0.0, abs=1e-9)
    for low, bits, high in zip(found.total_low, found.total, found.total_high, strict=True):
        assert low <= bits <= high


def test_pairs_are_finite_off_the_diagonal_and_blank_on_it(found):
    assert found.targets == ["a", "b", "c"]
    for table in (found.bits, found.low, found.high, found.null, found.p):
        assert table.shape == (3, 3)
        assert np.isnan(np.diag(table)).all()
        assert np.isfinite(table[~np.eye(3, dtype=bool)]).all()
    assert found.n.tolist() == [4000] * 3
    assert found.rows == 4000


def test_only_rows_with_both_labels_count(world):
    labels = {t: y.copy() for t, y in world.labels.items()}
    labels["a"][:3000] = np.nan
    labels["c"][:] = np.nan
    found = entanglement(world.predictor, world.rows, labels, permutations=1)
    assert found.bits[0, 1] == pytest.approx(BITS, abs=0.1)
    assert found.bits[1, 0] == pytest.approx(BITS, abs=0.1)
    assert found.n.tolist() == [1000, 4000, 0]
    assert np.isnan(found.bits[0, 2])  # nobody knows c, so nothing is known of it


def test_a_scale_that_all_models_state_too_small_is_no_entanglement(make_world):
    """What counts is what revealing a target saves, not how well scales were fitted."""
    world = make_world([[1, RHO, 0], [RHO, 1, 0], [0, 0, 1]], 4000, scale=0.5)
    found = entanglement(world.predictor, world.rows, world.labels, permutations=1)
    assert found.bits[0, 2] == pytest.approx(0.0, abs=0.01)
    assert found.total[2] == pytest.approx(0.0, abs=0.01)


def test_the_same_seed_gives_the_same_bits(world, found):
    again = entanglement(world.predictor, world.rows, world.labels, permutations=3)
    np.testing.assert_array_equal(again.null, found.null)
    np.testing.assert_array_equal(again.bits, found.bits)


def test_clusters_widen_the_intervals(world, found):
    clusters = np.argsort(np.argsort(world.labels["a"])) // 200  # rows alike stand together
    wide = entanglement(
        world.predictor, world.rows, world.labels, clusters=clusters, permutations=1
    )
    assert wide.bits[0, 1] == found.bits[0, 1]
    assert wide.high[0, 1] - wide.low[0, 1] > found.high[0, 1] - found.low[0, 1]


def test_pairs_come_strongest_first_and_the_totals_last(found):
    records = pair_rows(found)
    assert len(records) == 6 + 3
    assert {(r["given"], r["about"]) for r in records[:2]} == {("a", "b"), ("b", "a")}
    bits = [r["bits"] for r in records[:6]]
    assert bits == sorted(bits, reverse=True)
    assert [(r["given"], r["about"]) for r in records[6:]] == [("all others", t) for t in "abc"]
    keys = {"given", "about", "bits", "low", "high", "null", "p", "n"}
    assert {*records[0]} == {*records[-1]} == keys


def test_the_rows_that_are_read_shrink_with_the_pairs():
    assert [rows_for(t) for t in (2, 8, 20, 100)] == [1000, 1000, 157, 100]


@pytest.mark.parametrize("seed", range(4))
def test_of_two_targets_all_others_are_the_other_one(make_world, seed):
    rng = np.random.default_rng(seed)
    world = make_world([[1, RHO], [RHO, 1]], 300)
    labels = {t: np.where(rng.random(300) < 0.2, np.nan, y) for t, y in world.labels.items()}
    clusters = rng.integers(0, 40, 300) if seed % 2 else None
    options = {"clusters": clusters, "permutations": 2, "seed": seed}
    found = entanglement(world.predictor, world.rows, labels, **options)
    *two, first, second = pair_rows(found)
    for total in (first, second):
        pair = next(one for one in two if one["about"] == total["about"])
        assert {**total, "given": pair["given"]} == pair
    assert found.total.tolist() == [found.bits[1, 0], found.bits[0, 1]]
