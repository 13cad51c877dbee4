"""From the cells of `fusion.py` to its figures, and their printed form: losses first."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from _cells import CellStore
from _print import grid
from _scores import error_gain
from _sharing import AGAIN, ALONE, METHODS
from _summary import Cells, compare, complete, finished, mean_ranks, totals
from _table import Table

SUBJECT = "task-attention"
LOSSES = 6  # how many of the worst targets are printed


def gains_by_seed(cells: Cells, tables: Iterable[str], ours: str, other: str, seeds: list[int]):
    """Mean gain over targets, then over tables, in percent, of each seed by itself."""
    out = []
    for seed in seeds:
        by_table = []
        for table in tables:
            mine, theirs = (cells[table, m, seed]["targets"] for m in (ours, other))
            gains = [
                error_gain(found["kind"], found["error"], theirs[name]["error"])
                for name, found in mine.items()
                if found["error"] is not None
            ]
            by_table.append(np.mean(gains))
        out.append(float(np.mean(by_table)))
    return out


def duel(
    store: CellStore, cells: Cells, means: dict[str, Any], ours: str, other: str, seeds: list[int],
    load: Callable[[str], Table],
) -> dict[str, Any] | None:  # fmt: skip
    """One method against another over the tables where both have all seeds."""
    rows = compare(store, cells, means, ours, [other], seeds, load)
    if not rows:
        return None
    found = totals(rows)
    by_seed = gains_by_seed(cells, found["table"]["delta_percent"], ours, other, seeds)
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
    spread = float(np.std(by_seed, ddof=1) / np.sqrt(len(seeds))) if len(seeds) > 1 else None
    return {
        **found["table"],
        "by_seed": by_seed,
        "standard_error": spread,
        "targets": brief,
        "worst": brief[0],
        "helped": [f"{row['table']}.{row['target']}" for row in found["helped"]],
        "harmed": [f"{row['table']}.{row['target']}" for row in found["harmed"]],
    }


def _cost(cells: Cells, tables: Iterable[str], method: str, seeds: list[int]) -> dict[str, float]:
    """Processor seconds of a fit, and weights in units of those of the networks alone."""
    mine = [cells[t, method, s]["details"] for t in tables for s in seeds]
    alone = [cells[t, ALONE, s]["details"] for t in tables for s in seeds]
    ratio = [m["parameters"] / a["parameters"] for m, a in zip(mine, alone, strict=True)]
    return {
        "processor_seconds": float(np.mean([m["processor_seconds"] for m in mine])),
        "weights_over_alone": float(np.exp(np.mean(np.log(ratio)))),
        "epochs": float(np.mean([m["epochs"] for m in mine])),
    }


def summarise(
    store: CellStore,
    tables: list[str],
    seeds: list[int],
    load: Callable[[str], Table],
    subject: str = SUBJECT,
) -> dict[str, Any]:
    """All figures from the stored cells of `tables` and `seeds`; unfinished pairs stay out."""
    cells, failed = finished(store, tables, seeds)
    means = complete(cells, tables, list(METHODS), seeds, lambda errors: float(np.nanmean(errors)))
    methods = [m for m in METHODS if any(m in found for found in means.values())]
    shared = [t for t, found in means.items() if all(m in found for m in methods)]
    body: dict[str, Any] = {}
    for method in methods:
        here = [t for t, found in means.items() if method in found and ALONE in found]
        errors = [
            (found["kind"], found["error"])
            for (table, name, seed), cell in cells.items()
            if name == method and table in here and seed in seeds
            for found in cell["targets"].values()
            if found["error"] is not None
        ]
        floors = [error > (0.5 if kind == "binary" else 1.0) for kind, error in errors]
        body[method] = {
            "cost": _cost(cells, here, method, seeds) if here else None,
            "worse_than_constant": [int(np.sum(floors)), len(floors)],
            "over_alone": None
            if method == ALONE
            else duel(store, cells, means, method, ALONE, seeds, load),
            "subject_over_it": None
            if method == subject
            else duel(store, cells, means, subject, method, seeds, load),
        }
    return {
        "subject": subject,
        "seeds": seeds,
        "failed": failed,
        "methods": body,
        "ranks": mean_ranks(means, methods),
        "luck": duel(store, cells, means, AGAIN, "none", seeds, load),
        "complete_tables": shared,
        "tables": {
            name: {
                "targets": len(load(name).targets),
                "split": load(name).rule,
                "note": load(name).note,
                "errors": {m: float(np.mean(list(e.values()))) for m, e in found.items()},
                "target_errors": found,
            }
            for name, found in means.items()
        },
    }


def _behind(found: dict[str, Any]) -> str:
    """The tables on which a duel is lost, worst first."""
    lost = sorted((d, t) for t, d in found["delta_percent"].items() if d < 0)
    named = ", ".join(f"{table} ({delta:+.1f} %)" for delta, table in lost)
    return f"behind on {len(lost)} of {found['tables']} tables{': ' if lost else ''}{named}"


def _losses(summary: dict[str, Any]) -> list[str]:
    subject, methods = summary["subject"], summary["methods"]
    lines = [f"Losses of {subject}", ""]
    lines += [f"failed cell {'/'.join(map(str, f['cell']))}: {f['why']}" for f in summary["failed"]]
    over = methods.get(subject, {}).get("over_alone")
    if over is None:
        return [*lines, f"no table has all seeds of {subject} and of {ALONE} yet"]
    lines.append(f"against the network alone: {_behind(over)}")
    lines.append(f"significantly harmed (Holm 5 %): {', '.join(over['harmed']) or 'none'}")
    worst = [f"{r['table']}.{r['target']} {r['gain']:+.1f} %" for r in over["targets"][:LOSSES]]
    lines.append(f"worst targets: {', '.join(worst)}")
    for other, found in methods.items():
        rival = found["subject_over_it"]
        if other == ALONE or rival is None:
            continue
        mean = rival["mean_delta_percent"]
        harmed = len(rival["harmed"])
        if mean < 0 or harmed:
            lines.append(f"against {other}: {mean:+.2f} %, {harmed} targets harmed; "
                         f"{_behind(rival)}")  # fmt: skip
    return lines


def _error(found: dict[str, Any]) -> str:
    return "." if found["standard_error"] is None else f"{found['standard_error']:.2f}"


def _ladder(summary: dict[str, Any]) -> list[str]:
    ranks = summary["ranks"]
    rows = []
    for method, found in summary["methods"].items():
        over, cost = found["over_alone"], found["cost"]
        if cost is None:  # the network alone has not been run on a table of this method yet
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
        bad, count = found["worse_than_constant"]
        costs = [f"{cost['processor_seconds']:.1f}", f"{cost['weights_over_alone']:.2f}"]
        rows.append([method, rank, *gains, f"{bad}/{count}", *costs])
    head = ["method", "mean rank", "Δ%", "± se", "geometric", "worst target", "helped", "harmed",
            "below constant", "processor s", "weights"]  # fmt: skip
    count = 0 if ranks is None else len(ranks["tables"])
    title = (
        f"Each way to share over the network alone; mean rank by target over {count} tables, Δ% "
        f"over tables and {len(summary['seeds'])} seeds,\nse over seeds; helped and harmed: paired "
        "over rows, Holm 5 %; weights: one network's over those of all alone"
    )
    return [title, "", grid(head, rows), *_luck(summary)]


def _luck(summary: dict[str, Any]) -> list[str]:
    """How far apart two runs of one method are that differ in their initial weights only."""
    found = summary["luck"]
    if found is None:
        return []
    gains = [row["gain"] for row in found["targets"]]
    return [
        "",
        f"Luck alone ({AGAIN} over none): {found['mean_delta_percent']:+.2f} % (se {_error(found)})"
        f", targets from {min(gains):+.1f} to {max(gains):+.1f} %, "
        f"{len(found['helped'])} 'helped' and {len(found['harmed'])} 'harmed'",
    ]


def _by_table(summary: dict[str, Any]) -> list[str]:
    tables = list(summary["tables"])
    rows = []
    for method, found in summary["methods"].items():
        if found["over_alone"]:
            deltas = found["over_alone"]["delta_percent"]
            rows.append([method, *(f"{deltas[t]:+.1f}" if t in deltas else "." for t in tables)])
    if not rows:
        return []
    rows.append(["targets", *(str(summary["tables"][t]["targets"]) for t in tables)])
    return ["Δ% over the network alone, by table", "", grid(["method", *tables], rows)]


def _duels(summary: dict[str, Any]) -> list[str]:
    rows = []
    for other, found in summary["methods"].items():
        rival = found["subject_over_it"]
        if rival:
            ahead = sum(delta > 0 for delta in rival["delta_percent"].values())
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
