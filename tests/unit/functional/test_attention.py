"""Attention across tasks: weights that can be nobody's, sums that hear only others."""

import math

import pytest
import torch

from superpose.functional import (
    essay_attention,
    piecewise_linear,
    task_attention,
    task_attention_weights,
)

B, T, R = 6, 5, 4


@pytest.fixture
def parts():
    """Query, key, pair bias and sink of five tasks."""
    torch.manual_seed(0)
    return torch.randn(B, T, R), torch.randn(B, T, R), torch.randn(T, T), torch.randn(T)


def weights_of(query, key, pair, sink):
    return task_attention_weights(query, key, pair=pair, sink=sink)


def test_weights_are_a_distribution_over_the_others_and_nobody(parts):
    weights = weights_of(*parts)
    assert weights.shape == (B, T, T + 1)
    assert (weights >= 0).all()
    torch.testing.assert_close(weights.sum(-1), torch.ones(B, T))


def test_a_task_never_listens_to_itself(parts):
    weights = weights_of(*parts)
    assert (weights[..., :T].diagonal(dim1=-2, dim2=-1) == 0).all()


def test_weights_follow_the_formula(parts):
    query, key, pair, sink = parts
    weights = weights_of(*parts)
    k = 2
    others = [j for j in range(T) if j != k]
    scores = torch.stack(
        [(query[:, k] * key[:, j]).sum(-1) / math.sqrt(R) + pair[k, j] for j in others]
        + [sink[k].expand(B)],
        dim=-1,
    )
    torch.testing.assert_close(weights[:, k, [*others, T]], scores.softmax(-1))


def test_a_high_sink_lets_a_task_stop_listening_while_the_others_go_on(parts):
    query, key, pair, sink = parts
    sink[1] = 1e4
    weights = weights_of(query, key, pair, sink)
    assert (weights[:, 1, T] == 1).all()
    assert (weights[:, 0, :T].sum(-1) > 0).all()


def test_a_pair_bias_turns_the_listener_to_one_speaker(parts):
    query, key, pair, sink = parts
    before = weights_of(query, key, pair, sink)
    pair[0, 3] += 5
    after = weights_of(query, key, pair, sink)
    assert (after[:, 0, 3] > before[:, 0, 3]).all()
    assert torch.equal(after[:, 1:], before[:, 1:])


def test_a_single_task_listens_to_nobody():
    weights = task_attention_weights(
        torch.randn(B, 1, R), torch.randn(B, 1, R), pair=torch.zeros(1, 1), sink=torch.zeros(1)
    )
    assert weights.tolist() == [[[0.0, 1.0]]] * B


@pytest.mark.parametrize("scale", [1.0, 1e3, 1e6])
def test_extreme_scores_keep_weights_and_gradients_finite(parts, scale):
    query, key, pair, sink = (p.mul(scale).requires_grad_() for p in parts)
    heard = task_attention(weights_of(query, key, pair, sink), torch.randn(B, T, R))
    heard.sum().backward()
    assert torch.isfinite(heard).all()
    assert all(torch.isfinite(p.grad).all() for p in (query, key, pair, sink))


def test_the_sink_says_zero(parts):
    weights = torch.zeros(B, T, T + 1)
    weights[..., T] = 1.0
    assert (task_attention(weights, torch.randn(B, T, R)) == 0).all()


def test_what_is_heard_is_the_weighted_sum_of_the_others(parts):
    weights, value = weights_of(*parts), torch.randn(B, T, R)
    by_hand = sum(weights[..., j, None] * value[:, None, j] for j in range(T))
    torch.testing.assert_close(task_attention(weights, value), by_hand)


def test_attention_runs_under_vmap(parts):
    query, key, pair, sink = parts
    mapped = torch.func.vmap(weights_of, in_dims=(0, 0, None, None))(*parts)
    torch.testing.assert_close(mapped, weights_of(query, key, pair, sink))


def test_the_essay_formula_is_plain_attention_over_the_states():
    query, key, states = torch.randn(B, T, R), torch.randn(B, T, R), torch.randn(B, T, 8)
    mixed, weights = essay_attention(query, key, states)
    expected = torch.nn.functional.scaled_dot_product_attention(query, key, states)
    torch.testing.assert_close(mixed, expected)
    torch.testing.assert_close(weights.sum(-1), torch.ones(B, T))


def test_the_essay_formula_draws_states_together():
    states = torch.randn(B, T, 8)
    deviation = states.std(dim=-2).mean()
    mixed, _ = essay_attention(states * 0.1, states * 0.1, states)
    assert mixed.std(dim=-2).mean() < 0.1 * deviation


EDGES = torch.tensor([[-1.0, 0.0, 2.0, 2.5], [0.0, 1.0, 1.0, 1.0]])  # the second has one bin
LOW, USED = EDGES[:, :-1], torch.tensor([[1.0, 1.0, 1.0], [1.0, 0.0, 0.0]])
SPAN = EDGES.diff(dim=-1) + (1 - USED)


@pytest.mark.parametrize(
    ("x", "filled"),
    [
        (-9.0, [0.0, 0.0, 0.0]),
        (-1.0, [0.0, 0.0, 0.0]),
        (-0.5, [0.5, 0.0, 0.0]),
        (0.0, [1.0, 0.0, 0.0]),
        (1.0, [1.0, 0.5, 0.0]),
        (2.25, [1.0, 1.0, 0.5]),
        (9.0, [1.0, 1.0, 1.0]),
    ],
)
def test_a_number_fills_its_bins_from_below(x, filled):
    assert (
        piecewise_linear(torch.tensor([[x, x]]), low=LOW, span=SPAN, used=USED)[0, 0].tolist()
        == filled
    )


def test_bins_that_pad_a_short_column_stay_empty():
    code = piecewise_linear(torch.randn(20, 2) * 5, low=LOW, span=SPAN, used=USED)
    assert (code[:, 1, 1:] == 0).all()


def test_a_larger_number_never_has_a_smaller_code():
    x = torch.linspace(-3, 4, 100)[:, None].expand(-1, 2)
    assert (piecewise_linear(x, low=LOW, span=SPAN, used=USED).diff(dim=0) >= 0).all()
