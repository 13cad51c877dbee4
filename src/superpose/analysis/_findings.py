"""Facts of a run: what the verdict table, the report and the JSON files say."""

from __future__ import annotations

import datetime as dt
import os
import platform
import warnings
from collections.abc import Mapping
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
import pyarrow as pa

from superpose.data import sources_of
from superpose.evaluation import (
    Prepared,
    RunResult,
    describe,
    engine_word,
    metric_options,
    percent,
)
from superpose.kinds import Beside, TargetKind
from superpose.models import (
    MULTI_TASK,
    SINGLE_TASK,
    Predictor,
    Weights,
    mix,
    places_of,
)
from superpose.models.network import networks

from ._given_findings import entanglement_facts, given_facts, residual_facts, state_facts

Facts = dict[str, Any]

# A table of a thousand columns is not permuted column by column on every row: this bounds the
# predictions, and the columns beyond the limit are those least correlated with any target.
MOST_PERMUTED_ROWS = 15_000
MOST_PERMUTED_INPUTS = 60


def findings(trial: RunResult, source: str = "", command: str = "") -> Facts:
    """Gather everything that a run says, reading the test rows once.

    Args:
        trial: The finished trial.
        source: Where the table came from.
        command: How to run it again.
    """
    p = trial.prepared
    test = p.split.test
    table = p.table.take(test)
    with warnings.catch_warnings():  # a class unseen in training is reported, not printed here
        warnings.simplefilter("ignore", UserWarning)
        labels = {t: y[test] for t, y in p.labels.items()}
    told = trial.predictor.each(trial.predictor.rows(table), p.targets)
    more = " …" if len(p.targets) > 4 else ""
    return {
        "title": f"Superpose report: {', '.join(p.targets[:4])}{more}",
        "created": dt.datetime.now().astimezone().isoformat(timespec="seconds"),
        "versions": _versions(),
        "hardware": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "seed": p.config.seed,
        "config_yaml": p.config.to_yaml(),
        "command": command,
        "data": _data(p, source),
        "warnings": p.warnings,
        "conversions": p.conversions,
        "regime": p.plan.regime,
        "delta": p.config.proof.alpha,
        "transfer": [transfer_row(trial, t) for t in p.targets],
        "metrics": {t: _metrics(trial, t, labels[t], told[t]) for t in p.targets},
        "plots": {t: _plot(trial, t, table, labels[t], told[t]) for t in p.targets},
        "curves": _curves(trial.predictor),
        "attention": _attention(trial),
        "importance": importance(trial),
        "given": given_facts(trial),
        "entanglement": entanglement_facts(trial),
        "residuals": residual_facts(trial),
        "states": state_facts(trial),
        "balance": _balance(trial),
        "cost": trial.cost,
    }


def transfer_row(trial: RunResult, target: str) -> Facts:
    """Say for one target what sharing did and what ships, on the rows of the proof."""
    p = trial.prepared
    ruling = trial.decisions[target]
    kind = p.codec.target_kinds[target]
    told = trial.oof_predictions[target]
    rows = np.flatnonzero(p.plan.deciders & kind.known(p.labels[target]))
    y = p.labels[target][rows]

    def value(weights: Weights | None) -> float:
        if not weights or not len(rows) or not weights.keys() <= told.keys():
            return float("nan")
        return kind.metrics(y, mix({m: told[m][rows] for m in weights}, weights))[kind.metric]

    replaced = ruling.tested and ruling.deployed != ruling.reference
    sharing, test = ruling.sharing, ruling.test
    others = [[t for t in group if t != target] for group in groups_of(p) if target in group]
    return {
        "target": target,
        **({"shares_with": others[0]} if others else {}),
        "kind": kind.name,
        "metric": kind.metric,
        "higher_is_better": kind.higher_is_better,
        "n": len(rows),
        "model": value({MULTI_TASK: 1.0}),
        "alone": value({SINGLE_TASK: 1.0}),
        "reference": value(ruling.reference),
        "reference_name": describe(ruling.reference),
        "delta": percent(sharing.mean, ruling.single_task_loss),
        "interval": [percent(x, ruling.single_task_loss) for x in sharing.interval()],
        "p": sharing.p,
        "verdict": ruling.verdict,
        "shipped": describe(ruling.deployed),
        "shipped_weights": ruling.deployed,
        "shipped_value": value(ruling.deployed),
        "shipped_delta": percent(test.mean, ruling.reference_loss) if replaced else 0.0,
        "shipped_interval": [percent(x, ruling.reference_loss) for x in test.interval()],
        "shipped_p": test.p,
        "challenger_delta": percent(test.mean, ruling.reference_loss),
    }


def groups_of(p: Prepared) -> list[list[str]]:
    """Return the targets of each group, in their order; no group where all share a network."""
    return [[p.targets[t] for t in group] for group in places_of(p.config.groups, p.targets)]


def _data(p: Prepared, source: str) -> Facts:
    parts = {"train": p.split.train, "validation": p.split.validation, "test": p.split.test}
    return {
        "source": source,
        "split": p.split.description,
        "groups": groups_of(p),
        "sources": _sources(p),
        "rows": {name: len(rows) for name, rows in parts.items()},
        "inputs": [
            {
                "name": kind.column,
                "kind": kind.name,
                "missing": p.table.column(kind.column).null_count / max(p.table.num_rows, 1),
                "detail": kind.describe(),
            }
            for kind in p.codec.input_kinds
        ],
        "targets": [
            {
                "name": t,
                "kind": kind.name,
                "detail": kind.describe(),
                "labelled": {n: int(kind.known(p.labels[t][r]).sum()) for n, r in parts.items()},
            }
            for t, kind in p.codec.target_kinds.items()
        ],
    }


