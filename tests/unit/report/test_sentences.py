"""Labels of words in the report: spans by type, and sentences with what is predicted."""

from dataclasses import replace

import numpy as np

from superpose.record import RunRecord, TargetRecord, WordRecord, WordsChart
from superpose.report import render_report
from superpose.report._figures import target_figures

EVIL = "<b>rome</b>"
SENTENCE = [
    WordRecord("to", "O", "O"),
    WordRecord(EVIL, "B-to", "B-to"),
    WordRecord("friday", "B-day", "O"),
    WordRecord("noon", None, "B-day"),
    WordRecord("", "O", None),
]
CHART = WordsChart(
    labels=["day", "to", "never"],
    spans=True,
    counts=np.array([[1, 2, 4], [0, 1, 0], [0, 0, 0]]),
    sentences=[SENTENCE],
    n_rows=3,
    n_wrong_rows=1,
)


def page(chart: WordsChart) -> str:
    target = TargetRecord("slots", kind="tokens", metric="f1", chart=chart)
    return render_report(RunRecord(targets={"slots": target}))


def test_types_have_precision_recall_and_f1():
    first, second = (line.row for line in target_figures("slots", CHART).classes)
    assert first == ("day", 0.5, 0.25, 1 / 3, 4)
    assert second[0] == "to"
    assert second[1] == 0
    assert np.isnan(second[2])


def test_a_mistake_names_what_is_predicted_and_what_is_true():
    (words,) = target_figures("slots", CHART).sentences
    assert [w.label for w in words] == ["", "B-to", "B-day", "", ""]
    assert [w.fault for w in words] == ["", "", "O for B-day", "", "– for O"]


def test_notes_say_what_is_counted():
    assert target_figures("slots", CHART).notes == [
        "The column “Rows” counts spans.",
        "Of 3 labelled test rows, 2 have every label right.",
    ]
    assert "counts words" in target_figures("tags", replace(CHART, spans=False)).notes[0]


def test_many_types_are_cut_to_the_most_frequent():
    counts = np.stack([np.arange(50), np.arange(50), np.arange(50)], 1)
    many = replace(CHART, labels=[f"t{i}" for i in range(50)], counts=counts)
    figures = target_figures("slots", many)
    assert len(figures.classes) == 30
    assert figures.classes[0].row.label == "t49"


def test_the_page_shows_sentences_and_keeps_markup_inert():
    html = page(CHART)
    assert "Labelled sentences" in html
    assert "&lt;b&gt;rome&lt;/b&gt;" in html
    assert EVIL not in html
    assert "O for B-day" in html


def test_without_sentences_their_part_is_left_out():
    assert "Labelled sentences" not in page(replace(CHART, sentences=[]))
