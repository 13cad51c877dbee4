"""The report: one self-contained HTML file from the record of a run.

`render_report` turns the record into a view (words, numbers, drawings) and fills one template. The
page opens offline: it asks for nothing, runs no script, and its content policy forbids both.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import jinja2
from markupsafe import Markup

from superpose.columns import summary
from superpose.record import (
    AttentionRecord,
    CostRecord,
    CurveRecord,
    DataRecord,
    ImportanceRecord,
    OriginRecord,
    RunRecord,
    TargetRecord,
)

from ._balance import BalanceView, balance_view
from ._bars import coverage_bars
from ._entangled import EntangledView, entangled_view
from ._given import GivenView, given_view
from ._maps import INPUTS, attention_map, importance_map, strongest_links
from ._plots import learning_curves
from ._states import StatesView, states_view
from ._summary import ForestView, SummaryView, forests, summary_view
from ._svg import Chart
from ._targets import TargetView, target_views
from ._verdicts import VerdictsView, verdicts_view
from ._wording import duration, listing, metric_name, number, plural

TEMPLATE = "report.html.j2"


@dataclass(frozen=True)
class AttentionView:
    """The map of attention, its strongest links in words, and whether targets have a sink."""

    svg: Markup
    links: list[str]
    has_sink: bool


@dataclass(frozen=True)
class ImportanceView:
    """The map of importance, how many inputs there are, and how many of them it leaves out."""

    svg: Markup
    total: int
    hidden: int


@dataclass(frozen=True)
class InputLine:
    """An input as the table of the page shows it."""

    name: str
    kind: str
    missing: str
    detail: str


@dataclass(frozen=True)
class SourceLine:
    """One of several tables: its name, its rows, and whose labels it brings."""

    name: str
    rows: int
    labels: str


@dataclass(frozen=True)
class DataView:
    """What the page shows of the table."""

    source: str
    split: str
    groups: list[str]
    sources: list[SourceLine]
    inputs: list[InputLine]
    coverage: Markup


@dataclass(frozen=True)
class CostLine:
    """What a stage took, and its share of the longest one in percent."""

    stage: str
    time: str
    share: float
    parameters: str


@dataclass(frozen=True)
class CostView:
    """What the stages took, and all of them together."""

    lines: list[CostLine]
    total: str


@dataclass(frozen=True)
class ReportView:
    """What the template shows: strings, plain numbers and drawings, section by section."""

    title: str
    lead: str
    summary: SummaryView
    verdicts: VerdictsView
    forests: list[ForestView]
    given: GivenView | None
    entangled: EntangledView | None
    targets: list[TargetView]
    attention: AttentionView | None
    states: StatesView | None
    balance: BalanceView | None
    importance: ImportanceView | None
    curves: list[Chart]
    data: DataView
    warnings: list[str]
    conversions: list[str]
    cost: CostView
    origin: OriginRecord


def render_report(record: RunRecord) -> str:
    """Returns the report of a run as one HTML page.

    Args:
        record: What the run has found; numbers may be NaN, and any section may be missing.

    Example:
        >>> "There is no target to compare." in render_report(RunRecord())
        True
    """
    # Column names come from strangers' files: autoescape makes markup in them inert.
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        unbroken=_unbroken, number=number, metric=metric_name, duration=duration
    )
    page = environment.get_template(TEMPLATE).render(vars(report_view(record)))
    # A lone surrogate in a column name can't be written as UTF-8.
    return page.encode("utf-8", "replace").decode("utf-8")


def report_view(record: RunRecord) -> ReportView:
    """Returns what the template shows."""
    targets = list(record.targets.values())
    return ReportView(
        title=record.title or "Superpose report",
        lead=_lead(record),
        summary=summary_view(record),
        verdicts=verdicts_view(record),
        forests=forests(targets),
        given=given_view(targets),
        entangled=entangled_view(record.entanglement),
        targets=target_views(record),
        attention=_attention(record.attention),
        states=states_view(record.states),
        balance=balance_view(record.balance),
        importance=_importance(record.importance),
        curves=_curves({target.name: target.curves for target in targets}),
        data=_data(record.data, targets),
        warnings=list(record.warnings),
        conversions=summary(record.conversions),
        cost=_cost(record.costs),
        origin=record.origin,
    )


def _unbroken(words: str) -> str:
    """Keeps a percent sign, and a p-value, on the line of its number."""
    for part in (" %", "p = ", "p < "):
        words = words.replace(part, part.replace(" ", "\u00a0"))
    return words


def _lead(record: RunRecord) -> str:
    parts = [plural(len(record.targets), "target")]
    if record.data.inputs:
        parts.insert(0, plural(len(record.data.inputs), "input"))
    counts = [f"{count:,} {name}" for name, count in record.data.rows.items() if count > 0]
    if counts:
        parts.append(f"{listing(counts)} rows")
    if record.origin.created:
        # As ISO 8601 writes it, without seconds and zone.
        parts.append(record.origin.created[:16].replace("T", " "))
    return " · ".join(parts)


def _attention(attention: AttentionRecord | None) -> AttentionView | None:
    if attention is None or len(attention.targets) < 2:
        return None
    svg = attention_map(attention)
    if not svg:
        return None
    return AttentionView(Markup(svg), strongest_links(attention), bool((attention.sink > 0).any()))


def _importance(importance: ImportanceRecord | None) -> ImportanceView | None:
    if importance is None or not importance.inputs:
        return None
    svg = importance_map(importance)
    total = len(importance.inputs)
    return ImportanceView(Markup(svg), total, max(total - INPUTS, 0)) if svg else None


def _curves(curves: dict[str, list[CurveRecord]]) -> list[Chart]:
    drawn = [(name, learning_curves(runs, name)) for name, runs in curves.items()]
    return [Chart(name, Markup(svg)) for name, svg in drawn if svg]


def _data(data: DataRecord, targets: Sequence[TargetRecord]) -> DataView:
    rows = {name: count for name, count in data.rows.items() if count > 0}
    labelled = {target.name: target.labelled for target in targets if target.labelled}
    wide = coverage_bars(labelled, rows)
    return DataView(
        source=data.source,
        split=data.split,
        groups=[listing(group) for group in data.groups],
        sources=[
            SourceLine(
                source.name,
                source.rows,
                listing([f"{name} {n}" for name, n in source.labelled.items() if n]),
            )
            for source in data.sources
        ],
        inputs=[
            InputLine(column.name, column.kind, _missing(column.missing), column.detail)
            for column in data.inputs
        ],
        coverage=Markup(wide + coverage_bars(labelled, rows, narrow=True)) if wide else Markup(),
    )


def _missing(share: float) -> str:
    if math.isnan(share):
        return "–"
    return "none" if share == 0 else f"{100 * share:.1f} %" if share >= 0.0005 else "< 0.1 %"


def _cost(stages: Sequence[CostRecord]) -> CostView:
    seconds = [0.0 if math.isnan(s.seconds) else max(s.seconds, 0.0) for s in stages]
    longest = max(seconds, default=0.0) or 1.0
    lines = [
        CostLine(
            stage=stage.stage,
            time=duration(stage.seconds),
            share=round(100 * spent / longest, 1),
            parameters="–" if stage.n_params is None else f"{stage.n_params:,}",
        )
        for stage, spent in zip(stages, seconds, strict=True)
    ]
    return CostView(lines, duration(math.fsum(seconds)))
