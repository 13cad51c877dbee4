"""The record under the names that it had before: what ``Superpose.facts`` and JSON files still say.

They stand beside the new names for one version.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from ._former import METRICS, OF_ORIGIN, SAME, Facts, renamed
from ._models import COARSE_TREES, MULTI_TASK, SINGLE_TASK, TREES
from ._run import RunRecord
from ._target import NOTHING, DecisionRecord, TargetRecord
from ._values import plain

METRICS_BEFORE = {new: old for old, new in METRICS.items()}
STORED = {MULTI_TASK: "joint", SINGLE_TASK: "alone", TREES: "hist", COARSE_TREES: "hist-coarse"}
WORDS = {"hist": TREES, "hist-coarse": COARSE_TREES}  # of models, in descriptions


def former_facts(record: RunRecord) -> Facts:
    """Returns a record under the names that ``Superpose.facts`` had before, without the plots."""
    targets = list(record.targets.values())
    facts = {key: plain(getattr(record, key)) for key in SAME}
    facts |= {key: plain(getattr(record.origin, key)) for key in OF_ORIGIN}
    facts |= {
        "delta": record.alpha,
        "data": {
            **plain(record.data),
            "targets": [
                {"name": t.name, "kind": t.kind, "detail": t.detail, "labelled": t.labelled}
                for t in targets
            ],
        },
        "transfer": [former_row(target) for target in targets],
        "metrics": {target.name: former_metrics(target) for target in targets},
        "curves": {target.name: _former_curves(target) for target in targets},
        "given": _former_given(targets),
        "cost": [
            {"stage": c.stage, "seconds": plain(c.seconds), "parameters": c.n_params}
            for c in record.costs
        ],
        "balance": renamed(plain(record.balance), {"gradients": "looks"}),
        "entanglement": plain(record.entanglement),
        "residuals": renamed(plain(record.residuals), {"single_task": "alone"}),
    }
    return facts


def former_row(target: TargetRecord) -> Facts:
    """Returns a line of ``transfer.json`` under its former names."""
    decision, sharing = target.decision, target.sharing
    gain = sharing.gain
    test = decision.test
    row = {
        "target": target.name,
        **({} if target.shares_with is None else {"shares_with": target.shares_with}),
        "kind": target.kind,
        "metric": target.metric,
        "higher_is_better": target.higher_is_better,
        "n": decision.n_rows,
        "model": sharing.multi_task,
        "alone": sharing.single_task,
        "reference": decision.reference.value,
        "reference_name": _description(decision.reference.weights),
        "delta": gain.gain,
        "interval": [gain.low, gain.high],
        "p": gain.p,
        "verdict": sharing.verdict,
        "shipped": _description(decision.deployed.weights),
        "shipped_weights": {STORED.get(m, m): w for m, w in decision.deployed.weights.items()},
        "shipped_value": decision.deployed.value,
        "shipped_delta": test.gain if decision.replaced else 0.0,
        "shipped_interval": [test.low, test.high],
        "shipped_p": test.p,
        "challenger_delta": test.gain,
    }
    return dict(plain(row))


def former_metrics(target: TargetRecord) -> Facts:
    """Returns the metrics of a target under the former names of what is measured."""
    return dict(plain(renamed(target.metrics, METRICS_BEFORE) or {}))


def _former_curves(target: TargetRecord) -> list[Facts]:
    names = {"model": "name", "best_epoch": "best"}
    curves = [renamed(plain(curve), names) or {} for curve in target.curves]
    return [{**one, "name": STORED.get(one["name"], one["name"])} for one in curves]


def _former_given(targets: list[TargetRecord]) -> Facts | None:
    if not any(target.given for target in targets):
        return None
    rows = []
    for target in targets:
        for level, decision in {NOTHING: target.decision, **target.given}.items():
            rows.append(_former_level(target, level, decision))
    return {"levels": ["none", "half", "all"], "rows": rows}


def _former_level(target: TargetRecord, level: str, decision: DecisionRecord) -> Facts:
    test = decision.test
    row = {
        "target": target.name,
        "kind": target.kind,
        "metric": target.metric,
        "higher_is_better": target.higher_is_better,
        "level": level,
        "n": decision.n_rows,
        "reference_name": _description(decision.reference.weights),
        "reference": decision.reference.value,
        "shipped": _description(decision.deployed.weights),
        "shipped_value": decision.deployed.value,
        "delta": test.gain if decision.replaced else 0.0,
        "interval": [test.low, test.high],
        "p": test.p,
        "ungiven": target.decision.deployed.value,
    }
    return dict(plain(row))


def _description(weights: Mapping[str, float]) -> str:
    """A mixture as it was described: the heaviest model first, without weights."""
    heaviest = sorted(weights.items(), key=lambda item: -(0 if math.isnan(item[1]) else item[1]))
    stored = [STORED.get(model, model) for model, _ in heaviest]
    names = [WORDS.get(name, name) for name in stored]
    return names[0] if len(names) == 1 else _blend(names)


def _blend(names: list[str]) -> str:
    return f"blend of {', '.join(names[:-1])} and {names[-1]}" if names else ""