def _sources(p: Prepared) -> list[Facts]:
    """Say what each of several sources brings: rows, and labelled rows of each target."""
    column = sources_of(p.table)
    if column is None:
        return []
    names = np.asarray(column)
    return [
        {
            "name": name,
            "rows": int((mine := names == name).sum()),
            "labelled": {
                t: int(kind.known(p.labels[t][mine]).sum())
                for t, kind in p.codec.target_kinds.items()
            },
        }
        for name in column.unique().to_pylist()
    ]


def _metrics(trial: RunResult, target: str, y: np.ndarray, told: Mapping[str, np.ndarray]) -> Facts:
    predictor = trial.predictor
    kind = predictor.codec.target_kinds[target]
    floor = predictor.baselines[target]
    prediction = mix(told, predictor.weights[target])
    options = metric_options(predictor, target, predictor.half_width(target, prediction))
    shipped = kind.metrics(y, prediction, floor, **options)
    constant = kind.metrics(y, np.broadcast_to(floor, (len(y), kind.width)), floor)
    others = {engine_word(name): kind.metrics(y, z, floor) for name, z in told.items()}
    return {"shipped": shipped, "constant": constant, **others}


def _plot(
    trial: RunResult, target: str, table: pa.Table, y: np.ndarray, told: Mapping[str, np.ndarray]
) -> Facts:
    p, predictor = trial.prepared, trial.predictor
    prediction = mix(told, predictor.weights[target])
    kind, pixels = p.codec.target_kinds[target], None
    if kind.source is not None:
        pixels = partial(_pixels, predictor, kind.source, table)
    inputs = table.select([kind.column for kind in p.codec.input_kinds])
    beside = Beside(inputs, pixels, predictor.half_width(target, prediction))
    return kind.plot(y, prediction, beside)


def _pixels(predictor: Predictor, source: str, table: pa.Table, rows: np.ndarray) -> np.ndarray:
    return predictor.codec.pixels(source, table.take(pa.array(rows)))


def _curves(predictor: Predictor) -> Facts:
    found: dict[str, list[Facts]] = {t: [] for t in predictor.weights}
    for network in networks(predictor.models):
        for place, target in enumerate(network.targets):
            curve = {"name": network.name, **network.curves[place], "best": network.best[place]}
            found[target].append(curve)
    return found


def _attention(trial: RunResult) -> Facts | None:
    joint = trial.multi_task
    p = trial.prepared
    if len(p.targets) < 2:
        return None
    weights = joint.attention(p.rows.take(p.split.validation[:512]))
    if weights is None:
        return None
    return {
        "targets": p.targets,
        "weights": weights[:, :-1].tolist(),
        "sink": weights[:, -1].tolist(),
    }


def _balance(trial: RunResult) -> Facts | None:
    joint = trial.multi_task
    if not joint.balance:
        return None
    return {"targets": joint.targets, **joint.balance}


def importance(trial: RunResult) -> Facts:
    """Measure which input matters for which target.

    Each input column is permuted among validation rows; the importance is the rise, in percent, of
    the loss of what ships.
    """
    p, predictor = trial.prepared, trial.predictor
    columns = _most_related(p)
    rows = p.split.validation
    rng = np.random.default_rng(p.config.seed)
    most = max(
        50, min(1000, MOST_PERMUTED_ROWS // max(len(columns), 1) // max(len(p.plan.folds), 1))
    )
    if len(rows) > most:
        rows = np.sort(rng.choice(rows, most, replace=False))
    table = p.table.take(rows)
    order = rng.permutation(len(rows))
    copies = [table]
    for name in columns:
        place = table.column_names.index(name)
        copies.append(table.set_column(place, table.field(place), table.column(name).take(order)))
    told = predictor.deployed(predictor.rows(pa.concat_tables(copies)))
    values = np.full((len(columns), len(p.targets)), np.nan)
    for t, target in enumerate(p.targets):
        kind: TargetKind = p.codec.target_kinds[target]
        losses = kind.row_loss(
            np.concatenate([p.labels[target][rows]] * len(copies)), told[target]
        ).reshape(len(copies), -1)
        known = ~np.isnan(losses[0])
        if known.any() and (base := losses[0, known].mean()) > 0:
            values[:, t] = 100 * (losses[1:, known].mean(1) / base - 1)
    return {"inputs": columns, "targets": p.targets, "values": values.tolist()}


def _most_related(p: Prepared) -> list[str]:
    names = [kind.column for kind in p.codec.input_kinds]
    if len(names) <= MOST_PERMUTED_INPUTS:
        return names
    rows = p.split.train[:2000]
    matrix = np.nan_to_num(p.features.matrix[rows])
    best: dict[str, float] = dict.fromkeys(names, 0.0)
    for y in p.labels.values():
        y = y[rows] if y.ndim == 1 else y[rows].mean(1)
        known = ~np.isnan(y)
        if known.sum() < 3 or np.ptp(y[known]) == 0:
            continue
        x = matrix[known] - matrix[known].mean(0)
        z = y[known] - y[known].mean()
        scale = np.sqrt((x**2).sum(0) * (z**2).sum()) + 1e-12
        for feature, r in zip(p.features.names, np.abs(x.T @ z) / scale, strict=True):
            # A column of several features has its name before each; names may hold blanks.
            for column in [n for n in names if feature == n or feature.startswith(f"{n} ")]:
                best[column] = max(best[column], float(r))
    return sorted(names, key=lambda n: -best[n])[:MOST_PERMUTED_INPUTS]


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in ("superpose", "torch", "scikit-learn", "numpy", "pyarrow"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
