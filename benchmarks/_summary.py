"""From stored cells to verdicts: errors, ranks, Δ% against the references, paired tests.

There are three references, since the words "best single-task reference" allow each:

- `table`: the one reference method with the lowest mean test error on the table;
- `target`: the lowest mean test error for that target (an oracle: it picks on the test rows);
- `chosen`: per target and seed, the reference with the lowest validation loss, which is what a
  person could have shipped. The harm test is against this one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import rankdata, t

from _cells import Cells, CellStore, Key, Study
from _methods import REFERENCES
from _scores import error_gain
from _table import Table
from _tables import load_table

Load = Callable[[str], Table]
# Table -> method -> target -> a figure of its errors over the seeds.
Means = dict[str, dict[str, dict[str, float]]]
ALPHA = 0.05


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
    standard_error = math.sqrt((centred**2).sum() * count / max(count - 1, 1)) / len(difference)
    if count < 2 or standard_error == 0:
        return 1.0, 1.0
    statistic = difference.mean() / standard_error
    return float(t.sf(statistic, count - 1)), float(t.cdf(statistic, count - 1))


def _errors(cells: list[dict[str, Any]]) -> dict[str, np.ndarray]:
    """Errors of every target over the cells of the seeds. Shape of each: (seeds,)."""
    by_seed = [cell["targets"] for cell in cells]
    return {
        name: np.array([np.nan if targets[name]["error"] is None else targets[name]["error"]
                        for targets in by_seed])
        for name in by_seed[0]
    }  # fmt: skip


def known_mean(values: Sequence[float] | np.ndarray) -> float:
    """Mean of the values that are there; NaN without any."""
    return float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")


def mean_ranks(means: Means, methods: list[str]) -> dict[str, Any] | None:
    """Mean ranks (1 is best) over the tables where all `methods` are complete.

    `by_table` ranks the table's mean error; `by_target` ranks every target, then averages
    within a table and over tables, so that targets on a large scale do not decide alone.
    """
    common = [name for name, by_method in means.items() if all(m in by_method for m in methods)]
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


class _RowLosses:
    """Per-row test losses of one table, read from disk once per cell.

    Args:
        store: the cells of the table.
        clusters: an id per row, of those that depend on each other; None: rows are independent.
    """

    def __init__(self, store: CellStore, clusters: np.ndarray | None) -> None:
        self.store = store
        self.clusters = clusters
        self.cache: dict[Key, dict[str, np.ndarray] | None] = {}

    def of(self, key: Key, target: int) -> tuple[np.ndarray, np.ndarray] | None:
        """Row numbers and losses of a cell's target; None where no rows are stored."""
        if key not in self.cache:
            self.cache[key] = self.store.rows(key)
        arrays = self.cache[key]
        return None if arrays is None else (arrays["rows"], arrays[f"loss{target}"].astype(float))

    def paired(self, target: int, pairs: list[tuple[Key, Key]]) -> tuple[float, float] | None:
        """p-values that ours is worse and better: rows averaged over seeds, then clustered."""
        total: dict[int, list[float]] = {}
        for ours, reference in pairs:
            mine, theirs = self.of(ours, target), self.of(reference, target)
            if mine is None or theirs is None:
                return None
            for row, difference in zip(mine[0], mine[1] - theirs[1], strict=True):
                if np.isfinite(difference):
                    total.setdefault(int(row), []).append(difference)
        rows = np.array(list(total))
        if not len(rows):
            return None
        means = np.array([np.mean(values) for values in total.values()])
        return paired_p(means, rows if self.clusters is None else self.clusters[rows])


def _chosen(study: Study, key: Key, target: str, *, references: list[str]) -> Key:
    """The cell beside `key` of the reference with the lowest validation loss."""

    def validation_loss(method: str) -> float:
        value = study.cells[key._replace(method=method)]["targets"][target]["validation_loss"]
        return math.inf if value is None else value

    return key._replace(method=min(references, key=validation_loss))


