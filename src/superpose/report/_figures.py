"""Which charts and tables one target gets in the report: those that its kind names.

A target's plot facts hold encoded labels, canonical predictions and, for numbers and counts, values
in the user's units. Here they become a `TargetFigures`: charts ready to place, and rows per class.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ._curves import (
    Array,
    ClassRow,
    as_floats,
    both_classes,
    class_report,
    confusion_counts,
    pr_points,
    roc_points,
)
from ._examples import example, found_within
from ._map_pictures import colour_bounds, map_picture, scale_note
from ._maps import confusion_matrix
from ._over_time import errors_ahead, survival_curves
from ._pictures import box_picture, mask_picture, object_curves
from ._plots import SERIES, calibration, pr_curves, predicted_against_true, residuals, roc_curves
from ._wording import number, plural, real

CLASS_ROWS = 30  # classes that the table per class lists


@dataclass(frozen=True)
class Chart:
    """One drawing and its caption."""

    caption: str
    svg: str


@dataclass
class LabelRow:
    """One line of the table per class or label; areas are NaN where undefined."""

    cells: ClassRow
    auc: float = math.nan
    average_precision: float = math.nan
    iou: float = math.nan

    def value(self, column: str) -> float:
        """One of the numbers behind those that every line has."""
        return {"AUC": self.auc, "Average precision": self.average_precision, "IoU": self.iou}[
            column
        ]


@dataclass
class TargetFigures:
    """Everything drawn for one target."""

    charts: list[Chart] = field(default_factory=list)
    classes: list[LabelRow] = field(default_factory=list)
    columns: tuple[str, ...] = ("AUC", "Average precision")  # of the lines, behind F1
    pictures: list[str] = field(default_factory=list)
    sentences: list[list[dict[str, Any]]] = field(default_factory=list)
    examples: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, caption: str, svg: str) -> None:
        """Keeps a chart unless there was nothing to draw."""
        if svg:
            self.charts.append(Chart(caption, svg))


def target_figures(name: str, plot: Mapping[str, Any] | None) -> TargetFigures:
    """Returns the charts of one target on the test rows.

    Args:
        name: The target's column.
        plot: ``chart``, a name in ``CHARTS``, with what that chart draws; or None.

    Shape:
        y: (N,) or (N, L); prediction: (N, K); value and interval: (N, 2).
    """
    figures = TargetFigures(examples=[example(row) for row in (plot or {}).get("examples") or []])
    # Without labels there is nothing to draw, but for pictures and sentences: they pick their own.
    if not plot or ("y" in plot and not as_floats(plot["y"]).size):
        return figures
    CHARTS[plot["chart"]](figures, name, plot)
    return figures


def _shorten(figures: TargetFigures, unit: str) -> None:
    """Keeps the classes that a reader gets through."""
    if len(figures.classes) > CLASS_ROWS:
        figures.notes.append(f"The table shows the {CLASS_ROWS} classes with most {unit}.")
        figures.classes.sort(key=lambda row: -row.cells.rows)
        del figures.classes[CLASS_ROWS:]


def _add_words(figures: TargetFigures, name: str, plot: Mapping[str, Any]) -> None:
    """Adds the labels of words: a line for each type, and sentences."""
    counts = as_floats(plot.get("counts")).reshape(-1, 3)
    for label, (right, said, true) in zip(plot.get("labels") or [], counts, strict=True):
        if true or said:
            f1 = 2 * right / (said + true)
            shares = (right / said if said else math.nan, right / true if true else math.nan)
            figures.classes.append(LabelRow(ClassRow(str(label), *shares, f1, int(true))))
    unit = "spans" if plot.get("spans") else "words"
    figures.notes.append(f"The column “Rows” counts {unit}.")
    _shorten(figures, unit)
    figures.sentences = [list(map(_word, sentence)) for sentence in plot.get("sentences") or []]
    if plot.get("rows"):
        wrong, rows = int(plot.get("wrong_rows") or 0), int(plot["rows"])
        figures.notes.append(
            f"Of {plural(rows, 'labelled test row')}, {rows - wrong:,} have every label right."
        )


def _add_masks(figures: TargetFigures, name: str, plot: Mapping[str, Any]) -> None:
    """Adds the classes of places: how well each is met, what is taken for what, and pictures."""
    labels = [str(label) for label in plot.get("labels") or []]
    counts = as_floats(plot.get("counts")).reshape(len(labels), len(labels))
    figures.columns = ("IoU",)
    union = counts.sum(axis=0) + counts.sum(axis=1) - np.diag(counts)
    for k, row in enumerate(class_report(counts, labels)):
        iou = counts[k, k] / union[k] if union[k] else math.nan
        figures.classes.append(LabelRow(row, iou=iou))
    figures.add("Confusion matrix of places", confusion_matrix(counts, labels, name))
    figures.notes.append("The column “Rows” counts places of the map.")
    for pixels, true, told in zip(plot["pixels"], plot["true"], plot["told"], strict=True):
        figures.pictures.append(mask_picture(pixels, np.asarray(true), np.asarray(told), labels))
    _shorten(figures, "places")


def _add_maps(figures: TargetFigures, name: str, plot: Mapping[str, Any]) -> None:
    """Adds numbers of places: what was told against what is true, and pictures in one scale."""
    values = as_floats(plot.get("value")).reshape(-1, 2)
    caption = "Predicted against true, places of the map"
    figures.add(caption, predicted_against_true(values[:, 0], values[:, 1], name))
    true, told = (np.asarray(plot[key], float) for key in ("true", "told"))
    bounds = colour_bounds(true)
    for pixels, own, said in zip(plot["pixels"], true, told, strict=True):
        figures.pictures.append(map_picture(pixels, own, said, bounds))
    if len(true):
        figures.notes.append(scale_note(bounds))


def _add_boxes(figures: TargetFigures, name: str, plot: Mapping[str, Any]) -> None:
    """Adds objects: how well each class is found, curves, and pictures."""
    labels = [str(label) for label in plot.get("labels") or []]
    figures.columns = ("Average precision",)
    columns = (plot["true_counts"], plot["told_counts"], plot["hit_counts"], plot["ap50"])
    for label, true, told, hits, ap in zip(labels, *columns, strict=True):
        shares = (hits / told if told else math.nan, hits / true if true else math.nan)
        f1 = 2 * hits / (true + told) if true + told else math.nan
        row = ClassRow(label, *shares, f1, int(true))
        figures.classes.append(LabelRow(row, average_precision=real(ap)))
    named = [
        (label, int(true), as_floats(curve["recall"]), as_floats(curve["precision"]), real(ap))
        for label, true, curve, ap in zip(
            labels, plot["true_counts"], plot["curves"], plot["ap50"], strict=True
        )
    ]
    figures.add("Precision and recall of objects", object_curves(named, name))
    figures.notes.append("The column “Rows” counts objects; a box is right from an IoU of 0.5.")
    for pixels, objects in zip(plot["pixels"], plot["objects"], strict=True):
        figures.pictures.append(box_picture(pixels, objects, labels))
    _shorten(figures, "objects")


def _word(cell: Mapping[str, Any]) -> dict[str, Any]:
    """One word as the page shows it: its label, and what was told in its place if that differs."""
    true, told = cell.get("true"), cell.get("told")
    wrong = true is not None and true != told
    return {
        "word": str(cell.get("word") or ""),
        "label": "" if true in (None, "O") else str(true),
        "told": f"{told or '–'} for {true}" if wrong else "",
    }


def _add_values(figures: TargetFigures, name: str, plot: Mapping[str, Any]) -> None:
    values = as_floats(plot.get("value")).reshape(-1, 2)
    true, predicted = values[:, 0], values[:, 1]
    figures.add("Predicted against true", predicted_against_true(true, predicted, name))
    figures.add(
        "Residuals, with median and middle 80 %" if len(true) >= 60 else "Residuals",
        residuals(true, predicted, name),
    )
    bounds = as_floats(plot.get("interval")).reshape(-1, 2)
    if len(bounds) == len(values):
        known = np.isfinite(true) & np.isfinite(bounds).all(axis=1)
        low, high, seen = bounds[known, 0], bounds[known, 1], true[known]
        if seen.size:
            held = 100 * float(np.mean((low <= seen) & (seen <= high)))
            figures.notes.append(
                f"The predicted intervals hold {held:.1f} % of {plural(seen.size, 'test row')}; "
                f"their median width is {number(np.median(high - low))}."
            )


def _add_classes(figures: TargetFigures, name: str, plot: Mapping[str, Any]) -> None:
    y, chances = as_floats(plot["y"]), as_floats(plot.get("prediction"))
    known = np.isfinite(y)
    y = y[known]
    if not y.size:
        return
    chances = chances.reshape(known.size, -1)[known]
    classes = chances.shape[1]
    labels = [str(label) for label in plot.get("labels") or range(classes)]
    truth = (y[:, None] == np.arange(classes)).astype(np.float64)
    said = chances.argmax(axis=1).astype(np.float64)
    counts = confusion_counts(y, said, classes)
    binary = classes == 2
    shown = slice(1, 2) if binary else slice(None)
    figures.add("ROC curve", roc_curves(truth[:, shown], chances[:, shown], labels[shown], name))
    figures.add(
        "Precision and recall", pr_curves(truth[:, shown], chances[:, shown], labels[shown], name)
    )
    if binary:
        what = f"of {labels[1]}"
        figures.add("Calibration", calibration(truth[:, 1], chances[:, 1], name, what))
    else:
        right, top = (said == y).astype(np.float64), chances.max(axis=1)
        figures.add(
            "Calibration of the likeliest class", calibration(right, top, name, "of the top class")
        )
    figures.add("Confusion matrix", confusion_matrix(counts, labels, name))
    areas = [_areas(truth[:, k], chances[:, k]) for k in range(classes)]
    report = class_report(counts, labels)
    figures.classes = [LabelRow(row, *area) for row, area in zip(report, areas, strict=True)]
    _shorten_classes(figures)


def _add_labels(figures: TargetFigures, name: str, plot: Mapping[str, Any]) -> None:
    truth = np.atleast_2d(as_floats(plot["y"]))
    chances = as_floats(plot.get("prediction")).reshape(truth.shape)
    labels = [str(label) for label in plot.get("labels") or range(truth.shape[1])]
    figures.add("ROC curves", roc_curves(truth, chances, labels, name))
    figures.add("Precision and recall", pr_curves(truth, chances, labels, name))
    figures.add("Calibration over all labels", calibration(truth.ravel(), chances.ravel(), name))
    for k, label in enumerate(labels):
        known = np.isfinite(truth[:, k])
        y, chance = truth[known, k], chances[known, k]
        counts = confusion_counts(y, (chance >= 0.5).astype(np.float64), 2)
        row = class_report(counts, ["", label])[1]
        figures.classes.append(LabelRow(row, *_areas(y, chance)))
    _shorten_classes(figures)


def _areas(truth: Array, chance: Array) -> tuple[float, float]:
    if not both_classes(truth):
        return math.nan, math.nan
    return roc_points(truth, chance)[2], pr_points(truth, chance)[2]


def _shorten_classes(figures: TargetFigures) -> None:
    """Says which classes the curves are of, and keeps those that a reader gets through."""
    if len(figures.classes) > SERIES:
        figures.notes.append(f"The curves are of the {SERIES} classes with most rows.")
    _shorten(figures, "rows")


def _add_survival(figures: TargetFigures, name: str, plot: Mapping[str, Any]) -> None:
    figures.add("Survival by risk, told and (dashed) seen", survival_curves(plot, name))


def _add_errors_ahead(figures: TargetFigures, name: str, plot: Mapping[str, Any]) -> None:
    figures.add("Error by steps ahead", errors_ahead(plot, name))


def _add_found_within(figures: TargetFigures, name: str, plot: Mapping[str, Any]) -> None:
    figures.add("Share of rows found within the first items", found_within(plot, name))


def _add_nothing(figures: TargetFigures, name: str, plot: Mapping[str, Any]) -> None:
    """What there is to say stands in the metrics and the examples."""


CHARTS: dict[str, Callable[[TargetFigures, str, Mapping[str, Any]], None]] = {
    "values": _add_values,
    "classes": _add_classes,
    "labels": _add_labels,
    "survival": _add_survival,
    "errors ahead": _add_errors_ahead,
    "found within": _add_found_within,
    "examples": _add_nothing,
    "words": _add_words,
    "masks": _add_masks,
    "maps": _add_maps,
    "boxes": _add_boxes,
}
"""The charts of a target, by the name under which `TargetKind.plot` asks for them."""
