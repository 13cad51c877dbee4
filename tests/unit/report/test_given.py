"""What ships once other targets are given: rows, chart and words say the same, and no more."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ElementTree

import pytest

from superpose.report import _given
from superpose.report._report import render_report


def row(target: str, level: str, value: float, ungiven: float = 10.0, **more) -> dict:
    return {
        "target": target, "kind": "number", "metric": "rmse", "higher_is_better": False,
        "level": level, "n": 1200, "reference_name": "trees all", "reference": value + 1,
        "shipped": "joint", "shipped_value": value, "delta": 3.0, "interval": [1.0, 5.0],
        "p": 0.004, "ungiven": ungiven, **more,
    }  # fmt: skip


def test_a_target_has_a_row_per_level_from_nothing_to_all(facts):
    facts["given"]["rows"].reverse()
    view = _given.given_view(facts["given"])
    assert [g["target"] for g in view["groups"]][-1] == "pm25"
    for group in view["groups"]:
        assert [line["share"] for line in group["rows"]] == ["0 %", "50 %", "100 %"]


def test_a_row_names_what_ships_in_words():
    view = _given.given_view({"rows": [row("a", "all", 8.0, shipped="copula")]})
    line = view["groups"][0]["rows"][0]
    assert line["shipped"] == "copula of the residuals"
    assert line["reference_name"] == "boosted trees told all targets"
    assert (line["value"], line["ungiven"], line["reference"]) == ("8.000", "10.00", "9.000")
    assert (line["gain"], line["p"], line["n"]) == ("+3.0 [+1.0, +5.0]", "0.004", "1,200")


def test_a_shipped_reference_has_no_gain_over_itself():
    view = _given.given_view({"rows": [row("a", "all", 8.0, shipped="trees all", delta=0.0)]})
    line = view["groups"][0]["rows"][0]
    assert (line["gain"], line["p"]) == ("none, it is the reference", "–")
    assert line["reference_name"] == "the same"


@pytest.mark.parametrize("given", [None, {}, {"rows": []}, {"rows": [{"level": "most"}]}])
def test_without_rows_there_is_no_section(given):
    assert _given.given_view(given) is None
    assert 'id="given"' not in render_report({"given": given})


def test_an_almost_empty_row_is_shown_with_dashes():
    html = render_report({"given": {"rows": [{"target": "a", "level": "half"}]}})
    assert 'id="given"' in html
    assert "nan" not in html


def test_errors_are_relative_to_nothing_given_on_the_same_rows():
    changes = _given.error_changes([row("a", "half", 9.0), row("a", "all", 4.0, ungiven=8.0)])
    assert changes == [_given.Change("a", 90.0, 50.0)]


def test_the_error_of_a_metric_that_rises_is_its_distance_to_one():
    told = row("a", "all", 0.9, 0.8, metric="auc", higher_is_better=True)
    assert _given.error_changes([told])[0].all == pytest.approx(50.0)


@pytest.mark.parametrize(("value", "ungiven"), [(None, 1.0), (1.0, None), (1.0, 0.0)])
def test_a_target_without_a_known_error_is_not_drawn(value, ungiven):
    assert _given.error_changes([row("a", "all", 0.0) | {
        "shipped_value": value, "ungiven": ungiven
    }]) == []  # fmt: skip
    assert _given.error_chart([]) == ""


@pytest.mark.parametrize("narrow", [False, True])
@pytest.mark.parametrize("targets", [1, 2, 16, 40])
def test_the_chart_has_two_marks_per_target(narrow, targets):
    changes = [_given.Change(f"<t{i}>", 95.0 - i, 90.0 - 2 * i) for i in range(targets)]
    svg = _given.error_chart(changes, narrow)
    ElementTree.fromstring(svg)
    assert svg.count("<circle") == 2 * targets + 2  # and two in the key
    assert len(svg) < 1500 + 700 * targets


def test_a_target_whose_error_explodes_does_not_stretch_the_axis():
    low, high = _given._range([_given.Change("a", 80.0, 60.0), _given.Change("b", 1e6, math.nan)])
    assert (low < 60, high < 220) == (True, True)
    ElementTree.fromstring(_given.error_chart([_given.Change("b", 1e6, math.nan)]))


def test_a_fall_of_one_percent_does_not_look_like_a_landslide():
    low, high = _given._range([_given.Change("a", 99.5, 99.0)])
    assert high - low >= 20


def test_the_paragraph_says_what_knowing_and_what_joining_bring():
    rows = [
        row("a", "half", 9.0),
        row("a", "all", 6.0),
        row("b", "half", 8.0, shipped="trees given", reference_name="trees given"),
        row("b", "all", 7.0, interval=[-1.0, 2.0]),
        row("c", "all", 11.0, interval=[-3.0, -2.0]),
    ]
    words = _given.given_in_words(rows)
    assert words.startswith(
        "With all other targets given, the error falls by 30 % at the median of 3 targets, most "
        "for a (−40 %); with a random half of them it falls by 15 %. For 1 target it is higher "
        "with the others given than without, most for c (+10 %). Against the best single-task "
        "model told the same values (an answer is a target at 50 or at 100 %), 2 of 5 answers "
        "are better, 1 ships that model itself, 1 is not distinguishable from it and 1 is worse."
    )
    assert "Nothing here says that one target causes another." in words


def test_without_references_the_paragraph_says_so():
    words = _given.given_in_words([row("a", "all", 10.0, reference_name=None)])
    assert "the error stays as it is" in words
    assert "no single-task models told the same values" in words
