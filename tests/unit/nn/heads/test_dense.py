"""Heads with an answer for each place: they read the map and their task's state."""

import pytest
import torch

from superpose.nn import (
    Architecture,
    CategoryEncoder,
    DenseHead,
    DenseNetwork,
    LocationHead,
    Network,
    WordEncoder,
)

PLACES, LABELS = 6, 4
HEADS = {"intent": 3, "slots": DenseHead("words", LABELS), "sick": 1}


def make(heads=HEADS, observed=None, **more):
    torch.manual_seed(0)
    encoders = {"words": WordEncoder(30, 10, 16), "categories": CategoryEncoder([5], 4)}
    shape = Architecture(**{"width": 16, "members": 3, "state": 8, "rank": 4, **more})
    return DenseNetwork(encoders, heads, shape, observed=observed)


def rows(count=5, seed=1):
    torch.manual_seed(seed)
    words = torch.randint(1, 10, (count, PLACES, 3))
    for row in range(count):
        words[row, 1 + row % 4 :] = 0  # four words at most
    return {"words": words, "categories": torch.randint(0, 5, (count, 1))}


@pytest.fixture
def network():
    return make().eval()


def wake(network):
    """Move everything that starts at nothing."""
    for name, parameter in network.named_parameters():
        if "light" in name or name.endswith(("gate", "pair", "sink")):
            torch.nn.init.normal_(parameter)
    return network


def test_rows_and_locations_have_outputs_of_their_own(network):
    out = network(rows())
    assert out.rows.shape == (5, 3, 3, 3)
    assert {t: z.shape for t, z in out.dense.items()} == {"slots": (5, 1, PLACES * LABELS)}


def test_there_is_no_output_where_a_row_has_no_location(network):
    blocks = rows()
    found = network(blocks).dense["slots"].view(5, PLACES, LABELS)
    assert torch.equal(found.isnan().all(-1), blocks["words"][..., 0] == 0)
    assert torch.equal(found.isnan().any(-1), blocks["words"][..., 0] == 0)


def test_one_row_alone_has_the_outputs_of_any_batch(network):
    blocks = rows()
    whole = wake(network)(blocks)
    for row in range(5):
        alone = network({name: block[row : row + 1] for name, block in blocks.items()})
        torch.testing.assert_close(alone.rows[0], whole.rows[row], atol=2e-6, rtol=1e-5)
        torch.testing.assert_close(
            alone.dense["slots"][0], whole.dense["slots"][row], atol=2e-6, rtol=1e-5, equal_nan=True
        )


def test_trimming_changes_no_output(network):
    blocks = rows()
    short = network.trimmed(blocks)
    assert short["words"].shape[1] == 4
    whole, cut = wake(network)(blocks), network(short)
    torch.testing.assert_close(cut.rows, whole.rows, atol=2e-6, rtol=1e-5)
    size = cut.dense["slots"].shape[-1]
    torch.testing.assert_close(
        cut.dense["slots"], whole.dense["slots"][..., :size], atol=2e-6, rtol=1e-5, equal_nan=True
    )
    assert whole.dense["slots"][..., size:].isnan().all()


def test_at_the_start_a_state_changes_no_location():
    head = LocationHead(6, 4, n_outputs=3)
    places = torch.randn(2, 5, 6)
    plain = head.out(places)
    assert torch.equal(head(places, torch.randn(2, 4)), plain)


def test_a_state_changes_every_location_of_its_row_and_of_no_other():
    head = LocationHead(6, 4, n_outputs=3)
    torch.nn.init.normal_(head.light.weight)
    places, state = torch.randn(2, 5, 6), torch.zeros(2, 4)
    before = head(places, state)
    state[0] = 1.0
    moved = (head(places, state) - before).abs().amax(-1)
    assert (moved[0] > 0).all()
    assert (moved[1] == 0).all()


def test_other_targets_reach_the_locations_through_the_fusion(network):
    blocks = rows()
    wake(network)
    before = network(blocks).dense["slots"]
    with torch.no_grad():  # the state of target 0 is moved, that of target 1 is not
        network.states.bias[:, :8] += 5.0
    moved = (network(blocks).dense["slots"] - before).abs()
    assert moved[~moved.isnan()].min() > 0
    network.fusion = torch.nn.ModuleList()
    alone = network(blocks).dense["slots"]
    with torch.no_grad():
        network.states.bias[:, :8] += 5.0
    torch.testing.assert_close(network(blocks).dense["slots"], alone, equal_nan=True)


def test_every_parameter_has_a_gradient_and_padding_none():
    network = wake(make())
    out = network(rows())
    there = out.dense["slots"].nan_to_num()
    (there.square().sum() + out.rows.square().sum()).backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name


def test_a_network_may_have_locations_only():
    network = make({"slots": DenseHead("words", LABELS)})
    out = network(rows())
    assert out.rows.shape == (5, 3, 1, 0)
    out.dense["slots"].nan_to_num().sum().backward()


def test_two_targets_share_the_map_of_one_input():
    network = make({"slots": DenseHead("words", 2), "parts": DenseHead("words", 3)})
    calls = []
    network.encoders["words"].read.register_forward_hook(lambda *_: calls.append(1))
    out = network(rows())
    assert [z.shape[-1] for z in out.dense.values()] == [2 * PLACES, 3 * PLACES]
    assert len(calls) == 1


def test_the_outputs_for_rows_are_those_of_a_network_without_locations(network):
    plain = Network(
        {"words": WordEncoder(30, 10, 16), "categories": CategoryEncoder([5], 4)},
        {"intent": 3, "slots": 0, "sick": 1},
        Architecture(width=16, members=3, state=8, rank=4),
    ).eval()
    plain.load_state_dict(network.state_dict(), strict=False)
    torch.testing.assert_close(network(rows()).rows, plain(rows()))


def test_what_is_given_of_a_row_reaches_its_locations():
    network = wake(make(observed=[2, 1, 1])).eval()
    blocks = rows()
    hidden = network({**blocks, "given": torch.full((5, 4), torch.nan)}).dense["slots"]
    pred = torch.full((5, 4), torch.nan)
    pred[:, 0] = 1.0
    moved = (network({**blocks, "given": pred}).dense["slots"] - hidden).abs()
    assert moved[~moved.isnan()].min() > 0
