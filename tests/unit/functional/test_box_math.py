"""What networks learn of boxes: as it is scored, and further apart where boxes don't touch."""

import numpy as np
import pytest
import torch

from superpose import functional
from superpose.distributions import box_overlap, center_heatmap


def objects(rng, rows, most, classes):
    """Padded lists of objects, and some that are missing."""
    low = rng.random((rows, most, 2))
    high = low + rng.random((rows, most, 2)) * (1 - low)
    label = rng.integers(-1, classes, (rows, most, 1)).astype(np.float32)
    label[rng.random(label.shape) < 0.1] = np.nan
    return np.concatenate([label, low, high], -1).astype(np.float32)


@pytest.mark.parametrize("seed", range(10))
def test_networks_learn_the_heatmap_that_is_scored(seed):
    rng = np.random.default_rng(seed)
    grid = tuple(int(side) for side in rng.integers(2, 20, 2))
    y = objects(rng, rows=3, most=8, classes=3)
    learned = functional.center_heatmap(torch.from_numpy(y), grid, 3)
    scored = center_heatmap(y, grid, 3)
    # The exponentials of the two libraries differ in the last bit.
    np.testing.assert_allclose(learned.heat, scored.heat, atol=2e-7)
    np.testing.assert_allclose(learned.share, scored.share, atol=1e-5)
    near = scored.share > 0
    np.testing.assert_array_equal(learned.boxes.numpy()[near], scored.boxes[near])


def test_networks_learn_the_overlap_that_is_scored():
    rng = np.random.default_rng(0)
    boxes = objects(rng, rows=2, most=9, classes=1)[..., 1:]
    one, other = boxes[:, :, None], boxes[:, None]
    learned = functional.box_overlap(torch.from_numpy(one), torch.from_numpy(other))
    np.testing.assert_array_equal(learned, box_overlap(one, other))


def test_boxes_that_do_not_touch_differ_by_the_hull():
    a, b = torch.tensor([0.0, 0.0, 0.5, 0.5]), torch.tensor([0.5, 0.5, 1.0, 1.0])
    overlap = functional.box_overlap
    assert overlap(a, b).item() == 0
    assert overlap(a, b, generalized=True).item() == pytest.approx(-0.5)
    assert overlap(a, a, generalized=True).item() == pytest.approx(1)
