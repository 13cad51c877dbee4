"""Images that are read mirrored too when the network answers."""

import torch

from superpose.nn import ImageEncoder, Mirrored


def encoder():
    torch.manual_seed(0)
    return Mirrored(ImageEncoder(16, stride=4), wide=8).eval()


def picture():
    generator = torch.Generator().manual_seed(1)
    return torch.randint(0, 256, (2, 3, 24, 32), dtype=torch.uint8, generator=generator)


def test_the_answer_for_a_mirrored_image_is_the_mirrored_answer():
    encode, block = encoder(), picture()
    encode.open_map()
    (token, places), (again, back) = map(encode.token_and_map, (block, block.flip(-1)))
    torch.testing.assert_close(again, token)
    torch.testing.assert_close(encode(block), token)
    torch.testing.assert_close(encode.map(block), places)
    grid = places.unflatten(1, (6, 8))
    torch.testing.assert_close(back.unflatten(1, (6, 8)), grid.flip(2))
    assert not torch.allclose(grid.flip(2), grid), "a map that is all alike would show nothing"
    once = encode.encoder.map(block)
    twice = encode.encoder.map(block.flip(-1)).unflatten(1, (6, 8)).flip(2).flatten(1, 2)
    torch.testing.assert_close(places, (once + twice) / 2)


def test_while_the_network_learns_images_are_read_once():
    encode, block = encoder().train(), picture()
    assert torch.equal(encode(block), encode.encoder(block))
    encode.open_map()
    for whole, once in zip(
        encode.token_and_map(block), encode.encoder.token_and_map(block), strict=True
    ):
        assert torch.equal(whole, once)


def test_it_has_the_widths_and_the_steps_of_the_encoder():
    encode = encoder()
    assert encode.out_features == encode.encoder.out_features
    encode.open_map()
    assert encode.out_features == encode.encoder.out_features
    assert encode.map_features == encode.encoder.map_features
    assert encode.rate == encode.encoder.rate < 1
    assert torch.equal(encode.seen(picture()), encode.encoder.seen(picture()))
