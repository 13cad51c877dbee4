"""Heads that start from numbers of a series."""

import math

import pytest
import torch

from superpose.nn import (
    Architecture,
    DenseHead,
    DenseNetwork,
    Grouped,
    Network,
    ResidualForecastHead,
    SeriesEncoder,
    StackedNetworks,
)

NAN = math.nan
SIZES = Architecture(width=8, members=2, state=4, rank=2)


@pytest.fixture
def network():
    torch.manual_seed(0)
    head = ResidualForecastHead(n_outputs=4, n_steps=2, block="past", index=1, gain=2.0, offset=0.5)
    heads = {"sick": 1, "load": head}
    return Network({"past": SeriesEncoder(2, 3, 8)}, heads, SIZES).eval()


def untrained(network):
    """Let the linear maps say nothing, so that what is left is where the heads start."""
    torch.nn.init.zeros_(network.heads.weight)
    torch.nn.init.zeros_(network.heads.bias)


def test_a_head_that_says_nothing_tells_what_it_keeps_of_the_last_number_that_is_there(network):
    untrained(network)
    past = torch.tensor([[[9.0, 1.0], [9.0, 3.0], [9.0, NAN]], [[9.0, NAN]] * 3])
    kept = torch.sigmoid(torch.tensor(2.0))
    out = network({"past": past})
    assert out.shape == (2, 2, 2, 6), "rows, members, targets, the widest linear map"
    torch.testing.assert_close(out[0, :, 1, :2], (kept * 6.5).expand(2, 2))
    assert not out[1, :, 1, :2].any(), "where none is there it starts from the mean"
    assert not out[..., 1, 2:].any(), "the rest, such as scales, starts from nothing"
    assert not out[..., 0, :].any(), "nor does another target's head"


def test_a_state_can_distrust_the_last_number(network):
    untrained(network)
    with torch.no_grad():
        network.heads.bias[:, 1, 4] = -30.0  # of the first step only
    out = network({"past": torch.ones(1, 3, 2)})
    assert out[..., 1, 0].abs().max() < 1e-6
    assert out[..., 1, 1].min() > 2


def test_in_a_network_of_groups_it_starts_alike(network):
    past = torch.randn(5, 3, 2)
    grouped = Grouped([network], [[0, 1]])
    assert torch.equal(grouped({"past": past}), network({"past": past}))


def test_with_a_period_it_keeps_shares_of_both():
    head = ResidualForecastHead(n_outputs=2, n_steps=2, block="past", index=0, before=(-2, -1))
    assert head.n_columns == 6
    series = torch.tensor([[[1.0], [5.0], [9.0]]])
    shares = torch.tensor([2.0, 0.0, 0.0]).softmax(0)
    pred = head(torch.zeros(1, 1, 6), series)[0, 0]
    torch.testing.assert_close(pred[0], shares[0] * 9 + shares[1] * 5)
    torch.testing.assert_close(pred[1], shares[0] * 9 + shares[1] * 9)
    out = torch.zeros(1, 1, 6)
    out[..., 2:4], out[..., 4:6] = -50.0, 50.0  # trust the period alone
    torch.testing.assert_close(head(out, series)[0, 0], torch.tensor([5.0, 9.0]))


def test_a_number_that_is_missing_has_no_share():
    head = ResidualForecastHead(n_outputs=1, n_steps=1, block="past", index=0, before=(-3,))
    series = torch.tensor([[[NAN], [5.0], [NAN]], [[4.0], [NAN], [NAN]]])
    first, second = head(torch.zeros(2, 1, 3), series)[:, 0, 0]
    alone = torch.tensor([2.0, 0.0]).softmax(0)[0]
    torch.testing.assert_close(first, alone * 5, msg="not the 5, but nothing stands for the gap")
    shares = torch.tensor([2.0, 0.0, 0.0]).softmax(0)
    torch.testing.assert_close(second, (shares[0] + shares[1]) * 4)


def test_several_networks_in_one_pass_start_as_each_alone():
    head = ResidualForecastHead(n_outputs=4, n_steps=2, block="past", index=1, before=(-3, -2))
    heads = {"sick": 1, "load": head}

    def make():
        return Network({"past": SeriesEncoder(2, 3, 8)}, heads, SIZES)

    torch.manual_seed(0)
    networks = StackedNetworks(make, 2).eval()
    past = torch.randn(5, 3, 2)
    past[0, :, 1] = NAN
    together = networks({"past": past.expand(2, -1, -1, -1)})
    for place in range(2):
        single = StackedNetworks(make, 1).eval()
        single.restore({name: w[place, None] for name, w in networks.snapshot().items()})
        torch.testing.assert_close(single({"past": past[None]})[0], together[place])


def test_beside_outputs_for_each_step_it_starts_alike():
    torch.manual_seed(0)
    head = ResidualForecastHead(n_outputs=4, n_steps=2, block="past", index=1)
    heads = {"load": head, "alarm": DenseHead("past", 2)}
    dense = DenseNetwork({"past": SeriesEncoder(2, 3, 8)}, heads, SIZES)
    untrained(dense.eval())
    rows, located = dense({"past": torch.ones(1, 3, 2)})
    torch.testing.assert_close(rows[0, :, 0, :2], torch.sigmoid(torch.tensor(2.0)).expand(2, 2))
    assert located["alarm"].shape == (1, 1, 6)
