"""The record as flat tables: lines of ``transfer.json``, ``metrics.json`` and of frames."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ._former_view import former_metrics, former_row
from ._models import mixture_name
from ._run import RunRecord
from ._sharing import AffinityRecord, EntanglementRecord
from ._target import EVERYTHING, HALF, TargetRecord
from ._values import plain

EVERYONE = "all others"  # the given side of what all other targets tell together


def transfer_row(target: TargetRecord) -> dict[str, Any]:
    """Returns a line of the transfer table: what sharing did to a target, and what is deployed.

    Metrics are those of the rows that decide, but for ``test``; gains are in percent of the loss.
    """
    decision, sharing = target.decision, target.sharing
    return {
        "target": target.name,
        **({} if target.shares_with is None else {"shares_with": target.shares_with}),
        "kind": target.kind,
        "metric": target.metric,
        "higher_is_better": target.higher_is_better,
        "n_rows": decision.n_rows,
        "single_task": sharing.single_task,
        "multi_task": sharing.multi_task,
        "best_single_task": decision.reference.value,
        "best_single_task_model": mixture_name(decision.reference.weights),
        "deployed": decision.deployed.value,
        "deployed_model": mixture_name(decision.deployed.weights),
        "test": target.test_value,
        "half_given": target.at(HALF).deployed.value,
        "all_given": target.at(EVERYTHING).deployed.value,
        "gain": sharing.gain.gain,
        "gain_low": sharing.gain.low,
        "gain_high": sharing.gain.high,
        "p": sharing.gain.p,
        "verdict": sharing.verdict,
        "challenger_gain": decision.test.gain,
        "challenger_low": decision.test.low,
        "challenger_high": decision.test.high,
        "challenger_p": decision.test.p,
    }


def json_tables(record: RunRecord) -> dict[str, Any]:
    """Returns what stands in ``metrics.json`` and ``transfer.json``, by name without the ending.

    Former names stand beside the new ones.
    """
    return {"metrics": _metrics(record), "transfer": _transfer(record)}


def _transfer(record: RunRecord) -> list[dict[str, Any]]:
    lines = []
    for target in record.targets.values():
        weights = {
            "best_single_task_weights": target.decision.reference.weights,
            "deployed_weights": target.decision.deployed.weights,
        }
        lines.append(former_row(target) | plain(transfer_row(target) | weights))
    return lines


def _metrics(record: RunRecord) -> dict[str, Any]:
    """Metrics on the test rows by target and model."""
    return {
        name: {**plain(target.metrics), **former_metrics(target)}
        for name, target in record.targets.items()
    }


def pair_rows(record: EntanglementRecord) -> list[dict[str, Any]]:
    """Returns a line for each pair of targets, the strongest first, and one for all others.

    Example:
        >>> nothing, pair = np.full((2, 2), np.nan), np.array([[np.nan, 0.4], [0.1, np.nan]])
        >>> one = np.array([0.1, 0.4])
        >>> record = EntanglementRecord(["a", "b"], pair, pair, pair, pair, pair, pair, one, one,
        ...                            one, one, 9)
        >>> pair_rows(record)[0]["given"], pair_rows(record)[0]["about"]
        ('a', 'b')
    """
    rows: list[dict[str, Any]] = [
        {
            "given": given,
            "about": about,
            "bits": float(record.bits[a, b]),
            "low": float(record.low[a, b]),
            "high": float(record.high[a, b]),
            "null": float(record.null[a, b]),
            "p": float(record.p[a, b]),
            "n": int(np.nan_to_num(record.both[a, b])),
        }
        for a, given, b, about in _ordered(record.targets)
    ]
    rows.sort(key=_falling_bits)
    return rows + [_everyone(record, rows, b) for b in range(len(record.targets))]


def _falling_bits(row: dict[str, Any]) -> float:
    return -float(np.nan_to_num(row["bits"], nan=-np.inf))


def _everyone(record: EntanglementRecord, rows: list[dict[str, Any]], b: int) -> dict[str, Any]:
    about = record.targets[b]
    own = {"given": EVERYONE, "about": about, "bits": float(record.total[b])}
    if len(record.targets) == 2:  # all others are the other one
        return {**next(row for row in rows if row["about"] == about), **own}
    bounds = {"low": float(record.total_low[b]), "high": float(record.total_high[b])}
    return {**own, **bounds, "null": None, "p": None, "n": int(np.nan_to_num(record.n[b]))}


def affinity_rows(record: AffinityRecord) -> list[dict[str, Any]]:
    """Returns a line for each ordered pair of targets, the best first."""
    rows = [
        {
            "from": giver,
            "to": receiver,
            "lookahead": _known(record.lookahead, a, b),
            "cosine": _known(record.cosine, a, b),
            "residual": _known(record.residual, a, b),
            "bits": _known(record.bits, a, b),
        }
        for a, giver, b, receiver in _ordered(record.targets)
    ]
    return sorted(rows, key=lambda row: -(row["lookahead"] or 0.0))


def _ordered(names: list[str]) -> Iterator[tuple[int, str, int, str]]:
    """Every ordered pair of two targets: index and name of each."""
    for a, first in enumerate(names):
        for b, second in enumerate(names):
            if a != b:
                yield a, first, b, second


def _known(values: np.ndarray | None, a: int, b: int) -> float | None:
    return None if values is None or np.isnan(values[a, b]) else float(values[a, b])
