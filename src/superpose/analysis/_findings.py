"""The record of a run: what the verdict table, the report and the JSON files show."""

from __future__ import annotations

import datetime as dt
import os
import platform
import warnings
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version

import numpy as np

from superpose.data import sources_of
from superpose.evaluation import RunResult
from superpose.prepare import Prepared
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


def findings(result: RunResult, source: str = "", command: str = "") -> RunRecord:
    """Gather everything that a run has measured, reading the test rows once.

    Args:
        result: What the run has left.
        source: Where the table came from.
        command: How to run it again.
    """
    p = result.prepared
    test = p.split.test
    table = p.table.take(test)
    with warnings.catch_warnings():  # a class unseen in training is reported, not printed here
        warnings.simplefilter("ignore", UserWarning)
        labels = {t: y[test] for t, y in p.labels.items()}
    preds = result.predictor.each(result.predictor.rows(table), p.targets)
    more = " …" if len(p.targets) > TITLED else ""
    record = RunRecord(
        title=f"Superpose report: {', '.join(p.targets[:TITLED])}{more}",
        origin=_origin(p, command),
        data=_data(p, source),
        regime=p.plan.regime,
        alpha=p.config.proof.alpha,
        targets={
            t: target_record(result, t, table, y=labels[t], preds=preds[t]) for t in p.targets
        },
        warnings=p.warnings,
        conversions=p.conversions,
        attention=_attention(result),
        states=states_record(result),
        balance=_balance(result),
        importance=importance(result),
        entanglement=entanglement_record(result),
        residuals=residual_record(result),
        costs=[
            CostRecord(str(one["stage"]), float(one["seconds"] or 0.0), _count(one["parameters"]))
            for one in result.cost
        ],
        refitted=p.table.num_rows if p.config.deploy.refit else 0,
    )
    empty = [_no_model(name) for name, t in record.targets.items() if t.decision.ignores_inputs]
    weak = record.weak_interval_warnings()
    return replace(record, warnings=[*record.warnings, *empty, *weak])


def _no_model(target: str) -> str:
    return (
        f"target {target!r}: no model was better than a baseline on rows that it had not seen, so "
        f"its predictions say nothing of single rows; add inputs that tell something about it"
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
    versions = {"python": platform.python_version()}
    for name in ("superpose", "torch", "scikit-learn", "numpy", "pyarrow"):
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return versions


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
    """List what each of several sources brings: rows, and labelled rows of each target."""
    column = sources_of(p.table)
    if column is None:
        return []
    names = np.asarray(column)
    sources = []
    for name in column.unique().to_pylist():
        mine = names == name
        labelled = {
            t: int(kind.distribution.known(p.labels[t][mine]).sum())
            for t, kind in p.codec.target_kinds.items()
        }
        sources.append(SourceRecord(name, int(mine.sum()), labelled))
    return sources


def _attention(result: RunResult) -> AttentionRecord | None:
    p = result.prepared
    if len(p.targets) < 2:
        return None
    weights = result.multi_task.attention(p.rows.take(p.split.validation[:ATTENTION_ROWS]))
    if weights is None:
        return None
    return AttentionRecord(p.targets, np.asarray(weights[:, :-1]), np.asarray(weights[:, -1]))


def _balance(result: RunResult) -> BalanceRecord | None:
    network = result.multi_task
    facts = network.balance
    if not facts:
        return None
    gradients = [
        GradientRecord(look["epoch"], np.array(look["norms"]), np.array(look["cosines"]))
        for look in facts["looks"]
    ]
    return BalanceRecord(
        targets=network.targets,
        method=facts["method"],
        every=facts["every"],
        at=facts["at"],
        weights=np.array(facts["weights"], float),
        gradients=gradients,
    )
