"""Balancing in the loop: the right gradients, the right targets, and the same numbers resumed."""

import re
from importlib import util

import numpy as np
import pytest
import torch

from superpose.balance import BALANCERS
from superpose.config import BalanceConfig
from superpose.errors import MissingExtraError
from superpose.functional import probe_gramian, weight_gramian
from superpose.nn import FUSIONS, Architecture, Network, NumberEncoder, StackedNetworks
from superpose.training import Balance, _state, require_balance

B, T = 12, 3


def networks(fusion, count, members=2):
    """P networks of one column and three targets, a batch for them, and made-up losses."""
    torch.manual_seed(0)
    sizes = Architecture(fusion, width=8, members=members, depth=2, state=4, rank=2, dropout=0.0)

    def make():
        encoders = {"numbers": NumberEncoder([[-1.0, 0.0, 1.0]], 4)}
        return Network(encoders, {str(t): 1 for t in range(T)}, sizes)

    stacked = StackedNetworks(make, count)
    for name, weight in stacked.named_parameters():
        if "gate" in name:  # nothing would pass between targets at the start
            torch.nn.init.normal_(weight)
    if count > 1:
        for name, weight in zip(stacked._names, stacked.stacked, strict=True):
            if name.endswith("gate"):
                torch.nn.init.normal_(weight)
    batch = {"numbers": torch.randn(count, B, 1)}
    labels = torch.randn(count, B, 1, T)
    return stacked, batch, lambda out: (out[..., 0] - labels).square().mean((1, 2))


def explicit(stacked, batch, losses_of):
    """The Gramian at the trunk's output, by one network and one target at a time."""
    found = []
    for p in range(stacked.count):
        network = stacked.single if stacked.count == 1 else stacked._base[0]
        if stacked.count > 1:
            network = networks_module(stacked, p)
        seen = {}

        def keep(module, inputs, output, seen=seen):
            seen["hidden"] = output
            return output

        handle = network.trunk.register_forward_hook(keep)
        out = network({name: block[p] for name, block in batch.items()})
        handle.remove()
        whole = torch.zeros(stacked.count, *out.shape)
        whole = torch.stack([out if q == p else whole[q] for q in range(stacked.count)])
        losses = losses_of(whole)[p]
        rows = [
            torch.autograd.grad(loss, seen["hidden"], retain_graph=True)[0].flatten()
            for loss in losses
        ]
        rows = torch.stack(rows)
        found.append(rows @ rows.T)
    return torch.stack(found)


def networks_module(stacked, p):
    """One of several stacked networks as a module of its own."""
    fresh, _, _ = networks(fusion_of(stacked), 1)
    fresh.single.load_state_dict({k: v[p] for k, v in stacked._by_name().items()}, strict=False)
    return fresh.single


def fusion_of(stacked):
    kind = type(stacked._base[0].fusion[0])
    return next(name for name, method in FUSIONS.items() if method is kind)


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("fusion", ["none", "task-attention", "cross-stitch", "mmoe"])
def test_the_gramian_is_that_of_explicit_gradients(fusion, count):
    stacked, batch, losses_of = networks(fusion, count)
    probe = stacked.gradient_probe(B)
    losses = losses_of(stacked(batch, probe))
    torch.testing.assert_close(losses, losses_of(stacked(batch)))  # probe change nothing
    found = probe_gramian(losses, probe, stacked.probe_to_trunk)
    torch.testing.assert_close(found, explicit(stacked, batch, losses_of), rtol=1e-4, atol=1e-7)
    losses.sum().backward()  # the graph is still there


@pytest.mark.parametrize("count", [1, 3])
def test_the_gramian_of_weights_is_that_of_the_shared_weights(count):
    stacked, batch, losses_of = networks("task-attention", count)
    losses = losses_of(stacked(batch))
    found = weight_gramian(losses, stacked.shared())
    names = [n for n in stacked._by_name() if n.startswith(("encoders.", "trunk."))]
    for p in range(count):
        rows = []
        for t in range(T):
            stacked.zero_grad()
            losses[p, t].backward(retain_graph=True)
            grads = [stacked._by_name()[n] for n in names]
            # Of a single network `_by_name` gives views; the gradients are with the weights.
            by_name = dict(stacked.single.named_parameters()) if count == 1 else None
            rows.append(
                torch.cat(
                    [
                        (by_name[n].grad if by_name else g.grad[p]).flatten()
                        for n, g in zip(names, grads, strict=True)
                    ]
                )
            )
        rows = torch.stack(rows)
        torch.testing.assert_close(found[p], rows @ rows.T, rtol=1e-4, atol=1e-7)


METHODS = ["uw", "dwa", "famo", "gradnorm", "db-mtl", "gradvac", "pcgrad", "nash-mtl", "rlw"]


@pytest.mark.parametrize("method", METHODS)
def test_killed_and_resumed_equals_not_killed(
    run, assert_same, killed, tmp_path, monkeypatch, method
):
    monkeypatch.setattr(_state, "WRITING_SHARE", float("inf"))  # every epoch is written
    settings = {"epochs": 4, "balance": BalanceConfig(method=method, every=2)}
    whole = run(**settings, given=True)

    path = tmp_path / "x.checkpoint"
    with killed(2) as callbacks:
        run(**settings, given=True, checkpoint=path, callbacks=callbacks)
    resumed = run(**settings, given=True, checkpoint=path)
    assert_same(resumed, whole)
    np.testing.assert_equal(resumed.balance, whole.balance)


