"""The verdict tables are readable in 80 columns and treat names as names."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from superpose.record import (
    DecisionRecord,
    GainRecord,
    MixtureRecord,
    RunRecord,
    SharingRecord,
    TargetRecord,
)
from superpose.report._table import verdict_table, verdict_text


def printed(record: RunRecord, width: int = 100) -> str:
    out = io.StringIO()
    verdict_table(record, Console(file=out, width=width))
    return out.getvalue()


def renamed(record: RunRecord, name: str, **fields) -> RunRecord:
    """The record with another name, and other fields, of its first target."""
    first, *others = record.targets.values()
    targets = [replace(first, name=name, **fields), *others]
    return replace(record, targets={target.name: target for target in targets})


def test_every_target_has_its_error_with_nothing_half_and_all_given_and_on_test_rows(record):
    lines = printed(record).splitlines()
    assert lines[1].split() == ["nothing", "half", "all", "nothing"]
    assert lines[2].split() == ["target", "metric", *["given"] * 4, "deployed"]
    first = next(line for line in lines if line.startswith("pm25"))
    assert first.split()[1:6] == ["RMSE", "36.86", "33.17", "22.11", "36.86"]
    assert first.rstrip().endswith("multi-task net")


def test_every_target_has_a_line_with_its_verdict(record):
    lines = printed(record).splitlines()
    *_, found = [line for line in lines if line.startswith("pm25")]
    assert found.split()[1:4] == ["38.40", "37.23", "38.78"]
    assert "+6.1 [+4.0, +8.2]" in found
    assert found.rstrip().endswith("helped")
    assert len([line for line in lines if line.rstrip().endswith("no difference")]) == 2


def test_a_mixture_is_named_with_its_weights_in_a_fixed_order(record):
    assert "0.6 multi-task net + 0.4 trees" in printed(record)
    assert "0.5 multi-task net + 0.3 single-task" in printed(record)


@pytest.mark.parametrize("width", [80, 100, 200])
def test_no_line_is_longer_than_the_terminal_or_100_columns(record, width):
    long = SharingRecord(1.0, 123_456_789.0, GainRecord(-123.4, -1400, -11, 0.5), "no difference")
    name, metric = "a very long name of a target", "quadratic_kappa"
    text = printed(renamed(record, name, metric=metric, sharing=long), width)
    assert max(len(line) for line in text.splitlines()) <= min(width, 100)
    lines = [line.rstrip() for line in text.splitlines()]
    assert sum(line.endswith(("helped", "no difference", "harmed")) for line in lines) == 7


def test_a_name_with_brackets_is_printed_as_it_is(record):
    assert "[red]pm25" in printed(renamed(record, "[red]pm25"))


def test_the_lines_below_begin_with_what_measured_targets_are_worth(record):
    text = " ".join(printed(record).split())
    benefit = "With half of the other targets measured the error falls by 5 % at the median"
    assert benefit in text
    assert "most for pm25: RMSE 36.86, then 33.17, then 22.11." in text
    assert "Nothing, half and all given are of the same validation rows." in text
    sharing = "Sharing helped 4 of 7 targets, made no difference for 2 and harmed 1."
    assert text.index(benefit) < text.index(sharing)
    assert "the same net trained on one target (single-task net)" in text


def test_without_given_the_columns_are_named_by_their_rows(record):
    bare = {name: replace(target, given={}) for name, target in record.targets.items()}
    lines = printed(replace(record, targets=bare)).splitlines()
    assert lines[0].split() == ["target", "metric", "validation", "test", "deployed"]
    lines = printed(replace(record, targets=bare, regime="folds")).splitlines()
    assert lines[0].split() == ["target", "metric", "out", "of", "fold", "test", "deployed"]


def test_without_a_proof_no_gain_is_explained():
    decision = DecisionRecord(9, deployed=MixtureRecord({"multi_task": 1.0}, 3.0))
    target = TargetRecord("pm25", metric="rmse", decision=decision)
    text = " ".join(printed(RunRecord(targets={"pm25": target})).split())
    assert "Whether sharing helps was not tested." in text
    assert "what is deployed is unproven" in text
    assert "Gain" not in text


def test_as_text_it_is_what_is_printed(record):
    lines = [line.rstrip() for line in printed(record).splitlines()]
    assert verdict_text(record).splitlines() == lines


def test_it_prints_plain_ascii_where_only_ascii_is_understood(record):
    assert printed(record).isascii()
