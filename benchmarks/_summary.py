"""From stored cells to verdicts: errors, ranks, Δ% against the references, paired tests.

Three references are told apart, since the words "best single-task reference" allow each:

- `table`: the one reference method with the lowest mean test error on the table;
- `target`: the lowest mean test error for that target (an oracle: it picks on the test rows);
- `chosen`: per target and seed, the reference with the lowest validation loss, which is what a
  person could have shipped. The harm test is against this one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import rankdata, t

from _cells import CellStore, Key
from _methods import REFERENCES
from _scores import error_gain
from _table import Table
from _tables import load_table

Cells = dict[Key, dict[str, Any]]
LEVEL = 0.05


def holm(p: np.ndarray) -> np.ndarray:
    """Holm's adjusted p-values (Holm 1979). Shape: (n,) -> (n,)."""
    order = np.argsort(p)
    scaled = p[order] * np.arange(len(p), 0, -1)
    out = np.empty(len(p))
    out[order] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    return out


def paired_p(difference: np.ndarray, clusters: np.ndarray) -> tuple[float, float]:
    """One-sided p-values that the mean of `difference` is above 0, and below 0.

    A t-test on cluster sums, so that rows of one subject or week count as one observation.
    """
    names, member = np.unique(clusters, return_inverse=True)
    count = len(names)
    centred = np.bincount(member, difference - difference.mean())
    spread = math.sqrt((centred**2).sum() * count / max(count - 1, 1)) / len(difference)
    if count < 2 or spread == 0:
        return 1.0, 1.0
    statistic = difference.mean() / spread
    return float(t.sf(statistic, count - 1)), float(t.cdf(statistic, count - 1))


def _errors(cells: Cells, table: str, method: str, seeds: list[int]) -> dict[str, np.ndarray]:
    """Errors of every target over the seeds. Shape of each: (seeds,)."""
    found = [cells[table, method, seed]["targets"] for seed in seeds]
    return {
        name: np.array([np.nan if cell[name]["error"] is None else cell[name]["error"]
                        for cell in found])
        for name in found[0]
    }  # fmt: skip


def known_mean(values: Sequence[float] | np.ndarray) -> float:
    """Mean of the values that are there; NaN without any."""
    return float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")


def mean_ranks(
    means: dict[str, dict[str, dict[str, float]]], methods: list[str]
) -> dict[str, Any] | None:
    """Mean ranks (1 is best) over the tables where all `methods` are complete.

    `by_table` ranks the table's mean error; `by_target` ranks every target, then averages
    within a table and over tables, so that targets on a large scale do not decide alone.
    """
    common = [name for name, found in means.items() if all(m in found for m in methods)]
    if not common or len(methods) < 2:
        return None
    by_table, by_target = [], []
    for name in common:
        grid = np.array([list(means[name][m].values()) for m in methods])  # (methods, targets)
        grid = grid[:, np.isfinite(grid).all(0)]
        by_table.append(rankdata(grid.mean(1)))
        by_target.append(rankdata(grid, axis=0).mean(1))
    return {
        "tables": common,
        "by_table": dict(zip(methods, np.mean(by_table, 0).tolist(), strict=True)),
        "by_target": dict(zip(methods, np.mean(by_target, 0).tolist(), strict=True)),
    }


def _chosen(cells: Cells, table: str, target: str, seed: int, references: list[str]) -> str:
    """The reference with the lowest validation loss."""

    def held(method: str) -> float:
        value = cells[table, method, seed]["targets"][target]["validation_loss"]
        return math.inf if value is None else value

    return min(references, key=held)


class _RowLosses:
    """Per-row test losses, read from disk once per cell."""

    def __init__(self, store: CellStore) -> None:
        self.store = store
        self.cache: dict[Key, dict[str, np.ndarray] | None] = {}

    def __call__(self, key: Key, target: int) -> tuple[np.ndarray, np.ndarray] | None:
        if key not in self.cache:
            self.cache[key] = self.store.rows(key)
        found = self.cache[key]
        return None if found is None else (found["rows"], found[f"loss{target}"].astype(float))


