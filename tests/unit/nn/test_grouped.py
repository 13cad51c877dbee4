"""Groups of targets: each predicts as a network of its own, and nothing passes between them."""

from collections.abc import Callable, Sequence

import pytest
import torch

from superpose.nn import GIVEN, Architecture, Grouped, Network, NumberEncoder

SIZES = (2, 3, 1, 2)
WIDTHS = (1, 2, 1, 1)  # columns in which a measured value of each target is read
GROUPS = [[0, 2], [1], [3]]
NAN = float("nan")


def make_networks(
    groups: Sequence[Sequence[int]], fusion: str = "task-attention", given: bool = False
) -> list[Network]:
    torch.manual_seed(0)
    networks = []
    for own in groups:
        encoders: dict[str, torch.nn.Module] = {
            "numbers": NumberEncoder([[-1.0, 0.0, 1.0], [0.0, 1.0]], 4)
        }
        if given:
            encoders[GIVEN] = NumberEncoder([[-1.0, 1.0]] * sum(WIDTHS), 4)
        sizes = Architecture(fusion=fusion, width=12, members=3, state=6, rank=3)
        pred = WIDTHS if given else None
        networks.append(
            Network(encoders, {str(t): SIZES[t] for t in own}, sizes, observed=pred, own=own).eval()
        )
        for fuse in networks[-1].fusion:
            if hasattr(fuse, "gate"):  # away from the start, where nothing is shared
                torch.nn.init.ones_(fuse.gate)
    return networks


@pytest.fixture
def blocks() -> dict[str, torch.Tensor]:
    torch.manual_seed(1)
    return {"numbers": torch.randn(7, 2), GIVEN: torch.full((7, sum(WIDTHS)), NAN)}


@pytest.fixture
def grouped() -> Callable[..., Grouped]:
    return lambda *args, **more: Grouped(make_networks(GROUPS, *args, **more), GROUPS).eval()


def test_each_group_says_what_its_network_says_in_the_order_of_the_targets(
    grouped, fusion_name, blocks
):
    whole = grouped(fusion_name)(blocks)
    assert whole.shape == (7, 3, 4, 3)
    for own, network in zip(GROUPS, make_networks(GROUPS, fusion_name), strict=True):
        alone = network(blocks)
        for place, target in enumerate(own):
            size = SIZES[target]
            assert torch.equal(whole[..., target, :size], alone[..., place, :size])


def test_hidden_vectors_and_states_are_those_of_the_groups(grouped, blocks):
    network = grouped()
    hidden = network.hidden(blocks)
    assert hidden.shape == (7, 3, 3 * 12)
    states, fused = network.task_states(hidden, blocks), network.fused_states(blocks)
    for own, part, vectors in zip(GROUPS, make_networks(GROUPS), hidden.chunk(3, -1), strict=True):
        assert torch.equal(vectors, part.hidden(blocks))
        assert torch.equal(states[..., own, :], part.task_states(vectors, blocks))
        assert torch.equal(fused[..., own, :], part.fused_states(blocks))


def test_no_gradient_crosses_groups(grouped, fusion_name, blocks):
    network = grouped(fusion_name)
    for number, own in enumerate(GROUPS):
        network.zero_grad(set_to_none=True)
        network(blocks)[..., own, :].square().sum().backward()
        reached = {
            int(name.split(".")[1])
            for name, weight in network.named_parameters()
            if weight.grad is not None and bool(weight.grad.abs().sum() > 0)
        }
        assert reached == {number}


@pytest.mark.parametrize("fusion", ["task-attention", "none"])
def test_a_probe_changes_nothing_and_their_gradient_is_what_a_target_asks_of_its_own_trunk(
    grouped, blocks, fusion
):
    network = grouped(fusion)
    probe = torch.zeros(network.probe_shape(7), requires_grad=True)
    out = network(blocks, probe)
    torch.testing.assert_close(out, network(blocks), rtol=1e-5, atol=1e-6)
    for target in range(4):
        out[..., target, :].sum().backward(retain_graph=True)
        for own, part in zip(GROUPS, probe.grad.chunk(3, -1), strict=True):
            assert bool(part.abs().sum() > 0) == (target in own)
        probe.grad = None


def test_the_map_has_nothing_between_groups_and_who_is_alone_listens_to_nobody(grouped, blocks):
    weights = grouped().attention(blocks)
    assert weights.shape == (7, 4, 5)
    torch.testing.assert_close(weights.sum(-1), torch.ones(7, 4))
    inside = make_networks(GROUPS)[0].attention(blocks)
    assert torch.equal(weights[..., [0, 2], :][..., [0, 2, 4]], inside)
    for lonely in (1, 3):
        assert torch.equal(weights[..., lonely, 4], torch.ones(7))


def test_without_a_map_in_any_group_there_is_none(grouped, blocks):
    assert grouped("none").attention(blocks) is None
    assert grouped("mmoe").attention(blocks) is None


def test_a_measured_value_reaches_every_group_through_its_trunk_and_its_own_state(grouped, blocks):
    network = grouped("none", given=True)
    pred = {**blocks, GIVEN: blocks[GIVEN].clone()}
    pred[GIVEN][2, 0] = 0.7  # of target 0
    changed = (network(pred) != network(blocks)).any(-1).any(1)  # rows, targets
    assert changed.nonzero()[:, 0].unique().tolist() == [2]
    assert changed[2].all()
    hidden = network.hidden(blocks)
    states = (network.task_states(hidden, pred) != network.task_states(hidden, blocks)).any(-1)
    assert states.any(1).nonzero().tolist() == [[2, 0]]


def test_one_group_of_all_is_the_network_itself(blocks):
    everyone = [[0, 1, 2, 3]]
    network = make_networks(everyone, given=True)[0]
    assert torch.equal(Grouped([network], everyone)(blocks), network(blocks))
