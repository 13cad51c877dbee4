"""Entanglement is shown where it is distinguishable from chance, and marked where it is not."""

from __future__ import annotations

import io
import math
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from rich.console import Console

from superpose.record import EntanglementRecord, RunRecord
from superpose.report import _entangled, _picture, entanglement_picture, entanglement_table
from superpose.report._report import render_report

EVIL = "<script>alert(1)</script>\"'&\x00\ud800"
NAN = math.nan


TABLES = {
    "bits": [[NAN, 0.52, 0.03], [0.21, NAN, 0.30], [-0.02, 0.0, NAN]],
    "low": [[NAN, 0.45, -0.01], [0.15, NAN, 0.20], [-0.05, -0.02, NAN]],
    "high": [[NAN, 0.59, 0.07], [0.27, NAN, 0.40], [0.01, 0.02, NAN]],
    "null": [[NAN, 0.0, 0.0], [0.0, NAN, 0.2], [0.0, 0.0, NAN]],
    "p": [[NAN, 0.0001, 0.01], [0.002, NAN, 0.2], [0.9, 0.5, NAN]],
    "both": [[NAN, 900, 900], [900, NAN, 900], [900, 900, NAN]],
    "total": [0.25, 0.6, 0.02],
    "total_low": [0.2, 0.5, -0.02],
    "total_high": [0.3, 0.7, 0.06],
    "n": [900, 900, 900],
}


def small(targets=("a", "b", "c"), rows: int = 1000, **more) -> EntanglementRecord:
    """Three targets: a tells b much, b tells a little, c gains something within chance."""
    tables = {key: np.array(value, float) for key, value in {**TABLES, **more}.items()}
    return EntanglementRecord(targets=list(targets), rows=rows, **tables)


def of_bits(targets, bits, **more) -> EntanglementRecord:
    """A measurement of which little more than the bits is known."""
    size = len(targets)
    unknown = {key: np.full((size,) * np.ndim(value), NAN) for key, value in TABLES.items()}
    return small(targets, 0, **{**unknown, "bits": bits, **more})


def page(entangled: EntanglementRecord | None) -> str:
    return render_report(RunRecord(entanglement=entangled))


def numbers(svg: str) -> int:
    return svg.count('class="c') - 1  # one is the class of the chart


def printed(entangled, width: int = 100) -> str:
    out = io.StringIO()
    entanglement_table(entangled, Console(file=out, width=width))
    return out.getvalue()


def test_a_link_needs_its_interval_and_its_test():
    entangled = _entangled.Entangled.of(small())
    links = [(pair.given, pair.about) for pair in entangled.pairs() if pair.link]
    # a about c: the interval holds 0; b about c: p is 0.2.
    assert links == [("a", "b"), ("b", "a")]
    assert entangled.total_link.tolist() == [True, True, False]


@pytest.mark.parametrize(
    ("bits", "low", "p", "link"),
    [
        (0.3, 0.2, 0.01, True),
        (0.3, 0.2, NAN, True),
        (0.3, NAN, 0.01, True),
        (0.3, NAN, NAN, False),
        (0.3, 0.0, 0.01, False),
        (0.3, 0.2, 0.06, False),
        (-0.3, -0.4, 0.01, False),
        (-0.3, NAN, 0.01, False),
        (NAN, NAN, NAN, False),
    ],
)
def test_what_is_not_tested_is_not_distinguishable(bits, low, p, link):
    values = (np.array([value]) for value in (bits, low, p))
    assert _entangled.distinguishable(*values).tolist() == [link]


def test_the_words_name_links_only_and_the_least_symmetric_pair():
    words = _entangled.entangled_in_words(_entangled.Entangled.of(small()))
    assert words == [
        "2 of 6 ordered pairs are distinguishable from chance.",
        "Strongest: a tells 0.52 bits about b (0.45 to 0.59); b tells 0.21 bits about a "
        "(0.15 to 0.27).",
        "The largest difference of directions: a tells 0.52 bits about b, and b 0.21 about a.",
        "All others together tell most about b (0.60 bits) and a (0.25 bits).",
    ]


def test_without_a_link_the_words_say_so():
    entangled = small(p=np.ones((3, 3)))
    words = _entangled.entangled_in_words(_entangled.Entangled.of(entangled))
    assert words == ["None of 6 ordered pairs is distinguishable from chance."]


def test_the_map_hatches_chance_and_shades_links():
    svg = _entangled.entanglement_map(_entangled.Entangled.of(small()))
    ElementTree.fromstring(svg)
    assert svg.count('class="c no"') == 5  # four pairs and one total
    assert ">.52<" in svg
    assert "all others" in svg
    assert "not distinguishable from chance" in svg
    assert "nan" not in svg