def _paired(
    losses: _RowLosses, table: str, target: int, pairs: list[tuple[Key, Key]],
    clusters: np.ndarray | None,
) -> tuple[float, float] | None:  # fmt: skip
    """p-values that ours is worse and better: rows averaged over seeds, then clustered."""
    total: dict[int, list[float]] = {}
    for ours, reference in pairs:
        mine, theirs = losses(ours, target), losses(reference, target)
        if mine is None or theirs is None:
            return None
        for row, difference in zip(mine[0], mine[1] - theirs[1], strict=True):
            if np.isfinite(difference):
                total.setdefault(int(row), []).append(difference)
    rows = np.array(list(total))
    if not len(rows):
        return None
    means = np.array([np.mean(values) for values in total.values()])
    return paired_p(means, rows if clusters is None else clusters[rows])


def compare(
    store: CellStore, cells: Cells, means: dict[str, dict[str, dict[str, float]]], subject: str,
    references: list[str], seeds: list[int], load: Callable[[str], Table],
) -> list[dict[str, Any]]:  # fmt: skip
    """One row per (table, target): gains of `subject` and the paired test."""
    rows = []
    for name, found in means.items():
        here = [m for m in references if m in found]
        if subject not in found or not here:
            continue
        table = load(name)
        losses = _RowLosses(store)
        best = min(here, key=lambda m: known_mean(np.array(list(found[m].values()))))
        for number, (target, kind) in enumerate(table.targets.items()):
            ours = found[subject][target]
            oracle = min(here, key=lambda m: found[m][target])
            chosen = {seed: _chosen(cells, name, target, seed, here) for seed in seeds}
            picked = [
                cells[name, method, seed]["targets"][target]["error"]
                for seed, method in chosen.items()
            ]
            fair = known_mean(np.array([np.nan if e is None else e for e in picked], dtype=float))
            if not math.isfinite(ours):
                continue
            pairs = [((name, subject, seed), (name, m, seed)) for seed, m in chosen.items()]
            p = _paired(losses, name, number, pairs, table.clusters)
            rows.append(
                {
                    "table": name,
                    "target": target,
                    "kind": kind,
                    "error": ours,
                    "reference_table": best,
                    "gain_table": error_gain(kind, ours, found[best][target]),
                    "reference_target": oracle,
                    "gain_target": error_gain(kind, ours, found[oracle][target]),
                    "reference_chosen": sorted(set(chosen.values())),
                    "gain_chosen": error_gain(kind, ours, fair),
                    "p_worse": None if p is None else p[0],
                    "p_better": None if p is None else p[1],
                }
            )
    for side in ("worse", "better"):
        tested = [row for row in rows if row[f"p_{side}"] is not None]
        if tested:
            adjusted = holm(np.array([row[f"p_{side}"] for row in tested]))
            for row, value in zip(tested, adjusted, strict=True):
                row[f"holm_{side}"] = float(value)
    for name in {row["table"] for row in rows}:
        inside = [row for row in rows if row["table"] == name and row["p_worse"] is not None]
        if inside:
            adjusted = holm(np.array([row["p_worse"] for row in inside]))
            for row, value in zip(inside, adjusted, strict=True):
                row["holm_worse_in_table"] = float(value)
    return rows


