"""Every drawing is well-formed, inert, small and the same each time."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from superpose.record import AttentionRecord, CurveRecord, GainRecord, ImportanceRecord
from superpose.report import _bars, _maps, _plots, _svg

EVIL = "<script>alert(1)</script>\"'&"


def parsed(svg: str) -> ElementTree.Element:
    root = ElementTree.fromstring(svg)
    assert root.tag == "svg"
    assert root.find("title") is not None
    return root


def some_values(rows: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    true = rng.gamma(2, 50, rows)
    true[::17] = np.nan
    return true, np.nan_to_num(true, nan=3.0) + rng.normal(0, 20, rows)


def gains(count: int) -> list[_bars.GainLine]:
    verdicts = ("helped", "no difference", "harmed")
    bounds = [(3.0 - i, 7.0 - i) if i % 4 else (np.nan, np.nan) for i in range(count)]
    return [
        _bars.GainLine(f"{EVIL} {i}", GainRecord(5.0 - i, *bounds[i]), verdicts[i % 3])
        for i in range(count)
    ]


def curve(train: list[float], validation: list[float], best: int | None = None) -> CurveRecord:
    return CurveRecord(EVIL, np.array(train, float), np.array(validation, float), best)


def drawings(rows: int) -> dict[str, str]:
    rng = np.random.default_rng(1)
    true, predicted = some_values(rows)
    y = rng.integers(0, 4, rows)
    truth = (y[:, None] == np.arange(4)) * 1.0
    chance = rng.dirichlet(np.ones(4), rows) + truth
    labels = [EVIL, "b", "c", "d"]
    weights = rng.dirichlet(np.ones(5), 4)[:, :4]
    rows_by_split = {"train": 10, "validation": 0, "test": 5}
    return {
        "learning": _plots.learning_curves([curve([3, 2, np.nan, 1], [3, 2.5, 2.4, 2.6], 2)], EVIL),
        "roc": _plots.roc_curves(truth, chance, labels, target=EVIL),
        "pr": _plots.pr_curves(truth, chance, labels, target=EVIL),
        "calibration": _plots.calibration(truth[:, 0], chance[:, 0] / 2, target=EVIL, what=EVIL),
        "scatter": _plots.predicted_against_true(true, predicted, EVIL),
        "residuals": _plots.residuals(true, predicted, EVIL),
        "confusion": _maps.confusion_matrix(truth.T @ truth, labels, EVIL),
        "attention": _maps.attention_map(AttentionRecord(labels, weights, np.full(4, 0.2))),
        "importance": _maps.importance_map(
            ImportanceRecord([EVIL, "x"], labels, rng.random((2, 4)) * 40)
        ),
        "importance bars": _bars.importance_bars([EVIL, "x"], np.array([3.0, np.nan]), target=EVIL),
        "coverage": _bars.coverage_bars({EVIL: {"train": 3, "test": 5}}, rows_by_split),
        "coverage narrow": _bars.coverage_bars({EVIL: {"train": 3}}, rows_by_split, narrow=True),
        "forest": _bars.forest(gains(6), title=EVIL, ends=(EVIL, "b")),
        "forest narrow": _bars.forest(gains(6), title=EVIL, ends=(EVIL, "b"), narrow=True),
    }


@pytest.mark.parametrize("name", list(drawings(5)))
@pytest.mark.parametrize("rows", [5, 2000])
def test_a_drawing_is_well_formed_and_its_names_are_inert(name, rows):
    svg = drawings(rows)[name]
    parsed(svg)
    assert "<script" not in svg
    assert "alert(1)" in svg
    assert "nan" not in svg.replace("alert", "")


@pytest.mark.parametrize("name", list(drawings(5)))
def test_a_drawing_is_the_same_each_time(name):
    assert drawings(700)[name] == drawings(700)[name]


@pytest.mark.parametrize("name", list(drawings(5)))
def test_a_drawing_of_100_000_rows_is_small(name):
    assert len(drawings(100_000)[name]) < 16_000


@pytest.mark.parametrize(
    "svg",
    [
        _plots.learning_curves([]),
        _plots.learning_curves([curve([], [np.nan])]),
        _plots.roc_curves(np.ones((5, 1)), np.ones((5, 1)), ["one class"]),
        _plots.pr_curves(np.full((5, 1), np.nan), np.ones((5, 1)), ["no label"]),
        _plots.calibration(np.full(3, np.nan), np.ones(3)),
        _plots.predicted_against_true(np.full(3, np.nan), np.ones(3)),
        _plots.residuals(np.zeros(0), np.zeros(0)),
        _maps.confusion_matrix(np.zeros((2, 2)), ["a", "b"]),
        _maps.attention_map(AttentionRecord([], np.zeros((0, 0)), np.zeros(0))),
        _maps.importance_map(ImportanceRecord(["x"], ["y"], np.array([[np.nan]]))),
        _bars.importance_bars(["x"], np.array([-3.0])),
        _bars.coverage_bars({}, {"train": 3}),
        _bars.forest([_bars.GainLine("a", GainRecord(), "not tested")], title="", ends=("", "")),
    ],
)
def test_nothing_to_show_is_an_empty_string(svg):
    assert svg == ""


def test_one_row_and_one_epoch_can_be_drawn():
    parsed(_plots.predicted_against_true(np.array([3.0]), np.array([3.0])))
    parsed(_plots.residuals(np.array([3.0]), np.array([3.0])))
    parsed(_plots.learning_curves([curve([1.0], [1.0], 0)]))


def test_few_rows_are_points_and_many_are_cells():
    few = _plots.predicted_against_true(*some_values(200))
    many = _plots.predicted_against_true(*some_values(4000))
    assert 'class="pt' in few
    assert 'class="hx' in many
    assert 'class="pt' not in many


def test_rows_beyond_the_axes_are_counted():
    true = np.linspace(0, 100, 1000)
    predicted = true.copy()
    predicted[3] = 1e7
    assert "1 row beyond the axes" in _plots.predicted_against_true(true, predicted)


def test_the_classes_with_most_rows_are_drawn_when_colours_run_out():
    rng = np.random.default_rng(4)
    truth = (rng.integers(0, 30, 900)[:, None] == np.arange(30)) * 1.0
    svg = _plots.roc_curves(truth, rng.random((900, 30)), [f"class {k}" for k in range(30)])
    assert svg.count('class="ln s') == 2 * _plots.SERIES  # a line and its key
    assert "6 of 30 classes" in svg


def test_a_confusion_matrix_pools_rare_classes_without_losing_rows():
    counts = np.diag(np.arange(1, 41)).astype(float)
    svg = _maps.confusion_matrix(counts, [f"class {k}" for k in range(40)])
    assert "other" in svg
    assert "820 rows; 100.0 % on the diagonal" in svg


def test_the_strongest_link_is_named_and_the_diagonal_is_not():
    weights = np.array([[0.9, 0.1], [0.3, 0.7]])
    links = _maps.strongest_links(AttentionRecord(["a", "b"], weights, np.zeros(2)))
    assert links == ["b listens to a (0.30)", "a listens to b (0.10)"]


def test_important_inputs_come_first_and_unknown_values_last():
    values = np.array([[0.0, 1.0], [np.nan, np.nan], [8.0, 50.0], [-3.0, 0.0]])
    assert _maps.important_inputs(values).tolist()[0] == 2
    assert len(_maps.important_inputs(np.zeros((40, 2)))) == _maps.INPUTS


def test_a_verdict_has_its_own_shape_in_the_forest():
    svg = _bars.forest(gains(3), title="gains", ends=("worse", "better"))
    for style in ("mk good", "mk same", "mk bad"):
        assert svg.count(f'class="{style}"') == 1


def test_an_interval_beyond_the_axis_ends_in_an_arrow():
    gain = GainRecord(2.0, 1.0, 3.0)
    lines = [_bars.GainLine(f"t{i}", gain, "no difference") for i in range(5)]
    tame = _bars.forest(lines, title="", ends=("", ""))
    far = _bars.GainLine("w", GainRecord(1.0, -900, 900), "no difference")
    wild = _bars.forest([*lines, far], title="", ends=("", ""))
    assert wild.count('class="iv') - tame.count('class="iv') == 3
    parsed(wild)


@pytest.mark.parametrize(
    ("low", "high"), [(0, 1), (-3, 1e6), (1e-9, 2e-9), (5, 5), (0, float("nan"))]
)
def test_ticks_lie_in_their_range(low, high):
    found = _svg.ticks(low, high)
    assert len(found) <= 12
    assert all(low - 1e-12 <= tick <= high + 1e-12 or low == high for tick in found)


@pytest.mark.parametrize(
    ("value", "label"),
    [(0, "0"), (0.25, "0.25"), (-40, "−40"), (12_000, "12k"), (3e6, "3M"), (2e-5, "2e-5")],
)
def test_tick_labels_are_short(value, label):
    assert _svg.tick_label(value) == label


def test_wide_characters_count_double():
    assert _svg.shorten("汽车制造业", 6) == "汽车…"
