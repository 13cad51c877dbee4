"""The record of a run: what the verdict table, the report and the JSON files say."""

from __future__ import annotations

import datetime as dt
import os
import platform
import warnings
from importlib.metadata import PackageNotFoundError, version

import numpy as np

from superpose.data import sources_of
from superpose.evaluation import Prepared, Trial
from superpose.record import (
    AttentionRecord,
    BalanceRecord,
    CostRecord,
    DataRecord,
    GradientRecord,
    InputRecord,
    OriginRecord,
    RunRecord,
    SourceRecord,
)

from ._importance import importance
from ._pair_findings import entanglement_record, residual_record, states_record
from ._target_findings import groups_of, target_record

ATTENTION_ROWS = 512  # validation rows over which attention is averaged
TITLED = 4  # targets that the title names


def findings(trial: Trial, source: str = "", command: str = "") -> RunRecord:
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
    preds = trial.predictor.models(table, p.targets)
    more = " …" if len(p.targets) > TITLED else ""
    return RunRecord(
        title=f"Superpose report: {', '.join(p.targets[:TITLED])}{more}",
        origin=_origin(p, command),
        data=_data(p, source),
        regime=p.regime,
        alpha=p.config.proof.delta,
        targets={t: target_record(trial, t, table, y=labels[t], preds=preds[t]) for t in p.targets},
        warnings=p.warnings,
        conversions=p.conversions,
        attention=_attention(trial),
        states=states_record(trial),
        balance=_balance(trial),
        importance=importance(trial),
        entanglement=entanglement_record(trial),
        residuals=residual_record(trial),
        costs=[
            CostRecord(str(one["stage"]), float(one["seconds"] or 0.0), _count(one["parameters"]))
            for one in trial.cost
        ],
    )


def _count(parameters: float | int | str | None) -> int | None:
    return None if parameters is None else int(parameters)


def _origin(p: Prepared, command: str) -> OriginRecord:
    return OriginRecord(
        created=dt.datetime.now().astimezone().isoformat(timespec="seconds"),
        command=command,
        config_yaml=p.config.to_yaml(),
        seed=p.config.seed,
        hardware=f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        versions=_versions(),
    )


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in ("superpose", "torch", "scikit-learn", "numpy", "pyarrow"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _data(p: Prepared, source: str) -> DataRecord:
    parts = {"train": p.split.train, "validation": p.split.validation, "test": p.split.test}
    return DataRecord(
        source=source,
        split=p.split.description,
        rows={name: len(rows) for name, rows in parts.items()},
        groups=groups_of(p),
        inputs=[
            InputRecord(
                name=kind.column,
                kind=kind.name,
                missing=p.table.column(kind.column).null_count / max(p.table.num_rows, 1),
                detail=kind.describe(),
            )
            for kind in p.codec.input_kinds
        ],
        sources=_sources(p),
    )


def _sources(p: Prepared) -> list[SourceRecord]:
    """Say what each of several sources brings: rows, and labelled rows of each target."""
    column = sources_of(p.table)
    if column is None:
        return []
    names = np.asarray(column)
    found = []
    for name in column.unique().to_pylist():
        mine = names == name
        labelled = {
            t: int(kind.known(p.labels[t][mine]).sum()) for t, kind in p.codec.target_kinds.items()
        }
        found.append(SourceRecord(name, int(mine.sum()), labelled))
    return found


def _attention(trial: Trial) -> AttentionRecord | None:
    p = trial.prepared
    joint = trial.predictor.joint
    if joint is None or len(p.targets) < 2:
        return None
    rows = p.split.validation[:ATTENTION_ROWS]
    weights = joint.attention(p.codec, {n: b[rows] for n, b in p.blocks.items()})
    if weights is None:
        return None
    return AttentionRecord(p.targets, np.asarray(weights[:, :-1]), np.asarray(weights[:, -1]))


def _balance(trial: Trial) -> BalanceRecord | None:
    joint = trial.predictor.joint
    if joint is None or not joint.balance:
        return None
    seen = joint.balance
    gradients = [
        GradientRecord(look["epoch"], np.array(look["norms"]), np.array(look["cosines"]))
        for look in seen["looks"]
    ]
    return BalanceRecord(
        targets=joint.targets,
        method=seen["method"],
        every=seen["every"],
        at=seen["at"],
        weights=np.array(seen["weights"], float),
        gradients=gradients,
    )
