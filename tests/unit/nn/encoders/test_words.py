"""The encoder of words that get a label each: both directions, spelling, padding."""

import pytest
import torch

from superpose.nn import BothWays, WordEncoder

UNKNOWN = 1


@pytest.fixture
def encode():
    torch.manual_seed(0)
    return WordEncoder(50, 30, width=16).eval()


def words(*numbers, spelling=None):
    """One row of words whose spelling follows from their numbers, or is given."""
    pred = torch.tensor(spelling or numbers)
    block = torch.stack([torch.tensor(numbers), pred % 30, (pred * 7) % 30], -1)
    return (block * (block[:, :1] > 0))[None]


def test_padding_changes_nothing(encode):
    short = words(5, 9, 3)
    long = torch.nn.functional.pad(short, (0, 0, 0, 6))
    torch.testing.assert_close(encode(long), encode(short), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(encode.map(long)[:, :3], encode.map(short), atol=1e-5, rtol=1e-5)


def test_every_word_hears_all_others(encode):
    base = encode.map(words(5, 9, 3, 7))
    for place in range(4):
        numbers = [5, 9, 3, 7]
        numbers[place] = 20
        moved = (encode.map(words(*numbers)) - base).abs().amax(-1)[0]
        assert (moved > 1e-5).all(), place


def test_unknown_words_differ_by_their_spelling(encode):
    one = encode.map(words(UNKNOWN, 9, spelling=[4, 9]))
    other = encode.map(words(UNKNOWN, 9, spelling=[8, 9]))
    assert not torch.allclose(one, other, atol=1e-3)


def test_in_training_some_words_are_read_as_unknown():
    torch.manual_seed(0)
    encode = WordEncoder(50, 30, width=16)
    read = encode.read.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    seen: list[torch.Tensor] = []
    with torch.no_grad():
        encode.spelling.weight.zero_()
        encode.table.weight.zero_()
        encode.table.weight[UNKNOWN] = 1.0
    encode.map(words(5, 9, 3).expand(400, -1, -1))
    read.remove()
    share = (seen[0] > 0).any(-1).float().mean()
    assert 0.05 < share < 0.15


def test_trimming_keeps_what_any_row_has(encode):
    block = torch.nn.functional.pad(torch.cat([words(5, 9, 3), words(4, 0, 0)]), (0, 0, 0, 4))
    assert encode.trimmed(block).shape == (2, 3, 3)
    assert encode.trimmed(block[None])[0].shape == (2, 3, 3)
    assert encode.trimmed(torch.zeros_like(block)).shape == (2, 1, 3)
    torch.testing.assert_close(encode(encode.trimmed(block)), encode(block), atol=1e-6, rtol=1e-5)


def test_a_row_without_a_word_is_finite(encode):
    assert torch.isfinite(encode(torch.zeros(2, 4, 3, dtype=torch.long))).all()


def test_turning_a_sequence_swaps_the_directions():
    torch.manual_seed(0)
    read = BothWays(4, 6)
    with torch.no_grad():
        read.recurrent[1] = read.recurrent[0]
        read.read.weight[12:] = read.read.weight[:12]
        read.read.bias[12:] = read.read.bias[:12]
    x, seen = torch.randn(2, 5, 4), torch.ones(2, 5, dtype=torch.bool)
    there, back = read(x, seen).chunk(2, -1)
    turned = read(x.flip(1), seen).flip(1)
    torch.testing.assert_close(torch.cat([back, there], -1), turned)
