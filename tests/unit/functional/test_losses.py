"""Losses: right where a label is known, silent where it is not."""

import math

import pytest
import torch

from superpose.functional import (
    binary_loss,
    category_loss,
    gaussian_loss,
    gaussian_parameters,
    multilabel_loss,
    ordinal_log_probabilities,
    ordinal_loss,
    poisson_loss,
)

NAN = float("nan")
# name: loss, raw outputs per row, a possible label
LOSSES = {
    "gaussian": (gaussian_loss, 2, 0.7),
    "binary": (binary_loss, 1, 1.0),
    "category": (category_loss, 4, 2.0),
    "ordinal": (ordinal_loss, 4, 3.0),
    "multilabel": (multilabel_loss, 3, [1.0, 0.0, 1.0]),
    "poisson": (poisson_loss, 1, 5.0),
}
every_loss = pytest.mark.parametrize(("loss", "size", "label"), LOSSES.values(), ids=LOSSES)


@every_loss
@pytest.mark.parametrize("scale", [1.0, 50.0, 1e4])
def test_missing_label_costs_nothing_and_carries_no_gradient(loss, size, label, scale):
    out = (torch.randn(6, size) * scale).requires_grad_()
    y = torch.tensor([label] * 6)
    y[::2] = NAN
    cost = loss(out, y)
    cost.sum().backward()
    assert cost.shape == (6,)
    assert (cost[::2] == 0).all()
    assert (out.grad[::2] == 0).all()
    assert torch.isfinite(out.grad).all()
    assert torch.isfinite(cost).all()


@every_loss
def test_members_share_the_labels_of_their_row(loss, size, label):
    out = torch.randn(5, 3, size)
    y = torch.tensor([label] * 5)
    together = loss(out, y.unsqueeze(1))
    apart = torch.stack([loss(out[:, m], y) for m in range(3)], dim=1)
    torch.testing.assert_close(together, apart)


@every_loss
def test_descent_reaches_the_label(loss, size, label):
    out = torch.zeros(1, size, requires_grad=True)
    y = torch.tensor([label])
    before = loss(out, y).item()
    optimizer = torch.optim.Adam([out], lr=0.3)
    for _ in range(30):
        optimizer.zero_grad()
        loss(out, y).sum().backward()
        optimizer.step()
    assert loss(out, y).item() < before - 0.3


def test_scale_does_not_disturb_the_mean():
    out = torch.tensor([[0.5, -3.0], [0.5, 3.0]], requires_grad=True)
    gaussian_loss(out, torch.tensor([2.0, 2.0])).sum().backward()
    assert out.grad[:, 0].tolist() == [-1.5, -1.5]


def test_gaussian_scale_settles_at_the_deviation_of_the_errors():
    y = torch.tensor([-0.5, 0.5]).repeat(10)
    raw = torch.tensor(math.log(math.expm1(0.5 - 1e-3)))  # softplus(raw) + floor = 0.5
    out = torch.stack([torch.tensor(0.0), raw]).repeat(20, 1).requires_grad_()
    assert gaussian_parameters(out)[1][0].item() == pytest.approx(0.5)
    gaussian_loss(out, y).sum().backward()
    assert out.grad[:, 1].tolist() == pytest.approx([0] * 20, abs=1e-5)


@pytest.mark.parametrize("classes", [2, 3, 7])
def test_ordinal_probabilities_sum_to_one(classes):
    out = torch.randn(100, classes, dtype=torch.float64) * 5
    total = ordinal_log_probabilities(out).exp().sum(-1)
    torch.testing.assert_close(total, torch.ones_like(total))


def test_ordinal_agrees_with_differences_of_cumulative_probabilities():
    out = torch.randn(50, 4, dtype=torch.float64)
    thresholds = torch.stack(
        [
            out[:, 1],
            out[:, 1] + torch.nn.functional.softplus(out[:, 2]),
            out[:, 1] + torch.nn.functional.softplus(out[:, 2:]).sum(-1),
        ],
        dim=-1,
    )
    below = torch.sigmoid(thresholds - out[:, :1])
    below = torch.cat([torch.zeros(50, 1), below, torch.ones(50, 1)], dim=-1)
    torch.testing.assert_close(ordinal_log_probabilities(out).exp(), below.diff(dim=-1))


def test_ordinal_location_moves_mass_upwards():
    out = torch.tensor([[-2.0, -1.0, 0.5, 0.5], [2.0, -1.0, 0.5, 0.5]])
    mean = (ordinal_log_probabilities(out).exp() * torch.arange(4)).sum(-1)
    assert mean[1] > mean[0]


def test_poisson_loss_is_zero_at_the_true_rate_and_never_negative():
    y = torch.tensor([0.0, 1.0, 1000.0, 1e6])
    out = y.clamp(min=1e-9).log().unsqueeze(-1)
    assert poisson_loss(out, y).tolist() == pytest.approx([0, 0, 0, 0], abs=1e-3)
    assert (poisson_loss(torch.randn(4, 1) * 3, y) >= 0).all()


def test_poisson_rate_is_cut_before_it_overflows():
    assert math.isfinite(float(poisson_loss(torch.tensor([[1e6]]), torch.tensor([3.0]))))


def test_multilabel_row_averages_over_known_labels():
    out = torch.tensor([[2.0, -1.0]])
    both = multilabel_loss(out, torch.tensor([[1.0, 0.0]]))
    first = multilabel_loss(out, torch.tensor([[1.0, NAN]]))
    second = multilabel_loss(out, torch.tensor([[NAN, 0.0]]))
    torch.testing.assert_close(both, (first + second) / 2)


def test_losses_run_under_vmap():
    for loss, size, label in LOSSES.values():
        out, y = torch.randn(3, 4, size), torch.tensor([label] * 4)
        assert torch.func.vmap(loss, in_dims=(0, None))(out, y).shape == (3, 4)
