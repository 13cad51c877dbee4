"""Draws that fit together, and what to measure next, where the truth is known."""

import numpy as np
import pytest

from superpose.analysis import Question, next_measurement, ranked, sample
from superpose.analysis._measure import Advice
from superpose.analysis._sample import stretched

# Target a is wanted; b, c and d tell about it with noise of 0.2, 0.6 and 2.
NOISE = {"b": 0.2, "c": 0.6, "d": 2.0}
DRAWS, ROWS = 60, 100  # 6000 values: a correlation is known to within 0.013


def planted():
    noise = np.array(list(NOISE.values()))
    covariance = np.ones((4, 4))
    covariance[range(1, 4), range(1, 4)] += noise**2
    size = np.sqrt(np.diag(covariance))
    return covariance / np.outer(size, size)


@pytest.fixture
def world(make_world):
    return make_world(planted(), ROWS)


def truth(name):
    """Bits that a noisy copy tells about a standard normal."""
    return 0.5 * np.log2(1 + 1 / NOISE[name] ** 2)


def advise(world, labels, **more):
    options = {"want": ["a"], "candidates": list("bcd")}
    options |= {key: more.pop(key) for key in ("want", "cost") if key in more}
    question = Question(**options)
    return next_measurement(world.predictor, world.rows, labels, question=question, **more)


def test_the_expected_bits_are_those_of_theory(world, hidden):
    for one in advise(world, hidden(world.labels)):
        # Sixty-four middles of equal shares leave out a little of the tails.
        np.testing.assert_allclose(one.bits, truth(one.target), rtol=0.03)


def test_the_best_candidate_is_ranked_first_and_cost_turns_it_round(world, hidden):
    labels = hidden(world.labels)
    order = [r["measure"] for r in ranked(advise(world, labels))[:3]]
    assert order == ["b", "c", "d"]
    dear = {"b": 100.0, "c": 10.0}
    rows = ranked(advise(world, labels, cost=dear))[:3]
    assert [r["measure"] for r in rows] == ["d", "c", "b"]
    assert [r["cost"] for r in rows] == [1.0, 10.0, 100.0]
    for row in rows:
        assert row["bits_per_cost"] == pytest.approx(row["bits"] / row["cost"])


def test_what_is_measured_already_tells_nothing_more_and_others_tell_less(world, hidden):
    labels = hidden(world.labels)
    labels["b"][:50] = world.labels["b"][:50]
    by = {one.target: one.bits for one in advise(world, labels)}
    assert (by["b"][:50] == 0).all()
    assert (by["c"][:50] < by["c"][50:].min()).all()
    left = 1 / (1 + 1 / 0.2**2)  # variance of a once b is known
    np.testing.assert_allclose(by["c"][:50], 0.5 * np.log2(1 + left / 0.36), rtol=0.05)


def test_a_wanted_target_that_is_known_needs_nothing(world, hidden):
    labels = hidden(world.labels)
    labels["a"][:50] = 0.3
    for one in advise(world, labels):
        assert (one.bits[:50] == 0).all()
        assert (one.bits[50:] > 0).all()


def test_a_candidate_does_not_count_for_itself(world, hidden):
    labels = hidden(world.labels)
    both = {o.target: o.bits for o in advise(world, labels, want=["a", "b"])}
    about_a = {o.target: o.bits for o in advise(world, labels)}
    np.testing.assert_allclose(both["b"], about_a["b"])
    assert (both["c"] > about_a["c"]).all()


def test_bits_are_never_negative_and_the_same_for_the_same_seed(world, hidden):
    one, other = (advise(world, hidden(world.labels), draws=2, seed=4) for _ in range(2))
    for a, b in zip(one, other, strict=True):
        assert (a.bits >= 0).all()
        np.testing.assert_array_equal(a.bits, b.bits)


def test_ranks_are_given_row_by_row():
    records = ranked(
        [Advice("b", np.array([1.0, 0.2]), 1.0), Advice("c", np.array([0.5, 0.9]), 1.0)]
    )
    assert [(r["row"], r["rank"], r["measure"]) for r in records] == [
        (0, 1, "b"),
        (0, 2, "c"),
        (1, 1, "c"),
        (1, 2, "b"),
    ]


def test_the_scale_that_held_out_rows_have_shown_is_used(world, hidden):
    labels = {**hidden(world.labels), "b": world.labels["b"]}
    plain = stretched(world.predictor, world.rows, labels, target="a")
    world.predictor.levels["half"].factors["a"] = 3.0
    world.predictor.levels["none"].factors["a"] = 5.0
    try:
        wide = stretched(world.predictor, world.rows, labels, target="a")
        nothing = stretched(world.predictor, world.rows, hidden(world.labels), target="a")
    finally:
        world.predictor.levels["half"].factors["a"] = 1.0
        world.predictor.levels["none"].factors["a"] = 1.0
    np.testing.assert_allclose(wide, plain * [1.0, 3.0])
    np.testing.assert_allclose(nothing, np.tile([0.0, 5.0], (ROWS, 1)))


def flat(drawn):
    return np.stack([drawn[t].ravel() for t in "abcd"])


@pytest.mark.parametrize("order", ["abcd", "dcba", "cadb", None])
def test_any_order_draws_the_planted_distribution(world, hidden, order):
    orders = [list(order)] if order else None
    drawn = sample(
        world.predictor, world.rows, hidden(world.labels), n=DRAWS, seed=1, orders=orders
    )
    values = flat(drawn)
    assert values.shape == (4, DRAWS * ROWS)
    # Four standard errors of 6000 draws.
    np.testing.assert_allclose(values.mean(1), 0.0, atol=4 / np.sqrt(DRAWS * ROWS))
    np.testing.assert_allclose(values.std(1), 1.0, atol=4 / np.sqrt(2 * DRAWS * ROWS))
    np.testing.assert_allclose(np.corrcoef(values), planted(), atol=4 / np.sqrt(DRAWS * ROWS))


def test_given_values_stay_as_they_are(world, hidden):
    labels = hidden(world.labels)
    labels["b"][::2] = world.labels["b"][::2]
    drawn = sample(world.predictor, world.rows, labels, n=20)
    assert (drawn["b"][:, ::2] == world.labels["b"][::2]).all()
    assert (np.diff(drawn["b"][:, 1::2], axis=0) != 0).all()
    # And the rest follows them.
    expected = world.labels["b"][::2] / (1 + 0.04) ** 0.5
    assert np.corrcoef(drawn["a"][:, ::2].mean(0), expected)[0, 1] > 0.99


@pytest.mark.parametrize("n", [1, 3, 8, 19])
def test_as_many_draws_come_as_were_requested(world, hidden, n):
    labels = {t: y[:7] for t, y in hidden(world.labels).items()}
    drawn = sample(world.predictor, world.rows.take(np.arange(7)), labels, n=n)
    assert {d.shape for d in drawn.values()} == {(n, 7)}
    assert all(np.isfinite(d).all() for d in drawn.values())


def test_draws_in_small_parts_are_draws_all_the_same(world, hidden, monkeypatch):
    monkeypatch.setattr("superpose.analysis._sample.CHUNK", 3 * ROWS)
    drawn = sample(world.predictor, world.rows, hidden(world.labels), n=20)
    assert drawn["a"].shape == (20, ROWS)


def test_the_same_seed_draws_the_same(world, hidden):
    one, same, other = (
        flat(sample(world.predictor, world.rows, hidden(world.labels), n=5, seed=seed))
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)
