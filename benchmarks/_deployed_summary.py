"""From the cells of `deployed.py` to its figures: errors, ranks, coverage, and harm."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import rankdata

from _cells import Key, Study
from _outer import Outer, load_outer
from _print import grid
from _summary import ALPHA, holm, known_mean, paired_p

RELATIVE = {"number": "rrmse", "count": "relative_deviance"}  # of the rest: relative_log_loss
OWN_REFERENCES = ("catboost", "hist")  # the trees that stand in the proof, refitted
COVERED = {"random": (0.87, 0.93), "time": (0.80, 0.97), "group": (0.80, 0.97)}
DAYS_PER_BLOCK = 7  # rows of a week are no independent witnesses


def relative(target: dict[str, Any]) -> float:
    """Error of a target relative to that of the baseline, which is 1."""
    value = target["metrics"][RELATIVE.get(target["kind"], "relative_log_loss")]
    return float("nan") if value is None else float(value)


def summarise(study: Study, folder: Path, subject: str) -> dict[str, Any]:
    """All figures of the stored cells; tables count where all seeds of a method are there."""
    methods = sorted({key.method for key in study.cells}, key=lambda m: (m == subject, m))
    tables: dict[str, Any] = {}
    for name in study.tables:
        cells = {m: study.of(name, m) for m in methods}
        full = {m: found for m, found in cells.items() if len(found) == len(study.seeds)}
        if full:
            tables[name] = _table(full)
    whole = {name: t for name, t in tables.items() if set(t["errors"]) == set(methods)}
    targets = _harm(study, tables, folder=folder, subject=subject)
    return {
        "subject": subject,
        "methods": methods,
        "failed": study.failed,
        "tables": tables,
        "complete": list(whole),
        "means": _means(whole, methods),
        "ranks": _ranks(whole, methods),
        "coverage": _coverage(study, tables, subject),
        "targets": targets,
    }


def _table(cells: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Mean errors of one table over its seeds."""
    by_target = {
        m: {
            t: known_mean([relative(cell["targets"][t]) for cell in found])
            for t in found[0]["targets"]
        }
        for m, found in cells.items()
    }
    first = next(iter(cells.values()))[0]
    return {
        "way": first["way"],
        "errors": {m: known_mean(list(by.values())) for m, by in by_target.items()},
        "target_errors": by_target,
        "processor_seconds": {
            m: known_mean([_processor_seconds(cell) for cell in found])
            for m, found in cells.items()
        },
    }


def _processor_seconds(cell: dict[str, Any]) -> float:
    if "processor_seconds" in cell["details"]:
        return float(cell["details"]["processor_seconds"])
    return float(sum(target["processor_seconds"] for target in cell["targets"].values()))


def _means(tables: dict[str, Any], methods: list[str]) -> dict[str, dict[str, float]]:
    """Mean error over tables, of all and of each way to divide them."""
    ways = {"all": list(tables)}
    for way in COVERED:
        ways[way] = [name for name, table in tables.items() if table["way"] == way]
    return {
        way: {m: known_mean([tables[n]["errors"][m] for n in names]) for m in methods}
        for way, names in ways.items()
        if names
    }


def _ranks(tables: dict[str, Any], methods: list[str]) -> dict[str, float]:
    """Mean rank (1 is best) of each method by target, within a table first."""
    by_table = []
    for table in tables.values():
        errors = np.array([list(table["target_errors"][m].values()) for m in methods])
        by_table.append(rankdata(errors, axis=0).mean(1))
    if not by_table:
        return {}
    return dict(zip(methods, np.mean(by_table, 0).tolist(), strict=True))


def _coverage(study: Study, tables: dict[str, Any], subject: str) -> list[dict[str, Any]]:
    """For each target the share of the outer test inside its 90 % interval, mean of the seeds."""
    found = []
    for name, table in tables.items():
        cells = study.of(name, subject)
        for target in cells[0]["details"]["coverage"] if cells else ():
            details = [cell["details"] for cell in cells]
            shares = [cell["coverage"][target] for cell in details]
            if None in shares:
                continue
            warned = [
                any(
                    repr(target) in text and "interval" in text for text in c["details"]["warnings"]
                )
                for c in cells
            ]
            share = float(np.mean(shares))
            low, high = COVERED[table["way"]]
            row = {"table": name, "target": target, "way": table["way"], "share": share}
            found.append(row | {"holds": low <= share <= high, "warned": all(warned)})
    return found


