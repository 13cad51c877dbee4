"""From the cells of `given.py` to its figures, and their printed form: losses first."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from _cells import Key, Study
from _given_questions import LEVELS
from _given_tables import AIR
from _print import grid

SUBJECT, RIVAL = "superpose", "catboost-anew"
# R² of the first prototype on a station of beijing_air: nothing given, all others given.
PROTOTYPE_R2 = {SUBJECT: (0.524, 0.739), RIVAL: (0.482, 0.723)}


def level_mean(cell: dict[str, Any], level: str, figure: str = "error") -> float:
    """Mean of a figure over the targets scored at a level; NaN where one has none."""
    values = [target[figure] for target in cell["levels"][level].values()]
    return float(np.mean([math.nan if value is None else value for value in values]))


def _averages(cells: list[dict[str, Any]]) -> dict[str, Any]:
    """Means over the cells of the seeds."""
    targets = {
        level: {
            name: float(np.mean([c["levels"][level][name]["error"] for c in cells
                                 if name in c["levels"][level]]))
            for name in dict.fromkeys(n for c in cells for n in c["levels"][level])
        }
        for level in LEVELS
    }  # fmt: skip
    n_bytes = [cell["bytes"] for cell in cells]
    return {
        "seeds": len(cells),
        "error": {v: float(np.mean([level_mean(c, v) for c in cells])) for v in LEVELS},
        "r2": {v: float(np.mean([level_mean(c, v, "r2") for c in cells])) for v in LEVELS},
        "targets": targets,
        "fit_seconds": float(np.mean([c["fit_seconds"] for c in cells])),
        "fit_processor_seconds": float(np.mean([c["fit_processor_seconds"] for c in cells])),
        "predict_seconds": float(np.mean([sum(c["predict_seconds"].values()) for c in cells])),
        "bytes": None if None in n_bytes else float(np.mean(n_bytes)),
        "models": float(np.mean([c["details"].get("models", 1) for c in cells])),
    }


def _duel(study: Study, level: str, *, subject: str, rival: str) -> dict[str, Any] | None:
    """Subject against one rival at one level over the seeds that both have, paired."""
    cells = study.cells
    rows = []
    for table in study.tables:
        keys = [[Key(table, method, seed) for method in (subject, rival)] for seed in study.seeds]
        common = [pair for pair in keys if all(key in cells for key in pair)]
        if not common:
            continue
        ours, theirs = (
            float(np.mean([level_mean(cells[key], level) for key in side]))
            for side in zip(*common, strict=True)
        )
        gain = 100 * (theirs - ours) / theirs
        rows.append(
            {"table": table, "seeds": len(common), "ours": ours, "rival": theirs, "gain": gain}
        )
    if not rows:
        return None
    return {
        "tables": rows,
        "n": len(rows),
        "ahead": sum(row["gain"] > 0 for row in rows),
        "ours": float(np.mean([row["ours"] for row in rows])),
        "rival": float(np.mean([row["rival"] for row in rows])),
        "mean_gain": float(np.mean([row["gain"] for row in rows])),
    }


def summarise(study: Study, methods: list[str], subject: str = SUBJECT) -> dict[str, Any]:
    """All figures from the stored cells of `methods`."""
    cells = study.cells
    present = [m for m in methods if any(key.method == m for key in cells)]
    body: dict[str, Any] = {}
    for table in study.tables:
        mine = {m: study.of(table, m) for m in present}
        averages = {m: _averages(stored) for m, stored in mine.items() if stored}
        if averages:
            cell = next(cell for key, cell in cells.items() if key.table == table)
            body[table] = {"rows": cell["rows"], "note": cell["note"], "split": cell["split"]}
            body[table] |= {"targets": len(cell["levels"]["none"]), "methods": averages}
    duels = {
        rival: {level: _duel(study, level, subject=subject, rival=rival) for level in LEVELS}
        for rival in present
        if rival != subject
    }
    return {
        "subject": subject,
        "rival": RIVAL,
        "seeds": study.seeds,
        "methods": present,
        "failed": study.failed,
        "duels": duels,
        "tables": body,
        "floor_r2": {"none": {m: nothing for m, (nothing, _) in PROTOTYPE_R2.items()},
                     "all": {m: others for m, (_, others) in PROTOTYPE_R2.items()}},
    }  # fmt: skip


def _losses(summary: dict[str, Any]) -> list[str]:
    subject, rival = summary["subject"], summary["rival"]
    lines = [f"Losses of {subject} against {rival}", ""]
    lines += [f"failed cell {'/'.join(map(str, f['cell']))}: {f['why']}" for f in summary["failed"]]
    for level in LEVELS:
        duel = summary["duels"].get(rival, {}).get(level)
        if duel is None:
            lines.append(f"{level} given: no table has a seed of both yet")
            continue
        behind = sorted((row for row in duel["tables"] if row["gain"] <= 0), key=_gain)
        lines.append(f"{level} given: behind on {len(behind)} of {duel['n']} tables")
        lines += [
            f"  {row['table']}: {row['ours']:.4f} against {row['rival']:.4f} ({row['gain']:+.2f} %)"
            for row in behind
        ]
    others = [m for m in summary["duels"] if m != rival]
    lines += ["", f"Losses of {subject} against every other method", ""]
    for other in others:
        for level in LEVELS:
            duel = summary["duels"][other][level]
            behind = [] if duel is None else [r for r in duel["tables"] if r["gain"] <= 0]
            if behind:
                named = ", ".join(f"{r['table']} ({r['gain']:+.1f} %)" for r in behind)
                lines.append(f"{other}, {level} given: {named}")
    return lines


def _gain(row: dict[str, Any]) -> float:
    return float(row["gain"])


def _errors(summary: dict[str, Any], level: str) -> list[str]:
    methods = summary["methods"]
    seeds = len(summary["seeds"])
    rows, whole = [], []
    for name, table in summary["tables"].items():
        averages = table["methods"]
        errors = {m: averages[m]["error"][level] for m in averages}
        full = {m: e for m, e in errors.items() if averages[m]["seeds"] == seeds}
        best = min(full.values(), default=math.nan)
        cells = []
        for method in methods:
            if method not in errors:
                cells.append(". ")
                continue
            mark = "*" if errors[method] == best and method in full else " "
            mark = mark if method in full else "'"
            cells.append(f"{errors[method]:.4f}{mark}")
        rows.append([f"{name} ({sum(table['rows'].values())}, {table['targets']})", *cells])
        if len(errors) == len(methods):
            whole.append(errors)
    if whole:
        means = {m: float(np.mean([errors[m] for errors in whole])) for m in methods}
        best = min(means.values())
        rows.append(
            [
                f"mean of {len(whole)} with all methods",
                *(f"{means[m]:.4f}{'*' if means[m] == best else ' '}" for m in methods),
            ]
        )
    given = {"none": "Nothing given", "half": "A random half given", "all": "All others given"}
    title = f"{given[level]}: mean error over the targets to predict and {seeds} seed(s); * best"
    if "'" in "".join(cell for row in rows for cell in row[1:]):
        title += ", ' fewer seeds"
    return [title, "", grid(["table", *methods], rows)]


def _duels(summary: dict[str, Any]) -> list[str]:
    rows = []
    for rival, levels in summary["duels"].items():
        if not any(levels.values()):
            continue
        cells = []
        for level in LEVELS:
            duel = levels[level]
            cells += (
                [".", "."]
                if duel is None
                else [
                    f"{duel['ahead']} of {duel['n']}",
                    f"{duel['ours']:.4f} / {duel['rival']:.4f}",
                ]
            )
        rows.append([rival, *cells])
    if not rows:
        return []
    head = [text for level in LEVELS for text in (f"ahead, {level}", "mean errors")]
    title = f"{summary['subject']} against each: tables ahead on, mean error over tables (paired)"
    return [title, "", grid(["against", *head], rows)]


def _cost(summary: dict[str, Any]) -> list[str]:
    rows = []
    for name, table in summary["tables"].items():
        for method, mean in table["methods"].items():
            rows.append([
                name, method, f"{mean['models']:.0f}", f"{mean['fit_seconds']:.1f}",
                f"{mean['fit_processor_seconds']:.1f}", f"{mean['predict_seconds']:.2f}",
                "." if mean["bytes"] is None else f"{mean['bytes'] / 2**20:.2f}",
            ])  # fmt: skip
    title = (
        f"Time and size: one model for every subset; {summary['rival']}: the sum over the subsets "
        "of the questions\n(a table of T targets has T times 2 to the T - 1 of them). Networks of "
        "the controls: bytes of weights."
    )
    head = ["table", "method", "models", "fit s", "processor s", "predict s", "MiB"]
    return [title, "", grid(head, rows)] if rows else []


def _r2(summary: dict[str, Any]) -> list[str]:
    rows = []
    for name in AIR:
        for method, mean in summary["tables"].get(name, {"methods": {}})["methods"].items():
            rows.append([name, method, *(f"{mean['r2'][level]:.3f}" for level in LEVELS)])
    if not rows:
        return []
    rows += [
        ["prototype, one station", method, f"{none:.3f}", ".", f"{full:.3f}"]
        for method, (none, full) in PROTOTYPE_R2.items()
    ]
    head = ["table", "method", *LEVELS]
    return ["R² on beijing_air, averaged over the targets to predict", "", grid(head, rows)]


def show(summary: dict[str, Any]) -> str:
    """The whole summary as text, losses first."""
    parts = [_losses(summary), *(_errors(summary, level) for level in LEVELS)]
    parts += [_duels(summary), _cost(summary), _r2(summary)]
    return "\n\n".join("\n".join(lines).strip() for lines in parts if lines)
