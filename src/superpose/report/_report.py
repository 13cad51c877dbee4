"""The report: one self-contained HTML file from the facts of a run.

`render_report` turns facts into a view (words, numbers, drawings) and fills one template. The page
opens offline: it asks for nothing, runs no script, and its content policy forbids both.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from superpose.columns import summary

from ._balance import balance_view
from ._bars import coverage_bars, forest, importance_bars
from ._curves import as_floats
from ._entangled import entangled_view
from ._figures import target_figures
from ._given import given_view
from ._maps import INPUTS, attention_map, importance_map, strongest_links
from ._pictures import colour_key
from ._plots import learning_curves
from ._states import states_view
from ._wording import (
    HARMED,
    HELPED,
    NO_DIFFERENCE,
    NOT_TESTED,
    duration,
    engine_name,
    gain,
    headline,
    interval_of,
    listing,
    metric_name,
    number,
    percent,
    plural,
    real,
    ships_in_words,
    target_in_words,
    verdict_counts,
)

TEMPLATE = "report.html.j2"
VERDICT_STYLES = {HELPED: "good", HARMED: "bad", NO_DIFFERENCE: "same", NOT_TESTED: "none"}
VERDICT_MARKS = {HELPED: "▲", HARMED: "▼", NO_DIFFERENCE: "●", NOT_TESTED: "○"}
ENGINE_ORDER = ("shipped", "joint", "alone", "trees", "constant")


def render_report(facts: Mapping[str, Any]) -> str:
    """Returns the report of a run as one HTML page.

    Args:
        facts: What a run found out: ``title``, ``data``, ``transfer``, ``metrics``, ``plots`` and
            so on. Every key may be missing; numbers may be NaN or None.

    Example:
        >>> "Sharing helped 1 of 1 target" in render_report(
        ...     {"transfer": [{"target": "pm25", "verdict": "helped", "delta": 4.0}]}
        ... )
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
        unbroken=_unbroken, number=number, metric=metric_name, engine=engine_name, duration=duration
    )
    page = environment.get_template(TEMPLATE).render(report_view(facts))
    # A lone surrogate in a column name can't be written as UTF-8.
    return page.encode("utf-8", "replace").decode("utf-8")


