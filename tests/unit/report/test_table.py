"""The verdict table is readable in 100 columns and treats names as names."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from superpose.report._table import short_engine, verdict_table, verdict_text


def printed(transfer, width: int = 100) -> str:
    out = io.StringIO()
    verdict_table(transfer, Console(file=out, width=width))
    return out.getvalue()


def test_every_target_has_a_line_with_its_verdict(facts):
    lines = printed(facts["transfer"]).splitlines()
    assert lines[0].split() == ["single-", "multi-", "best"]
    assert lines[2].split()[:6] == ["target", "metric", "net", "net", "task", "ployed"]
    assert "gain % [interval]" in lines[2]
    found = [line for line in lines if line.startswith("pm25")]
    assert found[0].split()[1:5] == ["RMSE", "38.40", "37.23", "38.78"]
    assert "+6.1 [+4.0, +8.2]" in found[0]
    assert found[0].rstrip().endswith("helped")
    assert len([line for line in lines if line.rstrip().endswith("no difference")]) == 2


def test_no_line_is_longer_than_100_columns(facts):
    facts["transfer"][0] |= {"target": "a very long name of a target", "alone": 123_456_789.0}
    facts["transfer"][1] |= {"delta": -123.4, "interval": [-1400, -11]}
    text = printed(facts["transfer"], width=200)
    assert max(len(line) for line in text.splitlines()) <= 100
    assert "no difference" in text


def test_on_80_columns_the_verdict_is_whole_and_the_interval_is_left_out(facts):
    facts["transfer"][0] |= {"target": "a very long name", "metric": "quadratic_kappa"}
    lines = printed(facts["transfer"], width=80).splitlines()
    assert max(len(line) for line in lines) <= 80
    assert sum(line.rstrip().endswith(("helped", "no difference", "harmed")) for line in lines) == 7
    assert "[+4.0" not in lines[1]


def test_a_name_with_brackets_is_printed_as_it_is(facts):
    facts["transfer"][0]["target"] = "[red]pm25"
    assert "[red]pm25" in printed(facts["transfer"])


def test_the_line_below_explains_the_verdicts(facts):
    text = " ".join(printed(facts["transfer"]).split())
    assert "Sharing helped 4 of 7 targets, made no difference for 2 and harmed 1." in text
    assert "the same network trained on one target alone" in text


def test_without_a_proof_no_gain_is_explained(facts):
    row = {"target": "pm25", "metric": "rmse", "model": 3.0, "shipped": "joint"}
    text = " ".join(printed([row]).split())
    assert "not tested" in text
    assert "Without references, what is deployed is unproven." in text


def test_as_text_it_is_what_is_printed(facts):
    lines = [line.rstrip() for line in printed(facts["transfer"]).splitlines()]
    assert verdict_text(facts["transfer"]).splitlines() == lines


def test_it_prints_plain_ascii_where_only_ascii_is_understood(facts):
    text = printed(facts["transfer"])
    assert text.isascii()


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("trees", "trees"),
        ("joint", "multi"),
        ("blend of joint and trees", "multi + trees"),
        ("blend of joint, alone and trees", "multi + single + trees"),
    ],
)
def test_a_blend_is_named_by_its_parts(name, short):
    assert short_engine(name) == short
