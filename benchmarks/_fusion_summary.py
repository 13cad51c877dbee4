"""From the cells of `fusion.py` to its figures, and their printed form: losses first."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from _cells import Key, Study
from _print import grid
from _scores import error_gain
from _sharing import AGAIN, ALONE, METHODS
from _summary import Load, Means, compare, complete, mean_ranks, totals

SUBJECT = "task-attention"
LOSSES = 6  # how many of the worst targets are printed


def gains_by_seed(study: Study, tables: Iterable[str], *, ours: str, other: str) -> list[float]:
    """Mean gain over targets, then over tables, in percent, of each seed by itself."""
    out = []
    for seed in study.seeds:
        by_table = []
        for table in tables:
            mine, theirs = (study.cells[Key(table, m, seed)]["targets"] for m in (ours, other))
            gains = [
                error_gain(scores["kind"], scores["error"], theirs[name]["error"])
                for name, scores in mine.items()
                if scores["error"] is not None
            ]
            by_table.append(np.mean(gains))
        out.append(float(np.mean(by_table)))
    return out


def duel(study: Study, means: Means, *, ours: str, other: str, load: Load) -> dict[str, Any] | None:
    """One method against another over the tables where both have all seeds."""
    rows = compare(study, means, subject=ours, references=[other], load=load)
    if not rows:
        return None
    figures = totals(rows)
    by_seed = gains_by_seed(study, figures["table"]["delta_percent"], ours=ours, other=other)
    brief = [
        {
            "table": row["table"],
            "target": row["target"],
            "gain": row["gain_table"],
            "p_worse": row.get("holm_worse"),
            "p_better": row.get("holm_better"),
        }
        for row in sorted(rows, key=lambda row: row["gain_table"])
    ]
    n = len(by_seed)
    return {
        **figures["table"],
        "by_seed": by_seed,
        "standard_error": float(np.std(by_seed, ddof=1) / np.sqrt(n)) if n > 1 else None,
        "targets": brief,
        "worst": brief[0],
        "helped": [f"{row['table']}.{row['target']}" for row in figures["helped"]],
        "harmed": [f"{row['table']}.{row['target']}" for row in figures["harmed"]],
    }


def _cost(study: Study, tables: list[str], method: str) -> dict[str, float]:
    """Processor seconds of a fit, and weights in units of those of the single-task nets."""
    mine = [cell["details"] for t in tables for cell in study.of(t, method)]
    single = [cell["details"] for t in tables for cell in study.of(t, ALONE)]
    ratio = [m["parameters"] / s["parameters"] for m, s in zip(mine, single, strict=True)]
    return {
        "processor_seconds": float(np.mean([m["processor_seconds"] for m in mine])),
        "weights_over_alone": float(np.exp(np.mean(np.log(ratio)))),
        "epochs": float(np.mean([m["epochs"] for m in mine])),
    }


def summarise(study: Study, load: Load, subject: str = SUBJECT) -> dict[str, Any]:
    """All figures from the stored cells; unfinished pairs stay out."""
    means = complete(study, METHODS, lambda errors: float(np.nanmean(errors)))
    methods = [m for m in METHODS if any(m in errors for errors in means.values())]

    def over(ours: str, other: str) -> dict[str, Any] | None:
        return None if ours == other else duel(study, means, ours=ours, other=other, load=load)

    body: dict[str, Any] = {}
    for method in methods:
        both = [t for t, errors in means.items() if method in errors and ALONE in errors]
        errors = [
            (scores["kind"], scores["error"])
            for key, cell in study.cells.items()
            if key.method == method and key.table in both
            for scores in cell["targets"].values()
            if scores["error"] is not None
        ]
        worse = [error > (0.5 if kind == "binary" else 1.0) for kind, error in errors]
        body[method] = {
            "cost": _cost(study, both, method) if both else None,
            "worse_than_constant": [int(np.sum(worse)), len(worse)],
            "over_alone": over(method, ALONE),
            "subject_over_it": over(subject, method),
        }
    return {
        "subject": subject,
        "seeds": study.seeds,
        "failed": study.failed,
        "methods": body,
        "ranks": mean_ranks(means, methods),
        "luck": over(AGAIN, "none"),
        "complete_tables": [t for t, errors in means.items() if all(m in errors for m in methods)],
        "tables": {
            name: {
                "targets": len(load(name).targets),
                "split": load(name).rule,
                "note": load(name).note,
                "errors": {m: float(np.mean(list(e.values()))) for m, e in errors.items()},
                "target_errors": errors,
            }
            for name, errors in means.items()
        },
    }


def _behind(duel: dict[str, Any]) -> str:
    """The tables on which a duel is lost, worst first."""
    lost = sorted((gain, t) for t, gain in duel["delta_percent"].items() if gain < 0)
    named = ", ".join(f"{table} ({gain:+.1f} %)" for gain, table in lost)
    return f"behind on {len(lost)} of {duel['tables']} tables{': ' if lost else ''}{named}"


def _losses(summary: dict[str, Any]) -> list[str]:
    subject, methods = summary["subject"], summary["methods"]
    lines = [f"Losses of {subject}", ""]
    lines += [f"failed cell {'/'.join(map(str, f['cell']))}: {f['why']}" for f in summary["failed"]]
    over = methods.get(subject, {}).get("over_alone")
    if over is None:
        return [*lines, f"no table has all seeds of {subject} and of {ALONE} yet"]
    lines.append(f"against the single-task net: {_behind(over)}")
    lines.append(f"significantly harmed (Holm 5 %): {', '.join(over['harmed']) or 'none'}")
    worst = [f"{r['table']}.{r['target']} {r['gain']:+.1f} %" for r in over["targets"][:LOSSES]]
    lines.append(f"worst targets: {', '.join(worst)}")
    for other, figures in methods.items():
        rival = figures["subject_over_it"]
        if other == ALONE or rival is None:
            continue
        mean = rival["mean_delta_percent"]
        harmed = len(rival["harmed"])
        if mean < 0 or harmed:
            lines.append(f"against {other}: {mean:+.2f} %, {harmed} targets harmed; "
                         f"{_behind(rival)}")  # fmt: skip
    return lines


def _error(duel: dict[str, Any]) -> str:
    return "." if duel["standard_error"] is None else f"{duel['standard_error']:.2f}"


def _ladder(summary: dict[str, Any]) -> list[str]:
    ranks = summary["ranks"]
    rows = []
    for method, figures in summary["methods"].items():
        over, cost = figures["over_alone"], figures["cost"]
        if cost is None:  # the single-task net has not been run on a table of this method yet
            continue
        rank = "." if ranks is None else f"{ranks['by_target'][method]:.2f}"
        gains = ["0", ".", "0", ".", ".", "."]
        if over:
            worst = over["worst"]
            gains = [
                f"{over['mean_delta_percent']:+.2f}", _error(over),
                f"{over['geometric_delta_percent']:+.2f}",
                f"{worst['table']}.{worst['target']} {worst['gain']:+.1f}",
                str(len(over["helped"])), str(len(over["harmed"])),
            ]  # fmt: skip
        worse, count = figures["worse_than_constant"]
        costs = [f"{cost['processor_seconds']:.1f}", f"{cost['weights_over_alone']:.2f}"]
        rows.append([method, rank, *gains, f"{worse}/{count}", *costs])
    head = ["method", "mean rank", "Δ%", "± se", "geometric", "worst target", "helped", "harmed",
            "below baseline", "processor s", "weights"]  # fmt: skip
    count = 0 if ranks is None else len(ranks["tables"])
    title = (
        f"Each way to share over the single-task net; mean rank by target over {count} tables, Δ% "
        f"over tables and {len(summary['seeds'])} seeds,\nse over seeds; helped and harmed: paired "
        "over rows, Holm 5 %; weights: one network's over those of all single-task nets"
    )
    return [title, "", grid(head, rows), *_luck(summary)]


def _luck(summary: dict[str, Any]) -> list[str]:
    """How far apart two runs of one method are that differ in their initial weights only."""
    luck = summary["luck"]
    if luck is None:
        return []
    gains = [row["gain"] for row in luck["targets"]]
    return [
        "",
        f"Luck alone ({AGAIN} over none): {luck['mean_delta_percent']:+.2f} % (se {_error(luck)})"
        f", targets from {min(gains):+.1f} to {max(gains):+.1f} %, "
        f"{len(luck['helped'])} 'helped' and {len(luck['harmed'])} 'harmed'",
    ]


def _by_table(summary: dict[str, Any]) -> list[str]:
    tables = list(summary["tables"])
    rows = []
    for method, figures in summary["methods"].items():
        if figures["over_alone"]:
            gains = figures["over_alone"]["delta_percent"]
            rows.append([method, *(f"{gains[t]:+.1f}" if t in gains else "." for t in tables)])
    if not rows:
        return []
    rows.append(["targets", *(str(summary["tables"][t]["targets"]) for t in tables)])
    return ["Δ% over the single-task net, by table", "", grid(["method", *tables], rows)]


def _duels(summary: dict[str, Any]) -> list[str]:
    rows = []
    for other, figures in summary["methods"].items():
        rival = figures["subject_over_it"]
        if rival:
            ahead = sum(gain > 0 for gain in rival["delta_percent"].values())
            rows.append([
                other, f"{rival['mean_delta_percent']:+.2f}", _error(rival),
                f"{ahead} of {rival['tables']}", str(len(rival["helped"])),
                str(len(rival["harmed"])),
            ])  # fmt: skip
    if not rows:
        return []
    title = f"{summary['subject']} over each other method"
    head = ["against", "Δ%", "± se", "tables ahead", "helped", "harmed"]
    return [title, "", grid(head, rows)]


def show(summary: dict[str, Any]) -> str:
    """The whole summary as text, losses first."""
    parts = [part(summary) for part in (_losses, _ladder, _by_table, _duels)]
    return "\n\n".join("\n".join(lines).strip() for lines in parts if lines)
