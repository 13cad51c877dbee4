"""Masks and boxes in the report: classes, curves, and pictures that are part of the page."""

import base64
import io
import re

import numpy as np
import pytest

from superpose.report import render_report
from superpose.report._figures import target_figures
from superpose.report._map_pictures import colour_bounds, coloured
from superpose.report._pictures import box_picture, mask_picture, png

EVIL = '<b>"road"</b>'


def mask_plot():
    return {
        "chart": "masks",
        "labels": [EVIL, "sky"],
        "counts": np.array([[6, 2], [1, 3]]),
        "pixels": np.zeros((1, 4, 6, 3), np.uint8),
        "true": np.zeros((1, 4, 6), int),
        "told": np.array([[[0] * 3 + [1] * 3] * 4]),
    }


def box_plot():
    return {
        "chart": "boxes",
        "labels": [EVIL, "white"],
        "true_counts": [4, 0],
        "told_counts": [3, 1],
        "hit_counts": [2, 0],
        "ap50": [0.6, None],
        "curves": [
            {"recall": [0.25, 0.5, 0.5], "precision": [1.0, 1.0, 0.67]},
            {"recall": [], "precision": []},
        ],
        "pixels": np.zeros((1, 4, 6, 3), np.uint8),
        "objects": [{"true": [[0, 0.1, 0.1, 0.5, 0.5]], "told": [[0, 0.1, 0.1, 0.5, 0.6, 0.9]]}],
    }


def map_plot():
    true = np.linspace(1, 3, 24).reshape(1, 4, 6)
    true[0, 0, 0] = np.nan
    return {
        "chart": "maps",
        "labels": [],
        "value": np.array([[1.0, 1.2], [3.0, 2.9]]),
        "pixels": np.zeros((1, 4, 6, 3), np.uint8),
        "true": true.astype(np.float32),
        "told": true + 0.5,
    }


def test_maps_are_drawn_in_one_scale_with_what_colours_mean():
    figures = target_figures("depth", map_plot())
    assert [chart.caption for chart in figures.charts] == [
        "Predicted against true, places of the map"
    ]
    assert "off by 0.500 on the mean" in figures.pictures[0]
    assert "the bar below runs from 1.1" in figures.notes[0]
    bounds = colour_bounds(map_plot()["true"])
    assert 1 < bounds[0] < bounds[1] < 3
    low, none = coloured(np.array([[0.0, np.nan]]), bounds)[0]
    assert low.tolist() == [26, 20, 78]
    assert len(set(none)) == 1
    assert colour_bounds(np.full((1, 2, 2), np.nan)) == (0.0, 1.0)


def test_a_drawn_image_is_one_that_others_read():
    Image = pytest.importorskip("PIL.Image")
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3)).astype(np.uint8)
    assert (np.asarray(Image.open(io.BytesIO(png(pixels)))) == pixels).all()


def test_classes_of_masks_have_their_iou():
    figures = target_figures("ground", mask_plot())
    first, second = figures.classes
    assert (first.value("IoU"), second.value("IoU")) == (6 / 9, 3 / 6)
    assert first.cells.rows == 8
    assert figures.columns == ("IoU",)


def test_classes_of_boxes_have_precision_recall_and_average_precision():
    first, second = target_figures("cells", box_plot()).classes
    assert first.cells[1:] == (2 / 3, 0.5, 4 / 7, 4)
    assert first.value("Average precision") == 0.6
    assert np.isnan(second.value("Average precision"))


def test_a_mask_picture_shows_image_truth_and_answer():
    Image = pytest.importorskip("PIL.Image")
    plot = mask_plot()
    picture = mask_picture(plot["pixels"][0], plot["true"][0], plot["told"][0], plot["labels"])
    data = base64.b64decode(re.search('base64,([^"]+)', picture)[1])
    drawn = np.asarray(Image.open(io.BytesIO(data)))
    assert drawn.shape == (4, 18, 3)
    assert not drawn[:, :6].any()
    assert (drawn[0, 6] == drawn[0, 12]).all()
    assert (drawn[0, 6] != drawn[0, 17]).any()
    assert "50% of the pixels agree" in picture


def test_drawn_boxes_are_dashed_and_told_ones_are_not():
    plot = box_plot()
    picture = box_picture(plot["pixels"][0], plot["objects"][0], plot["labels"])
    assert picture.count("<rect") == 2
    assert picture.count("stroke-dasharray") == 1
    assert "&lt;b&gt;&quot;road&quot;&lt;/b&gt;, 0.90" in picture


@pytest.mark.parametrize(
    "plot", [mask_plot(), box_plot(), map_plot()], ids=["mask", "boxes", "map"]
)
def test_the_page_holds_the_pictures_and_no_markup_of_strangers(plot):
    row = {"target": "t", "kind": "mask", "verdict": "helped", "delta": 1.0}
    page = render_report({"transfer": [row], "plots": {"t": plot}})
    assert "data:image/png;base64," in page
    assert EVIL not in page
    assert "Images of the test rows" in page
