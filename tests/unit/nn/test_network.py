"""The network: encoders to heads, with any fusion between."""

import pytest
import torch

from superpose.nn import Architecture, Network, NoFusion


def test_raw_outputs_have_rows_members_targets_and_the_widest_head(
    make_network, fusion_name, blocks
):
    assert make_network(fusion_name)(blocks).shape == (10, 3, 3, 3)


def test_one_row_alone_predicts_as_in_any_batch(make_network, fusion_name, blocks):
    network = make_network(fusion_name).eval()
    whole = network(blocks)
    for row in (0, 4, 9):
        alone = network({name: block[row : row + 1] for name, block in blocks.items()})
        torch.testing.assert_close(alone[0], whole[row], atol=2e-6, rtol=1e-5)


def test_evaluation_is_the_same_twice(make_network, fusion_name, blocks):
    network = make_network(fusion_name, dropout=0.5).eval()
    assert torch.equal(network(blocks), network(blocks))


def test_every_parameter_has_a_gradient(make_network, fusion_name, blocks):
    network = make_network(fusion_name)
    network(blocks).square().sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name


@pytest.mark.parametrize("depth", [1, 2])
def test_task_attention_changes_no_output_at_the_start(make_network, blocks, depth):
    shared = make_network("task-attention", blocks=depth).eval()
    apart = make_network("none", blocks=depth).eval()
    missing = apart.load_state_dict(shared.state_dict(), strict=False).missing_keys
    assert missing == []
    assert (shared(blocks) - apart(blocks)).abs().max() == 0


def test_fusion_away_from_its_start_lets_targets_exchange(make_network, blocks):
    network = make_network("task-attention").eval()
    before = network(blocks)
    torch.nn.init.ones_(network.fusion[0].gate)
    assert not torch.allclose(network(blocks), before, atol=1e-4)


def test_one_target_needs_no_fusion(make_network, fusion_name, blocks):
    network = make_network(fusion_name, sizes=(2,))
    assert all(isinstance(fuse, NoFusion) for fuse in network.fusion)
    assert network(blocks).shape == (10, 3, 1, 2)


def test_the_map_is_one_of_rows_and_has_the_sink_last(make_network, fusion_name, blocks):
    weights = make_network(fusion_name).attention(blocks)
    assert (weights is None) == (fusion_name in ("none", "inducing", "mmoe", "ple", "mtan"))
    if weights is not None:
        assert weights.shape == (10, 3, 4)
        assert (weights >= 0).all()
        torch.testing.assert_close(weights.sum(-1), torch.ones(10, 3))


LISTENERS = ["task-attention", "static", "inducing", "born", "born-real", "signed"]


@pytest.mark.parametrize("fusion", LISTENERS)
def test_what_listens_changes_no_output_at_the_start(make_network, blocks, fusion):
    shared, apart = make_network(fusion).eval(), make_network("none").eval()
    assert apart.load_state_dict(shared.state_dict(), strict=False).missing_keys == []
    assert torch.equal(shared(blocks), apart(blocks))


@pytest.mark.parametrize("fusion", LISTENERS)
def test_the_donor_gradient_scales_what_reaches_the_donors_and_no_output(
    make_network, blocks, fusion
):
    reached, outputs = [], []
    for share in (1.0, 0.5, 0.0):
        network = make_network(fusion, donor_gradient=share).eval()
        torch.nn.init.ones_(network.fusion[0].gate)
        for name in ("query", "key"):  # constant weights: the gradient of speaking is left
            if hasattr(network.fusion[0], name):
                torch.nn.init.zeros_(getattr(network.fusion[0], name).weight)
        states = network.task_states(network.hidden(blocks), blocks).detach().requires_grad_()
        out = network.fusion[0](states)
        out[..., 0, :].sum().backward()  # the first target listens, the others speak
        reached.append(states.grad[..., 1:, :].clone())
        outputs.append(out.detach())
    assert torch.equal(outputs[0], outputs[2])
    assert reached[0].abs().max() > 0
    torch.testing.assert_close(reached[1], reached[0] / 2)
    assert reached[2].abs().max() == 0


def test_a_head_reads_the_state_of_its_own_target(make_network, blocks):
    network = make_network("none").eval()
    before = network(blocks)
    with torch.no_grad():
        network.heads.weight[:, 1] += 1.0
        network.heads.bias[:, 1] += 1.0
    after = network(blocks)
    assert torch.equal(after[..., [0, 2], :], before[..., [0, 2], :])
    assert not torch.isclose(after[..., 1, :], before[..., 1, :]).any()


def test_a_network_needs_no_particular_encoder():
    class Given(torch.nn.Module):
        out_features = 6

        def forward(self, block):
            return block.unflatten(-1, (2, 3))

    network = Network(
        {"given": Given()}, {"a": 1, "b": 1}, Architecture(width=8, members=2, state=4)
    )
    assert network({"given": torch.randn(5, 6)}).shape == (5, 2, 2, 1)
