"""Balance: who pulls, who starves, who is in whose way."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from superpose.report import _balance
from superpose.report._report import render_report

NAMES = ["a", "b", "<c>"]


def facts(norms=(1.0, 1.0, 1.0), cosine=0.2, weights=()):
    cosines = np.full((3, 3), cosine)
    np.fill_diagonal(cosines, 1.0)
    looks = [{"epoch": e, "norms": list(norms), "cosines": cosines.tolist()} for e in (0, 1, 4)]
    return {"targets": NAMES, "method": "sum", "every": 4, "weights": list(weights), "looks": looks}


@pytest.mark.parametrize("balance", [None, {}, {"targets": ["a", "b"], "looks": []}])
def test_without_looks_there_is_no_section(balance):
    assert _balance.balance_view(balance) is None
    assert 'id="balance"' not in render_report({"balance": balance})


def test_a_target_that_hardly_pulls_is_named():
    words = _balance.balance_view(facts(norms=(1.0, 1.0, 0.05)))["words"]
    assert words[0] == "a pulls hardest: 49 % of all pull at the last look."
    assert words[1].startswith("<c> hardly pulls at all")
    assert len(_balance.balance_view(facts())["words"]) == 2


def test_weights_count_as_pull():
    balance = facts(norms=(1.0, 1.0, 0.05), weights=[[0.1, 0.1, 2.8]])
    assert not any("hardly" in word for word in _balance.balance_view(balance)["words"])


def test_conflicts_are_named_the_worst_first():
    balance = facts(cosine=0.0)
    for look in balance["looks"]:
        look["cosines"][0][1] = look["cosines"][1][0] = -0.5
        look["cosines"][0][2] = look["cosines"][2][0] = -0.3
    words = _balance.balance_view(balance)["words"][-1]
    assert words == "In each other’s way: b and a (−0.500) and <c> and a (−0.300)."
    assert "No two targets" in _balance.balance_view(facts())["words"][-1]


def test_targets_without_a_gradient_are_left_blank():
    balance = facts(norms=(1.0, np.nan, 0.5))
    for look in balance["looks"]:
        look["cosines"] = [[1.0, None, 0.1], [None, None, None], [0.1, None, 1.0]]
    for chart in _balance.balance_view(balance)["charts"]:
        ElementTree.fromstring(chart["svg"])


def test_names_of_targets_are_escaped_and_the_page_says_which_method():
    html = render_report({"balance": facts(weights=[[1.0, 1.0, 1.0], [0.5, 1.5, 1.0]])})
    assert "<c>" not in html
    assert "weigh alike" in html
    html = render_report({"balance": {**facts(), "method": "upgrad"}})
    assert "weighed against each other by upgrad" in html
