"""The encoder of series: gaps are marked, shifts are noticed, folds run in one pass."""

import pytest
import torch
from torch.func import functional_call, stack_module_state, vmap

from superpose.nn import SeriesEncoder
from superpose.nn.encoders._series import DilatedBlock, unrolled


def test_a_block_is_a_dilated_convolution():
    torch.manual_seed(0)
    block, x = DilatedBlock(4, 2).eval(), torch.randn(3, 9, 4)
    convolution = torch.nn.Conv1d(4, 4, 3, padding=2, dilation=2)
    with torch.no_grad():
        convolution.weight.copy_(block.mix.weight.unflatten(1, (3, 4)).transpose(1, 2))
        convolution.bias.copy_(block.mix.bias)
    h = convolution(block.norm(x).transpose(1, 2)).transpose(1, 2)
    expected = x + block.out(torch.nn.functional.gelu(h))
    torch.testing.assert_close(block(x), expected)


def test_gaps_are_filled_with_what_was_seen_last():
    gap = torch.nan
    pred = unrolled(torch.tensor([[[gap], [2.0], [gap], [gap], [5.0]]]))[0]
    assert pred[:, 0].tolist() == [0, 2, 2, 2, 5]
    assert pred[:, 1].tolist() == [0, 1, 0, 0, 1]
    torch.testing.assert_close(pred[:, 2].expm1(), torch.tensor([5.0, 0, 1, 2, 0]))


@pytest.mark.parametrize("length", [1, 2, 30, 48])
def test_the_last_step_hears_of_the_first(length):
    torch.manual_seed(0)
    encoder = SeriesEncoder(1, length, 8).eval()
    x = torch.randn(1, length, 1, requires_grad=True)
    encoder.map(x)[0, -1].square().sum().backward()
    assert x.grad[0, 0].abs() > 0


def test_a_row_without_any_value_has_a_finite_token():
    token = SeriesEncoder(2, 5, 8)(torch.full((3, 5, 2), torch.nan))
    assert torch.isfinite(token).all()
    assert token.abs().max() < 5, "it must not drown the other inputs"


def test_networks_of_several_folds_run_in_one_pass():
    torch.manual_seed(0)
    several = [SeriesEncoder(2, 6, 8).eval() for _ in range(3)]
    weights, buffers = stack_module_state(several)
    x = torch.randn(3, 4, 6, 2)
    x[0, 1, 2] = torch.nan

    def one(weights, buffers, rows):
        return functional_call(several[0], (weights, buffers), (rows,))

    pred = vmap(one)(weights, buffers, x)
    for encoder, rows, token in zip(several, x, pred, strict=True):
        torch.testing.assert_close(encoder(rows), token)
