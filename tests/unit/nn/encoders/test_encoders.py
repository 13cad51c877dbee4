"""Encoders: what all of them promise, and what each of the table encoders does."""

import pytest
import torch

from superpose.nn import CategoryEncoder, MultiHotEncoder, NumberEncoder

NAN = float("nan")


def test_tokens_have_the_width_that_was_announced(encoder):
    module = encoder.make()
    tokens = module(encoder.rows(5))
    assert tokens.shape[:2] == (5, encoder.tokens)
    assert tokens[0].numel() == module.out_features


def test_one_row_alone_is_encoded_as_in_any_batch(encoder):
    module, block = encoder.make().eval(), encoder.rows(12)
    alone = torch.cat([module(block[i : i + 1]) for i in range(12)])
    torch.testing.assert_close(alone, module(block), atol=2e-6, rtol=1e-5)


def test_gaps_leave_tokens_and_gradients_finite(encoder):
    module = encoder.make()
    tokens = module(encoder.rows(16))
    tokens.square().sum().backward()
    assert torch.isfinite(tokens).all()
    for name, parameter in module.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name


def test_stacked_encoders_equal_separate_ones(encoder):
    modules, blocks = [encoder.make() for _ in range(3)], [encoder.rows(4) for _ in range(3)]
    stacked = torch.func.stack_module_state(modules)

    def one(weights, buffers, block):
        return torch.func.functional_call(modules[0], (weights, buffers), (block,))

    together = torch.func.vmap(one)(*stacked, torch.stack(blocks))
    apart = torch.stack([m(b) for m, b in zip(modules, blocks, strict=True)])
    torch.testing.assert_close(together, apart, atol=1e-5, rtol=1e-4)


def test_a_number_starts_as_a_straight_line():
    encode = NumberEncoder([[-1.0, 0.0, 1.0]], width=4)
    low, middle, high = encode(torch.tensor([[-3.0], [0.5], [4.0]]))
    torch.testing.assert_close((low + high) / 2, middle)


def test_a_number_can_learn_a_bend_within_its_bins_and_not_beyond():
    encode = NumberEncoder([[-1.0, 0.0, 1.0]], width=4)
    torch.nn.init.normal_(encode.bend)
    torch.nn.init.zeros_(encode.weight)
    inside, edge, far = encode(torch.tensor([[0.5], [1.0], [9.0]]))
    assert not torch.equal(inside, edge)
    torch.testing.assert_close(edge, far)


def test_a_missing_number_has_a_token_of_its_own():
    encode = NumberEncoder([[0.0, 1.0], [0.0, 1.0]], width=4)
    torch.nn.init.normal_(encode.missing)
    tokens = encode(torch.tensor([[NAN, 0.2], [NAN, -5.0], [0.7, 0.2]]))
    assert torch.equal(tokens[:2, 0], encode.missing[:1].expand(2, -1))
    torch.testing.assert_close(tokens[0, 1], tokens[2, 1])  # the column beside it does not notice


def test_columns_with_fewer_bins_are_as_if_alone():
    both = NumberEncoder([[0.0, 1.0], [-2.0, -1.0, 0.0, 2.0]], width=4)
    alone = NumberEncoder([[0.0, 1.0]], width=4)
    torch.nn.init.normal_(both.bend)
    with torch.no_grad():
        for name in ("weight", "bias", "missing"):
            getattr(alone, name).copy_(getattr(both, name)[:1])
        alone.bend.copy_(both.bend[:1, :1])
    x = torch.randn(9, 1)
    torch.testing.assert_close(both(x.expand(-1, 2))[:, :1], alone(x))


@pytest.mark.parametrize("columns", [1, 48, 200, 2000])
def test_wide_tables_get_narrower_tokens(columns):
    numbers = NumberEncoder([[0.0, 1.0]] * columns, width=16)
    categories = CategoryEncoder([3] * columns, width=16)
    assert numbers.out_features == categories.out_features <= max(16 * columns, 768, columns)
    assert numbers.out_features <= max(768, columns)
    assert numbers(torch.randn(2, columns)).shape[1] == columns


def test_each_category_of_each_column_has_a_token_of_its_own():
    encode = CategoryEncoder([3, 2], width=8)
    tokens = torch.cat(
        [
            encode(torch.tensor([[0, 0], [1, 1], [2, 0]]))[:, 0],
            encode(torch.tensor([[0, 0], [0, 1]]))[:, 1],
        ]
    )
    assert len(tokens.unique(dim=0)) == 5


def test_a_set_is_the_mean_of_its_members():
    encode = MultiHotEncoder([3], width=8)
    p, q, both, none = encode(torch.tensor([[1.0, 0, 0], [0, 1.0, 0], [1.0, 1.0, 0], [0, 0, 0]]))
    torch.testing.assert_close(both, (p + q) / 2)
    assert (none == 0).all()


def test_a_missing_set_is_not_the_empty_set():
    encode = MultiHotEncoder([2, 2], width=8)
    torch.nn.init.normal_(encode.missing)
    tokens = encode(torch.tensor([[NAN, NAN, 1.0, 0.0], [0.0, 0.0, 1.0, 0.0]]))
    assert torch.equal(tokens[0, 0], encode.missing[0])
    assert not torch.equal(tokens[0, 0], tokens[1, 0])
    assert torch.equal(tokens[0, 1], tokens[1, 1])
