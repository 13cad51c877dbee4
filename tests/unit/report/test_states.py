"""Task states: the map is drawn with its signs, and each figure says what it may be read as."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import numpy as np
import pytest

from superpose.record import RunRecord, StatesRecord
from superpose.report import _states
from superpose.report._report import render_report

EMPTY = StatesRecord(["a"], np.full((1, 1), np.nan))


@pytest.mark.parametrize("states", [None, StatesRecord([], np.zeros((0, 0))), EMPTY])
def test_without_states_there_is_no_section(states):
    assert _states.states_view(states) is None
    assert 'id="states"' not in render_report(RunRecord(states=states))


def test_each_figure_has_one_sentence_and_its_range(record):
    view = _states.states_view(record.states)
    assert [f.name for f in view.figures] == [
        "Purity", "Von Neumann entropy, bits", "Effective number of task states"
    ]  # fmt: skip
    assert [f.range for f in view.figures] == ["0.14 to 1", "0 to 2.81", "1 to 7"]
    for figure in view.figures:
        assert figure.words.endswith(".")
        assert figure.words.count(".") == 1
        assert any(word in figure.words for word in ("not", "n’t"))


def test_the_page_claims_no_quantum_hardware(record):
    html = render_report(record)
    assert "no quantum hardware and no quantum advantage" in html
    assert "second moments of the states" in html


def test_a_collapse_is_an_alarm_with_what_to_do(record):
    assert 'class="alarm"' not in render_report(record)
    states = replace(record.states, collapsed=True, effective=1.02)
    html = render_report(replace(record, states=states))
    assert "The task states have collapsed: 1.020 effective states for 7 tasks." in html
    assert "fusion set to none" in html


def test_opposed_states_have_a_colour_of_their_own():
    density = np.array([[0.5, -0.4], [-0.4, 0.5]])
    svg = _states.density_map(StatesRecord(["a", "b"], density))
    ElementTree.fromstring(svg)
    assert "ht ng" in svg
    assert "−.40" in svg
    assert "ht ng" not in _states.density_map(StatesRecord(["a", "b"], np.eye(2) / 2))


def test_a_matrix_without_values_is_not_drawn_but_its_figures_are():
    view = _states.states_view(StatesRecord(["a", "b"], np.full((2, 2), np.nan), purity=0.5))
    assert view.svg == ""
    assert [f.value for f in view.figures] == ["0.500"]


@pytest.mark.parametrize("size", [1, 16, 40])
def test_any_number_of_tasks_can_be_drawn(size):
    states = StatesRecord([f"<t{i}>" for i in range(size)], np.eye(size) / size)
    svg = _states.density_map(states)
    ElementTree.fromstring(svg)
    assert ('class="c"' in svg) == (size == 16)
    assert svg.count('class="c') == (1 if size == 40 else 1 + size * size)  # one is the chart
