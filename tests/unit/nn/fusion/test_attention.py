"""Fusion: claims that every method in FUSIONS is held to, and those of single ones."""

import pytest
import torch

from superpose.nn import FUSIONS, TaskAttention

M, T, D, R = 3, 5, 8, 4


@pytest.fixture
def fuse(fusion_name):
    """Each fusion, away from its start so that it does something where it can."""
    module = FUSIONS[fusion_name](T, D, rank=R)
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return module


def test_permuting_the_targets_permutes_the_outcome(fuse, permute):
    states, order = torch.randn(7, M, T, D), torch.randperm(T)
    moved = states[..., order, :]
    before, map_before = fuse(states), fuse.attention(states)
    permute(fuse, order, T)
    torch.testing.assert_close(fuse(moved), before[..., order, :], atol=1e-5, rtol=1e-5)
    if map_before is not None:
        both = map_before[..., order, :][..., [*order.tolist(), T]]
        torch.testing.assert_close(fuse.attention(moved), both)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3, 1e6])
def test_task_attention_starts_as_the_identity(scale):
    states = torch.randn(50, M, T, D) * scale
    assert (TaskAttention(T, D, rank=R)(states) - states).abs().max() == 0


def test_task_attention_leaves_its_start_with_the_first_gradient():
    fuse, states = TaskAttention(T, D, rank=R), torch.randn(50, M, T, D)
    fuse(states).sum().backward()
    assert (fuse.gate.grad.abs().sum(-1) > 0).all()


def test_a_task_whose_gate_stays_shut_hears_nothing():
    fuse, states = TaskAttention(T, D, rank=R), torch.randn(50, M, T, D)
    with torch.no_grad():
        fuse.gate[1:] = 1.0
    out = fuse(states)
    assert torch.equal(out[:, :, 0], states[:, :, 0])
    assert not torch.isclose(out[:, :, 1], states[:, :, 1]).all()


def test_what_a_task_hears_does_not_come_from_itself():
    fuse, states = TaskAttention(T, D, rank=R), torch.randn(50, M, T, D)
    with torch.no_grad():
        fuse.gate.fill_(1.0)
        fuse.query.weight.zero_()  # the weights then depend on the speakers only
    other = states.clone()
    other[:, :, 0] = torch.randn(50, M, D)
    heard, heard_then = fuse(states) - states, fuse(other) - other
    torch.testing.assert_close(heard[:, :, 0], heard_then[:, :, 0], atol=1e-5, rtol=1e-4)
    assert not torch.allclose(heard[:, :, 1], heard_then[:, :, 1], atol=1e-3)


def test_members_hear_the_same_from_their_mean():
    fuse, states = TaskAttention(T, D, rank=R), torch.randn(50, M, T, D)
    torch.nn.init.ones_(fuse.gate)
    heard = fuse(states) - states
    mean = states.mean(1, keepdim=True)
    torch.testing.assert_close(heard, (fuse(mean) - mean).expand_as(heard), atol=1e-5, rtol=1e-5)


def test_no_fusion_is_the_identity_itself():
    states = torch.randn(7, M, T, D)
    assert FUSIONS["none"](T, D)(states) is states