def totals(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Figures over all compared targets, tables weighing the same."""
    out: dict[str, Any] = {}
    for name in ("table", "target", "chosen"):
        tables: dict[str, list[float]] = {}
        for row in rows:
            tables.setdefault(row["table"], []).append(row[f"gain_{name}"])
        delta = {table: float(np.mean(gains)) for table, gains in tables.items()}
        ratios = [np.mean(np.log1p(np.maximum(gains, -99.0) / 100)) for gains in tables.values()]
        out[name] = {
            "delta_percent": delta,
            "mean_delta_percent": float(np.mean(list(delta.values()))),
            "geometric_delta_percent": 100 * float(np.expm1(np.mean(ratios))),
            "tables_not_behind": sum(value >= 0 for value in delta.values()),
            "tables": len(delta),
        }
    out["harmed"] = [r for r in rows if r.get("holm_worse", 1.0) <= LEVEL]
    out["harmed_in_table"] = [r for r in rows if r.get("holm_worse_in_table", 1.0) <= LEVEL]
    out["helped"] = [r for r in rows if r.get("holm_better", 1.0) <= LEVEL]
    return out


def _sharing(cells: Cells, subject: str) -> dict[str, Any]:
    """What the subject itself reports of sharing against blending, averaged per table."""
    found: dict[str, list[dict[str, Any]]] = {}
    for (table, method, _), cell in cells.items():
        if method == subject and isinstance(cell.get("details", {}).get("transfer"), list):
            found.setdefault(table, []).extend(cell["details"]["transfer"])
    out = {}
    for table, facts in found.items():
        verdicts = [fact.get("verdict") for fact in facts]
        shipped = [str(fact.get("shipped")) for fact in facts]
        numbers = {
            key: [fact[key] for fact in facts if isinstance(fact.get(key), int | float)]
            for key in ("delta", "shipped_delta")
        }
        out[table] = {
            "verdicts": {v: verdicts.count(v) for v in sorted(set(map(str, verdicts)))},
            "shipped": {s: shipped.count(s) for s in sorted(set(shipped))},
            **{key: float(np.mean(v)) for key, v in numbers.items() if v},
        }
    return out


def finished(
    store: CellStore, tables: list[str], seeds: list[int]
) -> tuple[Cells, list[dict[str, Any]]]:
    """The finished cells of `tables` and `seeds`, and which ones failed and why."""
    wanted = {k: c for k, c in store.read().items() if k[0] in tables and k[2] in seeds}
    failed = [{"cell": list(k), "why": c["failed"]} for k, c in wanted.items() if "failed" in c]
    return {k: c for k, c in wanted.items() if "failed" not in c}, failed


def complete(
    cells: Cells, tables: list[str], methods: list[str], seeds: list[int],
    figure: Callable[[np.ndarray], float],
) -> dict[str, dict[str, dict[str, float]]]:  # fmt: skip
    """A figure of the errors over seeds by table, method and target, where all seeds are there."""
    out: dict[str, dict[str, dict[str, float]]] = {}
    for table in tables:
        for method in methods:
            if all((table, method, seed) in cells for seed in seeds):
                errors = _errors(cells, table, method, seeds)
                out.setdefault(table, {})[method] = {k: figure(v) for k, v in errors.items()}
    return out


def summarise(
    store: CellStore, tables: list[str], seeds: list[int], folder: Path, subject: str = "superpose"
) -> dict[str, Any]:
    """All figures of the benchmark from the stored cells of `tables` and `seeds`."""
    cells, failed = finished(store, tables, seeds)
    methods = sorted({k[1] for k in cells}, key=lambda m: (m == subject, m))
    means = complete(cells, tables, methods, seeds, known_mean)
    spread = complete(cells, tables, methods, seeds, lambda errors: float(np.nanstd(errors)))
    references = [m for m in REFERENCES if m in methods and m != subject]

    def load(name: str) -> Table:
        return load_table(name, folder)

    rows = compare(store, cells, means, subject, references, seeds, load)
    ours = [m for m in [*references, subject] if m in methods]
    return {
        "subject": subject, "seeds": seeds, "methods": methods, "failed": failed,
        "tables": {
            name: {
                "rows": len(load(name).frame),
                "inputs": len(load(name).inputs),
                "split": load(name).rule,
                "note": load(name).note,
                "errors": {m: known_mean(np.array(list(e.values()))) for m, e in found.items()},
                "target_errors": found,
                "target_error_deviations": spread[name],
                "seconds": {
                    m: float(np.mean([cells[name, m, seed]["seconds"] for seed in seeds]))
                    for m in found
                },
            }
            for name, found in means.items()
        },
        "ranks": mean_ranks(means, ours),
        "ranks_with_all": mean_ranks(means, methods),
        "targets": rows,
        "totals": totals(rows) if rows else None,
        "sharing": _sharing(cells, subject),
    }  # fmt: skip