def compare(
    study: Study, means: Means, *, subject: str, references: list[str], load: Load
) -> list[dict[str, Any]]:
    """One row per (table, target): gains of `subject` and the paired test.

    Args:
        study: the cells.
        means: mean errors; tables without the subject or any reference stay out.
        subject: the method that is compared.
        references: the methods that it is compared with.
        load: returns the table of a name.
    """
    rows = []
    for name, errors in means.items():
        present = [m for m in references if m in errors]
        if subject not in errors or not present:
            continue
        table = load(name)
        losses = _RowLosses(study.store, table.clusters)
        best = min(present, key=lambda m: known_mean(np.array(list(errors[m].values()))))
        for number, (target, kind) in enumerate(table.targets.items()):
            ours = errors[subject][target]
            oracle = min(present, key=lambda m: errors[m][target])
            keys = [Key(name, subject, seed) for seed in study.seeds]
            chosen = [_chosen(study, key, target, references=present) for key in keys]
            picked = [study.cells[key]["targets"][target]["error"] for key in chosen]
            fair = known_mean(np.array([np.nan if e is None else e for e in picked], dtype=float))
            if not math.isfinite(ours):
                continue
            p = losses.paired(number, list(zip(keys, chosen, strict=True)))
            rows.append(
                {
                    "table": name,
                    "target": target,
                    "kind": kind,
                    "error": ours,
                    "reference_table": best,
                    "gain_table": error_gain(kind, ours, errors[best][target]),
                    "reference_target": oracle,
                    "gain_target": error_gain(kind, ours, errors[oracle][target]),
                    "reference_chosen": sorted({key.method for key in chosen}),
                    "gain_chosen": error_gain(kind, ours, fair),
                    "p_worse": None if p is None else p[0],
                    "p_better": None if p is None else p[1],
                }
            )
    _adjust(rows, "p_worse", "holm_worse")
    _adjust(rows, "p_better", "holm_better")
    for name in {row["table"] for row in rows}:
        inside = [row for row in rows if row["table"] == name]
        _adjust(inside, "p_worse", "holm_worse_in_table")
    return rows


def _adjust(rows: list[dict[str, Any]], p: str, adjusted: str) -> None:
    """Write Holm's adjusted p-values of the rows that were tested beside their own."""
    tested = [row for row in rows if row[p] is not None]
    if tested:
        for row, value in zip(tested, holm(np.array([row[p] for row in tested])), strict=True):
            row[adjusted] = float(value)


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
    out["harmed"] = [r for r in rows if r.get("holm_worse", 1.0) <= ALPHA]
    out["harmed_in_table"] = [r for r in rows if r.get("holm_worse_in_table", 1.0) <= ALPHA]
    out["helped"] = [r for r in rows if r.get("holm_better", 1.0) <= ALPHA]
    return out


def _sharing(cells: Cells, subject: str) -> dict[str, Any]:
    """What the subject itself reports of sharing against blending, averaged per table."""
    transfers: dict[str, list[dict[str, Any]]] = {}
    for key, cell in cells.items():
        if key.method == subject and isinstance(cell.get("details", {}).get("transfer"), list):
            transfers.setdefault(key.table, []).extend(cell["details"]["transfer"])
    out = {}
    for table, rows in transfers.items():
        verdicts = [row.get("verdict") for row in rows]
        deployed = [str(row.get("shipped")) for row in rows]
        gains = {
            key: [row[key] for row in rows if isinstance(row.get(key), int | float)]
            for key in ("delta", "shipped_delta")
        }
        out[table] = {
            "verdicts": {v: verdicts.count(v) for v in sorted(set(map(str, verdicts)))},
            "shipped": {s: deployed.count(s) for s in sorted(set(deployed))},
            **{key: float(np.mean(v)) for key, v in gains.items() if v},
        }
    return out


def complete(study: Study, methods: Iterable[str], figure: Callable[[np.ndarray], float]) -> Means:
    """A figure of the errors over seeds by table, method and target, where all seeds are there."""
    out: Means = {}
    for table in study.tables:
        for method in methods:
            cells = study.of(table, method)
            if len(cells) == len(study.seeds):
                errors = _errors(cells)
                out.setdefault(table, {})[method] = {k: figure(v) for k, v in errors.items()}
    return out


def summarise(study: Study, folder: Path, subject: str = "superpose") -> dict[str, Any]:
    """All figures of the benchmark from its stored cells."""
    cells = study.cells
    methods = sorted({k.method for k in cells}, key=lambda m: (m == subject, m))
    means = complete(study, methods, known_mean)
    deviations = complete(study, methods, lambda errors: float(np.nanstd(errors)))
    references = [m for m in REFERENCES if m in methods and m != subject]

    def load(name: str) -> Table:
        return load_table(name, folder)

    rows = compare(study, means, subject=subject, references=references, load=load)
    ours = [m for m in [*references, subject] if m in methods]
    return {
        "subject": subject, "seeds": study.seeds, "methods": methods, "failed": study.failed,
        "tables": {
            name: {
                "rows": len(load(name).frame),
                "inputs": len(load(name).inputs),
                "split": load(name).rule,
                "note": load(name).note,
                "errors": {m: known_mean(np.array(list(e.values()))) for m, e in errors.items()},
                "target_errors": errors,
                "target_error_deviations": deviations[name],
                "seconds": {
                    m: float(np.mean([cell["seconds"] for cell in study.of(name, m)]))
                    for m in errors
                },
            }
            for name, errors in means.items()
        },
        "ranks": mean_ranks(means, ours),
        "ranks_with_all": mean_ranks(means, methods),
        "targets": rows,
        "totals": totals(rows) if rows else None,
        "sharing": _sharing(cells, subject),
    }  # fmt: skip
