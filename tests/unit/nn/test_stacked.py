"""StackedNetworks: P networks in one pass are the P networks."""

import pytest
import torch

from superpose.nn import (
    Architecture,
    CategoryEncoder,
    DenseHead,
    DenseNetwork,
    ImageEncoder,
    Network,
    NumberEncoder,
    StackedNetworks,
    WordEncoder,
)

ROWS = 7


def make_network(dropout=0.0):
    encoders = {
        "numbers": NumberEncoder([[-1.0, 0.0, 1.0], [0.0, 1.0]], 4),
        "categories": CategoryEncoder([4], 4),
    }
    sizes = Architecture(width=12, members=2, state=6, rank=3, dropout=dropout)
    network = Network(encoders, {"a": 2, "b": 1, "c": 1}, sizes)
    for fuse in network.fusion:  # away from the start, so that the fusion has a say
        torch.nn.init.ones_(fuse.gate)
    return network


@pytest.fixture(params=[1, 4])
def replicas(request):
    torch.manual_seed(0)
    return StackedNetworks(make_network, request.param)


@pytest.fixture
def apart(replicas):
    """The same networks, each on its own."""
    networks = []
    for p in range(replicas.count):
        network = make_network()
        own = {name: weight[p] for name, weight in replicas.snapshot().items()}
        assert network.load_state_dict(own, strict=False).unexpected_keys == []
        networks.append(network)
    return networks


@pytest.fixture
def blocks(replicas):
    torch.manual_seed(1)
    numbers = torch.randn(replicas.count, ROWS, 2)
    numbers[:, ::3, 0] = float("nan")
    return {
        "numbers": numbers,
        "categories": torch.randint(0, 4, (replicas.count, ROWS, 1)),
    }


def one(blocks, p):
    return {name: block[p] for name, block in blocks.items()}


def gradients(replicas):
    """Gradient by the network's own parameter names, leading axis P."""
    if replicas.count == 1:
        return {k: p.grad[None] for k, p in replicas.single.named_parameters()}
    return dict(zip(replicas.snapshot(), (p.grad for p in replicas.stacked), strict=True))


def backward(replicas, apart, blocks, scale=1.0):
    (scale * replicas(blocks).square().sum()).backward()
    for p, network in enumerate(apart):
        (scale * network(one(blocks, p)).square().sum()).backward()


def test_outputs_are_those_of_separate_networks(replicas, apart, blocks):
    together = replicas(blocks)
    assert together.shape == (replicas.count, ROWS, 2, 3, 2)
    for p, network in enumerate(apart):
        torch.testing.assert_close(together[p], network(one(blocks, p)), atol=1e-6, rtol=1e-5)


