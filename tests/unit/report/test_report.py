"""The report is one safe, complete, small page for every shape of facts."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest

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


def test_every_link_leads_to_a_place_on_the_page(facts):
    page = Page(render_report(facts))
    assert len(set(page.ids)) == len(page.ids)
    assert {link.removeprefix("#") for link in page.links} <= set(page.ids)


def test_every_section_is_there(facts):
    page = Page(render_report(facts))
    sections = "summary verdicts gains given entanglement targets attention states importance"
    assert {*sections.split(), "curves", "data", "warnings", "cost", "reproduce"} <= set(page.ids)


def test_the_page_asks_for_nothing(facts):
    html = render_report(facts)
    page = Page(html)
    assert not {"script", "img", "iframe", "object", "embed"} & set(page.tags)
    assert not re.search(r"https?:|url\(|@import", html)
    assert [v for k, v in page.attributes if k in ("src", "href") and v[:1] != "#"] == ["data:,"]
    assert "default-src 'none'" in html


def test_markup_in_names_and_values_is_inert(facts):
    def spoil(value):
        if isinstance(value, str):
            return value if value in ("rmse", "none", "half", "all") else f"{value}{EVIL}"
        if isinstance(value, list):
            return [spoil(item) for item in value]
        if isinstance(value, dict):
            return {spoil(k) if k in names else k: spoil(v) for k, v in value.items()}
        return value

    names = {row["target"] for row in facts["transfer"]} | {"torch"}
    charts = {name: plot["chart"] for name, plot in facts["plots"].items()}
    spoiled = spoil(facts)
    for name, chart in charts.items():
        spoiled["plots"][name + EVIL]["chart"] = chart
    page = Page(render_report(spoiled))
    assert not {"script", "img"} & set(page.tags)
    assert not [name for name, _ in page.attributes if name.startswith("on")]


@pytest.mark.parametrize("rows", [0, 1, 3, 50])
@pytest.mark.parametrize("targets", [1, 2, 8])
def test_few_rows_and_few_targets_are_fine(facts_maker, rows, targets):
    Page(render_report(facts_maker(rows, targets)))


def test_no_facts_at_all_still_give_a_page():
    html = render_report({})
    Page(html)
    assert "There is no target to compare." in html


def test_a_map_without_a_sink_is_not_read_as_one_with_a_sink(facts):
    assert "a row sums to 1 with its sink" in render_report(facts)
    facts["attention"]["sink"] = [0.0] * len(facts["attention"]["sink"])
    assert "This way of sharing has no sink" in render_report(facts)


def test_without_attention_curves_importance_and_plots_their_sections_are_left_out(facts):
    facts |= {"attention": None, "curves": {}, "importance": None, "plots": {}, "metrics": {}}
    page = Page(render_report(facts))
    assert not {"attention", "importance", "curves"} & set(page.ids)
    assert "#attention" not in page.links


def test_without_a_proof_the_page_says_that_nothing_was_tested(facts):
    for row in facts["transfer"]:
        for key in ("alone", "reference", "reference_name", "delta", "interval", "p"):
            row[key] = None
        row |= {"verdict": "not tested", "shipped": "joint", "shipped_delta": None}
        row["shipped_interval"] = row["shipped_p"] = None
    html = render_report(facts)
    assert "Whether sharing helps was not tested." in html
    assert "may be worse than a single-task model" in html
    assert "Holm" not in html
    assert "gains" not in Page(html).ids


def test_folds_are_explained(facts):
    facts["regime"] = "folds"
    html = render_report(facts)
    assert "out-of-fold predictions" in html
    assert "One half of the validation rows" not in html


def test_the_summary_counts_the_verdicts(facts):
    html = render_report(facts)
    assert "Sharing helped 4 of 7 targets, made no difference for 2 and harmed 1." in html
    assert "the lowest is that of co, −4.8\u00a0%" in html


def test_missing_numbers_are_dashes(facts):
    facts["transfer"][0] |= {"alone": float("nan"), "model": None, "interval": None, "p": None}
    facts["metrics"]["pm25"]["joint"]["mae"] = None
    html = render_report(facts)
    assert not re.search(r">\s*(nan|None)\s*<", html)
    assert "–" in html


def test_facts_read_back_from_json_give_the_same_page(facts):
    def plain(value):
        return np.where(np.isnan(value), None, value).tolist()

    copy = json.loads(json.dumps(facts, default=plain))
    assert render_report(copy) == render_report(facts)


def test_sixty_targets_on_100_000_rows_stay_below_a_megabyte_and_a_half(facts_maker):
    facts = facts_maker(100_000, 7)
    for table in ("plots", "curves", "metrics"):
        base = dict(facts[table])
        for i in range(7, 60):
            facts[table][f"t{i}"] = base[list(base)[i % 7]]
    many = facts_maker(10, 60)
    facts["transfer"] += [{**row, "target": f"t{i}"} for i, row in enumerate(many["transfer"])][7:]
    wide = ("attention", "importance", "given", "entanglement", "states")
    facts |= {key: many[key] for key in wide}
    assert len(render_report(facts).encode()) < 1_500_000


def test_configuration_and_command_can_be_copied_as_they_are(facts):
    facts["config_yaml"] = "ignore: [humidity %]\n"
    html = render_report(facts)
    assert "ignore: [humidity %]" in html
    assert "superpose train superpose.yaml --out runs/first" in html


def test_every_kind_of_target_has_its_charts(facts, class_plot, multilabel_plot):
    facts["plots"]["pm25"] = class_plot(300, ["no", "yes"])
    facts["plots"]["pm10"] = class_plot(300, ["a", "b", "c"])
    facts["plots"]["so2"] = multilabel_plot(300, ["x", "y"])
    html = render_report(facts)
    for title in (
        "ROC curve of pm25",
        "Calibration of pm25",
        "Confusion matrix of pm10",
        "Precision and recall of so2",
        "Predicted against true no2",
        "Residuals of co",
    ):
        assert title in html


def test_intervals_of_numbers_are_checked_against_the_test_rows(facts):
    assert "The predicted intervals hold 9" in render_report(facts)


def test_a_name_that_is_no_valid_unicode_can_be_written(facts):
    facts["title"] = "broken \ud800 name"
    render_report(facts).encode("utf-8")


def test_light_and_dark_are_both_described(facts):
    html = render_report(facts)
    assert "prefers-color-scheme: dark" in html
    used = set(re.findall(r"var\((--[\w-]+)\)", html))
    light, dark = (set(re.findall(r"(--[\w-]+):", block)) for block in html.split("dark) {", 1))
    assert used <= light
    assert used <= dark
