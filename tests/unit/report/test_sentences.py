"""Labels of words in the report: spans by type, and sentences with what was told."""

import numpy as np

from superpose.report import render_report
from superpose.report._figures import target_figures

EVIL = "<b>rome</b>"


def plot(**changes):
    sentence = [
        {"word": "to", "true": "O", "told": "O"},
        {"word": EVIL, "true": "B-to", "told": "B-to"},
        {"word": "friday", "true": "B-day", "told": "O"},
        {"word": "noon", "true": None, "told": "B-day"},
        {"word": "", "true": "O", "told": None},
    ]
    facts = {
        "chart": "words",
        "labels": ["day", "to", "never"],
        "spans": True,
        "counts": np.array([[1, 2, 4], [0, 1, 0], [0, 0, 0]]),
        "sentences": [sentence],
        "wrong_rows": 1,
        "rows": 3,
    }
    return {**facts, **changes}


def test_types_have_precision_recall_and_f1():
    first, second = target_figures("slots", plot()).classes
    assert first.cells == ("day", 0.5, 0.25, 1 / 3, 4)
    assert second.cells[0] == "to"
    assert second.cells[1] == 0
    assert np.isnan(second.cells[2])


def test_a_mistake_names_what_was_told_and_what_is_true():
    (words,) = target_figures("slots", plot()).sentences
    assert [w["label"] for w in words] == ["", "B-to", "B-day", "", ""]
    assert [w["told"] for w in words] == ["", "", "O for B-day", "", "– for O"]


def test_notes_say_what_is_counted():
    assert target_figures("slots", plot()).notes == [
        "The column “Rows” counts spans.",
        "Of 3 labelled test rows, 2 have every label right.",
    ]
    assert "counts words" in target_figures("tags", plot(spans=False)).notes[0]


def test_many_types_are_cut_to_the_most_frequent():
    counts = np.stack([np.arange(50), np.arange(50), np.arange(50)], 1)
    figures = target_figures("slots", plot(labels=[f"t{i}" for i in range(50)], counts=counts))
    assert len(figures.classes) == 30
    assert figures.classes[0].cells.label == "t49"


def test_the_page_shows_sentences_and_keeps_markup_inert():
    row = {"target": "slots", "kind": "tokens", "metric": "f1", "verdict": "helped", "delta": 1.0}
    page = render_report({"transfer": [row], "plots": {"slots": plot()}})
    assert "Labelled sentences" in page
    assert "&lt;b&gt;rome&lt;/b&gt;" in page
    assert EVIL not in page
    assert "O for B-day" in page


def test_without_sentences_their_part_is_left_out():
    row = {"target": "slots", "kind": "tokens", "verdict": "helped", "delta": 1.0}
    page = render_report({"transfer": [row], "plots": {"slots": plot(sentences=[])}})
    assert "Labelled sentences" not in page