def report_view(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Returns what the template shows: strings, plain numbers and drawings."""
    data, transfer = facts.get("data") or {}, list(facts.get("transfer") or [])
    view = {
        "title": str(facts.get("title") or "Superpose report"),
        "created": str(facts.get("created") or ""),
        "source": str(data.get("source") or ""),
        "lead": _lead(data, transfer),
        "summary": _summary(facts, transfer),
        "verdicts": [_verdict_row(i, row) for i, row in enumerate(transfer)],
        "forests": _forests(transfer),
        "given": given_view(facts.get("given")),
        "entangled": entangled_view(facts.get("entanglement")),
        "targets": _targets(facts, transfer),
        "attention": _attention(facts.get("attention")),
        "states": states_view(facts.get("states")),
        "balance": balance_view(facts.get("balance")),
        "importance": _importance(facts.get("importance")),
        "curves": _curves(facts.get("curves") or {}),
        "coverage": _coverage(data),
        "data": _data(data),
        "warnings": [str(warning) for warning in facts.get("warnings") or []],
        "conversions": summary(str(one) for one in facts.get("conversions") or []),
        "cost": _cost(facts.get("cost") or []),
        "reproduce": {
            "command": str(facts.get("command") or ""),
            "config": str(facts.get("config_yaml") or ""),
            "seed": facts.get("seed"),
            "hardware": str(facts.get("hardware") or ""),
            "versions": dict(facts.get("versions") or {}),
        },
    }
    return view


def _unbroken(words: str) -> str:
    """Keeps a percent sign on the line of its number."""
    return words.replace(" %", "\u00a0%")


def _safe(svg: str) -> Markup:
    # Drawings are built by this package and escape every text themselves.
    return Markup(svg)


def _lead(data: Mapping[str, Any], transfer: Sequence[Mapping[str, Any]]) -> str:
    rows = {k: int(v) for k, v in (data.get("rows") or {}).items() if real(v) > 0}
    parts = []
    if data.get("inputs"):
        parts.append(plural(len(data["inputs"]), "input"))
    parts.append(plural(len(data.get("targets") or transfer), "target"))
    if rows:
        counts = listing([f"{count:,} {name}" for name, count in rows.items()])
        parts.append(f"{counts} rows")
    return " · ".join(parts)


def _summary(facts: Mapping[str, Any], transfer: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    counts = verdict_counts(transfer)
    tested = len(transfer) - counts[NOT_TESTED]
    words = [ships_in_words(transfer)]
    gains = [(real(r.get("delta")), str(r.get("target"))) for r in transfer]
    gains = [pair for pair in gains if not math.isnan(pair[0])]
    if len(gains) > 1:
        worst = min(gains)
        mean = math.fsum(g for g, _ in gains) / len(gains)
        words.append(
            f"The mean gain by sharing over {plural(len(gains), 'target')} is "
            f"{percent(mean)} %; the lowest is that of {worst[1]}, {percent(worst[0])} %."
        )
    proved = any(row.get("reference_name") for row in transfer)
    if proved and not math.isnan(real(facts.get("delta"))):
        level = f"{100 * real(facts['delta']):g} %"
        words.append(
            "A single-task reference was replaced only where a one-sided paired test on rows "
            f"that neither had seen allowed it, at level {level} with Holm’s correction over "
            "the targets."
        )
    if facts.get("regime") == "folds":
        words.append(
            "The table is small, so choices and tests used out-of-fold predictions of repeated "
            "cross-validation."
        )
    elif proved:
        words.append(
            "One half of the validation rows made the choices, the other half decided; the test "
            "rows were read once, at the end."
        )
    if transfer and not proved:
        words.append("Without references, what ships may be worse than a single-task model.")
    tiles = [
        {"count": counts[v], "word": v, "style": VERDICT_STYLES[v], "mark": VERDICT_MARKS[v]}
        for v in (HELPED, NO_DIFFERENCE, HARMED, NOT_TESTED)
        if v != NOT_TESTED or counts[v]
    ]
    return {
        "headline": headline(transfer),
        "tiles": tiles if tested else tiles[3:],
        "words": [w for w in words if w],
        "warnings": len(facts.get("warnings") or []),
    }


def _verdict_row(position: int, row: Mapping[str, Any]) -> dict[str, Any]:
    verdict = str(row.get("verdict") or NOT_TESTED)
    arrow = "↑" if row.get("higher_is_better") else "↓"
    reference = str(row.get("reference_name") or "")
    return {
        "anchor": f"target-{position}",
        "target": str(row.get("target")),
        "kind": str(row.get("kind") or ""),
        "metric": f"{metric_name(str(row.get('metric') or ''))} {arrow}"
        if row.get("metric")
        else "",
        "alone": number(row.get("alone")),
        "joint": number(row.get("model")),
        "reference": number(row.get("reference")),
        "reference_name": engine_name(reference),
        "shipped_value": number(row.get("shipped_value")),
        "shipped": engine_name(str(row.get("shipped") or "joint")),
        "gain": gain(row.get("delta"), row.get("interval")),
        "verdict": verdict,
        "style": VERDICT_STYLES.get(verdict, "none"),
        "mark": VERDICT_MARKS.get(verdict, "○"),
    }


def _forests(transfer: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    shipped = [
        {
            "target": row.get("target"),
            "delta": row.get("shipped_delta"),
            "interval": row.get("shipped_interval"),
            "verdict": _side(row.get("shipped_interval")),
        }
        for row in transfer
        # What ships is the reference itself: nothing to compare.
        if row.get("shipped") != row.get("reference_name")
    ]
    plans = (
        (
            "Did sharing help?",
            "The joint network against the same network trained alone on one target.",
            transfer,
            ("alone better", "sharing better"),
        ),
        (
            "Is what ships better than its reference?",
            "What ships against the best single-task model of each target. Targets that ship "
            "their reference are not listed. A gain here may come from blending, not from sharing.",
            shipped,
            ("reference better", "shipped better"),
        ),
    )
    drawn = []
    for title, words, rows, ends in plans:
        wide, narrow = forest(rows, title, ends), forest(rows, title, ends, narrow=True)
        if wide:
            drawn.append({"title": title, "words": words, "svg": _safe(wide + narrow)})
    return drawn


def _side(interval: Any) -> str:
    low, high = interval_of(interval)
    return HELPED if low > 0 else HARMED if high < 0 else NO_DIFFERENCE


def _targets(
    facts: Mapping[str, Any], transfer: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    plots, metrics = facts.get("plots") or {}, facts.get("metrics") or {}
    importance = facts.get("importance") or {}
    columns = [str(name) for name in importance.get("targets") or []]
    details = {t.get("name"): t for t in (facts.get("data") or {}).get("targets") or []}
    shown = []
    for i, row in enumerate(transfer):
        name = row.get("target")
        figures = target_figures(str(name), plots.get(name))
        charts = [{"caption": c.caption, "svg": _safe(c.svg)} for c in figures.charts]
        if str(name) in columns:
            values = as_floats(importance["values"]).reshape(-1, len(columns))
            bars = importance_bars(
                importance["inputs"], values[:, columns.index(str(name))], str(name)
            )
            if bars:
                charts.append({"caption": "Loss when an input is shuffled", "svg": _safe(bars)})
        shown.append(
            {
                **_verdict_row(i, row),
                "detail": str(details.get(name, {}).get("detail") or ""),
                "words": target_in_words(row),
                "metrics": _metrics(metrics.get(name) or {}, str(row.get("metric") or "")),
                "charts": charts,
                "classes": figures.classes,
                "columns": figures.columns,
                "pictures": [_safe(picture) for picture in figures.pictures],
                "key": _safe(colour_key(plots[name]["labels"])) if figures.pictures else "",
                "sentences": figures.sentences,
                "examples": figures.examples,
                "notes": figures.notes,
            }
        )
    return shown


def _metrics(by_engine: Mapping[str, Mapping[str, Any]], main: str) -> dict[str, Any]:
    """Returns a table: a line per metric, the main one first, a column per engine."""
    known = [name for name in ENGINE_ORDER if by_engine.get(name)]
    known += [name for name in by_engine if name not in known and by_engine[name]]
    names: list[str] = []
    for engine in known:
        names += [metric for metric in by_engine[engine] if metric not in names]
    names.sort(key=lambda metric: (metric != main, metric == "score"))
    lines = [
        {
            "name": metric_name(metric),
            "main": metric == main,
            "values": [number(by_engine[engine].get(metric)) for engine in known],
        }
        for metric in names
    ]
    heads = ["ships" if engine == "shipped" else engine_name(engine) for engine in known]
    return {"heads": heads, "lines": lines}


def _attention(attention: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if not attention or len(attention.get("targets") or []) < 2:
        return None
    targets = [str(name) for name in attention["targets"]]
    svg = attention_map(targets, attention["weights"], attention["sink"])
    if not svg:
        return None
    return {
        "svg": _safe(svg),
        "links": strongest_links(targets, attention["weights"]),
        "has_sink": any(share > 0 for share in attention["sink"]),
    }


def _importance(importance: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if not importance or not importance.get("inputs"):
        return None
    svg = importance_map(importance["inputs"], importance["targets"], importance["values"])
    total = len(importance["inputs"])
    hidden = max(total - INPUTS, 0)
    return {"svg": _safe(svg), "total": total, "hidden": hidden} if svg else None


def _curves(curves: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[dict[str, Any]]:
    drawn = [(str(name), learning_curves(runs, str(name))) for name, runs in curves.items()]
    return [{"caption": name, "svg": _safe(svg)} for name, svg in drawn if svg]


def _coverage(data: Mapping[str, Any]) -> Markup | None:
    rows = {k: int(v) for k, v in (data.get("rows") or {}).items() if real(v) > 0}
    pairs = [
        (str(t.get("name")), t.get("labelled") or {})
        for t in data.get("targets") or []
        if t.get("labelled")
    ]
    wide = coverage_bars(pairs, rows)
    return _safe(wide + coverage_bars(pairs, rows, narrow=True)) if wide else None


def _data(data: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "source": str(data.get("source") or ""),
        "split": str(data.get("split") or ""),
        "groups": [listing([str(t) for t in group]) for group in data.get("groups") or []],
        "sources": [
            {**one, "labels": listing([f"{t} {n}" for t, n in one["labelled"].items() if n])}
            for one in data.get("sources") or []
        ],
        "inputs": [
            {
                "name": str(column.get("name")),
                "kind": str(column.get("kind") or ""),
                "missing": _missing(column.get("missing")),
                "detail": str(column.get("detail") or ""),
            }
            for column in data.get("inputs") or []
        ],
    }


def _missing(share: Any) -> str:
    value = real(share)
    if math.isnan(value):
        return "–"
    return "none" if value == 0 else f"{100 * value:.1f} %" if value >= 0.0005 else "< 0.1 %"


def _cost(stages: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    seconds = [max(real(s.get("seconds")), 0.0) for s in stages]
    seconds = [0.0 if math.isnan(s) else s for s in seconds]
    longest = max(seconds, default=0.0) or 1.0
    lines = [
        {
            "stage": str(s.get("stage") or ""),
            "time": duration(s.get("seconds")),
            "share": round(100 * spent / longest, 1),
            "parameters": _whole(s.get("parameters")),
        }
        for s, spent in zip(stages, seconds, strict=True)
    ]
    return {"lines": lines, "total": duration(math.fsum(seconds))}


def _whole(value: Any) -> str:
    x = real(value)
    return "–" if math.isnan(x) else f"{int(x):,}"
