"""Every balancing method, and each against its paper: by torchjd's own word, or by loops."""

import pytest
import torch
from torchjd import aggregation

from superpose.balance import BALANCERS, weights_of
from superpose.balance._fast import bargain
from superpose.balance._torchjd import Weighted, square_root

T = 4
ALL = torch.ones(T, dtype=torch.bool)
every_method = pytest.mark.parametrize("name", BALANCERS)

# Methods of torchjd whose weights are compared, beside what torchjd makes of the gradients.
AGGREGATORS = {
    "mgda": lambda: aggregation.MGDA(),
    "imtl-g": lambda: aggregation.IMTLG(),
    "aligned-mtl": lambda: aggregation.AlignedMTL(),
    "cagrad": lambda: aggregation.CAGrad(0.4),
    "fairgrad": lambda: aggregation.FairGrad(1.0),
    "config": lambda: aggregation.ConFIG(),
    "upgrad": lambda: aggregation.UPGrad(),
    "dualproj": lambda: aggregation.DualProj(),
    "pcgrad": lambda: aggregation.PCGrad(),
    "gradvac": lambda: aggregation.GradVac(),
    "pcd": lambda: aggregation.PCD(),
}


def gradients(seed=0, conflict=True):
    """A Jacobian (T, 30) whose rows differ in length, the first in conflict with two others."""
    generator = torch.Generator().manual_seed(seed)
    rows = torch.randn(T, 30, generator=generator) * torch.tensor([[1.0], [2.0], [0.5], [1.5]])
    if conflict:
        rows[0] -= 0.8 * (rows[1] + rows[3])
    return rows


def ask(name, losses=None, present=ALL, rows=None, method=None):
    method = method or BALANCERS[name](T)
    rows = gradients() if rows is None else rows
    losses = torch.tensor([0.5, 1.0, 2.0, 0.8]) if losses is None else losses
    return weights_of(method, losses, rows @ rows.T if method.gradients else None, present=present)


@every_method
def test_weights_have_the_mean_one(name):
    weights = ask(name)
    assert weights.isfinite().all()
    assert weights.mean().item() == pytest.approx(1.0, abs=1e-5)


@every_method
def test_a_target_without_labels_neither_counts_nor_is_counted(name):
    present = torch.tensor([True, True, False, True])
    rows = gradients()
    rows[2] = 0
    weights = ask(name, present=present, rows=rows)
    assert weights[2] == 1
    assert weights[present].mean().item() == pytest.approx(1.0, abs=1e-5)
    if BALANCERS[name](T).gradients and name not in ("pcgrad", "gradvac", "gradnorm"):
        # As if there were no such target.
        method = BALANCERS[name](3)
        others = weights_of(
            method,
            torch.tensor([0.5, 1.0, 0.8]),
            rows[present] @ rows[present].T,
            present=torch.ones(3, dtype=torch.bool),
        )
        torch.testing.assert_close(weights[present], others)


@every_method
def test_one_target_in_a_batch_has_the_weight_one(name):
    alone = torch.tensor([False, True, False, False])
    assert ask(name, present=alone).tolist() == [1.0] * T


