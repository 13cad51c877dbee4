"""Measured targets: what is known of a target reaches its own state, and no other."""

import pytest
import torch

from superpose.nn import Architecture, Network, NumberEncoder
from superpose.nn._measured import Measured

WIDTHS = [1, 3, 2]  # a number, a category of three classes, a set of two labels
NAN = float("nan")


@pytest.fixture
def write():
    torch.manual_seed(0)
    measured = Measured(WIDTHS, task_dim=5)
    torch.nn.init.normal_(measured.known)
    return measured


@pytest.fixture
def states():
    torch.manual_seed(1)
    return torch.randn(4, 2, 3, 5)


def test_hidden_values_change_no_state(write, states):
    assert torch.equal(write(states, torch.full((4, 6), NAN)), states)


@pytest.mark.parametrize(("target", "columns"), [(0, [0]), (1, [1, 2, 3]), (2, [4, 5])])
def test_a_measured_target_changes_its_own_state_only(write, states, target, columns):
    values = torch.full((4, 6), NAN)
    values[:, columns] = torch.randn(4, len(columns))
    moved = (write(states, values) != states).any(-1).any(1).any(0)
    assert moved.tolist() == [t == target for t in range(3)]


def test_a_row_without_measured_values_is_left_as_it_is(write, states):
    values = torch.full((4, 6), NAN)
    values[2, 0] = 1.0
    moved = (write(states, values) != states).flatten(1).any(1)
    assert moved.tolist() == [False, False, True, False]


def test_all_members_read_the_same(write, states):
    moved = write(states, torch.ones(4, 6)) - states
    torch.testing.assert_close(moved[:, 0], moved[:, 1])


def test_a_known_zero_differs_from_a_hidden_value_once_that_is_learned(write, states):
    values = torch.full((4, 6), NAN)
    values[:, 0] = 0.0
    assert not torch.equal(write(states, values), states)


def test_at_the_start_a_known_zero_says_nothing(states):
    assert torch.equal(Measured(WIDTHS, task_dim=5)(states, torch.zeros(4, 6)), states)


def test_one_known_label_of_a_set_is_enough(write, states):
    values = torch.full((4, 6), NAN)
    values[:, 4] = 1.0  # the other label of the set is not known
    moved = write(states, values) - states
    assert torch.isfinite(moved).all()
    expected = (write.value[4] + write.known[4]).expand(4, 2, 5)
    torch.testing.assert_close(moved[:, :, 2], expected)


def test_no_gradient_comes_from_hidden_values(write, states):
    values = torch.full((4, 6), NAN)
    values[:, 1:4] = 1.0
    write(states, values).square().sum().backward()
    for weight in (write.value, write.known):
        assert (weight.grad.abs().sum(1) > 0).tolist() == [False, True, True, True, False, False]


def make(fusion="none"):
    torch.manual_seed(0)
    encoders = {
        "numbers": NumberEncoder([[-1.0, 1.0]], 4),
        "given": NumberEncoder([[-1.0, 1.0]] * 6, 4),
    }
    sizes = Architecture(fusion, width=8, members=2, depth=1, state=5, rank=3)
    return Network(encoders, {"a": 2, "b": 3, "c": 2}, sizes, observed=WIDTHS).eval()


@pytest.mark.parametrize("fusion", ["none", "task-attention", "essay"])
def test_a_network_that_reads_a_value_predicts_something_else(fusion):
    network = make(fusion)
    blocks = {"numbers": torch.randn(4, 1), "given": torch.full((4, 6), NAN)}
    before = network(blocks)
    assert torch.isfinite(before).all()
    pred = {**blocks, "given": blocks["given"].clone()}
    pred["given"][1, 0] = 0.7
    after = network(pred)
    assert torch.equal(after[[0, 2, 3]], before[[0, 2, 3]])  # the rows without values
    assert not torch.isclose(after[1], before[1]).all()


def test_a_value_reaches_the_trunk_too_not_only_its_own_state():
    network = make()
    blocks = {"numbers": torch.randn(4, 1), "given": torch.full((4, 6), NAN)}
    pred = {**blocks, "given": blocks["given"].clone()}
    pred["given"][:, 0] = 0.7
    assert not torch.equal(network(pred)[:, :, 1], network(blocks)[:, :, 1])