def test_gradients_are_those_of_separate_networks(replicas, apart, blocks):
    backward(replicas, apart, blocks)
    for name, stacked in gradients(replicas).items():
        for p, network in enumerate(apart):
            own = dict(network.named_parameters())[name].grad
            torch.testing.assert_close(stacked[p], own, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("largest", [1e-3, 1.0, 1e6])
def test_each_network_is_clipped_by_its_own_norm(replicas, apart, blocks, largest):
    with torch.no_grad():
        blocks["numbers"][0] *= 10  # one network has far larger gradients
    backward(replicas, apart, blocks)
    norms = replicas.clip(largest)
    for p, network in enumerate(apart):
        own = torch.nn.utils.clip_grad_norm_(network.parameters(), largest)
        torch.testing.assert_close(norms[p], own, atol=1e-5, rtol=1e-4)
        for name, parameter in network.named_parameters():
            clipped = gradients(replicas)[name][p]
            torch.testing.assert_close(clipped, parameter.grad, atol=1e-5, rtol=1e-4)


def test_a_step_is_that_of_separate_networks(replicas, apart, blocks):
    backward(replicas, apart, blocks)
    for module in (replicas, *apart):
        torch.optim.AdamW(module.parameters(), 0.01, weight_decay=0.1).step()
    for name, stacked in replicas.snapshot().items():
        for p, network in enumerate(apart):
            own = dict(network.named_parameters())[name].detach()
            torch.testing.assert_close(stacked[p], own, atol=1e-4, rtol=1e-4)


def test_networks_start_apart():
    torch.manual_seed(0)
    heads = StackedNetworks(make_network, 3).snapshot()["heads.weight"]
    assert not torch.allclose(heads[0], heads[1])
    assert not torch.allclose(heads[1], heads[2])


def test_dropout_differs_between_networks():
    torch.manual_seed(0)
    replicas = StackedNetworks(lambda: make_network(dropout=0.5), 2)
    same = {name: w[:1].expand_as(w) for name, w in replicas.snapshot().items()}
    replicas.restore(same)
    row = {"numbers": torch.randn(1, ROWS, 2), "categories": torch.ones(1, ROWS, 1).long()}
    out = replicas.train()({name: b.expand(2, *b.shape[1:]) for name, b in row.items()})
    assert not torch.allclose(out[0], out[1])
    calm = replicas.eval()({name: b.expand(2, *b.shape[1:]) for name, b in row.items()})
    torch.testing.assert_close(calm[0], calm[1])


def test_restoring_a_snapshot_undoes_training(replicas, apart, blocks):
    before, kept = replicas(blocks), replicas.snapshot()
    backward(replicas, apart, blocks)
    torch.optim.SGD(replicas.parameters(), 0.1).step()
    assert not torch.allclose(replicas(blocks), before)
    replicas.restore(kept)
    assert torch.equal(replicas(blocks), before)


def test_a_snapshot_is_a_copy(replicas):
    kept = replicas.snapshot()
    before = {name: weight.clone() for name, weight in kept.items()}
    with torch.no_grad():
        for parameter in replicas.parameters():
            parameter.add_(1.0)
    assert all(torch.equal(kept[name], weight) for name, weight in before.items())


def make_dense():
    sizes = Architecture(width=12, members=2, state=6, rank=3)
    heads = {"intent": 2, "slots": DenseHead("words", 3)}
    return DenseNetwork({"words": WordEncoder(20, 9, 8)}, heads, sizes)


@pytest.mark.parametrize("count", [1, 3])
def test_networks_with_locations_are_run_in_one_pass_and_end_with_the_last_location(count):
    torch.manual_seed(0)
    replicas = StackedNetworks(make_dense, count).eval()
    words = torch.randint(1, 9, (count, ROWS, 8, 4))
    words[:, :, 5:] = 0
    words[:, 0, 2:] = 0
    out = replicas({"words": words})
    assert out.rows.shape == (count, ROWS, 2, 2, 2)
    assert out.dense["slots"].shape == (count, ROWS, 1, 5 * 3)
    for p in range(count):
        network = make_dense().eval()
        own = {name: weight[p] for name, weight in replicas.snapshot().items()}
        network.load_state_dict(own, strict=False)
        alone = network({"words": words[p]})
        torch.testing.assert_close(out.rows[p], alone.rows, atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(
            out.dense["slots"][p],
            alone.dense["slots"][..., : 5 * 3],
            atol=1e-5,
            rtol=1e-4,
            equal_nan=True,
        )


@pytest.mark.parametrize("count", [1, 3])
def test_convolutions_take_smaller_steps_than_the_trunk_alone_or_in_folds(count):
    encoders = {"picture": ImageEncoder(8), "numbers": NumberEncoder([[0.0, 1.0]], 4)}
    replicas = StackedNetworks(lambda: Network(encoders, {"a": 1}, Architecture(members=2)), count)
    rates = {name: weight.rate for name, weight in replicas._named() if hasattr(weight, "rate")}
    assert {n for n, rate in rates.items() if rate < 1} == {n for n in rates if "picture" in n}
    assert len({rate for name, rate in rates.items() if "picture" in name}) == 1


def test_a_weight_without_an_axis_counts_in_the_length_of_each_network():
    class Scaled(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = torch.nn.Parameter(torch.ones(()))

        def forward(self, blocks, probe=None):
            return blocks["x"] * self.scale

    replicas = StackedNetworks(Scaled, 2)
    replicas({"x": torch.tensor([[3.0], [0.5]])}).sum().backward()
    torch.testing.assert_close(replicas.clip(1.0), torch.tensor([3.0, 0.5]))
    assert replicas.stacked[0].grad.tolist() == pytest.approx([1.0, 0.5], abs=1e-5)
