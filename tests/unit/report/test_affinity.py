"""Affinities and ways to group: nothing is hidden, nothing is claimed that was not found."""

from __future__ import annotations

import io
import math
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from rich.console import Console

from superpose.record import (
    AffinityRecord,
    CandidateRecord,
    DataRecord,
    GainRecord,
    GroupingRecord,
    RunRecord,
    SharingRecord,
    TargetRecord,
)
from superpose.report import (
    _picture,
    affinity_picture,
    affinity_table,
    grouping_in_words,
    grouping_table,
    groups_in_words,
)
from superpose.report._report import render_report

EVIL = "<script>alert(1)</script>\"'&\x00\ud800"
NAN = math.nan


TABLES = {
    "lookahead": [[0.9, 0.0004, NAN], [0.0002, 0.9, 0.00001], [-0.0003, -0.0001, 0.9]],
    "cosine": [[1, 0.3, 0.1], [0.3, 1, 0], [0.1, 0, 1]],
    "residual": None,
    "bits": [[NAN, 0.42, 0], [0.4, NAN, 0], [0, 0, NAN]],
}
SHARING = {
    "a": SharingRecord(gain=GainRecord(3.0, 1.0, 5.0), verdict="helped"),
    "c": SharingRecord(gain=GainRecord(-2.0, -4.0, -1.0), verdict="harmed"),
}


def affinity(**more) -> AffinityRecord:
    """Two that help each other, and one that harms both."""
    tables = {k: more.pop(k, v) for k, v in TABLES.items()}
    arrays = {k: None if v is None else np.array(v, float) for k, v in tables.items()}
    words = {
        "targets": ["a", "b", "c"],
        "single_task": True,
        "run_groups": [],
        "groups": [["a", "b"], ["c"]],
        "n_looks": 80,
        "n_networks": 1,
        "n_epochs": 10,
    }
    return AffinityRecord(**arrays, **{**words, **more})


def run(affinity: AffinityRecord) -> RunRecord:
    targets = {name: TargetRecord(name, sharing=sharing) for name, sharing in SHARING.items()}
    return RunRecord(targets=targets, affinity=affinity)


def grouping(recommended: str = "pairs", winner: str = "pairs", targets: int = 3) -> GroupingRecord:
    names = [f"t{n}" for n in range(targets)]
    rows = [("all together", 0.8, 0.0), ("all apart", 0.9, -12.5), ("pairs", 0.6, 25.0)]
    return GroupingRecord(
        targets=names,
        candidates=[
            CandidateRecord(
                name=name,
                groups=[names],
                loss=loss,
                error=0.02,
                gain=gain,
                gain_error=3.0,
                gains=[gain - n for n in range(targets)],
            )
            for name, loss, gain in rows
        ],
        winner=winner,
        recommended=recommended,
        n_folds=5,
        n_rows=1200,
    )


def printed(print_table, record, width: int = 100) -> list[str]:
    out = io.StringIO()
    print_table(record, Console(file=out, width=width))
    assert max(map(len, out.getvalue().splitlines())) <= width
    return out.getvalue().splitlines()


def test_pairs_stand_by_falling_look_ahead_with_all_measures_beside_it():
    lines = [line.split() for line in printed(affinity_table, run(affinity()))]
    assert lines[0] == ["from", "to", "look-ahead", "‰", "cosine", "residuals", "bits"]
    assert lines[1] == ["a", "b", "+0.400", "+0.30", "-", "+0.42"]
    assert lines[2] == ["b", "a", "+0.200", "+0.30", "-", "+0.40"]
    assert lines[6] == ["c", "a", "−0.300", "+0.10", "-", "0.00"]


def test_for_each_target_what_it_receives_stands_beside_what_sharing_did():
    text = printed(affinity_table, run(affinity()))
    lines = [line.split() for line in text]
    assert ["a", "b", "−0.050", "+3.0", "[+1.0,", "+5.0]", "helped"] in lines
    assert ["b", "a", "+0.150", "-", "not", "tested"] in lines
    assert ["c", "b", "+0.010", "-2.0", "[-4.0,", "-1.0]", "harmed"] in lines


def test_of_many_pairs_the_largest_are_listed_and_the_rest_is_counted():
    size = 8
    table = [[0.001 * (i + 1) for _ in range(size)] for i in range(size)]
    names = [f"target {n}" for n in range(size)]
    facts = affinity(targets=names, lookahead=table, cosine=table, bits=None)
    text = " ".join(" ".join(printed(affinity_table, run(facts))).split())
    assert "The 30 largest of 56 pairs." in text


