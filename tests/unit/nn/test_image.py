"""The image encoder: any size, one token, a map for dense heads."""

import pytest
import torch

from superpose.nn import ImageEncoder


@pytest.fixture
def encode():
    torch.manual_seed(0)
    return ImageEncoder(width=16).eval()


def picture(*shape):
    return torch.randint(0, 256, shape, dtype=torch.uint8)


@pytest.mark.parametrize(("high", "wide"), [(64, 64), (32, 48), (16, 16)])
def test_the_map_has_a_sixteenth_of_the_sides(encode, high, wide):
    block = picture(2, 3, high, wide)
    assert encode.map(block).shape == (2, 64, high // 16, wide // 16)
    assert encode(block).shape == (2, 1, 64)


def test_the_token_is_the_mean_of_the_map(encode):
    block = picture(2, 3, 64, 64)
    torch.testing.assert_close(encode(block)[:, 0], encode.map(block).mean((-2, -1)))


def test_a_missing_image_is_finite_and_unlike_a_picture(encode):
    black, other = torch.zeros(1, 3, 64, 64, dtype=torch.uint8), picture(1, 3, 64, 64)
    assert torch.isfinite(encode(black)).all()
    assert not torch.allclose(encode(black), encode(other), atol=1e-3)


def test_training_mode_reads_each_picture_alone_too(encode):
    block = picture(6, 3, 32, 32)
    torch.testing.assert_close(encode.train()(block)[:1], encode(block[:1]), atol=1e-5, rtol=1e-5)
