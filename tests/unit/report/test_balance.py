"""Balance: who pulls, who starves, who is in whose way."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from superpose.record import BalanceRecord, GradientRecord, RunRecord
from superpose.report import _balance
from superpose.report._report import render_report

NAMES = ["a", "b", "<c>"]


def balance(
    norms=(1.0, 1.0, 1.0), cosine=0.2, *, weights=(), method="sum", cosines=None
) -> BalanceRecord:
    if cosines is None:
        cosines = np.full((3, 3), cosine)
        np.fill_diagonal(cosines, 1.0)
    looks = [GradientRecord(epoch, np.array(norms), np.array(cosines)) for epoch in (0, 1, 4)]
    return BalanceRecord(NAMES, method, 4, "trunk", np.array(weights), looks)


@pytest.mark.parametrize(
    "empty", [None, BalanceRecord(["a", "b"], "sum", 4, "trunk", np.zeros(0), [])]
)
def test_without_looks_there_is_no_section(empty):
    assert _balance.balance_view(empty) is None
    assert 'id="balance"' not in render_report(RunRecord(balance=empty))


def test_a_target_that_hardly_pulls_is_named():
    words = _balance.balance_view(balance((1.0, 1.0, 0.05))).words
    assert words[0] == "a pulls hardest: 49 % of all pull at the last look."
    assert words[1].startswith("<c> hardly pulls at all")
    assert len(_balance.balance_view(balance()).words) == 2


def test_weights_count_as_pull():
    view = _balance.balance_view(balance((1.0, 1.0, 0.05), weights=[[0.1, 0.1, 2.8]]))
    assert not any("hardly" in word for word in view.words)


def test_conflicts_are_named_the_worst_first():
    cosines = np.eye(3)
    cosines[0, 1] = cosines[1, 0] = -0.5
    cosines[0, 2] = cosines[2, 0] = -0.3
    words = _balance.balance_view(balance(cosines=cosines)).words[-1]
    assert words == "In each other’s way: b and a (−0.500) and <c> and a (−0.300)."
    assert "No two targets" in _balance.balance_view(balance()).words[-1]


def test_targets_without_a_gradient_are_left_blank():
    cosines = np.array([[1.0, np.nan, 0.1], [np.nan] * 3, [0.1, np.nan, 1.0]])
    for chart in _balance.balance_view(balance((1.0, np.nan, 0.5), cosines=cosines)).charts:
        ElementTree.fromstring(chart.svg)


def test_names_of_targets_are_escaped_and_the_page_says_which_method():
    weighed = balance(weights=[[1.0, 1.0, 1.0], [0.5, 1.5, 1.0]])
    html = render_report(RunRecord(balance=weighed))
    assert "<c>" not in html
    assert "weigh alike" in html
    html = render_report(RunRecord(balance=balance(method="upgrad")))
    assert "weighed against each other by upgrad" in html
