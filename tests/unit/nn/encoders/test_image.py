"""The image encoder: any size, one token, and a map that is built only where it is read."""

import pytest
import torch

from superpose.nn import Architecture, DenseHead, DenseNetwork, ImageEncoder
from superpose.nn.encoders._convolution import StandardConv2d


def encoder(stride=4, opened=True, seed=0):
    torch.manual_seed(seed)
    encode = ImageEncoder(16, stride).eval()
    if opened:
        encode.open_map()
    return encode


def picture(*shape):
    return torch.randint(0, 256, shape, dtype=torch.uint8)


@pytest.mark.parametrize(("high", "wide"), [(64, 64), (32, 50), (17, 16)])
@pytest.mark.parametrize("stride", [2, 4, 8])
def test_the_map_has_a_location_for_each_stride_of_pixels(high, wide, stride):
    encode, block = encoder(stride), picture(2, 3, high, wide)
    places = -(-high // stride) * -(-wide // stride)
    assert encode.map(block).shape == (2, places, encode.map_features)
    assert encode.seen(block).shape == (2, places)
    assert encode(block).shape == (2, 1, encode.out_features)


def test_the_token_has_what_is_pooled_of_the_map_where_there_is_one():
    block = picture(2, 3, 32, 32)
    token, places = encoder().token_and_map(block)
    alone = encoder(opened=False)(block)
    torch.testing.assert_close(token[..., : alone.shape[-1]], alone)
    pooled = torch.cat([places.mean(1), places.amax(1)], -1)
    torch.testing.assert_close(token[:, 0, alone.shape[-1] :], pooled)
    torch.testing.assert_close(token, encoder()(block))


def test_the_decoder_is_built_only_where_a_head_reads_the_map():
    def weights(heads):
        network = DenseNetwork({"photo": encoder(opened=False)}, heads, Architecture())
        return [name for name, _ in network.named_parameters() if "decoder" in name]

    assert weights({"sort": 2, "ground": DenseHead("photo", 3)})
    assert not [n for n, _ in encoder(opened=False).named_parameters() if "decoder" in n]


def test_locations_lie_row_by_row():
    block = torch.full((1, 3, 32, 64), 128, dtype=torch.uint8)
    changed = block.clone()
    changed[..., :8, 56:] = 255  # the upper right corner: the eighth place
    away = torch.zeros(32)
    for seed in range(20):  # in one with untrained weights the place below may change more
        encode = encoder(8, seed=seed)
        with torch.no_grad():
            away += (encode.map(changed) - encode.map(block)).norm(dim=-1)[0]
    assert int(away.argmax()) == 7
    assert away[:16].sum() > away[16:].sum()


def test_a_missing_image_is_finite_and_unlike_a_picture():
    encode = encoder()
    black, other = torch.zeros(1, 3, 64, 64, dtype=torch.uint8), picture(1, 3, 64, 64)
    assert torch.isfinite(encode(black)).all()
    assert torch.isfinite(encode.map(black)).all()
    assert not torch.allclose(encode(black), encode(other), atol=1e-3)


def test_training_mode_reads_each_picture_alone_too():
    encode, block = encoder(), picture(6, 3, 32, 32)
    torch.testing.assert_close(encode.train()(block)[:1], encode(block[:1]), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(encode.map(block)[:1], encode.map(block[:1]), atol=1e-4, rtol=1e-4)


def test_folds_in_one_pass_read_what_each_reads_alone():
    encode, blocks = encoder(), picture(2, 3, 3, 32, 32)
    both = torch.func.vmap(encode.map)(blocks)
    torch.testing.assert_close(both[1], encode.map(blocks[1]), atol=1e-4, rtol=1e-4)


def test_a_row_without_an_image_says_nothing_and_asks_for_nothing():
    torch.manual_seed(0)
    encode = ImageEncoder(16)
    block = torch.randint(1, 255, (2, 3, 32, 32), dtype=torch.uint8)
    block[1] = 0
    token = encode(block)
    assert (token[1] == 0).all()
    assert token[0].abs().max() > 0
    token[1].sum().backward()
    assert all(w.grad is None or (w.grad == 0).all() for w in encode.parameters())


def test_size_and_mean_of_a_filter_change_nothing_that_it_says():
    torch.manual_seed(0)
    conv, block = StandardConv2d(8, 16, 3, stride=2, padding=1), torch.randn(4, 8, 21, 20)
    pred = conv(block)
    with torch.no_grad():
        conv.weight.mul_(30).add_(5)
    torch.testing.assert_close(conv(block), pred, rtol=1e-4, atol=1e-4)


def test_unit_noise_keeps_its_variance_through_a_standard_convolution():
    torch.manual_seed(0)
    conv = StandardConv2d(32, 64, 3, bias=False)
    assert conv(torch.randn(8, 32, 30, 30)).var().item() == pytest.approx(1, abs=0.05)