def test_a_map_of_links_alone_has_no_hatching():
    table = [[NAN, 0.4], [0.3, NAN]]
    entangled = of_bits(["a", "b"], table, low=table, p=[[NAN, 0.01], [0.01, NAN]])
    svg = _entangled.entanglement_map(_entangled.Entangled.of(entangled))
    assert 'class="hs"' not in svg
    assert "all others" not in svg  # not measured


def test_large_maps_have_no_numbers_and_stay_small(record_maker):
    entangled = record_maker(10, 40).entanglement
    svg = _entangled.entanglement_map(_entangled.Entangled.of(entangled))
    assert numbers(svg) == 0
    assert len(svg) < 80_000


@pytest.mark.parametrize("size", [2, 6, 16])
def test_up_to_sixteen_targets_have_their_numbers(record_maker, size):
    entangled = record_maker(10, size).entanglement
    svg = _entangled.entanglement_map(_entangled.Entangled.of(entangled))
    assert numbers(svg) == size * size  # a diagonal less, a row of totals more


def test_the_table_of_pairs_is_capped_at_the_strongest(record_maker):
    view = _entangled.entangled_view(record_maker(10, 16).entanglement)
    assert (len(view.pairs), view.count) == (30, 240)
    assert all(pair.link for pair in view.pairs)
    assert "The 30 strongest of 240 pairs" in render_report(record_maker(10, 16))
    assert "All pairs" in page(small())


def test_the_section_says_how_it_may_be_read():
    html = page(small())
    for words in (
        "given the inputs",
        "1,000 held-out rows",
        "asymmetric as it comes",
        "not what causes what",
        "1 in 20 cells would pass by chance",
    ):
        assert words in html


@pytest.mark.parametrize(
    "entangled",
    [None, of_bits(["a"], [[NAN]]), of_bits(["a", "b"], [[NAN, NAN], [NAN, NAN]])],
)
def test_with_nothing_measured_there_is_no_section_no_picture_and_a_plain_line(entangled):
    assert _entangled.entangled_view(entangled) is None
    assert 'id="entanglement"' not in page(entangled)
    assert entanglement_picture(entangled) == ""
    assert printed(entangled).startswith("Entanglement needs two targets")


def test_the_picture_stands_alone():
    svg = entanglement_picture(small())
    root = ElementTree.fromstring(svg)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert "var(" not in svg
    assert 'fill="#fff"' in svg
    assert "on 1,000 held-out rows" in svg
    assert "not what causes what" in svg
    assert svg == entanglement_picture(small())


def test_every_class_of_the_picture_has_its_rule():
    svg = entanglement_picture(small())
    names = {name for part in svg.split('class="')[1:] for name in part.split('"')[0].split()}
    assert [name for name in names - {"t"} if f".{name}" not in _picture.PICTURE_STYLE] == []


def test_a_picture_of_any_names_is_a_readable_file():
    svg = entanglement_picture(small(targets=[EVIL, "b", "汽车" * 40]))
    ElementTree.fromstring(svg.encode("utf-8"))
    assert "<script" not in svg


def test_the_terminal_table_stars_what_is_distinguishable():
    lines = printed(small()).splitlines()
    assert lines[0].split() == ["given", "a", "b", "c"]
    assert lines[1].split() == ["a", "0.52*", "0.03"]
    assert lines[3].split() == ["c", "-0.02", "0.00"]
    assert lines[4].split() == ["all", "others", "0.25*", "0.60*", "0.02"]
    text = " ".join(printed(small()).split())
    assert "with the inputs known" in text
    assert "mean over 1,000 held-out rows" in text
    assert text.isascii()


@pytest.mark.parametrize("width", [80, 100, 200])
@pytest.mark.parametrize("targets", [2, 9, 10, 16])
def test_no_line_is_longer_than_the_terminal_or_100_columns(record_maker, targets, width):
    text = printed(record_maker(10, targets).entanglement, width)
    assert max(len(line) for line in text.splitlines()) <= min(width, 100)
    assert "…" not in text.splitlines()[1].split("  ", 1)[-1]  # values are never cut


def test_many_targets_are_listed_by_their_strongest_pairs(record_maker):
    text = printed(record_maker(10, 16).entanglement)
    lines = text.split("\n\n")[0].splitlines()
    assert lines[0].split() == ["given", "about", "bits", "low", "high", "p"]
    assert len(lines) == 21
    assert "The 20 strongest of 240 pairs." in " ".join(text.split())


def test_a_name_with_brackets_is_printed_as_it_is():
    assert "[red]a" in printed(small(targets=["[red]a", "b", "c"]))