def test_whose_residuals_they_are_is_stated():
    single, multi = (
        " ".join(" ".join(printed(affinity_table, run(affinity(single_task=single)))).split())
        for single in (True, False)
    )
    assert "what single-task models leave unexplained" in single
    assert "what the multi-task net leaves unexplained" in multi


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        (
            [["a", "b", "c"]],
            "Look-ahead suggests one group of all, which is the default: write no groups.",
        ),
        ([["a", "b"], ["c"]], "Look-ahead suggests 2 groups; c stands alone."),
        ([["a"], ["b"], ["c"]], "Look-ahead suggests 3 groups; a, b and c stand alone."),
        ([["a", "b"], ["c", "d"]], "Look-ahead suggests 2 groups."),
    ],
)
def test_a_suggestion_is_stated_in_one_sentence(groups, words):
    assert groups_in_words(groups) == words


def test_candidates_stand_by_loss_with_their_gains_over_the_first():
    lines = [line.split() for line in printed(grouping_table, grouping())]
    assert lines[0] == ["ways", "to", "group", "loss", "±", "gain", "%", "±", "t0", "t1", "t2"]
    assert lines[1] == ["pairs", "0.6000", "0.0200", "+25.00", "3.00", "+25.0", "+24.0", "+23.0"]
    assert lines[2] == ["all", "together", "0.8000", "0.0200"]
    assert lines[3][:6] == ["all", "apart", "0.9000", "0.0200", "−12.50", "3.00"]
    text = " ".join(" ".join(printed(grouping_table, grouping())).split())
    assert "by 5 folds of 1,200 training and validation rows" in text


def test_with_many_targets_the_least_and_the_largest_gain_are_shown():
    lines = [line.split() for line in printed(grouping_table, grouping(targets=20))]
    assert lines[0][-2:] == ["least", "most"]
    assert lines[1][-2:] == ["+6.0", "+25.0"]


@pytest.mark.parametrize(
    ("grouping", "words"),
    [
        (
            grouping(),
            "The best is pairs: its loss is lower than that of all together by 25.00 % ± 3.00.",
        ),
        (
            grouping("all together"),
            "The best is pairs (25.00 % ± 3.00), but that is within noise, two standard errors: "
            "the recommendation is all together, which is the default.",
        ),
        (
            grouping("all together", "all together"),
            "Nothing is better than all together, which is the default.",
        ),
    ],
)
def test_the_finding_of_a_search_is_plain(grouping, words):
    assert grouping_in_words(grouping) == words


def test_the_picture_stands_alone_and_frames_the_groups():
    svg = affinity_picture(affinity())
    root = ElementTree.fromstring(svg)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    frames = next(e for e in root.iter() if e.get("class") == "gb")
    assert frames.get("d").count("z") == 1  # one target has no frame
    assert "a helps b" in svg
    assert ">+0.40<" in svg
    assert svg == affinity_picture(affinity())


def test_targets_of_a_group_stand_beside_each_other_in_the_picture():
    root = ElementTree.fromstring(affinity_picture(affinity(groups=[["a", "c"], ["b"]])))
    named = [e.text for e in root.iter() if e.get("class") == "t e"]
    assert named == ["a", "c", "b"]


def test_every_class_of_the_picture_has_its_rule():
    svg = affinity_picture(affinity())
    names = {name for part in svg.split('class="')[1:] for name in part.split('"')[0].split()}
    assert [name for name in names - {"t"} if f".{name}" not in _picture.PICTURE_STYLE] == []


def test_a_picture_of_any_names_is_a_readable_file():
    groups = [[EVIL, "b"], ["汽车" * 40]]
    svg = affinity_picture(affinity(targets=[EVIL, "b", "汽车" * 40], groups=groups))
    ElementTree.fromstring(svg.encode("utf-8"))
    assert "<script" not in svg


def test_names_are_no_markup_on_the_terminal():
    facts = affinity(targets=["[red]a", "b", "c"], groups=[["[red]a"], ["b"], ["c"]])
    assert any(line.startswith("[red]a") for line in printed(affinity_table, run(facts)))


# Groups in the report of a run.


def test_the_report_names_the_groups_and_is_silent_where_all_share():
    page = render_report(RunRecord(data=DataRecord(groups=[["a", "b"], ["<c>"]])))
    assert (
        "<dt>Groups that share a network</dt><dd><bdi>a and b</bdi>; <bdi>&lt;c&gt;</bdi></dd>"
        in (page)
    )
    assert "Groups that share" not in render_report(RunRecord())
