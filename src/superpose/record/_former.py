"""Facts of runs as bundles of format 2 hold them: nested dicts with names of their own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from superpose.stored import restored

from ._former_charts import chart_of
from ._models import BASELINE, DEPLOYED, MULTI_TASK, SINGLE_TASK, recorded_name
from ._run import PART, RunRecord
from ._target import NOTHING
from ._values import UNKNOWN

Facts = dict[str, Any]

METRICS = {"shipped": DEPLOYED, "constant": BASELINE, "joint": MULTI_TASK, "alone": SINGLE_TASK}
# Names that are the same in both.
SAME = ("title", "regime", "warnings", "conversions", "attention", "importance", "states")
OF_ORIGIN = ("created", "command", "config_yaml", "seed", "hardware", "versions")
_PAIRS = ("low", "high", "null", "p", "both")
_SINGLE = ("total", "total_low", "total_high", "n")


def stored_record(
    parts: Mapping[str, Any], arrays: Mapping[str, Mapping[str, np.ndarray]]
) -> RunRecord:
    """Reads the record of a bundle, or the facts that stand in its place in one of format 2.

    Args:
        parts: JSON of the bundle by name of the part.
        arrays: Its arrays by name of the part.

    Raises:
        BundleError: A field that is missing, unknown, or of another type or shape.
        AttributeError, LookupError, TypeError, ValueError: Facts that do not fit together.
    """
    if PART in parts:
        return RunRecord.from_dict(parts[PART], arrays.get("charts", {}))
    return record_of_former(parts["facts"], arrays.get("plots", {}))


def record_of_former(facts: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> RunRecord:
    """Reads the facts of a bundle of format 2.

    Args:
        facts: What stood in its JSON.
        arrays: Arrays of the plots, by ``target/name``.

    Raises:
        BundleError: A field of another type.
        AttributeError, LookupError, TypeError, ValueError: Facts that do not fit together.
    """
    plots = {target: dict(plot) for target, plot in (facts.get("plots") or {}).items()}
    for way, value in arrays.items():
        target, _, key = way.rpartition("/")
        plots[target][key] = value
    fields: Facts = {key: facts[key] for key in SAME if facts.get(key) is not None}
    fields |= {
        "origin": {key: facts[key] for key in OF_ORIGIN if facts.get(key) is not None},
        "alpha": facts.get("delta", 0.05),
        "data": _data(facts.get("data") or {}),
        "targets": _targets(facts, plots),
        "costs": [
            {"stage": one["stage"], "seconds": one["seconds"], "n_params": one.get("parameters")}
            for one in facts.get("cost") or []
        ],
        "balance": _balance(facts.get("balance")),
        "entanglement": _entanglement(facts.get("entanglement")),
        "residuals": renamed(facts.get("residuals"), {"alone": "single_task"}),
        "affinity": _affinity(facts.get("affinity")),
        "grouping": renamed(facts.get("grouping"), {"folds": "n_folds", "rows": "n_rows"}),
    }
    return restored(RunRecord, fields, PART)


def renamed(facts: Mapping[str, Any] | None, names: Mapping[str, str]) -> Facts | None:
    """Returns facts with some of their keys under other names, None where there are none."""
    return None if not facts else {names.get(key, key): value for key, value in facts.items()}


def _data(data: Mapping[str, Any]) -> Facts:
    return {key: value for key, value in data.items() if key != "targets"}


def _targets(facts: Mapping[str, Any], plots: Mapping[str, Facts]) -> Facts:
    described = {one["name"]: one for one in (facts.get("data") or {}).get("targets") or []}
    given: dict[str, Facts] = {}
    for row in (facts.get("given") or {}).get("rows") or []:
        if row["level"] != NOTHING:
            given.setdefault(row["target"], {})[row["level"]] = _decision(row, row["interval"])
    metrics, curves = facts.get("metrics") or {}, facts.get("curves") or {}
    return {
        row["target"]: {
            "name": row["target"],
            **{key: row[key] for key in ("kind", "metric", "higher_is_better") if key in row},
            "detail": described.get(row["target"], {}).get("detail", ""),
            "labelled": described.get(row["target"], {}).get("labelled", {}),
            "shares_with": row.get("shares_with"),
            "decision": _decision(row, row["shipped_interval"]),
            "sharing": {
                "multi_task": row["model"],
                "single_task": row["alone"],
                "gain": _gain(row["delta"], row["interval"], row["p"]),
                "verdict": row["verdict"],
            },
            "given": given.get(row["target"], {}),
            "metrics": renamed(metrics.get(row["target"]), METRICS) or {},
            "chart": chart_of(plots.get(row["target"], {})),
            "curves": [
                {
                    "model": recorded_name(one["name"]),
                    "train": one["train"],
                    "validation": one["validation"],
                    "best_epoch": one["best"],
                }
                for one in curves.get(row["target"]) or []
            ],
        }
        for row in facts.get("transfer") or []
    }


def _decision(row: Mapping[str, Any], interval: Any) -> Facts:
    shipped, reference = row["shipped"], row["reference_name"]
    weights = row.get("shipped_weights")
    deployed = (
        _described(shipped)
        if weights is None
        else {recorded_name(model): weight for model, weight in weights.items()}
    )
    gain = row.get("challenger_delta")
    if gain is None and None not in (interval or [None]):
        gain = (interval[0] + interval[1]) / 2  # the interval reaches equally far to both sides
    return {
        "n_rows": row["n"],
        "reference": {
            "weights": deployed if shipped == reference else _described(reference),
            "value": row["reference"],
        },
        "deployed": {"weights": deployed, "value": row["shipped_value"]},
        "test": _gain(gain, interval, row.get("shipped_p", row.get("p"))),
    }


def _gain(gain: Any, interval: Any, p: Any) -> Facts:
    low, high = interval or (None, None)
    return {"gain": gain, "low": low, "high": high, "p": p}


def _described(words: str) -> dict[str, float | None]:
    """The models of a description such as "blend of trees and alone", their weights unknown."""
    blend = re.fullmatch(r"blend of (.+)", words)
    parts = re.split(r", | and ", blend[1]) if blend else [words] if words else []
    weight = 1.0 if len(parts) == 1 else None
    return {recorded_name(part): weight for part in parts}


def _balance(balance: Mapping[str, Any] | None) -> Facts | None:
    return renamed(balance, {"looks": "gradients"})


def _entanglement(facts: Mapping[str, Any] | None) -> Facts | None:
    if not facts:
        return None
    size = len(facts["targets"])
    shapes = {**dict.fromkeys(_PAIRS, (size, size)), **dict.fromkeys(_SINGLE, (size,))}
    unknown = {key: np.full(shape, UNKNOWN) for key, shape in shapes.items()}
    known = {key: value for key, value in facts.items() if value is not None}
    return {**unknown, "rows": 0, **known}


def _affinity(facts: Mapping[str, Any] | None) -> Facts | None:
    names = {"alone": "single_task", "set": "run_groups", "looks": "n_looks"}
    names |= {"networks": "n_networks", "epochs": "n_epochs"}
    kept = {key: value for key, value in (facts or {}).items() if key != "transfer"}
    return renamed(kept, names)