# The others draw, or serve the first target.
@pytest.mark.parametrize("name", sorted({*BALANCERS} - {"rlw", "pcgrad", "gradvac", "pcd"}))
def test_the_order_of_targets_does_not_matter(name):
    order = torch.tensor([2, 0, 3, 1])
    losses = torch.tensor([0.5, 1.0, 2.0, 0.8])
    turned = ask(name, losses=losses[order], rows=gradients()[order])
    torch.testing.assert_close(turned, ask(name, losses=losses)[order], rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("name", AGGREGATORS)
def test_the_weights_lead_where_the_papers_method_leads(name):
    rows = gradients(seed=1)
    weighted = ask(name, rows=rows) @ rows
    torch.manual_seed(0)
    expected = AGGREGATORS[name]()(rows)
    if name in ("pcgrad", "gradvac"):  # projections in a random order: the mean of many draws
        weighted = torch.stack([ask(name, rows=rows) @ rows for _ in range(300)]).mean(0)
        expected = torch.stack([AGGREGATORS[name]()(rows) for _ in range(300)]).mean(0)
    cosine = torch.cosine_similarity(weighted, expected, dim=0).item()
    assert cosine == pytest.approx(1.0, abs=2e-3)


def test_every_method_of_torchjd_that_reads_gradients_is_compared_with_it():
    weighted = {name for name, method in BALANCERS.items() if issubclass(method, Weighted)}
    assert weighted == {*AGGREGATORS} - {"gradvac", "pcgrad"}


def test_pairs_keep_their_usual_cosine_as_in_torchjd():
    # Of two targets there is one order only, so that all numbers are the same.
    ours, theirs = BALANCERS["gradvac"](2, beta=0.3), aggregation.GradVacWeighting(0.3)
    for seed in range(8):
        rows = gradients(seed)[:2].double()
        losses, both = torch.ones(2).double(), ALL[:2]
        weights = ours.weigh(losses, rows @ rows.T, both)
        torch.testing.assert_close(weights, theirs(rows @ rows.T))


def test_a_pair_keeps_its_usual_cosine_while_others_come_and_go():
    method, rows = BALANCERS["gradvac"](T), gradients()
    ask("gradvac", method=method, rows=rows)
    before = method.usual.clone()
    ask("gradvac", method=method, rows=rows, present=torch.tensor([True, True, False, False]))
    change = (method.usual != before).nonzero().tolist()
    assert change == [[0, 1], [1, 0]]


@pytest.mark.filterwarnings("ignore:You are solving a parameterized problem")
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_in_nashs_bargain_every_target_gains_the_same_for_its_weight(seed):
    # The condition of the paper's claim 3.1, G w = c / w, and torchjd's solver where it gets there.
    rows = gradients(seed)
    weights = ask("nash-mtl", rows=rows)
    gains = weights * (rows @ (weights @ rows))
    assert (gains.max() / gains.min()).item() == pytest.approx(1.0, abs=1e-4)
    expected = aggregation.NashMTL(T)(rows)
    assert torch.cosine_similarity(weights @ rows, expected, dim=0).item() == pytest.approx(1.0)


@pytest.mark.parametrize(("count", "length"), [(2, 50), (30, 400), (100, 300)])
def test_nashs_bargain_is_found_for_gradients_of_very_different_lengths(count, length):
    generator = torch.Generator().manual_seed(count)
    rows = torch.randn(count, length, generator=generator).double()
    rows *= torch.logspace(-3, 3, count).double()[:, None]
    weights = bargain(rows @ rows.T)
    gains = weights * (rows @ (weights @ rows))
    assert (gains.max() / gains.min()).item() == pytest.approx(1.0, abs=0.01)


def test_where_gradients_can_be_combined_to_nothing_nash_finds_how():
    rows = gradients().double()
    rows[3] = -(rows[0] + 2 * rows[1])  # so nothing can get better for all of 0, 1 and 3
    weights = bargain(rows @ rows.T)
    assert weights.min() > 0
    stationary = weights[[0, 1, 3]] / weights[0]
    torch.testing.assert_close(
        stationary, torch.tensor([1.0, 2.0, 1.0]).double(), rtol=1e-3, atol=0
    )


@pytest.mark.parametrize("name", ["upgrad", "dualproj", "mgda", "nash-mtl", "imtl-g", "config"])
def test_no_target_is_harmed_where_the_paper_says_so(name):
    rows = gradients()
    plain = rows @ rows.sum(0)
    assert plain.min() < 0  # the plain sum would raise a loss
    gains = rows @ (ask(name, rows=rows) @ rows)
    assert gains.min() > -1e-2 * gains.max()  # as near as the solvers come


def test_the_square_root_of_a_gramian_has_that_gramian():
    gramian = gradients().double() @ gradients().double().T
    root = square_root(gramian)
    torch.testing.assert_close(root @ root.T, gramian)


def test_log_loss_is_the_geometric_mean_up_to_the_length_of_the_step():
    losses = torch.tensor([0.5, 1.0, 2.0, 0.8])
    torch.testing.assert_close(ask("log", losses=losses), ask("gls", losses=losses))
    torch.testing.assert_close(ask("log", losses=losses), T * (1 / losses) / (1 / losses).sum())


def test_uncertainty_weights_settle_at_the_inverse_of_the_losses():
    method, losses = BALANCERS["uw"](T, rate=0.05), torch.tensor([0.5, 1.0, 2.0, 0.8])
    for _ in range(600):
        weights = ask("uw", losses=losses, method=method)
    torch.testing.assert_close(weights, ask("log", losses=losses), rtol=1e-2, atol=1e-2)


def test_dwa_weighs_up_what_fell_least():
    method = BALANCERS["dwa"](T)
    for losses in ([1.0, 1.0, 1.0, 1.0], [0.5, 0.9, 1.0, 1.2]):
        ask("dwa", losses=torch.tensor(losses), method=method)
        method.end_epoch()
    rates = torch.tensor([0.5, 0.9, 1.0, 1.2])
    expected = T * (rates / 2).softmax(0)
    torch.testing.assert_close(ask("dwa", method=method), expected)


def test_famo_weighs_up_what_a_step_has_lowered_least():
    method, losses = BALANCERS["famo"](T), torch.ones(T)
    for _ in range(50):
        weights = ask("famo", losses=losses, method=method)
        method.stepped(losses * torch.tensor([0.5, 0.9, 0.9, 0.9]))
    assert weights.argmin() == 0


def test_gradnorm_follows_its_equations():
    method, rows = BALANCERS["gradnorm"](T, alpha=1.0, rate=0.01), gradients(conflict=False)
    first, later = torch.ones(T), torch.tensor([0.5, 1.0, 0.9, 0.7])
    ask("gradnorm", losses=first, rows=rows, method=method)
    before = method.weights.detach().clone()
    ask("gradnorm", losses=later, rows=rows, method=method)
    change = method.weights.detach() - before
    norms, ratio = rows.norm(dim=1), later / first
    sizes = before * norms
    wanted = sizes.mean() * ratio / ratio.mean()
    # Adam's second step has the sign of its running mean; both steps agree here.
    assert (torch.sign(change - change.mean()) == torch.sign(wanted - sizes - 0)).sum() >= T - 1
    assert method.weights.sum().item() == pytest.approx(T)


def test_gradnorm_brings_gradients_to_one_size_where_all_train_alike():
    method, rows = BALANCERS["gradnorm"](T, rate=0.02), gradients(conflict=False)
    for _ in range(800):
        weights = ask("gradnorm", losses=torch.ones(T), rows=rows, method=method)
    sizes = weights * rows.norm(dim=1)
    assert (sizes.max() / sizes.min()).item() < 1.1


def test_dual_balancing_brings_the_gradients_of_log_losses_to_one_length():
    losses, rows = torch.tensor([0.5, 1.0, 2.0, 0.8]), gradients()
    sizes = ask("db-mtl", losses=losses, rows=rows) * rows.norm(dim=1)
    torch.testing.assert_close(sizes, sizes.mean().expand(T))


def test_a_solver_that_finds_nothing_leaves_the_plain_sum():
    class Lost(BALANCERS["sum"]):
        def weigh(self, losses, gramian, present):
            return losses * torch.nan

    assert ask("sum", method=Lost(T)).tolist() == [1.0] * T


def test_weights_of_opposite_signs_keep_their_signs():
    class Both(BALANCERS["sum"]):
        def weigh(self, losses, gramian, present):
            return torch.tensor([1.0, -1.0, 1.0, -1.0])

    assert ask("sum", method=Both(T)).tolist() == [1.0, -1.0, 1.0, -1.0]
