"""Masks and boxes in the report: classes, curves, and pictures that are part of the page."""

import base64
import io
import re

import numpy as np
import pytest

from superpose.record import (
    CurveOfClass,
    MapsChart,
    MasksChart,
    ObjectClass,
    ObjectsChart,
    ObjectsRecord,
    RunRecord,
    TargetRecord,
)
from superpose.report import render_report
from superpose.report._figures import target_figures
from superpose.report._map_pictures import colour_bounds, coloured
from superpose.report._pictures import box_picture, mask_picture, png

EVIL = '<b>"road"</b>'
PIXELS = np.zeros((1, 4, 6, 3), np.uint8)


def masks() -> MasksChart:
    return MasksChart(
        labels=[EVIL, "sky"],
        counts=np.array([[6, 2], [1, 3]]),
        pixels=PIXELS,
        true=np.zeros((1, 4, 6), int),
        pred=np.array([[[0] * 3 + [1] * 3] * 4]),
    )


def objects() -> ObjectsChart:
    curve = CurveOfClass(np.array([0.25, 0.5, 0.5]), np.array([1.0, 1.0, 0.67]))
    nothing = CurveOfClass(np.zeros(0), np.zeros(0))
    classes = [
        ObjectClass(EVIL, n_true=4, n_pred=3, n_hits=2, ap50=0.6, curve=curve),
        ObjectClass("white", n_true=0, n_pred=1, n_hits=0, ap50=np.nan, curve=nothing),
    ]
    found = ObjectsRecord([[0, 0.1, 0.1, 0.5, 0.5]], [[0, 0.1, 0.1, 0.5, 0.6, 0.9]])
    return ObjectsChart(classes, PIXELS, [found])


def maps() -> MapsChart:
    true = np.linspace(1, 3, 24).reshape(1, 4, 6)
    true[0, 0, 0] = np.nan
    return MapsChart(np.array([[1.0, 1.2], [3.0, 2.9]]), PIXELS, true, true + 0.5)


def test_maps_are_drawn_in_one_scale_with_what_colours_mean():
    figures = target_figures("depth", maps())
    assert [chart.caption for chart in figures.charts] == [
        "Predicted against true, positions of the map"
    ]
    assert "off by 0.500 on the mean" in figures.pictures[0]
    assert "the bar below runs from 1.1" in figures.pictures_note
    bounds = colour_bounds(maps().true)
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
    figures = target_figures("ground", masks())
    first, second = figures.classes
    assert (first.more, second.more) == ((6 / 9,), (3 / 6,))
    assert first.row.rows == 8
    assert figures.columns == ("IoU",)


def test_classes_of_objects_have_precision_recall_and_average_precision():
    first, second = target_figures("cells", objects()).classes
    assert first.row[1:] == (2 / 3, 0.5, 4 / 7, 4)
    assert first.more == (0.6,)
    assert np.isnan(second.more[0])


def test_a_mask_picture_shows_image_truth_and_prediction():
    Image = pytest.importorskip("PIL.Image")
    chart = masks()
    picture = mask_picture(chart.pixels[0], chart.true[0], chart.pred[0])
    data = base64.b64decode(re.search('base64,([^"]+)', picture)[1])
    drawn = np.asarray(Image.open(io.BytesIO(data)))
    assert drawn.shape == (4, 18, 3)
    assert not drawn[:, :6].any()
    assert (drawn[0, 6] == drawn[0, 12]).all()
    assert (drawn[0, 6] != drawn[0, 17]).any()
    assert "50% of the pixels agree" in picture


def test_drawn_boxes_are_dashed_and_predicted_ones_are_not():
    picture = box_picture(PIXELS[0], objects().objects[0], [EVIL, "white"])
    assert picture.count("<rect") == 2
    assert picture.count("stroke-dasharray") == 1
    assert "&lt;b&gt;&quot;road&quot;&lt;/b&gt;, 0.90" in picture


@pytest.mark.parametrize("chart", [masks(), objects(), maps()], ids=["masks", "objects", "maps"])
def test_the_page_holds_the_pictures_and_no_markup_of_strangers(chart):
    page = render_report(RunRecord(targets={"t": TargetRecord("t", chart=chart)}))
    assert "data:image/png;base64," in page
    assert EVIL not in page
    assert "Images of the test rows" in page