def _harm(
    study: Study, tables: dict[str, Any], *, folder: Path, subject: str
) -> list[dict[str, Any]]:
    """Test for each target whether what is deployed is worse than its best tree reference."""
    rows = []
    for name, table in tables.items():
        references = [m for m in OWN_REFERENCES if m in table["errors"]]
        if not references or subject not in table["errors"]:
            continue
        outer = load_outer(name, folder)
        for number, target in enumerate(outer.table.targets):
            best = min(references, key=lambda m: table["target_errors"][m][target])
            better, worse = _paired(study, outer, methods=(subject, best), number=number)
            gain = (
                1 - table["target_errors"][subject][target] / table["target_errors"][best][target]
            )
            row = {"table": name, "target": target, "reference": best, "gain": 100 * gain}
            rows.append(row | {"p_better": better, "p_worse": worse})
    for side in ("better", "worse"):
        adjusted = holm(np.array([row[f"p_{side}"] for row in rows])) if rows else []
        for row, p in zip(rows, adjusted, strict=True):
            row[side] = bool(p < ALPHA)
    return rows


def _paired(
    study: Study, outer: Outer, *, methods: tuple[str, str], number: int
) -> tuple[float, float]:
    """One-sided p-values of better and worse, over the rows of all seeds."""
    saved, units = [], []
    for seed in study.seeds:
        ours, theirs = (study.store.rows(Key(outer.table.name, m, seed)) for m in methods)
        if ours is None or theirs is None:
            return 1.0, 1.0
        difference = theirs[f"loss{number}"] - ours[f"loss{number}"]
        known = np.isfinite(difference)
        saved.append(difference[known])
        units.append(_units(outer)[ours["rows"]][known])
    # A row that several seeds test is one witness.
    return paired_p(np.concatenate(saved).astype(float), np.concatenate(units))


def _units(outer: Outer) -> np.ndarray:
    """What each row is a witness with: itself, its week, or its group."""
    if outer.by is None:
        return np.arange(len(outer.table.frame))
    if outer.way == "group":
        return outer.by
    return (outer.by - outer.by.min()) // np.timedelta64(DAYS_PER_BLOCK, "D")


def show(summary: dict[str, Any]) -> str:
    """Losses first, then the tables."""
    subject, methods = summary["subject"], summary["methods"]
    worse = [row for row in summary["targets"] if row["worse"]]
    missed = [row for row in summary["coverage"] if not row["holds"]]
    lines = [f"Losses of {subject}", ""]
    lines += [f"failed cell {'/'.join(map(str, f['cell']))}: {f['why']}" for f in summary["failed"]]
    lines.append(f"targets worse than their best refitted trees (Holm, 5 %): {len(worse)}")
    lines += [f"  {r['table']}.{r['target']}: {r['gain']:+.1f} % {r['reference']}" for r in worse]
    lines.append(f"90 % intervals outside the bounds: {len(missed)} of {len(summary['coverage'])}")
    lines += [
        f"  {r['table']}.{r['target']} ({r['way']}): {r['share']:.3f}"
        f"{', warned of' if r['warned'] else ''}"
        for r in missed
    ]
    better = sum(row["better"] for row in summary["targets"])
    lines += ["", f"targets better than their best refitted trees: {better}", ""]
    body = []
    for name, table in summary["tables"].items():
        errors = table["errors"]
        best = min(errors.values())
        cells = [
            f"{errors[m]:.4f}{'*' if errors[m] == best else ' '}" if m in errors else "."
            for m in methods
        ]
        body.append([f"{name} ({table['way']})", *cells])
    for way, means in summary["means"].items():
        body.append([f"mean, {way}", *(f"{means[m]:.4f} " for m in methods)])
    if summary["ranks"]:
        body.append(["mean rank", *(f"{summary['ranks'][m]:.2f} " for m in methods)])
    lines.append("Error relative to the baseline's, on the outer test")
    lines.append(grid(["table", *methods], body))
    lines += ["", "Processor seconds of a fit"]
    body = [
        [name, *(f"{t['processor_seconds'].get(m, np.nan):.1f}" for m in methods)]
        for name, t in summary["tables"].items()
    ]
    return "\n".join([*lines, grid(["table", *methods], body)])
