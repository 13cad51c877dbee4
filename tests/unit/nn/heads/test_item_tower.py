"""The head that scores items: every item at once, or those of a batch."""

import math

import pytest
import torch

from superpose.nn import CategoryEncoder, ItemTower, RetrievalHead
from superpose.nn.heads import _item_tower


def head(counts=(6, 3, 1), size=4, **described):
    torch.manual_seed(0)
    return RetrievalHead(8, counts, ItemTower([c > 0 for c in counts], size, **described))


def test_scores_begin_as_the_popularity_of_items():
    found = head()(torch.zeros(1, 8)).softmax(-1)
    torch.nn.init.zeros_((begun := head()).ask.bias)
    pred = begun(torch.zeros(1, 8)).softmax(-1)[0]
    torch.testing.assert_close(pred, torch.tensor([6.5, 3.5, 1.5]) / 11.5)
    assert found.shape == (1, 3)


def test_an_item_without_rows_has_no_vector_of_its_own_but_that_of_its_inputs():
    bare = head(counts=(2, 2, 0))
    assert (bare.tower(torch.tensor([2])) == 0).all()
    codes = torch.tensor([[2], [3], [3]])
    tower = ItemTower(
        [True, True, False], 4, encoders=[CategoryEncoder([4], 4)], blocks=[codes]
    ).eval()
    one, cold = tower(torch.tensor([1, 2]))
    assert not torch.equal(one, cold)
    torch.testing.assert_close(one - tower.vectors[1], cold)


def test_with_all_items_in_a_batch_once_it_is_the_softmax_over_them(monkeypatch):
    monkeypatch.setattr(_item_tower, "FEW_ITEMS", 1)
    module = head(counts=(4, 4, 4)).train()  # equally common: then the correction cancels
    state, labels = torch.randn(3, 8), torch.tensor([[2.0], [0.0], [1.0]])
    within = module(state, labels)[:, 0]
    whole = module.eval()(state, labels).log_softmax(-1)
    torch.testing.assert_close(within, whole.gather(1, labels.long())[:, 0])


def test_the_correction_takes_an_items_share_from_its_score(monkeypatch):
    monkeypatch.setattr(_item_tower, "FEW_ITEMS", 1)
    module = head(counts=(8, 1)).train()
    torch.nn.init.zeros_(module.ask.weight)
    torch.nn.init.zeros_(module.ask.bias)
    # Scores are the logarithms of shares: less themselves, all items of a batch are alike.
    found = module(torch.zeros(2, 8), torch.tensor([[0.0], [1.0]]))
    torch.testing.assert_close(found, torch.full((2, 1), -math.log(2)))


def test_a_row_has_its_own_item_once_and_rows_without_a_label_offer_none(monkeypatch):
    monkeypatch.setattr(_item_tower, "FEW_ITEMS", 1)
    module = head().train()
    state = torch.randn(4, 8)
    labels = torch.tensor([[0.0], [1.0], [0.0], [torch.nan]])
    found = module(state, labels)
    alone = module(state[:2], labels[:2])
    torch.testing.assert_close(found[0], alone[0])
    assert torch.isfinite(found).all()


@pytest.mark.parametrize("few", [1, 2000])
def test_the_networks_of_folds_may_run_in_one_pass(monkeypatch, few):
    monkeypatch.setattr(_item_tower, "FEW_ITEMS", few)
    codes = torch.tensor([[2], [3], [3]])
    modules = [
        RetrievalHead(
            8,
            [2, 1, 0],
            ItemTower([True, True, False], 4, encoders=[CategoryEncoder([4], 4)], blocks=[codes]),
        )
        for _ in range(2)
    ]
    weights, buffers = torch.func.stack_module_state(modules)
    states, labels = torch.randn(2, 5, 8), torch.randint(0, 2, (2, 5, 1)).float()

    def one(weights, buffers, state, label):
        return torch.func.functional_call(modules[0], (weights, buffers), (state, label))

    both = torch.func.vmap(one, randomness="different")(weights, buffers, states, labels)
    assert both.shape == (2, 5, 1 if few == 1 else 3)
    assert torch.isfinite(both).all()
    for module in modules:
        module.eval()
    both = torch.func.vmap(one)(weights, buffers, states, labels)
    torch.testing.assert_close(both[1], modules[1](states[1]))


@pytest.mark.parametrize("training", [True, False])
def test_rows_alone_are_scored_as_in_any_batch(training):
    module = head().train(training)
    states = torch.randn(5, 8)
    torch.testing.assert_close(module(states)[2:3], module(states[2:3]))
