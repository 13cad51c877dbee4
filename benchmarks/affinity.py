"""Which number predicts whom sharing helps? Every affinity against the measured gain of pairs.

    python benchmarks/affinity.py --quick      # 2 small tables, 2 seeds
    python benchmarks/affinity.py              # 7 tables and 2 planted ones, 3 seeds; resumes
    python benchmarks/affinity.py --report     # only print what is stored

For each ordered pair of targets the gain is that of the second by one network of the two over a
single-task net, on test rows. Beside it stands what `superpose affinity` measures, which reads no
test rows but for the bits, and the plain correlation of the labels, which needs no model. A number
predicts if its order of a table's pairs is that of the gains, or, for one receiver, its order of
the givers. Gains are noisy: how far the orders of two seeds agree stands beside it, as the most
that a number can reach.
"""

from __future__ import annotations

import os
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from scipy.stats import spearmanr

from _cells import CellStore, Key, Study
from _fitted import fit
from _methods import Run
from _planted import Plant, planted
from _print import grid
from _run import Body, flags, run_missing, store_cell, study_of, write_json
from _scores import error_gain
from _sharing import CHANGES, Ready, make_ready, outcomes_of
from _summary import known_mean
from _table import Table, taken
from _tables import LOADERS, data_folder
from accuracy import score_run
from fusion import load
from superpose.training import fit_multi_task, fit_single_task

# Two tables whose relatives are known: two families of three targets, and nothing between them.
PLANTS = {plant.name: plant for plant in (Plant(6, 300, 0.9, 2), Plant(6, 1000, 0.9, 2))}
TABLES = ("andro", "jura", "sf1", "wq", "mi_complications", "nhanes", "beijing_air", *PLANTS)
QUICK = ("jura", "T6-n300-c0.9-g2")
MOST_TARGETS = 6  # the first ones: 15 pairs
METHODS = ("pairs",)
NUMBERS = ("lookahead", "cosine", "residual", "bits", "labels")
# Of a correlation of labels, or of residuals, the sign does not matter.
UNSIGNED = ("residual", "labels")
AGAIN = "another seed's gains"


def fewer(table: Table) -> Table:
    """The table with its first targets; the others are no inputs either."""
    dropped = list(table.targets)[MOST_TARGETS:]
    kept = {name: kind for name, kind in table.targets.items() if name not in dropped}
    return replace(table, frame=table.frame.drop(columns=dropped), targets=kept)


def errors_of(made: Ready, outcomes: dict[str, Any]) -> dict[str, float]:
    """Test error of each target that has an outcome."""
    some = {name: made.table.targets[name] for name in outcomes}
    targets, _ = score_run(replace(made.table, targets=some), made.seed, Run(outcomes, 0.0))
    return {name: scores["error"] for name, scores in targets.items()}


def pair_gains(made: Ready) -> np.ndarray:
    """Gain in percent of each target (column) by sharing with each other one (row), (T, T)."""
    names = list(made.labels)
    spec = made.spec(CHANGES["task-attention"], 0, made.seed)
    networks = fit_single_task(spec, names)
    single = errors_of(made, outcomes_of(made, networks, names))
    gains = np.full((len(names), len(names)), np.nan)
    for pair in combinations(names, 2):
        network = fit_multi_task(replace(spec, labels={t: made.labels[t] for t in pair}))
        both = errors_of(made, outcomes_of(made, [network], list(pair)))
        for giver, receiver in (pair, pair[::-1]):
            gain = error_gain(made.table.targets[receiver], both[receiver], single[receiver])
            gains[names.index(giver), names.index(receiver)] = gain
    return gains


def affinities(made: Ready) -> dict[str, Any]:
    """The package's numbers for the pairs, and the correlation of their labels; (T, T) each."""
    table, parts = taken(made.table, made.seed)
    names = list(made.labels)
    model = fit(table, parts, made.seed, references="none")
    model.affinity()
    record = model.record.affinity
    order = [record.targets.index(name) for name in names]
    measured = {number: getattr(record, number) for number in NUMBERS[:-1]}
    matrices = {
        number: None if values is None else values[np.ix_(order, order)]
        for number, values in measured.items()
    }
    train = parts == "train"
    labels = [table.labels(name)[train] for name in names]
    matrices["labels"] = np.array([[_correlation(a, b) for b in labels] for a in labels])
    return {k: None if v is None else v.tolist() for k, v in matrices.items()}


def _square(rows: list[list[float | None]]) -> np.ndarray:
    return np.array([[np.nan if v is None else v for v in row] for row in rows])


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    known = np.isfinite(a) & np.isfinite(b)
    return float(spearmanr(a[known], b[known]).statistic)


def run_cell(store: CellStore, key: Key, folder: Path) -> float:
    """Measure and store one table and seed."""
    plant = PLANTS.get(key.table)
    table = planted(plant, key.seed) if plant else fewer(load(key.table, folder))
    made = make_ready(table, key.seed)

    def work() -> Body:
        gains = pair_gains(made)
        return {"targets": list(made.labels), "gain": gains.tolist(), **affinities(made)}, None

    return store_cell(store, key, work, split=table.rule, note=table.note)


