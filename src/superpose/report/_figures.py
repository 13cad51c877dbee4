"""What one target gets in the report: charts, a table per class, pictures, sentences, examples.

There is one drawing for each sort of chart that a kind of target can have.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from markupsafe import Markup

from superpose.record import (
    ChartRecord,
    ClassesChart,
    ExamplesChart,
    ForecastChart,
    LabelSetsChart,
    MapsChart,
    MasksChart,
    ObjectsChart,
    RanksChart,
    SurvivalChart,
    ValuesChart,
    WordRecord,
    WordsChart,
)

from ._curves import (
    Array,
    ClassRow,
    both_classes,
    class_report,
    class_row,
    confusion_counts,
    pr_points,
    roc_points,
)
from ._examples import Example, example, recall_at
from ._map_pictures import colour_bounds, map_picture, scale_note
from ._maps import confusion_matrix
from ._over_time import errors_ahead, survival_curves
from ._pictures import box_picture, colour_key, mask_picture, object_curves
from ._plots import SERIES, calibration, pr_curves, predicted_against_true, residuals, roc_curves
from ._svg import Chart
from ._wording import number, plural

CLASS_ROWS = 30  # classes that the table per class lists
OUTSIDE = "O"  # the label of a word that is in no span
MASKS_NOTE = "beside each its mask as it was drawn, and as it is predicted"
BOXES_NOTE = "dashed lines are the boxes that were drawn, whole lines those that are predicted"


@dataclass(frozen=True)
class ClassLine:
    """One line of the table per class or label.

    Args:
        row: Precision, recall, F1 and rows.
        more: Further numbers, one for each further column; NaN where undefined.
    """

    row: ClassRow
    more: tuple[float, ...] = ()


@dataclass(frozen=True)
class Word:
    """One word as the page shows it: its label, and what is wrong with the predicted one."""

    word: str
    label: str
    fault: str


@dataclass
class TargetFigures:
    """Everything drawn for one target.

    Args:
        charts: Line and point charts, maps.
        classes: The table per class.
        columns: Names of its further columns, behind F1.
        pictures: Images with what is true and what is predicted.
        pictures_note: What they show.
        key: The classes of the pictures with their colours.
        sentences: Words with their labels.
        examples: Rows with their predictions.
        notes: Sentences above all that.
    """

    charts: list[Chart] = field(default_factory=list)
    classes: list[ClassLine] = field(default_factory=list)
    columns: tuple[str, ...] = ()
    pictures: list[Markup] = field(default_factory=list)
    pictures_note: str = ""
    key: Markup = field(default_factory=Markup)
    sentences: list[list[Word]] = field(default_factory=list)
    examples: list[Example] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, caption: str, svg: str) -> None:
        """Keeps a chart unless there was nothing to draw."""
        if svg:
            self.charts.append(Chart(caption, Markup(svg)))

    def shorten(self, unit: str) -> None:
        """Keeps the classes that a reader gets through."""
        if len(self.classes) > CLASS_ROWS:
            self.notes.append(f"The table shows the {CLASS_ROWS} classes with most {unit}.")
            self.classes.sort(key=lambda line: -line.row.rows)
            del self.classes[CLASS_ROWS:]


def target_figures(name: str, chart: ChartRecord | None) -> TargetFigures:
    """Returns the charts of one target on the test rows.

    Args:
        name: The target's column.
        chart: What is to be drawn; None gives empty figures.
    """
    figures = TargetFigures()
    if chart is not None:
        DRAWINGS[type(chart)](figures, name, chart)
    return figures


def _values(figures: TargetFigures, name: str, chart: ValuesChart) -> None:
    true, pred = chart.true, chart.pred
    figures.add("Predicted against true", predicted_against_true(true, pred, name))
    figures.add(
        "Residuals, with median and middle 80 %" if len(true) >= 60 else "Residuals",
        residuals(true, pred, name),
    )
    if chart.low is None or chart.high is None:
        return
    known = np.isfinite(true) & np.isfinite(chart.low) & np.isfinite(chart.high)
    low, high = chart.low[known], chart.high[known]
    seen = true[known]
    if seen.size:
        inside = 100 * float(np.mean((low <= seen) & (seen <= high)))
        figures.notes.append(
            f"The predicted intervals hold {inside:.1f} % of {plural(seen.size, 'test row')}; "
            f"their median width is {number(float(np.median(high - low)))}."
        )


def _classes(figures: TargetFigures, name: str, chart: ClassesChart) -> None:
    known = np.isfinite(chart.true)
    y, chances = chart.true[known], chart.pred[known]
    if not y.size:
        return
    labels = chart.labels
    truth = (y[:, None] == np.arange(len(labels))).astype(np.float64)
    pred = chances.argmax(axis=1).astype(np.float64)
    counts = confusion_counts(y, pred, len(labels))
    binary = len(labels) == 2
    shown = slice(1, 2) if binary else slice(None)
    curves = (truth[:, shown], chances[:, shown], labels[shown])
    figures.add("ROC curve", roc_curves(*curves, target=name))
    figures.add("Precision and recall", pr_curves(*curves, target=name))
    if binary:
        what = f"of {labels[1]}"
        figures.add("Calibration", calibration(truth[:, 1], chances[:, 1], target=name, what=what))
    else:
        right = (pred == y).astype(np.float64)
        svg = calibration(right, chances.max(axis=1), target=name, what="of the top class")
        figures.add("Calibration of the likeliest class", svg)
    figures.add("Confusion matrix", confusion_matrix(counts, labels, name))
    areas = [_areas(truth[:, k], chances[:, k]) for k in range(len(labels))]
    report = class_report(counts, labels)
    _add_classes(figures, [ClassLine(*line) for line in zip(report, areas, strict=True)])


def _label_sets(figures: TargetFigures, name: str, chart: LabelSetsChart) -> None:
    true, pred, labels = chart.true, chart.pred, chart.labels
    if not true.size:
        return
    figures.add("ROC curves", roc_curves(true, pred, labels, target=name))
    figures.add("Precision and recall", pr_curves(true, pred, labels, target=name))
    overall = calibration(true.ravel(), pred.ravel(), target=name)
    figures.add("Calibration over all labels", overall)
    lines = []
    for k, label in enumerate(labels):
        known = np.isfinite(true[:, k])
        y, chance = true[known, k], pred[known, k]
        counts = confusion_counts(y, (chance >= 0.5).astype(np.float64), 2)
        lines.append(ClassLine(class_report(counts, ["", label])[1], _areas(y, chance)))
    _add_classes(figures, lines)


def _add_classes(figures: TargetFigures, lines: list[ClassLine]) -> None:
    figures.classes = lines
    figures.columns = ("AUC", "Average precision")
    if len(lines) > SERIES:
        figures.notes.append(f"The curves are of the {SERIES} classes with most rows.")
    figures.shorten("rows")


def _areas(truth: Array, chance: Array) -> tuple[float, float]:
    if not both_classes(truth):
        return math.nan, math.nan
    return roc_points(truth, chance)[2], pr_points(truth, chance)[2]


def _survival(figures: TargetFigures, name: str, chart: SurvivalChart) -> None:
    figures.add("Survival by risk, predicted and (dashed) observed", survival_curves(chart, name))


def _forecast(figures: TargetFigures, name: str, chart: ForecastChart) -> None:
    figures.add("Error by steps ahead", errors_ahead(chart, name))


def _ranks(figures: TargetFigures, name: str, chart: RanksChart) -> None:
    figures.examples = [example(record) for record in chart.examples]
    figures.add("Share of rows found within the first items", recall_at(chart, name))


def _examples(figures: TargetFigures, name: str, chart: ExamplesChart) -> None:
    figures.examples = [example(record) for record in chart.examples]


def _words(figures: TargetFigures, name: str, chart: WordsChart) -> None:
    """Adds the labels of words: a line for each type, and sentences."""
    for label, (right, pred, true) in zip(chart.labels, chart.counts, strict=True):
        if true or pred:
            figures.classes.append(ClassLine(class_row(label, right, pred, true=true)))
    unit = "spans" if chart.spans else "words"
    figures.notes.append(f"The column “Rows” counts {unit}.")
    figures.shorten(unit)
    figures.sentences = [[_word(word) for word in sentence] for sentence in chart.sentences]
    if chart.n_rows:
        right_rows = chart.n_rows - chart.n_wrong_rows
        count = plural(chart.n_rows, "labelled test row")
        figures.notes.append(f"Of {count}, {right_rows:,} have every label right.")


def _word(record: WordRecord) -> Word:
    wrong = record.true is not None and record.true != record.pred
    return Word(
        word=record.word,
        label="" if record.true in (None, OUTSIDE) else str(record.true),
        fault=f"{record.pred or '–'} for {record.true}" if wrong else "",
    )


def _masks(figures: TargetFigures, name: str, chart: MasksChart) -> None:
    """Adds the classes of positions: how well each is met, what is taken for what, and pictures."""
    counts = chart.counts
    union = counts.sum(axis=0) + counts.sum(axis=1) - np.diag(counts)
    figures.columns = ("IoU",)
    for k, row in enumerate(class_report(counts, chart.labels)):
        iou = float(counts[k, k] / union[k]) if union[k] else math.nan
        figures.classes.append(ClassLine(row, (iou,)))
    figures.add("Confusion matrix of positions", confusion_matrix(counts, chart.labels, name))
    figures.notes.append("The column “Rows” counts positions of the map.")
    drawn = zip(chart.pixels, chart.true, chart.pred, strict=True)
    figures.pictures = [Markup(mask_picture(*picture)) for picture in drawn]
    figures.pictures_note = MASKS_NOTE
    figures.key = Markup(colour_key(chart.labels))
    figures.shorten("positions")


def _maps(figures: TargetFigures, name: str, chart: MapsChart) -> None:
    """Adds numbers of positions: predicted against true, and pictures in one scale."""
    caption = "Predicted against true, positions of the map"
    figures.add(caption, predicted_against_true(chart.values[:, 0], chart.values[:, 1], name))
    bounds = colour_bounds(chart.true)
    drawn = zip(chart.pixels, chart.true, chart.pred, strict=True)
    figures.pictures = [Markup(map_picture(*picture, bounds=bounds)) for picture in drawn]
    if len(chart.true):
        figures.pictures_note = scale_note(bounds)


def _objects(figures: TargetFigures, name: str, chart: ObjectsChart) -> None:
    """Adds objects: how well each class is detected, curves, and pictures."""
    labels = [one.label for one in chart.classes]
    figures.columns = ("Average precision",)
    figures.classes = [
        ClassLine(class_row(one.label, one.n_hits, one.n_pred, true=one.n_true), (one.ap50,))
        for one in chart.classes
    ]
    figures.add("Precision and recall of objects", object_curves(chart.classes, name))
    figures.notes.append("The column “Rows” counts objects; a box is right from an IoU of 0.5.")
    drawn = zip(chart.pixels, chart.objects, strict=True)
    figures.pictures = [Markup(box_picture(*picture, labels)) for picture in drawn]
    figures.pictures_note = BOXES_NOTE
    figures.key = Markup(colour_key(labels))
    figures.shorten("objects")


Drawing = Callable[[TargetFigures, str, Any], None]
DRAWINGS: dict[type, Drawing] = {
    ValuesChart: _values,
    ClassesChart: _classes,
    LabelSetsChart: _label_sets,
    SurvivalChart: _survival,
    ForecastChart: _forecast,
    RanksChart: _ranks,
    ExamplesChart: _examples,
    WordsChart: _words,
    MasksChart: _masks,
    MapsChart: _maps,
    ObjectsChart: _objects,
}