@pytest.mark.parametrize(
    ("method", "at"),
    [(name, "trunk") for name in BALANCERS]
    + [(name, "parameters") for name in ("gradnorm", "upgrad", "pcgrad")],
)
def test_every_method_trains_with_gaps_accumulation_and_given(run, method, at):
    settings = {
        "epochs": 2,
        "accumulate": 2,
        "balance": BalanceConfig(method=method, every=3, at=at),
    }
    trained = run(**settings, given=True)
    weights = np.array(trained.balance["weights"])
    if method == "sum":
        assert not weights.size
    else:
        assert weights.shape == (2, 3)
        assert np.isfinite(weights).all()
    for curve in trained.curves:
        assert np.isfinite(curve["validation"]).all()


@pytest.mark.parametrize("at", ["trunk", "parameters"])
@pytest.mark.parametrize("method", BALANCERS)
def test_a_batch_may_lack_the_labels_of_one_target_of_all_but_one_or_of_all(method, at):
    stacked, batch, _ = networks("task-attention", 2)
    optimizer = torch.optim.SGD(stacked.parameters(), 0.01)
    balance = Balance(BalanceConfig(method=method, every=1, at=at), stacked, T, rate=1e-3)
    labels = torch.randn(2, B, 1, T)
    # The first target has labels in the fourth batch alone, the last two have none in some.
    here = [[0, 0, 0], [0, 1, 0], [0, 1, 1], [1, 1, 1], [0, 0, 1], [0, 1, 1], [0, 0, 0], [0, 1, 1]]
    balance.begin(0)
    for present in torch.tensor(here, dtype=torch.bool).repeat(2, 1):

        def losses(probe=None, present=present):
            squares = (stacked(batch, probe)[..., 0] - labels).square()
            return torch.where(present, squares, 0.0).mean((1, 2))

        def observe(present=present, losses=losses):
            return losses().detach(), present.expand(2, T)

        probe = balance.gradient_probe(B)
        before = [w.detach().clone() for w in stacked.parameters()]
        balance.combine(losses(probe), probe, observe).sum().backward()
        assert all(w.grad is None or w.grad.isfinite().all() for w in stacked.parameters())
        optimizer.step()
        optimizer.zero_grad()
        balance.stepped(observe)
        after = list(stacked.parameters())
        changed = any(not torch.equal(b, a) for b, a in zip(before, after, strict=True))
        assert changed == bool(present.any())
        assert balance.weights.isfinite().all()
        assert (balance.weights[:, ~present] == 1).all()
    balance.end()
    assert np.isfinite(balance.curve).all()


def test_famo_learns_nothing_from_a_step_that_it_did_not_weigh():
    method, both = BALANCERS["famo"](2), torch.ones(2, dtype=torch.bool)
    method.stepped(torch.tensor([0.1, 0.9]))  # the first batch had labels of one target only
    method.weigh(torch.tensor([1.0, 1.0]), None, both)
    method.stepped(torch.tensor([0.9, 1.0]))
    learned = method.scalarizer._w.detach().clone()
    method.stepped(torch.tensor([0.1, 0.9]))
    assert torch.equal(method.scalarizer._w, learned)


def test_methods_move_the_weights(run):
    def last(method):
        return run(epochs=3, balance=BalanceConfig(method=method)).balance["weights"][-1]

    for method in ("log", "gradnorm", "mgda", "imtl-g"):
        assert max(abs(w - 1) for w in last(method)) > 0.02, method


def test_the_plain_sum_looks_at_gradients_and_changes_no_number(run, assert_same, monkeypatch):
    seen = run(epochs=6, given=True)
    assert [look["epoch"] for look in seen.balance["looks"]] == [0, 1, 4]
    for look in seen.balance["looks"]:
        cosines = np.array(look["cosines"])
        np.testing.assert_allclose(np.diag(cosines), 1, atol=1e-5)
        assert np.abs(cosines).max() <= 1 + 1e-5
    monkeypatch.setattr("superpose.training._balance.MOST_WATCHED", 0)
    assert_same(run(epochs=6, given=True), seen)


def test_a_target_without_labels_in_a_batch_is_not_in_the_gramian():
    stacked, batch, losses_of = networks("none", 1)
    balance = Balance(BalanceConfig(method="mgda"), stacked, T, rate=1e-3)
    balance.begin(3)
    probe = balance.gradient_probe(B)
    losses = losses_of(stacked(batch, probe)) * torch.tensor([[1.0, 0.0, 1.0]])
    present = torch.tensor([[True, False, True]])
    balance.combine(losses, probe, lambda: (torch.ones(1, T), present))
    assert balance.weights[0, 1] == 1
    assert balance.weights[0, [0, 2]].sum() == pytest.approx(2)


def test_between_readings_the_weights_stay():
    stacked, batch, losses_of = networks("none", 1)
    balance = Balance(BalanceConfig(method="mgda", every=3), stacked, T, rate=1e-3)
    balance.begin(3)
    reads = []
    for _ in range(7):
        reads.append(balance.reads)
        probe = balance.gradient_probe(B)
        balance.combine(
            losses_of(stacked(batch, probe)),
            probe,
            lambda: (torch.ones(1, T), torch.ones(1, T, dtype=torch.bool)),
        )
    assert reads == [True, False, False, True, False, False, True]


def test_a_method_whose_packages_are_missing_says_what_to_install(monkeypatch):
    monkeypatch.setattr(util, "find_spec", lambda name: None)
    monkeypatch.setattr("superpose.training._balance.find_spec", lambda name: None)
    wanted = re.escape(
        "balance.method: upgrad: the package torchjd is not installed; "
        'run: pip install "superpose[balance]"'
    )
    with pytest.raises(MissingExtraError, match=wanted):
        require_balance("upgrad")
    for own in ("sum", "log", "gradnorm", "db-mtl"):
        require_balance(own)
