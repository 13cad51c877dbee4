"""What is deployed once others are given: rows, chart and words say the same, and no more."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ElementTree

import pytest

from superpose.record import (
    DecisionRecord,
    GainRecord,
    MixtureRecord,
    RunRecord,
    TargetRecord,
)
from superpose.report import _given
from superpose.report._report import render_report

TREES = {"trees all": 1.0}
NET = {"multi_task": 1.0}


def decision(value: float, weights=NET, reference=TREES, test=None) -> DecisionRecord:
    return DecisionRecord(
        n_rows=1200,
        reference=MixtureRecord(reference, value + 1),
        deployed=MixtureRecord(weights, value),
        test=test or GainRecord(3.0, 1.0, 5.0, 0.004),
    )


def target(name: str, before: float = 10.0, *, half=None, all_=None, up=False) -> TargetRecord:
    given = {level: one for level, one in (("half", half), ("all", all_)) if one is not None}
    metric = "auc" if up else "rmse"
    return TargetRecord(
        name, "number", metric, higher_is_better=up, decision=decision(before), given=given
    )


def test_a_target_has_a_row_per_level_from_nothing_to_all(targets):
    view = _given.given_view(targets)
    assert view.groups[0].target == "pm25"
    for group in view.groups:
        assert [line.share for line in group.rows] == ["0 %", "50 %", "100 %"]


def test_a_row_names_what_is_deployed_in_words():
    mixture = {"multi_task": 0.25, "copula": 0.75}
    line = _given.given_view([target("a", all_=decision(8.0, mixture))]).groups[0].rows[1]
    assert line.deployed == "0.25 multi-task net + 0.75 copula"
    assert line.reference_name == "trees given all targets"
    assert (line.value, line.nothing_given, line.reference) == ("8.000", "10.00", "9.000")
    assert (line.gain, line.p, line.n) == ("+3.0 [+1.0, +5.0]", "0.004", "1,200")


def test_a_deployed_reference_has_no_gain_over_itself():
    line = _given.given_view([target("a", all_=decision(8.0, TREES))]).groups[0].rows[1]
    assert (line.gain, line.p) == ("none, it is the best single-task", "–")
    assert line.reference_name == "the same"


@pytest.mark.parametrize("targets", [[], [TargetRecord("a")]])
def test_where_nothing_can_be_given_there_is_no_section(targets):
    assert _given.given_view(targets) is None
    assert _given.benefit_in_words(targets) == ""
    record = RunRecord(targets={one.name: one for one in targets})
    assert 'id="given"' not in render_report(record)


def test_an_almost_empty_row_is_shown_with_dashes():
    empty = TargetRecord("a", given={"half": DecisionRecord()})
    html = render_report(RunRecord(targets={"a": empty}))
    assert 'id="given"' in html
    assert "nan" not in html


def test_errors_are_relative_to_nothing_given_on_the_same_rows():
    changes = _given.error_changes([target("a", 8.0, half=decision(6.0), all_=decision(4.0))])
    assert changes == [_given.Change("a", 75.0, 50.0)]


def test_the_error_of_a_metric_that_rises_is_its_distance_to_one():
    changes = _given.error_changes([target("a", 0.8, all_=decision(0.9), up=True)])
    assert changes[0].all == pytest.approx(50.0)


@pytest.mark.parametrize(("value", "before"), [(math.nan, 1.0), (1.0, math.nan), (1.0, 0.0)])
def test_a_target_without_a_known_error_is_not_drawn(value, before):
    assert _given.error_changes([target("a", before, all_=decision(value))]) == []
    assert _given.error_chart([]) == ""


@pytest.mark.parametrize("narrow", [False, True])
@pytest.mark.parametrize("targets", [1, 2, 16, 40])
def test_the_chart_has_two_marks_per_target(narrow, targets):
    changes = [_given.Change(f"<t{i}>", 95.0 - i, 90.0 - 2 * i) for i in range(targets)]
    svg = _given.error_chart(changes, narrow=narrow)
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
    vague, worse = GainRecord(0.5, -1.0, 2.0, 0.3), GainRecord(-2.5, -3.0, -2.0, 0.9)
    words = _given.given_in_words(
        [
            target("a", half=decision(9.0), all_=decision(6.0)),
            target("b", half=decision(8.0, TREES), all_=decision(7.0, test=vague)),
            target("c", all_=decision(11.0, test=worse)),
        ]
    )
    assert words.startswith(
        "With all other targets given, the error falls by 30 % at the median of 3 targets, most "
        "for a (−40 %); with a random half of them it falls by 15 %. For 1 target it is higher "
        "with the others given than without, most for c (+10 %). Against the best single-task "
        "model given the same values (an answer is a target at 50 or at 100 %), 2 of 5 answers "
        "are better, 1 is that model itself, 1 is not distinguishable from it and 1 is worse."
    )
    assert "Nothing here says that one target causes another." in words


def test_without_references_the_paragraph_says_so():
    words = _given.given_in_words([target("a", all_=decision(10.0, reference={}))])
    assert "the error stays as it is" in words
    assert "no single-task models given the same values" in words


def test_the_benefit_is_stated_with_the_target_that_gains_most():
    both = [
        target("a", half=decision(9.0), all_=decision(6.0)),
        target("b", half=decision(8.0), all_=decision(7.0)),
    ]
    assert _given.benefit_in_words(both) == (
        "With half of the other targets measured the error falls by 15 % at the median of 2 "
        "targets, with all of them it falls by 35 %; most for a: RMSE 10.00, then 9.000, then "
        "6.000."
    )
    assert _given.benefit_in_words([target("a", half=decision(10.0), all_=decision(10.0))]) == (
        "Measured targets do not sharpen the others here."
    )


def test_a_target_that_the_others_determine_is_no_example_of_a_gain():
    both = [
        target("a", half=decision(5.0), all_=decision(0.1)),
        target("b", half=decision(8.0), all_=decision(7.0)),
    ]
    assert _given.benefit_in_words(both).endswith(
        "; most for b: RMSE 10.00, then 8.000, then 7.000."
    )
