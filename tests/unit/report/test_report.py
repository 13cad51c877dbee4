"""The report is one safe, complete, small page for every shape of a record."""

from __future__ import annotations

import json
import math
import re
from dataclasses import fields, is_dataclass, replace
from html.parser import HTMLParser

import numpy as np
import pytest

from superpose.record import (
    DecisionRecord,
    GainRecord,
    MixtureRecord,
    RunRecord,
    SharingRecord,
)
from superpose.report._report import render_report

EVIL = '<script>alert(1)</script><img src=x onerror="alert(2)">'
VOID = {"meta", "link", "br", "img", "input", "hr"}


class Page(HTMLParser):
    """Reads a page: ids, links to them, tags; fails where tags don't nest."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.open: list[str] = []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        found = dict(attrs)
        if "id" in found:
            self.ids.append(found["id"])
        if tag == "a":
            self.links.append(found["href"])
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_every_link_leads_to_an_anchor_on_the_page(record):
    page = Page(render_report(record))
    assert len(set(page.ids)) == len(page.ids)
    assert {link.removeprefix("#") for link in page.links} <= set(page.ids)


def test_every_section_is_there(record):
    page = Page(render_report(record))
    sections = "summary verdicts gains given entanglement targets attention states importance"
    assert {*sections.split(), "curves", "data", "warnings", "cost", "reproduce"} <= set(page.ids)


def test_the_page_asks_for_nothing(record):
    html = render_report(record)
    page = Page(html)
    assert not {"script", "img", "iframe", "object", "embed"} & set(page.tags)
    assert not re.search(r"https?:|url\(|@import", html)
    assert [v for k, v in page.attributes if k in ("src", "href") and v[:1] != "#"] == ["data:,"]
    assert "default-src 'none'" in html


def test_markup_in_names_and_values_is_inert(record):
    words = {"none", "half", "all", "helped", "harmed", "no difference", "not tested"}

    def spoil(value):
        if isinstance(value, str):
            return value if value in words else f"{value}{EVIL}"
        if isinstance(value, list):
            return [spoil(item) for item in value]
        if isinstance(value, dict):
            return {spoil(k): spoil(v) for k, v in value.items()}
        if is_dataclass(value):
            own = {f.name: getattr(value, f.name) for f in fields(value) if f.name != "metric"}
            if isinstance(own.get("chart"), str):
                del own["chart"]  # the sort of a chart is one of ours
            return replace(value, **{name: spoil(one) for name, one in own.items()})
        return value

    page = Page(render_report(spoil(record)))
    assert not {"script", "img"} & set(page.tags)
    assert not [name for name, _ in page.attributes if name.startswith("on")]


@pytest.mark.parametrize("rows", [0, 1, 3, 50])
@pytest.mark.parametrize("targets", [1, 2, 8])
def test_few_rows_and_few_targets_are_fine(record_maker, rows, targets):
    Page(render_report(record_maker(rows, targets)))


def test_an_empty_record_still_gives_a_page():
    html = render_report(RunRecord())
    Page(html)
    assert "There is no target to compare." in html


def test_a_map_without_a_sink_is_not_read_as_one_with_a_sink(record):
    assert "a row sums to 1 with its sink" in render_report(record)
    attention = replace(record.attention, sink=np.zeros(7))
    assert "This way of sharing has no sink" in render_report(replace(record, attention=attention))


def test_without_attention_curves_importance_and_charts_their_sections_are_left_out(record):
    nothing = {"curves": [], "chart": None, "metrics": {}}
    bare = {name: replace(target, **nothing) for name, target in record.targets.items()}
    page = Page(render_report(replace(record, attention=None, importance=None, targets=bare)))
    assert not {"attention", "importance", "curves"} & set(page.ids)
    assert "#attention" not in page.links


def test_without_a_proof_the_page_says_that_nothing_was_tested(record):
    untested = {
        name: replace(
            target,
            decision=DecisionRecord(90, deployed=MixtureRecord({"multi_task": 1.0}, 3.0)),
            sharing=SharingRecord(multi_task=3.0),
        )
        for name, target in record.targets.items()
    }
    html = render_report(replace(record, targets=untested))
    assert "Whether sharing helps was not tested." in html
    assert "may be worse than they would be" in html
    assert "Holm" not in html
    assert "Best single-task</th>" not in html.split('id="given"')[0]
    assert "gains" not in Page(html).ids


def test_folds_are_explained(record):
    html = render_report(replace(record, regime="folds"))
    assert "out-of-fold predictions" in html
    assert "One half of the validation rows" not in html


def test_the_summary_counts_the_verdicts(record):
    html = render_report(record)
    assert "Sharing helped 4 of 7 targets, made no difference for 2 and harmed 1." in html
    assert "the lowest is that of co, −4.8\u00a0%" in html


def test_the_summary_begins_with_what_measured_targets_are_worth(record):
    html = render_report(record)
    words = (
        "With half of the other targets measured the error falls by 5\u00a0% at the median of 7 "
        "targets, with all of them it falls by 15\u00a0%; most for pm25: RMSE 36.86, then 33.17, "
        "then 22.11."
    )
    assert words in html
    assert html.index(words) < html.index("Sharing helped 4 of 7")


def test_the_first_table_has_the_error_with_nothing_half_and_all_given_and_on_test_rows(record):
    table = render_report(record).split('id="verdicts"')[1].split("</table>")[0]
    heads = re.findall(r'<th scope="col"[^>]*>([^<]+)</th>', table)
    assert heads == [
        *("Target", "Nothing given", "Half given", "All given", "Test rows, nothing given"),
        *("Single-task net", "Multi-task net", "Best single-task", "Gain, %", "Verdict"),
    ]
    first = table.split("<tbody>")[1]
    assert re.findall(r"([\d.]+)</td>", first)[:4] == ["36.86", "33.17", "22.11", "36.86"]


def test_weights_are_named_once_in_a_fixed_order_with_a_reason(record):
    table = render_report(record).split('id="verdicts"')[1].split("</table>")[0]
    assert table.count("0.6 multi-task net + 0.4 trees, whose loss is") == 2
    assert "Deployed is the best single-task model, trees" in table


def test_missing_numbers_are_dashes(record, change):
    unknown = math.nan
    target = record.targets["pm25"]
    sharing = SharingRecord(unknown, unknown, GainRecord(), "no difference")
    metrics = {**target.metrics, "multi_task": {**target.metrics["multi_task"], "mae": unknown}}
    html = render_report(change(record, "pm25", sharing=sharing, metrics=metrics))
    assert not re.search(r">\s*(nan|None)\s*<", html)
    assert "–" in html


def test_a_record_read_back_from_json_gives_the_same_page(record):
    stored, arrays = record.to_dict()
    again = RunRecord.from_dict(json.loads(json.dumps(stored)), arrays)
    assert render_report(again) == render_report(record)


def test_sixty_targets_on_100_000_rows_stay_below_two_megabytes(record_maker):
    long = list(record_maker(100_000, 7).targets.values())
    many = record_maker(10, 60)
    targets = {
        name: replace(target, chart=long[i % 7].chart)
        for i, (name, target) in enumerate(many.targets.items())
    }
    assert len(render_report(replace(many, targets=targets)).encode()) < 2_000_000


def test_configuration_and_command_can_be_copied_as_they_are(record):
    origin = replace(record.origin, config_yaml="ignore: [humidity %]\n")
    html = render_report(replace(record, origin=origin))
    assert "ignore: [humidity %]" in html
    assert "superpose train superpose.yaml --out runs/first" in html


def test_every_sort_of_chart_is_drawn(record, change, class_chart, label_chart):
    record = change(record, "pm25", chart=class_chart(300, ["no", "yes"]))
    record = change(record, "pm10", chart=class_chart(300, ["a", "b", "c"]))
    record = change(record, "so2", chart=label_chart(300, ["x", "y"]))
    html = render_report(record)
    for title in (
        "ROC curve of pm25",
        "Calibration of pm25",
        "Confusion matrix of pm10",
        "Precision and recall of so2",
        "Predicted against true no2",
        "Residuals of co",
    ):
        assert title in html


def test_intervals_of_numbers_are_checked_against_the_test_rows(record):
    assert "The predicted intervals hold 9" in render_report(record)


def test_a_name_that_is_no_valid_unicode_can_be_written(record):
    render_report(replace(record, title="broken \ud800 name")).encode("utf-8")


def test_light_and_dark_are_both_described(record):
    html = render_report(record)
    assert "prefers-color-scheme: dark" in html
    used = set(re.findall(r"var\((--[\w-]+)\)", html))
    light, dark = (set(re.findall(r"(--[\w-]+):", block)) for block in html.split("dark) {", 1))
    assert used <= light
    assert used <= dark