def agreement(number: np.ndarray, gain: np.ndarray) -> dict[str, float]:
    """Rank correlation of two (T, T) matrices: over all pairs, and mean over the receivers."""
    off = ~np.eye(len(gain), dtype=bool) & np.isfinite(number) & np.isfinite(gain)
    within = [_rank(number[off[:, b], b], gain[off[:, b], b]) for b in range(len(gain))]
    return {"pairs": _rank(number[off], gain[off]), "givers": known_mean(within)}


def _rank(a: np.ndarray, b: np.ndarray) -> float:
    if len(a) < 3 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return np.nan
    return float(spearmanr(a, b).statistic)


def summarise(study: Study) -> dict[str, Any]:
    """How far each number's order is that of the gains, by table and on the mean."""
    by_table = {}
    for name in study.tables:
        cells = study.of(name, METHODS[0])
        if cells:
            by_table[name] = _table(cells)

    def mean(*path: str) -> float:
        """Mean over the tables of what stands at a path of their figures."""
        values = []
        for figures in by_table.values():
            for step in path:
                figures = figures.get(step, {})
            values.append(figures if isinstance(figures, float) else np.nan)
        return known_mean(values)

    overall = {
        number: {how: mean("numbers", number, how) for how in ("pairs", "givers")}
        for number in NUMBERS
    }
    overall[AGAIN] = {how: mean("seeds_agree", how) for how in ("pairs", "givers")}
    return {
        "seeds": study.seeds,
        "failed": study.failed,
        "overall": overall,
        "tables": by_table,
    }


def _table(cells: list[dict[str, Any]]) -> dict[str, Any]:
    """One table: numbers and gains are means over the cells of the seeds."""
    gains = [_square(cell["gain"]) for cell in cells]
    gain = np.mean(gains, axis=0)
    numbers = {}
    for number in NUMBERS:
        matrices = [_square(cell[number]) for cell in cells if cell[number] is not None]
        if matrices:
            mean = np.mean(matrices, axis=0)
            numbers[number] = agreement(np.abs(mean) if number in UNSIGNED else mean, gain)
    each = [agreement(a, b) for a, b in combinations(gains, 2)]
    off = ~np.eye(len(gain), dtype=bool)
    return {
        "targets": cells[0]["targets"],
        "seeds": len(cells),
        "gain": gain.tolist(),
        "mean_gain": float(np.nanmean(gain[off])),
        "helped": float(np.mean(gain[off] > 0)),
        "numbers": numbers,
        "seeds_agree": {how: known_mean([e[how] for e in each]) for how in ("pairs", "givers")},
    }


def _figure(value: float) -> str:
    return f"{value:+.2f}" if np.isfinite(value) else "."


def show(summary: dict[str, Any]) -> str:
    """What predicts nothing first, then every number by table."""
    lines = ["Numbers whose order of the pairs is not that of the gains (below +0.2)", ""]
    lines += [f"failed cell {'/'.join(map(str, f['cell']))}: {f['why']}" for f in summary["failed"]]
    poor = [n for n in NUMBERS if not summary["overall"][n]["pairs"] >= 0.2]
    lines += [", ".join(poor) or "none"]
    tables = summary["tables"]
    parts = ["\n".join(lines)]
    for how, words in (("pairs", "all ordered pairs of a table"), ("givers", "one receiver")):
        rows = []
        for number in NUMBERS:
            own = [_figure(f["numbers"].get(number, {}).get(how, np.nan)) for f in tables.values()]
            rows.append([number, _figure(summary["overall"][number][how]), *own])
        seeds = [_figure(f["seeds_agree"][how]) for f in tables.values()]
        rows.append([AGAIN, _figure(summary["overall"][AGAIN][how]), *seeds])
        title = f"Rank correlation with the gain, {words}"
        parts.append(f"{title}\n\n{grid(['number', 'mean', *tables], rows)}")
    rows = [[t, str(len(f["targets"])), f"{f['mean_gain']:+.1f}", f"{100 * f['helped']:.0f} %",
             str(f["seeds"])] for t, f in tables.items()]  # fmt: skip
    head = ["table", "targets", "mean gain %", "pairs that gain", "seeds"]
    return "\n\n".join([*parts, grid(head, rows)])


def main(arguments: list[str] | None = None) -> None:
    """Run what is missing, print the summary, write the JSON."""
    known = [*LOADERS, *PLANTS]
    parser = flags(__doc__, "affinity", tables=known, methods=METHODS)
    parser.add_argument("--data", help="folder of the public data sets (or $SUPERPOSE_DATA)")
    options = parser.parse_args(arguments)
    folder = data_folder(options.data)
    study = study_of(options, "affinity", tables=TABLES, quick=QUICK, seeds=3, allowed=known)
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    if not options.report:
        run_missing(
            study.missing(METHODS, paired=True),
            lambda key: run_cell(study.store, key, folder),
            options.max_minutes,
        )
    summary = summarise(study)
    print(show(summary))
    write_json(study, summary)


if __name__ == "__main__":
    main()
