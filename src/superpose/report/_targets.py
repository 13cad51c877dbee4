"""The section "Target by target": sentences, metrics and figures of each one on the test rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup

from superpose.record import (
    ImportanceRecord,
    RunRecord,
    TargetRecord,
    in_order,
    model_name,
)

from ._bars import importance_bars
from ._figures import TargetFigures, target_figures
from ._reasons import power_in_words
from ._svg import Chart
from ._verdicts import VerdictLine, verdict_lines
from ._wording import listing, metric_name, number, sharing_in_words

SCORE = "score"  # the metric that all kinds have; it stands last


@dataclass(frozen=True)
class MetricLine:
    """A metric with its values by model, and whether it is the main one of its kind."""

    name: str
    main: bool
    values: list[str]


@dataclass(frozen=True)
class MetricTable:
    """Metrics by model on the test rows."""

    heads: list[str]
    lines: list[MetricLine]


@dataclass(frozen=True)
class TargetView:
    """What the page shows of one target."""

    line: VerdictLine
    words: list[str]
    metrics: MetricTable
    figures: TargetFigures


def target_views(record: RunRecord) -> list[TargetView]:
    """Returns what the template shows of each target."""
    targets = list(record.targets.values())
    return [
        TargetView(
            line=line,
            words=_words(record, target, line),
            metrics=metric_table(target.metrics, target.metric),
            figures=_figures(target, record.importance),
        )
        for target, line in zip(targets, verdict_lines(record, targets), strict=True)
    ]


def _words(record: RunRecord, target: TargetRecord, line: VerdictLine) -> list[str]:
    sentences = [sharing_in_words(target), power_in_words(record, target), line.reason]
    words = [sentence for sentence in sentences if sentence]
    if target.shares_with is not None:
        others = listing(target.shares_with) or "no other target"
        words.insert(0, f"It shares its network with {others}.")
    return words


def _figures(target: TargetRecord, importance: ImportanceRecord | None) -> TargetFigures:
    figures = target_figures(target.name, target.chart)
    if importance and target.name in importance.targets:
        column = importance.values[:, importance.targets.index(target.name)]
        bars = importance_bars(importance.inputs, column, target=target.name)
        if bars:
            figures.charts.append(Chart("Loss when an input is shuffled", Markup(bars)))
    return figures


def metric_table(by_model: Mapping[str, Mapping[str, float]], main: str) -> MetricTable:
    """Returns a line per metric, the main one first, and a column per model."""
    models = [model for model in in_order(by_model) if by_model[model]]
    names = list(dict.fromkeys(metric for model in models for metric in by_model[model]))
    names.sort(key=lambda metric: (metric != main, metric == SCORE))
    lines = [
        MetricLine(
            name=metric_name(metric),
            main=metric == main,
            values=[number(by_model[model].get(metric, float("nan"))) for model in models],
        )
        for metric in names
    ]
    return MetricTable([model_name(model) for model in models], lines)
