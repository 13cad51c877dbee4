"""Objects on maps: where they are found, and which of two boxes on one object stays."""

import numpy as np
import pytest

from superpose.distributions import box_overlap, center_heatmap, find_peaks


def test_overlap_is_between_none_and_all():
    a, b = np.array([0.0, 0.0, 0.5, 0.5]), np.array([0.5, 0.5, 1.0, 1.0])
    assert (box_overlap(a, b), box_overlap(a, a)) == (0, 1)


def test_of_two_boxes_on_one_object_the_surer_stays():
    heat = np.zeros((1, 25, 1))
    heat[0, 6] = 0.9
    heat[0, 8] = 0.6
    boxes = np.tile([0.1, 0.1, 0.6, 0.6], (1, 25, 1))
    (found,) = find_peaks(heat, boxes, grid=(5, 5), least=0.1, most=10)
    assert found.location.tolist() == [6]


def test_boxes_of_two_classes_on_one_location_stay_both():
    heat = np.zeros((1, 25, 2))
    heat[0, 6] = [0.9, 0.8]
    boxes = np.tile([0.1, 0.1, 0.6, 0.6], (1, 25, 1))
    (found,) = find_peaks(heat, boxes, grid=(5, 5), least=0.1, most=10)
    assert found.label.tolist() == [0, 1]


def test_a_location_that_a_neighbour_exceeds_is_no_object():
    heat = np.zeros((1, 25, 1))
    heat[0, 12] = 0.9
    heat[0, 13] = 0.8
    boxes = np.zeros((1, 25, 4))
    boxes[0, 12:14] = [[0.0, 0.0, 0.2, 0.2], [0.7, 0.7, 1.0, 1.0]]
    (found,) = find_peaks(heat, boxes, grid=(5, 5), least=0.1, most=10)
    assert found.location.tolist() == [12]


@pytest.mark.parametrize("rows", [0, 1])
def test_no_rows_and_rows_without_labels_have_no_object(rows):
    y = np.full((rows, 3, 5), np.nan)
    wanted = center_heatmap(y, (4, 4), 2)
    assert wanted.heat.shape == (rows, 16, 2)
    assert not wanted.heat.any()
    assert not wanted.share.any()
    boxes = np.zeros((rows, 16, 4))
    assert [
        len(p.label) for p in find_peaks(wanted.heat, boxes, grid=(4, 4), least=0.1, most=3)
    ] == [0] * rows
