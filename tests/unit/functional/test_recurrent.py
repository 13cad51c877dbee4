"""The memory along a sequence: the network of torch, but for padding and for vmap."""

import pytest
import torch

from superpose.functional import lstm

WIDTH, PLACES = 5, 6


@pytest.fixture
def sequences():
    """Two sets of gates, matrices, and every place there."""
    torch.manual_seed(0)
    gates = torch.randn(2, 3, PLACES, 4 * WIDTH)
    return gates, torch.randn(2, WIDTH, 4 * WIDTH), torch.ones(2, 3, PLACES)


def test_it_is_the_network_of_torch_with_the_same_weights():
    torch.manual_seed(0)
    torchs = torch.nn.LSTM(4, WIDTH, batch_first=True)
    x = torch.randn(3, PLACES, 4)
    i, f, g, o = range(4)  # torch's order of the gates; here it is i, f, o, g
    order = torch.cat([torch.arange(k * WIDTH, (k + 1) * WIDTH) for k in (i, f, o, g)])
    gates = x @ torchs.weight_ih_l0[order].T + (torchs.bias_ih_l0 + torchs.bias_hh_l0)[order]
    found = lstm(gates[None], torchs.weight_hh_l0[order].T[None], torch.ones(1, 3, PLACES))
    torch.testing.assert_close(found[0], torchs(x)[0], atol=1e-5, rtol=1e-5)


def test_padding_in_front_leaves_no_trace(sequences):
    gates, recurrent, seen = sequences
    later = torch.cat([torch.randn_like(gates), gates], 2)
    marked = torch.cat([torch.zeros_like(seen), seen], 2)
    found = lstm(later, recurrent, marked)[:, :, PLACES:]
    torch.testing.assert_close(found, lstm(gates, recurrent, seen))


def test_the_order_of_steps_matters(sequences):
    gates, recurrent, seen = sequences
    turned = lstm(gates.flip(2), recurrent, seen)
    assert not torch.allclose(turned[:, :, -1], lstm(gates, recurrent, seen)[:, :, -1], atol=1e-3)


def test_each_set_has_a_matrix_of_its_own(sequences):
    gates, recurrent, seen = sequences
    both = lstm(gates, recurrent, seen)
    for k in range(2):
        one = lstm(gates[k : k + 1], recurrent[k : k + 1], seen[k : k + 1])
        torch.testing.assert_close(both[k : k + 1], one)


def test_folds_run_in_one_pass(sequences):
    gates, recurrent, seen = sequences
    together = torch.func.vmap(lstm)(
        torch.stack([gates, -gates]), torch.stack([recurrent] * 2), torch.stack([seen] * 2)
    )
    torch.testing.assert_close(together[1], lstm(-gates, recurrent, seen))
