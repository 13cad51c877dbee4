"""The text encoder: padding is nothing, order is something."""

import pytest
import torch

from superpose.nn import TextEncoder


@pytest.fixture
def encode():
    torch.manual_seed(0)
    return TextEncoder(50, width=16).eval()


def test_padding_changes_nothing(encode):
    short = torch.tensor([[5, 9, 3], [7, 1, 0]])
    long = torch.nn.functional.pad(short, (0, 6))
    torch.testing.assert_close(encode(long), encode(short), atol=1e-5, rtol=1e-5)


def test_the_order_of_words_matters(encode):
    first, second = encode(torch.tensor([[5, 9, 3], [3, 9, 5]]))
    assert not torch.allclose(first, second, atol=1e-3)


def test_each_word_matters(encode):
    base = torch.tensor([[5, 9, 3]])
    for place in range(3):
        other = base.clone()
        other[0, place] = 20
        assert not torch.allclose(encode(base), encode(other), atol=1e-3)


def test_an_empty_text_among_others_is_finite_and_always_the_same(encode):
    empty = torch.zeros(1, 4, dtype=torch.long)
    beside = torch.cat([empty, torch.tensor([[5, 9, 3, 2]])])
    assert torch.isfinite(encode(beside)).all()
    torch.testing.assert_close(encode(beside)[:1], encode(empty))


def test_the_map_has_one_vector_for_each_word(encode):
    assert encode.map(torch.tensor([[5, 9, 3, 0]])).shape == (1, 4, 64)


def test_wide_tokens_divide_among_the_heads():
    assert TextEncoder(50, width=128)(torch.tensor([[5, 9]])).shape == (1, 1, 256)
