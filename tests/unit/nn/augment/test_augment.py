"""Variations of images while networks learn: labels follow, and nothing else changes."""

import numpy as np
import pytest
import torch

from superpose.nn.augment._augment import AugmentRecord, ImageAugment, transform_grid

STILL = {"flip": "none", "shift": 0.0, "scale": 0.0, "colour": 0.0, "mix": 0.0}


def pictures(*shape):
    return torch.randint(1, 256, shape, dtype=torch.uint8)


def augment(block, seed=0, **options):
    torch.manual_seed(seed)
    return ImageAugment(**{**STILL, **options})(block)


def test_without_any_change_an_image_stays_as_it_is():
    block = pictures(1, 3, 3, 20, 32)
    out, record = augment(block)
    assert torch.equal(out, block)
    assert record.scale.unique().tolist() == [1.0]


def test_the_same_seed_varies_alike_and_another_one_does_not():
    block, options = pictures(2, 4, 3, 16, 16), {"shift": 0.2, "colour": 0.3, "flip": "both"}
    assert torch.equal(augment(block, 1, **options)[0], augment(block, 1, **options)[0])
    assert not torch.equal(augment(block, 1, **options)[0], augment(block, 2, **options)[0])


@pytest.mark.parametrize(("flip", "axes"), [("horizontal", [-1]), ("vertical", [-2])])
def test_about_half_of_the_images_are_mirrored_and_none_otherwise(flip, axes):
    block = pictures(1, 200, 3, 16, 16)
    out, _ = augment(block, flip=flip)
    mirrored = (out == block.flip(axes)).flatten(2).all(-1)
    same = (out == block).flatten(2).all(-1)
    assert (mirrored | same).all()
    assert 60 < int(mirrored.sum()) < 140


def test_a_row_without_an_image_keeps_none():
    block = pictures(1, 2, 3, 16, 16)
    block[0, 1] = 0
    out, _ = augment(block, shift=0.3, scale=0.3, colour=0.5)
    assert not out[0, 1].any()
    assert out[0, 0].flatten(1).any(1).all()


@pytest.mark.parametrize("seed", range(5))
def test_labels_of_locations_go_where_their_pixels_went(seed):
    # Each place of the map has a brightness of its own, which is also its label.
    values = torch.arange(1, 49).float() * 5
    block = values.reshape(6, 8).repeat_interleave(4, 0).repeat_interleave(4, 1)
    block = block.to(torch.uint8)[None, None, None].expand(1, 1, 3, 24, 32).contiguous()
    out, record = augment(block, seed, flip="both", shift=0.25, scale=0.2)
    values_after = transform_grid(values[None, None], (6, 8), record)[0, 0].reshape(6, 8)
    middles = out[0, 0, 0, 2::4, 2::4].float()  # a pixel beside the middle of each place
    known = ~values_after.isnan()
    assert known.float().mean() > 0.4
    close = (middles - values_after)[
        known
    ].abs() <= 45  # blurred with a neighbour: 5 aside, 40 below
    assert close.float().mean() > 0.95


def test_what_comes_into_sight_from_beyond_the_edge_has_no_label():
    record = AugmentRecord(torch.ones(1, 2), torch.tensor([[0.0, 1.0]]))  # half of the width
    labels_after = transform_grid(torch.arange(4.0)[None], (1, 4), record)
    np.testing.assert_array_equal(labels_after.numpy(), [[2.0, 3.0, np.nan, np.nan]])


def test_a_piece_of_another_image_brings_its_labels_of_locations():
    # Every image has one brightness, which is the label of all its places.
    values = torch.arange(1.0, 41.0)
    block = values.to(torch.uint8)[None, :, None, None, None].expand(2, 40, 3, 24, 32).contiguous()
    out, record = augment(block, mix=0.5)
    labels = values[None, :, None].expand(2, 40, 48)
    labels_after = transform_grid(labels, (6, 8), record)
    seen = out[:, :, 0, 2::4, 2::4].flatten(-2).float()
    assert (seen == labels_after).float().mean() > 0.97  # at the edge of a piece a pixel may differ
    whole = (labels_after == labels).all(-1)
    assert torch.equal(whole, ~record.mixed)
    assert 0.3 < record.mixed.float().mean() < 0.6
    share = (labels_after != labels).float().mean(-1)[record.mixed]
    assert 0.05 < share.min() < share.max() < 0.75
    # The networks' rows are never mixed with each other's: a fold's held-out rows stay unseen.
    alone, _ = augment(torch.cat([block[:1], torch.full_like(block[:1], 200)]), mix=1.0)
    assert (alone[0] < 200).all()
    assert (alone[1] == 200).all()


def test_no_piece_comes_from_a_row_without_an_image_or_goes_into_one():
    block = pictures(1, 30, 3, 16, 16)
    block[0, ::2] = 0
    out, record = augment(block, mix=1.0)
    assert not out[0, ::2].any()
    assert not record.mixed[0, ::2].any()
    assert out[0, 1::2].any(1).all()
    assert record.mixed[0, 1::2].any()
    assert record.of(slice(0, 1)).mixed.shape == (1, 30)


def test_without_mixing_the_draws_are_as_they_were():
    block = pictures(1, 4, 3, 16, 16)
    plain, record = augment(block, flip="both", shift=0.2)
    assert record.mixed is None
    assert torch.equal(augment(block, flip="both", shift=0.2, mix=0.0)[0], plain)
